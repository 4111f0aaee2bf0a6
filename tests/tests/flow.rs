//! A card's whole life.

use serde_json::{Value, json};
use switchyard_tests::{Sandbox, authorization, card_payment, unique, with};

fn id(object: &Value) -> &str {
    object["id"].as_str().expect("an id")
}

#[test]
fn authorize_capture_in_parts_and_refund_in_parts() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let payment = client.pay(&authorization("tok_approved")).expect(201).json();
    assert_eq!(payment["status"], "authorized");
    assert_eq!(payment["amount_capturable"], 12_500);
    assert_eq!(payment["amount_captured"], 0);
    let at = format!("/v1/payments/{}", id(&payment));

    let first = client.post(&format!("{at}/captures"), &unique("k"), &json!({"amount": 5_000})).expect(201).json();
    assert!(id(&first).starts_with("cap_"));
    assert_eq!(first["status"], "succeeded");
    assert_eq!(first["payment"]["status"], "authorized");
    assert_eq!(first["payment"]["amount_capturable"], 7_500);

    let second = json!({"amount": 6_000, "final": true});
    let second = client.post(&format!("{at}/captures"), &unique("k"), &second).expect(201).json();
    assert_eq!(second["payment"]["status"], "captured");
    assert_eq!(second["payment"]["amount_captured"], 11_000);
    assert_eq!(second["payment"]["amount_capturable"], 0);

    for (amount, left) in [(1_000, 10_000), (10_000, 0)] {
        let refund = client.post(&format!("{at}/refunds"), &unique("k"), &json!({"amount": amount})).expect(201).json();
        assert!(id(&refund).starts_with("re_"));
        assert_eq!(refund["status"], "succeeded");
        assert_eq!(refund["payment"]["amount_refundable"], left);
        let read = client.get(&format!("/v1/refunds/{}", id(&refund))).expect(200).json();
        assert_eq!(read["amount"], amount);
    }
    let over = client.post(&format!("{at}/refunds"), &unique("k"), &json!({"amount": 1})).expect(422).json();
    assert_eq!(over["code"], "amount_too_large");

    let shown = client.get(&format!("{at}?expand=operations")).expect(200).json();
    let kinds: Vec<&str> =
        shown["operations"].as_array().unwrap().iter().map(|it| it["object"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["authorization", "capture", "capture", "refund", "refund"]);
    let list = client.get(&format!("/v1/refunds?payment={}", id(&payment))).expect(200).json();
    assert_eq!(list["data"].as_array().unwrap().len(), 2);

    let charge = &sandbox.ledger("charge")[0];
    assert_eq!(charge["amount_captured"], 11_000);
    assert_eq!(charge["amount_refunded"], 11_000);
}

#[test]
fn a_sale_is_one_call_and_its_own_capture() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let payment = client.pay(&card_payment("tok_approved")).expect(201).json();
    assert_eq!(payment["status"], "captured");
    assert_eq!(payment["amount_refundable"], 12_500);
    assert_eq!(payment["payment_method"]["last4"], "4242");
    let captures = client.get(&format!("/v1/captures?payment={}", id(&payment))).expect(200).json();
    assert_eq!(captures["data"][0]["amount"], 12_500);
    assert_eq!(captures["data"][0]["status"], "succeeded");
    assert_eq!(sandbox.ledger("charge").len(), 1);
    assert_eq!(sandbox.ledger("capture").len(), 0);
}

#[test]
fn voids_release_all_or_the_rest() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let whole = client.pay(&authorization("tok_approved")).expect(201).json();
    let void = client.post(&format!("/v1/payments/{}/voids", id(&whole)), &unique("k"), &json!({})).expect(201).json();
    assert!(id(&void).starts_with("vo_"));
    assert_eq!(void["payment"]["status"], "voided");
    let after = client.post(&format!("/v1/payments/{}/captures", id(&whole)), &unique("k"), &json!({})).expect(409);
    assert_eq!(after.json()["code"], "payment_state");

    let part = client.pay(&authorization("tok_approved")).expect(201).json();
    let at = format!("/v1/payments/{}", id(&part));
    client.post(&format!("{at}/captures"), &unique("k"), &json!({"amount": 500})).expect(201);
    let void = client.post(&format!("{at}/voids"), &unique("k"), &json!({})).expect(201).json();
    assert_eq!(void["payment"]["status"], "captured");
    assert_eq!(void["payment"]["amount_captured"], 500);
    assert_eq!(void["payment"]["amount_capturable"], 0);
}

