//! What goes on without a request: settling what is in doubt, and reading what other processes wrote.

use super::statuses::{self, Teller};
use super::{Failure, Shared};
use crate::api::{Keys, event_json};
use crate::config::Settings;
use crate::config::settings::Recovery;
use crate::metrics::Metrics;
use crate::tasks::Tasks;
use crate::transport::{self, HttpTransport, Reach};
use crate::webhooks::{self, Parts};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use switchyard_core::{Clock, Mode, Timestamp};
use switchyard_engine::{Board, Engine, Word};
use switchyard_routing::Status;
use switchyard_store::{Administer, Audit, Override, Store, StoreError};
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinHandle};

/// How often keys and overrides are read again: a key that was revoked elsewhere is refused within that time.
const REFRESH: Duration = Duration::from_millis(500);

/// Between two slices of idempotency keys that are looked through: half a million keys in a quarter of an hour.
const FORGET: Duration = Duration::from_secs(1);

/// How long a connection to a webhook endpoint may idle.
const IDLE_WEBHOOKS: Duration = Duration::from_secs(10);

/// Whether the process can do its work.
#[derive(Debug, Default)]
pub(crate) struct State {
    ledger: AtomicBool,
    look_again: Notify,
    refused_reload: Mutex<Option<(String, Timestamp)>>,
    channels_off: Mutex<Vec<String>>,
}

impl State {
    /// Whether the ledger answered when it was asked last.
    pub(crate) fn ledger(&self) -> bool {
        self.ledger.load(Ordering::Relaxed)
    }

