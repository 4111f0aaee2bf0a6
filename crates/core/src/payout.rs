//! The states of money sent out, and what moves them.

use crate::status::PayoutStatus;

/// What is heard of a payout, from whoever tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayoutNews {
    /// The second key that it needed has approved it.
    Approved,
    /// Nobody knows yet, or the provider has it and says no more.
    Pending,
    /// The money has left.
    Paid,
    /// The money has not left, and never will.
    Refused,
    /// The money has left, and came back.
    Returned,
    /// Called off before it was sent, or at the provider before the money left.
    Canceled,
}

/// What is known denies what is heard: a person looks, nothing is overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the payout is {}, but it is said to be {said:?}", known.as_str())]
pub struct PayoutContradiction {
    /// What is known.
    pub known: PayoutStatus,
    /// What is heard.
    pub said: PayoutNews,
}

impl PayoutStatus {
    /// The only place where a payout's state changes. News may come twice, late and in any order.
    ///
    /// # Errors
    /// [`PayoutContradiction`] where the news denies what is known.
    pub fn on(self, news: PayoutNews) -> Result<Self, PayoutContradiction> {
        use PayoutNews as N;
        use PayoutStatus::{Canceled, Failed, Paid, Processing, RequiresApproval, Returned};
        match (self, news) {
            (RequiresApproval, N::Approved) => Ok(Processing),
            (RequiresApproval | Processing, N::Canceled) => Ok(Canceled),
            (Processing, N::Paid) => Ok(Paid),
            (Processing, N::Refused) => Ok(Failed),
            // A return tells that it was paid, whether or not that was heard.
            (Processing | Paid, N::Returned) => Ok(Returned),
            // Known already, or older than what is known.
            (Processing | Paid | Failed | Returned | Canceled, N::Approved | N::Pending)
            | (Paid | Returned, N::Paid)
            | (Failed, N::Refused)
            | (Returned, N::Returned)
            | (Canceled, N::Canceled | N::Refused)
            | (Failed, N::Canceled) => Ok(self),
            // Whether money left is at stake, or something was sent that nobody approved.
            (RequiresApproval, N::Pending | N::Paid | N::Refused | N::Returned)
            | (Paid | Returned, N::Refused | N::Canceled)
            | (Failed | Canceled, N::Paid | N::Returned) => Err(PayoutContradiction { known: self, said: news }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWS: [PayoutNews; 6] = [
        PayoutNews::Approved,
        PayoutNews::Pending,
        PayoutNews::Paid,
        PayoutNews::Refused,
        PayoutNews::Returned,
        PayoutNews::Canceled,
    ];

    #[test]
    fn nothing_is_paid_that_was_not_approved() {
        assert!(PayoutStatus::RequiresApproval.on(PayoutNews::Paid).is_err());
        assert_eq!(PayoutStatus::RequiresApproval.on(PayoutNews::Approved), Ok(PayoutStatus::Processing));
    }

    #[test]
    fn hearing_it_again_changes_nothing() {
        for &status in PayoutStatus::ALL {
            for news in NEWS {
                if let Ok(after) = status.on(news) {
                    assert_eq!(after.on(news), Ok(after), "{status:?} {news:?}");
                }
            }
        }
    }

    #[test]
    fn what_has_ended_moves_by_a_return_only() {
        for status in [PayoutStatus::Paid, PayoutStatus::Failed, PayoutStatus::Returned, PayoutStatus::Canceled] {
            for news in NEWS {
                let after = status.on(news).unwrap_or(status);
                let returned = status == PayoutStatus::Paid && news == PayoutNews::Returned;
                assert_eq!(after != status, returned, "{status:?} {news:?}");
            }
        }
    }
}
