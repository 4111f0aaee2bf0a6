//! What is offered is what decisions give, to the last minor unit.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod model;

use model::{
    AMOUNT_MAX, CAPTURES, COUNTRIES, CURRENCIES, Case, Chance, LINES, MERCHANTS, METHODS, country, currency, payment_id,
};
use proptest::prelude::*;
use std::collections::BTreeSet;
use switchyard_core::{MerchantName, Mode, Money, OrderType};
use switchyard_routing::offered::contains;
use switchyard_routing::{Facts, Offer, Offered, RuleSet, Snapshot, Status, Wanted};

fn wanted(chance: &mut Chance) -> Wanted {
    let merchant = chance.pick(&[MERCHANTS[0], MERCHANTS[1], model::ANY_OTHER_MERCHANT]);
    Wanted {
        order_type: OrderType::new(chance.pick(&["ecommerce", "moto"])).unwrap(),
        country: country(chance.pick(COUNTRIES)),
        merchant: MerchantName::new(merchant).unwrap(),
        mode: chance.pick(&[Mode::Test, Mode::Live]),
        capture: chance.pick(CAPTURES),
        currency: None,
        amount: None,
    }
}

/// Whether a payment of this amount gets a channel, and one of those that are told.
fn gets_one(
    rules: &RuleSet,
    snapshot: &Snapshot,
    wanted: &Wanted,
    offered: &Offered<'_>,
    amount: Money,
    chance: &mut Chance,
) -> bool {
    let mut facts =
        Facts::new(wanted.order_type.clone(), offered.method, amount, wanted.country, wanted.merchant.clone());
    facts.capture = wanted.capture;
    facts.mode = Some(wanted.mode);
    let decision = rules.decide(&facts, &Offer::Any, snapshot, payment_id(chance));
    if let Some(channel) = decision.channel() {
        assert!(offered.channels.contains(&channel), "{channel} serves {amount:?} and is not told of: {offered:?}");
    }
    decision.channel().is_some()
}

/// The amounts where something may change, and their neighbours.
fn amounts_to_try(offered: &Offered<'_>, chance: &mut Chance) -> BTreeSet<i64> {
    let mut around: Vec<i64> = LINES.iter().copied().chain([AMOUNT_MAX, 250_000, 3]).collect();
    for range in &offered.amounts {
        let max = range.max.unwrap();
        around.extend([range.min, max, range.min + range.step, max - range.step]);
    }
    around.extend((0..20).map(|_| 1 + chance.below(6_000) as i64));
    let all = around.into_iter().flat_map(|amount| [amount - 1, amount, amount + 1]);
    all.filter(|amount| (1..=AMOUNT_MAX).contains(amount)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(model::cases(40)))]

    #[test]
    fn what_is_offered_is_what_is_decided(seed in any::<u64>(), keys in 1_usize..=12, count in 1_usize..12) {
        let mut chance = Chance(seed);
        let rules = Case::random(&mut chance, keys, count).compile();
        for _ in 0..2 {
            let statuses = [Status::Up, Status::Up, Status::Up, Status::Degraded, Status::Down, Status::Disabled];
            let snapshot = rules.snapshot(|_| chance.pick(&statuses));
            let wanted = wanted(&mut chance);
            let all = rules.offered(&wanted, &snapshot);
            for code in CURRENCIES {
                let currency = currency(code);
                let of_one = Wanted { currency: Some(currency), ..wanted.clone() };
                let ones = rules.offered(&of_one, &snapshot);
                for (at, one) in ones.iter().enumerate().filter(|(_, one)| METHODS.contains(&one.method)) {
                    // Of one currency or of all: the same ranges.
                    let ours: Vec<_> = all[at].amounts.iter().filter(|range| range.currency == currency).collect();
                    prop_assert_eq!(one.amounts.iter().collect::<Vec<_>>(), ours);
                    for amount in amounts_to_try(one, &mut chance) {
                        let money = Money::new(amount, currency).unwrap();
                        let told = one.amounts.iter().any(|range| contains(range, amount));
                        let gets = gets_one(&rules, &snapshot, &of_one, one, money, &mut chance);
                        prop_assert_eq!(told, gets, "{} {:?} {:?}", code, amount, one);
                        if chance.in_100(2) {
                            let exact = Wanted { amount: Some(amount), ..of_one.clone() };
                            let exact_one = &rules.offered(&exact, &snapshot)[at];
                            prop_assert_eq!(gets, !exact_one.amounts.is_empty(), "{} {:?} {:?}", code, amount, exact_one);
                            prop_assert_eq!(gets, !exact_one.channels.is_empty());
                            prop_assert_eq!(gets, exact_one.closed.is_empty());
                            gets_one(&rules, &snapshot, &exact, exact_one, money, &mut chance);
                        }
                    }
                }
            }
            for offered in all.iter().filter(|offered| METHODS.contains(&offered.method)) {
                for closed in &offered.closed {
                    prop_assert_eq!(closed.decision.channel(), None, "{:?}", closed);
                }
                prop_assert!(!offered.amounts.is_empty() || !offered.closed.is_empty(), "{:?} has no reason", offered);
            }
        }
    }
}
