//! The way out to a provider: HTTP/1.1 over connections of our own, so that we know whether a byte was handed to one.
//!
//! It sends a request once. It repeats nothing, follows no redirect, uses no proxy of the environment and no TLS early data. A
//! connection is polled together with the request that it carries, so there is no task beside the caller's.

mod connect;
mod connection;
mod gate;
mod pool;
mod reach;
mod request;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use switchyard_core::clock::{Clock, Uptime};
use switchyard_core::transport::{Bounds, HttpRequest, HttpResponse, Transport, TransportError};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

pub(crate) use connect::tls_settings;
use connection::{Broken, Connection, Outgoing};
use pool::Pool;
pub(crate) use reach::Reach;
use request::Origin;

/// How a transport behaves.
#[derive(Clone)]
pub(crate) struct Settings {
    /// For name, connection and TLS together; a request's own time-out bounds it too.
    pub(crate) connect_timeout: Duration,
    /// Connections kept open between requests.
    pub(crate) idle_connections_max: usize,
    /// How long one is kept; shorter where the provider says so.
    pub(crate) idle_time_max: Duration,
    /// Whom to trust; shared by all transports, so that sessions are resumed. See [`tls_settings`].
    pub(crate) tls: Arc<rustls::ClientConfig>,
    /// Where connections may go.
    pub(crate) reach: Reach,
}

impl Settings {
    /// With the usual bounds.
    #[cfg(test)]
    pub(crate) const fn new(tls: Arc<rustls::ClientConfig>) -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            idle_connections_max: 64,
            idle_time_max: Duration::from_secs(15),
            tls,
            reach: Reach::Anywhere,
        }
    }
}

/// How a request ended, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With an answer of this status.
    Answered(u16),
    /// No byte was handed to a connected socket.
    NeverLeft,
    /// Nobody knows.
    NoAnswer,
}

/// Hears how each request ended. It is called on the payment's path.
pub(crate) trait Observe: Send + Sync {
    /// Called once for each request.
    fn sent(&self, took: Duration, outcome: Outcome);
}

/// One channel's way out, in one worker. Its connections belong to the runtime in which they were made.
pub(crate) struct HttpTransport {
    connect_timeout: Duration,
    tls: TlsConnector,
    reach: Reach,
    idle: Pool,
    clock: Arc<dyn Clock>,
    observe: Option<Arc<dyn Observe>>,
}

impl HttpTransport {
    pub(crate) fn new(settings: Settings, clock: Arc<dyn Clock>, observe: Option<Arc<dyn Observe>>) -> Self {
        Self {
            connect_timeout: settings.connect_timeout,
            tls: TlsConnector::from(settings.tls),
            reach: settings.reach,
            idle: Pool::new(settings.idle_connections_max, settings.idle_time_max),
            clock,
            observe,
        }
    }

    async fn send_once(&self, request: HttpRequest, bounds: Bounds) -> Result<HttpResponse, TransportError> {
        let (origin, mut outgoing) = request::read(request).map_err(TransportError::NeverLeft)?;
        if self.clock.uptime() > bounds.send_by {
            return Err(gate::too_late());
        }
        let deadline = after(bounds.timeout);
        while let Some(mut connection) = self.idle.take(&origin, self.clock.uptime()) {
            if !connection.usable().await {
                continue;
            }
            match self.exchange(&origin, connection, outgoing, bounds.send_by, deadline).await {
                Ok(response) => return Ok(response),
                // It had died, and nothing was written to it: the request has not been sent yet.
                Err(Broken::Unsent(unsent, _)) => outgoing = *unsent,
                Err(Broken::Over(error)) => return Err(error),
            }
        }
        let connection = self.connect(&origin, deadline).await.map_err(TransportError::NeverLeft)?;
        self.exchange(&origin, connection, outgoing, bounds.send_by, deadline).await.map_err(Broken::into_error)
    }

    async fn connect(&self, origin: &Origin, deadline: Instant) -> Result<Connection, String> {
        let connecting = async {
            let stream = connect::connect(origin, &self.tls, self.reach).await?;
            Connection::over(stream, Arc::clone(&self.clock)).await
        };
        match timeout_at(deadline.min(after(self.connect_timeout)), connecting).await {
            Ok(connection) => connection,
            Err(_) => Err(format!("connecting to {origin} took too long")),
        }
    }

    async fn exchange(
        &self,
        origin: &Origin,
        mut connection: Connection,
        outgoing: Outgoing,
        send_by: Uptime,
        deadline: Instant,
    ) -> Result<HttpResponse, Broken> {
        let response = connection.exchange(outgoing, send_by, deadline).await?;
        if connection.usable().await {
            self.idle.put(origin.clone(), connection, &response, self.clock.uptime());
        }
        Ok(response)
    }
}

#[async_trait::async_trait]
impl Transport for HttpTransport {
    /// Sending does so as well; this is for channels that send nothing.
    fn close_idle(&self) {
        self.idle.close_expired(self.clock.uptime());
    }

    async fn send(&self, request: HttpRequest, bounds: Bounds) -> Result<HttpResponse, TransportError> {
        let Some(observe) = &self.observe else { return self.send_once(request, bounds).await };
        let Uptime(start) = self.clock.uptime();
        let result = self.send_once(request, bounds).await;
        let outcome = match &result {
            Ok(response) => Outcome::Answered(response.status),
            Err(TransportError::NeverLeft(_)) => Outcome::NeverLeft,
            Err(TransportError::NoAnswer(_)) => Outcome::NoAnswer,
        };
        observe.sent(self.clock.uptime().0.saturating_sub(start), outcome);
        result
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").field("idle", &self.idle.len()).finish_non_exhaustive()
    }
}

/// The moment `span` from now; a span past what the clock holds is a year.
fn after(span: Duration) -> Instant {
    const YEAR: Duration = Duration::from_hours(365 * 24);
    let now = Instant::now();
    now.checked_add(span.min(YEAR)).unwrap_or(now)
}
