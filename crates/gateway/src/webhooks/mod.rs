//! Events on their way to merchants: signed, sent at least once, in order for each object as far as waiting is bearable.
//!
//! One courier works at a time. With one process the lock on the data directory sees to that; with more, a lease in the
//! ledger will name the holder, and whoever takes it over starts from the same cursors and rows. Nothing is kept here that the
//! ledger does not have: after a crash, what was under way is sent again under the same id.

mod runner;
mod send;
mod sign;

pub(crate) use runner::object_of;
pub(crate) use send::SEALED_FOR;
pub(crate) use sign::SigningSecret;

use crate::api::Hooks;
use crate::config::settings::Webhooks as Settings;
use crate::metrics::Metrics;
use crate::seal::KeyRing;
use crate::transport::HttpTransport;
use bytes::Bytes;
use runner::Runner;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use switchyard_core::{Clock, EndpointId, Timestamp};
use switchyard_store::feed::Event;
use switchyard_store::webhooks::Endpoint;
use switchyard_store::{Feed, StoreError, Webhooks};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;

/// What all deliveries share.
pub(crate) struct Parts {
    feed: Arc<dyn Feed>,
    ledger: Arc<dyn Webhooks>,
    clock: Arc<dyn Clock>,
    ring: KeyRing,
    transport: HttpTransport,
    settings: Settings,
    /// Whether plain HTTP is spoken. Where connections go is the transport's to see to.
    plain_http: bool,
    metrics: Arc<Metrics>,
    /// An event's bytes.
    render: fn(&Event) -> Bytes,
    /// Deliveries under way, all endpoints together.
    places: Semaphore,
    /// Told when endpoints change or a delivery is asked for again.
    changed: Arc<Notify>,
    /// The oldest event that each endpoint still has to get.
    oldest: Mutex<HashMap<EndpointId, Timestamp>>,
}

impl Parts {
    pub(crate) fn new(
        (feed, hooks): (Arc<dyn Feed>, Hooks),
        clock: Arc<dyn Clock>,
        transport: HttpTransport,
        settings: Settings,
        metrics: Arc<Metrics>,
        render: fn(&Event) -> Bytes,
    ) -> Self {
        let Hooks { ledger, ring, rules, overlap: _, changed } = hooks;
        let places = Semaphore::new(settings.concurrency_total);
        let plain_http = rules.private_addresses;
        let oldest = Mutex::default();
        Self { feed, ledger, clock, ring, transport, settings, plain_http, metrics, render, places, changed, oldest }
    }

    fn note_oldest(&self, endpoint: EndpointId, oldest: Option<Timestamp>) {
        let mut known = self.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        match oldest {
            Some(at) => known.insert(endpoint, at),
            None => known.remove(&endpoint),
        };
    }
}

/// What an endpoint's runner has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signal {
    endpoint: Arc<Endpoint>,
    /// Where the feed ends.
    end: i64,
    /// Grows when rows may have been written by others.
    round: u64,
}

/// A runner at work; it ends with this.
struct Working {
    signal: watch::Sender<Signal>,
    task: JoinHandle<()>,
}

impl Drop for Working {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Delivers until it is dropped.
pub(crate) async fn deliver(parts: Arc<Parts>) {
    let mut working: HashMap<EndpointId, Working> = HashMap::new();
    let mut round = 0;
    let mut purge = Purge::new();
    loop {
        if let Err(error) = look(&parts, &mut working, round).await {
            tracing::error!(%error, "webhook endpoints could not be read");
        }
        purge.now_and_then(&parts).await;
        if tokio::time::timeout(parts.settings.interval, parts.changed.notified()).await.is_ok() {
            round = round.saturating_add(1);
        }
        parts.transport_idle();
    }
}

impl Parts {
    fn transport_idle(&self) {
        switchyard_core::Transport::close_idle(&self.transport);
    }
}

async fn look(parts: &Arc<Parts>, working: &mut HashMap<EndpointId, Working>, round: u64) -> Result<(), StoreError> {
    let endpoints = parts.ledger.endpoints().await?;
    let end = parts.feed.feed_end().await?;
    let enabled = endpoints.iter().filter(|endpoint| endpoint.enabled).count();
    parts.metrics.webhook_endpoints(enabled, endpoints.len().saturating_sub(enabled));
    let on = |id: &EndpointId| endpoints.iter().any(|endpoint| endpoint.id == *id && endpoint.enabled);
    working.retain(|id, working| on(id) && !working.task.is_finished());
    {
        let mut oldest = parts.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        oldest.retain(|id, _| on(id));
        let age = oldest.values().min().map(|at| parts.clock.now().since(*at));
        drop(oldest);
        parts.metrics.webhook_lag(age.unwrap_or_default());
    }
    for endpoint in endpoints.into_iter().filter(|endpoint| endpoint.enabled) {
        let id = endpoint.id;
        // The cursor moves by the runner's own hand.
        match working.get(&id) {
            None => {
                let (signal, changes) = watch::channel(Signal { endpoint: Arc::new(endpoint), end, round });
                let task = actix_web::rt::spawn(Runner::new(Arc::clone(parts), changes).run());
                working.insert(id, Working { signal, task });
            }
            Some(at_work) => {
                at_work.signal.send_if_modified(|signal| {
                    let same = signal.endpoint.version == endpoint.version;
                    if same && signal.end == end && signal.round == round {
                        return false;
                    }
                    if !same {
                        signal.endpoint = Arc::new(endpoint);
                    }
                    (signal.end, signal.round) = (end, round);
                    true
                });
            }
        }
    }
    Ok(())
}

/// Removes rows that have served their time, a few at a time.
struct Purge(Option<switchyard_core::clock::Uptime>);

impl Purge {
    /// Each time all rows are looked through, by the one who writes.
    const EVERY: std::time::Duration = std::time::Duration::from_mins(5);

    const fn new() -> Self {
        Self(None)
    }

    async fn now_and_then(&mut self, parts: &Parts) {
        let now = parts.clock.uptime();
        if self.0.is_some_and(|last| now.0.saturating_sub(last.0) < Self::EVERY) {
            return;
        }
        self.0 = Some(now);
        let before = parts.clock.now().before(parts.settings.retention);
        let write = switchyard_store::webhooks::WebhookWrite::Purge(before);
        if let Err(error) = parts.ledger.write_webhooks(write).await {
            tracing::error!(%error, "old deliveries could not be removed");
        }
    }
}
