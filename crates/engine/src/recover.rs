//! Settling what is in doubt: the provider is asked, nothing is sent again, and no clock of ours decides.

use crate::call::not_found_counts_from;
use crate::channel::{Account, Channel};
use crate::conclude::{Keep, Known, Told};
use crate::follow_up::charge_ref;
use crate::{Caller, Engine, EngineError, Refreshed};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use switchyard_core::payment::{News, Payment, Source};
use switchyard_core::provider::{Call, Found, Reference};
use switchyard_core::settle::Report;
use switchyard_core::status::OperationState;
use switchyard_core::transport::Bounds;
use switchyard_core::{
    Failure, FailureCode, Money, Operation, OperationKind, PaymentId, PaymentStatus, Timestamp,
};
use switchyard_store::{Postpone, StoreError};

/// Operations taken from the ledger at a time.
const BATCH: u32 = 256;
/// Look-ups under way at once, so that recovery leaves the provider room for payments.
const AT_ONCE: usize = 16;
/// Where the channel of an operation is not usable: how long until it is looked at again.
const UNUSABLE_RETRY: Duration = Duration::from_secs(60);
/// After an authorization's end, how long until the provider is asked what became of it.
const AFTER_EXPIRY: Duration = Duration::from_secs(60);
/// An authorization without a known end is asked about so often.
const AUTHORIZED_LOOK_UP: Duration = Duration::from_secs(24 * 3600);

/// What one round of recovery did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Operations looked up.
    pub asked: usize,
    /// Those that ended, or moved, by it.
    pub settled: usize,
}

/// What a look-up brought.
enum LookedUp {
    /// News was written, or was known.
    Told(Box<Known>),
    /// Nothing was learnt, for this reason.
    NoNews(String),
}

impl Engine {
    /// At start: what a process that died had intended is in doubt, and is asked about at once.
    ///
    /// # Errors
    /// The ledger's own; call again.
    pub async fn adopt(&self) -> Result<usize, StoreError> {
        let before = self.seams.clock.now();
        let mut adopted = 0_usize;
        loop {
            let orphans = self.seams.store.intended(before, BATCH).await?;
            if orphans.is_empty() {
                return Ok(adopted);
            }
            for operation in orphans {
                let Some(payment) = self.seams.store.payment(operation.payment).await? else { continue };
                let channel = self.channel_of(&payment).ok().map(|(channel, _)| channel);
                let known = Known { payment, operation };
                let unknown = Report::bare(News::Unknown);
                self.tell(channel.as_deref(), known, &unknown, Source::Gateway, Keep::Nothing).await?;
                adopted = adopted.saturating_add(1);
            }
        }
    }

    /// Looks up what is due, once.
    ///
    /// # Errors
    /// The ledger's own, where it could not even say what is due.
    pub async fn recover(&self) -> Result<Recovered, StoreError> {
        let due = self.seams.store.due(self.seams.clock.now(), BATCH).await?;
        let asked = due.len();
        let results = futures_util::stream::iter(due).map(|operation| self.recover_one(operation));
        let settled = results.buffer_unordered(AT_ONCE).filter(|moved| std::future::ready(*moved)).count().await;
        Ok(Recovered { asked, settled })
    }

    /// Whether it moved.
    async fn recover_one(&self, operation: Operation) -> bool {
        let (id, state) = (operation.id, operation.state);
        let payment = match self.seams.store.payment(operation.payment).await {
            Ok(Some(payment)) => payment,
            Ok(None) => return false,
            Err(error) => {
                tracing::warn!(operation = %id, %error, "an operation in doubt could not be read");
                return false;
            }
        };
        match self.look_up(Known { payment, operation }).await {
            Ok(LookedUp::Told(known)) => known.operation.state != state,
            Ok(LookedUp::NoNews(reason)) => {
                tracing::info!(operation = %id, %reason, "a look-up brought no news");
                false
            }
            Err(error) => {
                tracing::warn!(operation = %id, %error, "the news of a look-up could not be written");
                false
            }
        }
    }

    /// Asks the provider about the payment now: about all that is open, else about the charge.
    ///
    /// # Errors
    /// [`EngineError::NotFound`]; the ledger's own. A provider that does not answer is no error.
    pub async fn refresh(&self, caller: &Caller, id: PaymentId) -> Result<Refreshed, EngineError> {
        let payment = self.payment(caller, id).await?;
        let mut ask: Vec<_> = payment.pending.iter().map(|pending| pending.operation).collect();
        if ask.is_empty() {
            ask.extend(payment.operations.first());
        }
        let mut not_refreshed = None;
        for operation in ask {
            let Some(operation) = self.seams.store.operation(operation).await? else { continue };
            let payment = self.payment(caller, id).await?;
            if let LookedUp::NoNews(reason) = self.look_up(Known { payment, operation }).await? {
                not_refreshed = Some(reason);
            }
        }
        Ok(Refreshed { payment: self.payment(caller, id).await?, not_refreshed })
    }

