//! A charge, and the only functions that move its status and sums.

use crate::account::Mode;
use crate::clock::Millis;
use crate::decline::{AUTHENTICATION_FAILED, CANCELED_BY_PAYER, Decline, GENERIC};
use crate::error::Refusal;
use crate::limits::{AUTHORIZATION_MS, EXPIRY_POSTPONED_MS, PAGE_MS};
use crate::operation::{Held, Kind};
use crate::request::{CaptureMode, ChargeRequest, OperationRequest};
use crate::token::Outcome;
use crate::words::words;

words! {
    Status {
        Pending = "pending",
        RequiresAction = "requires_action",
        Authorized = "authorized",
        Captured = "captured",
        Voided = "voided",
        Expired = "expired",
        Declined = "declined",
    }
}

words! {
    /// How an open charge is settled: by its payer, by control, or by time.
    Verdict {
        Approve = "approve",
        Decline = "decline",
        Expire = "expire",
    }
}

/// A charge, as the ledger has it.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub(crate) number: i64,
    pub(crate) book: i64,
    pub(crate) mode: Mode,
    pub(crate) key: String,
    pub(crate) request: ChargeRequest,
    pub(crate) status: Status,
    pub(crate) sums: Sums,
    /// Why it was declined; while it is pending, why it is going to be.
    pub(crate) failure: Option<&'static Decline>,
    pub(crate) created_at: Millis,
    /// When time moves it: the end of `pending`, or of the page's or the authorization's validity.
    pub(crate) due_at: Option<Millis>,
}

/// In the charge's currency. Open operations count in `capturing`, `refunding` and `released`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) authorized: i64,
    pub(crate) captured: i64,
    pub(crate) capturing: i64,
    pub(crate) refunded: i64,
    pub(crate) refunding: i64,
    pub(crate) released: i64,
}

impl Charge {
    /// A new charge, not in the ledger yet: its number is 0.
    pub(crate) fn open(
        book: i64,
        mode: Mode,
        key: String,
        request: ChargeRequest,
        outcome: Outcome,
        now: Millis,
        pending_ms: i64,
    ) -> Self {
        let mut charge = Self {
            number: 0,
            book,
            mode,
            key,
            request,
            status: Status::Pending,
            sums: Sums::default(),
            failure: None,
            created_at: now,
            due_at: None,
        };
        match outcome {
            Outcome::Approve => charge.approve(charge.request.amount, now),
            Outcome::ApproveHalf => charge.approve((charge.request.amount / 2).max(1), now),
            Outcome::Decline(decline) => charge.decline(decline),
            Outcome::Ask => {
                charge.status = Status::RequiresAction;
                charge.due_at = Some(now.after(PAGE_MS));
            }
            Outcome::Wait(failure) => {
                charge.failure = failure;
                charge.due_at = Some(now.after(pending_ms));
            }
        }
        charge
    }

    pub(crate) fn reference(&self) -> &str {
        self.request.reference.as_deref().unwrap_or(&self.key)
    }

    pub(crate) fn capturable(&self) -> i64 {
        let Sums { authorized, captured, capturing, released, .. } = self.sums;
        match self.status {
            Status::Authorized => {
                authorized.saturating_sub(captured).saturating_sub(capturing).saturating_sub(released)
            }
            Status::Pending
            | Status::RequiresAction
            | Status::Captured
            | Status::Voided
            | Status::Expired
            | Status::Declined => 0,
        }
    }

    fn refundable(&self) -> i64 {
        self.sums.captured.saturating_sub(self.sums.refunded).saturating_sub(self.sums.refunding)
    }

