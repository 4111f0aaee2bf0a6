//! What a merchant can learn before it asks for money: routes, methods, capabilities.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use switchyard_tests::{Client, Options, Response, Sandbox, card_payment, unique, until, with};

const PATIENCE: Duration = Duration::from_secs(30);

/// Asks for a route of the payment's facts.
fn reserve(client: &Client, facts: &Value) -> Response {
    client.send("POST", "/v1/routes", &[("Content-Type", "application/json")], facts.to_string().as_bytes())
}

/// What routing asks of `payment`.
fn facts(payment: &Value) -> Value {
    let mut facts = json!({"payment_method": {"type": payment["payment_method"]["type"]}});
    for name in ["amount", "currency", "country", "order_type", "capture"] {
        if !payment[name].is_null() {
            facts[name] = payment[name].clone();
        }
    }
    facts
}

fn dollars() -> Value {
    with(with(card_payment("tok_approved"), "currency", "USD"), "country", "US")
}

/// Fails unless it was refused as stale; gives the whole problem.
fn stale(answer: Response) -> Value {
    let problem = answer.expect(409).json();
    assert_eq!(problem["code"], "route_stale", "{problem}");
    problem
}

#[test]
fn routes_are_spread_by_weight_and_each_payment_follows_its_own() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let mut shares: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..100 {
        let body = dollars();
        let route = reserve(&client, &facts(&body)).expect(201).json();
        assert_eq!(route["object"], "route", "{route}");
        assert_eq!((&route["rule"], &route["provider"]), (&json!("us-cards"), &json!("simulator")), "{route}");
        let key = route["client"]["publishable_key"].as_str().expect("a publishable key");
        assert!(key.starts_with("sim_publishable_test_"), "{key}");
        assert!(!route.to_string().contains("sim_test_"), "a secret in {route}");
        let payment = client.pay(&with(body, "route", route["id"].clone())).expect(201).json();
        assert_eq!(payment["status"], "captured", "{payment}");
        for member in ["rule", "channel", "rules_version", "reason", "id"] {
            assert_eq!(payment["route"][member], route[member], "{member} of {payment}");
        }
        *shares.entry(route["channel"].as_str().expect("a channel").to_owned()).or_default() += 1;
    }
    // 90 to 10. All in one, or fewer than 70 in the larger, come about less than once in ten thousand runs.
    assert_eq!(shares.len(), 2, "{shares:?}");
    assert!(shares["simulator_us"] >= 70, "{shares:?}");
    // Each went to the account of its channel.
    assert_eq!(sandbox.ledger("charge").len(), 100);
}

#[test]
fn a_route_may_be_followed_again_and_a_replay_needs_none() {
    let sandbox = Sandbox::start_with(Options::default().env("SWITCHYARD__ROUTES__LIFE", "24h"));
    let client = sandbox.client();
    let body = card_payment("tok_declined_do_not_honor");
    let route = reserve(&client, &facts(&body)).expect(201).json();
    let declined = client.pay(&with(body, "route", route["id"].clone())).expect(201).json();
    assert_eq!(declined["status"], "failed");
    // The payer takes another card on the same page.
    let (key, body) = (unique("k"), with(card_payment("tok_approved"), "route", route["id"].clone()));
    let paid = client.post("/v1/payments", &key, &body).expect(201);
    assert_eq!(paid.json()["route"]["id"], route["id"]);
    assert_eq!(
        route["created_at"].as_str().map(|at| at[10..].to_owned()),
        route["expires_at"].as_str().map(|at| at[10..].to_owned())
    );
    assert_ne!(route["created_at"], route["expires_at"]);
    let channel = route["channel"].as_str().expect("a channel");
    let (status, _, error) = sandbox.run(&["channels", "override", channel, "disabled", "--reason", "planned work"]);
    assert!(status.success(), "{error}");
    let late = with(card_payment("tok_approved"), "route", route["id"].clone());
    let problem = until(PATIENCE, || client.pay(&late), |answer| answer.status == 409);
    stale(problem);
    // What the key brought is answered, stale or not.
    let again = client.post("/v1/payments", &key, &body).expect(201);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body, paid.body);
    let other = with(body, "amount", 1);
    assert_eq!(client.post("/v1/payments", &key, &other).expect(422).json()["code"], "idempotency_mismatch");
}

