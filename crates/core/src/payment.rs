//! A payment: its sums, and the one function that moves it.

use crate::clock::Timestamp;
use crate::country::Country;
use crate::failure::Failure;
use crate::id::{EndpointId, OperationId, PaymentId, RouteId};
use crate::limits::OPERATIONS_PER_PAYMENT_MAX;
use crate::method::Method;
use crate::money::Money;
use crate::name::{ChannelName, MerchantName, Mode, OrderType};
use crate::operation::{Operation, OperationKind};
use crate::status::PaymentStatus;
use std::sync::Arc;

/// Whether authorizing takes the money at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CaptureMode {
    /// Authorized and captured in one call.
    Automatic,
    /// Held until captured.
    Manual,
}

impl CaptureMode {
    /// The name in requests and rules.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Automatic, Self::Manual].into_iter().find(|mode| mode.as_str() == name)
    }
}

/// What the payer has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextAction {
    /// Go to a page.
    Redirect {
        /// Where to.
        url: String,
        /// Until when it works, where the provider tells.
        expires_at: Option<Timestamp>,
    },
}

/// How a charge ended without money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Let go on somebody's order.
    Voided,
    /// Let go for its age.
    Expired,
}

/// What a provider's answer, look-up or notice says of one operation, in our words. All three take the same road.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// There was no conclusive answer: money may have moved.
    Unknown,
    /// The provider has it; the outcome follows.
    Accepted,
    /// The payer has to act first.
    RequiresAction(NextAction),
    /// One attempt of the payer was refused and another one is open to them.
    AttemptRefused(Failure),
    /// Done, for this amount.
    Approved(Money),
    /// Not done, and never will be.
    Refused(Failure),
    /// The charge was closed, or what was left of the authorization let go.
    Released(Release),
    /// Done before, and taken back by the provider since.
    Reversed(String),
}

impl News {
    /// One word for logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::RequiresAction(_) => "requires_action",
            Self::AttemptRefused(_) => "attempt_refused",
            Self::Approved(_) => "approved",
            Self::Refused(_) => "refused",
            Self::Released(_) => "released",
            Self::Reversed(_) => "reversed",
        }
    }
}

impl News {
    /// Whether it says for certain what became of the operation.
    #[must_use]
    pub const fn conclusive(&self) -> bool {
        match self {
            Self::Approved(_) | Self::Refused(_) | Self::Released(_) | Self::Reversed(_) => true,
            Self::Unknown | Self::Accepted | Self::RequiresAction(_) | Self::AttemptRefused(_) => false,
        }
    }
}

/// We and the provider disagree on whether money moved, or on how much. Nothing is overwritten: a look-up or a person
/// settles it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {} is {known} here, but the provider says: {said}", kind.as_str())]
pub struct Contradiction {
    /// Which operation.
    pub kind: OperationKind,
    /// What we know.
    pub known: String,
    /// What they say.
    pub said: String,
}

impl Contradiction {
    pub(crate) fn of(kind: OperationKind, known: &str, news: &News) -> Box<Self> {
        let said = match news {
            News::Approved(money) => format!("approved for {money:?}"),
            News::Refused(failure) => format!("refused, {}", failure.code.name()),
            News::Unknown
            | News::Accepted
            | News::RequiresAction(_)
            | News::AttemptRefused(_)
            | News::Released(_)
            | News::Reversed(_) => news.name().to_owned(),
        };
        Box::new(Self { kind, known: known.to_owned(), said })
    }
}

/// Why an operation may not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The payment's state does not allow it.
    #[error("the payment is {}", .0.as_str())]
    WrongState(PaymentStatus),
    /// More than is left.
    #[error("{available} are left")]
    AmountTooLarge {
        /// What is left, in minor units, operations under way counted in.
        available: i64,
    },
    /// Another operation has to end first.
    #[error("{} is still under way", kind.public_id(*operation))]
    OperationInProgress {
        /// Its kind.
        kind: OperationKind,
        /// Which one.
        operation: OperationId,
    },
    /// Past [`OPERATIONS_PER_PAYMENT_MAX`].
    #[error("the payment has {OPERATIONS_PER_PAYMENT_MAX} operations already")]
    TooManyOperations,
}

