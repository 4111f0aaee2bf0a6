//! Captures, voids and refunds.

use serde_json::json;

use crate::client::simulator;

#[actix_web::test]
async fn captures_and_refunds_read_as_documented() {
    let (running, client) = simulator().await;
    let charge = client.authorized("charge").await;
    let captures = format!("/v1/charges/{charge}/captures");
    let first = client.post(&captures, "cap-1", &json!({"amount": 4_000, "reference": "c1"})).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!((&first.body["object"], &first.body["status"]), (&json!("capture"), &json!("succeeded")));
    assert_eq!((&first.body["charge_id"], &first.body["final"]), (&json!(charge), &json!(false)));
    assert_eq!(first.body["charge"]["amount_capturable"], 6_000);
    let last = client.post(&captures, "cap-2", &json!({"amount": 1_000, "final": true})).await;
    assert_eq!(
        (&last.body["charge"]["status"], &last.body["charge"]["amount_captured"]),
        (&json!("captured"), &json!(5_000))
    );
    let more = client.post(&captures, "cap-3", &json!({"amount": 1})).await;
    assert_eq!((more.status, more.code()), (422, "already_captured"));

    let refunds = format!("/v1/charges/{charge}/refunds");
    let refund = client.post(&refunds, "re-1", &json!({"amount": 2_000})).await;
    assert!(refund.id().starts_with("re_"));
    assert_eq!(client.post(&refunds, "re-2", &json!({"amount": 3_001})).await.code(), "amount_too_large");
    assert!(client.post(&refunds, "re-1", &json!({"amount": 2_000})).await.replayed());
    assert_eq!(client.post(&refunds, "re-3", &json!({})).await.body["amount"], 3_000);
    assert_eq!(client.post(&refunds, "re-4", &json!({"amount": 1})).await.code(), "already_refunded");

    let found = client.get(&format!("/v1/charges/{charge}")).await.body;
    assert_eq!(found["amount_refunded"], 5_000);
    assert_eq!(found["captures"][0]["id"], first.id());
    assert_eq!(found["captures"][0].get("charge"), None);
    assert_eq!(found["refunds"].as_array().unwrap().len(), 2);
    assert_eq!(client.get(&format!("/v1/captures/{}", first.id())).await.body["charge"]["status"], "captured");
    assert_eq!(client.get("/v1/captures?reference=c1").await.body["data"][0]["id"], first.id());
    assert_eq!(client.get("/v1/refunds?reference=c1").await.body, json!({"data": []}));
    assert_eq!(client.get(&format!("/v1/refunds/{}", first.id())).await.status, 404);
    running.stop().await;
}

#[actix_web::test]
async fn a_void_releases_and_cancels() {
    let (running, client) = simulator().await;
    let charge = client.authorized("charge").await;
    let void = client.send("POST", &format!("/v1/charges/{charge}/voids"), Some("v1"), None).await.unwrap();
    assert_eq!((&void.body["amount"], &void.body["charge"]["status"]), (&json!(10_000), &json!("voided")));
    assert_eq!(void.body.get("final"), None);
    assert!(void.id().starts_with("void_"));
    let again = client.post(&format!("/v1/charges/{charge}/voids"), "v2", &json!({})).await;
    assert_eq!((again.status, again.code()), (422, "already_voided"));

    let waiting = client.charge("tok_3ds", "3ds").await.id();
    let canceled = client.post(&format!("/v1/charges/{waiting}/voids"), "v3", &json!({})).await;
    assert_eq!((&canceled.body["amount"], &canceled.body["charge"]["status"]), (&json!(0), &json!("voided")));
    running.stop().await;
}

#[actix_web::test]
async fn racing_captures_and_refunds_stay_within_bounds() {
    let (running, client) = simulator().await;
    let charge = client.authorized("charge").await;
    for (operations, refusals) in
        [("captures", ["amount_too_large", "already_captured"]), ("refunds", ["amount_too_large", "already_refunded"])]
    {
        let requests: Vec<_> = (0..30)
            .map(|number| {
                let (client, path) = (client.clone(), format!("/v1/charges/{charge}/{operations}"));
                tokio::spawn(
                    async move { client.post(&path, &format!("{path}-{number}"), &json!({"amount": 1_000})).await },
                )
            })
            .collect();
        let mut answers = Vec::new();
        for request in requests {
            answers.push(request.await.unwrap());
        }
        answers.retain(|answer| answer.status != 200);
        assert_eq!(answers.len(), 20, "{operations}: ten of thirty succeed");
        assert!(answers.iter().all(|answer| answer.status == 422 && refusals.contains(&answer.code())));
    }
    let found = client.get(&format!("/v1/charges/{charge}")).await.body;
    assert_eq!((&found["amount_captured"], &found["amount_refunded"]), (&json!(10_000), &json!(10_000)));
    running.stop().await;
}

#[actix_web::test]
async fn special_amounts_are_pending_or_fail() {
    let (running, client) = simulator().await;
    let charge = client.authorized("charge").await;
    let captures = format!("/v1/charges/{charge}/captures");
    let failed = client.post(&captures, "fails", &json!({"amount": 7_709})).await;
    assert_eq!(
        (&failed.body["status"], &failed.body["failure"]["code"]),
        (&json!("failed"), &json!("generic_decline"))
    );
    assert_eq!(failed.body["charge"]["amount_capturable"], 10_000);

    let pending = client.post(&captures, "pending", &json!({"amount": 7_707})).await;
    assert_eq!(
        (&pending.body["status"], &pending.body["charge"]["amount_capturable"]),
        (&json!("pending"), &json!(2_293))
    );
    let void = client.post(&format!("/v1/charges/{charge}/voids"), "void", &json!({})).await;
    assert_eq!((void.status, void.code()), (422, "unexpected_state"));
    tokio::time::sleep(std::time::Duration::from_millis(120)).await;
    let found = client.get(&format!("/v1/captures/{}", pending.id())).await.body;
    assert_eq!((&found["status"], &found["charge"]["amount_captured"]), (&json!("succeeded"), &json!(7_707)));
    running.stop().await;
}
