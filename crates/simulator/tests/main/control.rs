//! The switchboard.

use std::time::Duration;

use serde_json::json;

use crate::client::{by_card, simulator};

#[actix_web::test]
async fn the_next_requests_fail_as_told() {
    let (running, client) = simulator().await;
    client.control(&json!({"fail_next": 2, "as": "error_after", "on": "charges"})).await;
    assert_eq!(client.get("/v1/charges?reference=none").await.status, 200);
    for key in ["one", "two"] {
        assert_eq!(client.charge("tok_approved", key).await.status, 500);
    }
    assert_eq!(client.charge("tok_approved", "three").await.status, 200);
    assert_eq!(client.get("/ledger").await.body["data"].as_array().unwrap().len(), 3);

    client.control(&json!({"fail_next": 1, "as": "cut_before"})).await;
    assert!(client.send("GET", "/v1/charges?reference=one", None, None).await.is_err());

    client.control(&json!({"fail_next": 9, "as": "error_before"})).await;
    let standing = client.send("DELETE", "/control", None, None).await.unwrap().body;
    assert_eq!((&standing["fail_next"], &standing["pending_ms"]), (&json!(0), &json!(80)));
    assert_eq!(client.charge("tok_approved", "four").await.status, 200);
    running.stop().await;
}

#[actix_web::test]
async fn look_ups_forget_for_a_while() {
    let (running, client) = simulator().await;
    let id = client.charge("tok_approved", "key").await.id();
    client.control(&json!({"forget_for_ms": 60_000})).await;
    assert_eq!(client.get(&format!("/v1/charges/{id}")).await.code(), "not_found");
    assert_eq!(client.get("/v1/charges?reference=key").await.body, json!({"data": []}));
    client.control(&json!({"forget_for_ms": 0})).await;
    assert_eq!(client.get(&format!("/v1/charges/{id}")).await.status, 200);
    running.stop().await;
}

#[actix_web::test]
async fn latency_holds_back_the_answer_not_the_booking() {
    let (running, client) = simulator().await;
    client.control(&json!({"latency_ms": 60_000})).await;
    let answer = tokio::time::timeout(Duration::from_millis(200), client.charge("tok_approved", "key")).await;
    assert!(answer.is_err());
    assert_eq!(client.get("/ledger").await.body["data"].as_array().unwrap().len(), 1);
    running.stop().await;
}

#[actix_web::test]
async fn what_is_open_can_be_settled() {
    let (running, client) = simulator().await;
    client.control(&json!({"pending_ms": 600_000})).await;
    let settle = |path: String, outcome: &'static str| {
        let client = client.clone();
        async move {
            let body = json!({"outcome": outcome}).to_string();
            client.send("POST", &format!("/control/{path}/settle"), None, Some(body)).await.unwrap()
        }
    };
    for (token, outcome, status) in [
        ("tok_pending", "approve", "captured"),
        ("tok_pending", "decline", "declined"),
        ("tok_3ds", "expire", "expired"),
    ] {
        let id = client.charge(token, &format!("{token}-{outcome}")).await.id();
        assert_eq!(settle(format!("charges/{id}"), outcome).await.body["status"], status);
        let again = settle(format!("charges/{id}"), outcome).await;
        assert_eq!((again.status, again.code()), (422, "unexpected_state"));
    }
    let held = client.authorized("held").await;
    assert_eq!(settle(format!("charges/{held}"), "expire").await.body["status"], "expired");

    let mut body = by_card("tok_approved", "automatic");
    body["amount"] = json!(7_707);
    let sale = client.post("/v1/charges", "sale", &body).await.id();
    for (outcome, status) in [("decline", "failed"), ("approve", "succeeded")] {
        let refund = client.post(&format!("/v1/charges/{sale}/refunds"), outcome, &json!({})).await;
        assert_eq!(refund.body["status"], "pending");
        let settled = settle(format!("refunds/{}", refund.id()), outcome).await;
        assert_eq!(settled.body["status"], status, "{}", settled.text);
    }
    running.stop().await;
}

#[actix_web::test]
async fn bad_settings_are_refused() {
    let (running, client) = simulator().await;
    for body in
        [json!({"fail_next": 1}), json!({"latency_ms": 600_001}), json!({"fail_next": 1, "as": "no_such_fault"})]
    {
        let refused = client.send("POST", "/control", None, Some(body.to_string())).await.unwrap();
        assert_eq!(refused.status, 400, "{body}");
    }
    running.stop().await;
}
