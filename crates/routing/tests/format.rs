//! Formatting changes no meaning, and once is enough.

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

use model::{Case, Chance, facts, payment_id};
use proptest::prelude::*;
use switchyard_routing::format::format;
use switchyard_routing::{Offer, RuleSet, Source, Status};

/// The same TOML with other quotes, spaces and line ends.
fn scribbled(text: &str, chance: &mut Chance) -> String {
    let mut scribbled = String::new();
    for c in text.chars() {
        match c {
            '"' => scribbled.push('\''),
            '=' => scribbled.push_str(chance.pick(&["=", " = ", "=  "])),
            ',' => scribbled.push_str(chance.pick(&[",", ", ", " ,"])),
            '\n' => scribbled.push_str(chance.pick(&["\n", "\n\n", " \n", " # note\n", "\r\n"])),
            c => scribbled.push(c),
        }
    }
    scribbled
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(model::cases(60)))]

    #[test]
    fn the_formatted_file_decides_alike(seed in any::<u64>(), keys in 1_usize..=12, count in 1_usize..10) {
        let mut chance = Chance(seed);
        let case = Case::random(&mut chance, keys, count);
        let text = scribbled(&case.text(), &mut chance);
        let canonical = format(&Source::new("routing.toml", text.as_str())).unwrap();
        prop_assert_eq!(format(&Source::new("routing.toml", canonical.as_str())).unwrap(), canonical.clone());
        prop_assert_eq!(text.matches("# note").count(), canonical.matches("# note").count());
        let compile = |text: &str| RuleSet::compile(&Source::new("routing.toml", text), &case.vocabulary).unwrap();
        let (before, after) = (compile(&text), compile(&canonical));
        let snapshot = before.snapshot(|_| Status::Up);
        for _ in 0..50 {
            let (facts, id) = (facts(&mut chance), payment_id(&mut chance));
            prop_assert_eq!(before.decide(&facts, &Offer::Any, &snapshot, id), after.decide(&facts, &Offer::Any, &snapshot, id));
        }
    }
}
