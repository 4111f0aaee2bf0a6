//! A provider's API, as the engine sees it.

use crate::capabilities::Capabilities;
use crate::country::Country;
use crate::failure::{Failure, FailureCode, Origin};
use crate::id::OperationId;
use crate::method::Method;
use crate::money::Money;
use crate::operation::OperationKind;
use crate::payment::CaptureMode;
use crate::settle::Report;
use crate::transport::{Bounds, HttpRequest, HttpResponse, Transport, TransportError};
use secrecy::SecretString;
use std::sync::Arc;

/// May the customer have been charged?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Certainly not by this call.
    NotProcessed,
    /// Nobody knows: in doubt until a look-up settles it.
    Unknown,
}

/// Why a call brought no conclusive answer. A decline is an answer, not an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The provider cannot do this; nothing was sent.
    #[error("the provider does not support {}", .0.as_str())]
    Unsupported(OperationKind),
    /// No byte was handed to a connected socket.
    #[error("never left: {0}")]
    NeverLeft(String),
    /// A conclusive 4xx in the provider's documented form.
    #[error("refused: {}", .0.code.name())]
    Refused(Box<Failure>),
    /// A 429 in the provider's documented form.
    #[error("rate limited")]
    RateLimited {
        /// Seconds to wait, where told.
        retry_after_seconds: Option<u32>,
    },
    /// The provider's state is not what we thought (already captured, already refunded, a conflict on our own key): only
    /// a look-up tells.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Sent, then silence.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Sent, and the answer is a 5xx, a proxy's page, or makes no sense.
    #[error("unreadable: {0}")]
    Unreadable(String),
}

impl ProviderError {
    /// May the customer have been charged? Only [`Fate::NotProcessed`] may end an operation as `failed`;
    /// [`Fate::Unknown`] keeps it in doubt until a look-up settles it.
    #[must_use]
    pub fn fate(&self, operation: OperationKind) -> Fate {
        match self {
            Self::NoAnswer(_) | Self::Unreadable(_) | Self::Conflict(_) => Fate::Unknown,
            Self::Unsupported(_) | Self::NeverLeft(_) | Self::Refused(_) | Self::RateLimited { .. } => {
                operation.fate_when_refused()
            }
        }
    }

    /// The failure it stands for, where its fate is [`Fate::NotProcessed`].
    #[must_use]
    pub fn failure(&self) -> Failure {
        let gateway = |message: String| Failure {
            origin: Origin::Gateway,
            ..Failure::told(FailureCode::Configuration, None, Some(message))
        };
        match self {
            Self::Refused(failure) => (**failure).clone(),
            Self::RateLimited { retry_after_seconds } => {
                Failure { retry_after_seconds: *retry_after_seconds, ..Failure::new(FailureCode::RateLimited) }
            }
            Self::NeverLeft(_) => Failure::new(FailureCode::ProviderUnreachable),
            Self::Unsupported(kind) => gateway(format!("the provider does not support {}", kind.as_str())),
            Self::Conflict(text) | Self::NoAnswer(text) | Self::Unreadable(text) => {
                Failure::told(FailureCode::ProcessingError, None, Some(text.clone()))
            }
        }
    }
}

impl From<TransportError> for ProviderError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::NeverLeft(text) => Self::NeverLeft(text),
            TransportError::NoAnswer(text) => Self::NoAnswer(text),
        }
    }
}

/// What one call needs besides what it asks for.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The way out.
    pub transport: &'a dyn Transport,
    /// The bounds of each request.
    pub bounds: Bounds,
}

impl Call<'_> {
    /// Sends once.
    ///
    /// # Errors
    /// [`ProviderError::NeverLeft`] or [`ProviderError::NoAnswer`].
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ProviderError> {
        Ok(self.transport.send(request, self.bounds).await?)
    }
}

/// A person or firm's postal address.
#[derive(Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says")]
pub struct Address {
    pub line1: Option<String>,
    pub line2: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<Country>,
}

/// Who pays. `Debug` of neither this nor [`Address`] exists: they are personal data.
#[derive(Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says")]
pub struct Customer {
    pub id: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    pub ip: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
}

