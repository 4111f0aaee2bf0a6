use super::*;
use std::io::Write;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// Collects what is logged.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Until the guard is dropped, everything this thread logs, at every level.
    pub(super) fn listen(&self) -> DefaultGuard {
        let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE);
        tracing::subscriber::set_default(subscriber.with_writer(self.clone()).finish())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[actix_web::test]
async fn each_request_leaves_one_line_that_says_enough_and_not_more() {
    let log = Log::default();
    let guard = log.listen();
    let desk = Desk::new();
    desk.send(post("/v1/payments", PAYMENT).insert_header(("x-request-id", "shop-1"))).await;
    desk.send(post("/v1/payments", "{}").insert_header(("idempotency-key", "secret-key"))).await;
    drop(guard);
    let text = log.text();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["fields"].take())
        .filter(|fields| fields["request_id"].is_string())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["request_id"], "shop-1");
    assert_eq!(lines[0]["route"], "/v1/payments");
    assert_eq!((&lines[0]["method"], &lines[0]["status"]), (&"POST".into(), &201.into()));
    assert_eq!(
        (&lines[0]["merchant"], &lines[0]["payment"]),
        (&"demo".into(), &sample::payment_id().to_string().into())
    );
    assert!(lines[0]["duration_us"].is_u64());
    assert_eq!(lines[1]["code"], "invalid_request");
    for secret in ["tok_approved", "order-1001", "shop.example", "sandbox", "secret-key"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}
