//! Decisions explained and made again long after, and other rules replayed over recorded payments.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use switchyard_tests::{Options, Sandbox, card_payment, process, until, with};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

const EU_FIRST: &str = "\"PLN\"] }\nuse  = [\"simulator_eu\", \"simulator_us\"]";
const US_FIRST: &str = "\"PLN\"] }\nuse  = [\"simulator_us\", \"simulator_eu\"]";

/// A configuration directory with the shipped files.
fn shipped() -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["channels.toml", "merchants.toml", "routing.toml"] {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name);
        std::fs::copy(shipped, folder.path().join(name)).unwrap();
    }
    folder
}

/// `text` with each of the changes, which must be one.
fn changed(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

fn paid(sandbox: &Sandbox, country: &str, currency: &str, amount: i64) -> Value {
    let body =
        with(with(with(card_payment("tok_approved"), "country", country), "currency", currency), "amount", amount);
    sandbox.client().pay(&body).expect(201).json()
}

/// Where the answer says that a payment went.
fn end(payment: &Value) -> String {
    match (payment["route"]["channel"].as_str(), payment["failure"]["code"].as_str()) {
        (Some(channel), _) => channel.to_owned(),
        (None, Some("rejected_by_rule")) => "rejected".to_owned(),
        (None, _) => "no_channel".to_owned(),
    }
}

/// By from, to and currency: how many, and their sum.
type Moves = BTreeMap<(String, String, String), (u64, i64)>;

/// What moves if `to` says where each payment goes.
fn expected<'p>(payments: impl IntoIterator<Item = &'p Value>, to: impl Fn(&Value) -> String) -> Moves {
    let mut moves = Moves::new();
    for payment in payments {
        let (from, to) = (end(payment), to(payment));
        if from != to {
            let found = moves.entry((from, to, payment["currency"].as_str().unwrap().to_owned())).or_default();
            *found = (found.0 + 1, found.1 + payment["amount"].as_i64().unwrap());
        }
    }
    moves
}

fn told(replay: &Value) -> Moves {
    let end = |end: &Value| end["channel"].as_str().or(end["outcome"].as_str()).unwrap().to_owned();
    let mut moves = Moves::new();
    for found in replay["moves"].as_array().unwrap() {
        for amount in found["amounts"].as_array().unwrap() {
            let currency = amount["currency"].as_str().unwrap().to_owned();
            let value = (amount["count"].as_u64().unwrap(), amount["amount"].as_i64().unwrap());
            moves.insert((end(&found["from"]), end(&found["to"]), currency), value);
        }
    }
    moves
}

fn replayed(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let arguments = [&["rules", "replay", "--since", "1h", "--json"], arguments].concat();
    let (status, said, error) = sandbox.run(&arguments);
    assert!(status.success(), "{said}{error}");
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{error}"))
}

/// Payments by every way through the shipped rules, under several statuses.
fn pay_in_every_way(sandbox: &Sandbox) -> Vec<Value> {
    let mut payments = vec![
        paid(sandbox, "DE", "EUR", 12_500),
        paid(sandbox, "GB", "GBP", 700),
        paid(sandbox, "SY", "EUR", 900),
        paid(sandbox, "JP", "JPY", 4_980),
        paid(sandbox, "DE", "EUR", 20),
    ];
    payments.extend((0..30).map(|number| paid(sandbox, "US", "USD", 1_000 + number)));
    let pix = json!({
        "amount": 3_500, "currency": "BRL", "country": "BR", "order_type": "ecommerce", "return_url": "https://shop.example/back",
        "reference": switchyard_tests::unique("order"), "payment_method": {"type": "pix"}
    });
    payments.push(sandbox.client().pay(&pix).json());
    let (status, _, error) = sandbox.run(&["channels", "override", "simulator_eu", "down", "--reason", "planned work"]);
    assert!(status.success(), "{error}");
    payments.push(until(
        PATIENCE,
        || paid(sandbox, "DE", "EUR", 3_300),
        |payment| payment["route"]["channel"] == "simulator_us",
    ));
    payments.push(paid(sandbox, "SE", "SEK", 90_000));
    let (status, _, error) = sandbox.run(&["channels", "clear", "simulator_eu"]);
    assert!(status.success(), "{error}");
    until(PATIENCE, || paid(sandbox, "AT", "EUR", 100), |payment| payment["route"]["channel"] == "simulator_eu");
    payments
}

/// Every payment, as the merchant reads it.
fn recorded(sandbox: &Sandbox) -> Vec<Value> {
    let (mut payments, mut page) = (Vec::new(), "/v1/payments?limit=100".to_owned());
    loop {
        let listed = sandbox.client().get(&page).expect(200).json();
        payments.extend(listed["data"].as_array().unwrap().iter().cloned());
        match listed["next_cursor"].as_str() {
            Some(cursor) => page = format!("/v1/payments?limit=100&cursor={cursor}"),
            None => return payments,
        }
    }
}

