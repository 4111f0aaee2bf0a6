//! What the check says, as operators read it.

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
use switchyard_core::{ChannelName, Country, Currency, MerchantName, Method, Mode, OrderType};
use switchyard_routing::check::check;
use switchyard_routing::{
    ChannelSpec, Kind, MerchantSpec, OrderTypeSpec, Report, RuleSet, Service, Severity, Source, Vocabulary,
};

fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}

fn service(method: Method, codes: &[&str], direction: Direction) -> Service {
    let currencies: Vec<Currency> = codes.iter().map(|code| currency(code)).collect();
    let amounts = currencies.iter().map(|&currency| AmountRange { currency, min: 1, max: None, step: 1 }).collect();
    Service {
        method,
        direction,
        currencies: Which::Only(currencies),
        countries: Which::All,
        amounts,
        hosted: false,
        manual_capture: true,
        sale: true,
    }
}

fn channel(name: &str, provider: &str, services: Vec<Service>) -> ChannelSpec {
    ChannelSpec {
        name: ChannelName::new(name).unwrap(),
        provider: provider.to_owned(),
        retired: false,
        modes: vec![Mode::Live],
        order_types: Which::All,
        acquiring_country: Country::from_code("DE"),
        bare_token: false,
        services,
    }
}

fn vocabulary() -> Vocabulary {
    let cards = || vec![service(Method::Card, &["EUR", "USD"], Direction::Payin)];
    let order_type = |name: &str, direction| OrderTypeSpec { name: OrderType::new(name).unwrap(), direction };
    Vocabulary {
        order_types: vec![order_type("ecommerce", Direction::Payin), order_type("supplier", Direction::Payout)],
        merchants: vec![MerchantSpec {
            name: MerchantName::new("shop").unwrap(),
            order_types: Which::All,
            channels: Which::All,
        }],
        channels: vec![
            channel("adyen_eu", "adyen", cards()),
            channel("stripe_eu", "stripe", cards()),
            channel("stripe_us", "stripe", cards()),
            channel("haipay", "haipay", vec![service(Method::PayoutIban, &["EUR"], Direction::Payout)]),
        ],
    }
}

fn report(text: &str) -> Report {
    let source = Source::new("config/routing.toml", text);
    check(&RuleSet::compile(&source, &vocabulary()).unwrap_or_else(|faults| panic!("{}", faults[0])))
}

/// All that the check says of a file.
#[track_caller]
fn says(text: &str, expected: &str) {
    assert_eq!(report(text).to_string(), expected);
}

const REST: &str = "[[rules]]\nname = \"rest\"\nreject = \"no channel for this payment\"\n";

