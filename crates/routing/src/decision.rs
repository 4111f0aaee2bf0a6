//! What was decided about a payment, and why.

use crate::channel::Channel;
use crate::domain::Point;
use crate::facts::Facts;
use crate::offer::Offer;
use crate::refusal::{Candidate, Verdict};
use crate::rule::{Action, Rule, Target};
use crate::rule_set::RuleSet;
use crate::snapshot::{Snapshot, Standing};
use crate::split;
use switchyard_core::{ChannelName, Mode, PaymentId};

/// What the rules say about one payment. The same facts, offer, snapshot and id under a rule set of the same hash give
/// the same decision, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'r> {
    /// The deciding rule; `None` where no rule matches, which a checked rule set rules out for declared channels.
    pub rule: Option<&'r str>,
    /// What it comes to.
    pub outcome: Outcome<'r>,
    /// Why.
    pub reason: Reason,
}

/// What a decision comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'r> {
    /// This channel serves the payment.
    Channel {
        /// Its name.
        channel: &'r ChannelName,
        /// Its provider's name.
        provider: &'r str,
    },
    /// A rule refuses it: `rejected_by_rule`.
    Rejected {
        /// The rule's own words.
        message: &'r str,
    },
    /// There is no channel for it: `no_channel_available`.
    NoChannel,
}

/// Why a decision came out as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// `use`: the first eligible channel that is up.
    FirstUp,
    /// `use`: none is up; the first eligible one that is degraded.
    FirstDegraded,
    /// `split` among eligible channels that are up.
    SplitUp,
    /// `split` among eligible degraded channels, since none is up.
    SplitDegraded,
    /// `reject`.
    Rejected,
    /// No channel of the rule can serve this payment, whatever its status.
    NoneEligible,
    /// Channels of the rule could serve it, but none of them is up or degraded.
    NoneAvailable,
    /// No rule matches.
    NoRule,
}

impl Reason {
    /// As the payment's `route.reason` says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstUp => "first channel up",
            Self::FirstDegraded => "first channel degraded, none is up",
            Self::SplitUp => "share of the split",
            Self::SplitDegraded => "share of the split among degraded channels, none is up",
            Self::Rejected => "rejected by rule",
            Self::NoneEligible => "no channel of the rule can serve this payment",
            Self::NoneAvailable => "no channel of the rule that can serve this payment is up",
            Self::NoRule => "no rule matches",
        }
    }
}

impl<'r> Decision<'r> {
    /// The chosen channel, if one was.
    #[must_use]
    pub fn channel(&self) -> Option<&'r ChannelName> {
        match self.outcome {
            Outcome::Channel { channel, .. } => Some(channel),
            Outcome::Rejected { .. } | Outcome::NoChannel => None,
        }
    }
}

/// A decision with everything that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'r> {
    /// The decision, as [`RuleSet::decide`] gives it.
    pub decision: Decision<'r>,
    /// Every channel of the deciding rule and what became of it.
    pub candidates: Vec<Candidate<'r>>,
    /// The rules before the deciding one (all, where none decides), each with the first condition that kept it from
    /// matching, as the file writes it: `not_country`, `amount`.
    pub passed_rules: Vec<(&'r str, &'static str)>,
}

/// All that a decision hangs on but the rules.
#[derive(Clone, Copy)]
pub(crate) struct Query<'q> {
    pub(crate) point: &'q Point,
    pub(crate) mode: Option<Mode>,
    pub(crate) offer: &'q Offer,
    pub(crate) snapshot: &'q Snapshot,
    pub(crate) payment: PaymentId,
}

