//! Where merchants want events to be sent, and what became of sending them.
//!
//! An endpoint has one cursor: every event up to it was delivered there, does not concern it, or has a row of its own, because
//! it failed, waits for an earlier one, or was asked for again. So an event that arrives at once costs no row.

use crate::StoreError;
use crate::feed::EventPage;
use switchyard_core::{EndpointId, EventId, MerchantName, Mode, Timestamp};
use uuid::Uuid;

/// A merchant's address for events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Whose it is.
    pub merchant: MerchantName,
    /// Of which books the events are.
    pub mode: Mode,
    /// Where to send.
    pub url: String,
    /// For people.
    pub description: Option<String>,
    /// Which events: names or patterns, as the merchant wrote them.
    pub events: Vec<String>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Why nothing is, where that was not the merchant's own wish.
    pub disabled_reason: Option<String>,
    /// The secret that signs, sealed.
    pub secret: Vec<u8>,
    /// The secret before it, sealed, and until when it signs as well.
    pub former_secret: Option<(Vec<u8>, Timestamp)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Events about it so far.
    pub told: u32,
    /// Counts the changes; each change names the one it saw. A new endpoint is seen at version 0.
    pub version: u32,
    /// Up to where in the feed nothing is left to do, but for what has a row. Set by deliveries, and by the ledger for a new
    /// endpoint: it gets what happens from then on.
    pub cursor: i64,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryStatus {
    /// It will be tried.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It was tried as often as it may be.
    Dead,
}

impl DeliveryStatus {
    /// Every status, in the order of their numbers in a store: only ever append.
    pub const ALL: &'static [Self] = &[Self::Pending, Self::Delivered, Self::Dead];

    /// The name in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.as_str() == name)
    }
}

/// One try to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// An event on its way to an endpoint that did not take it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where to.
    pub endpoint: EndpointId,
    /// Which event, by its place in the feed.
    pub position: i64,
    /// The same by its id.
    pub event: EventId,
    /// What orders it: the payment, or whatever else the event is about.
    pub object: Uuid,
    /// How it stands.
    pub status: DeliveryStatus,
    /// Asked for again: it neither waits for other events nor lets them wait.
    pub again: bool,
    /// When it was due first, or was asked for again.
    pub since: Timestamp,
    /// When to try next; `None` never.
    pub next_at: Option<Timestamp>,
    /// Failed tries since then.
    pub tries: u32,
    /// The latest tries, oldest first.
    pub attempts: Vec<Attempt>,
}

/// A change of endpoints or deliveries.
#[derive(Clone, Debug)]
pub enum WebhookWrite {
    /// A new endpoint, from the feed's present end on.
    Create(Endpoint),
    /// The endpoint as it shall be, carrying the version that was seen; the cursor stays.
    Change(Endpoint),
    /// The same, switched off by us, and an event that tells of it.
    Disable(Endpoint, Timestamp),
    /// Removes it.
    Delete(EndpointId),
    /// What became of deliveries. A row that is delivered or dead lets those go that waited for it. Stale where the endpoint
    /// is gone.
    Deliver {
        /// To which endpoint.
        endpoint: EndpointId,
        /// How far the cursor may move; it never moves back.
        cursor: Option<i64>,
        /// Rows to write, each as a whole.
        rows: Vec<Delivery>,
    },
    /// Removes rows that ended, due first before that moment, and rows of endpoints that are gone; a few at a time.
    Purge(Timestamp),
}

/// The ledger, as far as webhooks go.
#[async_trait::async_trait]
pub trait Webhooks: Send + Sync {
    /// Writes a change.
    async fn write_webhooks(&self, write: WebhookWrite) -> Result<crate::Written, StoreError>;

    /// Every endpoint, in the order of their ids.
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError>;

    /// One endpoint.
    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError>;

    /// One row.
    async fn delivery(&self, endpoint: EndpointId, position: i64) -> Result<Option<Delivery>, StoreError>;

    /// Rows of an endpoint, newest event first, `before` excluded.
    async fn deliveries(
        &self,
        endpoint: EndpointId,
        status: Option<DeliveryStatus>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<EventPage<Delivery>, StoreError>;

    /// Rows to be tried by `now`, longest due first.
    async fn due_deliveries(
        &self,
        endpoint: EndpointId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Whether an earlier event of the object is still to be delivered.
    async fn held_up(&self, endpoint: EndpointId, object: Uuid, position: i64) -> Result<bool, StoreError>;

    /// The oldest event that has a row and is still to be delivered.
    async fn oldest_pending(&self, endpoint: EndpointId) -> Result<Option<EventId>, StoreError>;
}
