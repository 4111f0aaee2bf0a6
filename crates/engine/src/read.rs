//! What merchants read.

use crate::{Caller, Engine, EngineError};
use switchyard_core::payment::Payment;
use switchyard_core::{Operation, OperationId, OperationKind, PaymentId};
use switchyard_store::{Page, PaymentFilter};

impl Engine {
    /// One payment of the caller's.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], also for another merchant's; the ledger's own.
    pub async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<Payment, EngineError> {
        self.seams.store.payment(id).await?.filter(|payment| caller.owns(payment)).ok_or(EngineError::NotFound)
    }

    /// A payment's operations, oldest first.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn operations(&self, payment: &Payment) -> Result<Vec<Operation>, EngineError> {
        Ok(self.seams.store.operations(payment.operations.clone()).await?)
    }

    /// One operation of the kinds, with its payment.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], also for another merchant's and for other kinds; the ledger's own.
    pub async fn operation(
        &self,
        caller: &Caller,
        kinds: &[OperationKind],
        id: OperationId,
    ) -> Result<(Operation, Payment), EngineError> {
        let operation = self.seams.store.operation(id).await?;
        let operation = operation.filter(|it| kinds.contains(&it.kind)).ok_or(EngineError::NotFound)?;
        let payment = self.payment(caller, operation.payment).await?;
        Ok((operation, payment))
    }

    /// Payments, newest first.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn list_payments(
        &self,
        filter: PaymentFilter,
        before: Option<PaymentId>,
        limit: u32,
    ) -> Result<Page<Payment>, EngineError> {
        Ok(self.seams.store.list_payments(filter, before, limit).await?)
    }

    /// Operations of the kinds, newest first: of one payment, or of all the caller's.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where the payment is not the caller's; the ledger's own.
    pub async fn list_operations(
        &self,
        caller: &Caller,
        kinds: &[OperationKind],
        payment: Option<PaymentId>,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Page<(Operation, Payment)>, EngineError> {
        let Some(payment) = payment else {
            let (merchant, mode) = (caller.merchant.clone(), caller.mode);
            return Ok(self.seams.store.list_operations(merchant, mode, kinds.to_vec(), before, limit).await?);
        };
        let payment = self.payment(caller, payment).await?;
        let mut operations = self.operations(&payment).await?;
        operations.retain(|it| kinds.contains(&it.kind) && before.is_none_or(|before| it.id < before));
        operations.reverse();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = operations.len() > limit;
        operations.truncate(limit);
        let next = if more { operations.last().map(|last| last.id.uuid()) } else { None };
        Ok(Page { data: operations.into_iter().map(|it| (it, payment.clone())).collect(), next })
    }
}
