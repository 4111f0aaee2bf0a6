//! Unknown fates: never a "no", never sent again, settled by asking the provider.

use serde_json::{Value, json};
use std::time::Duration;
use switchyard_tests::{Client, Options, Sandbox, authorization, card_payment, unique, until, with};

const PATIENCE: Duration = Duration::from_secs(60);

fn impatient() -> Options {
    Options::impatient()
}

fn settled(client: &Client, payment: &Value) -> Value {
    let path = format!("/v1/payments/{}", payment["id"].as_str().expect("an id"));
    until(PATIENCE, || client.get(&path).expect(200).json(), |payment| payment["in_doubt"] == false)
}

#[test]
fn charged_but_unheard_is_found_and_never_sent_again() {
    let sandbox = Sandbox::start_with(impatient());
    let client = sandbox.client();
    for token in ["tok_timeout_after", "tok_cut_after", "tok_error_after", "tok_garbage"] {
        let payment = client.pay(&card_payment(token)).expect(202).json();
        assert_eq!(payment["status"], "processing", "{token}: {payment}");
        assert_eq!(payment["in_doubt"], true, "{token}: {payment}");
        assert_eq!(payment["pending"].as_array().unwrap().len(), 1);
        assert!(payment["failure"].is_null());
        let after = settled(&client, &payment);
        assert_eq!(after["status"], "captured", "{token}: {after}");
        assert_eq!(after["observed"]["from"], "look_up");
    }
    let charges = sandbox.ledger("charge");
    assert_eq!(charges.len(), 4);
    assert!(charges.iter().all(|charge| charge["asked"] == 1), "{charges:?}");
}

#[test]
fn not_charged_and_unheard_fails_only_once_the_provider_says_so() {
    let sandbox = Sandbox::start_with(impatient());
    let client = sandbox.client();
    for token in ["tok_timeout_before", "tok_cut_before"] {
        let payment = client.pay(&card_payment(token)).expect(202).json();
        assert_eq!(payment["in_doubt"], true, "{token}: {payment}");
        let after = settled(&client, &payment);
        assert_eq!(after["status"], "failed", "{token}: {after}");
        assert_eq!(after["observed"]["from"], "look_up");
        assert_eq!(after["failure"]["retry"], "same_request");
    }
    assert_eq!(sandbox.ledger("charge").len(), 0);
    let unbooked = sandbox.unbooked();
    assert_eq!(unbooked.len(), 2, "{unbooked:?}");
    assert!(unbooked.iter().all(|entry| entry["asked"] == 1), "it was sent again: {unbooked:?}");
}

#[test]
fn a_refused_connection_is_a_failure_at_once() {
    let sandbox = Sandbox::start();
    let payment = sandbox.client().pay(&card_payment("tok_refused_connection")).expect(201).json();
    assert_eq!(payment["status"], "failed", "{payment}");
    assert_eq!(payment["in_doubt"], false);
    assert_eq!(payment["failure"]["code"], "provider_unreachable");
    assert_eq!(payment["failure"]["retry"], "same_request");
}

#[test]
fn a_replay_in_doubt_shows_the_payment_as_it_stands() {
    let sandbox = Sandbox::start_with(impatient());
    let client = sandbox.client();
    let (key, body) = (unique("key"), card_payment("tok_timeout_after"));
    let payment = client.post("/v1/payments", &key, &body).expect(202).json();
    let after = settled(&client, &payment);
    let replay = client.post("/v1/payments", &key, &body).expect(201);
    assert_eq!(replay.header("idempotent-replayed"), Some("true"));
    assert_eq!(replay.json()["status"], after["status"]);
    assert_eq!(sandbox.ledger("charge").len(), 1);
}

#[test]
fn refresh_settles_at_once_where_it_can() {
    // Recovery itself is too slow to get there first.
    let options = impatient().env("SWITCHYARD__RECOVERY__INTERVAL", "1h");
    let sandbox = Sandbox::start_with(options);
    let client = sandbox.client();
    let payment = client.pay(&card_payment("tok_timeout_after")).expect(202).json();
    let path = format!("/v1/payments/{}?refresh=true", payment["id"].as_str().unwrap());
    let after = client.get(&path).expect(200).json();
    assert_eq!(after["refreshed"], true, "{after}");
    assert_eq!(after["status"], "captured");
}

#[test]
fn captures_refunds_and_voids_in_doubt_are_settled_too() {
    let sandbox = Sandbox::start_with(impatient());
    let client = sandbox.client();
    let follow = |payment: &Value, what: &str, body: Value| {
        let path = format!("/v1/payments/{}/{what}", payment["id"].as_str().unwrap());
        client.post(&path, &unique("k"), &body).expect(202).json()
    };
    // The last four digits tell the simulator to carry it out and never to answer.
    let held = client.pay(&with(authorization("tok_approved"), "amount", 50_000)).expect(201).json();
    let capture = follow(&held, "captures", json!({"amount": 17_701}));
    assert_eq!(capture["in_doubt"], true);
    assert_eq!(settled(&client, &held)["amount_captured"], 17_701);
    // A capture that never arrived frees its amount once the provider does not know it.
    let lost = follow(&held, "captures", json!({"amount": 7_702}));
    let after = settled(&client, &held);
    assert_eq!(after["amount_captured"], 17_701);
    assert_eq!(after["amount_capturable"], 50_000 - 17_701);
    let lost = client.get(&format!("/v1/captures/{}", lost["id"].as_str().unwrap())).expect(200).json();
    assert_eq!(lost["status"], "failed");
    follow(&held, "refunds", json!({"amount": 7_703}));
    assert_eq!(settled(&client, &held)["amount_refunded"], 7_703);
    let held = client.pay(&with(authorization("tok_approved"), "amount", 7_705)).expect(201).json();
    follow(&held, "voids", json!({}));
    assert_eq!(settled(&client, &held)["status"], "voided");
}

