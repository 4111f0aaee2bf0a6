//! The ledger: what must not be lost.
//!
//! A store takes whole transactions as values ([`Begin`], [`Conclude`], [`Postpone`] …), never an open transaction, so that
//! a writer can batch them: each is checked first and written after, and one that is refused fails alone. What they hold
//! was computed by [`switchyard_core::settle`]; the store compares versions and writes.
//!
//! Versions: a row in a command carries the version that was *seen*; the store writes it with the next one, and refuses
//! ([`Begun::Stale`], [`Written::Stale`]) where the ledger holds another. A new row is seen at version 0.

pub mod feed;
pub mod sqlite;
#[cfg(feature = "suite")]
pub mod suite;
pub mod webhooks;

pub use feed::{Feed, Recorded};
pub use sqlite::Sqlite;
pub use webhooks::Webhooks;

use bytes::Bytes;
use std::num::NonZeroU32;
use switchyard_core::id::KeyId;
use switchyard_core::operation::Target;
use switchyard_core::payment::Payment;
use switchyard_core::settle::Happened;
use switchyard_core::{
    ChannelName, MerchantName, Method, Mode, Network, Operation, OperationId, OperationKind, OrderType, PaymentId,
    PaymentStatus, Route, RouteId, Timestamp,
};

/// The claim on an idempotency key: both are keyed hashes, so that nothing of key or body is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Of merchant, mode and key.
    pub key: [u8; 16],
    /// Of method, path and parsed body.
    pub request: [u8; 16],
    /// The form in which the request was written, as the API numbers it: its answers take the same.
    pub form: u8,
}

/// An answer as the merchant got it, kept to be given again byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// An intent: a new operation, of a new payment or of one that stands.
#[derive(Clone, Debug)]
pub struct Begin {
    /// The claim on the merchant's key. `None` for operations that no merchant asked for.
    pub claim: Option<Claim>,
    /// The payment with the operation taken in. Seen at version 0: it is new.
    pub payment: Payment,
    /// The operation, new.
    pub operation: Operation,
    /// What to tell the merchant, in order.
    pub events: Vec<Happened>,
    /// The answer, where the operation has ended before it began (no channel, a reject rule).
    pub answer: Option<Answer>,
}

/// What became of a [`Begin`].
#[derive(Clone, Debug)]
pub enum Begun {
    /// Durable.
    Done,
    /// The key is taken: checked before anything else.
    KeyTaken(Box<Claimed>),
    /// A new payment, and another one of the merchant, mode and reference is open (processing, in doubt or requiring
    /// action) while neither this command's payment allows duplicates.
    ReferenceOpen(PaymentId),
    /// The payment has moved on.
    Stale,
}

/// What a key was used for.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The request's fingerprint.
    pub request: [u8; 16],
    /// The form in which it was written.
    pub form: u8,
    /// The operation it began.
    pub operation: Operation,
    /// Its payment as it stands.
    pub payment: Payment,
    /// The final answer, once there is one.
    pub answer: Option<Answer>,
}

/// The outcome of an operation, or later news of it.
#[derive(Clone, Debug)]
pub struct Conclude {
    /// The payment after it, carrying the version that was seen.
    pub payment: Payment,
    /// The operation after it, carrying the version that was seen.
    pub operation: Operation,
    /// What to tell the merchant, in order.
    pub events: Vec<Happened>,
    /// The final answer; one that is kept already is never replaced.
    pub answer: Option<Answer>,
}

/// Sets when to look an operation up next, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Postpone {
    /// Which operation.
    pub operation: OperationId,
    /// The version that was seen.
    pub version: u32,
    /// How often it was looked up by now.
    pub look_ups: u32,
    /// When to ask again; `None` never.
    pub next_look_up_at: Option<Timestamp>,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Durable.
    Done,
    /// A row has moved on; nothing was written.
    Stale,
}

