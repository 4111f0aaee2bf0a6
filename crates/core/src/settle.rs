//! What one piece of news does to a payment and its operation together, and which events tell of it.

use crate::card::holds_card_number;
use crate::clock::Timestamp;
use crate::id::{OperationId, PaymentId};
use crate::limits::PROVIDER_TEXT_CHARS_MAX;
use crate::operation::{Operation, OperationKind};
use crate::payment::{CardFacts, Checks, Contradiction, News, Payment, Refusal, Release, Source};
use crate::status::{OperationState, PaymentStatus};

/// What a provider said of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it means.
    pub news: News,
    /// The provider's id of the object it made.
    pub provider_reference: Option<String>,
    /// What it told of the card.
    pub card: Option<CardFacts>,
    /// What checks of the payer's data brought.
    pub checks: Option<Checks>,
    /// Until when an authorization can be captured.
    pub capture_before: Option<Timestamp>,
    /// For a charge: that what was left of it was let go.
    pub released: Option<Release>,
}

impl Report {
    /// With texts of the provider cut to a bearable length, and none that holds a card number.
    #[must_use]
    pub fn screened(mut self) -> Self {
        // A reference is used to ask by: changed, it would name nothing, and what it names could never be settled. Ours still does.
        let sound = |reference: &String| screened(reference) == *reference;
        self.provider_reference = self.provider_reference.filter(sound);
        if let Some(card) = &mut self.card {
            screen(&mut card.brand);
            screen(&mut card.last4);
        }
        if let Some(checks) = &mut self.checks {
            screen(&mut checks.cvc);
            screen(&mut checks.avs_line);
            screen(&mut checks.avs_postal);
        }
        match &mut self.news {
            News::Refused(failure) | News::AttemptRefused(failure) => {
                screen(&mut failure.provider_code);
                screen(&mut failure.provider_message);
                screen(&mut failure.network_code);
                screen(&mut failure.advice_code);
            }
            News::Reversed(reason) => *reason = screened(reason),
            News::Unknown | News::Accepted | News::RequiresAction(_) | News::Approved(_) | News::Released(_) => {}
        }
        self
    }

    /// News and nothing else.
    #[must_use]
    pub const fn bare(news: News) -> Self {
        Self { news, provider_reference: None, card: None, checks: None, capture_before: None, released: None }
    }
}

fn screen(text: &mut Option<String>) {
    if let Some(text) = text {
        *text = screened(text);
    }
}

fn screened(text: &str) -> String {
    if holds_card_number(text) {
        return "(withheld: it holds a card number)".to_owned();
    }
    text.chars().take(PROVIDER_TEXT_CHARS_MAX).collect()
}

/// The types of events in a merchant's feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is named as merchants read it")]
pub enum EventKind {
    PaymentCreated,
    PaymentRequiresAction,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentVoided,
    PaymentExpired,
    PaymentFailed,
    PaymentReversed,
    PaymentInDoubt,
    PaymentDoubtResolved,
    PaymentContradiction,
    CaptureCreated,
    CaptureSucceeded,
    CaptureFailed,
    CaptureReversed,
    VoidCreated,
    VoidSucceeded,
    VoidFailed,
    RefundCreated,
    RefundSucceeded,
    RefundFailed,
    RefundReversed,
    EndpointDisabled,
}

impl EventKind {
    /// Every type, in the order of their numbers in a store: only ever append.
    pub const ALL: &'static [Self] = &[
        Self::PaymentCreated,
        Self::PaymentRequiresAction,
        Self::PaymentAuthorized,
        Self::PaymentCaptured,
        Self::PaymentVoided,
        Self::PaymentExpired,
        Self::PaymentFailed,
        Self::PaymentReversed,
        Self::PaymentInDoubt,
        Self::PaymentDoubtResolved,
        Self::PaymentContradiction,
        Self::CaptureCreated,
        Self::CaptureSucceeded,
        Self::CaptureFailed,
        Self::CaptureReversed,
        Self::VoidCreated,
        Self::VoidSucceeded,
        Self::VoidFailed,
        Self::RefundCreated,
        Self::RefundSucceeded,
        Self::RefundFailed,
        Self::RefundReversed,
        Self::EndpointDisabled,
    ];

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// The name in the feed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentCreated => "payment.created",
            Self::PaymentRequiresAction => "payment.requires_action",
            Self::PaymentAuthorized => "payment.authorized",
            Self::PaymentCaptured => "payment.captured",
            Self::PaymentVoided => "payment.voided",
            Self::PaymentExpired => "payment.expired",
            Self::PaymentFailed => "payment.failed",
            Self::PaymentReversed => "payment.reversed",
            Self::PaymentInDoubt => "payment.in_doubt",
            Self::PaymentDoubtResolved => "payment.doubt_resolved",
            Self::PaymentContradiction => "payment.contradiction",
            Self::CaptureCreated => "capture.created",
            Self::CaptureSucceeded => "capture.succeeded",
            Self::CaptureFailed => "capture.failed",
            Self::CaptureReversed => "capture.reversed",
            Self::VoidCreated => "void.created",
            Self::VoidSucceeded => "void.succeeded",
            Self::VoidFailed => "void.failed",
            Self::RefundCreated => "refund.created",
            Self::RefundSucceeded => "refund.succeeded",
            Self::RefundFailed => "refund.failed",
            Self::RefundReversed => "refund.reversed",
            Self::EndpointDisabled => "endpoint.disabled",
        }
    }
}

