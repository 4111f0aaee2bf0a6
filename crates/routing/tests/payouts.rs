//! Payouts are decided like payments, by what channels can do in their direction.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "test code"
)]

use switchyard_core::capabilities::{AmountRange, Which};
use switchyard_core::method::Direction;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{ChannelName, Country, Currency, MerchantName, Method, Mode, Money, OrderType, PaymentId};
use switchyard_routing::check::check;
use switchyard_routing::{
    ChannelSpec, Facts, MerchantSpec, Offer, OrderTypeSpec, Outcome, Refusal, RuleSet, Service, Source, Status,
    Verdict, Vocabulary,
};

/// One provider takes Pix, one pays out to accounts up to a limit, one does both.
fn vocabulary() -> Vocabulary {
    let real = Currency::from_code("BRL").unwrap();
    let service = |method, direction, max| Service {
        method,
        direction,
        currencies: Which::Only(vec![real]),
        countries: Which::All,
        amounts: vec![AmountRange { currency: real, min: 1, max, step: 1 }],
        hosted: true,
        // What a payout knows nothing of.
        manual_capture: false,
        sale: direction == Direction::Payin,
    };
    let taken = || service(Method::Pix, Direction::Payin, None);
    let paid = |max| service(Method::PayoutIban, Direction::Payout, max);
    let channel = |name: &str, services| ChannelSpec {
        name: ChannelName::new(name).unwrap(),
        provider: name.to_owned(),
        retired: false,
        modes: vec![Mode::Live],
        order_types: Which::All,
        acquiring_country: None,
        bare_token: false,
        services,
    };
    let order_type = |name: &str, direction| OrderTypeSpec { name: OrderType::new(name).unwrap(), direction };
    Vocabulary {
        order_types: vec![order_type("ecommerce", Direction::Payin), order_type("supplier", Direction::Payout)],
        merchants: vec![MerchantSpec {
            name: MerchantName::new("shop").unwrap(),
            order_types: Which::All,
            channels: Which::All,
        }],
        channels: vec![
            channel("takes", vec![taken()]),
            channel("pays", vec![paid(Some(100_000))]),
            channel("both", vec![taken(), paid(None)]),
        ],
    }
}

fn compile(text: &str) -> RuleSet {
    RuleSet::compile(&Source::new("config/routing.toml", text), &vocabulary())
        .unwrap_or_else(|found| panic!("{}", found[0]))
}

fn facts(order_type: &str, minor: i64) -> Facts {
    let amount = Money::new(minor, Currency::from_code("BRL").unwrap()).unwrap();
    let method = if order_type == "supplier" { Method::PayoutIban } else { Method::Pix };
    let (order_type, merchant) = (OrderType::new(order_type).unwrap(), MerchantName::new("shop").unwrap());
    Facts::new(order_type, method, amount, Country::from_code("BR").unwrap(), merchant)
}

const RULES: &str = r#"
[[rules]]
name = "brazil"
when = { currency = ["BRL"] }
use = ["takes", "pays", "both"]

[[rules]]
name = "rest"
reject = "no channel for this payment"
"#;

fn id() -> PaymentId {
    PaymentId::parse("pay_0190a5b1c4d57000800000000000002a").unwrap()
}

/// The channel that is chosen while `down` are down.
fn chosen(rules: &RuleSet, facts: &Facts, down: &[&str]) -> Option<String> {
    let status = |channel: &ChannelName| if down.contains(&channel.as_str()) { Status::Down } else { Status::Up };
    let snapshot = rules.snapshot(status);
    let decision = rules.decide(facts, &Offer::Nothing, &snapshot, id());
    match decision.outcome {
        Outcome::Channel { channel, .. } => Some(channel.to_string()),
        Outcome::NoChannel => None,
        Outcome::Rejected { message } => panic!("rejected: {message}"),
    }
}

#[test]
fn one_rule_sends_each_direction_to_who_serves_it() {
    let rules = compile(RULES);
    assert_eq!(chosen(&rules, &facts("ecommerce", 5_000), &[]).as_deref(), Some("takes"));
    assert_eq!(chosen(&rules, &facts("supplier", 5_000), &[]).as_deref(), Some("pays"));
    // The limit is the payout's own.
    assert_eq!(chosen(&rules, &facts("supplier", 100_001), &[]).as_deref(), Some("both"));
    assert_eq!(chosen(&rules, &facts("ecommerce", 100_001), &[]).as_deref(), Some("takes"));
    // Status stops new payouts as it stops new payments.
    assert_eq!(chosen(&rules, &facts("supplier", 5_000), &["pays"]).as_deref(), Some("both"));
    assert_eq!(chosen(&rules, &facts("supplier", 5_000), &["pays", "both"]), None);
    // A payout is not captured, whatever the request says of that.
    let odd = Facts { capture: CaptureMode::Manual, ..facts("supplier", 5_000) };
    assert_eq!(chosen(&rules, &odd, &[]).as_deref(), Some("pays"));
    assert_eq!(chosen(&rules, &Facts { capture: CaptureMode::Manual, ..facts("ecommerce", 5_000) }, &[]), None);
}

#[test]
fn the_explanation_says_that_a_channel_works_the_other_way_only() {
    let rules = compile(RULES);
    let all_up = rules.snapshot(|_| Status::Up);
    // Pix is what payers pay with.
    let facts = Facts { method: Method::Pix, ..facts("supplier", 5_000) };
    let told = rules.explain(&facts, &Offer::Nothing, &all_up, id());
    let verdict = |name: &str| told.candidates.iter().find(|row| row.channel.as_str() == name).unwrap().verdict;
    assert_eq!(verdict("takes"), Verdict::Ineligible(Refusal::Direction));
    assert_eq!(verdict("pays"), Verdict::Ineligible(Refusal::Method));
    assert_eq!(told.decision.channel(), None);
    assert!(Refusal::Direction.to_string().contains("payout"), "{}", Refusal::Direction);
}

#[test]
fn the_check_covers_payouts_and_finds_their_gaps() {
    // Payments have an outcome each; payouts above the limit fall to nobody's rule.
    let gap = compile(
        "[[rules]]\nname = \"in\"\nwhen = { order_type = [\"ecommerce\"] }\nuse = [\"takes\", \"both\"]\n\
         [[rules]]\nname = \"out\"\nwhen = { order_type = [\"supplier\"], amount = { BRL = \"..1000.00\" } }\nuse = [\"pays\", \"both\"]\n",
    );
    let report = check(&gap).to_string();
    assert!(report.contains("error[gap]"), "{report}");
    assert!(report.contains("order_type = \"supplier\""), "{report}");
    // A rule for payouts whose channels only take money is never servable.
    let never = compile(
        "[[rules]]\nname = \"out\"\nwhen = { order_type = [\"supplier\"] }\nuse = [\"takes\"]\n\
         [[rules]]\nname = \"rest\"\nreject = \"no\"\n",
    );
    let found = check(&never);
    assert!(!found.is_loadable(), "{found}");
    assert!(found.to_string().contains("`out`"), "{found}");
    assert!(check(&compile(RULES)).is_loadable(), "{}", check(&compile(RULES)));
}