/// Which payments to list, newest first. Every condition given must hold.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the merchant's API describes the filters")]
pub struct PaymentFilter {
    pub merchant: MerchantName,
    pub mode: Mode,
    pub status: Option<PaymentStatus>,
    pub in_doubt: Option<bool>,
    pub reference: Option<String>,
    pub order_type: Option<OrderType>,
    pub channel: Option<ChannelName>,
    pub currency: Option<switchyard_core::Currency>,
    pub method: Option<Method>,
    pub customer: Option<String>,
    pub provider_reference: Option<String>,
    pub amount_min: Option<i64>,
    pub amount_max: Option<i64>,
    /// Included.
    pub created_from: Option<Timestamp>,
    /// Excluded.
    pub created_to: Option<Timestamp>,
}

impl PaymentFilter {
    /// All payments of a merchant's books.
    #[must_use]
    pub fn of(merchant: MerchantName, mode: Mode) -> Self {
        Self {
            merchant,
            mode,
            status: None,
            in_doubt: None,
            reference: None,
            order_type: None,
            channel: None,
            currency: None,
            method: None,
            customer: None,
            provider_reference: None,
            amount_min: None,
            amount_max: None,
            created_from: None,
            created_to: None,
        }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// Newest first. A page may hold fewer than asked, even none, while there is more: a scan is bounded.
    pub data: Vec<T>,
    /// Pass it as `before` to go on; `None` at the end.
    pub next: Option<uuid::Uuid>,
}

/// What an API key may do. Kept as bits; their order is their number in a store, so only ever append.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is named as merchants read it")]
pub enum Scope {
    PaymentsWrite,
    PaymentsRead,
    RefundsWrite,
    PayoutsWrite,
    PayoutsApprove,
    DisputesWrite,
    WebhooksManage,
    KeysManage,
}

impl Scope {
    /// Every scope, in the order of the bits.
    pub const ALL: &'static [Self] = &[
        Self::PaymentsWrite,
        Self::PaymentsRead,
        Self::RefundsWrite,
        Self::PayoutsWrite,
        Self::PayoutsApprove,
        Self::DisputesWrite,
        Self::WebhooksManage,
        Self::KeysManage,
    ];

    /// The name in requests and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentsWrite => "payments:write",
            Self::PaymentsRead => "payments:read",
            Self::RefundsWrite => "refunds:write",
            Self::PayoutsWrite => "payouts:write",
            Self::PayoutsApprove => "payouts:approve",
            Self::DisputesWrite => "disputes:write",
            Self::WebhooksManage => "webhooks:manage",
            Self::KeysManage => "keys:manage",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == name)
    }
}

/// An API key without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, which is no secret.
    pub id: KeyId,
    /// Keyed hash of the secret.
    pub hash: [u8; 32],
    /// Whose key it is.
    pub merchant: MerchantName,
    /// Test or live.
    pub mode: Mode,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// What people call it.
    pub label: String,
    /// From which addresses it may be used; empty for any.
    pub addresses: Vec<Network>,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When it was used last, give or take a minute.
    pub last_used_at: Option<Timestamp>,
    /// How much it may ask, where that differs from what others may.
    pub rate: Option<Rate>,
    /// The version of the API that it speaks where a request names none.
    pub version: String,
}

/// Requests that are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In each second, for as long as one likes.
    pub per_second: NonZeroU32,
    /// At once, after a pause.
    pub burst: NonZeroU32,
}

/// An operator's word on a channel, which wins over its health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Which channel.
    pub channel: ChannelName,
    /// `up`, `degraded`, `down` or `disabled`.
    pub status: String,
    /// Why, for people.
    pub reason: String,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was set.
    pub set_at: Timestamp,
    /// Who set it, as the audit log names them.
    pub set_by: String,
}

/// A change of a channel's status for new payments, as operators read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// When it came to be.
    pub at: Timestamp,
    /// Which channel.
    pub channel: ChannelName,
    /// Test or live.
    pub mode: Mode,
    /// What was recorded before; `up` where nothing was.
    pub from: String,
    /// `up`, `degraded`, `down` or `disabled`.
    pub to: String,
    /// What brought it about: `health`, `maintenance` or `override`.
    pub cause: String,
    /// In words, for people; empty where the cause says it all.
    pub reason: String,
    /// Who, where it was a person.
    pub by: Option<String>,
    /// When the cause ends by itself, as far as that is known.
    pub until: Option<Timestamp>,
}

/// A change of status with its place in the operators' feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedStatus {
    /// Its place in the feed, growing.
    pub position: i64,
    /// What changed.
    pub change: StatusChange,
}

