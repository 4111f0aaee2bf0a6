//! Captures, voids and refunds of a payment that stands.

use crate::call::{Ask, Sending};
use crate::channel::{Account, Channel};
use crate::conclude::Known;
use crate::live::Owned;
use crate::task::Reply;
use crate::{Answered, Caller, Engine, EngineError, FollowUp, Key, Seams};
use std::sync::Arc;
use std::time::Duration;
use switchyard_core::capabilities::{MethodCapability, Parts};
use switchyard_core::method::Direction;
use switchyard_core::payment::Refusal;
use switchyard_core::provider::{Capture, ChargeRef, Refund, Void};
use switchyard_core::settle::begin;
use switchyard_core::status::OperationState;
use switchyard_core::{Money, Operation, OperationId, OperationKind, Payment, PaymentId, PaymentStatus};
use switchyard_store::{Begin, Begun, Claimed};

/// What a merchant should wait before asking for a running request's outcome again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What a key has brought so far.
pub(crate) fn replay(seams: &Seams, key: Key, claimed: Claimed) -> Result<Answered, EngineError> {
    if claimed.request != key.request {
        return Err(EngineError::KeyMismatch);
    }
    if claimed.operation.state == OperationState::Intended {
        return Err(EngineError::KeyInProgress { retry_after: ASK_AGAIN_AFTER });
    }
    seams.watch.replayed();
    let answer = claimed.answer.unwrap_or_else(|| seams.render.answer(&claimed.payment, &claimed.operation));
    Ok(Answered { answer, replayed: true, form: claimed.form })
}

/// An intent that is durable.
struct Intent {
    known: Known,
    channel: Arc<Channel>,
    account: Account,
    ask: Ask,
    send_by: switchyard_core::clock::Uptime,
    _entered: crate::channel::Entered,
    _owned: Option<Owned>,
}

/// How an intent ended before it was sent, or that it goes on.
enum Started {
    Go(Box<Intent>),
    Answered(Answered),
}

impl Engine {
    /// Captures, voids or refunds.
    ///
    /// # Errors
    /// [`EngineError`]; nothing was recorded then.
    pub async fn follow_up(
        self: &Arc<Self>,
        caller: Caller,
        key: Key,
        payment: PaymentId,
        ask: FollowUp,
    ) -> Result<Answered, EngineError> {
        let engine = Arc::clone(self);
        self.owned(move |reply| async move { engine.follow(caller, key, payment, ask, reply).await }).await
    }

    async fn follow(
        self: Arc<Self>,
        caller: Caller,
        key: Key,
        payment: PaymentId,
        ask: FollowUp,
        mut reply: Reply<Result<Answered, EngineError>>,
    ) {
        let begun = match self.begin_follow_up(&caller, key, payment, &ask).await {
            Ok(Started::Go(begun)) => *begun,
            Ok(Started::Answered(answered)) => return reply.send(Ok(answered)),
            Err(error) => return reply.send(Err(error)),
        };
        let Intent { known, channel, account, ask, send_by, _entered, _owned } = begun;
        let sending = Sending { mode: caller.mode, kind: known.operation.kind, ask, send_by, probe: None };
        let (report, source) = self.call(&channel, &account, sending).await;
        self.conclude(&channel, known, report, source, |answer| {
            reply.send(answer.map(|answer| Answered { answer, replayed: false, form: key.form }));
        })
        .await;
    }

    /// Reads, checks, writes; again where another operation of the payment was written in between.
    async fn begin_follow_up(
        &self,
        caller: &Caller,
        key: Key,
        id: PaymentId,
        ask: &FollowUp,
    ) -> Result<Started, EngineError> {
        loop {
            // Both of one moment: a refusal must not speak of sums that the request's own original has taken.
            let (claimed, payment) = self.seams.store.claimed(key.key, id).await?;
            if let Some(claimed) = claimed {
                return replay(&self.seams, key, claimed).map(Started::Answered);
            }
            let payment = payment.filter(|payment| caller.owns(payment)).ok_or(EngineError::NotFound)?;
            let (channel, account) = self.channel_of(&payment)?;
            self.require_same_account(&payment, &account).await?;
            // Both clocks of one moment: what the ledger says of the deadline is what the transport keeps.
            let send_by = self.send_by();
            let operation = self.draft_follow_up(&payment, &account, ask)?;
            let ask = ask_provider(&payment, &operation);
            let entered = channel.limit.enter().ok_or(EngineError::Overloaded)?;
            let moved = begin(payment, operation, self.seams.clock.now())?;
            let mut known = Known { payment: moved.payment, operation: moved.operation };
            known.operation.next_look_up_at = self.first_look_up(&channel, &account, &known.operation);
            let owned = self.seams.live.own(known.operation.id);
            let command = Begin {
                claim: Some(key),
                payment: known.payment.clone(),
                operation: known.operation.clone(),
                events: moved.events,
                answer: None,
            };
            match self.seams.store.begin(command).await? {
                Begun::Done => {
                    known.payment.version = known.payment.version.saturating_add(1);
                    known.operation.version = known.operation.version.saturating_add(1);
                    let begun = Intent { known, channel, account, ask, send_by, _entered: entered, _owned: owned };
                    return Ok(Started::Go(Box::new(begun)));
                }
                Begun::KeyTaken(claimed) => return replay(&self.seams, key, *claimed).map(Started::Answered),
                Begun::ReferenceOpen(_) | Begun::Stale => {}
            }
        }
    }

