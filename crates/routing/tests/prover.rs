//! The check finds what brute force over the whole partition finds, and nothing else.

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

use model::cells::{Cells, is_declared};
use model::{Action, Case, Chance, Condition, RawOffer, Test, currency};
use proptest::prelude::*;
use std::collections::BTreeSet;
use switchyard_core::Money;
use switchyard_routing::check::check;
use switchyard_routing::{Kind, Report};

/// What brute force finds, as lines of text.
fn expected(case: &Case) -> BTreeSet<String> {
    let cells = Cells::new(case, &[case]);
    let mut sums: Vec<Sums> = case.rules.iter().map(|rule| Sums { parts: parts(rule), ..Sums::default() }).collect();
    for part in sums.iter_mut().flat_map(|sums| &mut sums.parts) {
        (part.dim, part.meets) = cells.meeting_one(&part.test);
    }
    let mut found = BTreeSet::new();
    cells.each(|cell, met| {
        let first = (met != 0).then(|| met.trailing_zeros() as usize).filter(|&at| at < case.rules.len());
        let declared = cells.is_declared(cell);
        if first.is_none() && declared {
            found.insert("gap".to_owned());
        }
        for (at, sums) in sums.iter_mut().enumerate().filter(|(at, _)| met & (1 << at) != 0) {
            let live = first == Some(at);
            sums.met = true;
            sums.live |= live;
            for part in sums.parts.iter_mut().filter(|part| !part.live && part.meets[cell[part.dim]]) {
                part.met = true;
                part.live |= live;
            }
            if live {
                let route: u64 = case.rules[at].action.channels().iter().map(|name| 1_u64 << place(case, name)).sum();
                let served = cells.served(cell) & route;
                sums.served |= served != 0;
                if declared {
                    sums.unserved |= served == 0;
                    match served.count_ones() {
                        0 => {}
                        1 => drop(sums.single.insert(format!("channel `{}`", name(case, served.trailing_zeros())))),
                        _ => {
                            let providers: BTreeSet<&str> =
                                (0..64).filter(|at| served & (1 << at) != 0).map(|at| provider(case, at)).collect();
                            if providers.len() == 1 {
                                sums.single.insert(format!("provider `{}`", providers.first().unwrap()));
                            }
                        }
                    }
                }
            }
        }
    });
    for (rule, sums) in case.rules.iter().zip(&sums) {
        let name = &rule.name;
        let mut add = |kind: Kind, more: &str| found.insert(format!("{} {name}{more}", kind.as_str()));
        if !sums.met {
            add(Kind::Impossible, "");
        } else if !sums.live {
            add(Kind::Shadowed, "");
        } else {
            for part in &sums.parts {
                let of_dead = part.of.is_some_and(|of| !sums.parts[of].live);
                if !part.live && !of_dead {
                    add(
                        if part.met { Kind::PartlyShadowed } else { Kind::PartlyImpossible },
                        &format!(" {}", part.label),
                    );
                }
            }
            if !matches!(rule.action, Action::Reject(_)) {
                if !sums.served {
                    add(Kind::Unservable, "");
                } else {
                    if sums.unserved {
                        add(Kind::PartlyUnservable, "");
                    }
                    for single in &sums.single {
                        add(Kind::SinglePoint, &format!(" {single}"));
                    }
                }
            }
        }
        if !matches!(rule.action, Action::Reject(_)) {
            for label in not_offered(case, &rule.when) {
                add(Kind::NotOffered, &format!(" {label}"));
            }
        }
    }
    found
}

/// What is known of a rule after all cells.
#[derive(Default)]
struct Sums {
    met: bool,
    live: bool,
    served: bool,
    unserved: bool,
    single: BTreeSet<String>,
    parts: Vec<Part>,
}

/// A name or bound that a rule states.
struct Part {
    label: String,
    test: Condition,
    /// Of which dimension, and which of its values meet it.
    dim: usize,
    meets: Vec<bool>,
    /// Of a bound: its range's place among the parts.
    of: Option<usize>,
    met: bool,
    live: bool,
}