#[test]
fn a_sound_file_has_nothing_but_notes() {
    let text = format!(
        "[[rules]]\nname = \"cards\"\nwhen = {{ method = [\"card\"], order_type = [\"ecommerce\"] }}\nuse = [\"adyen_eu\", \"stripe_eu\"]\n\n\
         [[rules]]\nname = \"payouts\"\nwhen = {{ order_type = [\"supplier\"], method = [\"iban\"], currency = [\"EUR\"] }}\nuse = [\"haipay\"]\n\n{REST}"
    );
    says(
        &text,
        "note[single_point]: when channel `haipay` is down, rule `payouts` leaves payments without any channel
 --> config/routing.toml:9:7
  |
9 | use = [\"haipay\"]
  |       ^^^^^^^^^^
  = payment: { order_type = \"supplier\", country = \"DE\", method = \"iban\", amount = \"100.00\", currency = \"EUR\", initiator = \"merchant\" }

0 errors, 0 warnings, 1 note",
    );
    assert!(report(&text).is_loadable());
}

#[test]
fn a_provider_is_one_point_too() {
    let text = format!(
        "[[rules]]\nname = \"cards\"\nwhen = {{ method = [\"card\"], order_type = [\"ecommerce\"] }}\nuse = [\"stripe_eu\", \"stripe_us\"]\n\n{REST}"
    );
    let report = report(&text);
    let singles: Vec<_> = report.findings.iter().map(|finding| (finding.kind, finding.single.as_deref())).collect();
    assert_eq!(singles, [(Kind::SinglePoint, Some("stripe"))]);
}

#[test]
fn gaps_are_shown_as_what_is_undecided() {
    says(
        "[[rules]]\nname = \"cards\"\nwhen = { method = [\"card\"], amount = { EUR = \"..500.00\", USD = \"1.00..\" } }\nreject = \"no\"\n\n\
         [[rules]]\nname = \"payouts\"\nwhen = { order_type = [\"supplier\"] }\nreject = \"no\"\n",
        "error[gap]: no rule decides payments such as this one
 --> config/routing.toml:7:8
  |
7 | name = \"payouts\"
  |        ^^^^^^^^^
  = payment: { order_type = \"ecommerce\", country = \"DE\", method = \"card\", amount = \"1000.00\", currency = \"EUR\" }
  = help: undecided are all with { order_type = [\"ecommerce\"], method = [\"card\"], amount = { EUR = \"500.00..\", USD = \"..1.00\" } }; end the rules with one without conditions, such as `reject = \"no channel for this payment\"`

1 error, 0 warnings, 0 notes",
    );
}

#[test]
fn shadows_name_what_casts_them() {
    let text = format!(
        "[[rules]]\nname = \"eu\"\nwhen = {{ region = [\"EU\"] }}\nreject = \"a\"\n\n\
         [[rules]]\nname = \"german-cards\"\nwhen = {{ country = [\"DE\"], method = [\"card\"] }}\nreject = \"b\"\n\n\
         [[rules]]\nname = \"some\"\nwhen = {{ country = [\"FR\", \"US\"] }}\nreject = \"c\"\n\n{REST}"
    );
    says(
        &text,
        "error[shadowed]: rule `german-cards` decides nothing: rule `eu` takes every payment it would
 --> config/routing.toml:7:8
  |
7 | name = \"german-cards\"
  |        ^^^^^^^^^^^^^^
  = payment: { order_type = \"ecommerce\", country = \"DE\", method = \"card\", amount = \"100.00\", currency = \"EUR\" }
  = help: this payment goes to rule `eu` in line 2; move `german-cards` before it, or remove it

warning[partly_shadowed]: in rule `some`, the country `FR` decides nothing: rule `eu` takes every payment it would
  --> config/routing.toml:13:21
   |
13 | when = { country = [\"FR\", \"US\"] }
   |                     ^^^^
   = payment: { order_type = \"ecommerce\", country = \"FR\", method = \"card\", amount = \"100.00\", currency = \"EUR\" }

1 error, 1 warning, 0 notes",
    );
}

#[test]
fn bounds_that_decide_nothing_are_told_and_cascades_are_not() {
    let rule = |name: &str, range: &str| {
        format!("[[rules]]\nname = \"{name}\"\nwhen = {{ amount = {{ EUR = \"{range}\" }} }}\nreject = \"{name}\"\n\n")
    };
    let cascade = rule("large", "1000.00..")
        + &rule("middle", "100.00..")
        + &rule("exception", "50.00..60.00")
        + &rule("small", "10.00..90.00")
        + REST;
    assert_eq!(report(&cascade).to_string(), "0 errors, 0 warnings, 0 notes");
    let overlapping = rule("a", "10.00..100.00") + &rule("b", "50.00..200.00") + REST;
    let report = report(&overlapping);
    let told: Vec<&str> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        told,
        ["in rule `b`, the bound 50.00 of EUR 50.00..200.00 decides nothing: rule `a` takes every payment it would"]
    );
}

#[test]
fn routes_that_cannot_serve_say_why() {
    let text = format!(
        "[[rules]]\nname = \"transfers\"\nwhen = {{ method = [\"iban\"], order_type = [\"supplier\"] }}\nuse = [\"adyen_eu\", \"haipay\"]\n\n\
         [[rules]]\nname = \"wallets\"\nwhen = {{ method = [\"wallet\"] }}\nuse = [\"haipay\"]\n\n\
         [[rules]]\nname = \"swiss\"\nwhen = {{ currency = [\"CHF\"] }}\nuse = [\"adyen_eu\"]\n\n\
         [[rules]]\nname = \"never\"\nwhen = {{ country = [\"DE\"], region = [\"LATAM\"] }}\nreject = \"no\"\n\n{REST}"
    );
    let report = report(&text);
    let told: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Note)
        .map(|finding| {
            format!("{} {:?} {}", finding.kind.as_str(), finding.place.line, finding.hint.clone().unwrap_or_default())
        })
        .collect();
    assert_eq!(
        told,
        [
            "not_offered 8 ",
            "unservable 9 `haipay` does not offer this method",
            "not_offered 13 ",
            "unservable 14 `adyen_eu` does not take this currency",
            "impossible 17 `country` and `region` exclude one another",
            "partly_unservable 4 `adyen_eu` does not offer this method; `haipay` does not take this currency",
        ]
    );
}

/// Kinds, and the amount of each witness, of a rule for German cards over two channels that carry multiples only.
fn stepped(steps: [i64; 2], amounts: &str) -> Vec<String> {
    let mut vocabulary = vocabulary();
    vocabulary.channels.truncate(2);
    for (channel, step) in vocabulary.channels.iter_mut().zip(steps) {
        let service = &mut channel.services[0];
        service.currencies = Which::Only(vec![currency("EUR")]);
        service.amounts = vec![AmountRange { currency: currency("EUR"), min: 1, max: None, step }];
    }
    let text = format!(
        "[[rules]]\nname = \"r\"\nwhen = {{ method = [\"card\"], order_type = [\"ecommerce\"], amount = {{ EUR = \"{amounts}\" }} }}\n\
         use = [\"adyen_eu\", \"stripe_eu\"]\n\n{REST}"
    );
    let report = check(&RuleSet::compile(&Source::new("routing.toml", text), &vocabulary).unwrap());
    let told = report.findings.iter().map(|finding| {
        let minor = finding.payment.as_ref().unwrap().facts().amount.minor();
        // The witness must be what it is said to be.
        let serves = steps.map(|step| minor % step == 0);
        let expected = match (finding.kind, finding.single.as_deref()) {
            (Kind::PartlyUnservable | Kind::Unservable, _) => [false, false],
            (Kind::SinglePoint, Some("adyen_eu")) => [true, false],
            (Kind::SinglePoint, Some("stripe_eu")) => [false, true],
            other => panic!("{other:?}"),
        };
        assert_eq!(serves, expected, "{finding}");
        format!("{} {}", finding.kind.as_str(), finding.single.as_deref().unwrap_or("-"))
    });
    told.collect()
}

#[test]
fn steps_leave_amounts_that_nothing_carries() {
    let none: [&str; 0] = [];
    assert_eq!(stepped([1, 1], "1.00.."), none);
    assert_eq!(stepped([100, 100], "1.00.."), ["partly_unservable -"]);
    assert_eq!(stepped([100, 1], "1.00.."), ["single_point stripe_eu"]);
    assert_eq!(stepped([5, 10], "1.00.."), ["partly_unservable -", "single_point adyen_eu"]);
    assert_eq!(stepped([6, 10], "1.00.."), ["partly_unservable -", "single_point adyen_eu", "single_point stripe_eu"]);
    // 100.00 alone: of 7 it is no multiple.
    assert_eq!(stepped([7, 7], "100.00..100.01"), ["unservable -"]);
    assert_eq!(stepped([7, 100], "100.00..100.01"), ["single_point stripe_eu"]);
    assert_eq!(stepped([100, 100], "1.01..2.00"), ["unservable -"]);
    assert_eq!(stepped([100, 100], "2.00..2.01"), none);
    // Multiples of 21 are carried by both, and by both only.
    assert_eq!(stepped([3, 7], "0.21..0.22"), none);
}

#[test]
fn tests_of_the_file_are_run() {
    let test = |name: &str, more: &str| {
        format!(
            "[[tests]]\nname = \"{name}\"\npayment = {{ order_type = \"ecommerce\", country = \"DE\", method = \"card\", amount = \"600.00\", currency = \"EUR\"{more} }}\n"
        )
    };
    let rules = format!(
        "[[rules]]\nname = \"large\"\nwhen = {{ method = [\"card\"], order_type = [\"ecommerce\"], amount = {{ EUR = \"500.00..\" }} }}\nuse = [\"adyen_eu\", \"stripe_eu\"]\n\n\
         [[rules]]\nname = \"us\"\nwhen = {{ currency = [\"USD\"], method = [\"card\"], order_type = [\"ecommerce\"] }}\nsplit = {{ adyen_eu = 70, stripe_eu = 30 }}\n\n{REST}"
    );
    let dollars = |name: &str, more: &str| test(name, more).replace("EUR", "USD");
    let text = rules.clone()
        + &(test("up", "") + "expect = { rule = \"large\", channel = \"adyen_eu\" }\n")
        + &(test("down", "") + "down = [\"adyen_eu\"]\nexpect = { channel = \"stripe_eu\" }\n")
        + &(test("degraded", "") + "degraded = [\"adyen_eu\"]\nexpect = { channel = \"stripe_eu\" }\n")
        + &(test("none", "")
            + "down = [\"adyen_eu\"]\ndisabled = [\"stripe_eu\"]\nexpect = { rule = \"large\", no_channel = true }\n")
        + &(test("token", ", tokens = [\"stripe\"]") + "expect = { channel = \"stripe_eu\" }\n")
        + &(test("no token", ", tokens = []") + "expect = { no_channel = true }\n")
        + &(test("rest", ", card_brand = \"visa\"").replace("600.00", "6.00") + "expect = { rejected = true }\n")
        + &(dollars("split", "") + "expect = { channels = [\"stripe_eu\", \"adyen_eu\"] }\n")
        + &(dollars("split by id", ", id = \"pay_01970000000070008000000000000001\"")
            + "expect = { channel = \"adyen_eu\" }\n");
    assert_eq!(report(&text).to_string(), "0 errors, 0 warnings, 0 notes");

    let text = rules
        + &(test("wrong", "") + "down = [\"adyen_eu\"]\nexpect = { rule = \"large\", channel = \"adyen_eu\" }\n")
        + &(test("other rule", "") + "expect = { rule = \"rest\" }\n")
        + &(dollars("open", "") + "expect = { channel = \"adyen_eu\" }\n");
    let report = report(&text);
    let told: Vec<String> = report
        .findings
        .iter()
        .map(|finding| format!("{} ({})", finding.message, finding.hint.clone().unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [
            "test `wrong` fails: rule `large` chooses channel `stripe_eu`, where channel `adyen_eu` is expected (`adyen_eu` is down; `stripe_eu` chosen)",
            "test `other rule` fails: rule `large` decides, where `rest` is expected (`adyen_eu` chosen; `stripe_eu` comes later in the rule's order)",
            "test `open` fails: the split decides by the payment's id whether it is channel `adyen_eu` (give `payment` an `id`, or expect `channels = [...]`: all that the split chooses among)",
        ]
    );
    assert!(!report.is_loadable());
}
