//! What a diff says changes is what changes, on every cell.

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

use model::cells::{Cell, Cells};
use model::{Action, Case, Chance, RawOffer, Rule};
use proptest::prelude::*;
use switchyard_routing::diff::{diff, diff_within};
use switchyard_routing::{Effect, RuleSet, Source};

/// The result of a cell, straight from the definition: for a route, of the channels that can serve it.
fn effect(case: &Case, cells: &Cells<'_>, cell: &Cell) -> (Option<String>, Effect) {
    let facts = cells.facts(cell);
    let Some(at) = case.first(&facts) else { return (None, Effect::NoRule) };
    let rule = &case.rules[at];
    let served = case.servable(rule, &facts, &RawOffer::Any);
    let names = || served.iter().map(|(name, _)| name.clone()).collect();
    let effect = match &rule.action {
        Action::Reject(message) => Effect::Rejected { message: message.clone() },
        Action::Use(..) | Action::Split(_) if served.is_empty() => Effect::NoChannel,
        Action::Split(_) if served.len() > 1 => {
            let common = (1..=99).rev().find(|n| served.iter().all(|(_, weight)| weight % n == 0)).unwrap();
            let mut shares: Vec<(String, u32)> =
                served.iter().map(|(name, weight)| (name.clone(), weight / common)).collect();
            shares.sort();
            Effect::Split { shares }
        }
        Action::Use(..) | Action::Split(_) => Effect::Use { channels: names() },
    };
    (Some(rule.name.clone()), effect)
}

/// Changes a case as an operator would, a little.
fn edited(case: &Case, chance: &mut Chance) -> Case {
    let mut new = case.clone();
    for _ in 0..1 + chance.below(3) {
        let count = new.rules.len();
        let at = chance.below(count);
        match chance.below(7) {
            0 if count > 1 => drop(new.rules.remove(at)),
            1 => {
                let rule = Rule { name: format!("new-{}", chance.next()), ..new.rule(chance, 0) };
                new.rules.insert(at, rule);
            }
            2 => {
                let other = chance.below(count);
                new.rules.swap(at, other);
            }
            3 => new.rules[at].action = new.rule(chance, 0).action,
            4 => new.rules[at].when = new.rule(chance, 0).when,
            5 => new.rules[at].name = format!("renamed-{}", chance.next()),
            _ => {
                let shares = |action: &mut Action| {
                    if let Action::Split(shares) = action {
                        shares.iter_mut().for_each(|(_, weight)| *weight *= 2);
                    }
                };
                shares(&mut new.rules[at].action);
            }
        }
    }
    // Other channels now and then: what they serve changes results as well.
    if chance.in_100(20) {
        let names: Vec<_> = case.vocabulary.channels.iter().map(|spec| spec.name.clone()).collect();
        let other = Case::random(chance, 1, 1).vocabulary;
        for (spec, mut services) in
            new.vocabulary.channels.iter_mut().zip(other.channels.into_iter().map(|spec| spec.services))
        {
            spec.services.append(&mut services);
            spec.retired = !spec.retired && chance.in_100(20);
        }
        assert_eq!(names.len(), new.vocabulary.channels.len());
    }
    new
}