impl RuleSet {
    /// Decides. Pure: no clock, no chance, nothing allocated.
    #[must_use]
    pub fn decide(&self, facts: &Facts, offer: &Offer, snapshot: &Snapshot, payment: PaymentId) -> Decision<'_> {
        let point = self.domain.point(facts);
        self.answer(&Query { point: &point, mode: facts.mode, offer, snapshot, payment })
    }

    /// Decides as [`RuleSet::decide`] does, and tells of every candidate what became of it.
    #[must_use]
    pub fn explain(&self, facts: &Facts, offer: &Offer, snapshot: &Snapshot, payment: PaymentId) -> Explanation<'_> {
        let point = self.domain.point(facts);
        self.account(&Query { point: &point, mode: facts.mode, offer, snapshot, payment })
    }

    pub(crate) fn answer(&self, query: &Query<'_>) -> Decision<'_> {
        let Some(rule) = self.table.first(query.point).and_then(|at| self.rules.get(at)) else {
            return Decision { rule: None, outcome: Outcome::NoChannel, reason: Reason::NoRule };
        };
        let (outcome, reason) = match &rule.action {
            Action::Reject(message) => (Outcome::Rejected { message }, Reason::Rejected),
            Action::Use { targets, prefer_local: false } => self.first_of(targets.iter(), query),
            Action::Use { targets, prefer_local: true } => {
                self.first_of(self.local_first(targets, *query.point), query)
            }
            Action::Split(targets) => self.share_of(targets, query),
        };
        Decision { rule: Some(&rule.name), outcome, reason }
    }

    /// The targets in their order, those of local acquirers before the others.
    pub(crate) fn local_first<'t>(&'t self, targets: &'t [Target], point: Point) -> impl Iterator<Item = &'t Target> {
        let is_local =
            move |target: &&Target| self.channel(target.channel).is_some_and(|channel| channel.is_local(&point));
        targets.iter().filter(is_local).chain(targets.iter().filter(move |target| !is_local(target)))
    }

    /// How an eligible target stands; `None` where it is not eligible.
    fn standing(&self, target: &Target, query: &Query<'_>) -> Option<(&Channel, Standing)> {
        let channel = self.channel(target.channel)?;
        match channel.refusal(target.channel, query.point, query.mode, query.offer, &self.domain) {
            Some(_) => None,
            None => Some((channel, query.snapshot.standing(target.channel, channel.name_hash, query.payment))),
        }
    }

    fn first_of<'t>(&'t self, targets: impl Iterator<Item = &'t Target>, query: &Query<'_>) -> (Outcome<'t>, Reason) {
        let mut degraded = None;
        let mut eligible = false;
        for target in targets {
            match self.standing(target, query) {
                Some((channel, Standing::Up)) => return (channel.outcome(), Reason::FirstUp),
                Some((channel, Standing::Degraded)) => degraded = degraded.or(Some(channel)),
                Some((_, Standing::Out)) => eligible = true,
                None => {}
            }
        }
        match degraded {
            Some(channel) => (channel.outcome(), Reason::FirstDegraded),
            None if eligible => (Outcome::NoChannel, Reason::NoneAvailable),
            None => (Outcome::NoChannel, Reason::NoneEligible),
        }
    }

    fn share_of<'t>(&'t self, targets: &'t [Target], query: &Query<'_>) -> (Outcome<'t>, Reason) {
        let among = |wanted: Standing| {
            let standing =
                targets.iter().filter_map(|target| self.standing(target, query).map(|found| (target, found)));
            let fit = standing.filter(|(_, (_, standing))| *standing == wanted);
            split::choose(query.payment, fit.map(|(target, (channel, _))| (channel.name_hash, target.weight, channel)))
        };
        if let Some(channel) = among(Standing::Up) {
            return (channel.outcome(), Reason::SplitUp);
        }
        if let Some(channel) = among(Standing::Degraded) {
            return (channel.outcome(), Reason::SplitDegraded);
        }
        let eligible = targets.iter().any(|target| self.standing(target, query).is_some());
        (Outcome::NoChannel, if eligible { Reason::NoneAvailable } else { Reason::NoneEligible })
    }

    pub(crate) fn account(&self, query: &Query<'_>) -> Explanation<'_> {
        let decision = self.answer(query);
        let at = self.table.first(query.point);
        let rule = at.and_then(|at| self.rules.get(at));
        let candidates = rule.map(|rule| self.candidates(rule, &decision, query)).unwrap_or_default();
        let before = self.rules.iter().take(at.unwrap_or(self.rules.len()));
        let passed_rules = before.map(|rule| (rule.name.as_str(), self.unmet(rule, query.point))).collect();
        Explanation { decision, candidates, passed_rules }
    }

    fn candidates<'t>(&'t self, rule: &'t Rule, decision: &Decision<'_>, query: &Query<'_>) -> Vec<Candidate<'t>> {
        let targets: Vec<&Target> = match &rule.action {
            Action::Use { targets, prefer_local: true } => self.local_first(targets, *query.point).collect(),
            Action::Use { targets, prefer_local: false } | Action::Split(targets) => targets.iter().collect(),
            Action::Reject(_) => Vec::new(),
        };
        let chosen = decision.channel();
        let some_up = matches!(decision.reason, Reason::FirstUp | Reason::SplitUp);
        let verdict = |target: &Target, channel: &Channel| {
            if let Some(refusal) = channel.refusal(target.channel, query.point, query.mode, query.offer, &self.domain) {
                return Verdict::Ineligible(refusal);
            }
            if chosen == Some(&channel.name) {
                return Verdict::Chosen;
            }
            match query.snapshot.standing(target.channel, channel.name_hash, query.payment) {
                Standing::Out => Verdict::Unavailable(query.snapshot.status(target.channel)),
                Standing::Degraded if some_up => Verdict::Degraded,
                Standing::Up | Standing::Degraded => match &rule.action {
                    Action::Use { .. } | Action::Reject(_) => Verdict::LaterInOrder,
                    Action::Split(_) => Verdict::SplitElsewhere,
                },
            }
        };
        let candidate = |target: &Target| {
            let channel = self.channel(target.channel)?;
            Some(Candidate { channel: &channel.name, verdict: verdict(target, channel) })
        };
        targets.into_iter().filter_map(candidate).collect()
    }

    /// The first condition of a rule that the payment does not meet.
    fn unmet(&self, rule: &Rule, point: &Point) -> &'static str {
        rule.conditions.iter().find(|condition| !condition.is_met(point)).map_or("", |condition| condition.name())
    }
}

impl Channel {
    fn outcome(&self) -> Outcome<'_> {
        Outcome::Channel { channel: &self.name, provider: &self.provider }
    }
}
