//! What becomes of a payment, at any status of the channels and for any id.

use crate::rule::Action;
use serde::Serialize;
use std::fmt;

/// The result of a rule for payments that the same channels can serve.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum Effect {
    /// No rule decides them.
    NoRule,
    /// Refused, in these words.
    Rejected {
        /// The rule's words.
        message: String,
    },
    /// The rule has channels, but none that can serve them.
    NoChannel,
    /// To the first of these that is up, else to the first that is degraded.
    Use {
        /// In this order.
        channels: Vec<String>,
    },
    /// To one of these by share.
    Split {
        /// By name; weights without a common divisor.
        shares: Vec<(String, u32)>,
    },
}

impl Effect {
    /// What an action does with payments that only these of its channels, with their weights, can serve.
    pub(crate) fn of(action: &Action, mut channels: Vec<(String, u32)>) -> Self {
        match action {
            Action::Reject(message) => Self::Rejected { message: message.clone() },
            Action::Use { .. } | Action::Split(_) if channels.is_empty() => Self::NoChannel,
            Action::Split(_) if channels.len() > 1 => {
                let common = channels.iter().fold(0, |common, (_, weight)| common_divisor(common, *weight)).max(1);
                channels.iter_mut().for_each(|(_, weight)| *weight = weight.checked_div(common).unwrap_or(1));
                channels.sort_unstable();
                Self::Split { shares: channels }
            }
            Action::Use { .. } | Action::Split(_) => {
                Self::Use { channels: channels.into_iter().map(|(name, _)| name).collect() }
            }
        }
    }
}

fn common_divisor(mut a: u32, mut b: u32) -> u32 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule => f.write_str("no rule"),
            Self::Rejected { message } => write!(f, "reject {message:?}"),
            Self::NoChannel => f.write_str("no channel can serve it"),
            Self::Use { channels } => write!(f, "use {}", channels.join(", ")),
            Self::Split { shares } => {
                let shares: Vec<String> = shares.iter().map(|(name, weight)| format!("{name} = {weight}")).collect();
                write!(f, "split {}", shares.join(", "))
            }
        }
    }
}
