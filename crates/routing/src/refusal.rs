//! Why a channel of the deciding rule was passed over.

use crate::facts::direction_name;
use crate::snapshot::Status;
use std::fmt;
use switchyard_core::method::Direction;
use switchyard_core::{ChannelName, Mode};

/// Why a channel cannot serve a payment. Amounts are minor units of the payment's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It takes nothing new.
    Retired,
    /// It has no credentials for this mode.
    NoCredentials(Mode),
    /// The merchant may not use it.
    Merchant,
    /// It does not take this order type.
    OrderType,
    /// It does not offer the method.
    Method,
    /// It offers the method in the other direction only.
    Direction,
    /// Not in this currency.
    Currency,
    /// Not for this country.
    Country,
    /// The method cannot be held and captured later there.
    ManualCapture,
    /// The method cannot be authorized and captured in one call there.
    AutomaticCapture,
    /// Its smallest amount is this.
    AmountBelow(u64),
    /// Its largest amount is this.
    AmountAbove(u64),
    /// It carries only multiples of this.
    AmountStep(u64),
    /// The payment carries no token for it, and the method is not hosted there.
    NoToken,
}

impl Refusal {
    /// How far the payment came: of several services of a channel, the one that came nearest tells why.
    pub(crate) const fn progress(&self) -> u8 {
        match self {
            Self::Retired => 0,
            Self::NoCredentials(_) => 1,
            Self::Merchant => 2,
            Self::OrderType => 3,
            Self::Method => 4,
            Self::Direction => 5,
            Self::Currency => 6,
            Self::Country => 7,
            Self::ManualCapture | Self::AutomaticCapture => 8,
            Self::AmountBelow(_) | Self::AmountAbove(_) => 9,
            Self::AmountStep(_) => 10,
            Self::NoToken => 11,
        }
    }

    /// A name for metrics and JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Retired => "retired",
            Self::NoCredentials(_) => "no_credentials",
            Self::Merchant => "merchant",
            Self::OrderType => "order_type",
            Self::Method => "method",
            Self::Direction => "direction",
            Self::Currency => "currency",
            Self::Country => "country",
            Self::ManualCapture => "manual_capture",
            Self::AutomaticCapture => "automatic_capture",
            Self::AmountBelow(_) => "amount_below",
            Self::AmountAbove(_) => "amount_above",
            Self::AmountStep(_) => "amount_step",
            Self::NoToken => "no_token",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retired => f.write_str("is retired"),
            Self::NoCredentials(mode) => write!(f, "has no {} credentials", mode.as_str()),
            Self::Merchant => f.write_str("is not open to this merchant"),
            Self::OrderType => f.write_str("does not take this order type"),
            Self::Method => f.write_str("does not offer this method"),
            Self::Direction => {
                let (payin, payout) = (direction_name(Direction::Payin), direction_name(Direction::Payout));
                write!(f, "offers this method in the other direction only ({payin} or {payout})")
            }
            Self::Currency => f.write_str("does not take this currency"),
            Self::Country => f.write_str("does not serve this country"),
            Self::ManualCapture => f.write_str("cannot capture later by this method"),
            Self::AutomaticCapture => f.write_str("cannot capture at once by this method"),
            Self::AmountBelow(least) => write!(f, "takes no less than {least} minor units"),
            Self::AmountAbove(most) => write!(f, "takes no more than {most} minor units"),
            Self::AmountStep(step) => write!(f, "carries only multiples of {step} minor units"),
            Self::NoToken => f.write_str("has no token in this payment and no hosted page for this method"),
        }
    }
}

/// What became of a channel that the deciding rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It serves the payment.
    Chosen,
    /// It cannot serve this payment.
    Ineligible(Refusal),
    /// It could, but it is down or disabled, or this payment is not among those that probe it.
    Unavailable(Status),
    /// It could, but it is degraded and another is up.
    Degraded,
    /// It could, but one before it serves the payment.
    LaterInOrder,
    /// It could, but the split gives this payment to another.
    SplitElsewhere,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chosen => f.write_str("chosen"),
            Self::Ineligible(refusal) => refusal.fmt(f),
            Self::Unavailable(status) => write!(f, "is {status}"),
            Self::Degraded => f.write_str("is degraded, and another is up"),
            Self::LaterInOrder => f.write_str("comes later in the rule's order"),
            Self::SplitElsewhere => f.write_str("does not get this payment by the rule's split"),
        }
    }
}

/// A channel of the deciding rule, in the order the rule gives it (local ones first where it prefers those).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'r> {
    /// The channel.
    pub channel: &'r ChannelName,
    /// Chosen, or why it was passed over.
    pub verdict: Verdict,
}