/// One event, written in the same transaction as the change it tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Its type.
    pub kind: EventKind,
    /// The payment it concerns.
    pub payment: PaymentId,
    /// The capture, void or refund it is about; `None` where it is about the payment.
    pub operation: Option<OperationId>,
    /// Counts the events of that object, from 1, without gaps.
    pub sequence: u32,
    /// When it happened.
    pub at: Timestamp,
}

/// A payment and one of its operations, moved together.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The payment after it.
    pub payment: Payment,
    /// The operation after it.
    pub operation: Operation,
    /// What to tell the merchant.
    pub events: Vec<Happened>,
    /// Whether anything changed at all: news that came before changes nothing and is not written.
    pub changed: bool,
}

/// Takes `operation` into `payment`: what its intent writes.
///
/// # Errors
/// [`Refusal`] where the payment's state or sums do not allow it.
pub fn begin(payment: Payment, operation: Operation, at: Timestamp) -> Result<Moved, Refusal> {
    let first = payment.operations.is_empty();
    let mut payment = payment.begin(&operation)?;
    payment.updated_at = at;
    let mut moved = Moved { payment, operation, events: Vec::new(), changed: true };
    match moved.operation.kind {
        OperationKind::Authorize | OperationKind::Sale => {
            debug_assert!(first, "a payment has one charge");
            moved.tell_of_payment(EventKind::PaymentCreated, at);
        }
        OperationKind::Capture => moved.tell_of_operation(EventKind::CaptureCreated, at),
        OperationKind::Void => moved.tell_of_operation(EventKind::VoidCreated, at),
        OperationKind::Refund => moved.tell_of_operation(EventKind::RefundCreated, at),
    }
    Ok(moved)
}

/// Applies what the provider said.
///
/// A contradiction is news of its own: the payment is marked, an event tells of it once, and no state or sum changes.
#[must_use]
pub fn settle(payment: Payment, operation: Operation, report: &Report, from: Source, at: Timestamp) -> Moved {
    match apply(&payment, &operation, report) {
        Ok((after, operation_after)) => {
            let conclusive = report.news.conclusive();
            tell(payment, operation, after, operation_after, conclusive, Seen { from, at })
        }
        Err(contradiction) => contradict(payment, operation, &contradiction, Seen { from, at }),
    }
}

/// How and when news came.
#[derive(Clone, Copy)]
struct Seen {
    from: Source,
    at: Timestamp,
}

fn apply(
    payment: &Payment,
    operation: &Operation,
    report: &Report,
) -> Result<(Payment, Operation), Box<Contradiction>> {
    let mut after = payment.clone().on(operation, &report.news)?;
    let mut operation_after = operation.clone().on(&report.news)?;
    // Where nothing was captured here, somebody else took it there: that is not for this to settle.
    if let Some(release) = report.released
        && operation.kind.creates_the_charge()
        && after.captured > 0
    {
        after = after.on(&operation_after, &News::Released(release))?;
    }
    if let Some(reference) = &report.provider_reference {
        operation_after.provider_reference.get_or_insert_with(|| reference.clone());
        if operation.kind.creates_the_charge() {
            after.provider_reference.get_or_insert_with(|| reference.clone());
        }
    }
    if operation.kind.creates_the_charge() {
        after.card = report.card.clone().or(after.card);
        after.checks = report.checks.clone().or(after.checks);
        after.capture_before = match after.status {
            PaymentStatus::Authorized => report.capture_before.or(after.capture_before),
            PaymentStatus::Processing
            | PaymentStatus::RequiresAction
            | PaymentStatus::Captured
            | PaymentStatus::Voided
            | PaymentStatus::Expired
            | PaymentStatus::Failed
            | PaymentStatus::Reversed => after.capture_before,
        };
    }
    Ok((after, operation_after))
}

