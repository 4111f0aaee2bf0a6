//! How connections are set up.

use super::lock::directory_of;
use super::schema;
use super::settings::{OpenError, Settings};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

// Page caches in KiB; with two readers they stay below 64 MiB together.
//
// A larger one makes the writer slower: whenever a page of the random tree splits, SQLite walks through all of the cache at
// commit (pages of the split change numbers by way of one far past the end, and the cache is then cut back to the end).
const WRITER_CACHE_KIB: i64 = 8 * 1024;
const READER_CACHE_KIB: i64 = 8 * 1024;
const CHECKPOINTER_CACHE_KIB: i64 = 1024;

/// Every statement of the ledger, and some lists with their filters.
const STATEMENTS_MAX: usize = 64;

/// What SQLite waits for a lock. Only its own recovery takes one that we would meet.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Makes the file where it is missing, readable by its owner alone, and returns it for syncing.
///
/// Closing any handle of a file drops the process's locks on it, SQLite's among them: keep this one until the last
/// connection is closed.
pub(super) fn create(path: &Path) -> Result<File, OpenError> {
    let failed = OpenError::io(path);
    let missing = !path.try_exists().map_err(&failed)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(&failed)?;
    if missing {
        file.sync_all().map_err(&failed)?;
        // The name must be as durable as what it names. Not every system can sync a directory.
        #[cfg(unix)]
        File::open(directory_of(path)).and_then(|directory| directory.sync_all()).map_err(&failed)?;
    }
    Ok(file)
}

/// The connection that writes, with the schema up to date.
pub(super) fn writer(settings: &Settings) -> Result<Connection, OpenError> {
    let path = &settings.path;
    let mut connection = open(path, WRITER_CACHE_KIB).map_err(OpenError::sql(path))?;
    let prepare = || -> rusqlite::Result<String> {
        connection.pragma_update(None, "page_size", 4096)?;
        let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        connection.pragma_update(None, "synchronous", settings.synchronous.as_str())?;
        // Past this size the log's file shrinks again when it starts anew, in bytes.
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        Ok(mode)
    };
    let mode = prepare().map_err(OpenError::sql(path))?;
    if mode != "wal" {
        let reason = format!("the file system does not carry a write-ahead log (journal mode {mode})");
        return Err(OpenError::Failed { path: path.clone(), reason });
    }
    schema::migrate(&mut connection, path)?;
    Ok(connection)
}

/// A connection that reads.
pub(super) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let set_up = || -> rusqlite::Result<Connection> {
        let connection = open(path, READER_CACHE_KIB)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    set_up().map_err(OpenError::sql(path))
}

/// A connection of another process than the one that serves, if one does. It reads, and leaves the log to those who write.
pub(super) fn beside(path: &Path) -> Result<Connection, OpenError> {
    if !path.try_exists().map_err(OpenError::io(path))? {
        return Err(OpenError::Missing { path: path.to_owned() });
    }
    let connection = reader(path)?;
    let own = || -> rusqlite::Result<()> {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(())
    };
    own().map_err(OpenError::sql(path))?;
    schema::require(&connection, path)?;
    Ok(connection)
}

/// A connection that writes the log back.
pub(super) fn checkpointer(settings: &Settings) -> Result<Connection, OpenError> {
    let set_up = || -> rusqlite::Result<Connection> {
        let connection = open(&settings.path, CHECKPOINTER_CACHE_KIB)?;
        connection.pragma_update(None, "synchronous", settings.synchronous.as_str())?;
        Ok(connection)
    };
    set_up().map_err(OpenError::sql(&settings.path))
}

fn open(path: &Path, cache_kib: i64) -> rusqlite::Result<Connection> {
    // Each connection stays with one thread at a time, so SQLite need not guard it.
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(LOCK_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    // Negative means KiB, not pages.
    connection.pragma_update(None, "cache_size", cache_kib.saturating_neg())?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}
