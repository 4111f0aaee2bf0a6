//! Charges, idempotency, and look-ups of charges.

use serde_json::{Value, json};

use crate::client::{by_card, simulator};

#[actix_web::test]
async fn a_sale_reads_as_documented() {
    let (running, client) = simulator().await;
    let mut body = by_card("tok_mastercard", "automatic");
    body["reference"] = json!("order-1");
    body["metadata"] = json!({"a": "1"});
    let answer = client.post("/v1/charges", "key-1", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut charge = answer.body;
    assert!(charge["id"].as_str().unwrap().starts_with("ch_"));
    assert!(charge["created_at"].as_str().unwrap().ends_with('Z'));
    charge["id"].take();
    charge["created_at"].take();
    assert_eq!(
        charge,
        json!({
            "id": null, "object": "charge", "status": "captured", "mode": "test",
            "amount": 10_000, "amount_authorized": 10_000, "amount_capturable": 0, "amount_captured": 10_000,
            "amount_refunded": 0, "currency": "EUR", "method": "card", "capture": "automatic", "reference": "order-1",
            "description": null, "metadata": {"a": "1"},
            "card": {"brand": "mastercard", "last4": "4444", "funding": "debit", "issuer_country": "DE"},
            "checks": {"cvc": "pass", "avs_line": "pass", "avs_postal": "pass"},
            "decline": null, "next_action": null, "capture_before": null, "created_at": null,
        })
    );
    running.stop().await;
}

#[actix_web::test]
async fn fifty_requests_with_one_key_make_one_charge() {
    let (running, client) = simulator().await;
    let requests: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.charge("tok_approved", "same").await })
        })
        .collect();
    let mut answers = Vec::new();
    for request in requests {
        answers.push(request.await.unwrap());
    }
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.id() == answers[0].id()));
    assert_eq!(answers.iter().filter(|answer| !answer.replayed()).count(), 1);
    let ledger = client.get("/ledger").await.body;
    assert_eq!(ledger["data"].as_array().unwrap().len(), 1);
    assert_eq!(ledger["data"][0]["asked"], 50);
    running.stop().await;
}

#[actix_web::test]
async fn another_request_under_the_key_is_a_conflict() {
    let (running, client) = simulator().await;
    let id = client.charge("tok_approved", "key").await.id();
    let other = client.charge("tok_visa", "key").await;
    assert_eq!((other.status, other.code()), (409, "idempotency_mismatch"));
    let capture = client.post(&format!("/v1/charges/{id}/refunds"), "key", &json!({})).await;
    assert_eq!((capture.status, capture.code()), (409, "idempotency_mismatch"));
    let quoted = client.charge("tok_approved", "\"key\"").await;
    assert!(quoted.replayed());
    running.stop().await;
}

#[actix_web::test]
async fn accounts_and_modes_have_books_of_their_own() {
    let (running, client) = simulator().await;
    let id = client.charge("tok_approved", "key").await.id();
    for other in ["sim_live_acme", "sim_test_other"] {
        let other = client.with_key(other);
        let found = other.get(&format!("/v1/charges/{id}")).await;
        assert_eq!((found.status, found.code()), (404, "not_found"));
        assert_eq!(other.get("/v1/charges?reference=key").await.body, json!({"data": []}));
        let refund = other.post(&format!("/v1/charges/{id}/refunds"), "refund", &json!({})).await;
        assert_eq!((refund.status, refund.code()), (404, "not_found"));
        assert_ne!(other.charge("tok_approved", "key").await.id(), id);
    }
    running.stop().await;
}

#[actix_web::test]
async fn look_ups_find_by_id_and_by_reference() {
    let (running, client) = simulator().await;
    let mut body = by_card("tok_approved", "manual");
    body["reference"] = json!("order 1");
    let one = client.post("/v1/charges", "key-1", &body).await.id();
    let two = client.post("/v1/charges", "key-2", &body).await.id();
    let found = client.get("/v1/charges?reference=order%201").await.body;
    let ids: Vec<_> = found["data"].as_array().unwrap().iter().map(|charge| charge["id"].clone()).collect();
    assert_eq!(ids, [json!(one), json!(two)]);
    assert_eq!(found["data"][0]["captures"], json!([]));
    let three = client.charge("tok_approved", "key-3").await;
    assert_eq!(three.body["reference"], "key-3");
    assert_eq!(client.get("/v1/charges?reference=key-3").await.body["data"][0]["id"], three.id());
    assert_eq!(client.get("/v1/charges?reference=key-1").await.body, json!({"data": []}));
    assert_eq!(client.get("/v1/charges").await.code(), "parameter_missing");
    running.stop().await;
}

