//! API keys over the API: issued by another key, switched under load, revoked; and how much they may ask.

use serde_json::{Value, json};
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use switchyard_tests::{Client, Options, Response, Sandbox, card_payment, unique, until};

const PATIENCE: Duration = Duration::from_secs(30);

fn issue(client: &Client, body: &Value) -> Response {
    client.send("POST", "/v1/api_keys", &[("Content-Type", "application/json")], body.to_string().as_bytes())
}

fn revoke(client: &Client, id: &str) -> Response {
    client.send("DELETE", &format!("/v1/api_keys/{id}"), &[], b"")
}

/// Id and secret.
fn issued(answer: Response) -> (String, String) {
    let key = answer.expect(201).json();
    let text = |name: &str| key[name].as_str().unwrap_or_else(|| panic!("no {name} in {key}")).to_owned();
    (text("id"), text("secret"))
}

fn metric(sandbox: &Sandbox, line: &str) -> u64 {
    let metrics = Client { address: sandbox.ops.clone(), authorization: None }.get("/metrics").expect(200).text();
    let value = metrics.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or(0)
}

#[test]
fn a_key_issues_keys_that_may_do_no_more_than_itself() {
    let sandbox = Sandbox::start();
    let manager = sandbox.client();
    let body = json!({
        "scopes": ["payments:read", "payments:write"], "label": "till 4", "addresses": ["127.0.0.0/32", "127.0.0.1"]
    });
    let answer = issue(&manager, &body).expect(403).json();
    assert_eq!(answer["code"], "addresses_too_wide", "the sandbox's key is for loopback alone: {answer}");

    let asked = json!({"scopes": ["payments:read", "payments:write"], "label": "till 4"});
    let answer = issue(&manager, &asked).expect(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let key = answer.json();
    assert_eq!((&key["object"], &key["live"], &key["label"]), (&json!("api_key"), &json!(false), &json!("till 4")));
    assert_eq!(key["addresses"], json!(["127.0.0.1", "::1"]), "what is left out is as the issuer has it");
    let (id, secret) = issued(answer);
    // At once: nothing is waited for.
    let till = sandbox.client_with(&secret);
    till.pay(&card_payment("tok_approved")).expect(201);
    assert_eq!(issue(&till, &asked).expect(403).json()["code"], "scope_missing");

    let shown = manager.get(&format!("/v1/api_keys/{id}")).expect(200);
    assert!(!shown.text().contains(&secret), "the secret is shown twice");
    assert!(shown.json()["last_used_at"].is_string());
    let (status, said, error) = sandbox.run(&["keys", "list"]);
    assert!(status.success() && said.contains(&id) && said.contains("till 4"), "{said}{error}");

    // Keys that may less issue keys that may less.
    let narrow = json!({
        "scopes": ["keys:manage", "payments:read"], "addresses": ["127.0.0.1"], "expires_at": "2200-01-01T00:00:00Z"
    });
    let (_, secret) = issued(issue(&manager, &narrow));
    let narrow = sandbox.client_with(&secret);
    for (body, codes) in [
        (json!({"scopes": ["refunds:write"]}), &["scope_not_held"][..]),
        (json!({"scopes": ["payments:read"], "expires_at": "2200-01-01T00:00:01Z"}), &["expiry_too_late"]),
        (json!({"scopes": ["payments:read"], "addresses": []}), &["addresses_too_wide"]),
        (json!({"scopes": ["payments:read"], "addresses": ["127.0.0.0/31"]}), &["addresses_too_wide"]),
        (
            json!({"scopes": ["payouts:write"], "addresses": ["::/0"], "expires_at": "2300-01-01T00:00:00Z"}),
            &["scope_not_held", "expiry_too_late", "addresses_too_wide"],
        ),
    ] {
        let problem = issue(&narrow, &body).expect(403).json();
        let told: Vec<&str> = problem["errors"].as_array().unwrap().iter().flat_map(|it| it["code"].as_str()).collect();
        assert_eq!((told.as_slice(), problem["code"].as_str()), (codes, codes.first().copied()), "{problem}");
    }
    let child = issue(&narrow, &json!({"scopes": ["payments:read"]})).expect(201).json();
    assert_eq!(
        (&child["expires_at"], &child["addresses"]),
        (&json!("2200-01-01T00:00:00.000Z"), &json!(["127.0.0.1"]))
    );
    let foreign = issue(&narrow, &json!({"scopes": ["payments:read"], "merchant": "demo-shop", "mode": "live"}));
    assert_eq!(foreign.expect(400).json()["errors"].as_array().unwrap().len(), 2);

    assert!(!sandbox.log().contains(&secret), "a secret is in the log");
}

#[test]
fn another_merchants_keys_are_not_there() {
    let sandbox = Sandbox::start();
    let scopes =
        ["keys", "issue", "--merchant", "demo-shop", "--mode", "test", "--scopes", "keys:manage,payments:read"];
    let (status, said, error) = sandbox.run(&scopes);
    assert!(status.success(), "{said}{error}");
    let demo = sandbox.client_with(said.lines().last().unwrap().trim());
    until(PATIENCE, || demo.get("/v1/api_keys").status, |&status| status == 200);
    let (id, _) = issued(issue(&sandbox.client(), &json!({"scopes": ["payments:read"]})));
    demo.get(&format!("/v1/api_keys/{id}")).expect(404);
    assert_eq!(revoke(&demo, &id).expect(404).json()["code"], "not_found");
    let listed = demo.get("/v1/api_keys").expect(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    sandbox.client().get(&format!("/v1/api_keys/{id}")).expect(200);
}

#[test]
fn keys_are_listed_page_by_page_and_revoked_once_and_for_all() {
    let sandbox = Sandbox::start();
    let manager = sandbox.client();
    let ids: Vec<String> = (0..5).map(|_| issued(issue(&manager, &json!({"scopes": ["payments:read"]}))).0).collect();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = manager.get(&format!("/v1/api_keys?limit=2{cursor}")).expect(200).json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    seen.reverse();
    assert_eq!(seen, ids);
    let first = revoke(&manager, &ids[0]).expect(200).json();
    assert!(first["revoked_at"].is_string());
    assert_eq!(revoke(&manager, &ids[0]).expect(200).json()["revoked_at"], first["revoked_at"]);
    revoke(&manager, "key_00000000000000000000000000000000").expect(404);
    let sandbox = sandbox.restart();
    let key = sandbox.client().get(&format!("/v1/api_keys/{}", ids[0])).expect(200).json();
    assert_eq!(key["revoked_at"], first["revoked_at"]);
}

#[test]
fn rotation_refuses_no_request() {
    let sandbox = Sandbox::start();
    let asked = json!({"scopes": ["payments:read", "keys:manage"]});
    let (mut id, secret) = issued(issue(&sandbox.client(), &asked));
    let current = RwLock::new(secret.clone());
    let (stop, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    // Held while the request runs: what began with the old key ends before that is revoked.
                    let secret = current.read().unwrap();
                    sandbox.client_with(&secret).get("/v1/payments?limit=1").expect(200);
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut holder = secret;
        for _ in 0..10 {
            let before = sent.load(Ordering::Relaxed);
            let (next_id, next) = issued(issue(&sandbox.client_with(&holder), &asked));
            // Both work.
            sandbox.client_with(&holder).get("/v1/payments?limit=1").expect(200);
            sandbox.client_with(&next).get("/v1/payments?limit=1").expect(200);
            *current.write().unwrap() = next.clone();
            until(PATIENCE, || sent.load(Ordering::Relaxed), |&now| now > before + 10);
            revoke(&sandbox.client_with(&next), &id).expect(200);
            // From the answer on.
            assert_eq!(sandbox.client_with(&holder).get("/v1/payments").expect(401).json()["code"], "key_revoked");
            (id, holder) = (next_id, next);
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn the_last_use_is_written_down() {
    let sandbox = Sandbox::start();
    let (id, secret) = issued(issue(&sandbox.client(), &json!({"scopes": ["payments:read"]})));
    let path = format!("/v1/api_keys/{id}");
    assert!(sandbox.client().get(&path).expect(200).json()["last_used_at"].is_null());
    sandbox.client_with(&secret).get("/v1/payments").expect(200);
    let used = sandbox.client().get(&path).expect(200).json()["last_used_at"].clone();
    let listed = || -> Value { serde_json::from_str(&sandbox.run(&["keys", "list", "--json"]).1).unwrap() };
    let written = until(PATIENCE, || listed()["data"][0]["last_used_at"].clone(), Value::is_string);
    assert_eq!(written, used);
    let sandbox = sandbox.restart();
    assert_eq!(sandbox.client().get(&path).expect(200).json()["last_used_at"], used);
}

#[test]
fn a_key_that_asks_too_fast_waits_and_others_do_not() {
    let options = Options::default().env("SWITCHYARD__LIMITS__PER_SECOND", "1").env("SWITCHYARD__LIMITS__BURST", "5");
    let sandbox = Sandbox::start_with(options);
    let client = sandbox.client();
    let first = client.get("/v1/payments").expect(200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"key\";q=5;w=5"));
    assert_eq!(first.header("ratelimit"), Some("\"key\";r=4;t=1"));
    let refused = until(PATIENCE, || client.pay(&card_payment("tok_approved")), |answer| answer.status == 429);
    let charges = sandbox.ledger("charge").len();
    assert_eq!(refused.json()["code"], "rate_limited");
    assert_eq!(refused.header("ratelimit").map(|value| value.starts_with("\"key\";r=0;t=")), Some(true));
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds));
    assert!(metric(&sandbox, "switchyard_http_rate_limited_total{by=\"key\"}") >= 1);
    assert_eq!(sandbox.ledger("charge").len(), charges, "a refused payment was sent");

    // A key with a rate of its own.
    let (status, said, error) =
        sandbox.run(&["keys", "issue", "--merchant", "sandbox", "--per-second", "500", "--scopes", "payments:read"]);
    assert!(status.success(), "{said}{error}");
    let fast = sandbox.client_with(said.lines().last().unwrap().trim());
    let known = until(PATIENCE, || fast.get("/v1/payments"), |answer| answer.status == 200);
    assert_eq!(known.header("ratelimit-policy"), Some("\"key\";q=1000;w=2"));
    for _ in 0..20 {
        fast.get("/v1/payments").expect(200);
    }
    // Tokens come back.
    until(PATIENCE, || client.get("/v1/payments").status, |&status| status == 200);
}

#[test]
fn an_address_without_a_key_is_limited_and_keys_from_there_are_not() {
    let options = Options::default()
        .env("SWITCHYARD__LIMITS__ADDRESS_PER_SECOND", "1")
        .env("SWITCHYARD__LIMITS__ADDRESS_BURST", "3");
    let sandbox = Sandbox::start_with(options);
    let stranger = sandbox.client_with("sy_test_unknown");
    let first = stranger.get("/v1/payments").expect(401);
    assert_eq!(first.header("ratelimit-policy"), Some("\"address\";q=3;w=3"));
    let refused = until(PATIENCE, || stranger.get("/v1/payments"), |answer| answer.status == 429);
    assert!(refused.header("retry-after").is_some());
    until(PATIENCE, || stranger.get("/nowhere").status, |&status| status == 429);
    assert!(metric(&sandbox, "switchyard_http_rate_limited_total{by=\"address\"}") >= 2);
    for _ in 0..10 {
        sandbox.client().get("/v1/payments").expect(200);
    }
    sandbox.client().post("/v1/payments", &unique("key"), &card_payment("tok_approved")).expect(201);
}

#[test]
fn a_merchants_rate_comes_into_force_while_the_gateway_runs() {
    let folder = tempfile::TempDir::new().unwrap();
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../config");
    for name in ["channels.toml", "merchants.toml", "routing.toml"] {
        std::fs::copy(format!("{config}/{name}"), folder.path().join(name)).unwrap();
    }
    let options = Options { config: Some(folder.path().to_owned()), ..Options::default() };
    let sandbox = Sandbox::start_with(options);
    let client = sandbox.client();
    assert_eq!(client.get("/v1/payments").expect(200).header("ratelimit-policy"), Some("\"key\";q=2000;w=2"));
    let path = folder.path().join("merchants.toml");
    let merchants = std::fs::read_to_string(&path).unwrap();
    let changed = merchants.replace("[merchants.sandbox]\n", "[merchants.sandbox]\nper_second = 30\nburst = 90\n");
    std::fs::write(folder.path().join("next"), changed).unwrap();
    std::fs::rename(folder.path().join("next"), &path).unwrap();
    let policy = || client.get("/v1/payments").expect(200).header("ratelimit-policy").map(str::to_owned);
    until(PATIENCE, policy, |policy| policy.as_deref() == Some("\"key\";q=90;w=3"));
}