fn compare(old: &Case, new: &Case) -> usize {
    let (before, after) = (old.compile(), new.compile());
    let found = diff(&before, &after, usize::MAX);
    assert!(found.complete);
    assert_eq!(found.count, found.changes.len());
    let cells = [Cells::new(old, &[old, new]), Cells::new(new, &[old, new])];
    let mut changed = 0;
    for (which, met_by_old) in cells.iter().zip([true, false]) {
        // Of very large cases every so manieth cell.
        let stride = which.count() / 40_000 + 1;
        let mut at = 0;
        which.each(|cell, _| {
            at += 1;
            if which.money[cell[9]].minor() == 0 || at % stride != 0 {
                return;
            }
            let (old_effect, new_effect) = (effect(old, which, cell), effect(new, which, cell));
            let facts = which.facts(cell);
            let mut covering = found.changes.iter().filter(|change| change.covers(&facts));
            let (change, second) = (covering.next(), covering.next());
            assert!(second.is_none(), "two changes cover {facts:?}");
            let differs = old_effect.1 != new_effect.1;
            let both = || format!("{}\n{}", old.text(), new.text());
            assert_eq!(
                change.is_some(),
                differs,
                "{met_by_old} {facts:?}\n{old_effect:?}\n{new_effect:?}\n{}\n{found}",
                both()
            );
            if let Some(change) = change {
                changed += 1;
                assert_eq!((&change.old_rule, &change.new_rule), (&old_effect.0, &new_effect.0));
                let routes = |effect: &Effect| !matches!(effect, Effect::NoRule | Effect::Rejected { .. });
                if routes(&old_effect.1) && routes(&new_effect.1) {
                    assert_eq!((&change.old, &change.new), (&old_effect.1, &new_effect.1), "{facts:?}\n{}", both());
                }
            }
        });
    }
    for change in &found.changes {
        let facts = change.example.as_ref().unwrap().facts();
        assert!(change.covers(facts));
    }
    changed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: model::cases(20), max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_diff_is_exact(seed in any::<u64>(), keys in 1_usize..=4, count in 1_usize..8) {
        let mut chance = Chance(seed);
        let old = Case::random(&mut chance, keys, count);
        let new = edited(&old, &mut chance);
        compare(&old, &new);
    }
}

#[test]
fn a_rule_set_does_not_differ_from_itself() {
    for seed in 0..20 {
        let case = Case::random(&mut Chance(seed), 5, 8);
        let found = diff(&case.compile(), &case.compile(), 10);
        assert_eq!(
            (found.count, found.complete, found.to_string()),
            (0, true, "no payment's result changes".to_owned())
        );
    }
}

#[test]
fn changes_read_as_ranges() {
    let mut vocabulary = Case::random(&mut Chance(3), 1, 1).vocabulary;
    vocabulary.merchants.clear();
    let compile = |text: &str| RuleSet::compile(&Source::new("routing.toml", text), &vocabulary).unwrap();
    let rules = |amount: &str| {
        compile(&format!(
            "[[rules]]\nname = \"large\"\nwhen = {{ order_type = [\"ecommerce\", \"moto\"], method = [\"card\"], region = [\"DACH\"], amount = {{ EUR = \"{amount}..\" }} }}\n\
             reject = \"too much\"\n[[rules]]\nname = \"rest\"\nreject = \"none\"\n"
        ))
    };
    let found = diff(&rules("500.00"), &rules("400.00"), 10);
    assert_eq!(
        found.to_string(),
        "{ order_type = [\"ecommerce\", \"moto\"], country = [\"AT\", \"CH\", \"DE\"], method = [\"card\"], amount = { EUR = \"400.00..500.00\" } }
  - reject \"none\" (rule `rest`)
  + reject \"too much\" (rule `large`)
  e.g. { order_type = \"ecommerce\", country = \"DE\", method = \"card\", amount = \"400.00\", currency = \"EUR\" }

1 changes"
    );
}

#[test]
fn a_diff_past_its_bound_says_so() {
    let mut chance = Chance(11);
    let old = Case::random(&mut chance, 8, 30);
    let new = Case::random(&mut chance, 8, 30);
    let new = Case {
        vocabulary: old.vocabulary.clone(),
        rules: new.rules.into_iter().map(|rule| Rule { action: Action::Reject(rule.name.clone()), ..rule }).collect(),
        ..new
    };
    let found = diff_within(&old.compile(), &new.compile(), 3, 500);
    assert!(!found.complete && found.changes.len() <= 3 && found.count > 3);
    assert!(found.to_string().ends_with("and there are more: the comparison was stopped"), "{found}");
}
