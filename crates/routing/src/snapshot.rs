//! The status of every channel at one moment.

use crate::split::in_share;
use std::fmt;
use switchyard_core::PaymentId;

/// A channel's status, for new payments and payouts only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Takes payments.
    Up,
    /// Takes payments that no channel which is up could take.
    Degraded,
    /// Takes none.
    Down,
    /// Takes none: maintenance, or an operator said so.
    Disabled,
    /// Coming back from `Down`: up for so many percent of payments, chosen by their id, and down for the others.
    Probing(Percent),
}

impl Status {
    /// The name in configuration, metrics and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Disabled => "disabled",
            Self::Probing(_) => "probing",
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Up => b'u',
            Self::Degraded => b'g',
            Self::Down => b'd',
            Self::Disabled => b'x',
            Self::Probing(percent) => 0x80 | percent.0,
        }
    }

    const fn from_byte(byte: u8) -> Self {
        match byte {
            b'u' => Self::Up,
            b'g' => Self::Degraded,
            b'd' => Self::Down,
            0x81..=0xe4 => Self::Probing(Percent(byte & 0x7f)),
            // What is not understood takes nothing.
            _ => Self::Disabled,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up | Self::Degraded | Self::Down | Self::Disabled => f.write_str(self.as_str()),
            Self::Probing(percent) => write!(f, "down but for the {} % of payments that probe it", percent.0),
        }
    }
}

/// 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Percent(u8);

impl Percent {
    /// `None` outside 1 to 100.
    #[must_use]
    pub const fn new(percent: u8) -> Option<Self> {
        if percent >= 1 && percent <= 100 { Some(Self(percent)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The status of every channel of a rule set, one byte each, in the order of the channels' names. It belongs to the rule
/// set that made it ([`crate::RuleSet::snapshot`]) and to others of the same hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot(Box<[u8]>);

impl Snapshot {
    pub(crate) fn new(statuses: impl Iterator<Item = Status>) -> Self {
        Self(statuses.map(Status::byte).collect())
    }

    /// As it was stored.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// For the store. Statuses that people read as letters: `u`p, de`g`raded, `d`own, disabled `x`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The status of a channel by its number; one the snapshot does not know is disabled.
    pub(crate) fn status(&self, channel: usize) -> Status {
        self.0.get(channel).map_or(Status::Disabled, |&byte| Status::from_byte(byte))
    }

    /// How a channel stands to one payment.
    pub(crate) fn standing(&self, channel: usize, name_hash: u64, payment: PaymentId) -> Standing {
        match self.status(channel) {
            Status::Up => Standing::Up,
            Status::Degraded => Standing::Degraded,
            Status::Down | Status::Disabled => Standing::Out,
            Status::Probing(percent) if in_share(payment, name_hash, percent) => Standing::Up,
            Status::Probing(_) => Standing::Out,
        }
    }
}

/// What a status comes to for one payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Up,
    Degraded,
    Out,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_survive_their_bytes() {
        let mut all = vec![Status::Up, Status::Degraded, Status::Down, Status::Disabled];
        all.extend((0..=255).filter_map(Percent::new).map(Status::Probing));
        assert_eq!(all.len(), 104);
        let snapshot = Snapshot::new(all.iter().copied());
        let again = Snapshot::from_bytes(snapshot.as_bytes());
        for (at, &status) in all.iter().enumerate() {
            assert_eq!(again.status(at), status);
        }
        assert_eq!(again.status(all.len()), Status::Disabled);
        assert_eq!(Snapshot::from_bytes(&[0, 255, b'?']).status(1), Status::Disabled);
    }
}