fn parts(rule: &model::Rule) -> Vec<Part> {
    let mut parts = Vec::new();
    for condition in rule.when.iter().filter(|condition| !condition.negated) {
        let part = |label: String, test: Test, of: Option<usize>| Part {
            label,
            test: Condition { key: condition.key, negated: false, test },
            dim: 0,
            meets: Vec::new(),
            of,
            met: false,
            live: false,
        };
        match &condition.test {
            Test::Names(names) if names.len() == 1 => {}
            Test::Names(names) => {
                let what = match condition.key {
                    "order_type" => "order type",
                    "card_brand" => "card brand",
                    "issuer_country" => "country",
                    "capture" => "capture mode",
                    key => key,
                };
                let one = |name: &String| part(format!("{what} `{name}`"), Test::Names(vec![name.clone()]), None);
                parts.extend(names.iter().map(one));
            }
            Test::Amounts(listed) => {
                for (code, ranges) in listed {
                    for &(from, to) in ranges {
                        let major = |minor: Option<i64>| {
                            minor.map_or(String::new(), |minor| Money::new(minor, currency(code)).unwrap().to_major())
                        };
                        let text = format!("{code} {}..{}", major(from), major(to));
                        let of = Some(parts.len());
                        parts.push(part(
                            format!("amount `{text}`"),
                            Test::Amounts(vec![(code, vec![(from, to)])]),
                            None,
                        ));
                        let mut edge = |bound: i64, first: i64| {
                            let range = (Some(first), Some(first + 1));
                            let label = format!("bound {} of {text}", major(Some(bound)));
                            parts.push(part(label, Test::Amounts(vec![(code, vec![range])]), of));
                        };
                        // Nothing is paid, so a range from 0 starts at 1, unless 0 is all it holds.
                        if let Some(from) = from {
                            edge(from, if from == 0 && to != Some(1) { 1 } else { from });
                        }
                        if let Some(to) = to {
                            edge(to, to - 1);
                        }
                    }
                }
            }
        }
    }
    parts
}

/// Names of methods and currencies that no channel has, retired ones included.
fn not_offered(case: &Case, when: &[Condition]) -> Vec<String> {
    let services = || case.vocabulary.channels.iter().flat_map(|spec| &spec.services);
    let mut labels = Vec::new();
    for condition in when.iter().filter(|condition| !condition.negated) {
        match (&condition.test, condition.key) {
            (Test::Names(names), "method") => {
                let missing = names.iter().filter(|name| !services().any(|service| service.method.name() == **name));
                labels.extend(missing.map(|name| format!("method `{name}`")));
            }
            (Test::Names(names), "currency") => {
                let missing =
                    names.iter().filter(|name| !services().any(|service| service.currencies.holds(&currency(name))));
                labels.extend(missing.map(|name| format!("currency `{name}`")));
            }
            (Test::Amounts(listed), _) => {
                let missing = listed
                    .iter()
                    .filter(|(code, _)| !services().any(|service| service.currencies.holds(&currency(code))));
                labels.extend(missing.map(|(code, _)| format!("currency `{code}`")));
            }
            (Test::Names(_), _) => {}
        }
    }
    labels
}

fn place(case: &Case, name: &str) -> usize {
    case.vocabulary.channels.iter().position(|spec| spec.name.as_str() == name).unwrap()
}
fn name(case: &Case, at: u32) -> &str {
    case.vocabulary.channels[at as usize].name.as_str()
}
fn provider(case: &Case, at: u32) -> &str {
    &case.vocabulary.channels[at as usize].provider
}

