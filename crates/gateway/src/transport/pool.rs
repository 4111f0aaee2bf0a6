//! Connections that wait for their next request.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use switchyard_core::clock::Uptime;
use switchyard_core::transport::HttpResponse;

use super::connection::Connection;
use super::request::Origin;

/// How much earlier than the provider we let go: a request on its way takes time as well.
const EARLIER: Duration = Duration::from_secs(1);

pub(super) struct Pool {
    /// Oldest first.
    idle: Mutex<VecDeque<Idle>>,
    connections_max: usize,
    time_max: Duration,
}

struct Idle {
    origin: Origin,
    until: Duration,
    connection: Connection,
}

impl Pool {
    pub(super) const fn new(connections_max: usize, time_max: Duration) -> Self {
        Self { idle: Mutex::new(VecDeque::new()), connections_max, time_max }
    }

    /// The one used last, so that those beyond the need grow old.
    pub(super) fn take(&self, origin: &Origin, now: Uptime) -> Option<Connection> {
        self.close_expired(now);
        let mut idle = self.lock();
        let place = idle.iter().rposition(|waiting| waiting.origin == *origin)?;
        idle.remove(place).map(|waiting| waiting.connection)
    }

    /// `response` is what came over it last: it may tell how long the provider keeps it.
    pub(super) fn put(&self, origin: Origin, connection: Connection, response: &HttpResponse, now: Uptime) {
        let told = response.header("keep-alive").and_then(told_seconds).map(|told| told.saturating_sub(EARLIER));
        let keep = told.map_or(self.time_max, |told| told.min(self.time_max));
        let Some(until) = now.0.checked_add(keep) else { return };
        let mut idle = self.lock();
        idle.push_back(Idle { origin, until, connection });
        let surplus = if idle.len() > self.connections_max { idle.pop_front() } else { None };
        drop(idle);
        drop(surplus);
    }

    pub(super) fn close_expired(&self, now: Uptime) {
        let mut idle = self.lock();
        if idle.iter().any(|waiting| waiting.until <= now.0) {
            let (expired, alive) = std::mem::take(&mut *idle).into_iter().partition(|waiting| waiting.until <= now.0);
            *idle = alive;
            drop(idle);
            // Sockets are closed without the lock.
            drop::<VecDeque<Idle>>(expired);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Idle>> {
        // No code panics while it holds the lock.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `Keep-Alive: timeout=5, max=100` (RFC 2068, section 19.7.1.1), as most servers still send it.
fn told_seconds(header: &str) -> Option<Duration> {
    let seconds = header.split(',').find_map(|part| part.trim().strip_prefix("timeout="))?;
    seconds.parse().ok().map(Duration::from_secs)
}
