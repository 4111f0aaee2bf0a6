//! Other rules, channels and merchants without a restart: read when a file changes or at SIGHUP, put in force whole, or
//! not at all.

use super::accounts::Closing;
use super::background::State;
use super::channels::{Ground, Plan};
use super::{Failure, accounts, health_policies, setup, statuses};
use crate::api::Keys;
use crate::config::merchants::Rates;
use crate::config::{Environment, Loaded, RELOADED, Wanted, load, read_bounded};
use crate::metrics::Metrics;
use crate::records::keep;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use switchyard_coordination::{HealthPolicy, InProcess};
use switchyard_core::clock::Uptime;
use switchyard_core::limits::SEND_WITHIN;
use switchyard_core::{ChannelName, Clock};
use switchyard_engine::{Attended, Board, Setup};
use switchyard_store::Store;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often the files are looked at. Their content is compared, so that it does not matter how they were replaced.
const LOOK: Duration = Duration::from_secs(1);

/// A change is read once the files have stood still for so long: somebody may be writing them.
const SETTLE: Duration = Duration::from_millis(200);

/// What stands refused is tried again so often: what was in its way may have gone without a file being changed.
const TRY_AGAIN: Duration = Duration::from_secs(30);

/// A payment decided under what was in force is in the ledger by then, or is never sent.
const ON_THE_WAY: Duration = SEND_WITHIN.saturating_add(LOOK);

/// Reads that found other files before and after them, before it is left to the next look.
const READS_MAX: usize = 5;

/// What is in force, and what it was made of.
pub(super) struct InForce {
    pub(super) setup: Setup,
    pub(super) plan: Arc<Plan>,
    pub(super) health: Vec<(ChannelName, HealthPolicy)>,
    /// Its channels' maintenance windows, and where they have accounts.
    pub(super) attended: Vec<Attended>,
    /// Files with the secrets of its channels.
    pub(super) secret_files: Vec<PathBuf>,
    /// Channels that are off, and why.
    pub(super) off: Vec<String>,
    /// How much the keys of merchants may ask.
    pub(super) rates: Rates,
}

impl InForce {
    /// Makes it of a configuration; `before` is what it takes the place of.
    pub(super) fn new(loaded: &Loaded, ground: &Ground, before: Option<&Self>) -> Result<Self, Failure> {
        let plan = Arc::new(Plan::new(loaded, ground, before.map(|before| &*before.plan))?);
        let broken = loaded.channels.iter().flat_map(|channel| &channel.broken);
        Ok(Self {
            setup: setup(loaded, &plan),
            plan,
            health: health_policies(loaded),
            attended: statuses::attended(loaded),
            secret_files: loaded.channels.iter().flat_map(|channel| channel.secret_files.clone()).collect(),
            off: broken.map(|fault| fault.message.clone()).collect(),
            rates: loaded.rates.clone(),
        })
    }
}

/// What it takes to read the configuration again.
pub(super) struct Reloader {
    pub(super) wanted: Wanted,
    pub(super) directory: PathBuf,
    pub(super) ground: Ground,
    pub(super) in_force: InForce,
    pub(super) store: Arc<dyn Store>,
    pub(super) board: Arc<Board>,
    pub(super) coordination: Arc<InProcess>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) state: Arc<State>,
    pub(super) keys: Arc<Keys>,
    pub(super) closing: Closing,
}

/// What stands in the files: a digest of each, or why it cannot be read.
type Content = HashMap<PathBuf, Result<[u8; 32], ErrorKind>>;

impl Reloader {
    /// Goes on for as long as the process serves.
    ///
    /// # Errors
    /// Where the process may not listen for SIGHUP.
    pub(super) fn start(self) -> Result<(), Failure> {
        let hangup = signal(SignalKind::hangup()).map_err(super::because("SIGHUP"))?;
        // Before anything is served: whoever changes a file from then on is noticed.
        let known = content(self.paths());
        let state = Arc::clone(&self.state);
        let clock = Arc::clone(&self.clock);
        let running = actix_web::rt::spawn(self.run(hangup, known));
        actix_web::rt::spawn(async move {
            // It ends with the process, or it broke: what is in force goes on, and somebody has to know.
            if running.await.is_err_and(|error| error.is_panic()) {
                let reason = "what reads the configuration again has broken; changes take a restart";
                tracing::error!("{reason}");
                state.refused_reload(Some((reason.to_owned(), clock.now())));
            }
        });
        Ok(())
    }

    async fn run(mut self, mut hangup: Signal, mut known: Content) {
        let mut refused: Option<(String, Uptime)> = None;
        loop {
            let asked = tokio::time::timeout(LOOK, hangup.recv()).await.is_ok();
            let mut content = self.content().await;
            let changed = content != known;
            if changed && !asked {
                content = self.settled(content).await;
            }
            let now = self.clock.uptime();
            let again = refused.as_ref().is_some_and(|(_, at)| now.0.saturating_sub(at.0) >= TRY_AGAIN);
            if !asked && !changed && !again {
                continue;
            }
            known = content;
            let reason = self.reload().await.err();
            let same = refused.as_ref().map(|(reason, _)| reason) == reason.as_ref();
            // A try of our own that brings what the last one brought is nothing new.
            if asked || changed || !same {
                self.tell(reason.as_ref());
            }
            refused = reason.map(|reason| (reason, now));
        }
    }

