//! Writes the log back into the database, beside the writer.
//!
//! A log starts anew only from a moment when all of it was written back, and that moment never comes beside a busy writer.
//! So the bulk is done here, and the writer does the little that is left between two groups.

use super::doom::Doom;
use super::fault::lost_sync;
use super::guard;
use super::queue::Queue;
use super::stats::Stats;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB};
use std::fs::File;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

/// Little enough for the writer, in pages.
const REST_PAGES_MAX: i32 = 256;

/// How often to go after what came in meanwhile.
const ROUNDS_MAX: u32 = 3;

/// Whose turn it is. They never write back at the same time: one would only keep the other from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The log is short.
    Nobody,
    Checkpointer,
    Writer,
}

/// What writer and checkpointer tell each other.
pub(super) struct Signals {
    turn: Mutex<Turn>,
    /// One item at most: it is the checkpointer's turn.
    wanted: Queue<()>,
}

impl Signals {
    pub(super) fn new() -> Self {
        Self { turn: Mutex::new(Turn::Nobody), wanted: Queue::new(1) }
    }

    /// By the writer, after each group. `true` where it is to write the rest back now.
    pub(super) fn after_group(&self, log_is_long: bool) -> bool {
        let mut turn = guard(&self.turn);
        match *turn {
            Turn::Nobody if log_is_long => {
                *turn = Turn::Checkpointer;
                // It is empty while it is nobody's turn, and closed only after the writer has ended.
                let _taken = self.wanted.push(());
                false
            }
            Turn::Nobody | Turn::Checkpointer => false,
            Turn::Writer => {
                *turn = Turn::Nobody;
                true
            }
        }
    }

    /// No more work for the checkpointer.
    pub(super) fn close(&self) {
        self.wanted.close();
    }
}

pub(super) struct Checkpointer {
    pub(super) connection: Connection,
    /// For syncing what was written back before the writer has to wait for it.
    pub(super) file: Arc<File>,
    pub(super) signals: Arc<Signals>,
    pub(super) stats: Arc<Stats>,
    pub(super) doom: Arc<Doom>,
}

impl Checkpointer {
    /// Until nothing will come any more; then it empties the log.
    pub(super) fn work(self) {
        while self.signals.wanted.take_one().is_some() {
            let next = if self.bulk() { Turn::Writer } else { Turn::Nobody };
            *guard(&self.signals.turn) = next;
        }
        if let Err(error) = self.connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::TRUNCATE) {
            tracing::warn!(%error, "the log could not be emptied; the next start will read it");
        }
    }

    /// `false` where it failed.
    fn bulk(&self) -> bool {
        for _ in 0..ROUNDS_MAX {
            let Some(left) = write_back(&self.connection, &self.stats, &self.doom) else { return false };
            if let Err(error) = self.file.sync_data() {
                self.doom.lost_sync(&error);
                return false;
            }
            if left <= REST_PAGES_MAX {
                break;
            }
        }
        true
    }
}

/// Writes back what nobody reads; returns how many pages of the log are left, `None` where it failed.
pub(super) fn write_back(connection: &Connection, stats: &Stats, doom: &Doom) -> Option<i32> {
    #[cfg(feature = "crash-points")]
    super::crash::before_checkpoint();
    let written_back = connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE);
    #[cfg(feature = "crash-points")]
    super::crash::after_checkpoint();
    match written_back {
        Ok((pages, done)) => {
            stats.checkpoints.fetch_add(1, Ordering::Relaxed);
            Some(pages.saturating_sub(done))
        }
        Err(error) if lost_sync(&error) => {
            doom.lost_sync(&error);
            None
        }
        Err(error) => {
            tracing::warn!(%error, "the log could not be written back");
            None
        }
    }
}
