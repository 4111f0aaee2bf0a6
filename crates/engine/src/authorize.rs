//! A new payment.

use crate::call::{Ask, Sending};
use crate::channel::{Account, Channel, Entered};
use crate::conclude::Known;
use crate::follow_up::replay;
use crate::live::Owned;
use crate::route::{Probe, Routed};
use crate::task::Reply;
use crate::{Answered, Caller, Engine, EngineError, Key, NewPayment, Outcome};
use std::sync::Arc;
use switchyard_core::clock::Uptime;
use switchyard_core::payment::{CaptureMode, Decided, News, Source};
use switchyard_core::provider::Authorize;
use switchyard_core::settle::{Report, begin, settle};
use switchyard_core::{
    Failure, FailureCode, Operation, OperationId, OperationKind, Payment, PaymentId, PaymentStatus, Route, Timestamp,
};
use switchyard_store::{Begin, Begun};

/// Everything that a new payment's task needs.
struct Start {
    key: Key,
    known: Known,
    ask: Box<Authorize>,
    way: Way,
    send_by: Uptime,
    probe: Option<Probe>,
    owned: Option<Owned>,
}

/// Where a payment goes.
enum Way {
    /// To this channel, which has a place for it.
    Channel(Arc<Channel>, Account, Entered),
    /// Nowhere, for this reason.
    Nowhere(FailureCode),
}

impl Engine {
    /// Routes, authorizes and, unless capture is manual, captures.
    ///
    /// # Errors
    /// [`EngineError`]; nothing was recorded then.
    pub async fn create_payment(
        self: &Arc<Self>,
        caller: Caller,
        key: Key,
        ask: NewPayment,
    ) -> Result<Answered, EngineError> {
        let reserved = match ask.route {
            Some(route) => self.seams.store.route(route).await?,
            None => None,
        };
        let start = match self.start(caller, key, ask, reserved) {
            Ok(start) => start,
            // What is refused today may have been carried out yesterday: the key's own answer comes first.
            Err(error) => return self.already(key).await?.ok_or(error),
        };
        let engine = Arc::clone(self);
        self.owned(move |reply| async move { engine.authorize(start, reply).await }).await
    }

    fn start(&self, caller: Caller, key: Key, ask: NewPayment, reserved: Option<Route>) -> Result<Start, EngineError> {
        let id = PaymentId::from_uuid(self.seams.clock.uuid());
        let routed = match ask.route {
            Some(_) => self.follow_route(&caller, &ask, reserved)?,
            None => self.route(&caller, id, &ask)?,
        };
        let Routed { decided, channel, token, failure, probe } = routed;
        let way = match (channel, failure) {
            (Some((channel, account)), _) => match channel.limit.enter() {
                Some(entered) => Way::Channel(channel, account, entered),
                None => Way::Nowhere(FailureCode::ChannelSaturated),
            },
            (None, failure) => Way::Nowhere(failure.unwrap_or(FailureCode::NoChannelAvailable)),
        };
        let operation = OperationId::from_uuid(self.seams.clock.uuid());
        // Both clocks of one moment: what the ledger says of the deadline is what the transport keeps.
        let send_by = self.send_by();
        let owned = self.seams.live.own(operation);
        let known = self.draft(caller, id, operation, &ask, decided, &way);
        let ask = Box::new(Authorize {
            operation,
            amount: ask.amount,
            capture: ask.capture,
            method: ask.method,
            token,
            country: ask.country,
            return_url: ask.return_url,
            statement_descriptor: ask.statement_descriptor,
            description: ask.description,
            customer: ask.customer,
            billing_address: ask.billing_address,
            shipping_address: ask.shipping_address,
            browser: ask.browser,
        });
        Ok(Start { key, known, ask, way, send_by, probe, owned })
    }

    /// What the key has brought before, if it was used: the answer to a request that would be refused today.
    ///
    /// # Errors
    /// As a repeat of the request would have; the ledger's own.
    pub async fn already(&self, key: Key) -> Result<Option<Answered>, EngineError> {
        let nobody = PaymentId::from_uuid(self.seams.clock.uuid());
        let (claimed, _) = self.seams.store.claimed(key.key, nobody).await?;
        claimed.map(|claimed| replay(&self.seams, key, claimed)).transpose()
    }

