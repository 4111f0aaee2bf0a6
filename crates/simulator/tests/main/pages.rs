//! Redirects: the page where the payer decides.

use serde_json::{Value, json};

use crate::client::{Client, by_card, simulator};

async fn page(client: &Client, key: &str, return_url: Value) -> (String, String) {
    let mut body = by_card("tok_redirect", "manual");
    body["return_url"] = return_url;
    body["reference"] = json!(format!("<{key}>"));
    let charge = client.post("/v1/charges", key, &body).await;
    assert_eq!(charge.body["status"], "requires_action");
    assert_eq!(charge.body["next_action"]["type"], "redirect");
    let url = charge.body["next_action"]["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(&format!("http://{}", client.address)).expect("its own address").to_owned();
    (charge.id(), path)
}

async fn press(client: &Client, path: &str, button: &str) -> crate::client::Answer {
    client.send("POST", &format!("{path}/{button}"), None, None).await.unwrap()
}

#[actix_web::test]
async fn approving_authorizes_and_leads_back() {
    let (running, client) = simulator().await;
    let (id, path) = page(&client, "key", json!("https://shop.example/back?order=1")).await;
    let shown = client.get(&path).await;
    assert!(shown.text.contains("Approve") && shown.text.contains("&lt;key&gt;"), "{}", shown.text);
    for _ in 0..2 {
        let back = press(&client, &path, "approve").await;
        assert_eq!(
            (back.status, &back.headers["location"]),
            (303, &"https://shop.example/back?order=1".parse().unwrap())
        );
    }
    assert_eq!(press(&client, &path, "decline").await.status, 409);
    let charge = client.get(&format!("/v1/charges/{id}")).await.body;
    assert_eq!((&charge["status"], &charge["next_action"]), (&json!("authorized"), &Value::Null));
    assert!(charge["capture_before"].is_string());
    assert!(!client.get(&path).await.text.contains("Approve"));
    running.stop().await;
}

#[actix_web::test]
async fn declining_declines() {
    let (running, client) = simulator().await;
    let (id, path) = page(&client, "key", Value::Null).await;
    assert_eq!(press(&client, &path, "decline").await.status, 200);
    let charge = client.get(&format!("/v1/charges/{id}")).await.body;
    assert_eq!(charge["decline"]["code"], "canceled_by_payer");
    running.stop().await;
}

#[actix_web::test]
async fn a_voided_charge_cannot_be_approved() {
    let (running, client) = simulator().await;
    let (id, path) = page(&client, "key", Value::Null).await;
    client.post(&format!("/v1/charges/{id}/voids"), "void", &json!({})).await;
    assert_eq!(press(&client, &path, "approve").await.status, 409);
    assert_eq!(client.get("/pages/pg_000000000001").await.status, 404);
    running.stop().await;
}
