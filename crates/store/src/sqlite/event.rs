//! The rows of the events feed.

use super::columns::{Columns, View};
use super::dictionary::{Cell, Interner, Word};
use super::fault::Fault;
use super::{number, operation, payment, state, webhook};
use crate::Recorded;
use crate::feed::{Event, Object, Subject};
use crate::webhooks::Endpoint;
use rusqlite::{Connection, params};
use switchyard_core::settle::Happened;
use switchyard_core::{EndpointId, Operation, OperationId, Payment, PaymentId};

/// More events than any payment has: 1,000 operations with a handful each.
pub(super) const CHAIN_MAX: usize = 10_000;

/// Appends events of a payment and one of its operations as both are about to be written. Returns the position of the last
/// one, which goes into the payment's row.
pub(super) fn insert(
    connection: &Connection,
    words: &mut Interner,
    (payment, operation): (&Payment, &Operation),
    events: &[Happened],
) -> rusqlite::Result<Option<i64>> {
    if events.is_empty() {
        return Ok(None);
    }
    let merchant: Cell = words.cell(connection, Word::Merchant(payment.merchant.clone()))?;
    let mut previous = if payment.version == 0 { None } else { payment::last_event(connection, payment.id)? };
    let sql = "INSERT INTO events (kind, payment, operation, sequence, at, merchant, mode, previous, state) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
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
            previous,
            state::pack(payment, event.operation.map(|_| operation), event.at),
        ])?;
        previous = Some(connection.last_insert_rowid());
    }
    Ok(previous)
}

/// An event's row.
pub(super) struct Row {
    pub(super) recorded: Recorded,
    pub(super) previous: Option<i64>,
    state: Vec<u8>,
}

/// Reads a row as every `SELECT` here asks for it.
pub(super) fn row(row: &rusqlite::Row<'_>, view: View<'_>) -> Result<Row, Fault> {
    let c = &mut Columns::new(row, view);
    let position = c.integer()?;
    let kind = c.number(number::event)?;
    let (payment, other) = (c.optional_id()?, c.optional_id()?);
    let (sequence, at) = (c.small()?, c.timestamp()?);
    let (merchant, mode) = (c.merchant()?, c.mode()?);
    let subject = match (payment.map(PaymentId::from_uuid), other) {
        (Some(payment), None) => Subject::Payment(payment),
        (Some(payment), Some(operation)) => Subject::Operation(payment, OperationId::from_uuid(operation)),
        (None, Some(endpoint)) => Subject::Endpoint(EndpointId::from_uuid(endpoint)),
        (None, None) => return Err(Fault::Corrupt(format!("row {position}: payment: missing"))),
    };
    let recorded = Recorded { position, merchant, mode, kind, subject, sequence, at };
    Ok(Row { recorded, previous: c.optional_integer()?, state: c.blob()?.to_vec() })
}

/// Events after a place in the feed, oldest first.
pub(super) fn after(view: View<'_>, position: i64, limit: u32) -> Result<Vec<Recorded>, Fault> {
    let sql = "SELECT position, kind, payment, operation, sequence, at, merchant, mode, previous, state FROM events \
               WHERE position > ?1 ORDER BY position LIMIT ?2";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![position, limit])?;
    let mut events = Vec::new();
    while let Some(read) = rows.next()? {
        events.push(row(read, view)?.recorded);
    }
    Ok(events)
}

/// The row at a position.
pub(super) fn at(view: View<'_>, position: i64) -> Result<Option<Row>, Fault> {
    let sql = "SELECT position, kind, payment, operation, sequence, at, merchant, mode, previous, state FROM events \
               WHERE position = ?1";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query([position])?;
    match rows.next()? {
        Some(read) => row(read, view).map(Some),
        None => Ok(None),
    }
}

/// All events of a payment and its operations, newest first.
pub(super) fn of_payment(view: View<'_>, id: PaymentId) -> Result<Vec<Row>, Fault> {
    let mut next = payment::last_event(view.connection, id)?;
    let mut rows = Vec::new();
    while let Some(position) = next
        && rows.len() < CHAIN_MAX
    {
        let row = at(view, position)?.ok_or_else(|| missing(position))?;
        next = row.previous;
        rows.push(row);
    }
    Ok(rows)
}

/// The event with its object as it stood right after it, and as the object's event of an earlier write had left it.
pub(super) fn whole(view: View<'_>, row: Row) -> Result<Event, Fault> {
    let object = object(view, &row)?;
    if let Object::Endpoint(endpoint) = &object {
        let before = Endpoint { enabled: true, disabled_reason: None, ..(**endpoint).clone() };
        return Ok(Event { recorded: row.recorded, before: Some(Object::Endpoint(Box::new(before))), object });
    }
    let before = match earlier(view, &row)? {
        Some(earlier) => Some(self::object(view, &earlier)?),
        None => None,
    };
    Ok(Event { recorded: row.recorded, object, before })
}

/// Events of one write share a state, so that among themselves nothing has changed.
fn earlier(view: View<'_>, row: &Row) -> Result<Option<Row>, Fault> {
    let version = state::version(&row.state);
    let mut next = row.previous;
    for _ in 0..CHAIN_MAX {
        let Some(position) = next else { return Ok(None) };
        let earlier = at(view, position)?.ok_or_else(|| missing(position))?;
        if earlier.recorded.subject == row.recorded.subject && state::version(&earlier.state) != version {
            return Ok(Some(earlier));
        }
        next = earlier.previous;
    }
    Ok(None)
}

fn object(view: View<'_>, row: &Row) -> Result<Object, Fault> {
    let at = row.recorded.at;
    let position = row.recorded.position;
    let nonsense = || Fault::Corrupt(format!("row {position}: state: does not unpack"));
    let gone = |id: &dyn std::fmt::Display| Fault::Corrupt(format!("event {position} tells of {id}, which is missing"));
    let standing = |id: PaymentId| payment::read(view, id)?.ok_or_else(|| gone(&id));
    match row.recorded.subject {
        Subject::Payment(id) => {
            let mut payment = standing(id)?;
            state::unpack(&row.state, &mut payment, None, at).ok_or_else(nonsense)?;
            Ok(Object::Payment(Box::new(payment)))
        }
        Subject::Operation(payment, id) => {
            let mut payment = standing(payment)?;
            let mut operation = operation::read(view, id)?.ok_or_else(|| gone(&id))?;
            state::unpack(&row.state, &mut payment, Some(&mut operation), at).ok_or_else(nonsense)?;
            Ok(Object::Operation(Box::new((operation, payment))))
        }
        Subject::Endpoint(id) => {
            let endpoint = webhook::unpack_endpoint(&row.state, &row.recorded, id).ok_or_else(nonsense)?;
            Ok(Object::Endpoint(Box::new(endpoint)))
        }
    }
}

fn missing(position: i64) -> Fault {
    Fault::Corrupt(format!("event {position} is referred to and missing"))
}
