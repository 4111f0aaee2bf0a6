//! How a ledger is opened, and why it may not be.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Called where only a restart helps: the disk did not confirm a write, or the writer is gone. It should end the process;
/// should it return, the ledger refuses all writes.
pub type Fatal = Arc<dyn Fn(&str) + Send + Sync>;

/// Called by the writer after each group that it committed.
pub type Observe = Arc<dyn Fn(Group) + Send + Sync>;

/// A group of commands that became durable together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// How many commands, refused ones included.
    pub commands: usize,
    /// How long the commit took, its fsync included.
    pub commit: Duration,
}

/// How to open a ledger.
#[derive(Clone)]
pub struct Settings {
    /// The database file. Its directory is made if missing and holds the lock, so one ledger per directory.
    pub path: PathBuf,
    /// Commands that may wait for the writer; more are [`crate::StoreError::Overloaded`].
    pub queue_len: usize,
    /// Reads that may wait for a reader; more are [`crate::StoreError::Overloaded`].
    pub read_queue_len: usize,
    /// Commands that share one commit at most.
    pub batch_max: usize,
    /// Rows that one page of a list may look at.
    pub list_rows_max: u32,
    /// Pages of 4 KiB in the write-ahead log from which on it is written back.
    pub checkpoint_pages: u64,
    /// Ends the process.
    pub fatal: Fatal,
    /// Hears of every commit.
    pub observe: Option<Observe>,
    pub(super) synchronous: Synchronous,
}

impl Settings {
    /// The defaults.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, fatal: Fatal) -> Self {
        Self {
            path: path.into(),
            queue_len: 4_096,
            read_queue_len: 1_024,
            batch_max: 256,
            list_rows_max: 50_000,
            checkpoint_pages: 8_192,
            fatal,
            observe: None,
            synchronous: Synchronous::Full,
        }
    }

    /// Waits for no disk: what was committed survives the end of the process, but not that of the machine. For tests.
    #[cfg(feature = "suite")]
    #[must_use]
    pub fn unsynced(mut self) -> Self {
        self.synchronous = Synchronous::Off;
        self
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("path", &self.path)
            .field("queue_len", &self.queue_len)
            .field("read_queue_len", &self.read_queue_len)
            .field("batch_max", &self.batch_max)
            .field("list_rows_max", &self.list_rows_max)
            .field("checkpoint_pages", &self.checkpoint_pages)
            .field("synchronous", &self.synchronous)
            .finish_non_exhaustive()
    }
}

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Synchronous {
    Full,
    #[cfg(feature = "suite")]
    Off,
}

impl Synchronous {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            #[cfg(feature = "suite")]
            Self::Off => "OFF",
        }
    }
}

/// Why a ledger is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process serves it.
    #[error("the ledger {} is in use by {}", path.display(), holder(*pid))]
    Locked {
        /// The ledger.
        path: PathBuf,
        /// The other process, where it says which it is.
        pid: Option<u32>,
    },
    /// The file is something else.
    #[error("{} is not a database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// There is none.
    #[error("there is no ledger {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A database, but of another program.
    #[error("{} is a database of another program", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer Switchyard wrote it.
    #[error("the ledger {} has schema version {found}; this Switchyard knows versions up to {known}", path.display())]
    Newer {
        /// The ledger.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A file or directory could not be made or opened.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The database could not be read or prepared.
    #[error("the ledger {}: {reason}", path.display())]
    Failed {
        /// The ledger.
        path: PathBuf,
        /// What was said.
        reason: String,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl OpenError {
    /// What SQLite said of `path`.
    pub(super) fn sql(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        let path = path.to_owned();
        move |error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Self::NotADatabase { path: path.clone() },
            Some(_) | None => Self::Failed { path: path.clone(), reason: error.to_string() },
        }
    }

    pub(super) fn io(path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path: path.clone(), error }
    }
}