    async fn look_up(&self, known: Known) -> Result<LookedUp, StoreError> {
        let now = self.seams.clock.now();
        let (channel, account) = match self.account_of(&known) {
            Ok(found) => found,
            Err(reason) => {
                self.postpone(&known.operation, Some(now.after(UNUSABLE_RETRY))).await?;
                return Ok(LookedUp::NoNews(reason));
            }
        };
        let capabilities = account.provider.capabilities();
        let bounds = Bounds { send_by: self.send_by(), timeout: channel.timeout };
        let call = Call { transport: account.transport.as_ref(), bounds };
        let began = self.seams.clock.uptime();
        let result = account.provider.look_up(&call, &reference(&known)).await;
        let took = self.seams.clock.uptime().0.saturating_sub(began.0);
        let kind = known.operation.kind;
        let watch = |result| self.seams.watch.looked_up(&channel.name, kind, result, took);
        let report = match result {
            Ok(Found::Known(report)) => {
                watch("found");
                *report
            }
            Ok(Found::NotFound) => {
                watch("not_found");
                let counts_from = not_found_counts_from(known.operation.send_by, channel.timeout, &capabilities);
                // Only for an operation of unknown fate, and only where the source is complete and late enough.
                if !not_found_settles(&known.operation) || !capabilities.look_up.complete || now < counts_from {
                    let next = self.next_look_up(Some(&channel), &known.payment, &known.operation, now);
                    self.postpone(&known.operation, next.map(|next| next.max(counts_from))).await?;
                    return Ok(LookedUp::NoNews("the provider does not know it yet".into()));
                }
                Report::bare(News::Refused(Failure::new(FailureCode::ProviderUnreachable)))
            }
            Err(error) => {
                watch("error");
                let next = self.next_look_up(Some(&channel), &known.payment, &known.operation, now);
                self.postpone(&known.operation, next).await?;
                return Ok(LookedUp::NoNews(error.to_string()));
            }
        };
        match self.tell(Some(&channel), known, &report, Source::LookUp, Keep::Nothing).await? {
            Told::Written(known) => Ok(LookedUp::Told(known)),
            Told::Gone => Ok(LookedUp::NoNews("the payment is gone from the ledger".into())),
        }
    }

    /// The account that the operation went to: the same channel, address and account as then, or none.
    fn account_of(&self, known: &Known) -> Result<(Arc<Channel>, Account), String> {
        let (channel, account) = self.channel_of(&known.payment).map_err(|error| error.to_string())?;
        if known.operation.target.as_deref() != Some(account.target.as_ref()) {
            return Err(format!("channel {} leads to another account or address by now", channel.name));
        }
        Ok((channel, account))
    }

    pub(crate) async fn postpone(&self, operation: &Operation, next: Option<Timestamp>) -> Result<(), StoreError> {
        let command = Postpone {
            operation: operation.id,
            version: operation.version,
            look_ups: operation.look_ups.saturating_add(1),
            next_look_up_at: next,
        };
        // Where the row has moved on, it has a time of its own.
        self.seams.store.postpone(command).await.map(|_| ())
    }

    /// When an intent is looked up if nothing is heard of it: once *not found* would count.
    pub(crate) fn first_look_up(&self, channel: &Channel, account: &Account, send_by: Timestamp) -> Option<Timestamp> {
        Some(not_found_counts_from(send_by, channel.timeout, &account.provider.capabilities()))
    }

    /// When to ask the provider next; `None` once there is nothing left to learn.
    pub(crate) fn next_look_up(
        &self,
        channel: Option<&Channel>,
        payment: &Payment,
        operation: &Operation,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let watched = operation.state.open() || (payment.contradiction.is_some() && operation.next_look_up_at.is_some());
        if watched {
            let account = channel.and_then(|channel| channel.account(payment.mode));
            let schedule = account.map(|account| account.provider.capabilities());
            let delays = schedule.as_ref().map(|capabilities| capabilities.look_up.schedule.as_slice());
            let turn = usize::try_from(operation.look_ups).unwrap_or(usize::MAX);
            let delay = delays.and_then(|delays| delays.get(turn).or(delays.last())).copied();
            return Some(now.after(delay.unwrap_or(UNUSABLE_RETRY)));
        }
        // A hold ends at the provider; what became of it is asked there.
        let holds = operation.kind == OperationKind::Authorize
            && operation.state == OperationState::Succeeded
            && payment.status == PaymentStatus::Authorized;
        holds.then(|| match payment.capture_before {
            Some(end) if end > now => end.after(AFTER_EXPIRY),
            Some(_) | None => now.after(AUTHORIZED_LOOK_UP),
        })
    }
}

fn not_found_settles(operation: &Operation) -> bool {
    match operation.state {
        OperationState::Intended | OperationState::InDoubt => true,
        // The provider had it once: that it does not know it now proves nothing.
        OperationState::Accepted
        | OperationState::Succeeded
        | OperationState::Failed
        | OperationState::Reversed => false,
    }
}

fn reference(known: &Known) -> Reference {
    let currency = known.payment.amount.currency();
    Reference {
        kind: known.operation.kind,
        operation: known.operation.id,
        provider_reference: known.operation.provider_reference.clone(),
        charge: charge_ref(&known.payment),
        amount: Money::new(known.operation.amount, currency).unwrap_or_else(|| Money::zero(currency)),
    }
}