/// An operation whose outcome is still to come. Its amount counts as spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Which one.
    pub operation: OperationId,
    /// Its kind.
    pub kind: OperationKind,
    /// What is asked for, in minor units.
    pub amount: i64,
    /// Whether its fate is unknown.
    pub in_doubt: bool,
    /// A capture that releases the rest.
    pub last: bool,
}

/// What is known of the card, from the provider; never its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardFacts {
    /// The scheme, in lower case (`visa`).
    pub brand: Option<String>,
    /// The last four digits.
    pub last4: Option<String>,
}

/// What checks of the payer's data brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// Security code: `match`, `mismatch`, `unavailable`.
    pub cvc: Option<String>,
    /// Street of the billing address.
    pub avs_line: Option<String>,
    /// Postal code of the billing address.
    pub avs_postal: Option<String>,
}

/// How the latest news reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The answer to the call itself.
    Answer,
    /// A look-up.
    LookUp,
    /// A notice of the provider.
    Notice,
    /// Switchyard itself: no provider was asked, or the request provably never left.
    Gateway,
}

impl Source {
    /// The name in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::LookUp => "look_up",
            Self::Notice => "notice",
            Self::Gateway => "gateway",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Answer, Self::LookUp, Self::Notice, Self::Gateway].into_iter().find(|source| source.as_str() == name)
    }
}

/// The routing decision as it is kept: enough to make it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The rule that matched.
    pub rule: Arc<str>,
    /// The rule set's content hash, `sha256:…`.
    pub rules_version: Arc<str>,
    /// The channel chosen; `None` where none could serve, or the rule rejects.
    pub channel: Option<ChannelName>,
    /// Why that one, in a few words.
    pub reason: Arc<str>,
    /// The channels' status at that moment, in the routing crate's compact form.
    pub snapshot: Arc<[u8]>,
    /// Which channels the payment carried a token for, in the routing crate's compact form.
    pub offer: Arc<[u8]>,
    /// The route that it was made for, where that came before the payment.
    pub route: Option<RouteId>,
}

impl Decided {
    /// The id that shares hang on, of a split as of a trial: the route's, where the decision came before the payment, else
    /// the payment's own. Whoever makes the decision again needs it.
    #[must_use]
    pub fn drawn_by(&self, payment: PaymentId) -> PaymentId {
        self.route.map_or(payment, RouteId::draws_as)
    }
}

/// A payment. Amounts are in minor units of `amount`'s currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// Whose it is.
    pub merchant: MerchantName,
    /// Test or live books.
    pub mode: Mode,
    /// The phase.
    pub status: PaymentStatus,
    /// What was asked for.
    pub amount: Money,
    /// Sum that is or was held.
    pub authorized: i64,
    /// Sum of succeeded captures.
    pub captured: i64,
    /// Sum of what a void, an expiry or a final capture let go.
    pub released: i64,
    /// Sum of succeeded refunds.
    pub refunded: i64,
    /// Operations whose outcome is still to come.
    pub pending: Vec<Pending>,
    /// All its operations, oldest first.
    pub operations: Vec<OperationId>,
    /// The payer's country.
    pub country: Country,
    /// The operator's word for this kind of payment.
    pub order_type: OrderType,
    /// The merchant's reference.
    pub reference: String,
    /// What it is paid with.
    pub method: Method,
    /// Whether authorizing takes the money at once.
    pub capture: CaptureMode,
    /// What the provider told of the card.
    pub card: Option<CardFacts>,
    /// What checks of the payer's data brought.
    pub checks: Option<Checks>,
    /// Until when an authorization can be captured, where the provider tells.
    pub capture_before: Option<Timestamp>,
    /// What the payer has to do, while the status says so.
    pub next_action: Option<NextAction>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Why the payer's latest attempt was refused, where another one is open.
    pub last_failure: Option<Failure>,
    /// The routing decision.
    pub decided: Decided,
    /// The provider's name.
    pub provider: Option<Arc<str>>,
    /// The provider's id of the charge.
    pub provider_reference: Option<String>,
    /// When and how the latest news reached us.
    pub observed: Option<(Timestamp, Source)>,
    /// Set while we and the provider disagree.
    pub contradiction: Option<String>,
    /// For the payer's statement.
    pub statement_descriptor: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// The merchant's id of the customer.
    pub customer: Option<String>,
    /// The merchant's own notes.
    pub metadata: Vec<(String, String)>,
    /// Whether the merchant waived the guard on open references.
    pub allow_duplicate_reference: bool,
    /// The one webhook endpoint that its events go to.
    pub webhook_endpoint: Option<EndpointId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// Events of this payment so far.
    pub events: u32,
    /// Counts the writes; each write names the one it saw.
    pub version: u32,
}

