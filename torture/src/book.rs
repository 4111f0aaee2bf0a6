//! The three books: what merchants asked and were told, what Switchyard wrote, what the provider booked.

use crate::wire::Answer;
use std::collections::HashMap;

/// What a merchant wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A new payment for an order.
    Pay {
        /// The merchant's reference. One purchase: a second charge for it is a double charge.
        order: String,
    },
    /// To take what is held on a payment.
    Capture {
        /// Whose.
        payment: String,
    },
    /// To let go of it.
    Void {
        /// Whose.
        payment: String,
    },
    /// To give back what was taken.
    Refund {
        /// Whose.
        payment: String,
    },
    /// To see a payment that was told of before.
    Read {
        /// Which.
        payment: String,
    },
}

impl Ask {
    /// The payment that it is about; `None` for a new one.
    #[must_use]
    pub fn payment(&self) -> Option<&str> {
        match self {
            Self::Pay { .. } => None,
            Self::Capture { payment } | Self::Void { payment } | Self::Refund { payment } | Self::Read { payment } => {
                Some(payment)
            }
        }
    }

    /// The kind of operation that follows on a charge; `None` for others.
    #[must_use]
    pub fn follow_up(&self) -> Option<&'static str> {
        match self {
            Self::Pay { .. } | Self::Read { .. } => None,
            Self::Capture { .. } => Some("capture"),
            Self::Void { .. } => Some("void"),
            Self::Refund { .. } => Some("refund"),
        }
    }
}

/// One request of a merchant, and what came back. The merchant's book holds them in the order in which they ended, and
/// only ever grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The idempotency key; empty for reads.
    pub key: String,
    /// What was asked.
    pub ask: Ask,
    /// The request's path, to ask it again.
    pub path: String,
    /// And its body.
    pub body: String,
    /// `None` where no whole answer came.
    pub answer: Option<Answer>,
}

/// A payment in Switchyard's ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payment {
    /// `pay_…`
    pub id: String,
    /// The merchant's reference.
    pub order: String,
    /// The idempotency key that made it, from its metadata.
    pub key: String,
    /// `captured` and so on.
    pub status: String,
    /// Whether any of its operations is.
    pub in_doubt: bool,
    /// Asked for.
    pub amount: i64,
    /// Held.
    pub authorized: i64,
    /// Taken.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
    /// Its operations, the one that made the charge first.
    pub operations: Vec<Operation>,
    /// How many events it says it has.
    pub events: u32,
    /// Where the provider contradicts.
    pub contradiction: Option<String>,
}

/// One call to a provider, in Switchyard's ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    /// 32 hexadecimal digits: the provider's key and reference.
    pub id: String,
    /// `authorize`, `sale`, `capture`, `void`, `refund`.
    pub kind: String,
    /// `intended`, `in_doubt`, `accepted`, `succeeded`, `failed`, `reversed`.
    pub state: String,
    /// Asked for.
    pub amount: i64,
    /// How many events it says it has.
    pub events: u32,
}

impl Operation {
    /// Whether it makes the charge.
    #[must_use]
    pub fn creates_the_charge(&self) -> bool {
        self.kind == "authorize" || self.kind == "sale"
    }
}

/// An event of Switchyard's feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its place in the feed.
    pub position: i64,
    /// `payment.captured` and so on.
    pub kind: String,
    /// The payment's id, or the operation's 32 digits.
    pub object: String,
    /// From 1, for each object.
    pub sequence: u32,
}

/// An event as merchants read it: with its object as it stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// `payment.captured` and so on.
    pub kind: String,
    /// The payment's id, or the operation's 32 digits.
    pub object: String,
    /// From 1, for each object.
    pub sequence: u64,
    /// The object's status then.
    pub status: String,
}

/// A line of the provider's ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booked {
    /// `charge`, `capture`, `void`, `refund`.
    pub object: String,
    /// The provider's id.
    pub id: String,
    /// The charge that a capture, void or refund belongs to.
    pub charge: Option<String>,
    /// Ours: the operation's 32 digits.
    pub reference: String,
    /// The provider's word.
    pub status: String,
    /// How many requests came for it.
    pub asked: u64,
    /// Asked for.
    pub amount: i64,
    /// Charges only.
    pub authorized: i64,
    /// Charges only.
    pub captured: i64,
    /// Charges only.
    pub refunded: i64,
}

/// What the provider was asked for and did not book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unbooked {
    /// Ours: the operation's 32 digits.
    pub key: String,
    /// Why not.
    pub reason: String,
    /// How many requests came for it.
    pub asked: u64,
}

/// What the API showed of a payment at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Its status.
    pub status: String,
    /// Taken.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
}

/// All there is to judge.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// What merchants asked and were told.
    pub told: Vec<Attempt>,
    /// What Switchyard wrote.
    pub payments: Vec<Payment>,
    /// And told in its feed.
    pub events: Vec<Event>,
    /// The same feed as its API showed it at the end.
    pub fed: Vec<Fed>,
    /// What its API showed at the end, by payment.
    pub shown: HashMap<String, Shown>,
    /// What the provider booked.
    pub booked: Vec<Booked>,
    /// And what it did not.
    pub unbooked: Vec<Unbooked>,
    /// References of which the provider, on purpose, told something that its own ledger denies.
    pub lied_about: std::collections::HashSet<String>,
}