fn tell(
    before: Payment,
    operation_before: Operation,
    mut payment: Payment,
    mut operation: Operation,
    conclusive: bool,
    Seen { from, at }: Seen,
) -> Moved {
    // Only clear word on the same operation settles a contradiction.
    if conclusive && contradicts(&payment, &operation) {
        payment.contradiction = None;
    }
    if payment == before && operation == operation_before {
        return Moved { payment, operation, events: Vec::new(), changed: false };
    }
    payment.observed = Some((at, from));
    payment.updated_at = at;
    if operation.state != operation_before.state {
        operation.updated_at = at;
    }
    let (status, in_doubt) = (payment.status, payment.in_doubt());
    let mut moved = Moved { payment, operation, events: Vec::new(), changed: true };
    if moved.operation.state != operation_before.state
        && let Some(kind) = operation_event(moved.operation.kind, moved.operation.state)
    {
        moved.tell_of_operation(kind, at);
    }
    if in_doubt && !before.in_doubt() {
        moved.tell_of_payment(EventKind::PaymentInDoubt, at);
    }
    if !in_doubt && before.in_doubt() {
        moved.tell_of_payment(EventKind::PaymentDoubtResolved, at);
    }
    if status != before.status
        && let Some(kind) = payment_event(status)
    {
        moved.tell_of_payment(kind, at);
    }
    moved
}

/// Whether the payment's contradiction is about this operation.
#[must_use]
pub fn contradicts(payment: &Payment, operation: &Operation) -> bool {
    payment.contradiction.as_ref().is_some_and(|text| text.starts_with(&operation.public_id()))
}

fn contradict(payment: Payment, operation: Operation, contradiction: &Contradiction, seen: Seen) -> Moved {
    let Seen { from, at } = seen;
    let text = format!("{}: {contradiction}", operation.public_id());
    let known = payment.contradiction.as_deref() == Some(text.as_str());
    // An answer that cannot be right is no answer: the call's fate is unknown until a look-up or a person says more.
    let doubted = match operation.state {
        OperationState::Intended => apply(&payment, &operation, &Report::bare(News::Unknown)).ok(),
        OperationState::InDoubt
        | OperationState::Accepted
        | OperationState::Succeeded
        | OperationState::Failed
        | OperationState::Reversed => None,
    };
    let mut moved = match doubted {
        Some((after, operation_after)) => tell(payment, operation, after, operation_after, false, Seen { from, at }),
        None => Moved { payment, operation, events: Vec::new(), changed: false },
    };
    if !known {
        moved.changed = true;
        moved.payment.contradiction = Some(text);
        moved.payment.updated_at = at;
        moved.tell_of_payment(EventKind::PaymentContradiction, at);
    }
    moved
}

impl Moved {
    fn tell_of_payment(&mut self, kind: EventKind, at: Timestamp) {
        self.payment.events = self.payment.events.saturating_add(1);
        let sequence = self.payment.events;
        self.events.push(Happened { kind, payment: self.payment.id, operation: None, sequence, at });
    }

    fn tell_of_operation(&mut self, kind: EventKind, at: Timestamp) {
        self.operation.events = self.operation.events.saturating_add(1);
        let sequence = self.operation.events;
        let operation = Some(self.operation.id);
        self.events.push(Happened { kind, payment: self.payment.id, operation, sequence, at });
    }
}

/// The charge's own news is told by the payment; a sale's capture has no events of its own.
fn operation_event(kind: OperationKind, state: OperationState) -> Option<EventKind> {
    use EventKind as E;
    use OperationKind as K;
    use OperationState as S;
    match (kind, state) {
        (K::Capture, S::Succeeded) => Some(E::CaptureSucceeded),
        (K::Capture, S::Failed) => Some(E::CaptureFailed),
        (K::Capture, S::Reversed) => Some(E::CaptureReversed),
        (K::Void, S::Succeeded) => Some(E::VoidSucceeded),
        (K::Void, S::Failed) => Some(E::VoidFailed),
        (K::Refund, S::Succeeded) => Some(E::RefundSucceeded),
        (K::Refund, S::Failed) => Some(E::RefundFailed),
        (K::Refund, S::Reversed) => Some(E::RefundReversed),
        (K::Authorize | K::Sale, _)
        | (K::Void, S::Reversed)
        | (K::Capture | K::Void | K::Refund, S::Intended | S::InDoubt | S::Accepted) => None,
    }
}

fn payment_event(status: PaymentStatus) -> Option<EventKind> {
    use EventKind as E;
    match status {
        PaymentStatus::Processing => None,
        PaymentStatus::RequiresAction => Some(E::PaymentRequiresAction),
        PaymentStatus::Authorized => Some(E::PaymentAuthorized),
        PaymentStatus::Captured => Some(E::PaymentCaptured),
        PaymentStatus::Voided => Some(E::PaymentVoided),
        PaymentStatus::Expired => Some(E::PaymentExpired),
        PaymentStatus::Failed => Some(E::PaymentFailed),
        PaymentStatus::Reversed => Some(E::PaymentReversed),
    }
}
