//! The rows of the events feed.

use super::columns::{Columns, View};
use super::dictionary::{Cell, Interner, Word};
use super::fault::Fault;
use super::number;
use crate::Recorded;
use rusqlite::{Connection, params};
use switchyard_core::settle::Happened;
use switchyard_core::{OperationId, Payment, PaymentId};

/// Appends events of a payment.
pub(super) fn insert(
    connection: &Connection,
    words: &mut Interner,
    payment: &Payment,
    events: &[Happened],
) -> rusqlite::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let merchant: Cell = words.cell(connection, Word::Merchant(payment.merchant.clone()))?;
    let sql = "INSERT INTO events (kind, payment, operation, sequence, at, merchant, mode) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut statement = connection.prepare_cached(sql)?;
    for event in events {
        statement.execute(params![
            number::of_event(event.kind),
            event.payment.uuid().as_bytes(),
            event.operation.as_ref().map(|operation| operation.uuid().into_bytes()),
            event.sequence,
            event.at.0,
            merchant,
            number::of_mode(payment.mode),
        ])?;
    }
    Ok(())
}

/// Events after a place in the feed, oldest first.
pub(super) fn after(view: View<'_>, position: i64, limit: u32) -> Result<Vec<Recorded>, Fault> {
    let sql = "SELECT position, kind, payment, operation, sequence, at, merchant, mode FROM events \
               WHERE position > ?1 ORDER BY position LIMIT ?2";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![position, limit])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let c = &mut Columns::new(row, view);
        let position = c.integer()?;
        let happened = Happened {
            kind: c.number(number::event)?,
            payment: PaymentId::from_uuid(c.id()?),
            operation: c.optional_id()?.map(OperationId::from_uuid),
            sequence: c.small()?,
            at: c.timestamp()?,
        };
        events.push(Recorded { position, merchant: c.merchant()?, mode: c.mode()?, happened });
    }
    Ok(events)
}