    fn draft(
        &self,
        caller: Caller,
        id: PaymentId,
        operation: OperationId,
        ask: &NewPayment,
        decided: Decided,
        way: &Way,
    ) -> Known {
        let now = self.seams.clock.now();
        let (target, provider) = match way {
            Way::Channel(channel, account, _) => {
                (Some(Arc::clone(&account.target)), Some(Arc::clone(&channel.provider)))
            }
            Way::Nowhere(_) => (None, None),
        };
        let payment = Payment {
            id,
            merchant: caller.merchant,
            mode: caller.mode,
            status: PaymentStatus::Processing,
            amount: ask.amount,
            authorized: 0,
            captured: 0,
            released: 0,
            refunded: 0,
            pending: Vec::with_capacity(1),
            operations: Vec::with_capacity(1),
            country: ask.country,
            order_type: ask.order_type.clone(),
            reference: ask.reference.clone(),
            method: ask.method,
            capture: ask.capture,
            card: None,
            checks: None,
            capture_before: None,
            next_action: None,
            failure: None,
            last_failure: None,
            decided,
            provider,
            provider_reference: None,
            observed: None,
            contradiction: None,
            statement_descriptor: ask.statement_descriptor.clone(),
            description: ask.description.clone(),
            customer: ask.customer.as_ref().and_then(|customer| customer.id.clone()),
            metadata: ask.metadata.clone(),
            allow_duplicate_reference: ask.allow_duplicate_reference,
            webhook_endpoint: ask.webhook_endpoint,
            created_at: now,
            updated_at: now,
            events: 0,
            version: 0,
        };
        let kind = match ask.capture {
            CaptureMode::Automatic => OperationKind::Sale,
            CaptureMode::Manual => OperationKind::Authorize,
        };
        let operation = Operation { target, ..Operation::intended(operation, id, kind, ask.amount.minor(), now) };
        Known { payment, operation }
    }

    async fn authorize(self: Arc<Self>, start: Start, mut reply: Reply<Result<Answered, EngineError>>) {
        let Start { key, known, ask, way, send_by, probe, owned: _owned } = start;
        let Known { payment, operation } = known;
        let now = payment.created_at;
        let moved = match begin(payment, operation, now) {
            Ok(moved) => moved,
            Err(refusal) => return reply.send(Err(refusal.into())),
        };
        let (channel, account, _entered) = match way {
            Way::Channel(channel, account, entered) => (channel, account, entered),
            Way::Nowhere(code) => return reply.send(self.record_unrouted(key, moved, code, now).await),
        };
        let mut known = Known { payment: moved.payment, operation: moved.operation };
        known.operation.next_look_up_at = self.first_look_up(&channel, &account, &known.operation);
        let command = Begin {
            claim: Some(key),
            payment: known.payment.clone(),
            operation: known.operation.clone(),
            events: moved.events,
            answer: None,
        };
        #[cfg(feature = "crash-points")]
        let begun = if crate::crash::skips_intent() { Ok(Begun::Done) } else { self.seams.store.begin(command).await };
        #[cfg(not(feature = "crash-points"))]
        let begun = self.seams.store.begin(command).await;
        match begun {
            Ok(Begun::Done) => {}
            Ok(other) => return reply.send(self.not_begun(key, other)),
            Err(error) => return reply.send(Err(error.into())),
        }
        known.payment.version = known.payment.version.saturating_add(1);
        known.operation.version = known.operation.version.saturating_add(1);
        let (mode, kind) = (known.payment.mode, known.operation.kind);
        let sending = Sending { mode, kind, ask: Ask::Authorize(ask), send_by, probe };
        let (report, source) = self.call(&channel, &account, sending).await;
        self.conclude(&channel, known, report, source, |answer| {
            reply.send(answer.map(|answer| Answered { answer, replayed: false, form: key.form }));
        })
        .await;
    }

    /// No channel, a reject rule, a full channel: recorded as failed, with its decision, in one transaction.
    async fn record_unrouted(
        &self,
        key: Key,
        begun: switchyard_core::settle::Moved,
        code: FailureCode,
        now: Timestamp,
    ) -> Result<Answered, EngineError> {
        let report = Report::bare(News::Refused(Failure::new(code)));
        let moved = settle(begun.payment, begun.operation, &report, Source::Gateway, now);
        let mut events = begun.events;
        events.extend(moved.events);
        let answer = self.seams.render.answer(&moved.payment, &moved.operation);
        let kind = moved.operation.kind;
        let channel = moved.payment.decided.channel.clone();
        let command = Begin {
            claim: Some(key),
            payment: moved.payment,
            operation: moved.operation,
            events,
            answer: Some(answer.clone()),
        };
        match self.seams.store.begin(command).await? {
            Begun::Done => {
                self.seams.watch.settled(channel.as_ref(), kind, Outcome::Refused(code), Source::Gateway);
                Ok(Answered { answer, replayed: false, form: key.form })
            }
            other @ (Begun::KeyTaken(_) | Begun::ReferenceOpen(_) | Begun::Stale) => self.not_begun(key, other),
        }
    }

    /// What a new payment that was not begun means for the merchant.
    fn not_begun(&self, key: Key, begun: Begun) -> Result<Answered, EngineError> {
        match begun {
            Begun::KeyTaken(claimed) => replay(&self.seams, key, *claimed),
            Begun::ReferenceOpen(other) => Err(EngineError::ReferenceOpen(other)),
            // A new row cannot have moved on: its id was used before, which only a broken source of ids brings about.
            Begun::Done | Begun::Stale => Err(EngineError::Overloaded),
        }
    }
}
