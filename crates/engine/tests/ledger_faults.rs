//! The ledger fails: before the intent nothing is sent, after the answer nothing is told that is not written.

use crate::bench::{Bench, approved, ask, caller, key};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use switchyard_core::payment::{CaptureMode, Payment};
use switchyard_core::{
    MerchantName, Mode, Operation, OperationId, OperationKind, PaymentId, PaymentStatus, Route, RouteId, Timestamp,
};
use switchyard_engine::EngineError;
use switchyard_store::*;

/// Fails begins and conclusions as often as it is told.
pub(crate) struct Failing {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) begins: AtomicI32,
    pub(crate) concludes: AtomicI32,
}

impl Failing {
    fn fails(counter: &AtomicI32) -> bool {
        counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| (left > 0).then(|| left - 1)).is_ok()
    }
}

fn broken() -> StoreError {
    StoreError::Unavailable("the disk is full".into())
}

#[async_trait]
impl Store for Failing {
    async fn begin(&self, command: Begin) -> Result<Begun, StoreError> {
        if Self::fails(&self.begins) { Err(broken()) } else { self.inner.begin(command).await }
    }

    async fn conclude(&self, command: Conclude) -> Result<Written, StoreError> {
        if Self::fails(&self.concludes) { Err(broken()) } else { self.inner.conclude(command).await }
    }

    async fn postpone(&self, command: Postpone) -> Result<Written, StoreError> {
        self.inner.postpone(command).await
    }

    async fn administer(&self, command: Administer, audit: Audit) -> Result<Written, StoreError> {
        self.inner.administer(command, audit).await
    }

    async fn stale_claims(&self, after: [u8; 16], before: Timestamp, limit: u32) -> Result<StaleClaims, StoreError> {
        self.inner.stale_claims(after, before, limit).await
    }

    async fn forget(&self, keys: Vec<[u8; 16]>) -> Result<(), StoreError> {
        self.inner.forget(keys).await
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        self.inner.payment(id).await
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        self.inner.operation(id).await
    }

    async fn operations(&self, ids: Vec<OperationId>) -> Result<Vec<Operation>, StoreError> {
        self.inner.operations(ids).await
    }

    async fn claimed(
        &self,
        key: [u8; 16],
        payment: PaymentId,
    ) -> Result<(Option<Claimed>, Option<Payment>), StoreError> {
        self.inner.claimed(key, payment).await
    }

    async fn list_payments(
        &self,
        filter: PaymentFilter,
        before: Option<PaymentId>,
        limit: u32,
    ) -> Result<Page<Payment>, StoreError> {
        self.inner.list_payments(filter, before, limit).await
    }

    async fn list_operations(
        &self,
        merchant: MerchantName,
        mode: Mode,
        kinds: Vec<OperationKind>,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Page<(Operation, Payment)>, StoreError> {
        self.inner.list_operations(merchant, mode, kinds, before, limit).await
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Operation>, StoreError> {
        self.inner.due(now, limit).await
    }

    async fn intended(&self, before: Timestamp, limit: u32) -> Result<Vec<Operation>, StoreError> {
        self.inner.intended(before, limit).await
    }

    async fn events(&self, after: i64, limit: u32) -> Result<Vec<Recorded>, StoreError> {
        self.inner.events(after, limit).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.inner.keys().await
    }

    async fn overrides(&self) -> Result<Vec<Override>, StoreError> {
        self.inner.overrides().await
    }

    async fn audit(&self, limit: u32) -> Result<Vec<Audit>, StoreError> {
        self.inner.audit(limit).await
    }

    async fn status_changes(&self, query: StatusQuery, limit: u32) -> Result<Vec<RecordedStatus>, StoreError> {
        self.inner.status_changes(query, limit).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.inner.totals().await
    }

    async fn reserve(&self, route: Route) -> Result<(), StoreError> {
        self.inner.reserve(route).await
    }

    async fn route(&self, id: RouteId) -> Result<Option<Route>, StoreError> {
        self.inner.route(id).await
    }

    async fn forget_routes(&self, before: Timestamp, limit: u32) -> Result<(), StoreError> {
        self.inner.forget_routes(before, limit).await
    }

    async fn targets(&self) -> Result<Vec<switchyard_core::operation::Target>, StoreError> {
        self.inner.targets().await
    }

    async fn still_needed(
        &self,
        accounts: Vec<AccountUse>,
        before: Option<PaymentId>,
    ) -> Result<StillNeeded, StoreError> {
        self.inner.still_needed(accounts, before).await
    }

    async fn keep_rules(&self, rules: KeptRules) -> Result<(), StoreError> {
        self.inner.keep_rules(rules).await
    }

    async fn rules(&self, hash: String) -> Result<Option<KeptRules>, StoreError> {
        self.inner.rules(hash).await
    }

    async fn slice(&self, period: Period, after: Option<PaymentId>, limit: u32) -> Result<Slice, StoreError> {
        self.inner.slice(period, after, limit).await
    }

    async fn note_uses(&self, uses: Vec<(switchyard_core::id::KeyId, Timestamp)>) -> Result<(), StoreError> {
        self.inner.note_uses(uses).await
    }

    async fn free_accounts(&self) -> Result<Vec<AccountUse>, StoreError> {
        self.inner.free_accounts().await
    }

    async fn keep_free(&self, accounts: Vec<AccountUse>) -> Result<(), StoreError> {
        self.inner.keep_free(accounts).await
    }
}

fn failing(begins: i32, concludes: i32) -> Bench {
    Bench::over(|inner| Arc::new(Failing { inner, begins: begins.into(), concludes: concludes.into() }))
}

#[tokio::test]
async fn without_a_durable_intent_nothing_is_sent() {
    let bench = failing(1, 0);
    let refused = bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await;
    assert!(matches!(refused, Err(EngineError::Store(_))), "{refused:?}");
    assert!(bench.provider.calls.lock().unwrap().is_empty());
    assert!(bench.events().await.is_empty());
    // The key is free.
    bench.provider.answer(Ok(approved(1_000)));
    let made = bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    assert_eq!((made.answer.status, made.replayed), (201, false));
}

#[tokio::test]
async fn a_result_that_is_not_durable_is_told_as_doubt_and_written_later() {
    let bench = failing(0, 3);
    bench.provider.answer(Ok(approved(1_000)));
    let told = bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    assert_eq!(told.answer.status, 202);
    assert!(told.answer.body.starts_with(b"processing in doubt"), "{:?}", told.answer.body);
    bench.settle().await;
    let payment = bench.payment().await;
    assert_eq!((payment.status, payment.in_doubt()), (PaymentStatus::Captured, false));
    assert_eq!(bench.events().await, ["payment.created", "payment.captured"]);
    assert_eq!(bench.provider.calls.lock().unwrap().len(), 1, "it was sent again");
    let again = bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    assert_eq!((again.answer.status, again.replayed), (201, true));
}
