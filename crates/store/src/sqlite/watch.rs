//! What is open: due look-ups, intents of a process that died, figures for metrics. All of it reads one partial index.

use super::columns::{Columns, View};
use super::fault::Fault;
use super::{number, operation};
use crate::Totals;
use rusqlite::{Params, params};
use switchyard_core::status::OperationState;
use switchyard_core::{Operation, Timestamp};

/// As the index has it, word for word, or SQLite does not see that it fits.
const OPEN: &str = "operations INDEXED BY operations_open WHERE (next_look_up_at IS NOT NULL OR state < 2)";

/// Operations whose next look-up is due, longest due first.
pub(super) fn due(view: View<'_>, now: Timestamp, limit: u32) -> Result<Vec<Operation>, Fault> {
    let columns = operation::COLUMNS;
    let sql = format!("SELECT {columns} FROM {OPEN} AND next_look_up_at <= ?1 ORDER BY next_look_up_at LIMIT ?2");
    read(view, &sql, params![now.0, limit])
}

/// Operations merely intended, oldest first.
pub(super) fn intended(view: View<'_>, before: Timestamp, limit: u32) -> Result<Vec<Operation>, Fault> {
    let columns = operation::COLUMNS;
    let sql =
        format!("SELECT {columns} FROM {OPEN} AND state = ?1 AND created_at < ?2 ORDER BY created_at, id LIMIT ?3");
    read(view, &sql, params![number::of_state(OperationState::Intended), before.0, limit])
}

fn read(view: View<'_>, sql: &str, parameters: impl Params) -> Result<Vec<Operation>, Fault> {
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut operations = Vec::new();
    while let Some(row) = rows.next()? {
        operations.push(operation::from_row(&mut Columns::new(row, view))?);
    }
    Ok(operations)
}

/// Figures for metrics.
pub(super) fn totals(view: View<'_>) -> Result<Totals, Fault> {
    let sql = format!(
        "SELECT count(*) FILTER (WHERE state = ?1), count(next_look_up_at), min(created_at) FILTER (WHERE state = ?1) \
         FROM {OPEN}"
    );
    let mut statement = view.connection.prepare_cached(&sql)?;
    let mut rows = statement.query([number::of_state(OperationState::InDoubt)])?;
    let Some(row) = rows.next()? else { return Ok(Totals::default()) };
    let c = &mut Columns::new(row, view);
    Ok(Totals { in_doubt: c.small()?, watched: c.small()?, oldest_in_doubt: c.optional_integer()? })
}
