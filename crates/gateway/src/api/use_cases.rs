//! What the API asks of the engine.

use async_trait::async_trait;
use std::sync::Arc;
use switchyard_core::{MerchantName, Operation, OperationId, OperationKind, OrderType, Payment, PaymentId};
use switchyard_engine::{
    Answered, Caller, ChannelOffer, Engine, EngineError, FollowUp, Key, MethodOffer, NewPayment, NewRoute, Refreshed,
    Reservation, WantedMethods,
};
use switchyard_store::{Page, PaymentFilter};

/// The engine, as far as merchants reach it. A trait, so that the API is tested without ledger and providers.
#[async_trait(?Send)]
pub(crate) trait UseCases {
    /// Routes, authorizes and, unless it is manual, captures.
    async fn create_payment(&self, caller: Caller, key: Key, ask: NewPayment) -> Result<Answered, EngineError>;

    /// Captures, voids or refunds.
    async fn follow_up(
        &self,
        caller: Caller,
        key: Key,
        payment: PaymentId,
        ask: FollowUp,
    ) -> Result<Answered, EngineError>;

    /// A payment of the caller's.
    async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<Payment, EngineError>;

    /// The same, asked of its provider first.
    async fn refresh(&self, caller: &Caller, id: PaymentId) -> Result<Refreshed, EngineError>;

    /// A payment's operations, oldest first.
    async fn operations(&self, payment: &Payment) -> Result<Vec<Operation>, EngineError>;

    /// An operation of the caller's, of one of the kinds, with its payment.
    async fn operation(
        &self,
        caller: &Caller,
        kinds: &[OperationKind],
        id: OperationId,
    ) -> Result<(Operation, Payment), EngineError>;

    /// Payments, newest first; `before` excluded.
    async fn list_payments(
        &self,
        filter: PaymentFilter,
        before: Option<PaymentId>,
        limit: u32,
    ) -> Result<Page<Payment>, EngineError>;

    /// Operations of the kinds with their payments, newest first; `before` excluded.
    async fn list_operations(
        &self,
        caller: &Caller,
        kinds: &[OperationKind],
        payment: Option<PaymentId>,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Page<(Operation, Payment)>, EngineError>;

    /// Decides for a payment that is to come.
    async fn reserve(&self, caller: Caller, ask: NewRoute) -> Result<Reservation, EngineError>;

    /// What becomes of payments by each method now.
    fn methods(&self, caller: &Caller, ask: &WantedMethods) -> Vec<MethodOffer>;

    /// What the caller's channels can do.
    fn capabilities(&self, caller: &Caller) -> Vec<ChannelOffer>;

    /// The order types of payments that a merchant may ask for now; `None` where it is not configured any more.
    fn order_types(&self, merchant: &MerchantName) -> Option<Arc<[OrderType]>>;

    /// What a key has brought before, if it was used.
    async fn already(&self, key: Key) -> Result<Option<Answered>, EngineError>;
}

#[async_trait(?Send)]
impl UseCases for Arc<Engine> {
    async fn create_payment(&self, caller: Caller, key: Key, ask: NewPayment) -> Result<Answered, EngineError> {
        Engine::create_payment(self, caller, key, ask).await
    }

    async fn follow_up(
        &self,
        caller: Caller,
        key: Key,
        payment: PaymentId,
        ask: FollowUp,
    ) -> Result<Answered, EngineError> {
        Engine::follow_up(self, caller, key, payment, ask).await
    }

    async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<Payment, EngineError> {
        Engine::payment(self, caller, id).await
    }

    async fn refresh(&self, caller: &Caller, id: PaymentId) -> Result<Refreshed, EngineError> {
        Engine::refresh(self, caller, id).await
    }

    async fn operations(&self, payment: &Payment) -> Result<Vec<Operation>, EngineError> {
        Engine::operations(self, payment).await
    }

    async fn operation(
        &self,
        caller: &Caller,
        kinds: &[OperationKind],
        id: OperationId,
    ) -> Result<(Operation, Payment), EngineError> {
        Engine::operation(self, caller, kinds, id).await
    }

    async fn list_payments(
        &self,
        filter: PaymentFilter,
        before: Option<PaymentId>,
        limit: u32,
    ) -> Result<Page<Payment>, EngineError> {
        Engine::list_payments(self, filter, before, limit).await
    }

    async fn list_operations(
        &self,
        caller: &Caller,
        kinds: &[OperationKind],
        payment: Option<PaymentId>,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Page<(Operation, Payment)>, EngineError> {
        Engine::list_operations(self, caller, kinds, payment, before, limit).await
    }

    async fn reserve(&self, caller: Caller, ask: NewRoute) -> Result<Reservation, EngineError> {
        Engine::reserve(self, caller, ask).await
    }

    fn methods(&self, caller: &Caller, ask: &WantedMethods) -> Vec<MethodOffer> {
        Engine::methods(self, caller, ask)
    }

    fn capabilities(&self, caller: &Caller) -> Vec<ChannelOffer> {
        Engine::capabilities(self, caller)
    }

    fn order_types(&self, merchant: &MerchantName) -> Option<Arc<[OrderType]>> {
        Engine::order_types(self, merchant)
    }

    async fn already(&self, key: Key) -> Result<Option<Answered>, EngineError> {
        Engine::already(self, key).await
    }
}