#[test]
fn declines_are_answers_with_advice() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    for (token, code, retry) in [
        ("tok_declined_insufficient_funds", "insufficient_funds", "later"),
        ("tok_declined_expired_card", "expired_card", "new_method"),
        ("tok_declined_lost_or_stolen", "lost_or_stolen", "never"),
        ("tok_declined_incorrect_cvc", "incorrect_cvc", "new_data"),
    ] {
        let payment = client.pay(&card_payment(token)).expect(201).json();
        assert_eq!(payment["status"], "failed", "{payment}");
        assert_eq!(payment["in_doubt"], false);
        assert_eq!(payment["failure"]["code"], code);
        assert_eq!(payment["failure"]["retry"], retry);
        assert_eq!(payment["amount_captured"], 0);
    }
    let stolen = client.pay(&card_payment("tok_declined_lost_or_stolen")).expect(201).json();
    let plain = client.pay(&card_payment("tok_declined_do_not_honor")).expect(201).json();
    assert_eq!(stolen["failure"]["payer_message"], plain["failure"]["payer_message"]);
}

#[test]
fn an_action_of_the_payer_completes_the_payment() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let body = with(card_payment("tok_3ds"), "return_url", "https://shop.example/return");
    for (button, status) in [("approve", "captured"), ("decline", "failed")] {
        let body = with(body.clone(), "reference", unique("order"));
        let payment = client.pay(&body).expect(201).json();
        assert_eq!(payment["status"], "requires_action", "{payment}");
        assert_eq!(payment["next_action"]["type"], "redirect");
        let url = payment["next_action"]["url"].as_str().expect("a page");
        let path = url.split_once(&sandbox.simulator).expect("a page of the simulator").1;
        let payer = switchyard_tests::Client { address: sandbox.simulator.clone(), authorization: None };
        assert!(payer.send("POST", &format!("{path}/{button}"), &[], b"").status < 400);
        let path = format!("/v1/payments/{}?refresh=true", id(&payment));
        let after = client.get(&path).expect(200).json();
        assert_eq!(after["status"], status, "{after}");
        assert_eq!(after["refreshed"], true);
        assert!(after["next_action"].is_null());
    }
}

#[test]
fn lists_go_back_in_time_and_filter() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let made: Vec<String> = (0..7)
        .map(|n| {
            let token = if n % 2 == 0 { "tok_approved" } else { "tok_declined_do_not_honor" };
            id(&client.pay(&with(card_payment(token), "amount", 1_000 + n)).expect(201).json()).to_owned()
        })
        .collect();
    let mut seen = Vec::new();
    let mut path = "/v1/payments?limit=3".to_owned();
    loop {
        let page = client.get(&path).expect(200).json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|payment| id(payment).to_owned()));
        if page["has_more"] == false {
            break;
        }
        path = format!("/v1/payments?limit=3&cursor={}", page["next_cursor"].as_str().unwrap());
    }
    assert_eq!(seen, made.iter().rev().cloned().collect::<Vec<_>>());
    let count =
        |query: &str| client.get(&format!("/v1/payments?{query}")).expect(200).json()["data"].as_array().unwrap().len();
    assert_eq!(count("status=failed"), 3);
    assert_eq!(count("status=captured&amount_min=1003"), 2);
    assert_eq!(count("currency=USD"), 0);
    assert_eq!(count("method=card&order_type=ecommerce&in_doubt=false"), 7);
    client.get("/v1/payments?statu=failed").expect(400);
    client.get("/v1/payments?limit=0").expect(400);
    client.get("/v1/payments?cursor=nonsense").expect(400);
}
