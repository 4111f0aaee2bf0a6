//! Settling what is in doubt: the provider is asked, nothing is sent again, and no clock of ours decides.

use crate::call::not_found_counts_from;
use crate::channel::{Account, Channel};
use crate::conclude::{Keep, Known, Told};
use crate::follow_up::charge_ref;
use crate::task::Spawn;
use crate::{Caller, Engine, EngineError, Refreshed};
use futures_util::StreamExt;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use switchyard_core::payment::{News, Payment, Source};
use switchyard_core::provider::{Call, Found, Reference};
use switchyard_core::settle::{Report, contradicts};
use switchyard_core::status::OperationState;
use switchyard_core::transport::Bounds;
use switchyard_core::{
    ChannelName, Failure, FailureCode, Money, Operation, OperationId, OperationKind, PaymentId, PaymentStatus,
    Timestamp,
};
use switchyard_store::{Postpone, StoreError};

/// Operations taken from the ledger at a time.
const BATCH: u32 = 1_024;
/// Operations adopted at once at start, so that they share commits.
const ADOPTED_AT_ONCE: usize = 128;
/// Idempotency keys looked at in one go: short enough to hold up no payment.
const KEYS_LOOKED_AT: u32 = 500;
/// Where the call itself is still under way: how long until its operation is looked at again.
const UNDER_WAY_RETRY: Duration = Duration::from_secs(5);
/// Where the channel of an operation is not usable: how long until it is looked at again.
const UNUSABLE_RETRY: Duration = Duration::from_secs(60);
/// After an authorization's end, how long until the provider is asked what became of it.
const AFTER_EXPIRY: Duration = Duration::from_secs(60);
/// An authorization without a known end is asked about so often.
const AUTHORIZED_LOOK_UP: Duration = Duration::from_secs(24 * 3600);

/// Who asks for a look-up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The schedule.
    Scheduled,
    /// A merchant, who may ask as often as they like.
    ByMerchant,
}

/// Look-ups under way, by channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looking(Arc<Mutex<HashMap<ChannelName, HashSet<OperationId>>>>);

impl Looking {
    /// Takes a place for the operation. `None` where it is being looked up already, or the channel has `max`.
    fn enter(&self, operation: OperationId, channel: &ChannelName, max: usize) -> Option<Look> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_channel = open.entry(channel.clone()).or_default();
        let fresh = of_channel.len() < max && of_channel.insert(operation);
        fresh.then(|| Look { looking: self.clone(), operation, channel: channel.clone() })
    }
}

/// A place taken, given back when dropped.
struct Look {
    looking: Looking,
    operation: OperationId,
    channel: ChannelName,
}

