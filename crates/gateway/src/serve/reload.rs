//! New rules without a restart: read when their file changes or at SIGHUP, put in force whole, or not at all.

use super::Failure;
use super::background::State;
use crate::config::{Environment, Loaded, Wanted, load};
use crate::metrics::Metrics;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use switchyard_core::Clock;
use switchyard_engine::Board;
use switchyard_routing::vocabulary::Vocabulary;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often the files are looked at. Their content is compared, so that it does not matter how they were replaced.
const LOOK: Duration = Duration::from_secs(1);

/// The files whose content counts.
const FILES: [&str; 3] = ["routing.toml", "channels.toml", "merchants.toml"];

/// What it takes to read the rules again.
pub(super) struct Reloader {
    wanted: Wanted,
    directory: PathBuf,
    /// What the process serves with; rules that speak of others need a restart.
    vocabulary: Vocabulary,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    state: Arc<State>,
}

impl Reloader {
    /// `None` where the rules are the built-in ones, which do not change.
    pub(super) fn new(
        wanted: &Wanted,
        loaded: &Loaded,
        board: &Arc<Board>,
        clock: &Arc<dyn Clock>,
        metrics: &Arc<Metrics>,
        state: &Arc<State>,
    ) -> Option<Self> {
        Some(Self {
            wanted: wanted.clone(),
            directory: loaded.directory.clone()?,
            vocabulary: loaded.vocabulary(),
            board: Arc::clone(board),
            clock: Arc::clone(clock),
            metrics: Arc::clone(metrics),
            state: Arc::clone(state),
        })
    }

    /// Goes on for as long as the process serves.
    ///
    /// # Errors
    /// Where the process may not listen for SIGHUP.
    pub(super) fn start(self) -> Result<(), Failure> {
        let hangup = signal(SignalKind::hangup()).map_err(super::because("SIGHUP"))?;
        actix_web::rt::spawn(self.run(hangup));
        Ok(())
    }

    async fn run(self, mut hangup: Signal) {
        let mut known = self.content().await;
        loop {
            let asked = tokio::time::timeout(LOOK, hangup.recv()).await.is_ok();
            let content = self.content().await;
            if asked || content != known {
                known = content;
                self.reload().await;
            }
        }
    }

    async fn content(&self) -> Vec<Option<Vec<u8>>> {
        let paths = FILES.map(|name| self.directory.join(name));
        let read = move || paths.iter().map(|path| std::fs::read(path).ok()).collect();
        actix_web::rt::task::spawn_blocking(read).await.unwrap_or_default()
    }

    async fn reload(&self) {
        let wanted = self.wanted.clone();
        // Checking rules may take a second; payments do not wait for it.
        let loading =
            actix_web::rt::task::spawn_blocking(move || load(&wanted, &Environment::new(std::env::vars_os())));
        let refused = match loading.await {
            Ok(Ok(loaded)) if loaded.vocabulary() == self.vocabulary => {
                let version = loaded.rules.hash().to_owned();
                self.board.post_rules(Arc::new(loaded.rules), self.clock.now());
                tracing::info!(%version, "other rules are in force");
                None
            }
            Ok(Ok(_)) => Some("channels, merchants or order types have changed, which takes a restart".to_owned()),
            Ok(Err(faults)) => Some(faults.to_string()),
            Err(error) => Some(error.to_string()),
        };
        self.metrics.reloaded(refused.is_none());
        if let Some(reason) = &refused {
            tracing::error!(%reason, "the configuration was not taken; what was in force stays");
        }
        self.state.refused_reload(refused);
    }
}