#[test]
fn a_replay_shows_what_would_move_and_old_decisions_stay_what_they_were() {
    let config = shipped();
    let mut sandbox = Sandbox::start_with(Options { config: Some(config.path().to_owned()), ..Options::default() });
    pay_in_every_way(&sandbox);
    // Also the payments that were made while an override was awaited.
    let payments = recorded(&sandbox);
    let ends: std::collections::BTreeSet<String> = payments.iter().map(end).collect();
    for wanted in ["simulator_eu", "simulator_us", "simulator_local", "rejected", "no_channel"] {
        assert!(ends.contains(wanted), "{ends:?}");
    }
    // Renewals aside, these differ in three points.
    let routing = config.path().join("routing.toml");
    let rules_a = std::fs::read_to_string(&routing).unwrap();
    // The file's own tests expect what the others change.
    let (rules, _) = rules_a.split_once("# --- Tests").unwrap();
    let rules_b = changed(
        rules,
        &[
            (EU_FIRST, US_FIRST),
            ("\"KP\", \"SY\"]", "\"KP\"]"),
            ("split = { simulator_us = 90, simulator_eu = 10 }", "use = [\"simulator_us\"]"),
        ],
    );
    let under_b = |payment: &Value| match (payment["country"].as_str().unwrap(), payment["currency"].as_str().unwrap())
    {
        // From half a euro on; Dublin was all that was ever down.
        ("DE" | "AT", "EUR") if payment["amount"].as_i64() >= Some(50) => "simulator_us".to_owned(),
        ("GB", "GBP") | ("US", "USD") | ("SY", "EUR") => "simulator_us".to_owned(),
        _ => end(payment),
    };
    let moves = expected(&payments, under_b);
    assert!(moves.len() >= 3, "{moves:?}");

    // Before they are in force, from a file; in parts of the time, too.
    let proposed = config.path().join("proposed.toml");
    std::fs::write(&proposed, &rules_b).unwrap();
    let proposed = proposed.to_str().unwrap();
    let replay = replayed(&sandbox, &["--rules", proposed]);
    assert_eq!(told(&replay), moves, "{replay:#}");
    let counted = |key: &str| replay[key].as_u64().unwrap();
    let moved = moves.values().map(|(count, _)| count).sum::<u64>();
    assert_eq!((counted("payments"), counted("moved")), (payments.len() as u64, moved));
    assert_eq!((&replay["counted_as_up"], &replay["not_evaluated"]), (&json!([]), &json!({})));
    assert_eq!(replayed(&sandbox, &[])["moved"], 0);
    let middle = payments[payments.len() / 2]["created_at"].as_str().unwrap();
    let early = payments.iter().filter(|payment| payment["created_at"].as_str().unwrap() < middle);
    assert_eq!(told(&replayed(&sandbox, &["--rules", proposed, "--until", middle])), expected(early, under_b));
    let (status, said, error) = sandbox.run(&["rules", "replay", "--since", "1h", "--rules", proposed, "--limit", "1"]);
    assert!(status.success() && said.contains("would end elsewhere") && said.contains("such as pay_"), "{said}{error}");

    // In force.
    std::fs::write(&routing, &rules_b).unwrap();
    let old = payments.iter().find(|payment| payment["country"] == "DE" && end(payment) == "simulator_eu").unwrap();
    let id = old["id"].as_str().unwrap();
    let new = until(
        PATIENCE,
        || paid(&sandbox, "DE", "EUR", 12_500),
        |payment| payment["route"]["rules_version"] != old["route"]["rules_version"],
    );
    assert_eq!(end(&new), "simulator_us");
    assert_eq!(
        told(&replayed(&sandbox, &["--until", new["created_at"].as_str().unwrap()]))
            .keys()
            .map(|(from, to, _)| (from.as_str(), to.as_str()))
            .collect::<Vec<_>>(),
        moves.keys().map(|(from, to, _)| (from.as_str(), to.as_str())).collect::<Vec<_>>()
    );
    let explained = |sandbox: &Sandbox, id: &str| {
        let (status, said, error) = sandbox.run(&["rules", "explain", id]);
        assert!(status.success(), "{said}{error}");
        said
    };
    let asked = explained(&sandbox, id);
    assert!(asked.contains("The payment goes to simulator_eu (simulator).\n\n  rule    eu-cards\n"), "{asked}");
    assert!(asked.contains("simulator_eu chosen\n  simulator_us comes later in the rule's order\n"), "{asked}");
    assert!(asked.contains(old["route"]["rules_version"].as_str().unwrap()), "{asked}");
    let asked_new = explained(&sandbox, new["id"].as_str().unwrap());
    assert!(asked_new.contains("simulator_us chosen\n  simulator_eu comes later in the rule's order\n"), "{asked_new}");
    let nowhere = payments.iter().find(|payment| end(payment) == "no_channel").unwrap();
    let timeline = format!("/ops/payments/{}", nowhere["id"].as_str().unwrap());
    let decision = sandbox.ops_client().get(&timeline).expect(200).json()["decision"].clone();
    assert_eq!(decision["candidates"][0], json!({"channel": "simulator_eu", "verdict": "is down"}), "{decision:#}");
    assert_eq!(decision["candidates"][1]["verdict"], "does not take this currency", "{decision:#}");
    assert_eq!((&decision["statuses"]["simulator_eu"], &decision["differences"]), (&json!("down"), &json!([])));
    sandbox.ops_client().get("/ops/rules/explain?payment=pay_1").expect(400);
    sandbox.ops_client().get(&format!("/ops/rules/explain?payment=pay_{}", "0".repeat(32))).expect(404);
    let anybody = switchyard_tests::Client { address: sandbox.ops.clone(), authorization: None };
    anybody.get(&format!("/ops/rules/explain?payment={id}")).expect(401);
    let (status, said, error) = sandbox.run(&["rules", "verify"]);
    assert!(status.success() && said.contains("of 2 rule sets come out again"), "{said}{error}");

    // And all of it when nobody serves.
    assert!(sandbox.stop().success());
    assert_eq!(explained(&sandbox, id), asked);
    let (status, said, error) = sandbox.run(&["rules", "verify", "--since", "1h"]);
    assert!(status.success() && said.contains("of 2 rule sets come out again"), "{said}{error}");
    std::fs::write(&routing, &rules_a).unwrap();
    let back = told(&replayed(&sandbox, &[]));
    assert!(back.contains_key(&("simulator_us".into(), "simulator_eu".into(), "EUR".into())), "{back:?}");
    channels_come_and_go(&sandbox, config.path(), &payments, &rules_a);
}

