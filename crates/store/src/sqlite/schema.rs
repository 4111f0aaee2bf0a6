//! The tables, and how an older ledger becomes a newer one.
//!
//! Layout follows cost: everything is appended in time order (ids are UUIDs of version 7), except for one small tree with
//! random keys, `claims`. What repeats from payment to payment stands once, in `dictionary`. Indexes are partial: they
//! hold what is open and nothing of the past.

use super::OpenError;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::cmp::Ordering;
use std::path::Path;

/// Marks the file as ours, in its header: "Swyd".
const APPLICATION_ID: i32 = 0x5377_7964;

/// Each step makes the next version out of the one before. Never change a step that was released.
const STEPS: &[&str] = &[include_str!("schema_1.sql")];

/// The newest version this program knows.
fn known() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Brings the ledger to the newest version. A newer one, or a file of another program, is refused untouched.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let found = version(connection, path)?;
    if found > known() {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: known() });
    }
    for (step, next) in STEPS.iter().zip(1_i64..).skip(usize::try_from(found).unwrap_or_default()) {
        let transaction = connection.transaction().map_err(OpenError::sql(path))?;
        let run = || -> rusqlite::Result<()> {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            let sql = "INSERT INTO meta (name, value) VALUES ('schema', ?1) \
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            transaction.execute(sql, params![next])?;
            Ok(())
        };
        run().map_err(OpenError::sql(path))?;
        transaction.commit().map_err(OpenError::sql(path))?;
    }
    Ok(())
}

/// Refuses a ledger of another version than the newest one known.
pub(super) fn require(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let found = version(connection, path)?;
    match found.cmp(&known()) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(OpenError::Newer { path: path.to_owned(), found, known: known() }),
        Ordering::Less => {
            let reason = format!("it has schema version {found}; the next start of `serve` brings it to {}", known());
            Err(OpenError::Failed { path: path.to_owned(), reason })
        }
    }
}

/// 0 for a file without tables.
fn version(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let sql = OpenError::sql(path);
    let read = || -> rusqlite::Result<(bool, i32)> {
        let empty = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
        let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        Ok((empty, application))
    };
    let (empty, application) = read().map_err(&sql)?;
    if empty {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    let version = connection
        .query_row("SELECT value FROM meta WHERE name = 'schema'", [], |row| row.get(0))
        .optional()
        .map_err(&sql)?;
    version.ok_or_else(|| OpenError::Foreign { path: path.to_owned() })
}
