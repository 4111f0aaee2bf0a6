//! API keys: issued, scoped, revoked, expired.

use serde_json::json;
use std::time::Duration;
use switchyard_tests::{Client, Sandbox, authorization, card_payment, unique, until};

const PATIENCE: Duration = Duration::from_secs(15);

fn issue(sandbox: &Sandbox, scopes: &str, more: &[&str]) -> (String, String) {
    let arguments = [&["keys", "issue", "--merchant", "sandbox", "--mode", "test", "--scopes", scopes], more].concat();
    let (status, said, error) = sandbox.run(&arguments);
    assert!(status.success(), "{said}{error}");
    let secret = said.lines().last().expect("the secret").trim().to_owned();
    assert!(secret.starts_with("sy_test_"), "{said}");
    let id = said.split_whitespace().find(|word| word.starts_with("key_")).expect("the id").to_owned();
    (id, secret)
}

fn until_known(client: &Client) {
    until(PATIENCE, || client.get("/v1/payments").status, |&status| status != 401);
}

#[test]
fn scopes_are_enforced() {
    let sandbox = Sandbox::start();
    let (_, secret) = issue(&sandbox, "payments:read", &[]);
    let reader = sandbox.client_with(&secret);
    until_known(&reader);
    reader.get("/v1/payments").expect(200);
    assert_eq!(reader.pay(&card_payment("tok_approved")).expect(403).json()["code"], "scope_missing");
    let (_, secret) = issue(&sandbox, "payments:write,payments:read", &[]);
    let writer = sandbox.client_with(&secret);
    until_known(&writer);
    let payment = writer.pay(&authorization("tok_approved")).expect(201).json();
    let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
    writer.post(&format!("{path}/captures"), &unique("k"), &json!({})).expect(201);
    let refund = writer.post(&format!("{path}/refunds"), &unique("k"), &json!({})).expect(403).json();
    assert_eq!(refund["code"], "scope_missing");
    assert_eq!(sandbox.ledger("refund").len(), 0);
}

#[test]
fn a_revoked_key_ends_and_survives_nothing() {
    let sandbox = Sandbox::start();
    let (id, secret) = issue(&sandbox, "payments:read", &["--label", "till 4"]);
    let client = sandbox.client_with(&secret);
    until_known(&client);
    let (status, said, error) = sandbox.run(&["keys", "list"]);
    assert!(status.success(), "{error}");
    assert!(said.contains(&id) && said.contains("till 4"), "{said}");
    assert!(!said.contains(&secret), "the secret is shown twice");
    let (status, _, error) = sandbox.run(&["keys", "revoke", &id]);
    assert!(status.success(), "{error}");
    let refused = until(PATIENCE, || client.get("/v1/payments"), |answer| answer.status == 401);
    assert_eq!(refused.json()["code"], "key_revoked");
    let (status, _, _) = sandbox.run(&["keys", "revoke", &id]);
    assert!(!status.success(), "revoked twice");
    let sandbox = sandbox.restart();
    sandbox.client_with(&secret).get("/v1/payments").expect(401);
}

#[test]
fn without_a_key_or_with_a_wrong_one_there_is_nothing_to_see() {
    let sandbox = Sandbox::start();
    let none = Client { address: sandbox.api.clone(), authorization: None };
    let answer = none.get("/v1/payments").expect(401);
    assert!(answer.header("www-authenticate").is_some());
    for key in ["sy_test_nonsense", "sy_live_sandbox", "sy_test_sandbo", "", "sy_test_sandbox2"] {
        sandbox.client_with(key).get("/v1/payments").expect(401);
    }
    let basic = Client { address: sandbox.api.clone(), authorization: Some("Basic c3lfdGVzdF9zYW5kYm94Og==".into()) };
    basic.get("/v1/payments").expect(401);
}

#[test]
fn keys_can_be_issued_before_the_first_start() {
    let data = tempfile::TempDir::new().unwrap();
    let arguments = ["keys", "issue", "--merchant", "sandbox", "--mode", "test", "--scopes", "payments:read"];
    let (status, said, error) = switchyard_tests::process::run(&arguments, Some(data.path()), None);
    assert!(status.success(), "{said}{error}");
    let secret = said.lines().last().unwrap().trim().to_owned();
    let sandbox = Sandbox::start_on(std::sync::Arc::new(data), switchyard_tests::Options::default());
    sandbox.client_with(&secret).get("/v1/payments").expect(200);
}
