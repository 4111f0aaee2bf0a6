use super::*;
use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;
use tracing_subscriber::fmt::MakeWriter;

thread_local! {
    static HEARD: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// Collects what one thread logs.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

/// Ends the listening when dropped.
pub(super) struct Listening;

impl Drop for Listening {
    fn drop(&mut self) {
        HEARD.set(None);
    }
}

impl Log {
    /// Until the guard is dropped, everything this thread logs, at every level. One subscriber serves all tests: whether
    /// a place logs at all is remembered for the whole process.
    pub(super) fn listen(&self) -> Listening {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE);
            tracing::subscriber::set_global_default(subscriber.with_writer(Router).finish()).unwrap();
        });
        HEARD.set(Some(self.clone()));
        Listening
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Writes to whoever listens on this thread.
struct Router;

impl Write for Router {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        HEARD.with_borrow(|log| {
            if let Some(log) = log {
                log.0.lock().unwrap().extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Router {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
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
