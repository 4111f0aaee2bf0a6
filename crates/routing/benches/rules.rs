//! What rules cost: a decision that only the last rule makes, compiling, checking and comparing, on sets as large
//! operators have them (`generate`). The budgets stand in the project's design: a decision among 1,000 rules below 200 ns
//! and flat within tenfold from 10 to 10,000, a check of 1,000 below a second and of 10,000 below ten.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "a benchmark"
)]

mod generate;

use divan::{Bencher, black_box};
use generate::Chance;
use switchyard_core::PaymentId;
use switchyard_routing::check::check;
use switchyard_routing::diff::diff;
use switchyard_routing::{Facts, Offer, RuleSet, Source, Status, Vocabulary};

fn main() {
    divan::main();
}

const COUNTS: [usize; 4] = [10, 100, 1_000, 10_000];

fn text(count: usize) -> (Vocabulary, String) {
    let mut chance = Chance(1);
    let vocabulary = generate::vocabulary(&mut chance);
    let text = generate::rules(&mut chance, &vocabulary, count);
    (vocabulary, text)
}

fn rules(count: usize) -> RuleSet {
    let (vocabulary, text) = text(count);
    RuleSet::compile(&Source::new("routing.toml", text), &vocabulary).unwrap()
}

fn id() -> PaymentId {
    PaymentId::parse("pay_01970000000070008000000000000001").unwrap()
}

/// Payments that no rule takes before the last.
fn taken_by_the_last(rules: &RuleSet) -> Vec<Facts> {
    let snapshot = rules.snapshot(|_| Status::Up);
    let mut chance = Chance(2);
    let mut found = Vec::new();
    while found.len() < 256 {
        let facts = generate::facts(&mut chance);
        if rules.decide(&facts, &Offer::Any, &snapshot, id()).rule == Some("rest") {
            found.push(facts);
        }
    }
    found
}

/// The match is the last rule's: nothing is left to chance or to early exits.
#[divan::bench(args = COUNTS, sample_size = 1_000)]
fn decide_by_the_last(bencher: Bencher<'_, '_>, count: usize) {
    let rules = rules(count);
    let snapshot = rules.snapshot(|_| Status::Up);
    let payments = taken_by_the_last(&rules);
    let mut at = 0;
    bencher.bench_local(|| {
        at = (at + 1) % payments.len();
        black_box(rules.decide(black_box(&payments[at]), &Offer::Any, &snapshot, id()).rule)
    });
}

/// Any payments: most find a rule with channels, whose eligibility is tested.
#[divan::bench(args = COUNTS, sample_size = 1_000)]
fn decide(bencher: Bencher<'_, '_>, count: usize) {
    let rules = rules(count);
    let snapshot = rules.snapshot(|_| Status::Up);
    let mut chance = Chance(3);
    let payments: Vec<Facts> = (0..256).map(|_| generate::facts(&mut chance)).collect();
    let mut at = 0;
    bencher.bench_local(|| {
        at = (at + 1) % payments.len();
        black_box(rules.decide(black_box(&payments[at]), &Offer::Any, &snapshot, id()).rule)
    });
}

#[divan::bench(args = COUNTS, sample_count = 5, sample_size = 1)]
fn compile(bencher: Bencher<'_, '_>, count: usize) {
    let (vocabulary, text) = text(count);
    let source = Source::new("routing.toml", text);
    bencher.bench(|| RuleSet::compile(black_box(&source), &vocabulary).is_ok());
}

#[divan::bench(name = "check", args = COUNTS, sample_count = 5, sample_size = 1)]
fn check_all(bencher: Bencher<'_, '_>, count: usize) {
    let rules = rules(count);
    bencher.bench(|| check(black_box(&rules)).findings.len());
}

/// One rule in the middle is taken away.
#[divan::bench(name = "diff", args = [10, 100, 1_000], sample_count = 5, sample_size = 1)]
fn diff_one(bencher: Bencher<'_, '_>, count: usize) {
    let (vocabulary, text) = text(count);
    let start = text.match_indices("[[rules]]").nth(count / 2).unwrap().0;
    let end = text.match_indices("[[rules]]").nth(count / 2 + 1).unwrap().0;
    let without = format!("{}{}", &text[..start], &text[end..]);
    let compile = |text: String| RuleSet::compile(&Source::new("routing.toml", text), &vocabulary).unwrap();
    let (old, new) = (compile(text.clone()), compile(without));
    bencher.bench(|| diff(black_box(&old), &new, 20).count);
}
