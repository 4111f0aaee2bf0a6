//! Which channels a payment carries a token for.

use crate::bits;

/// Channels of one rule set at most: a set of them fits in 64 bytes.
pub const CHANNELS_MAX: usize = 512;

const WORDS: usize = bits::words_for(CHANNELS_MAX);

/// A set of a rule set's channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChannelSet([u64; WORDS]);

impl ChannelSet {
    pub(crate) fn insert(&mut self, channel: usize) {
        bits::set(&mut self.0, channel);
    }

    pub(crate) fn has(&self, channel: usize) -> bool {
        bits::has(&self.0, channel)
    }
}

/// What a payment offers to pay with. Made by [`crate::RuleSet::offer`] from the keys of `payment_method.tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Offer {
    /// No token: only channels that host the method's page are eligible.
    #[default]
    Nothing,
    /// One token that says neither channel nor provider: channels that take such are eligible.
    Bare,
    /// Tokens for these channels.
    Channels(ChannelSet),
    /// Tokens are still to be made, or not asked for: every channel is eligible. For route reservations, lists of
    /// methods, and checks.
    Any,
}

impl Offer {
    pub(crate) fn has(&self, channel: usize, takes_bare: bool) -> bool {
        match self {
            Self::Nothing => false,
            Self::Bare => takes_bare,
            Self::Channels(set) => set.has(channel),
            Self::Any => true,
        }
    }

    /// For the store, beside the decision: one byte, for [`Offer::Channels`] followed by the set without the zero bytes at
    /// its end.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Nothing => vec![b'n'],
            Self::Bare => vec![b'b'],
            Self::Any => vec![b'a'],
            Self::Channels(set) => {
                let mut bytes = vec![b'c'];
                bytes.extend(set.0.iter().flat_map(|word| word.to_le_bytes()));
                while bytes.len() > 1 && bytes.last() == Some(&0) {
                    bytes.pop();
                }
                bytes
            }
        }
    }

    /// Reads [`Offer::to_bytes`] back; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'n'] => Some(Self::Nothing),
            [b'b'] => Some(Self::Bare),
            [b'a'] => Some(Self::Any),
            [b'c', set @ ..] if set.len() <= CHANNELS_MAX.div_ceil(8) => {
                let mut channels = ChannelSet::default();
                for (at, byte) in set.iter().enumerate() {
                    let first = at.saturating_mul(8);
                    (0..8_usize)
                        .filter(|bit| byte.checked_shr(u32::try_from(*bit).unwrap_or(0)).unwrap_or(0) & 1 == 1)
                        .for_each(|bit| channels.insert(first.saturating_add(bit)));
                }
                Some(Self::Channels(channels))
            }
            _ => None,
        }
    }
}

/// A key of `payment_method.tokens` that is neither a channel nor a provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is neither a channel nor a provider")]
pub struct UnknownTarget {
    /// The key.
    pub name: String,
    /// The known name that was perhaps meant.
    pub nearest: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_survive_their_bytes() {
        let mut set = ChannelSet::default();
        for channel in [0, 9, 64, 511] {
            set.insert(channel);
        }
        for offer in
            [Offer::Nothing, Offer::Bare, Offer::Any, Offer::Channels(set), Offer::Channels(ChannelSet::default())]
        {
            assert_eq!(Offer::from_bytes(&offer.to_bytes()), Some(offer));
        }
        for bad in [&b""[..], b"z", b"nn", &[b'c'; 99]] {
            assert_eq!(Offer::from_bytes(bad), None);
        }
    }
}
