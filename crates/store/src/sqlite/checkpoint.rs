//! Writes the log back into the database, beside the writer.
//!
//! A log starts anew only from a moment when all of it was written back, and that moment never comes beside a busy writer.
//! So the bulk is done here, and the writer does the little that is left between two groups.

use super::fault::lost_sync;
use super::queue::Queue;
use super::settings::Fatal;
use super::stats::Stats;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Little enough for the writer, in pages.
const REST_PAGES_MAX: i32 = 256;

/// How often to go after what came in meanwhile.
const ROUNDS_MAX: u32 = 3;

/// What writer and checkpointer tell each other.
pub(super) struct Signals {
    /// One item at most: work to do.
    pub(super) wanted: Queue<()>,
    /// The bulk is done; the writer is to do the rest.
    pub(super) rest: AtomicBool,
}

impl Signals {
    pub(super) fn new() -> Self {
        Self { wanted: Queue::new(1), rest: AtomicBool::new(false) }
    }
}

pub(super) struct Checkpointer {
    pub(super) connection: Connection,
    /// For syncing what was written back before the writer has to wait for it.
    pub(super) file: Arc<File>,
    pub(super) signals: Arc<Signals>,
    pub(super) stats: Arc<Stats>,
    pub(super) fatal: Fatal,
}

impl Checkpointer {
    /// Until nothing will come any more; then it empties the log.
    pub(super) fn work(self) {
        while self.signals.wanted.take_one().is_some() {
            self.bulk();
            self.signals.rest.store(true, Ordering::Release);
        }
        if let Err(error) = self.connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::TRUNCATE) {
            tracing::warn!(%error, "the log could not be emptied; the next start will read it");
        }
    }

    fn bulk(&self) {
        for _ in 0..ROUNDS_MAX {
            let Some(left) = write_back(&self.connection, &self.stats, &self.fatal) else { return };
            if let Err(error) = self.file.sync_data() {
                (self.fatal)(&format!("the disk did not confirm a write: {error}"));
                return;
            }
            if left <= REST_PAGES_MAX {
                return;
            }
        }
    }
}

/// Writes back what nobody reads; returns how many pages of the log are left, `None` where it failed.
pub(super) fn write_back(connection: &Connection, stats: &Stats, fatal: &Fatal) -> Option<i32> {
    match connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE) {
        Ok((pages, done)) => {
            stats.checkpoints.fetch_add(1, Ordering::Relaxed);
            Some(pages.saturating_sub(done))
        }
        Err(error) if lost_sync(&error) => {
            fatal(&format!("the disk did not confirm a write: {error}"));
            None
        }
        Err(error) => {
            tracing::warn!(%error, "the log could not be written back");
            None
        }
    }
}
