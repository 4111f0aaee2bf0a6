//! Figures of the embedded ledger, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts since the ledger was opened. Each can be read at any time; together they are of no one moment.
#[derive(Debug, Default)]
pub struct Stats {
    /// Groups that were committed.
    pub groups: AtomicU64,
    /// Commands in them.
    pub commands: AtomicU64,
    /// Nanoseconds spent in commits.
    pub commit_nanoseconds: AtomicU64,
    /// Pages in the write-ahead log after the latest commit.
    pub wal_pages: AtomicU64,
    /// How often the write-ahead log was written back.
    pub checkpoints: AtomicU64,
}

impl Stats {
    pub(super) fn committed(&self, commands: usize, commit: Duration) {
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.commands.fetch_add(u64::try_from(commands).unwrap_or(0), Ordering::Relaxed);
        let nanoseconds = u64::try_from(commit.as_nanos()).unwrap_or(0);
        self.commit_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}