#[test]
fn pending_money_is_followed_to_its_end() {
    let options = impatient().env("SWITCHYARD__SIMULATOR__PENDING", "1s");
    let sandbox = Sandbox::start_with(options);
    let client = sandbox.client();
    for (token, status) in [("tok_pending", "captured"), ("tok_pending_declined", "failed")] {
        let payment = client.pay(&card_payment(token)).expect(202).json();
        assert_eq!(payment["status"], "processing");
        // The provider has it: that is no doubt.
        assert_eq!(payment["in_doubt"], false, "{payment}");
        let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
        let after = until(PATIENCE, || client.get(&path).expect(200).json(), |it| it["status"] != "processing");
        assert_eq!(after["status"], status, "{token}: {after}");
    }
}

#[test]
fn a_killed_process_settles_what_it_left_open() {
    let sandbox = Sandbox::start_with(impatient().env("SWITCHYARD__PROVIDER__TIMEOUT", "30s"));
    let client = sandbox.client();
    let (key, body) = (unique("key"), card_payment("tok_timeout_after"));
    let request = client.bytes(
        "POST",
        "/v1/payments",
        &[("Content-Type", "application/json"), ("Idempotency-Key", &key)],
        body.to_string().as_bytes(),
    );
    let mut stream = std::net::TcpStream::connect(&client.address).expect("connect");
    std::io::Write::write_all(&mut stream, &request).expect("send");
    until(PATIENCE, || sandbox.ledger("charge").len(), |&charges| charges == 1);
    let in_progress = client.post("/v1/payments", &key, &body).expect(409).json();
    assert_eq!(in_progress["code"], "idempotency_in_progress");

    let sandbox = sandbox.kill_and_restart();
    let client = sandbox.client();
    let answer = until(PATIENCE, || client.post("/v1/payments", &key, &body), |answer| answer.status == 201);
    assert_eq!(answer.json()["status"], "captured");
    let charges = sandbox.ledger("charge");
    assert_eq!(charges.len(), 1);
    assert_eq!(charges[0]["asked"], 1, "it was sent again: {charges:?}");
}

#[test]
fn an_answer_that_cannot_be_right_is_no_outcome() {
    let sandbox = Sandbox::start_with(impatient());
    let client = sandbox.client();
    // Held for less than was asked: less can be captured.
    let held = client.pay(&authorization("tok_partial")).expect(201).json();
    assert_eq!(held["status"], "authorized", "{held}");
    assert_eq!(held["amount_capturable"], 6_250);
    // Taken for less than was asked: neither captured nor failed, and a person has to look.
    let (key, body) = (unique("key"), card_payment("tok_partial"));
    let payment = client.post("/v1/payments", &key, &body).expect(202).json();
    assert_eq!(payment["status"], "processing", "{payment}");
    assert_eq!(payment["in_doubt"], true);
    assert_eq!(payment["amount_captured"], 0);
    let replay = client.post("/v1/payments", &key, &body).expect(202);
    assert_eq!(replay.header("idempotent-replayed"), Some("true"));
    let path = format!("/ops/payments/{}", payment["id"].as_str().unwrap());
    let timeline = sandbox.ops_client().get(&path).expect(200).json();
    assert!(timeline["contradiction"].as_str().is_some_and(|text| text.contains("62.50")), "{timeline}");
    assert!(timeline["operations"][0]["next_look_up_at"].is_string(), "nobody looks at it: {timeline}");
    let sandbox = sandbox.kill_and_restart();
    let again = sandbox.ops_client().get(&path).expect(200).json();
    assert_eq!(again["contradiction"], timeline["contradiction"]);
}

#[test]
fn a_key_that_has_brought_something_says_so_though_the_request_would_be_refused_now() {
    let sandbox = Sandbox::start_with(impatient());
    let client = sandbox.client();
    let (key, body) = (unique("key"), card_payment("tok_approved"));
    let made = client.post("/v1/payments", &key, &body).expect(201);
    // The same key with a token for a channel that nobody knows: another request, not a faulty field.
    let other = with(body, "payment_method", json!({"type": "card", "tokens": {"nowhere": "tok_approved"}}));
    let answer = client.post("/v1/payments", &key, &other).expect(422).json();
    assert_eq!(answer["code"], "idempotency_mismatch", "{answer}");
    let fresh = client.pay(&other).expect(400).json();
    assert_eq!(fresh["errors"][0]["field"], "payment_method.tokens.nowhere", "{fresh}");
    assert_eq!(made.json()["status"], "captured");
}
