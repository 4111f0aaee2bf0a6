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

/// Whether a payment by the method gets a channel.
fn gets_a_channel(client: &Client, method: &Value, ask: &Value, amount: i64, capture: &str) -> bool {
    let body = json!({
        "amount": amount, "currency": ask["currency"], "country": ask["country"], "order_type": ask["order_type"],
        "reference": unique("order"), "capture": capture,
        "payment_method": if method["presentation"] == "token" {
            json!({"type": method["type"], "token": "tok_approved"})
        } else {
            json!({"type": method["type"]})
        },
        "return_url": "https://shop.example/return"
    });
    let answer = client.pay(&body);
    assert!(matches!(answer.status, 201 | 202), "{}", answer.text());
    !answer.json()["route"]["channel"].is_null()
}

fn methods(client: &Client, ask: &Value, more: &str) -> Value {
    let text = |name: &str| ask[name].as_str().expect("a text").to_owned();
    let (country, order_type, currency) = (text("country"), text("order_type"), text("currency"));
    let path = format!("/v1/payment_methods?country={country}&order_type={order_type}&currency={currency}{more}");
    client.get(&path).expect(200).json()
}

#[test]
fn listed_methods_get_a_channel_and_no_amount_beside_them_does() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let mut seen = Vec::new();
    for (country, currency, order_type) in [
        ("DE", "EUR", "ecommerce"),
        ("NL", "EUR", "ecommerce"),
        ("BR", "BRL", "ecommerce"),
        ("US", "USD", "ecommerce"),
        ("JP", "JPY", "ecommerce"),
        ("GB", "GBP", "subscription"),
    ] {
        let ask = json!({"country": country, "currency": currency, "order_type": order_type});
        let listed = methods(&client, &ask, "");
        for method in listed["data"].as_array().expect("data") {
            seen.push(format!("{country} {currency} {}", method["type"].as_str().unwrap()));
            let number = |name: &str| method[name].as_i64().expect("a number");
            let (min, max, step) = (number("min"), number("max"), number("step"));
            assert_eq!(method["amounts"].as_array().map(Vec::len), Some(1), "{method}");
            for amount in [min, min + step, max] {
                assert!(gets_a_channel(&client, method, &ask, amount, "automatic"), "{amount} by {method}");
            }
            if min > 1 {
                assert!(!gets_a_channel(&client, method, &ask, min - 1, "automatic"), "{method}");
            }
            if max < 999_999_999_999 {
                assert!(!gets_a_channel(&client, method, &ask, max + 1, "automatic"), "{method}");
            }
            let held = gets_a_channel(&client, method, &ask, min, "manual");
            assert_eq!(method["manual_capture"], held, "{method}");
            // By its amount: listed at the edge, and not past it.
            let names = |more: &str| {
                let listed = methods(&client, &ask, more);
                let data = listed["data"].as_array().expect("data").clone();
                data.iter().any(|other| other["type"] == method["type"])
            };
            assert!(names(&format!("&amount={max}")), "{method}");
            if max < 999_999_999_999 {
                assert!(!names(&format!("&amount={}", max + 1)), "{method}");
            }
            assert_eq!(names("&capture=manual"), held);
        }
    }
    assert_eq!(
        seen,
        [
            "DE EUR card",
            "DE EUR bank_transfer",
            "NL EUR card",
            "NL EUR ideal",
            "NL EUR bank_transfer",
            "BR BRL card",
            "BR BRL pix",
            "US USD card",
            "JP JPY card",
            "GB GBP card"
        ]
    );
}

#[test]
fn methods_follow_the_channels_status_and_say_why_they_are_missing() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let ask = json!({"country": "SE", "currency": "SEK", "order_type": "ecommerce"});
    let types = |listed: &Value| {
        let data = listed["data"].as_array().expect("data").iter();
        data.map(|method| method["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(types(&methods(&client, &ask, "")), ["card"]);
    let (status, _, error) = sandbox.run(&["channels", "override", "simulator_eu", "down", "--reason", "planned work"]);
    assert!(status.success(), "{error}");
    let listed = until(PATIENCE, || methods(&client, &ask, "&include=unavailable"), |listed| types(listed).is_empty());
    let unavailable = listed["unavailable"].as_array().expect("a list");
    let reasons = |name: &str| unavailable.iter().find(|it| it["type"] == name).expect("listed")["reasons"].clone();
    assert_eq!(reasons("card")[0]["rule"], "eu-cards");
    assert_eq!(
        reasons("card")[0]["channels"],
        json!([{"channel": "simulator_eu", "reason": "is down"},
               {"channel": "simulator_us", "reason": "does not take this currency"}])
    );
    assert_eq!(reasons("ideal")[0]["message"], "this method is not accepted in this currency and country");
    // Of every currency at once.
    let all = client.get("/v1/payment_methods?country=DE&order_type=ecommerce").expect(200).json();
    let card = &all["data"][0];
    assert_eq!((&card["type"], &card["min"]), (&json!("card"), &Value::Null));
    let currencies = card["currencies"].as_array().expect("a list");
    assert!(currencies.contains(&json!("EUR")) && !currencies.contains(&json!("SEK")), "{card}");
}

#[test]
fn capabilities_are_those_of_the_merchants_channels() {
    let sandbox = Sandbox::start();
    let listed = sandbox.client().get("/v1/capabilities").expect(200).json();
    let channels = listed["data"].as_array().expect("data");
    let names: Vec<_> = channels.iter().map(|it| it["channel"].as_str().unwrap()).collect();
    assert_eq!(names, ["simulator_eu", "simulator_local", "simulator_us"]);
    let eu = &channels[0];
    assert_eq!((&eu["provider"], &eu["acquiring_country"]), (&json!("simulator"), &json!("IE")));
    let card = &eu["methods"][0];
    assert_eq!(eu["methods"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        card["operations"],
        json!({"authorize": true, "sale": true, "capture": "many", "void": true, "cancel_waiting": true, "refund": "many"})
    );
    let pounds = card["amounts"].as_array().unwrap().iter().find(|it| it["currency"] == "GBP").expect("limits");
    assert_eq!(*pounds, json!({"currency": "GBP", "min": 30, "max": 25_000_000, "step": 1}));
    assert!(card["countries"].is_null() && card["currencies"].as_array().unwrap().contains(&json!("SEK")), "{card}");
    let local = &channels[1];
    assert_eq!(local["order_types"], json!(["ecommerce"]));
    let types: Vec<_> = local["methods"].as_array().unwrap().iter().map(|it| it["type"].clone()).collect();
    assert_eq!(types, ["ideal", "bank_transfer", "pix"]);
}
