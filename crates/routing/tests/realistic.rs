//! Rule sets of the size large operators have: the check keeps to its bound, finds what is planted, and nothing is slow
//! by its nature.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "test code"
)]

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

/// Kinds and names of what is found.
fn found(rules: &RuleSet) -> Vec<(Kind, Option<String>)> {
    let mut found: Vec<_> = check(rules).findings.into_iter().map(|finding| (finding.kind, finding.name)).collect();
    found.sort_by_key(|(kind, name)| (kind.as_str(), name.clone()));
    found
}

/// The text cut after so many rules, with something put in between.
fn planted(text: &str, at: usize, what: &str) -> String {
    let place = text.match_indices("[[rules]]").nth(at).unwrap().0;
    format!("{}{what}{}", &text[..place], &text[place..])
}

#[test]
fn planted_shadows_are_found_and_nothing_else_changes() {
    let mut chance = Chance(2);
    let vocabulary = vocabulary(&mut chance);
    let text = rules(&mut chance, &vocabulary, 150);
    let before = found(&compile(&text, &vocabulary));
    for _ in 0..10 {
        let at = chance.below(140);
        let start = text.match_indices("[[rules]]").nth(at).unwrap().0;
        let end = text.match_indices("[[rules]]").nth(at + 1).unwrap().0;
        // The same conditions and a narrower one besides, further down.
        let copy = text[start..end].replace(&format!("name = \"rule-{}\"", at + 1), "name = \"planted\"").replacen(
            "when = { ",
            "when = { initiator = [\"merchant\"], ",
            1,
        );
        let mut after = found(&compile(&planted(&text, at + 1 + chance.below(149 - at), &copy), &vocabulary));
        let count = after.len();
        after.retain(|(_, name)| name.as_deref() != Some("planted"));
        assert_eq!((after.len() + 1, &after), (count, &before));
    }
}

#[test]
fn planted_gaps_are_found() {
    let mut chance = Chance(3);
    let vocabulary = vocabulary(&mut chance);
    let text = rules(&mut chance, &vocabulary, 150);
    for hole in [
        "not_country = [\"IS\"]",
        "not_amount = { SEK = \"777.00..777.01\" }",
        "not_merchant = [\"merchant_17\"]",
        "not_issuer_country = [\"absent\"]",
    ] {
        let open = text.replace("name = \"rest\"", &format!("name = \"rest\"\nwhen = {{ {hole} }}"));
        let rules = compile(&open, &vocabulary);
        let report = check(&rules);
        let gaps: Vec<_> = report.of_kind(Kind::Gap).collect();
        assert!(!gaps.is_empty(), "{hole}");
        let snapshot = rules.snapshot(|_| switchyard_routing::Status::Up);
        for gap in gaps {
            let id = switchyard_core::PaymentId::parse("pay_01970000000070008000000000000001").unwrap();
            let decision =
                rules.decide(gap.payment.as_ref().unwrap().facts(), &switchyard_routing::Offer::Any, &snapshot, id);
            assert_eq!(decision.rule, None, "{gap}");
        }
    }
}

#[test]
fn planted_dead_routes_are_found() {
    let mut chance = Chance(4);
    let vocabulary = vocabulary(&mut chance);
    let text = rules(&mut chance, &vocabulary, 100);
    for channel in &vocabulary.channels[..10] {
        let offered =
            |method: &switchyard_core::Method| channel.services.iter().any(|service| service.method == *method);
        let missing = generate::methods(switchyard_core::method::Direction::Payin)
            .into_iter()
            .find(|method| !offered(method))
            .unwrap();
        let rule = format!(
            "[[rules]]\nname = \"planted\"\nwhen = {{ method = [\"{missing}\"], merchant = [\"merchant_03\"] }}\nuse = [\"{}\"]\n\n",
            channel.name
        );
        let rules = compile(&planted(&text, 0, &rule), &vocabulary);
        let report = check(&rules);
        assert!(
            report.of_kind(Kind::Unservable).any(|finding| finding.name.as_deref() == Some("planted")),
            "{}",
            channel.name
        );
        assert!(!report.is_loadable());
    }
}

/// Some of the names of a fact, or all but some.
#[derive(Clone)]
struct Side {
    but: bool,
    names: Vec<String>,
}

impl Side {
    /// Parts it in two.
    fn parted(&self, chance: &mut Chance, all: &[String]) -> [Self; 2] {
        let half: Vec<String> = all.iter().filter(|_| chance.in_100(50)).cloned().collect();
        let keep =
            |inside: bool| self.names.iter().filter(|name| half.contains(name) == inside).cloned().collect::<Vec<_>>();
        if self.but {
            let inside = half.iter().filter(|name| !self.names.contains(name)).cloned().collect();
            let outside = self
                .names
                .iter()
                .cloned()
                .chain(half.iter().filter(|name| !self.names.contains(name)).cloned())
                .collect();
            [Self { but: false, names: inside }, Self { but: true, names: outside }]
        } else {
            [true, false].map(|inside| Self { but: false, names: keep(inside) })
        }
    }
}

/// Rules that part all payments among them along random lines, in random order, and then one for the rest, which is
/// nothing: a proof of that has to fit all the pieces together. The check gives up at its bound, and names rules.
#[test]
fn a_set_made_to_be_hard_is_refused_by_name() {
    let mut chance = Chance(5);
    let vocabulary = vocabulary(&mut chance);
    let facts: [(&str, Vec<String>); 4] = [
        ("merchant", vocabulary.merchants.iter().map(|spec| spec.name.to_string()).collect()),
        ("country", generate::countries().iter().take(40).map(ToString::to_string).collect()),
        ("currency", generate::currencies().iter().map(ToString::to_string).collect()),
        ("order_type", generate::order_types().iter().map(|(name, _)| name.to_string()).collect()),
    ];
    let mut pieces = vec![vec![Side { but: true, names: Vec::new() }; facts.len()]];
    while pieces.len() < 400 {
        let piece = pieces.swap_remove(chance.below(pieces.len()));
        let at = chance.below(facts.len());
        let parts = piece[at].parted(&mut chance, &facts[at].1);
        if parts.iter().any(|side| !side.but && side.names.is_empty()) {
            pieces.push(piece);
            continue;
        }
        for side in parts {
            let mut part = piece.clone();
            part[at] = side;
            pieces.push(part);
        }
    }
    let mut text = String::new();
    for n in 0..400 {
        let piece = pieces.swap_remove(chance.below(pieces.len()));
        let of = piece.iter().zip(&facts).filter(|(side, _)| !side.names.is_empty()).map(|(side, (key, _))| {
            let names: Vec<String> = side.names.iter().map(|name| format!("\"{name}\"")).collect();
            format!("{}{key} = [{}]", if side.but { "not_" } else { "" }, names.join(", "))
        });
        let when = of.collect::<Vec<_>>().join(", ");
        text.push_str(&format!("[[rules]]\nname = \"hard-{n}\"\nwhen = {{ {when} }}\nreject = \"no\"\n"));
    }
    text.push_str("[[rules]]\nname = \"rest\"\nreject = \"none\"\n");
    let rules = compile(&text, &vocabulary);
    // The whole proof takes some 34,000.
    let report = check_within(&rules, 20_000);
    assert!(!report.is_loadable() && report.work <= 20_001);
    let finding = report.of_kind(Kind::TooComplex).next().expect("the bound is reached");
    assert!(finding.rules.len() == 5 && finding.rules.iter().all(|name| name.starts_with("hard-")), "{finding}");
    assert!(finding.message.contains("20000 areas") && finding.hint.as_ref().unwrap().contains("`hard-"), "{finding}");
}
