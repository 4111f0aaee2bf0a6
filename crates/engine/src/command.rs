//! What callers ask of the engine, and what it says back.

use secrecy::SecretString;
use std::time::Duration;
use switchyard_core::payment::{CaptureMode, Payment, Refusal};
use switchyard_core::provider::{Address, Browser, Customer};
use switchyard_core::{
    ChannelName, Country, EndpointId, MerchantName, Method, Mode, Money, Operation, OrderType, PaymentId, RouteId,
};
use switchyard_store::{Answer, Claim, StoreError};

/// Who asks: the merchant and the books that the API key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Whose key it is.
    pub merchant: MerchantName,
    /// Test or live.
    pub mode: Mode,
}

/// The tokens of a payment's request.
#[derive(Clone, Default)]
pub struct Tokens {
    /// A bare token: for set-ups with one provider, or of `provider`.
    pub bare: Option<SecretString>,
    /// Whose token the bare one is.
    pub provider: Option<String>,
    /// By channel or provider; the channel wins. An object is kept as its JSON text.
    pub named: Vec<(String, SecretString)>,
}

/// Asks for a payment. Everything in it has been validated.
pub struct NewPayment {
    /// How much.
    pub amount: Money,
    /// The payer's country.
    pub country: Country,
    /// The operator's word for this kind of payment; the merchant may use it.
    pub order_type: OrderType,
    /// The merchant's reference.
    pub reference: String,
    /// What it is paid with.
    pub method: Method,
    /// The payer's card or account, as providers' tokens.
    pub tokens: Tokens,
    /// Whether to take the money at once.
    pub capture: CaptureMode,
    /// Where the payer goes afterwards.
    pub return_url: Option<String>,
    /// For the payer's statement.
    pub statement_descriptor: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Who pays.
    pub customer: Option<Box<Customer>>,
    /// Where the bill goes.
    pub billing_address: Option<Box<Address>>,
    /// Where the goods go.
    pub shipping_address: Option<Box<Address>>,
    /// What the payer's browser told.
    pub browser: Option<Box<Browser>>,
    /// The merchant's own notes.
    pub metadata: Vec<(String, String)>,
    /// Waives the guard on open references.
    pub allow_duplicate_reference: bool,
    /// The one webhook endpoint that its events go to.
    pub webhook_endpoint: Option<EndpointId>,
    /// The route to follow, where one was reserved.
    pub route: Option<RouteId>,
}

/// Asks to capture, void or refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowUp {
    /// Take what is held.
    Capture {
        /// In the payment's minor units; `None` for all that is left.
        amount: Option<i64>,
        /// Whether to let go of the rest.
        last: bool,
    },
    /// Let go.
    Void {
        /// For people.
        reason: Option<String>,
    },
    /// Give back.
    Refund {
        /// In the payment's minor units; `None` for all that is left.
        amount: Option<i64>,
        /// For people.
        reason: Option<String>,
    },
}

/// The answer to a request that moves money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// HTTP status and body.
    pub answer: Answer,
    /// Whether it was given before (`Idempotent-Replayed: true`).
    pub replayed: bool,
    /// The form of the request that it answers, which is the original one's.
    pub form: u8,
}

/// What a refresh brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Refreshed {
    /// The payment as it stands now.
    pub payment: Payment,
    /// `None` where the provider was asked and has answered; else why it could not be.
    pub not_refreshed: Option<String>,
}

/// Why a request was refused. Nothing was recorded, and the key is free, unless the variant says otherwise.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// No such payment among the caller's.
    #[error("there is no such payment")]
    NotFound,
    /// The same key, with another request.
    #[error("the idempotency key was used for another request")]
    KeyMismatch,
    /// The same request, whose original is still running.
    #[error("the original request is still running")]
    KeyInProgress {
        /// How long to wait before asking again.
        retry_after: Duration,
    },
    /// Another payment with the same reference is still open.
    #[error("{0} has the same reference and is still open")]
    ReferenceOpen(PaymentId),
    /// The payment's state or sums do not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The payment's channel cannot do it.
    #[error("channel {channel} {reason}")]
    Unsupported {
        /// The payment's channel.
        channel: ChannelName,
        /// What it cannot do.
        reason: String,
    },
    /// The route that the payment wants to follow leads there no more.
    #[error("the route cannot be followed: {reason}")]
    RouteStale {
        /// Why, for people.
        reason: String,
        /// Fields in which the payment is not what the route was made for.
        fields: Vec<&'static str>,
    },
    /// A field that the method needs, or that names nothing; path and reason.
    #[error("{} fields are not acceptable", .0.len())]
    Fields(Vec<(String, String)>),
    /// Too much is under way.
    #[error("the gateway has too much to do")]
    Overloaded,
    /// The process is stopping.
    #[error("the gateway is stopping")]
    Stopping,
    /// Something broke while the request was carried out. It may be recorded, and money may have moved: asking again with
    /// the same key tells.
    #[error("the outcome is unknown; ask again with the same key")]
    Unanswered,
    /// The ledger failed before the intent was durable.
    #[error(transparent)]
    Store(StoreError),
    /// The caller's merchant is not configured any more.
    #[error("the merchant is not configured any more")]
    NoMerchant,
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Overloaded => Self::Overloaded,
            StoreError::Unavailable(_) | StoreError::Corrupt(_) => Self::Store(error),
        }
    }
}

/// Turns objects into the answers that merchants read; the gateway has the only one.
pub trait Render: Send + Sync {
    /// The answer to the request that began `operation`: the payment for a charge, else the capture, void or refund with
    /// the payment inside. 201 where it is conclusive, declines and required actions included; 202 while it is processing
    /// or in doubt.
    fn answer(&self, payment: &Payment, operation: &Operation) -> Answer;
}

/// A key and what was asked under it.
pub type Key = Claim;