#[actix_web::test]
async fn errors_have_the_documented_form() {
    let (running, client) = simulator().await;
    let good = by_card("tok_approved", "automatic").to_string();
    let send = |key: Option<&'static str>, body: String| {
        let client = client.clone();
        async move { client.send("POST", "/v1/charges", key, Some(body)).await.unwrap() }
    };
    let missing = send(None, good.clone()).await;
    assert_eq!(
        missing.body,
        json!({"error": {
            "type": "invalid_request", "code": "parameter_missing", "message": "Idempotency-Key is required", "field": "Idempotency-Key"
        }})
    );
    assert_eq!(send(Some("k"), "{".into()).await.code(), "body_unreadable");
    assert_eq!(send(Some("k"), String::new()).await.code(), "body_unreadable");
    let large = send(Some("k"), "x".repeat(70_000)).await;
    assert_eq!((large.status, large.code()), (413, "body_too_large"));
    let token = client.charge("tok_refused_connection", "k").await;
    assert_eq!((token.status, token.code()), (422, "invalid_token"));
    for (api_key, code) in [("sk_1", "key_invalid"), ("sim_test_revoked", "key_revoked")] {
        let refused = client.with_key(api_key).charge("tok_approved", "k").await;
        assert_eq!((refused.status, refused.code()), (401, code));
    }
    let nowhere = client.get("/v1/nothing").await;
    assert_eq!((nowhere.status, nowhere.code()), (404, "no_such_endpoint"));
    let method = client.send("PUT", "/v1/charges", Some("k"), None).await.unwrap();
    assert_eq!((method.status, method.code()), (405, "method_not_allowed"));
    assert_eq!(client.get("/v1/charges/ch_00000000000000000001").await.status, 404);
    assert_eq!(client.get("/ledger").await.body["data"], json!([]));
    running.stop().await;
}

#[actix_web::test]
async fn every_decline_is_an_answer() {
    const CODES: &str = "insufficient_funds limit_exceeded do_not_honor generic_decline processing_error \
        issuer_unavailable authentication_required authentication_failed incorrect_cvc incorrect_pin incorrect_address \
        invalid_card invalid_data invalid_account account_closed expired_card lost_or_stolen fraud_suspected risk_blocked \
        card_restricted card_not_supported currency_not_supported transaction_not_allowed amount_invalid duplicate \
        mandate_invalid canceled_by_payer payer_timeout expired rate_limited configuration";
    let (running, client) = simulator().await;
    for code in CODES.split_whitespace() {
        let declined = client.charge(&format!("tok_declined_{code}"), code).await;
        assert_eq!((declined.status, &declined.body["status"]), (200, &json!("declined")), "{}", declined.text);
        assert_eq!(declined.body["decline"]["code"], code);
        assert_eq!(declined.body["amount_authorized"], 0);
    }
    let cvc = client.get("/v1/charges?reference=incorrect_cvc").await.body;
    assert_eq!(cvc["data"][0]["checks"]["cvc"], "fail");
    assert_eq!(cvc["data"][0]["decline"]["network_code"], "N7");
    running.stop().await;
}

#[actix_web::test]
async fn pending_settles_itself() {
    let (running, client) = simulator().await;
    for (token, settled) in [("tok_pending", "captured"), ("tok_pending_declined", "declined")] {
        let pending = client.charge(token, token).await;
        assert_eq!(pending.body["status"], "pending");
        assert_eq!(pending.body["decline"], Value::Null);
        tokio::time::sleep(std::time::Duration::from_millis(120)).await;
        let found = client.get(&format!("/v1/charges/{}", pending.id())).await;
        assert_eq!(found.body["status"], settled);
    }
    running.stop().await;
}

#[actix_web::test]
async fn partial_approvals_and_slow_answers() {
    let (running, client) = simulator().await;
    let partial = client.post("/v1/charges", "half", &by_card("tok_partial", "manual")).await;
    assert_eq!((&partial.body["status"], &partial.body["amount_authorized"]), (&json!("authorized"), &json!(5_000)));
    let slow = client.charge("tok_slow", "slow").await;
    assert_eq!(slow.body["status"], "captured");
    running.stop().await;
}

#[actix_web::test]
async fn without_a_token_method_and_amount_decide() {
    let (running, client) = simulator().await;
    for (method, amount, status) in [
        ("card", 1_000, "captured"),
        ("ideal", 1_000, "requires_action"),
        ("pix", 1_000, "pending"),
        ("card", 7_707, "pending"),
        ("card", 17_709, "declined"),
    ] {
        let body = json!({"amount": amount, "currency": "EUR", "method": method});
        let answer = client.post("/v1/charges", &format!("{method}-{amount}"), &body).await;
        assert_eq!(answer.body["status"], status, "{method} {amount}");
    }
    running.stop().await;
}
