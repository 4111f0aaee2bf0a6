//! Idempotency keys that have served their time.

use super::columns::View;
use super::fault::Fault;
use super::number;
use crate::StaleClaims;
use rusqlite::{Connection, params};
use switchyard_core::Timestamp;
use switchyard_core::status::OperationState;

/// Looks at `limit` claims after `after`, in the order of their keys.
pub(super) fn stale(view: View<'_>, after: [u8; 16], before: Timestamp, limit: u32) -> Result<StaleClaims, Fault> {
    let sql = "SELECT c.key, p.open = 0 AND o.state >= ?3 AND p.updated_at < ?4 \
               FROM claims c LEFT JOIN operations o ON o.id = c.operation LEFT JOIN payments p ON p.id = o.payment \
               WHERE c.key > ?1 ORDER BY c.key LIMIT ?2";
    let mut statement = view.connection.prepare_cached(sql)?;
    let ended = number::of_state(OperationState::Succeeded);
    let mut rows = statement.query(params![after, limit, ended, before.0])?;
    let mut found = StaleClaims { keys: Vec::new(), next: None };
    let mut seen = 0_u32;
    while let Some(row) = rows.next()? {
        let key: [u8; 16] = row.get(0)?;
        if row.get::<_, Option<bool>>(1)?.unwrap_or(false) {
            found.keys.push(key);
        }
        seen = seen.saturating_add(1);
        found.next = (seen >= limit).then_some(key);
    }
    Ok(found)
}

/// Frees the keys, and the answers kept for them.
pub(super) fn forget(connection: &Connection, keys: &[[u8; 16]]) -> rusqlite::Result<()> {
    let mut answer = connection.prepare_cached(
        "DELETE FROM answers WHERE number = \
         (SELECT o.answer FROM claims c JOIN operations o ON o.id = c.operation WHERE c.key = ?1)",
    )?;
    let mut operation = connection.prepare_cached(
        "UPDATE operations SET answer = NULL WHERE answer IS NOT NULL AND id = (SELECT operation FROM claims WHERE key = ?1)",
    )?;
    let mut claim = connection.prepare_cached("DELETE FROM claims WHERE key = ?1")?;
    for key in keys {
        answer.execute([key])?;
        operation.execute([key])?;
        claim.execute([key])?;
    }
    Ok(())
}
