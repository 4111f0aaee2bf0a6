//! Writing what is known, whoever learnt it first.

use crate::call::outcome_of;
use crate::channel::Channel;
use crate::{Engine, EngineError};
use std::time::Duration;
use switchyard_core::payment::{News, Source};
use switchyard_core::settle::{Moved, Report, settle};
use switchyard_core::{Operation, Payment};
use switchyard_store::{Answer, Conclude, StoreError, Written};

/// Between two tries to write a result that the ledger would not take.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// A payment and an operation as the ledger has them.
pub(crate) struct Known {
    pub(crate) payment: Payment,
    pub(crate) operation: Operation,
}

/// What became of news.
pub(crate) enum Told {
    /// It stands in the ledger, by this write or by an earlier one.
    Written(Box<Known>),
    /// The rows are gone.
    Gone,
    /// The row has moved on to where the news means nothing.
    Moot,
}

/// Whether the answer to the call itself is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The merchant waits for it: a final answer is kept with the outcome, to be given again byte for byte.
    Answer,
    /// Nobody waits.
    Nothing,
}

impl Engine {
    /// Applies `report` to what the ledger holds, again and again until a write succeeds or there is nothing to write.
    ///
    /// # Errors
    /// [`StoreError`] where the ledger failed; the news is not lost as long as the caller keeps it.
    pub(crate) async fn tell(
        &self,
        channel: Option<&Channel>,
        known: Known,
        report: &Report,
        from: Source,
        keep: Keep,
    ) -> Result<Told, StoreError> {
        self.tell_while(|_| true, channel, known, report, from, keep).await
    }

    /// As [`Engine::tell`], but only where `means` says that the news means something to the operation as it stands by
    /// then: what was concluded from a row holds for that row alone.
    pub(crate) async fn tell_while(
        &self,
        means: impl Fn(&Operation) -> bool,
        channel: Option<&Channel>,
        known: Known,
        report: &Report,
        from: Source,
        keep: Keep,
    ) -> Result<Told, StoreError> {
        let Known { mut payment, mut operation } = known;
        loop {
            if !means(&operation) {
                return Ok(Told::Moot);
            }
            let now = self.seams.clock.now();
            let (before, payment_seen, operation_seen) = (operation.clone(), payment.version, operation.version);
            let contradicted_before = payment.contradiction.clone();
            let Moved { payment: after, operation: mut operation_after, events, changed } =
                settle(payment, operation, report, from, now);
            operation_after.next_look_up_at = self.next_look_up(channel, &after, &operation_after, now);
            let answer = match keep {
                Keep::Answer => self.final_answer(&after, &operation_after),
                Keep::Nothing => None,
            };
            if !changed && answer.is_none() {
                // Nothing new; only the next look-up moves. Where the row has moved on, it has a time of its own.
                if operation_after.next_look_up_at != before.next_look_up_at {
                    self.postpone(&before, operation_after.next_look_up_at).await?;
                }
                return Ok(Told::Written(Box::new(Known { payment: after, operation: operation_after })));
            }
            let command = Conclude { payment: after.clone(), operation: operation_after.clone(), events, answer };
            match self.seams.store.conclude(command).await? {
                Written::Done => {
                    if changed {
                        let outcome = outcome_of(&report.news);
                        self.seams.watch.settled(channel.map(|it| &it.name), operation_after.kind, outcome, from);
                    }
                    if after.contradiction.is_some() && after.contradiction != contradicted_before {
                        self.contradicted(channel, &after);
                    }
                    let mut known = Known { payment: after, operation: operation_after };
                    known.payment.version = payment_seen.saturating_add(1);
                    known.operation.version = operation_seen.saturating_add(1);
                    return Ok(Told::Written(Box::new(known)));
                }
                Written::Stale => {
                    let read = self.reread(&after, &operation_after).await?;
                    let Some(read) = read else { return Ok(Told::Gone) };
                    (payment, operation) = (read.payment, read.operation);
                }
            }
        }
    }

    fn contradicted(&self, channel: Option<&Channel>, payment: &Payment) {
        let contradiction = payment.contradiction.as_deref();
        tracing::error!(payment = %payment.id, contradiction, "the provider contradicts the ledger");
        if let Some(channel) = channel {
            self.seams.watch.contradicted(&channel.name);
        }
    }

    async fn reread(&self, payment: &Payment, operation: &Operation) -> Result<Option<Known>, StoreError> {
        let (Some(payment), Some(operation)) =
            (self.seams.store.payment(payment.id).await?, self.seams.store.operation(operation.id).await?)
        else {
            return Ok(None);
        };
        Ok(Some(Known { payment, operation }))
    }

    /// Writes the outcome of a call whose merchant waits, and answers. Where the ledger fails, the merchant hears that
    /// the outcome is in doubt, never the outcome; the news is kept and tried until it is written.
    pub(crate) async fn conclude(
        &self,
        channel: &Channel,
        known: Known,
        report: Report,
        from: Source,
        mut answer: impl FnMut(Result<Answer, EngineError>),
    ) {
        let doubtful = self.in_doubt_answer(&known);
        let (payment, operation) = (known.payment.clone(), known.operation.clone());
        let mut known = Some(known);
        #[cfg(feature = "crash-points")]
        crate::crash::before_conclusion();
        loop {
            let start = match known.take() {
                Some(known) => Ok(Some(known)),
                None => self.reread(&payment, &operation).await,
            };
            let told = match start {
                Ok(Some(start)) => self.tell(Some(channel), start, &report, from, Keep::Answer).await,
                Ok(None) => Ok(Told::Gone),
                Err(error) => Err(error),
            };
            match told {
                Ok(Told::Written(known)) => {
                    #[cfg(feature = "crash-points")]
                    crate::crash::after_conclusion();
                    answer(Ok(self.seams.render.answer(&known.payment, &known.operation)));
                    return;
                }
                Ok(Told::Gone | Told::Moot) => {
                    tracing::error!(payment = %payment.id, "an operation under way is gone from the ledger");
                    answer(Ok(doubtful));
                    return;
                }
                Err(error) => {
                    tracing::error!(payment = %payment.id, %error, "the outcome of a call could not be written yet");
                    answer(Ok(doubtful.clone()));
                    self.seams.clock.sleep(TRY_AGAIN_AFTER).await;
                }
            }
        }
    }

    /// What the merchant is told when the outcome could not be made durable.
    fn in_doubt_answer(&self, known: &Known) -> Answer {
        let unknown = Report::bare(News::Unknown);
        let now = self.seams.clock.now();
        let moved = settle(known.payment.clone(), known.operation.clone(), &unknown, Source::Gateway, now);
        self.seams.render.answer(&moved.payment, &moved.operation)
    }

    /// An answer is final when nothing that it says of this request can change by itself.
    fn final_answer(&self, payment: &Payment, operation: &Operation) -> Option<Answer> {
        let open = if operation.kind.creates_the_charge() {
            payment.status.open() || payment.in_doubt()
        } else {
            operation.state.open()
        };
        #[cfg(feature = "crash-points")]
        let open = open || crate::crash::keeps_no_answer();
        (!open).then(|| self.seams.render.answer(payment, operation))
    }
}