    /// The payment's own channel, whatever its status.
    pub(crate) fn channel_of(&self, payment: &Payment) -> Result<(Arc<Channel>, Account), EngineError> {
        let Some(name) = &payment.decided.channel else {
            return Err(Refusal::WrongState(payment.status).into());
        };
        let unusable = |reason: &str| EngineError::Unsupported { channel: name.clone(), reason: reason.to_owned() };
        let connected = self.connected(&self.seams.board.in_force());
        let channel = connected.channels.get(name).ok_or_else(|| unusable("is not configured any more"))?;
        let account = channel.account(payment.mode).ok_or_else(|| unusable("has no working credentials"))?;
        Ok((Arc::clone(channel), account.clone()))
    }

    /// Refuses where the charge was made at another account or address than the channel has by now.
    async fn require_same_account(&self, payment: &Payment, account: &Account) -> Result<(), EngineError> {
        let Some(&first) = payment.operations.first() else { return Ok(()) };
        let charge = self.seams.store.operation(first).await?;
        let made_at = charge.and_then(|charge| charge.target);
        if made_at.as_deref() == Some(account.target.as_ref()) {
            return Ok(());
        }
        let reason = "leads to another account or address than the one that has the charge".to_owned();
        Err(EngineError::Unsupported { channel: account.target.channel.clone(), reason })
    }

    fn draft_follow_up(&self, payment: &Payment, account: &Account, ask: &FollowUp) -> Result<Operation, EngineError> {
        let capabilities = account.provider.capabilities();
        let can = capabilities.method(payment.method, Direction::Payin);
        let (kind, asked, left, reason) = match ask {
            FollowUp::Capture { amount, .. } => (OperationKind::Capture, *amount, payment.capturable(), None),
            FollowUp::Void { reason } => {
                let rest = payment.authorized.saturating_sub(payment.captured).saturating_sub(payment.released);
                (OperationKind::Void, None, rest.max(0), reason.clone())
            }
            FollowUp::Refund { amount, reason } => {
                (OperationKind::Refund, *amount, payment.refundable(), reason.clone())
            }
        };
        let last = match ask {
            FollowUp::Capture { last, .. } => *last || can.is_some_and(|can| can.captures <= Parts::Part),
            FollowUp::Void { .. } | FollowUp::Refund { .. } => false,
        };
        let now = self.seams.clock.now();
        // With nothing left, one unit is asked for so that the refusal says what is wrong.
        let amount = match (kind, asked.unwrap_or(left)) {
            (OperationKind::Capture | OperationKind::Refund, 0) => 1,
            (_, amount) => amount,
        };
        let id = OperationId::from_uuid(self.seams.clock.uuid());
        let target = Some(Arc::clone(&account.target));
        let operation = Operation { last, reason, target, ..Operation::intended(id, payment.id, kind, amount, now) };
        // What the payment's state or sums forbid is said before what its channel cannot do.
        begin(payment.clone(), operation.clone(), now)?;
        if let Some(reason) = can
            .map_or(Some("does not serve this method any more".to_owned()), |can| unsupported(can, payment, &operation))
        {
            let channel = account.target.channel.clone();
            return Err(EngineError::Unsupported { channel, reason });
        }
        Ok(operation)
    }
}

impl Caller {
    /// Another merchant's payment, or one of the other books, does not exist for this caller.
    pub(crate) fn owns(&self, payment: &Payment) -> bool {
        payment.merchant == self.merchant && payment.mode == self.mode
    }
}

/// Why the channel cannot do it, if it cannot.
fn unsupported(can: &MethodCapability, payment: &Payment, operation: &Operation) -> Option<String> {
    let parts = |parts: Parts, what: &str, whole: i64, before: i64| match parts {
        Parts::No => Some(format!("does not offer {what}s")),
        Parts::Whole if operation.amount != whole => Some(format!("takes one {what} of the whole amount only")),
        Parts::Whole | Parts::Part if before > 0 => Some(format!("takes one {what} only")),
        Parts::Whole | Parts::Part | Parts::Many => None,
    };
    match operation.kind {
        OperationKind::Authorize | OperationKind::Sale => None,
        OperationKind::Capture => parts(can.captures, "capture", payment.authorized, payment.captured),
        OperationKind::Refund => {
            let before = payment.captured.saturating_sub(payment.refundable());
            parts(can.refunds, "refund", payment.captured, before)
        }
        OperationKind::Void if payment.status == PaymentStatus::RequiresAction => {
            (!can.cancel_waiting).then(|| "cannot call off a payment that waits for its payer".to_owned())
        }
        OperationKind::Void => (!can.void).then(|| "does not offer voids".to_owned()),
    }
}

fn ask_provider(payment: &Payment, operation: &Operation) -> Ask {
    let currency = payment.amount.currency();
    let amount = Money::new(operation.amount, currency).unwrap_or_else(|| Money::zero(currency));
    let charge = charge_ref(payment);
    match operation.kind {
        OperationKind::Authorize | OperationKind::Sale | OperationKind::Capture => {
            Ask::Capture(Capture { operation: operation.id, charge, amount, last: operation.last })
        }
        OperationKind::Void => Ask::Void(Void { operation: operation.id, charge, amount }),
        OperationKind::Refund => {
            Ask::Refund(Refund { operation: operation.id, charge, amount, reason: operation.reason.clone() })
        }
    }
}

/// The payment's charge at the provider: its first operation made it.
pub(crate) fn charge_ref(payment: &Payment) -> ChargeRef {
    let made_by = payment.operations.first().copied();
    ChargeRef {
        operation: made_by.unwrap_or_else(|| OperationId::from_uuid(payment.id.uuid())),
        provider_reference: payment.provider_reference.clone(),
    }
}
