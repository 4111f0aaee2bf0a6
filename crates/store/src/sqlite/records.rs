//! Rule sets as they were put in force, and payments in the order in which they were made: what it takes to evaluate
//! decisions again.

use super::columns::{Columns, View};
use super::fault::Fault;
use super::list::{CLOCK_STEP_MAX, first_id};
use super::payment;
use crate::{KeptRules, Period, Slice};
use rusqlite::{Connection, params};
use switchyard_core::{PaymentId, Timestamp};
use uuid::Uuid;

/// Writes a rule set that is not there yet.
pub(super) fn keep(connection: &Connection, rules: &KeptRules) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO rules (hash, kept_at, vocabulary, source) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (hash) DO NOTHING";
    let values = params![rules.hash, rules.kept_at.0, rules.vocabulary, rules.source];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// The rule set of that hash.
pub(super) fn kept(view: View<'_>, hash: &str) -> Result<Option<KeptRules>, Fault> {
    let sql = "SELECT hash, source, vocabulary, kept_at FROM rules WHERE hash = ?1";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query([hash])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let c = &mut Columns::new(row, view);
    Ok(Some(KeptRules {
        hash: c.text()?.to_owned(),
        source: c.text()?.to_owned(),
        vocabulary: c.text()?.to_owned(),
        kept_at: c.timestamp()?,
    }))
}

/// The payments of the period behind `after`, out of `limit` rows.
pub(super) fn slice(view: View<'_>, period: Period, after: Option<PaymentId>, limit: u32) -> Result<Slice, Fault> {
    let lower = period.from.map_or(Uuid::nil(), |from| first_id(from.0.saturating_sub(CLOCK_STEP_MAX)));
    let upper = period.to.map_or(Uuid::max(), |to| first_id(to.0.saturating_add(CLOCK_STEP_MAX)));
    // No id is the smallest of all.
    let after = after.map_or(Uuid::nil(), PaymentId::uuid);
    let sql = "SELECT id, created_at FROM payments WHERE id > ?1 AND id >= ?2 AND id < ?3 ORDER BY id LIMIT ?4";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![after.as_bytes(), lower.as_bytes(), upper.as_bytes(), limit])?;
    let within = |at: Timestamp| period.from.is_none_or(|from| at >= from) && period.to.is_none_or(|to| at < to);
    let mut slice = Slice { payments: Vec::new(), next: None };
    let mut looked_at = 0_u32;
    while let Some(row) = rows.next()? {
        let c = &mut Columns::new(row, view);
        let (id, created_at) = (PaymentId::from_uuid(c.id()?), c.timestamp()?);
        looked_at = looked_at.saturating_add(1);
        slice.next = (looked_at >= limit).then_some(id);
        if within(created_at) {
            slice.payments.extend(payment::read(view, id)?);
        }
    }
    Ok(slice)
}