/// Which changes of status to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusQuery {
    /// Those after a place in the feed, oldest first.
    After(i64),
    /// The latest, newest first, of one channel or of all.
    Latest(Option<ChannelName>),
    /// The last of each channel and mode.
    Last,
}

/// One line of the append-only audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// When.
    pub at: Timestamp,
    /// Who: `cli`, or the name of an operator token.
    pub actor: String,
    /// What was done, such as `key.issued`.
    pub action: String,
    /// To what: an id or a name.
    pub subject: String,
    /// Details without secrets.
    pub detail: String,
}

/// Changes that operators make, or should hear of. Each is written together with its audit line.
#[derive(Clone, Debug)]
pub enum Administer {
    /// A new API key.
    IssueKey(ApiKey),
    /// Takes a key back; a key unknown or taken back already is [`Written::Stale`].
    RevokeKey(KeyId, Timestamp),
    /// Sets or replaces the override of a channel.
    SetOverride(Override),
    /// Removes it; none there is [`Written::Stale`].
    ClearOverride(ChannelName),
    /// Removes the override that was set at that moment, since its time is over; another one, or none, is
    /// [`Written::Stale`].
    ExpireOverride(ChannelName, Timestamp),
    /// Records a change of a channel's status; where the last one recorded is not what it changed from,
    /// [`Written::Stale`].
    RecordStatus(StatusChange),
}

/// Figures for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Operations in doubt.
    pub in_doubt: u64,
    /// Operations that will be looked up.
    pub watched: u64,
    /// When the oldest operation in doubt was begun.
    pub oldest_in_doubt: Option<i64>,
}

/// A slice of the claims, looked through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaleClaims {
    /// Keys that have served their time.
    pub keys: Vec<[u8; 16]>,
    /// Pass it as `after` to go on; `None` at the end.
    pub next: Option<[u8; 16]>,
}

/// An account as the payments of one mode use it. Both modes may lead to the same account; what one needs of it says
/// nothing of the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountUse {
    /// The account.
    pub target: Target,
    /// The mode of the payments.
    pub mode: Mode,
}

/// A slice of the payments, looked through for one that still needs its account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StillNeeded {
    /// The newest that does, and the account.
    pub found: Option<(PaymentId, AccountUse)>,
    /// Pass it as `before` to go on; `None` at the end, or where one was found.
    pub next: Option<PaymentId>,
}

/// A rule set as it was put in force: all that it takes to compile the very same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRules {
    /// `sha256:…`, as decisions name it.
    pub hash: String,
    /// The text of the rules' file.
    pub source: String,
    /// What its words meant, in the routing crate's form.
    pub vocabulary: String,
    /// When it was put in force first.
    pub kept_at: Timestamp,
}

/// Which payments to go through, of all merchants and modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// Made at this moment or later.
    pub from: Option<Timestamp>,
    /// Made before this moment.
    pub to: Option<Timestamp>,
}

/// A slice of the payments of a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Oldest first. It may hold fewer than asked, even none, while there is more.
    pub payments: Vec<Payment>,
    /// Pass it as `after` to go on; `None` at the end.
    pub next: Option<PaymentId>,
}

/// Why the ledger did not do it. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// More is waiting than may wait.
    #[error("the ledger has too much to do")]
    Overloaded,
    /// Disk, database or connection failed.
    #[error("the ledger is unavailable: {0}")]
    Unavailable(String),
    /// A row cannot be what it is.
    #[error("the ledger holds a row that makes no sense: {0}")]
    Corrupt(String),
}