/// What the check finds, in the same words.
fn told(report: &Report) -> BTreeSet<String> {
    let line = |finding: &switchyard_routing::Finding| {
        let kind = finding.kind.as_str();
        let name = finding.name.clone().unwrap_or_default();
        let between = |from: &str, to: &str| {
            let rest = finding.message.split_once(from).unwrap().1;
            format!(" {}", rest.split_once(to).unwrap().0)
        };
        match finding.kind {
            Kind::Gap => "gap".to_owned(),
            Kind::PartlyShadowed => format!("{kind} {name}{}", between(", the ", " decides nothing")),
            Kind::PartlyImpossible => format!("{kind} {name}{}", between(", the ", " matches nothing")),
            Kind::SinglePoint => format!("{kind} {name}{}", between("when ", " is down")),
            Kind::NotOffered => {
                let label = finding.message.strip_prefix("no channel offers the ").unwrap();
                format!("{kind} {name} {label}")
            }
            Kind::Impossible
            | Kind::Shadowed
            | Kind::Unservable
            | Kind::PartlyUnservable
            | Kind::FailedTest
            | Kind::TooComplex => {
                format!("{kind} {name}")
            }
        }
    };
    report.findings.iter().map(line).collect()
}

/// Every witness shows what it is said to show.
fn judge_witnesses(case: &Case, report: &Report) {
    for finding in &report.findings {
        let Some(witness) = &finding.payment else {
            assert!(matches!(finding.kind, Kind::Impossible | Kind::PartlyImpossible | Kind::NotOffered), "{finding}");
            continue;
        };
        let facts = witness.facts();
        let first = case.first(facts);
        let at = case.rules.iter().position(|rule| Some(&rule.name) == finding.name.as_ref());
        let rule = at.map(|at| &case.rules[at]);
        let served = || case.servable(rule.unwrap(), facts, &RawOffer::Any);
        match finding.kind {
            Kind::Gap => assert!(first.is_none() && is_declared(case, facts), "{finding}"),
            Kind::Shadowed | Kind::PartlyShadowed => {
                assert!(rule.unwrap().is_met(facts) && first < at, "{finding}");
                let before: Vec<&str> = case.rules[..at.unwrap()].iter().map(|rule| rule.name.as_str()).collect();
                assert!(
                    !finding.rules.is_empty() && finding.rules.iter().all(|rule| before.contains(&rule.as_str())),
                    "{finding}"
                );
            }
            Kind::Unservable | Kind::PartlyUnservable => assert!(first == at && served().is_empty(), "{finding}"),
            Kind::SinglePoint => {
                let (single, served) = (finding.single.as_deref().unwrap(), served());
                let channel = finding.message.starts_with("when channel");
                let of_single = |name: &str| if channel { name == single } else { case.spec(name).provider == single };
                assert!(
                    first == at && !served.is_empty() && served.iter().all(|(name, _)| of_single(name)),
                    "{finding}"
                );
            }
            Kind::Impossible | Kind::NotOffered | Kind::FailedTest | Kind::TooComplex | Kind::PartlyImpossible => {
                panic!("{finding}")
            }
        }
    }
}

fn compare(case: &Case) -> Report {
    let report = check(&case.compile());
    let (told, expected) = (told(&report), expected(case));
    let missing: Vec<_> = expected.difference(&told).collect();
    let invented: Vec<_> = told.difference(&expected).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "missing {missing:?}\ninvented {invented:?}\n{}\n{:#?}",
        case.text(),
        case.vocabulary
    );
    judge_witnesses(case, &report);
    report
}

proptest! {
    #![proptest_config(ProptestConfig { cases: model::cases(30), max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_check_finds_what_brute_force_finds(seed in any::<u64>(), keys in 1_usize..=6, count in 1_usize..10) {
        compare(&Case::random(&mut Chance(seed), keys, count));
    }
}

/// The random cases are worth something: every kind of finding comes up among them.
#[test]
fn every_kind_of_finding_comes_up() {
    let mut kinds = BTreeSet::new();
    for seed in 0..150 {
        let report = check(&Case::random(&mut Chance(seed), 3, 5).compile());
        kinds.extend(report.findings.iter().map(|finding| finding.kind.as_str()));
    }
    let all = [
        "gap",
        "impossible",
        "not_offered",
        "partly_impossible",
        "partly_shadowed",
        "partly_unservable",
        "shadowed",
        "single_point",
        "unservable",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
}
