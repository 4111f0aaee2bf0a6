//! Answers that go wrong on purpose, seen from the socket.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, by_card, simulator};

/// What a raw connection shows within a while.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    bytes: usize,
    closed: bool,
}

const CUT: Seen = Seen { bytes: 0, closed: true };
const HELD: Seen = Seen { bytes: 0, closed: false };

async fn raw(client: &Client, path: &str, key: &str, body: &str) -> Seen {
    let mut stream = TcpStream::connect(client.address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nidempotency-key: {key}\r\ncontent-length: {}\r\n\r\n",
        client.api_key,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // A reset is an end like any other.
    let closed = tokio::time::timeout(Duration::from_millis(300), stream.read_to_end(&mut bytes)).await.is_ok();
    Seen { bytes: bytes.len(), closed }
}

async fn booked(client: &Client, objects: &str, reference: &str) -> usize {
    let found = client.get(&format!("/v1/{objects}?reference={reference}")).await.body;
    found["data"].as_array().unwrap().len()
}

#[actix_web::test]
async fn cut_connections_carry_not_a_byte() {
    let (running, client) = simulator().await;
    for (token, count) in [("tok_cut_before", 0), ("tok_cut_after", 1)] {
        let answer = raw(&client, "/v1/charges", token, &by_card(token, "automatic").to_string()).await;
        assert_eq!(answer, CUT, "{token}");
        assert_eq!(booked(&client, "charges", token).await, count, "{token}");
    }
    running.stop().await;
}

#[actix_web::test]
async fn timeouts_hold_the_connection() {
    let (running, client) = simulator().await;
    for (token, count) in [("tok_timeout_before", 0), ("tok_timeout_after", 1)] {
        let answer = raw(&client, "/v1/charges", token, &by_card(token, "automatic").to_string()).await;
        assert_eq!(answer, HELD, "{token}");
        assert_eq!(booked(&client, "charges", token).await, count, "{token}");
    }
    running.stop().await;
}

#[actix_web::test]
async fn stopping_ends_what_is_held() {
    let (running, client) = simulator().await;
    let held = client.clone();
    let request =
        tokio::spawn(async move { held.try_post("/v1/charges", "k", &by_card("tok_timeout_after", "manual")).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::time::timeout(Duration::from_secs(4), running.stop()).await.expect("it stops at once");
    assert!(request.await.unwrap().is_err());
}

#[actix_web::test]
async fn errors_and_garbage_as_documented() {
    let (running, client) = simulator().await;
    for (token, status, count) in [
        ("tok_error_before", 500, 0),
        ("tok_error_after", 500, 1),
        ("tok_garbage", 200, 1),
        ("tok_proxy_page", 502, 0),
        ("tok_rate_limited", 429, 0),
    ] {
        let answer = client.charge(token, token).await;
        assert_eq!(answer.status, status, "{token}");
        assert_eq!(booked(&client, "charges", token).await, count, "{token}");
        match token {
            "tok_garbage" => assert!(answer.body.is_null()),
            "tok_proxy_page" => assert!(answer.body.is_null() && answer.text.contains("<html>")),
            "tok_rate_limited" => assert_eq!(answer.headers["retry-after"], "1"),
            _ => assert_eq!(answer.code(), "internal"),
        }
    }
    running.stop().await;
}

#[actix_web::test]
async fn a_replay_is_answered_properly() {
    let (running, client) = simulator().await;
    let body = by_card("tok_cut_after", "automatic");
    assert!(client.try_post("/v1/charges", "k", &body).await.is_err());
    let again = client.post("/v1/charges", "k", &body).await;
    assert!(again.replayed());
    assert_eq!(again.body["status"], "captured");
    running.stop().await;
}

#[actix_web::test]
async fn amounts_spoil_the_answers_to_captures_voids_and_refunds() {
    let (running, client) = simulator().await;
    for (amount, count) in [(7_703, 1), (7_704, 0), (7_701, 1), (7_702, 0), (7_705, 1), (7_706, 1)] {
        let mut body = by_card("tok_approved", "manual");
        body["amount"] = json!(amount);
        let charge = client.post("/v1/charges", &format!("manual-{amount}"), &body).await.id();
        body["capture"] = json!("automatic");
        let sale = client.post("/v1/charges", &format!("sale-{amount}"), &body).await.id();
        for (id, operations) in [(&sale, "refunds"), (&charge, "voids")] {
            let key = format!("{operations}-{amount}");
            let answer = raw(&client, &format!("/v1/charges/{id}/{operations}"), &key, "{}").await;
            match amount {
                7_701 | 7_702 => assert_eq!(answer, HELD, "{key}"),
                7_703 | 7_704 => assert_eq!(answer, CUT, "{key}"),
                _ => assert!(answer.bytes > 0 && !answer.closed, "{key}"),
            }
            assert_eq!(booked(&client, operations, &key).await, count, "{key}");
        }
        let found = client.get(&format!("/v1/charges/{sale}")).await.body;
        assert_eq!(found["amount_refunded"], if count == 1 { amount } else { 0 });
    }
    running.stop().await;
}

#[actix_web::test]
async fn connections_are_kept_between_answers() {
    let (running, client) = simulator().await;
    let mut stream = TcpStream::connect(client.address).await.unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut bytes = [0; 1_024];
        let read = stream.read(&mut bytes).await.unwrap();
        assert!(bytes[..read].starts_with(b"HTTP/1.1 200"));
    }
    running.stop().await;
}
