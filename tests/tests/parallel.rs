//! Sums hold, however many ask at once.

use serde_json::json;
use std::thread;
use switchyard_tests::{Sandbox, authorization, card_payment, unique, with};

/// Asks 50 times at once for a tenth of €125.00 each, and counts the answers by status.
fn fifty(sandbox: &Sandbox, path: &str) -> Vec<(u16, String)> {
    thread::scope(|scope| {
        let asks: Vec<_> = (0..50)
            .map(|_| {
                let client = sandbox.client();
                scope.spawn(move || {
                    let answer = client.post(path, &unique("k"), &json!({"amount": 1_250}));
                    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
                })
            })
            .collect();
        asks.into_iter().map(|ask| ask.join().expect("an answer")).collect()
    })
}

#[test]
fn fifty_refunds_at_once_never_pass_the_capture() {
    let sandbox = Sandbox::start();
    let payment = sandbox.client().pay(&card_payment("tok_approved")).expect(201).json();
    let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
    let answers = fifty(&sandbox, &format!("{path}/refunds"));
    assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 10, "{answers:?}");
    assert!(answers.iter().filter(|(status, _)| *status != 201).all(|it| *it == (422, "amount_too_large".into())));
    let after = sandbox.client().get(&path).expect(200).json();
    assert_eq!(after["amount_refunded"], 12_500);
    assert_eq!(after["amount_refundable"], 0);
    assert_eq!(sandbox.ledger("charge")[0]["amount_refunded"], 12_500);
    assert_eq!(sandbox.ledger("refund").len(), 10);
}

#[test]
fn fifty_captures_at_once_never_pass_the_authorization() {
    let sandbox = Sandbox::start();
    let payment = sandbox.client().pay(&authorization("tok_approved")).expect(201).json();
    let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
    let answers = fifty(&sandbox, &format!("{path}/captures"));
    assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 10, "{answers:?}");
    let after = sandbox.client().get(&path).expect(200).json();
    assert_eq!(after["status"], "captured");
    assert_eq!(after["amount_captured"], 12_500);
    assert_eq!(sandbox.ledger("capture").len(), 10);
}

#[test]
fn what_is_in_doubt_counts_as_spent() {
    let sandbox = Sandbox::start_with(slow_provider());
    let client = sandbox.client();
    // An amount that the simulator refunds without ever answering.
    let payment = client.pay(&with(card_payment("tok_approved"), "amount", 20_000)).expect(201).json();
    let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
    let doubtful = client.post(&format!("{path}/refunds"), &unique("k"), &json!({"amount": 17_702})).expect(202).json();
    assert_eq!(doubtful["in_doubt"], true);
    assert_eq!(doubtful["status"], "processing");
    assert_eq!(doubtful["payment"]["in_doubt"], true);
    assert_eq!(doubtful["payment"]["amount_refundable"], 2_298);
    let over = client.post(&format!("{path}/refunds"), &unique("k"), &json!({"amount": 2_299})).expect(422).json();
    assert_eq!(over["code"], "amount_too_large");
    client.post(&format!("{path}/refunds"), &unique("k"), &json!({"amount": 2_298})).expect(201);
}

fn slow_provider() -> switchyard_tests::Options {
    switchyard_tests::Options::impatient()
}
