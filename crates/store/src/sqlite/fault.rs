//! What goes wrong below, before it becomes a [`StoreError`].

use crate::StoreError;
use rusqlite::ffi;

/// Why a statement or a row could not be had.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite said so.
    Sql(rusqlite::Error),
    /// A row cannot be what it is.
    Corrupt(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sql(error) => unavailable(&error),
            Fault::Corrupt(what) => Self::Corrupt(what),
        }
    }
}

pub(super) fn unavailable(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            StoreError::Corrupt(error.to_string())
        }
        Some(_) | None => StoreError::Unavailable(error.to_string()),
    }
}

/// Whether the system could not say that bytes reached the disk. What it holds is unknown from then on, and asking again
/// may say yes without having written: only a fresh start reads what is really there.
pub(super) fn lost_sync(error: &rusqlite::Error) -> bool {
    error
        .sqlite_error()
        .is_some_and(|error| matches!(error.extended_code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failed_sync_is_the_end() {
        let failed = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        assert!(lost_sync(&failed(ffi::SQLITE_IOERR_FSYNC)) && lost_sync(&failed(ffi::SQLITE_IOERR_DIR_FSYNC)));
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_BUSY] {
            assert!(!lost_sync(&failed(code)), "{code}");
            assert!(matches!(unavailable(&failed(code)), StoreError::Unavailable(_)));
        }
        assert!(matches!(unavailable(&failed(ffi::SQLITE_CORRUPT)), StoreError::Corrupt(_)));
    }
}
