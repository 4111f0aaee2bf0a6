//! A client as small as it can be: one connection for each request, nothing is ever sent twice.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use switchyard_simulator::{Running, Settings, start};
use tokio::net::TcpStream;

/// The connection ended without an answer, or there was none to be had.
pub(crate) type NoAnswer = Box<dyn std::error::Error + Send + Sync>;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// `null` where the body is no JSON.
    pub(crate) body: Value,
}

impl Answer {
    /// The code of an error.
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn replayed(&self) -> bool {
        self.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) api_key: String,
}

/// A simulator with a ledger in memory and short delays.
pub(crate) async fn simulator() -> (Running, Client) {
    simulator_at(Path::new(":memory:")).await
}

pub(crate) async fn simulator_at(data: &Path) -> (Running, Client) {
    let settings = Settings {
        data: data.to_owned(),
        pending: Duration::from_millis(80),
        slow: Duration::from_millis(80),
        ..Settings::default()
    };
    let running = start(settings).await.expect("it starts");
    let client = Client { address: running.address, api_key: "sim_test_acme".into() };
    (running, client)
}

/// The body of a charge of 10,000 by card.
pub(crate) fn by_card(token: &str, capture: &str) -> Value {
    json!({"amount": 10_000, "currency": "EUR", "method": "card", "token": token, "capture": capture})
}

impl Client {
    pub(crate) fn with_key(&self, api_key: &str) -> Self {
        Self { address: self.address, api_key: api_key.into() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, None).await.expect("an answer")
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.try_post(path, key, body).await.expect("an answer")
    }

    /// Fails where the connection ends without an answer.
    pub(crate) async fn try_post(&self, path: &str, key: &str, body: &Value) -> Result<Answer, NoAnswer> {
        self.send("POST", path, Some(key), Some(body.to_string())).await
    }

    pub(crate) async fn charge(&self, token: &str, key: &str) -> Answer {
        self.post("/v1/charges", key, &by_card(token, "automatic")).await
    }

    /// The id of a new charge that is held.
    pub(crate) async fn authorized(&self, key: &str) -> String {
        self.post("/v1/charges", key, &by_card("tok_approved", "manual")).await.id()
    }

    pub(crate) async fn control(&self, body: &Value) -> Answer {
        let answer = self.send("POST", "/control", None, Some(body.to_string())).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Option<String>,
    ) -> Result<Answer, NoAnswer> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "simulator")
            .header("authorization", format!("Bearer {}", self.api_key));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default()))).expect("a request");
        let response = sender.send_request(request).await;
        let (head, body) = response?.into_parts();
        let bytes = body.collect().await?.to_bytes();
        drop(sender);
        connection.abort();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, text, body })
    }
}
