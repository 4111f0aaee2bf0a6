//! The ledger: what it lists, and that it lasts.

use serde_json::json;

use crate::client::{by_card, simulator, simulator_at};

#[actix_web::test]
async fn everything_is_listed_page_by_page() {
    let (running, client) = simulator().await;
    let charge = client.authorized("charge").await;
    client.post(&format!("/v1/charges/{charge}/captures"), "capture", &json!({"amount": 4_000})).await;
    client.post(&format!("/v1/charges/{charge}/voids"), "void", &json!({"reference": "mine"})).await;
    client.post(&format!("/v1/charges/{charge}/refunds"), "refund", &json!({"amount": 1_000})).await;
    client.with_key("sim_live_other").charge("tok_declined_duplicate", "other").await;

    let mut lines = Vec::new();
    let mut after = json!(0);
    while !after.is_null() {
        let page = client.get(&format!("/ledger?after={after}&limit=2")).await.body;
        lines.extend(page["data"].as_array().unwrap().clone());
        after = page["next"].clone();
    }
    let objects: Vec<_> = lines.iter().map(|line| line["object"].as_str().unwrap()).collect();
    assert_eq!(objects, ["charge", "capture", "void", "refund", "charge"]);
    let mut first = lines[0].clone();
    first["created_at"].take();
    assert_eq!(
        first,
        json!({
            "number": 1, "object": "charge", "id": charge, "charge_id": null, "account": "acme", "mode": "test",
            "idempotency_key": "charge", "reference": "charge", "asked": 1, "status": "captured", "failure": null,
            "currency": "EUR", "amount": 10_000, "amount_authorized": 10_000, "amount_captured": 4_000,
            "amount_refunded": 1_000, "amount_released": 6_000, "method": "card", "token": "tok_approved", "created_at": null,
        })
    );
    assert_eq!((&lines[2]["charge_id"], &lines[2]["reference"]), (&json!(charge), &json!("mine")));
    assert_eq!((&lines[2]["amount"], &lines[2]["amount_released"]), (&json!(6_000), &json!(null)));
    assert_eq!((&lines[4]["account"], &lines[4]["failure"]), (&json!("other"), &json!("duplicate")));

    let totals = client.get("/ledger/totals").await.body;
    assert_eq!(totals["data"][0]["object"], "capture");
    assert_eq!(totals["data"][1]["amount_captured"], 4_000);
    running.stop().await;
}

#[actix_web::test]
async fn what_was_not_booked_is_listed_apart() {
    let (running, client) = simulator().await;
    for _ in 0..2 {
        client.charge("tok_error_before", "before").await;
    }
    let charge = client.charge("tok_approved", "sale").await.id();
    client.post(&format!("/v1/charges/{charge}/captures"), "late", &json!({})).await;
    let listed = client.get("/ledger/unbooked").await.body;
    let lines: Vec<_> =
        listed["data"].as_array().unwrap().iter().map(|line| (line["reason"].clone(), line["asked"].clone())).collect();
    assert_eq!(lines, [(json!("error_before"), json!(2)), (json!("already_captured"), json!(1))]);
    assert_eq!(client.get("/ledger").await.body["data"].as_array().unwrap().len(), 1);
    running.stop().await;
}

#[actix_web::test]
async fn a_restart_keeps_the_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("not/yet/there/simulator.db");
    let (running, client) = simulator_at(&file).await;
    let charge = client.authorized("charge").await;
    let page = client.charge("tok_3ds", "3ds").await.body["next_action"]["url"].clone();
    running.stop().await;

    let (running, client) = simulator_at(&file).await;
    let again = client.post("/v1/charges", "charge", &by_card("tok_approved", "manual")).await;
    assert!(again.replayed());
    assert_eq!(again.id(), charge);
    let path = page.as_str().unwrap().split_once("/pages/").unwrap().1;
    assert_eq!(client.get(&format!("/pages/{path}")).await.status, 200);
    running.stop().await;
}

#[actix_web::test]
async fn a_ledger_in_use_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("simulator.db");
    let (running, _) = simulator_at(&file).await;
    let settings = switchyard_simulator::Settings { data: file, ..Default::default() };
    let refused = switchyard_simulator::start(settings).await;
    assert!(matches!(refused, Err(switchyard_simulator::StartError::Ledger { .. })));
    running.stop().await;
}
