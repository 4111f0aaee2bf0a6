//! One call to a provider: durable before its first byte leaves, concluded once.
//!
//! A capture, a void and a refund *are* their operation.

use crate::clock::Timestamp;
use crate::failure::{Failure, FailureCode};
use crate::id::{self, OperationId, PaymentId};
use crate::limits::SEND_WITHIN;
use crate::name::ChannelName;
use crate::payment::{Contradiction, News};
use crate::provider::Fate;
use crate::status::OperationState;
use std::sync::Arc;

/// What a provider is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationKind {
    /// Hold an amount.
    Authorize,
    /// Hold and take in one call; shown as a capture of its own.
    Sale,
    /// Take what is held, or a part.
    Capture,
    /// Let go of what is held.
    Void,
    /// Give back what was taken, or a part.
    Refund,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Authorize, Self::Sale, Self::Capture, Self::Void, Self::Refund];

    /// The name in answers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Sale => "sale",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// What its public id starts with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Authorize => OperationId::PREFIX,
            Self::Sale | Self::Capture => "cap",
            Self::Void => "vo",
            Self::Refund => "re",
        }
    }

    /// Whether there is nothing at the provider before it.
    #[must_use]
    pub const fn creates_the_charge(self) -> bool {
        match self {
            Self::Authorize | Self::Sale => true,
            Self::Capture | Self::Void | Self::Refund => false,
        }
    }

    /// What a conclusive refusal, or a call that never left, proves: that this one call did nothing.
    #[must_use]
    pub const fn fate_when_refused(self) -> Fate {
        match self {
            // Each is one call of its own; nothing of it exists unless the provider took it.
            Self::Authorize | Self::Sale | Self::Capture | Self::Void | Self::Refund => Fate::NotProcessed,
        }
    }

    /// The public id: `cap_…`, `vo_…`, `re_…`, `op_…`.
    #[must_use]
    pub fn public_id(self, operation: OperationId) -> String {
        format!("{}_{}", self.prefix(), operation.uuid().simple())
    }

    /// Reads a public id of this kind.
    #[must_use]
    pub fn parse_id(self, text: &str) -> Option<OperationId> {
        id::parse(self.prefix(), text).map(OperationId::from_uuid)
    }
}

/// Where an operation went: look-ups ask the same account at the same address, whatever the configuration says by then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The channel as configured.
    pub channel: ChannelName,
    /// The provider's base address.
    pub base: String,
    /// Names the account without telling its credentials.
    pub account: String,
}

/// One call to a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Also the provider's idempotency key and our reference there.
    pub id: OperationId,
    /// The payment it belongs to.
    pub payment: PaymentId,
    /// What is asked.
    pub kind: OperationKind,
    /// What is known of it.
    pub state: OperationState,
    /// What is asked for, in the payment's minor units.
    pub amount: i64,
    /// A capture that releases the rest.
    pub last: bool,
    /// The merchant's reason, for people.
    pub reason: Option<String>,
    /// Where it went. `None` where no channel was found, so that nothing was sent.
    pub target: Option<Arc<Target>>,
    /// The provider's id of the object it made.
    pub provider_reference: Option<String>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When the intent was made.
    pub created_at: Timestamp,
    /// When its state changed last.
    pub updated_at: Timestamp,
    /// Past it the first byte may not leave.
    pub send_by: Timestamp,
    /// When to ask the provider next; `None` where there is nothing left to learn.
    pub next_look_up_at: Option<Timestamp>,
    /// How often it was asked already.
    pub look_ups: u32,
    /// Events of this object so far.
    pub events: u32,
    /// Counts the writes; each write names the one it saw.
    pub version: u32,
}

impl Operation {
    /// An intent made at `now`, to be sent within [`SEND_WITHIN`]: nothing is known of it yet.
    #[must_use]
    pub fn intended(id: OperationId, payment: PaymentId, kind: OperationKind, amount: i64, now: Timestamp) -> Self {
        Self {
            id,
            payment,
            kind,
            state: OperationState::Intended,
            amount,
            last: false,
            reason: None,
            target: None,
            provider_reference: None,
            failure: None,
            created_at: now,
            updated_at: now,
            send_by: now.after(SEND_WITHIN),
            next_look_up_at: None,
            look_ups: 0,
            events: 0,
            version: 0,
        }
    }

    /// The only place where an operation's state changes. News may come twice, late and in any order.
    ///
    /// # Errors
    /// [`Contradiction`] where the news denies what is known already; nothing is overwritten.
    pub fn on(mut self, news: &News) -> Result<Self, Box<Contradiction>> {
        use News as N;
        use OperationState::{Accepted, Failed, InDoubt, Intended, Reversed, Succeeded};
        match (self.state, news) {
            (Intended | InDoubt, N::Unknown) => self.state = InDoubt,
            (Intended | InDoubt | Accepted, N::Accepted | N::RequiresAction(_) | N::AttemptRefused(_)) => {
                self.state = Accepted;
            }
            (Intended | InDoubt | Accepted, N::Approved(_)) => self.state = Succeeded,
            (Intended | InDoubt | Accepted, N::Refused(failure)) => {
                self.state = Failed;
                self.failure = Some(failure.clone());
            }
            // The provider closed the charge before it was authorized: this call moved nothing and never will.
            (Intended | InDoubt | Accepted, N::Released(_)) if self.kind.creates_the_charge() => {
                self.state = Failed;
                self.failure = Some(Failure::new(FailureCode::Expired));
            }
            (Succeeded, N::Reversed(_)) if self.kind != OperationKind::Authorize => self.state = Reversed,
            // Known already, or older than what is known.
            (Accepted, N::Unknown)
            | (Succeeded, N::Unknown | N::Accepted | N::RequiresAction(_) | N::AttemptRefused(_) | N::Approved(_))
            | (Failed, N::Unknown | N::Accepted | N::RequiresAction(_) | N::AttemptRefused(_) | N::Refused(_))
            | (Reversed, _) => {}
            // What it releases is the payment's affair, and there it may be wrong or right.
            (Succeeded | Failed, N::Released(_)) if self.kind.creates_the_charge() => {}
            (Succeeded | Failed, N::Released(_))
            | (Succeeded, N::Refused(_) | N::Reversed(_))
            | (Failed, N::Approved(_) | N::Reversed(_))
            | (Intended | InDoubt | Accepted, N::Reversed(_) | N::Released(_)) => {
                return Err(Contradiction::of(self.kind, self.state.as_str(), news));
            }
        }
        Ok(self)
    }

    /// Whether its fate is unknown.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.state == OperationState::InDoubt
    }

    /// The public id: `cap_…`, `vo_…`, `re_…`, `op_…`.
    #[must_use]
    pub fn public_id(&self) -> String {
        self.kind.public_id(self.id)
    }
}
