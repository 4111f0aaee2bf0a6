//! The compiled rules decide as a plain interpreter of the definition does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "test code"
)]

mod model;

use model::{Answer, Case, Chance, RawOffer, facts, payment_id, statuses};
use proptest::prelude::*;
use switchyard_routing::{Decision, Offer, Outcome, RuleSet, Snapshot, Verdict};

fn answer(decision: &Decision<'_>) -> Answer {
    match decision.outcome {
        Outcome::Channel { channel, .. } => Answer::Channel(channel.to_string()),
        Outcome::Rejected { message } => Answer::Rejected(message.to_owned()),
        Outcome::NoChannel => Answer::NoChannel,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(model::cases(200)))]

    #[test]
    fn compiled_rules_decide_as_the_definition_says(seed in any::<u64>(), keys in 1_usize..=12, count in 1_usize..12) {
        let mut chance = Chance(seed);
        let case = Case::random(&mut chance, keys, count);
        let rules = case.compile();
        // What is kept of the rules makes the very same again.
        let again = RuleSet::again(rules.hash(), rules.source().text(), rules.canonical()).unwrap();
        for _ in 0..50 {
            let facts = facts(&mut chance);
            let raw = RawOffer::random(&mut chance, &case.vocabulary);
            let offer = raw.resolve(&rules);
            let (status, snapshot) = statuses(&mut chance, &rules);
            let id = payment_id(&mut chance);
            let decision = rules.decide(&facts, &offer, &snapshot, id);
            let (at, expected) = case.decide(&facts, &raw, &|name| status[name], id);
            let name = at.map(|at| case.rules[at].name.as_str());
            prop_assert_eq!((decision.rule, answer(&decision)), (name, expected), "{:?}\n{}", facts, case.text());

            // What was stored makes the same decision again, elsewhere.
            let stored = (Offer::from_bytes(&offer.to_bytes()).unwrap(), Snapshot::from_bytes(snapshot.as_bytes()));
            prop_assert_eq!(again.decide(&facts, &stored.0, &stored.1, id), decision);
            prop_assert_eq!(again.hash(), rules.hash());

            // The explanation tells of every channel of the rule, and of the rules passed.
            let told = rules.explain(&facts, &offer, &snapshot, id);
            prop_assert_eq!(told.decision, decision);
            let chosen: Vec<_> = told.candidates.iter().filter(|row| row.verdict == Verdict::Chosen).map(|row| row.channel).collect();
            prop_assert_eq!(chosen, decision.channel().into_iter().collect::<Vec<_>>());
            if let Some(at) = at {
                let mut named = case.rules[at].action.channels();
                let mut listed: Vec<_> = told.candidates.iter().map(|row| row.channel.as_str()).collect();
                for row in &told.candidates {
                    let eligible = case.is_eligible(row.channel.as_str(), &facts, &raw);
                    prop_assert_eq!(!matches!(row.verdict, Verdict::Ineligible(_)), eligible);
                }
                named.sort_unstable();
                listed.sort_unstable();
                prop_assert_eq!(named, listed);
            }
            prop_assert_eq!(told.passed_rules.len(), at.unwrap_or(case.rules.len()));
            for ((name, key), rule) in told.passed_rules.iter().zip(&case.rules) {
                let key = key.strip_prefix("not_").map_or((*key, false), |key| (key, true));
                prop_assert_eq!(*name, &rule.name);
                prop_assert!(rule.when.iter().any(|condition| (condition.key, condition.negated) == key && !condition.is_met(&facts)));
            }
        }
    }
}

/// More rules than one lane of the table holds, so that words, lanes and their ends are crossed.
#[test]
fn many_rules_decide_as_the_definition_says() {
    let mut chance = Chance(7);
    for count in [63, 64, 65, 511, 512, 513, 1_100] {
        let case = Case::random(&mut chance, 12, count);
        let rules = case.compile();
        for _ in 0..200 {
            let facts = facts(&mut chance);
            let (status, snapshot) = statuses(&mut chance, &rules);
            let id = payment_id(&mut chance);
            let decision = rules.decide(&facts, &Offer::Any, &snapshot, id);
            let (at, expected) = case.decide(&facts, &RawOffer::Any, &|name| status[name], id);
            assert_eq!((decision.rule, answer(&decision)), (at.map(|at| case.rules[at].name.as_str()), expected));
        }
    }
}
