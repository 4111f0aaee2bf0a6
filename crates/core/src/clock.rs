//! Time and chance, passed in so that tests own both.

use std::time::Duration;
use uuid::Uuid;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The moment `span` later; saturates.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The moment `span` earlier; saturates.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero where it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Time since the machine started, suspended time included, so that neither a set clock nor a stopped process hides
/// that it has passed (`CLOCK_BOOTTIME`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uptime(pub Duration);

/// Where time and chance come from.
#[async_trait::async_trait]
pub trait Clock: Send + Sync {
    /// The wall clock. It may step in either direction; nothing but what people read hangs on it.
    fn now(&self) -> Timestamp;

    /// The clock for deadlines.
    fn uptime(&self) -> Uptime;

    /// A new UUID version 7 that sorts after those this clock gave before.
    fn uuid(&self) -> Uuid;

    /// Returns after `span`.
    async fn sleep(&self, span: Duration);
}
