//! The states of a dispute, and what moves them. They follow the provider, which follows the scheme.

use crate::status::{DisputeStage, DisputeStatus};

/// A dispute's place: how far the scheme's procedure has come, and whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisputeState {
    /// How far it has come.
    pub stage: DisputeStage,
    /// Whose turn it is, or how it ended.
    pub status: DisputeStatus,
}

impl DisputeState {
    /// The only place where a dispute's state changes. News may come twice, late and in any order: a stage never goes
    /// back, and within one stage an end is undone by nothing. A later stage may reopen what was won.
    #[must_use]
    pub fn on(self, news: Self) -> Self {
        use std::cmp::Ordering::{Equal, Greater, Less};
        match (news.stage.cmp(&self.stage), self.status) {
            (Less, _) => self,
            // The next stage begins because the one before was won or answered; what was given up or lost stays so.
            (Greater, DisputeStatus::NeedsResponse | DisputeStatus::UnderReview | DisputeStatus::Won) => news,
            (Greater, DisputeStatus::Lost | DisputeStatus::Accepted | DisputeStatus::Closed) => self,
            (Equal, DisputeStatus::NeedsResponse) => news,
            (Equal, DisputeStatus::UnderReview) => match news.status {
                // Evidence was handed in: asking for it again is old news.
                DisputeStatus::NeedsResponse => self,
                DisputeStatus::UnderReview
                | DisputeStatus::Won
                | DisputeStatus::Lost
                | DisputeStatus::Accepted
                | DisputeStatus::Closed => news,
            },
            (Equal, DisputeStatus::Won | DisputeStatus::Lost | DisputeStatus::Accepted | DisputeStatus::Closed) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> impl Iterator<Item = DisputeState> {
        let of = |&stage: &DisputeStage| DisputeStatus::ALL.iter().map(move |&status| DisputeState { stage, status });
        DisputeStage::ALL.iter().flat_map(of)
    }

    #[test]
    fn stages_never_go_back_and_repeats_change_nothing() {
        for before in states() {
            for news in states() {
                let after = before.on(news);
                assert!(after.stage >= before.stage, "{before:?} {news:?}");
                assert_eq!(after.on(news), after, "{before:?} {news:?}");
            }
        }
    }

    #[test]
    fn what_was_won_may_reopen_at_a_later_stage_only() {
        let won = DisputeState { stage: DisputeStage::Chargeback, status: DisputeStatus::Won };
        let again = DisputeState { stage: DisputeStage::PreArbitration, status: DisputeStatus::NeedsResponse };
        assert_eq!(won.on(again), again);
        assert_eq!(won.on(DisputeState { status: DisputeStatus::NeedsResponse, ..won }), won);
        let lost = DisputeState { status: DisputeStatus::Lost, ..won };
        assert_eq!(lost.on(again), lost);
    }
}
