//! What shall happen: the tables of test tokens and test amounts.

use crate::decline::{DO_NOT_HONOR, Decline, GENERIC};
use crate::fault::Fault;

/// What becomes of a charge, and of the answer to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) outcome: Outcome,
    pub(crate) fault: Option<Fault>,
}

/// What becomes of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Approve,
    ApproveHalf,
    Decline(&'static Decline),
    /// The payer must visit a page.
    Ask,
    /// It stays pending for a while and is then approved, or declined with this.
    Wait(Option<&'static Decline>),
}

/// What becomes of a capture, void or refund of a special amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    Fault(Fault),
    Wait,
    WaitThenFail,
    Fail,
}

impl Plan {
    /// `None` where the token is unknown.
    pub(crate) fn of(token: Option<&str>, method: &str, amount: i64) -> Option<Self> {
        token.map_or_else(|| Some(Self::without_token(method, amount)), Self::with_token)
    }

    fn with_token(token: &str) -> Option<Self> {
        let word = token.strip_prefix("tok_")?;
        if let Some(code) = word.strip_prefix("declined_") {
            return Some(Outcome::Decline(Decline::find(code)?).into());
        }
        if let Some(fault) = Fault::parse(word) {
            return Some(fault.into());
        }
        let outcome = match word {
            "approved" | "visa" | "mastercard" | "amex" | "disputed" => Outcome::Approve,
            "partial" => Outcome::ApproveHalf,
            "3ds" | "redirect" => Outcome::Ask,
            "pending" => Outcome::Wait(None),
            "pending_declined" => Outcome::Wait(Some(DO_NOT_HONOR)),
            _ => return None,
        };
        Some(outcome.into())
    }

    fn without_token(method: &str, amount: i64) -> Self {
        match Special::of(amount) {
            Some(Special::Fault(fault)) => fault.into(),
            Some(Special::Wait) => Outcome::Wait(None).into(),
            Some(Special::WaitThenFail) => Outcome::Wait(Some(DO_NOT_HONOR)).into(),
            Some(Special::Fail) => Outcome::Decline(GENERIC).into(),
            None => match method {
                "ideal" => Outcome::Ask.into(),
                "pix" | "bank_transfer" => Outcome::Wait(None).into(),
                _ => Outcome::Approve.into(),
            },
        }
    }
}

impl From<Outcome> for Plan {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, fault: None }
    }
}

impl From<Fault> for Plan {
    fn from(fault: Fault) -> Self {
        Self { outcome: Outcome::Approve, fault: Some(fault) }
    }
}

impl Special {
    /// By the last four digits of the amount.
    pub(crate) fn of(amount: i64) -> Option<Self> {
        match amount.checked_rem(10_000)? {
            7701 => Some(Self::Fault(Fault::TimeoutAfter)),
            7702 => Some(Self::Fault(Fault::TimeoutBefore)),
            7703 => Some(Self::Fault(Fault::CutAfter)),
            7704 => Some(Self::Fault(Fault::CutBefore)),
            7705 => Some(Self::Fault(Fault::ErrorAfter)),
            7706 => Some(Self::Fault(Fault::Garbage)),
            7707 => Some(Self::Wait),
            7708 => Some(Self::WaitThenFail),
            7709 => Some(Self::Fail),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(token: &str) -> Option<Plan> {
        Plan::of(Some(token), "card", 7704)
    }

    #[test]
    fn a_token_goes_before_the_amount() {
        assert_eq!(plan("tok_approved"), Some(Outcome::Approve.into()));
        assert_eq!(Plan::of(None, "card", 17704), Some(Fault::CutBefore.into()));
        assert_eq!(Plan::of(None, "ideal", 1000), Some(Outcome::Ask.into()));
    }

    #[test]
    fn declines_carry_their_codes() {
        let Some(Plan { outcome: Outcome::Decline(decline), fault: None }) = plan("tok_declined_insufficient_funds")
        else {
            panic!("not a decline");
        };
        assert_eq!((decline.network_code, decline.advice_code), (Some("51"), Some("02")));
    }

    #[test]
    fn unknown_tokens_are_refused() {
        for token in
            ["tok_refused_connection", "tok_declined_", "tok_declined_no_channel_available", "tok_", "", "approved"]
        {
            assert_eq!(plan(token), None, "{token}");
        }
    }
}
