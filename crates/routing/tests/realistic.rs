//! Rule sets of the size large operators have: the check keeps to its bound, finds what is planted, and nothing is slow
//! by its nature.

#[path = "../benches/generate/mod.rs"]
mod generate;

use generate::{Chance, rules, vocabulary};
use switchyard_routing::check::{check, check_within};
use switchyard_routing::{Kind, RuleSet, Source, Vocabulary};

fn compile(text: &str, vocabulary: &Vocabulary) -> RuleSet {
    RuleSet::compile(&Source::new("routing.toml", text), vocabulary).unwrap_or_else(|faults| {
        panic!("{}", faults.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

#[test]
fn realistic_sets_are_proved_within_the_bound() {
    let mut chance = Chance(1);
    let vocabulary = vocabulary(&mut chance);
    let counts: Vec<usize> =
        std::env::var("RULES").map_or(vec![300], |list| list.split(',').map(|n| n.parse().unwrap()).collect());
    for count in counts {
        let text = rules(&mut chance, &vocabulary, count);
        let start = std::time::Instant::now();
        let rules = compile(&text, &vocabulary);
        let compiled = start.elapsed();
        let report = check(&rules);
        println!("{count}: compile {compiled:?} check {:?} work {}", start.elapsed() - compiled, report.work);
        let mut kinds = std::collections::BTreeMap::<&str, usize>::new();
        report.findings.iter().for_each(|finding| *kinds.entry(finding.kind.as_str()).or_default() += 1);
        println!("{kinds:?}");
        assert_eq!(report.of_kind(Kind::TooComplex).count(), 0);
        assert_eq!(report.of_kind(Kind::Gap).count(), 0);
    }
}
