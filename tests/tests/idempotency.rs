//! One key, one payment.

use serde_json::json;
use std::collections::BTreeSet;
use std::thread;
use switchyard_tests::{Client, Options, Sandbox, authorization, card_payment, unique, with};

#[test]
fn a_hundred_requests_with_one_key_make_one_charge() {
    let sandbox = Sandbox::start();
    let (key, body) = (unique("key"), card_payment("tok_approved"));
    let answers: Vec<_> = thread::scope(|scope| {
        let asks: Vec<_> = (0..100)
            .map(|_| {
                let (client, key, body) = (sandbox.client(), key.clone(), body.clone());
                scope.spawn(move || client.post("/v1/payments", &key, &body))
            })
            .collect();
        asks.into_iter().map(|ask| ask.join().expect("an answer")).collect()
    });
    let charges = sandbox.ledger("charge");
    assert_eq!(charges.len(), 1, "{charges:?}");
    let originals = answers.iter().filter(|it| it.status == 201 && it.header("idempotent-replayed").is_none()).count();
    assert_eq!(originals, 1);
    let bodies: BTreeSet<&[u8]> = answers.iter().filter(|it| it.status == 201).map(|it| it.body.as_slice()).collect();
    assert_eq!(bodies.len(), 1, "a replay differs from the original");
    for answer in answers.iter().filter(|it| it.status != 201) {
        assert_eq!(answer.status, 409, "{}", answer.text());
        assert_eq!(answer.json()["code"], "idempotency_in_progress");
        assert!(answer.header("retry-after").is_some());
    }
}

#[test]
fn a_final_answer_replays_byte_for_byte_whatever_happens_later() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let (key, body) = (unique("key"), card_payment("tok_approved"));
    let first = client.post("/v1/payments", &key, &body).expect(201);
    let path = format!("/v1/payments/{}/refunds", first.json()["id"].as_str().unwrap());
    let refund = unique("key");
    let refunded = client.post(&path, &refund, &json!({})).expect(201);
    // The order of members and the quotes of the key do not matter.
    let reordered = format!(
        r#"{{"reference":{},"order_type":"ecommerce","payment_method":{{"token":"tok_approved","type":"card"}},"country":"DE","currency":"EUR","amount":12500}}"#,
        body["reference"]
    );
    let quoted = format!("\"{key}\"");
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", quoted.as_str())];
    let again = client.send("POST", "/v1/payments", &headers, reordered.as_bytes()).expect(201);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let again = client.post(&path, &refund, &json!({})).expect(201);
    assert_eq!(again.body, refunded.body);
    assert_eq!(sandbox.ledger("refund").len(), 1);
}

#[test]
fn another_request_under_the_key_is_refused() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let (key, body) = (unique("key"), authorization("tok_approved"));
    let payment = client.post("/v1/payments", &key, &body).expect(201).json();
    let other = client.post("/v1/payments", &key, &with(body, "amount", 1)).expect(422).json();
    assert_eq!(other["code"], "idempotency_mismatch");
    let path = format!("/v1/payments/{}/captures", payment["id"].as_str().unwrap());
    assert_eq!(client.post(&path, &key, &json!({})).expect(422).json()["code"], "idempotency_mismatch");
    assert_eq!(sandbox.ledger("charge").len(), 1);
    assert_eq!(sandbox.ledger("capture").len(), 0);
}

#[test]
fn a_refused_request_keeps_no_key() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let (key, body) = (unique("key"), authorization("tok_approved"));
    client.post("/v1/payments", &key, &with(body.clone(), "amount", -1)).expect(400);
    let payment = client.post("/v1/payments", &key, &body).expect(201).json();
    let path = format!("/v1/payments/{}/captures", payment["id"].as_str().unwrap());
    let key = unique("key");
    client.post(&path, &key, &json!({"amount": 99_999})).expect(422);
    client.post(&path, &key, &json!({"amount": 100})).expect(201);
}

#[test]
fn the_key_is_required() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let body = card_payment("tok_approved").to_string();
    let answer = client.send("POST", "/v1/payments", &[("Content-Type", "application/json")], body.as_bytes());
    assert_eq!(answer.expect(400).json()["code"], "idempotency_key_missing");
    for key in ["", "\"open", &"k".repeat(256)] {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
        client.send("POST", "/v1/payments", &headers, body.as_bytes()).expect(400);
    }
    assert_eq!(sandbox.ledger("charge").len(), 0);
}

#[test]
fn an_open_reference_is_guarded() {
    let options = Options::impatient();
    let sandbox = Sandbox::start_with(options);
    let client = sandbox.client();
    let body = with(card_payment("tok_3ds"), "return_url", "https://shop.example/return");
    let open = client.pay(&body).expect(201).json();
    assert_eq!(open["status"], "requires_action");
    let again = client.pay(&body).expect(409).json();
    assert_eq!(again["code"], "reference_open");
    assert!(again["detail"].as_str().unwrap().contains(open["id"].as_str().unwrap()), "{again}");
    client.pay(&with(body.clone(), "allow_duplicate_reference", true)).expect(201);
    // A payment that has ended guards nothing.
    let done = card_payment("tok_approved");
    client.pay(&done).expect(201);
    client.pay(&done).expect(201);
    // One in doubt does.
    let doubtful = card_payment("tok_timeout_after");
    client.pay(&doubtful).expect(202);
    client.pay(&doubtful).expect(409);
}

#[test]
fn keys_of_merchants_are_apart() {
    let sandbox = Sandbox::start();
    let scopes = "payments:write,payments:read,refunds:write";
    let arguments = ["keys", "issue", "--merchant", "demo-shop", "--mode", "test", "--scopes", scopes];
    let (status, said, error) = sandbox.run(&arguments);
    assert!(status.success(), "{said}{error}");
    let secret = said.lines().last().expect("the secret").trim();
    let other = Client::new(&sandbox.api, secret);
    let (key, body) = (unique("key"), card_payment("tok_approved"));
    let mine = sandbox.client().post("/v1/payments", &key, &body).expect(201).json();
    let theirs = switchyard_tests::until(
        std::time::Duration::from_secs(10),
        || other.post("/v1/payments", &key, &body),
        |answer| answer.status != 401,
    );
    let theirs = theirs.expect(201).json();
    assert_ne!(mine["id"], theirs["id"]);
    // What belongs to another merchant does not exist.
    let path = format!("/v1/payments/{}", mine["id"].as_str().unwrap());
    other.get(&path).expect(404);
    other.post(&format!("{path}/refunds"), &unique("k"), &json!({})).expect(404);
    assert_eq!(other.get("/v1/payments").expect(200).json()["data"].as_array().unwrap().len(), 1);
}