    /// Why the configuration as it stands in its files was not taken, and when; `None` where it was.
    pub(crate) fn reload_refused(&self) -> Option<(String, Timestamp)> {
        self.refused_reload.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn refused_reload(&self, reason: Option<(String, Timestamp)>) {
        *self.refused_reload.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    /// Channels that are switched off in a mode, and why, a sentence each.
    pub(crate) fn off(&self) -> Vec<String> {
        self.channels_off.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn channels_off(&self, off: Vec<String>) {
        *self.channels_off.lock().unwrap_or_else(PoisonError::into_inner) = off;
    }

    /// Has keys and overrides read again now.
    pub(crate) fn look_again(&self) {
        self.look_again.notify_one();
    }
}

/// The tasks; stopped when told, or dropped.
pub(super) struct Background {
    tasks: Vec<JoinHandle<()>>,
    state: Arc<State>,
}

impl Background {
    /// Adopts what a process that died left open, reads keys and overrides once, and goes on from there.
    ///
    /// # Errors
    /// Where the ledger cannot be read or written.
    pub(super) async fn start(
        shared: &Shared,
        board: &Arc<Board>,
        tasks: &Tasks,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let engine = shared.engine();
        let teller = Teller::start(Arc::clone(&shared.seams.store), Arc::clone(board), Arc::clone(&shared.metrics));
        let mut refresher = Refresher {
            teller: teller.await?,
            read_once: false,
            store: Arc::clone(&shared.seams.store),
            board: Arc::clone(board),
            keys: Arc::clone(&shared.keys),
            clock: Arc::clone(&shared.clock),
            metrics: Arc::clone(&shared.metrics),
            tasks: tasks.clone(),
        };
        let state = Arc::new(State::default());
        refresher.refresh().await?;
        state.ledger.store(true, Ordering::Relaxed);
        let adopted = engine.adopt().await?;
        if adopted > 0 {
            tracing::warn!(operations = adopted, "adopted what an earlier process left open");
        }
        let tasks = vec![
            actix_web::rt::spawn(or_end("retention", forget(Arc::clone(&engine), settings.idempotency.retention))),
            actix_web::rt::spawn(or_end("recovery", recover(engine, settings.recovery.clone()))),
            actix_web::rt::spawn(or_end("webhooks", webhooks::deliver(courier(shared, settings)?))),
            actix_web::rt::spawn(or_end("refresh", refresh(refresher, Arc::clone(&state)))),
        ];
        Ok(Self { tasks, state })
    }

    /// Whether the process can do its work, kept up to date.
    pub(super) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    /// Ends the tasks. A look-up that is under way is done again after the next start.
    pub(super) fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// What delivers webhooks, with connections of its own.
fn courier(shared: &Shared, settings: &Settings) -> Result<Arc<Parts>, Failure> {
    let private = shared.hooks.rules.private_addresses;
    let way_out = transport::Settings {
        connect_timeout: settings.webhooks.timeout,
        idle_connections_max: settings.webhooks.concurrency_total,
        idle_time_max: IDLE_WEBHOOKS,
        tls: transport::tls_settings(&[])?,
        reach: if private { Reach::Anywhere } else { Reach::Public },
    };
    Ok(Arc::new(Parts::new(
        (Arc::clone(&shared.feed), shared.hooks.clone()),
        Arc::clone(&shared.clock),
        HttpTransport::new(way_out, Arc::clone(&shared.clock), None),
        settings.webhooks.clone(),
        Arc::clone(&shared.metrics),
        event_json,
    )))
}

async fn recover(engine: Arc<Engine>, recovery: Recovery) {
    // Look-ups of their own: a stop does not wait for them, since they are made again after the next start.
    let look_ups = Tasks::default();
    loop {
        tokio::time::sleep(recovery.interval).await;
        if let Err(error) = engine.recover(&look_ups, recovery.concurrency).await {
            tracing::error!(%error, "what is due for a look-up could not be read");
        }
    }
}

/// Without these the process would serve and never settle, or take revoked keys: better none than that.
async fn or_end(what: &'static str, work: impl Future<Output = ()> + 'static) {
    let ended = actix_web::rt::spawn(work).await;
    if ended.as_ref().is_err_and(JoinError::is_cancelled) {
        return;
    }
    tracing::error!(what, "a task that must not end has ended; ending the process");
    std::process::abort();
}

/// Goes round the idempotency keys and the routes, a slice at a time.
async fn forget(engine: Arc<Engine>, retention: Duration) {
    let mut after = [0; 16];
    loop {
        tokio::time::sleep(FORGET).await;
        match engine.forget_keys(after, retention).await {
            Ok(next) => after = next.unwrap_or([0; 16]),
            Err(error) => tracing::error!(%error, "idempotency keys could not be freed"),
        }
        if let Err(error) = engine.forget_routes().await {
            tracing::error!(%error, "expired routes could not be forgotten");
        }
    }
}

async fn refresh(mut refresher: Refresher, state: Arc<State>) {
    loop {
        // Either is reason enough.
        let _ = tokio::time::timeout(REFRESH, state.look_again.notified()).await;
        let refreshed = refresher.refresh().await;
        state.ledger.store(refreshed.is_ok(), Ordering::Relaxed);
        if let Err(error) = refreshed {
            tracing::error!(%error, "keys and overrides could not be read");
        }
        if let Err(error) = refresher.note_uses().await {
            tracing::error!(%error, "when keys were used last could not be written");
        }
    }
}

struct Refresher {
    store: Arc<dyn Store>,
    board: Arc<Board>,
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    tasks: Tasks,
    teller: Teller,
    /// Whether the ledger was ever read: what is not known is not told.
    read_once: bool,
}

impl Refresher {
    /// Writes when keys were used last, all of them at once.
    async fn note_uses(&self) -> Result<(), StoreError> {
        let uses = self.keys.uses();
        if uses.is_empty() { Ok(()) } else { self.store.note_uses(uses).await }
    }

    async fn refresh(&mut self) -> Result<(), StoreError> {
        // What clocks decide does not wait for the ledger.
        self.board.look(self.clock.now());
        let read = self.read().await;
        self.read_once |= read.is_ok();
        let in_force = self.board.in_force();
        for mode in [Mode::Test, Mode::Live] {
            let statuses = in_force.rules.channel_names().map(|name| (name, in_force.status(name, mode).as_str()));
            self.metrics.statuses(mode, statuses);
        }
        self.metrics.rules(&in_force.version);
        if self.read_once {
            self.teller.tell(self.clock.now()).await?;
        }
        read
    }

    async fn read(&self) -> Result<(), StoreError> {
        let mark = self.keys.mark();
        self.keys.replace(self.store.keys().await?, mark);
        let overrides = self.store.overrides().await?;
        let now = self.clock.now();
        let (over, standing): (Vec<_>, Vec<_>) =
            overrides.into_iter().partition(|it| it.expires_at.is_some_and(|end| end <= now));
        let words = standing.into_iter().map(|it| (it.channel.clone(), word(it))).collect();
        if self.board.post_overrides(words, now) {
            tracing::info!("the overrides of channels have changed");
        }
        for it in over {
            self.expire(it, now).await?;
        }
        let totals = self.store.totals().await?;
        self.metrics.totals(&totals, now, self.tasks.running());
        Ok(())
    }

    /// Removes an override whose time is over. It held no longer than that; this is for those who read of it.
    async fn expire(&self, over: Override, now: Timestamp) -> Result<(), StoreError> {
        let audit = Audit {
            at: now,
            actor: statuses::ACTOR.into(),
            action: "channel.override_expired".into(),
            subject: over.channel.to_string(),
            detail: format!("{} by {}: {}", over.status, over.set_by, over.reason),
        };
        // Stale where an operator was faster.
        self.store.administer(Administer::ExpireOverride(over.channel, over.set_at), audit).await.map(drop)
    }
}

fn word(set: Override) -> Word {
    Word {
        status: status_of(&set.status),
        reason: set.reason.into(),
        by: set.set_by.into(),
        since: set.set_at,
        until: set.expires_at,
    }
}

/// A word that this version does not know takes nothing: whoever wrote it meant something.
fn status_of(word: &str) -> Status {
    match word {
        "up" => Status::Up,
        "degraded" => Status::Degraded,
        "down" => Status::Down,
        _ => Status::Disabled,
    }
}