/// A channel that the rules of then did not know, and one that those of now do not.
fn channels_come_and_go(sandbox: &Sandbox, config: &Path, payments: &[Value], rules: &str) {
    let edit = |name: &str, changes: &[(&str, &str)]| {
        let path = config.join(name);
        std::fs::write(&path, changed(&std::fs::read_to_string(&path).unwrap(), changes)).unwrap();
    };
    edit("channels.toml", &[("[channels.simulator_local]", "[channels.simulator_home]")]);
    edit("merchants.toml", &[("\"simulator_local\"", "\"simulator_home\"")]);
    std::fs::write(config.join("routing.toml"), changed(rules, &[("simulator_local", "simulator_home")])).unwrap();
    let replay = replayed(sandbox, &[]);
    let mut gone = told(&replay);
    gone.retain(|(from, ..), _| from == "simulator_local");
    let expected = expected(payments, |payment| match end(payment).as_str() {
        "simulator_local" => "simulator_home".to_owned(),
        other => other.to_owned(),
    });
    assert_eq!((gone, &replay["counted_as_up"]), (expected, &json!(["simulator_home"])), "{replay:#}");
}

#[test]
fn a_check_fails_for_warnings_where_these_are_denied() {
    let config = shipped();
    let check = |arguments: &[&str]| {
        let arguments = [&["rules", "check"], arguments].concat();
        process::run(&arguments, Some(config.path()), Some(config.path()))
    };
    // Notes are none.
    let (status, said, error) = check(&["--deny", "warnings"]);
    assert!(status.success() && said.contains(" 0 warnings"), "{said}{error}");
    let routing = config.path().join("routing.toml");
    let rules = std::fs::read_to_string(&routing).unwrap();
    // North Korea stands under an embargo, so that this rule never sees it.
    let doubtful = "[[rules]]\nname = \"never\"\nwhen = { country = [\"KP\", \"FR\"], method = [\"card\"], currency = [\"EUR\"] }\n\
                    use = [\"simulator_eu\"]\n\n# --- Cards";
    std::fs::write(&routing, changed(&rules, &[("# --- Cards", doubtful)])).unwrap();
    let (status, said, error) = check(&[]);
    assert!(status.success() && said.contains("warning[partly_shadowed]"), "{said}{error}");
    let (status, _, error) = check(&["--deny", "warnings"]);
    assert!(!status.success() && error.contains("denied"), "{error}");
    let (status, said, error) = check(&["--deny", "warnings", "--json"]);
    let found: Value = serde_json::from_str(&said).unwrap();
    assert!(!status.success() && error.is_empty() && found["ok"] == false, "{said}{error}");
    let (status, said, _) = check(&["--json"]);
    let found: Value = serde_json::from_str(&said).unwrap();
    assert!(status.success() && found["ok"] == true && found["denied"] == 0, "{said}");
    let (status, _, error) = check(&["--deny", "notes"]);
    assert!(!status.success() && error.contains("warnings"), "{error}");
}