#[test]
fn a_stale_route_sends_nothing_and_leaves_the_key_free() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let (key, body) = (unique("k"), card_payment("tok_approved"));
    let route = reserve(&client, &facts(&body)).expect(201).json();
    let following = with(body.clone(), "route", route["id"].clone());
    // Unknown.
    let nobodys = with(body.clone(), "route", format!("rt_{}", "0".repeat(32)));
    let unknown = stale(client.post("/v1/payments", &key, &nobodys));
    // Other facts, by name.
    let other = with(with(following.clone(), "amount", 12_501), "country", "AT");
    let problem = stale(client.post("/v1/payments", &key, &other));
    let fields: Vec<_> = problem["errors"].as_array().expect("errors").iter().map(|it| it["field"].clone()).collect();
    assert_eq!(fields, ["amount", "country"]);
    // Another merchant's, which reads as an unknown one.
    let arguments = ["keys", "issue", "--merchant", "demo-shop", "--mode", "test", "--scopes", "payments:write"];
    let (status, said, error) = sandbox.run(&arguments);
    assert!(status.success(), "{said}{error}");
    let theirs = sandbox.client_with(said.lines().last().expect("the secret").trim());
    let answer = until(PATIENCE, || theirs.pay(&following), |answer| answer.status != 401);
    assert_eq!(stale(answer)["detail"], unknown["detail"]);
    // Its channel down.
    let channel = route["channel"].as_str().expect("a channel");
    let (status, _, error) = sandbox.run(&["channels", "override", channel, "down", "--reason", "planned work"]);
    assert!(status.success(), "{error}");
    let down = |route: &Value| route["channel"] != json!(channel);
    until(PATIENCE, || reserve(&client, &facts(&body)).expect(201).json(), down);
    let problem = stale(client.post("/v1/payments", &key, &following));
    assert!(problem["detail"].as_str().expect("a text").contains(channel), "{problem}");
    assert_eq!((sandbox.ledger("charge").len(), sandbox.unbooked().len()), (0, 0), "something was sent");
    assert_eq!(client.get("/v1/payments").expect(200).json()["data"], json!([]));
    // Up again, the same key follows it, and the ledger kept it over a restart.
    let (status, _, error) = sandbox.run(&["channels", "clear", channel]);
    assert!(status.success(), "{error}");
    let sandbox = sandbox.restart();
    let payment = sandbox.client().post("/v1/payments", &key, &following).expect(201).json();
    assert_eq!(payment["route"]["channel"], channel);
    assert_eq!(payment["status"], "captured");
}

#[test]
fn other_rules_make_a_route_stale() {
    let folder = tempfile::TempDir::new().unwrap();
    for name in ["channels.toml", "merchants.toml", "routing.toml"] {
        let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name);
        std::fs::copy(shipped, folder.path().join(name)).unwrap();
    }
    let sandbox = Sandbox::start_with(Options { config: Some(folder.path().to_owned()), ..Options::default() });
    let client = sandbox.client();
    let body = dollars();
    let route = reserve(&client, &facts(&body)).expect(201).json();
    let routing = folder.path().join("routing.toml");
    let shipped = std::fs::read_to_string(&routing).unwrap();
    std::fs::write(
        &routing,
        shipped.replace("simulator_us = 90, simulator_eu = 10", "simulator_us = 1, simulator_eu = 1"),
    )
    .unwrap();
    let newer = until(
        PATIENCE,
        || reserve(&client, &facts(&body)).expect(201).json(),
        |newer| newer["rules_version"] != route["rules_version"],
    );
    stale(client.pay(&with(body.clone(), "route", route["id"].clone())));
    let payment = client.pay(&with(body, "route", newer["id"].clone())).expect(201).json();
    assert_eq!(payment["route"]["channel"], newer["channel"]);
}

#[test]
fn a_route_that_leads_nowhere_says_why() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let body = with(card_payment("tok_approved"), "country", "KP");
    let route = reserve(&client, &facts(&body)).expect(201).json();
    assert_eq!(
        (&route["channel"], &route["provider"], &route["expires_at"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let payment = client.pay(&body).expect(201).json();
    assert_eq!(route["failure"], payment["failure"]);
    assert_eq!(route["rule"], payment["route"]["rule"]);
    stale(client.pay(&with(body, "route", route["id"].clone())));
    // All faults at once, unknown fields among them.
    let faulty = json!({"amount": 0, "currency": "EUR", "country": "XX", "reference": "no", "payment_method": {"type": "card", "token": "x"}});
    let problem = reserve(&client, &faulty).expect(400).json();
    let fields: Vec<_> = problem["errors"].as_array().expect("errors").iter().map(|it| it["field"].clone()).collect();
    for field in ["amount", "country", "order_type", "reference", "payment_method.token"] {
        assert!(fields.contains(&json!(field)), "{field} of {problem}");
    }
}
