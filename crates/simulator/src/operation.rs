//! Captures, voids and refunds.

use crate::account::Mode;
use crate::clock::Millis;
use crate::decline::Decline;
use crate::request::OperationRequest;
use crate::words::words;

words! {
    /// What is done to a charge.
    Kind {
        Capture = "capture",
        Void = "void",
        Refund = "refund",
    }
}

words! {
    OperationStatus {
        Pending = "pending",
        Succeeded = "succeeded",
        Failed = "failed",
    }
}

/// A capture, void or refund, as the ledger has it.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) number: i64,
    pub(crate) book: i64,
    pub(crate) mode: Mode,
    pub(crate) key: String,
    pub(crate) kind: Kind,
    /// The number of the charge it belongs to.
    pub(crate) charge: i64,
    pub(crate) currency: String,
    pub(crate) request: OperationRequest,
    pub(crate) status: OperationStatus,
    pub(crate) held: Held,
    /// Why it failed; while it is pending, why it is going to fail.
    pub(crate) failure: Option<&'static Decline>,
    pub(crate) created_at: Millis,
    /// While it is pending: when that ends.
    pub(crate) due_at: Option<Millis>,
}

/// What an operation sets aside on its charge until it is concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// What it captures, releases or refunds.
    pub(crate) amount: i64,
    /// What it releases of the authorization: for a void all of its amount, for a final capture the rest.
    pub(crate) released: i64,
}

impl Operation {
    pub(crate) fn reference(&self) -> &str {
        self.request.reference.as_deref().unwrap_or(&self.key)
    }
}
