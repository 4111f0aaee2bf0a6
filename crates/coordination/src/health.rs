//! How a channel is, in general and to one payment.

use crate::{Counts, in_share};
use std::time::Duration;
use switchyard_core::{ChannelName, PaymentId};

/// The outcome of one call to a provider, as far as health goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Whether it counts against the channel: the provider's or the network's fault, or in doubt when the call ended.
    /// Declines and errors of the caller are answers, so they are no faults.
    pub fault: bool,
    /// From the first byte sent to the end, whichever way it ended.
    pub latency: Duration,
}

/// How good a channel is taken to be. Changes only when an outcome is noted, never by time alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Serves.
    Up,
    /// Serves where nothing better does.
    Degraded,
    /// Serves nothing new.
    Down,
}

impl Level {
    /// The name in answers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// A change of level, for the log, the audit trail, a counter and an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Before.
    pub from: Level,
    /// Since.
    pub to: Level,
}

/// What a trial tries to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ailment {
    /// The channel was degraded, and gets too few payments to be judged by its window.
    Degraded,
    /// The channel was down, and its cool-down is over.
    Down,
}

/// How a channel is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    /// Nothing against it.
    Up,
    /// Too many faults, or too slow.
    Degraded,
    /// Most calls fail or stall; cooling down.
    Down,
    /// On trial: a share of payments may go there, one at a time; to all others it is as before.
    Probing {
        /// What it is to all others.
        after: Ailment,
        /// How many of 1,000 payments may probe, chosen by [`in_share`].
        share_permille: u16,
        /// Whether a probe is on its way, so that no other may start.
        open: bool,
    },
}

impl Health {
    /// Without the trial.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::Up => Level::Up,
            Self::Degraded | Self::Probing { after: Ailment::Degraded, .. } => Level::Degraded,
            Self::Down | Self::Probing { after: Ailment::Down, .. } => Level::Down,
        }
    }

    /// What the channel is to this payment: a pure function, so that a stored health gives the same answer for ever.
    #[must_use]
    pub fn for_payment(self, channel: &ChannelName, payment: PaymentId) -> Status {
        match self {
            Self::Up => Status::Up,
            Self::Degraded => Status::Degraded,
            Self::Down => Status::Down,
            Self::Probing { share_permille, open: false, .. } if in_share(channel, payment, share_permille) => {
                Status::Probe
            }
            Self::Probing { after: Ailment::Degraded, .. } => Status::Degraded,
            Self::Probing { after: Ailment::Down, .. } => Status::Down,
        }
    }
}

/// What a channel is to one payment: kept in the decision's snapshot, which needs nothing else to give the same
/// decision again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// May be chosen.
    Up,
    /// May be chosen where none is up.
    Degraded,
    /// Not chosen.
    Down,
    /// Chosen as if it were up: this payment finds out whether it is.
    Probe,
}

impl Status {
    /// The name in answers, metrics and stored snapshots.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Probe => "probe",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Up, Self::Degraded, Self::Down, Self::Probe].into_iter().find(|status| status.as_str() == name)
    }
}

/// How a probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeEnd {
    /// The call was made.
    Answered(Noted),
    /// The call was not made after all, for a reason that says nothing about the channel.
    Abandoned,
}

/// What a channel's health rests on, for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// How it is.
    pub health: Health,
    /// How long its level has been what it is; since the start, where it never changed.
    pub level_for: Duration,
    /// What the window holds.
    pub window: Counts,
    /// Good outcomes in a row that count towards its recovery.
    pub good: u32,
    /// How many of them it takes; zero while up.
    pub good_needed: u32,
    /// How long a channel that is down still cools down; zero for any other.
    pub cooling: Duration,
}
