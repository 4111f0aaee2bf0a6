//! What operators get wrong, and what they are told.

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

use model::{Case, Chance};
use switchyard_routing::source::SOURCE_BYTES_MAX;
use switchyard_routing::{RULES_MAX, RuleSet, Source, Vocabulary};

fn vocabulary() -> Vocabulary {
    Case::random(&mut Chance(1), 1, 1).vocabulary
}

/// The faults of `text` as `line:column message (hint)`.
fn faults(text: &str) -> Vec<String> {
    let told = |fault: switchyard_routing::Fault| {
        let hint = fault.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}:{} {}{hint}", fault.place.line, fault.place.column, fault.message)
    };
    let source = Source::new("config/routing.toml", text);
    RuleSet::compile(&source, &vocabulary()).err().unwrap_or_default().into_iter().map(told).collect()
}

#[track_caller]
fn one(text: &str, expected: &str) {
    assert_eq!(faults(text), [expected], "{text}");
}

/// A rule with this `when`.
#[track_caller]
fn when(condition: &str, expected: &str) {
    one(&format!("[[rules]]\nname = 'r'\nreject = 'no'\nwhen = {{ {condition} }}\n"), expected);
}

#[test]
fn files_without_rules() {
    let none = "1:1 there are no [[rules]], so no payment would have an outcome";
    one("", none);
    one("# nothing yet\n", none);
    one("rules = []\n", none);
    assert!(faults("[[rules]]\nname = \"half writ")[0].contains("not TOML"));
    assert!(faults("\0\u{1}binary").iter().all(|fault| fault.contains("not TOML")));
    let huge = "#".repeat(100 * 1024 * 1024);
    one(&huge, &format!("1:1 {} bytes are more than the {SOURCE_BYTES_MAX} that are read", huge.len()));
    let rules = "[[rules]]\nname='a'\n".repeat(RULES_MAX + 1);
    assert_eq!(faults(&rules), [format!("{}:1 more than {RULES_MAX} rules", RULES_MAX * 2 + 1)]);
    let deep = format!("a = {}1{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(faults(&deep)[0].contains("not TOML"));
}

#[test]
fn every_fault_is_told_at_once() {
    let text = r#"
[regions]
dach = ["DE", "AT", "XY"]

[[rules]]
name = "a"
wen = { country = ["DE"] }
use = ["alhpa"]

[[rules]]
name = "a"
when = { contry = ["DE"], currency = ["EUX"], method = "crad" }
split = { beta = 0 }
"#;
    assert_eq!(
        faults(text),
        [
            "3:21 unknown country or region `XY`",
            "7:1 unknown key `wen` in [rules] (did you mean `when`?)",
            "8:8 unknown channel `alhpa` (did you mean `alpha`?)",
            "11:8 a rule named `a` stands in line 6 already",
            "12:10 unknown key `contry` in [rules.when] (did you mean `country`?)",
            "12:39 unknown currency `EUX` (did you mean `EUR`?)",
            "12:56 unknown method `crad` (did you mean `card`?)",
            "13:18 `beta` is 0, where 1 to 1000000 is wanted",
        ]
    );
}

#[test]
fn outcomes() {
    one("[[rules]]\nname = 'r'\n", "1:1 the rule has no outcome: say `use`, `split` or `reject`");
    one("[[rules]]\nreject = 'no'\n", "1:1 [rules] lacks `name`");
    one("[[rules]]\nname = ''\nreject = 'no'\n", "2:8 a rule's name cannot be empty");
    one("[[rules]]\nname = 'r'\nreject = ' '\n", "3:10 `reject` needs a reason: it is what the merchant reads");
    one(
        "[[rules]]\nname = 'r'\nuse = ['alpha']\nreject = 'no'\n",
        "4:1 a rule has one outcome: `use`, `split` or `reject`",
    );
    one(
        "[[rules]]\nname = 'r'\nuse = []\n",
        "3:7 `use` names no channel; to refuse these payments, say `reject = \"why\"`",
    );
    one("[[rules]]\nname = 'r'\nsplit = {}\n", "3:9 `split` names no channel");
    one("[[rules]]\nname = 'r'\nuse = ['alpha', 'alpha']\n", "3:17 `use` names `alpha` twice");
    one(
        "[[rules]]\nname = 'r'\nuse = ['alpha']\nprefer = 'cheap'\n",
        "4:10 `prefer` is `cheap`, where one of `local` is wanted",
    );
    one(
        "[[rules]]\nname = 'r'\nsplit = { alpha = 1 }\nprefer = 'local'\n",
        "4:1 `prefer` sorts the channels of `use`, which this rule has not",
    );
}

#[test]
fn conditions() {
    when("country = []", "4:20 an empty list meets no payment; leave `country` out");
    when("country = ['EU']", "4:21 unknown country `EU` (`EU` is a region: say `region` instead of `country`)");
    when("region = ['DE']", "4:20 unknown region `DE` (`DE` is a country: say `country` instead of `region`)");
    when("region = ['eu']", "4:20 unknown region `eu` (did you mean `EU`?)");
    when("not_merchant = ['shop_c']", "4:26 unknown merchant `shop_c` (did you mean `shop_a`?)");
    when("order_type = ['ecomerce']", "4:24 unknown order type `ecomerce` (did you mean `ecommerce`?)");
    when("brand = ['visa']", "4:10 unknown key `brand` in [rules.when] (did you mean `card_brand`?)");
    when("currency = ['XAU']", "4:22 unknown currency `XAU` (did you mean `XAD`?)");
    when("method = 5", "4:19 `method` is an integer, where a list of texts is wanted");
    when("capture = ['manual', 5]", "4:31 `capture` is an integer, where a text is wanted");
}

#[test]
fn amounts() {
    when("amount = { EUR = '500.005..' }", "4:27 `500.005` is no amount of EUR: EUR has 2 decimals");
    when("amount = { JPY = '0.5..' }", "4:27 `0.5` is no amount of JPY: JPY has 0 decimals");
    when("amount = { EUR = '5..5' }", "4:27 `5..5` holds no amount: its end is excluded and must lie above its start");
    when("amount = { EUR = '9..5' }", "4:27 `9..5` holds no amount: its end is excluded and must lie above its start");
    when("amount = { EUR = '..' }", "4:27 a range needs a bound (for every amount, say `currency = [\"EUR\"]`)");
    when("amount = { EUR = '5,000..' }", "4:27 `5,000` is no amount of EUR: not a plain decimal number such as 500.00");
    when("amount = { EUR = '-5..' }", "4:27 `-5` is no amount of EUR: not a plain decimal number such as 500.00");
    when("amount = { EUR = ['0..10', '5..20'] }", "4:37 `5..20` overlaps a range before it");
    when(
        "amount = { EUR = '10' }",
        "4:27 `10` is not a range of amounts (`500.00..1000.00` includes 500.00 and excludes 1000.00; either side may be left out)",
    );
    when(
        "amount = { EUR = '99999999999..' }",
        "4:27 `99999999999` is more than the largest amount of a payment, 9999999999.99 EUR",
    );
    when("amount = { XYZ = '5..' }", "4:21 unknown currency `XYZ`");
    when("amount = {}", "4:19 `amount` names no currency");
    when("amount = '5..'", "4:19 `amount` is a text, where a table is wanted");
}

#[test]
fn regions() {
    let with = |regions: &str| format!("[regions]\n{regions}\n[[rules]]\nname = 'r'\nreject = 'no'\n");
    one(&with("a = ['a']"), "2:6 a region cannot hold itself: `a` -> `a`");
    one(&with("a = ['b']\nb = ['DE', 'c']\nc = ['a']"), "4:6 a region cannot hold itself: `a` -> `b` -> `c` -> `a`");
    one(&with("EU = ['DE']"), "2:1 `EU` cannot name a region (this region is built in)");
    one(&with("a = []"), "2:5 region `a` holds no country");
    assert!(faults(&with("a = ['EU', 'b', 'GB']\nb = ['CH']")).is_empty());
}

#[test]
fn tests_are_read_as_strictly() {
    let with = |test: &str| format!("[[rules]]\nname = 'r'\nreject = 'no'\n\n[[tests]]\nname = 't'\n{test}\n");
    let payment =
        "payment = { order_type = 'ecommerce', country = 'DE', method = 'card', amount = '6.00', currency = 'EUR' }";
    assert!(faults(&with(&format!("{payment}\nexpect = {{ rule = 'r' }}"))).is_empty());
    one(&with(&format!("{payment}\nexpect = {{ rule = 'rr' }}")), "8:19 unknown rule `rr`");
    one(
        &with(&format!("{payment}\nexpect = {{}}")),
        "8:10 `expect` needs a `rule`, or one of `channel`, `channels`, `rejected = true` and `no_channel = true`",
    );
    one(
        &with(&format!("{payment}\ndwon = ['alpha']\nexpect = {{ rule = 'r' }}")),
        "8:1 unknown key `dwon` in [tests] (did you mean `down`?)",
    );
    assert_eq!(
        faults(&with("payment = { country = 'DE', amount = '6.005', currency = 'EUR' }\nexpect = { channel = 'x' }")),
        [
            "7:11 [tests.payment] lacks `order_type`",
            "7:11 [tests.payment] lacks `method`",
            "7:38 `6.005` is no amount of EUR: EUR has 2 decimals",
            "8:22 unknown channel `x`",
        ]
    );
}

#[test]
fn a_fault_shows_its_place() {
    let text = "[[rules]]\nname = \"r\"\nwhen = { currency = [\"EUX\"] }\nreject = \"no\"\n";
    let source = Source::new("config/routing.toml", text);
    let faults = RuleSet::compile(&source, &vocabulary()).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "error: unknown currency `EUX`
 --> config/routing.toml:3:22
  |
3 | when = { currency = [\"EUX\"] }
  |                      ^^^^^
  = help: did you mean `EUR`?"
    );
}
