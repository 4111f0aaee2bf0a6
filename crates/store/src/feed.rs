//! What happened, in order: the merchants' feed of events.
//!
//! An event's position is given by the one writer, in the order of its commits, so a position that can be read has no
//! predecessor that may still be committed. Whoever has read up to a position has read all there is before it. An event's
//! row keeps how its object stood right after it; JSON is made when it is read.

use crate::StoreError;
use crate::webhooks::Endpoint;
use switchyard_core::settle::{EventKind, Happened};
use switchyard_core::{EndpointId, EventId, MerchantName, Mode, Operation, OperationId, Payment, PaymentId, Timestamp};
use uuid::Uuid;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A payment.
    Payment(PaymentId),
    /// A capture, void or refund of a payment.
    Operation(PaymentId, OperationId),
    /// A webhook endpoint.
    Endpoint(EndpointId),
}

impl Subject {
    /// The payment that it is, or belongs to.
    #[must_use]
    pub const fn payment(self) -> Option<PaymentId> {
        match self {
            Self::Payment(payment) | Self::Operation(payment, _) => Some(payment),
            Self::Endpoint(_) => None,
        }
    }

    /// The object itself.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Payment(payment) => payment.uuid(),
            Self::Operation(_, operation) => operation.uuid(),
            Self::Endpoint(endpoint) => endpoint.uuid(),
        }
    }
}

/// An event with its place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the feed, growing.
    pub position: i64,
    /// Whose it is.
    pub merchant: MerchantName,
    /// Test or live.
    pub mode: Mode,
    /// Its type.
    pub kind: EventKind,
    /// What it is about.
    pub subject: Subject,
    /// Counts the events of that object, from 1, without gaps.
    pub sequence: u32,
    /// When it happened.
    pub at: Timestamp,
}

impl Recorded {
    /// Its public id: of the time and the position, so that it needs neither a column nor an index.
    #[must_use]
    pub fn id(&self) -> EventId {
        event_id(self.position, self.at)
    }

    /// As it was written, where it is about a payment.
    #[must_use]
    pub const fn happened(&self) -> Option<Happened> {
        let (payment, operation) = match self.subject {
            Subject::Payment(payment) => (payment, None),
            Subject::Operation(payment, operation) => (payment, Some(operation)),
            Subject::Endpoint(_) => return None,
        };
        Some(Happened { kind: self.kind, payment, operation, sequence: self.sequence, at: self.at })
    }
}

/// The id of the event at `position`, of that time: a UUID version 7 whose random part is the position.
#[must_use]
pub fn event_id(position: i64, at: Timestamp) -> EventId {
    let millisecond = u128::try_from(at.0.clamp(0, 0xffff_ffff_ffff)).unwrap_or_default();
    let position = u128::try_from(position).unwrap_or_default() & ((1 << 62) - 1);
    EventId::from_uuid(Uuid::from_u128(millisecond << 80 | 7 << 76 | 2 << 62 | position))
}

/// The position that an id names. Whether an event of that id stands there is for the ledger to say.
#[must_use]
pub fn position_of(id: EventId) -> i64 {
    i64::try_from(id.uuid().as_u128() & ((1 << 62) - 1)).unwrap_or_default()
}

/// An event's object as it stood at some event.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// A payment.
    Payment(Box<Payment>),
    /// A capture, void or refund, with its payment.
    Operation(Box<(Operation, Payment)>),
    /// A webhook endpoint, without its secrets.
    Endpoint(Box<Endpoint>),
}

/// An event with all there is to tell of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What happened.
    pub recorded: Recorded,
    /// Its object right after it.
    pub object: Object,
    /// The same as the event before had left it; `None` where there is none.
    pub before: Option<Object>,
}

/// Which events to list. Every condition given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter {
    /// Whose.
    pub merchant: MerchantName,
    /// Of which books.
    pub mode: Mode,
    /// Of these types; empty for all.
    pub kinds: Vec<EventKind>,
    /// Of this payment and its captures, voids and refunds.
    pub payment: Option<PaymentId>,
    /// Of this very object.
    pub object: Option<Uuid>,
    /// Included.
    pub created_from: Option<Timestamp>,
    /// Excluded.
    pub created_to: Option<Timestamp>,
}

impl EventFilter {
    /// All events of a merchant's books.
    #[must_use]
    pub const fn of(merchant: MerchantName, mode: Mode) -> Self {
        Self { merchant, mode, kinds: Vec::new(), payment: None, object: None, created_from: None, created_to: None }
    }

    /// Whether the event is among them.
    #[must_use]
    pub fn holds(&self, event: &Recorded) -> bool {
        event.merchant == self.merchant
            && event.mode == self.mode
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && self.payment.is_none_or(|payment| event.subject.payment() == Some(payment))
            && self.object.is_none_or(|wanted| wanted == event.subject.uuid())
            && self.created_from.is_none_or(|from| event.at >= from)
            && self.created_to.is_none_or(|to| event.at < to)
    }
}

/// In which order to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they happened.
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

/// A page of the feed.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPage<T> {
    /// A page may hold fewer than asked, even none, while there is more: a scan is bounded.
    pub data: Vec<T>,
    /// How far the feed was looked through: pass it to go on. Oldest first it is always there, once there is anything, since
    /// more will come.
    pub next: Option<i64>,
    /// Whether there is more by now.
    pub more: bool,
}

/// The ledger, as far as it tells what happened.
#[async_trait::async_trait]
pub trait Feed: Send + Sync {
    /// The event at a position.
    async fn event(&self, position: i64) -> Result<Option<Event>, StoreError>;

    /// Events past `from`, which is excluded, in that order; without `from` from the feed's end that comes first.
    async fn list_events(
        &self,
        filter: EventFilter,
        order: Order,
        from: Option<i64>,
        limit: u32,
    ) -> Result<EventPage<Event>, StoreError>;

    /// Where the feed ends now; 0 where it is empty.
    async fn feed_end(&self) -> Result<i64, StoreError>;
}