    fn tell(&self, refused: Option<&String>) {
        self.metrics.reloaded(refused.is_none());
        if let Some(reason) = refused {
            tracing::error!(%reason, "the configuration was not taken; what was in force stays");
        }
        self.state.refused_reload(refused.map(|reason| (reason.clone(), self.clock.now())));
    }

    /// The files, and those with the secrets that are in use. A name that leads elsewhere by now counts by what is there.
    async fn content(&self) -> Content {
        let paths = self.paths();
        actix_web::rt::task::spawn_blocking(move || content(paths)).await.unwrap_or_default()
    }

    fn paths(&self) -> Vec<PathBuf> {
        let own = RELOADED.iter().map(|name| self.directory.join(name));
        own.chain(self.in_force.secret_files.iter().cloned()).collect()
    }

    async fn settled(&self, mut content: Content) -> Content {
        for _ in 0..READS_MAX {
            tokio::time::sleep(SETTLE).await;
            let again = self.content().await;
            if again == content {
                break;
            }
            content = again;
        }
        content
    }

    /// # Errors
    /// Why the configuration was not taken; all of what was in force stays then.
    async fn reload(&mut self) -> Result<(), String> {
        let loaded = self.read().await?;
        let next = InForce::new(&loaded, &self.ground, Some(&self.in_force)).map_err(|failure| failure.0)?;
        if let Some(reason) = accounts::still_open(&self.in_force.plan, &next.plan) {
            return Err(reason);
        }
        tokio::time::sleep(self.closing.wait(&next.plan, self.clock.uptime())).await;
        let left_out = accounts::left_out(&*self.store, &next.plan).await;
        let left_out = left_out
            .map_err(|error| format!("whether payments need the accounts left out cannot be read: {error}"))??;
        // No decision may rest on rules that nobody can look up.
        let kept = keep(&*self.store, &next.setup.rules, self.clock.now()).await;
        kept.map_err(|error| format!("the rules could not be kept: {error}"))?;
        let kept = left_out.keep(&*self.store).await;
        kept.map_err(|error| format!("the accounts left out could not be kept: {error}"))?;
        self.put_in_force(next);
        for warning in &loaded.warnings {
            tracing::warn!(fault = %warning.message, "configuration");
        }
        Ok(())
    }

    /// Reads the files off the workers: checking rules may take a second, and payments do not wait for it. What was read
    /// while somebody wrote may be half of two, so it counts only where the files are the same before and after.
    async fn read(&self) -> Result<Loaded, String> {
        for _ in 0..READS_MAX {
            let before = self.content().await;
            let wanted = self.wanted.clone();
            let loading = move || load(&wanted, &Environment::new(std::env::vars_os()));
            let loaded = actix_web::rt::task::spawn_blocking(loading).await;
            if self.content().await == before {
                return match loaded {
                    Ok(Ok(loaded)) => Ok(loaded),
                    Ok(Err(faults)) => Err(faults.to_string()),
                    Err(error) => Err(format!("the check of the configuration broke: {error}")),
                };
            }
        }
        Err("the files change while they are read".to_owned())
    }

    /// The one place where what is in force changes, and never back. Payments under way keep what they began with.
    fn put_in_force(&mut self, next: InForce) {
        // Channels of both are known while payments may be at either.
        let gone = self.in_force.health.iter().filter(|(name, _)| next.health.iter().all(|(other, _)| other != name));
        self.coordination.reconfigure(next.health.iter().chain(gone).cloned());
        self.board.attend(next.attended.clone(), self.clock.now());
        self.board.put_in_force(next.setup.clone(), self.clock.now());
        self.closing.replaced(&self.in_force.plan, &next.plan, self.clock.uptime(), ON_THE_WAY);
        self.coordination.reconfigure(next.health.iter().cloned());
        self.metrics.forget_statuses();
        self.keys.rates(next.rates.clone());
        self.state.look_again();
        self.state.channels_off(next.off.clone());
        self.metrics.channels_off(next.off.len());
        for reason in &next.off {
            tracing::error!(%reason, "a channel is off");
        }
        tracing::info!(version = %next.setup.rules.hash(), "another configuration is in force");
        self.in_force = next;
    }
}

fn content(paths: Vec<PathBuf>) -> Content {
    paths.into_iter().map(|path| (path.clone(), digest(&path))).collect()
}

fn digest(path: &std::path::Path) -> Result<[u8; 32], ErrorKind> {
    let bytes = read_bounded(path).map_err(|error| error.kind())?;
    let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
    digest.as_ref().try_into().map_err(|_| ErrorKind::Other)
}