impl Drop for Look {
    fn drop(&mut self) {
        let mut open = self.looking.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_channel) = open.get_mut(&self.channel) {
            of_channel.remove(&self.operation);
        }
    }
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
            // Together, so that they share commits.
            let results = futures_util::stream::iter(orphans).map(|operation| self.adopt_one(operation));
            let results: Vec<Result<bool, StoreError>> = results.buffer_unordered(ADOPTED_AT_ONCE).collect().await;
            let mut progress = 0_usize;
            for result in results {
                progress = progress.saturating_add(usize::from(result?));
            }
            // What could not be adopted stands again in every batch: it is logged, and stays watched.
            if progress == 0 {
                return Ok(adopted);
            }
            adopted = adopted.saturating_add(progress);
        }
    }

    async fn adopt_one(&self, operation: Operation) -> Result<bool, StoreError> {
        let id = operation.id;
        let Some(payment) = self.seams.store.payment(operation.payment).await? else {
            tracing::error!(operation = %id, "an operation without a payment");
            return Ok(false);
        };
        let channel = self.channel_of(&payment).ok().map(|(channel, _)| channel);
        #[cfg(feature = "crash-points")]
        crate::crash::before_adoption();
        let told = self.doubt(channel.as_deref(), Known { payment, operation }).await?;
        #[cfg(feature = "crash-points")]
        crate::crash::after_adoption();
        Ok(matches!(told, Told::Written(_)))
    }

    /// An intent whose owner is gone: nobody knows whether it was sent.
    async fn doubt(&self, channel: Option<&Channel>, known: Known) -> Result<Told, StoreError> {
        self.tell(channel, known, &Report::bare(News::Unknown), Source::Gateway, Keep::Nothing).await
    }

    /// Has what is due looked up, each by a task of its own on `spawn`, at most so many at a channel at once: a provider
    /// that hangs keeps the others waiting for nothing. Says how many were begun.
    ///
    /// # Errors
    /// The ledger's own, where it could not even say what is due.
    pub async fn recover(self: &Arc<Self>, spawn: &dyn Spawn, at_once: usize) -> Result<usize, StoreError> {
        let due = self.seams.store.due(self.seams.clock.now(), BATCH).await?;
        #[cfg(feature = "crash-points")]
        let due = if crate::crash::never_looks_up() { Vec::new() } else { due };
        let mut begun = 0_usize;
        for operation in due {
            let Some(target) = &operation.target else { continue };
            let Some(looking) = self.looking.enter(operation.id, &target.channel, at_once) else { continue };
            let engine = Arc::clone(self);
            let task = async move {
                engine.recover_one(operation).await;
                drop(looking);
            };
            if spawn.spawn(Box::pin(task)).is_err() {
                break;
            }
            begun = begun.saturating_add(1);
        }
        Ok(begun)
    }

    /// Looks through a slice of the idempotency keys and frees those whose payment has ended, and not changed for
    /// `retention`. Gives back where to go on, `None` at the end.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn forget_keys(&self, after: [u8; 16], retention: Duration) -> Result<Option<[u8; 16]>, StoreError> {
        let before = self.seams.clock.now().before(retention);
        let stale = self.seams.store.stale_claims(after, before, KEYS_LOOKED_AT).await?;
        if !stale.keys.is_empty() {
            self.seams.store.forget(stale.keys).await?;
        }
        Ok(stale.next)
    }

    async fn recover_one(&self, operation: Operation) {
        let (id, before) = (operation.id, operation.state);
        let payment = match self.seams.store.payment(operation.payment).await {
            Ok(Some(payment)) => payment,
            Ok(None) => return tracing::error!(operation = %id, "an operation without a payment"),
            Err(error) => return tracing::warn!(operation = %id, %error, "an operation could not be read"),
        };
        match self.look_up(Known { payment, operation }, Asked::Scheduled).await {
            Ok(LookedUp::Told(known)) if known.operation.state != before => {
                let state = known.operation.state.as_str();
                tracing::info!(operation = %id, before = before.as_str(), state, "a look-up settled what was open");
            }
            Ok(LookedUp::Told(_)) => {}
            Ok(LookedUp::NoNews(reason)) => tracing::info!(operation = %id, %reason, "a look-up brought no news"),
            Err(error) => tracing::warn!(operation = %id, %error, "the news of a look-up could not be written"),
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
            if let LookedUp::NoNews(reason) = self.look_up(Known { payment, operation }, Asked::ByMerchant).await? {
                not_refreshed = Some(reason);
            }
        }
        Ok(Refreshed { payment: self.payment(caller, id).await?, not_refreshed })
    }

    async fn look_up(&self, known: Known, asked: Asked) -> Result<LookedUp, StoreError> {
        let now = self.seams.clock.now();
        let (channel, account) = match self.account_of(&known) {
            Ok(found) => found,
            Err(reason) => return self.no_news(&known.operation, asked, Some(now.after(UNUSABLE_RETRY)), reason).await,
        };
        let known = match known.operation.state {
            // Its owner decides on it; a look-up now would see a call that is only on its way.
            OperationState::Intended if self.seams.live.owns(known.operation.id) => {
                let next = Some(now.after(UNDER_WAY_RETRY));
                return self.no_news(&known.operation, asked, next, "the call is still under way".into()).await;
            }
            OperationState::Intended => match self.doubt(Some(&channel), known).await? {
                Told::Written(known) => *known,
                Told::Gone | Told::Moot => {
                    return Ok(LookedUp::NoNews("the payment is gone from the ledger".into()));
                }
            },
            OperationState::InDoubt
            | OperationState::Accepted
            | OperationState::Succeeded
            | OperationState::Failed
            | OperationState::Reversed => known,
        };
        let _entered = match asked {
            Asked::Scheduled => None,
            Asked::ByMerchant => match channel.limit.enter() {
                Some(entered) => Some(entered),
                None => return Ok(LookedUp::NoNews("the channel has as many calls open as it may".into())),
            },
        };
        let capabilities = account.provider.capabilities();
        let bounds = Bounds { send_by: self.send_by(), timeout: channel.timeout };
        let call = Call { transport: account.transport.as_ref(), bounds };
        let began = self.seams.clock.uptime();
        #[cfg(feature = "crash-points")]
        crate::crash::before_look_up();
        let result = account.provider.look_up(&call, &reference(&known)).await;
        #[cfg(feature = "crash-points")]
        crate::crash::after_look_up();
        let took = self.seams.clock.uptime().0.saturating_sub(began.0);
        let kind = known.operation.kind;
        let watch = |result| self.seams.watch.looked_up(&channel.name, kind, result, took);
        let report = match result {
            Ok(Found::Known(report)) => {
                watch("found");
                report.screened()
            }
            Ok(Found::NotFound) => {
                watch("not_found");
                let counts_from = not_found_counts_from(&known.operation, channel.timeout, &capabilities);
                // Only for an operation of unknown fate, and only where the source is complete and late enough.
                if !not_found_settles(&known.operation) || !capabilities.look_up.complete || now < counts_from {
                    let next = self.next_look_up(Some(&channel), &known.payment, &known.operation, now);
                    let next = next.map(|next| next.max(counts_from));
                    let reason = "the provider does not know it yet".into();
                    return self.no_news(&known.operation, asked, next, reason).await;
                }
                return self.not_processed(&channel, known).await;
            }
            Err(error) => {
                watch("error");
                let next = self.next_look_up(Some(&channel), &known.payment, &known.operation, now);
                return self.no_news(&known.operation, asked, next, error.to_string()).await;
            }
        };
        match self.tell(Some(&channel), known, &report, Source::LookUp, Keep::Nothing).await? {
            Told::Written(known) => Ok(LookedUp::Told(known)),
            Told::Gone | Told::Moot => Ok(LookedUp::NoNews("the payment is gone from the ledger".into())),
        }
    }

    /// The provider has no such thing, and would have it. Whoever wrote other news meanwhile knows better.
    async fn not_processed(&self, channel: &Channel, known: Known) -> Result<LookedUp, StoreError> {
        let report = Report::bare(News::Refused(Failure::new(FailureCode::ProviderUnreachable)));
        let told =
            self.tell_while(not_found_settles, Some(channel), known, &report, Source::LookUp, Keep::Nothing).await?;
        match told {
            Told::Written(known) => Ok(LookedUp::Told(known)),
            Told::Moot => Ok(LookedUp::NoNews("other news came first".into())),
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

    /// A look-up that was due is put off; one that a merchant asked for changes no schedule.
    async fn no_news(
        &self,
        operation: &Operation,
        asked: Asked,
        next: Option<Timestamp>,
        reason: String,
    ) -> Result<LookedUp, StoreError> {
        match asked {
            Asked::Scheduled => self.postpone(operation, next).await?,
            Asked::ByMerchant => {}
        }
        Ok(LookedUp::NoNews(reason))
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
    pub(crate) fn first_look_up(
        &self,
        channel: &Channel,
        account: &Account,
        operation: &Operation,
    ) -> Option<Timestamp> {
        Some(not_found_counts_from(operation, channel.timeout, &account.provider.capabilities()))
    }

    /// When to ask the provider next; `None` once there is nothing left to learn.
    pub(crate) fn next_look_up(
        &self,
        channel: Option<&Channel>,
        payment: &Payment,
        operation: &Operation,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let watched = operation.state.open() || contradicts(payment, operation);
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
        OperationState::InDoubt => true,
        // Its owner may be about to send it.
        OperationState::Intended
        // The provider had it once: that it does not know it now proves nothing.
        | OperationState::Accepted
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