    /// Sets aside what an operation asks for, or says why that is impossible. [`Self::conclude`] must follow.
    pub(crate) fn reserve(&mut self, kind: Kind, request: &OperationRequest) -> Result<Held, Refusal> {
        match kind {
            Kind::Capture => self.reserve_capture(request.amount, request.r#final.unwrap_or_default()),
            Kind::Void => self.reserve_void(),
            Kind::Refund => self.reserve_refund(request.amount),
        }
    }

    fn reserve_capture(&mut self, amount: Option<i64>, last: bool) -> Result<Held, Refusal> {
        if let Some(refusal) = self.closed() {
            return Err(refusal);
        }
        let capturable = self.capturable();
        if capturable == 0 || (last && self.sums.capturing > 0) {
            return Err(Refusal::UnexpectedState);
        }
        let amount = within(amount, capturable)?;
        let released = if last { capturable.saturating_sub(amount) } else { 0 };
        add(&mut self.sums.capturing, amount);
        add(&mut self.sums.released, released);
        Ok(Held { amount, released })
    }

    fn reserve_void(&mut self) -> Result<Held, Refusal> {
        if matches!(self.status, Status::Pending | Status::RequiresAction) {
            return Ok(Held { amount: 0, released: 0 });
        }
        if let Some(refusal) = self.closed() {
            return Err(refusal);
        }
        let rest = self.capturable();
        if rest == 0 || self.sums.capturing > 0 {
            return Err(Refusal::UnexpectedState);
        }
        add(&mut self.sums.released, rest);
        Ok(Held { amount: rest, released: rest })
    }

    fn reserve_refund(&mut self, amount: Option<i64>) -> Result<Held, Refusal> {
        if self.sums.captured == 0 {
            return Err(match self.status {
                Status::Voided => Refusal::AlreadyVoided,
                Status::Expired => Refusal::ChargeExpired,
                Status::Pending | Status::RequiresAction | Status::Authorized | Status::Captured | Status::Declined => {
                    Refusal::UnexpectedState
                }
            });
        }
        let refundable = self.refundable();
        if refundable == 0 {
            return Err(Refusal::AlreadyRefunded);
        }
        let amount = within(amount, refundable)?;
        add(&mut self.sums.refunding, amount);
        Ok(Held { amount, released: 0 })
    }

    /// Why nothing can be captured or voided any more. `None` while the charge is authorized.
    const fn closed(&self) -> Option<Refusal> {
        match self.status {
            Status::Authorized => None,
            Status::Captured => Some(Refusal::AlreadyCaptured),
            Status::Voided => Some(Refusal::AlreadyVoided),
            Status::Expired => Some(Refusal::ChargeExpired),
            Status::Pending | Status::RequiresAction | Status::Declined => Some(Refusal::UnexpectedState),
        }
    }

    /// Ends what [`Self::reserve`] began: the sums move, or are as if it had never been asked for.
    pub(crate) fn conclude(&mut self, kind: Kind, held: Held, succeeded: bool) {
        match kind {
            Kind::Capture => {
                take(&mut self.sums.capturing, held.amount);
                if succeeded {
                    add(&mut self.sums.captured, held.amount);
                    if self.capturable() == 0 && self.sums.capturing == 0 {
                        self.close(Status::Captured);
                    }
                }
            }
            Kind::Void if succeeded => self.close(Status::Voided),
            Kind::Void => {}
            Kind::Refund => {
                take(&mut self.sums.refunding, held.amount);
                if succeeded {
                    add(&mut self.sums.refunded, held.amount);
                }
            }
        }
        if !succeeded {
            take(&mut self.sums.released, held.released);
        }
    }

    /// Settles an open charge. An authorization can only expire.
    pub(crate) fn settle(&mut self, verdict: Verdict, now: Millis) -> Result<(), Refusal> {
        let open = matches!(self.status, Status::Pending | Status::RequiresAction);
        match verdict {
            Verdict::Approve if open => self.approve(self.request.amount, now),
            Verdict::Decline if open => self.decline(self.failure.unwrap_or_else(|| self.payers_no())),
            Verdict::Expire if open => self.close(Status::Expired),
            Verdict::Expire if self.capturable() > 0 && self.sums.capturing == 0 => {
                let rest = self.capturable();
                add(&mut self.sums.released, rest);
                self.close(Status::Expired);
            }
            Verdict::Approve | Verdict::Decline | Verdict::Expire => return Err(Refusal::UnexpectedState),
        }
        Ok(())
    }

    /// Moves on what time moves, once `due_at` is reached.
    pub(crate) fn fall_due(&mut self, now: Millis) {
        let verdict = match self.status {
            Status::Pending if self.failure.is_some() => Verdict::Decline,
            Status::Pending => Verdict::Approve,
            Status::RequiresAction | Status::Authorized => Verdict::Expire,
            Status::Captured | Status::Voided | Status::Expired | Status::Declined => {
                self.due_at = None;
                return;
            }
        };
        if self.settle(verdict, now).is_err() {
            self.due_at = Some(now.after(EXPIRY_POSTPONED_MS));
        }
    }

    /// What the payer's no on the page, or a decline by control, is called.
    fn payers_no(&self) -> &'static Decline {
        match (self.status, self.request.token.as_deref()) {
            (Status::RequiresAction, Some("tok_3ds")) => AUTHENTICATION_FAILED,
            (Status::RequiresAction, _) => CANCELED_BY_PAYER,
            _ => GENERIC,
        }
    }

    fn approve(&mut self, amount: i64, now: Millis) {
        self.failure = None;
        self.sums.authorized = amount;
        match self.request.capture {
            CaptureMode::Automatic => {
                self.sums.captured = amount;
                self.close(Status::Captured);
            }
            CaptureMode::Manual => {
                self.status = Status::Authorized;
                self.due_at = Some(now.after(AUTHORIZATION_MS));
            }
        }
    }

    fn decline(&mut self, decline: &'static Decline) {
        self.failure = Some(decline);
        self.close(Status::Declined);
    }

    /// Where something was captured, a void or expiry of the rest closes it as captured.
    fn close(&mut self, status: Status) {
        self.status = if self.sums.captured > 0 { Status::Captured } else { status };
        self.due_at = None;
        if self.status != Status::Declined {
            self.failure = None;
        }
    }
}

fn within(amount: Option<i64>, left: i64) -> Result<i64, Refusal> {
    let amount = amount.unwrap_or(left);
    if amount > left { Err(Refusal::AmountTooLarge) } else { Ok(amount) }
}

/// Amounts have twelve digits: these sums cannot overflow.
const fn add(sum: &mut i64, amount: i64) {
    *sum = sum.saturating_add(amount);
}

const fn take(sum: &mut i64, amount: i64) {
    *sum = sum.saturating_sub(amount);
}

#[cfg(test)]
#[path = "charge_tests.rs"]
mod tests;