/// The ledger.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// Writes an intent and claims its key, in one transaction.
    async fn begin(&self, command: Begin) -> Result<Begun, StoreError>;

    /// Writes an outcome or later news.
    async fn conclude(&self, command: Conclude) -> Result<Written, StoreError>;

    /// Sets when to look up next.
    async fn postpone(&self, command: Postpone) -> Result<Written, StoreError>;

    /// Does what an operator asks, and writes it into the audit log.
    async fn administer(&self, command: Administer, audit: Audit) -> Result<Written, StoreError>;

    /// Looks through `limit` claims after `after`, for those whose operation has ended and whose payment has neither been
    /// open nor changed since `before`.
    async fn stale_claims(&self, after: [u8; 16], before: Timestamp, limit: u32) -> Result<StaleClaims, StoreError>;

    /// Frees idempotency keys, and lets go of the answers kept for them.
    async fn forget(&self, keys: Vec<[u8; 16]>) -> Result<(), StoreError>;

    /// One payment.
    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError>;

    /// One operation.
    async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError>;

    /// Many operations of a payment, in the order asked; unknown ones are left out.
    async fn operations(&self, ids: Vec<OperationId>) -> Result<Vec<Operation>, StoreError>;

    /// What a key was used for, and a payment, both of one moment.
    async fn claimed(
        &self,
        key: [u8; 16],
        payment: PaymentId,
    ) -> Result<(Option<Claimed>, Option<Payment>), StoreError>;

    /// Payments, newest first; `before` excluded.
    async fn list_payments(
        &self,
        filter: PaymentFilter,
        before: Option<PaymentId>,
        limit: u32,
    ) -> Result<Page<Payment>, StoreError>;

    /// Operations of the kinds, newest first, of one merchant and mode, with their payments; `before` excluded.
    async fn list_operations(
        &self,
        merchant: MerchantName,
        mode: Mode,
        kinds: Vec<OperationKind>,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Page<(Operation, Payment)>, StoreError>;

    /// Operations whose next look-up is due at `now`, longest due first.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Operation>, StoreError>;

    /// Operations that are merely intended, begun before `before`: at start, those of a process that died.
    async fn intended(&self, before: Timestamp, limit: u32) -> Result<Vec<Operation>, StoreError>;

    /// Events after a place in the feed, oldest first.
    async fn events(&self, after: i64, limit: u32) -> Result<Vec<Recorded>, StoreError>;

    /// Every API key, revoked ones included.
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Every override.
    async fn overrides(&self) -> Result<Vec<Override>, StoreError>;

    /// The audit log's latest lines, newest first.
    async fn audit(&self, limit: u32) -> Result<Vec<Audit>, StoreError>;

    /// Figures for metrics.
    async fn totals(&self) -> Result<Totals, StoreError>;

    /// Keeps a route. Its id is new.
    async fn reserve(&self, route: Route) -> Result<(), StoreError>;

    /// One route, expired or not; `None` also once it is forgotten.
    async fn route(&self, id: RouteId) -> Result<Option<Route>, StoreError>;

    /// Forgets routes that expired before `before`, of the `limit` oldest ones.
    async fn forget_routes(&self, before: Timestamp, limit: u32) -> Result<(), StoreError>;

    /// Every account that an operation was ever meant for.
    async fn targets(&self) -> Result<Vec<Target>, StoreError>;

    /// Looks through a slice of the payments, newest first, `before` excluded, for one whose charge was made at one of
    /// `accounts` in its mode and that is open, holds money or can give some back. Ends at the first.
    async fn still_needed(
        &self,
        accounts: Vec<AccountUse>,
        before: Option<PaymentId>,
    ) -> Result<StillNeeded, StoreError>;

    /// Keeps a rule set. One of that hash that is kept already stays as it is.
    async fn keep_rules(&self, rules: KeptRules) -> Result<(), StoreError>;

    /// The rule set of that hash.
    async fn rules(&self, hash: String) -> Result<Option<KeptRules>, StoreError>;

    /// Payments of all merchants and modes in the order in which they were made; `after` excluded.
    async fn slice(&self, period: Period, after: Option<PaymentId>, limit: u32) -> Result<Slice, StoreError>;

    /// Notes when API keys were used; a moment before the one that is known changes nothing.
    async fn note_uses(&self, uses: Vec<(KeyId, Timestamp)>) -> Result<(), StoreError>;

    /// Changes of channels' statuses.
    async fn status_changes(&self, query: StatusQuery, limit: u32) -> Result<Vec<RecordedStatus>, StoreError>;

    /// The accounts that [`keep_free`](Self::keep_free) was given last.
    async fn free_accounts(&self) -> Result<Vec<AccountUse>, StoreError>;

    /// Remembers the accounts that no payment needs and none can come to, in the place of those before.
    async fn keep_free(&self, accounts: Vec<AccountUse>) -> Result<(), StoreError>;
}
