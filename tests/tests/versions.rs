//! Versions of the API, through the real binary and over a restart.

use serde_json::{Value, json};
use switchyard_tests::{Client, Response, Sandbox, authorization, unique};

const OLD: (&str, &str) = ("Switchyard-Version", "2026-10-01");
const NEW: (&str, &str) = ("Switchyard-Version", "2026-11-01");

fn pay(client: &Client, key: &str, version: (&str, &str), body: &Value) -> Response {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key), version];
    client.send("POST", "/v1/payments", &headers, body.to_string().as_bytes())
}

/// An authorization as the older version writes it.
fn older(mut body: Value) -> Value {
    let capture = body.as_object_mut().unwrap().remove("capture").unwrap();
    body["capture_method"] = capture;
    body
}

#[test]
fn an_older_version_is_served_and_replayed_byte_for_byte() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let (body, key) = (authorization("tok_approved"), unique("key"));
    let first = pay(&client, &key, OLD, &older(body.clone())).expect(201);
    let payment = first.json();
    assert_eq!((&payment["capture_method"], &payment["capture"]), (&json!("manual"), &Value::Null));
    assert_eq!((first.header("switchyard-version"), first.header("sunset").is_some()), (Some("2026-10-01"), true));

    let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
    assert_eq!(client.send("GET", &path, &[OLD], b"").expect(200).body, first.body);
    let now = client.get(&path).expect(200);
    assert_eq!((&now.json()["capture"], now.header("switchyard-version")), (&json!("manual"), Some("2026-11-01")));
    assert_eq!(now.header("deprecation"), None);
    let feed = format!("/v1/events?payment={}", payment["id"].as_str().unwrap());
    for (version, member) in [(OLD, "capture_method"), (NEW, "capture")] {
        let events = client.send("GET", &feed, &[version], b"").expect(200).json();
        for event in events["data"].as_array().unwrap() {
            assert_eq!((&event["version"], &event["data"]["object"][member]), (&json!(version.1), &json!("manual")));
        }
    }

    // The merchant has moved on, and the gateway was started again: the original's answer, in the original's version.
    let sandbox = sandbox.restart();
    let again = pay(&sandbox.client(), &key, NEW, &body).expect(201);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("switchyard-version"), Some("2026-10-01"));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(sandbox.ledger("charge").len(), 1);
}

#[test]
fn a_key_keeps_the_version_that_it_was_issued_with() {
    let sandbox = Sandbox::start();
    let issue = json!({"scopes": ["payments:read", "payments:write", "keys:manage"], "version": "2026-10-01"});
    let headers = [("Content-Type", "application/json")];
    let issued = sandbox.client().send("POST", "/v1/api_keys", &headers, issue.to_string().as_bytes()).expect(201);
    let old = sandbox.client_with(issued.json()["secret"].as_str().unwrap());
    let made = old.pay(&older(authorization("tok_approved"))).expect(201);
    assert_eq!(made.header("switchyard-version"), Some("2026-10-01"));
    assert_eq!(old.pay(&authorization("tok_approved")).expect(400).json()["errors"][0]["field"], "capture");
    // Its own keys are as it is; a request may name another version.
    let child = old.send("POST", "/v1/api_keys", &headers, br#"{"scopes": ["payments:read"]}"#).expect(201).json();
    assert_eq!(child["version"], "2026-10-01");
    assert_eq!(old.send("GET", "/v1/payments", &[NEW], b"").header("switchyard-version"), Some("2026-11-01"));
    let unknown = old.send("GET", "/v1/payments", &[("Switchyard-Version", "2025-01-01")], b"").expect(400).json();
    assert_eq!(unknown["code"], "version_unknown");
    assert!(unknown["detail"].as_str().unwrap().contains("2026-10-01, 2026-11-01"), "{unknown}");
}