/// What the payer's browser told, for 3-D Secure.
#[derive(Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "EMV 3-D Secure names them")]
pub struct Browser {
    pub user_agent: Option<String>,
    pub accept_header: Option<String>,
    pub language: Option<String>,
    pub color_depth: Option<u32>,
    pub screen_width: Option<u32>,
    pub screen_height: Option<u32>,
    /// Minutes, as `Date.getTimezoneOffset` has it.
    pub timezone_offset: Option<i32>,
    pub java_enabled: Option<bool>,
    pub javascript_enabled: Option<bool>,
    pub origin: Option<String>,
    pub referer: Option<String>,
}

/// Asks for an authorization, or for a sale where `capture` is automatic.
pub struct Authorize {
    /// Idempotency key and merchant reference at the provider.
    pub operation: OperationId,
    /// How much.
    pub amount: Money,
    /// Whether to take it at once.
    pub capture: CaptureMode,
    /// What it is paid with.
    pub method: Method,
    /// The provider's token for the payer's card or account; `None` where the provider hosts the page.
    pub token: Option<SecretString>,
    /// The payer's country.
    pub country: Country,
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
}

/// Names a charge at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeRef {
    /// The operation that made it: our reference there.
    pub operation: OperationId,
    /// The provider's id, where known.
    pub provider_reference: Option<String>,
}

/// Asks to capture.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Idempotency key and merchant reference at the provider.
    pub operation: OperationId,
    /// Of which charge.
    pub charge: ChargeRef,
    /// How much.
    pub amount: Money,
    /// Whether to let go of the rest.
    pub last: bool,
}

/// Asks to let go of an authorization, what is left of it, or a charge that still waits for its payer.
#[derive(Clone, Debug)]
pub struct Void {
    /// Idempotency key and merchant reference at the provider.
    pub operation: OperationId,
    /// Which charge.
    pub charge: ChargeRef,
    /// What should be let go.
    pub amount: Money,
}

/// Asks to give back.
#[derive(Clone, Debug)]
pub struct Refund {
    /// Idempotency key and merchant reference at the provider.
    pub operation: OperationId,
    /// Of which charge.
    pub charge: ChargeRef,
    /// How much.
    pub amount: Money,
    /// For people.
    pub reason: Option<String>,
}

/// What to look up.
#[derive(Clone, Debug)]
pub struct Reference {
    /// What was asked.
    pub kind: OperationKind,
    /// Our reference.
    pub operation: OperationId,
    /// The provider's id of what that operation made, where known.
    pub provider_reference: Option<String>,
    /// The charge it belongs to.
    pub charge: ChargeRef,
    /// What was asked for.
    pub amount: Money,
}

/// What a look-up brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The provider knows it.
    Known(Box<Report>),
    /// The provider says that it has no such thing, in its documented form, asked by our own reference in a source that
    /// the capability record calls complete.
    NotFound,
}

/// A provider's API, spoken with one channel's credentials. It opens no sockets, keeps no state and writes no logs.
#[async_trait::async_trait]
pub trait Provider: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Arc<Capabilities>;

    /// The base address it speaks to.
    fn base(&self) -> &str;

    /// Names the account without telling its credentials. It stays the same when these are replaced by others of the same
    /// account.
    fn account(&self) -> &str;

    /// What a page of the merchant's needs to speak with the provider by itself, such as the key that its script makes
    /// tokens with: names and values that every payer may see. Never a secret.
    fn publishable(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Holds the amount, or takes it at once.
    async fn authorize(&self, call: &Call<'_>, ask: &Authorize) -> Result<Report, ProviderError>;

    /// Asks what became of an operation. Its own failure is no news.
    async fn look_up(&self, call: &Call<'_>, reference: &Reference) -> Result<Found, ProviderError>;

    /// Takes what is held.
    async fn capture(&self, _: &Call<'_>, _: &Capture) -> Result<Report, ProviderError> {
        Err(ProviderError::Unsupported(OperationKind::Capture))
    }

    /// Lets go of what is held.
    async fn void(&self, _: &Call<'_>, _: &Void) -> Result<Report, ProviderError> {
        Err(ProviderError::Unsupported(OperationKind::Void))
    }

    /// Gives back what was taken.
    async fn refund(&self, _: &Call<'_>, _: &Refund) -> Result<Report, ProviderError> {
        Err(ProviderError::Unsupported(OperationKind::Refund))
    }
}
