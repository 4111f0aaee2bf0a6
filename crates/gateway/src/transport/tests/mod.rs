//! Everything that tempts an HTTP client to send twice, or to send where or when it may not, met with plain sockets.

mod answers;
mod connections;
mod resends;
mod server;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use switchyard_core::clock::{Clock, Timestamp, Uptime};
use switchyard_core::transport::{
    Bounds, HeaderText, HttpMethod, HttpRequest, HttpResponse, Transport, TransportError,
};
use uuid::Uuid;

use super::{HttpTransport, Settings, tls_settings};

/// The machine's own, and as much ahead of it as a test says.
struct TestClock {
    ahead_seconds: AtomicU64,
    /// So many readings from now, a minute passes at once.
    readings_left: AtomicU64,
}

impl TestClock {
    fn new() -> Self {
        Self { ahead_seconds: AtomicU64::new(0), readings_left: AtomicU64::new(u64::MAX) }
    }

    fn skip(&self, seconds: u64) {
        self.ahead_seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn skip_a_minute_after(&self, readings: u64) {
        self.readings_left.store(readings, Ordering::SeqCst);
    }
}

#[async_trait::async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }

    fn uptime(&self) -> Uptime {
        if self.readings_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.skip(60);
        }
        let now = Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap();
        Uptime(now.saturating_add(Duration::from_secs(self.ahead_seconds.load(Ordering::SeqCst))))
    }

    fn uuid(&self) -> Uuid {
        Uuid::nil()
    }

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

struct Client {
    transport: HttpTransport,
    clock: Arc<TestClock>,
}

impl Client {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(tls_settings(&[]).unwrap());
        change(&mut settings);
        let clock = Arc::new(TestClock::new());
        Self { transport: HttpTransport::new(settings, clock.clone(), None), clock }
    }

    async fn post(&self, url: &str) -> Result<HttpResponse, TransportError> {
        self.transport.send(post(url), self.bounds(Duration::from_secs(5))).await
    }

    async fn post_within(&self, url: &str, millis: u64) -> Result<HttpResponse, TransportError> {
        self.transport.send(post(url), self.bounds(Duration::from_millis(millis))).await
    }

    fn bounds(&self, timeout: Duration) -> Bounds {
        Bounds { send_by: Uptime(self.clock.uptime().0.saturating_add(Duration::from_secs(5))), timeout }
    }
}

fn post(url: &str) -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Post,
        url: url.to_owned(),
        headers: vec![
            ("authorization", HeaderText::Secret("Bearer sk_secret".into())),
            ("content-type", HeaderText::Plain("application/json".into())),
        ],
        body: Bytes::from_static(br#"{"amount":1050}"#),
    }
}

fn never_left(result: &Result<HttpResponse, TransportError>) -> bool {
    matches!(result, Err(TransportError::NeverLeft(_)))
}

fn no_answer(result: &Result<HttpResponse, TransportError>) -> bool {
    matches!(result, Err(TransportError::NoAnswer(_)))
}