impl Payment {
    /// What a capture may ask for now; captures under way count as taken.
    #[must_use]
    pub fn capturable(&self) -> i64 {
        match self.status {
            PaymentStatus::Authorized => self.held().saturating_sub(self.pending_sum(OperationKind::Capture)).max(0),
            PaymentStatus::Processing
            | PaymentStatus::RequiresAction
            | PaymentStatus::Captured
            | PaymentStatus::Voided
            | PaymentStatus::Expired
            | PaymentStatus::Failed
            | PaymentStatus::Reversed => 0,
        }
    }

    /// What a refund may ask for now; refunds under way count as given back.
    #[must_use]
    pub fn refundable(&self) -> i64 {
        self.captured.saturating_sub(self.refunded).saturating_sub(self.pending_sum(OperationKind::Refund)).max(0)
    }

    /// Whether any of its operations has an unknown fate.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.pending.iter().any(|pending| pending.in_doubt)
    }

    /// Held and neither captured nor let go.
    fn held(&self) -> i64 {
        self.authorized.saturating_sub(self.captured).saturating_sub(self.released)
    }

    fn pending_sum(&self, kind: OperationKind) -> i64 {
        self.pending.iter().filter(|pending| pending.kind == kind).map(|pending| pending.amount).sum()
    }

    fn first_pending(&self, of: impl Fn(&Pending) -> bool) -> Result<(), Refusal> {
        match self.pending.iter().find(|pending| of(pending)) {
            Some(&Pending { kind, operation, .. }) => Err(Refusal::OperationInProgress { kind, operation }),
            None => Ok(()),
        }
    }

    /// Takes an operation in: from here on its amount counts, until its outcome is known.
    ///
    /// # Errors
    /// [`Refusal`] where the state or the sums do not allow it.
    pub fn begin(mut self, operation: &Operation) -> Result<Self, Refusal> {
        use OperationKind as Kind;
        if self.operations.len() >= OPERATIONS_PER_PAYMENT_MAX {
            return Err(Refusal::TooManyOperations);
        }
        match operation.kind {
            Kind::Authorize | Kind::Sale if self.status != PaymentStatus::Processing || !self.operations.is_empty() => {
                return Err(Refusal::WrongState(self.status));
            }
            Kind::Authorize | Kind::Sale => {}
            Kind::Capture => {
                if self.status != PaymentStatus::Authorized {
                    return Err(Refusal::WrongState(self.status));
                }
                // What a final capture leaves over is let go with it, so it stands alone.
                self.first_pending(|pending| match pending.kind {
                    Kind::Void => true,
                    Kind::Capture => pending.last || operation.last,
                    Kind::Authorize | Kind::Sale | Kind::Refund => false,
                })?;
                if operation.amount > self.capturable() {
                    return Err(Refusal::AmountTooLarge { available: self.capturable() });
                }
            }
            Kind::Void => {
                if !matches!(self.status, PaymentStatus::Authorized | PaymentStatus::RequiresAction) {
                    return Err(Refusal::WrongState(self.status));
                }
                self.first_pending(|pending| matches!(pending.kind, Kind::Capture | Kind::Void))?;
            }
            Kind::Refund => {
                if self.captured == 0 {
                    return Err(Refusal::WrongState(self.status));
                }
                if operation.amount > self.refundable() {
                    return Err(Refusal::AmountTooLarge { available: self.refundable() });
                }
            }
        }
        self.operations.push(operation.id);
        self.pending.push(Pending {
            operation: operation.id,
            kind: operation.kind,
            amount: operation.amount,
            in_doubt: false,
            last: operation.last,
        });
        Ok(self)
    }

    /// The only place where a payment's state changes. `operation` is the one the news is about, as it was before.
    /// News may come twice, late and in any order.
    ///
    /// # Errors
    /// [`Contradiction`] where the news denies what is known already; nothing is overwritten.
    pub fn on(mut self, operation: &Operation, news: &News) -> Result<Self, Box<Contradiction>> {
        let before = self.status;
        self = match operation.kind {
            OperationKind::Authorize | OperationKind::Sale => self.on_charge(operation, news)?,
            OperationKind::Capture => self.on_capture(operation, news)?,
            OperationKind::Void => self.on_void(operation, news)?,
            OperationKind::Refund => self.on_refund(operation, news)?,
        };
        self.note_pending(operation, news);
        if self.status != before {
            match self.status {
                PaymentStatus::RequiresAction => {}
                PaymentStatus::Processing
                | PaymentStatus::Authorized
                | PaymentStatus::Captured
                | PaymentStatus::Voided
                | PaymentStatus::Expired
                | PaymentStatus::Failed
                | PaymentStatus::Reversed => self.next_action = None,
            }
        }
        Ok(self)
    }

    fn on_charge(mut self, operation: &Operation, news: &News) -> Result<Self, Box<Contradiction>> {
        use News as N;
        use PaymentStatus::{Authorized, Captured, Expired, Failed, Processing, RequiresAction, Reversed, Voided};
        let denied = |payment: &Self| Contradiction::of(operation.kind, payment.status.as_str(), news);
        let sale = operation.kind == OperationKind::Sale;
        match (self.status, news) {
            (Processing | RequiresAction, N::Unknown | N::Accepted) => {}
            (Processing | RequiresAction, N::RequiresAction(action)) => {
                self.status = RequiresAction;
                self.next_action = Some(action.clone());
            }
            // With a way left to pay, a refusal is news for `last_failure`, not an end.
            (Processing | RequiresAction, N::AttemptRefused(failure)) => self.last_failure = Some(failure.clone()),
            (Processing | RequiresAction, N::Approved(money)) => {
                let right = if sale { *money == self.amount } else { less_or_equal(*money, self.amount) };
                if !right {
                    return Err(denied(&self));
                }
                self.authorized = money.minor();
                if sale {
                    self.captured = money.minor();
                    self.status = Captured;
                } else {
                    self.status = Authorized;
                }
            }
            (Processing | RequiresAction, N::Refused(failure)) => {
                self.status = Failed;
                self.failure = Some(failure.clone());
            }
            (Processing | RequiresAction, N::Released(Release::Voided)) => self.status = Voided,
            (Processing | RequiresAction, N::Released(Release::Expired)) => self.status = Expired,
            (Authorized, N::Released(release)) => {
                // What is under way may still take some of it; its own outcome comes first.
                if self.pending.iter().all(|pending| pending.kind == OperationKind::Refund) {
                    self = self.let_go(*release);
                }
            }
            (Authorized | Captured, N::Approved(money)) if money.minor() == self.authorized => {}
            (Captured, N::Reversed(_)) if sale => {
                self.captured = self.captured.saturating_sub(operation.amount);
                self.status = Reversed;
            }
            // A rest was let go, which closed the payment before.
            (Captured, N::Released(_)) if !sale => {}
            // Known already, or older than what is known.
            (Authorized | Captured, N::Unknown | N::Accepted | N::RequiresAction(_) | N::AttemptRefused(_))
            | (
                Voided | Expired | Failed | Reversed,
                N::Unknown | N::Accepted | N::RequiresAction(_) | N::AttemptRefused(_) | N::Refused(_) | N::Released(_),
            )
            | (Reversed, N::Approved(_) | N::Reversed(_)) => {}
            (Voided | Expired, N::Approved(money)) if money.minor() == self.authorized => {}
            // Whether money is held or taken is at stake: a person looks, nothing is overwritten.
            (Authorized | Captured, N::Approved(_) | N::Refused(_) | N::Reversed(_))
            | (Captured, N::Released(_))
            | (Voided | Expired | Failed, N::Approved(_) | N::Reversed(_))
            | (Processing | RequiresAction, N::Reversed(_)) => return Err(denied(&self)),
        }
        Ok(self)
    }

    fn on_capture(mut self, operation: &Operation, news: &News) -> Result<Self, Box<Contradiction>> {
        match operation.applies(news) {
            Applies::Done(money) => {
                self.check_amount(operation, money, news)?;
                // A hold that was let go cannot be taken.
                if self.status != PaymentStatus::Authorized || operation.amount > self.held() {
                    return Err(Contradiction::of(operation.kind, self.status.as_str(), news));
                }
                self.captured = self.captured.saturating_add(operation.amount);
                if operation.last {
                    self.released = self.released.saturating_add(self.held());
                }
                if self.held() == 0 {
                    self.status = PaymentStatus::Captured;
                }
            }
            Applies::Undone => {
                self.captured = self.captured.saturating_sub(operation.amount);
                if self.captured == 0 && self.status == PaymentStatus::Captured {
                    self.status = PaymentStatus::Reversed;
                }
            }
            Applies::Not => {}
        }
        Ok(self)
    }

    fn on_void(mut self, operation: &Operation, news: &News) -> Result<Self, Box<Contradiction>> {
        use PaymentStatus as S;
        match operation.applies(news) {
            Applies::Done(_) => match self.status {
                S::Authorized => self = self.let_go(Release::Voided),
                S::Processing | S::RequiresAction => self.status = S::Voided,
                S::Voided | S::Expired | S::Failed => {}
                S::Captured | S::Reversed => {
                    return Err(Contradiction::of(operation.kind, self.status.as_str(), news));
                }
            },
            // No provider takes a void back; if one does, it is for a person.
            Applies::Undone => return Err(Contradiction::of(operation.kind, self.status.as_str(), news)),
            Applies::Not => {}
        }
        Ok(self)
    }

    fn on_refund(mut self, operation: &Operation, news: &News) -> Result<Self, Box<Contradiction>> {
        match operation.applies(news) {
            Applies::Done(money) => {
                self.check_amount(operation, money, news)?;
                self.refunded = self.refunded.saturating_add(operation.amount);
            }
            Applies::Undone => self.refunded = self.refunded.saturating_sub(operation.amount),
            Applies::Not => {}
        }
        Ok(self)
    }

    fn check_amount(&self, operation: &Operation, money: Money, news: &News) -> Result<(), Box<Contradiction>> {
        if Money::new(operation.amount, self.amount.currency()) == Some(money) {
            return Ok(());
        }
        Err(Contradiction::of(operation.kind, &format!("{} {}", operation.amount, self.amount.currency()), news))
    }

    /// Lets go of what is held and not captured.
    fn let_go(mut self, release: Release) -> Self {
        self.released = self.released.saturating_add(self.held());
        self.status = match (self.captured, release) {
            (1.., _) => PaymentStatus::Captured,
            (_, Release::Voided) => PaymentStatus::Voided,
            (_, Release::Expired) => PaymentStatus::Expired,
        };
        self
    }

    fn note_pending(&mut self, operation: &Operation, news: &News) {
        let ends = match news {
            News::Unknown | News::Accepted | News::RequiresAction(_) | News::AttemptRefused(_) => false,
            News::Approved(_) | News::Refused(_) | News::Released(_) | News::Reversed(_) => true,
        };
        if ends {
            self.pending.retain(|pending| pending.operation != operation.id);
        } else if let Some(pending) = self.pending.iter_mut().find(|pending| pending.operation == operation.id) {
            pending.in_doubt = match news {
                // What the provider has told once it does not untell by silence.
                News::Unknown => operation.state != crate::status::OperationState::Accepted,
                News::Accepted
                | News::RequiresAction(_)
                | News::AttemptRefused(_)
                | News::Approved(_)
                | News::Refused(_)
                | News::Released(_)
                | News::Reversed(_) => false,
            };
        }
    }
}

fn less_or_equal(part: Money, whole: Money) -> bool {
    part.minor() > 0 && whole.minus(part).is_some()
}

/// What news of a capture, void or refund means for the sums.
enum Applies {
    /// It counts from now on.
    Done(Money),
    /// It counted, and does no more.
    Undone,
    /// Nothing changes.
    Not,
}

impl Operation {
    fn applies(&self, news: &News) -> Applies {
        use crate::status::OperationState as State;
        match (self.state, news) {
            (State::Intended | State::InDoubt | State::Accepted, News::Approved(money)) => Applies::Done(*money),
            (State::Succeeded, News::Reversed(_)) => Applies::Undone,
            (
                State::Intended | State::InDoubt | State::Accepted | State::Succeeded | State::Failed | State::Reversed,
                News::Unknown
                | News::Accepted
                | News::RequiresAction(_)
                | News::AttemptRefused(_)
                | News::Approved(_)
                | News::Refused(_)
                | News::Released(_)
                | News::Reversed(_),
            ) => Applies::Not,
        }
    }
}
