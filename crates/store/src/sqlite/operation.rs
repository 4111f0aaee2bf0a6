//! The rows of operations, of the answers they were given and of the keys that claimed them.

use super::columns::{Columns, View};
use super::dictionary::{Interner, Word};
use super::fault::Fault;
use super::number;
use super::pack::{Packer, Unpacker};
use super::payment;
use crate::{Answer, Claim, Claimed};
use bytes::Bytes;
use rusqlite::{Connection, params};
use switchyard_core::{Failure, FailureCode, Operation, OperationId, PaymentId};

/// As `SELECT` needs it for [`from_row`]; `request` and `answer` follow where a claim is read.
pub(super) const COLUMNS: &str = "id, payment, kind, state, amount, last, reason, target, provider_reference, failure, \
    created_at, updated_at, send_by, next_look_up_at, look_ups, events, version";

const SELECT: &str = "SELECT id, payment, kind, state, amount, last, reason, target, provider_reference, failure, \
    created_at, updated_at, send_by, next_look_up_at, look_ups, events, version, request, answer, form \
    FROM operations WHERE id = ?1";

const INSERT: &str = "INSERT INTO operations (id, payment, kind, state, amount, last, reason, target, \
    provider_reference, failure, created_at, updated_at, send_by, next_look_up_at, look_ups, events, version, \
    request, answer, form) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)";

/// Only what moves: all else was fixed when the intent was made.
const UPDATE: &str = "UPDATE operations SET state = ?2, provider_reference = ?3, failure = ?4, updated_at = ?5, \
    next_look_up_at = ?6, look_ups = ?7, events = ?8, version = ?9, answer = coalesce(answer, ?10) WHERE id = ?1";

const POSTPONE: &str = "UPDATE operations SET look_ups = ?2, next_look_up_at = ?3, version = ?4 WHERE id = ?1";

/// What no operation may be, whether it is about to be written or was just read.
pub(super) fn check(operation: &Operation) -> Result<(), Fault> {
    if operation.amount >= 0 {
        return Ok(());
    }
    Err(Fault::Corrupt(format!("the amount of {} cannot be {}", operation.id, operation.amount)))
}

/// Writes a new operation; `answer` is the number of the answer it was given already.
pub(super) fn insert(
    connection: &Connection,
    words: &mut Interner,
    operation: &Operation,
    claim: Option<&Claim>,
    answer: Option<i64>,
) -> rusqlite::Result<()> {
    let target = operation.target.clone().map(|target| words.cell(connection, Word::Target(target))).transpose()?;
    connection.prepare_cached(INSERT)?.execute(params![
        operation.id.uuid().as_bytes(),
        operation.payment.uuid().as_bytes(),
        number::of_kind(operation.kind),
        number::of_state(operation.state),
        operation.amount,
        operation.last,
        operation.reason,
        target,
        operation.provider_reference,
        operation.failure.as_ref().map(pack_failure),
        operation.created_at.0,
        operation.updated_at.0,
        operation.send_by.0,
        operation.next_look_up_at.map(|at| at.0),
        operation.look_ups,
        operation.events,
        operation.version.saturating_add(1),
        claim.map(|claim| claim.request),
        answer,
        claim.map(|claim| claim.form),
    ])?;
    Ok(())
}

/// Writes what moved of an operation that stands; `answer` is the number of the answer it was given now, if any.
pub(super) fn update(connection: &Connection, operation: &Operation, answer: Option<i64>) -> rusqlite::Result<()> {
    connection.prepare_cached(UPDATE)?.execute(params![
        operation.id.uuid().as_bytes(),
        number::of_state(operation.state),
        operation.provider_reference,
        operation.failure.as_ref().map(pack_failure),
        operation.updated_at.0,
        operation.next_look_up_at.map(|at| at.0),
        operation.look_ups,
        operation.events,
        operation.version.saturating_add(1),
        answer,
    ])?;
    Ok(())
}

/// Writes when to look up next.
pub(super) fn postpone(connection: &Connection, command: &crate::Postpone) -> rusqlite::Result<()> {
    connection.prepare_cached(POSTPONE)?.execute(params![
        command.operation.uuid().as_bytes(),
        command.look_ups,
        command.next_look_up_at.map(|at| at.0),
        command.version.saturating_add(1),
    ])?;
    Ok(())
}

/// What a write has to know of the operation that stands, and of its payment.
pub(super) struct Standing {
    pub(super) version: u32,
    pub(super) payment: PaymentId,
    pub(super) payment_version: u32,
    /// Whether an answer is kept.
    pub(super) answered: bool,
}

pub(super) fn standing(view: View<'_>, id: OperationId) -> Result<Option<Standing>, Fault> {
    let sql = "SELECT payment, version, (SELECT p.version FROM payments p WHERE p.id = o.payment), answer IS NOT NULL \
               FROM operations o WHERE id = ?1";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query([id.uuid().as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut columns = Columns::new(row, view);
    Ok(Some(Standing {
        payment: PaymentId::from_uuid(columns.id()?),
        version: columns.small()?,
        payment_version: columns.small()?,
        answered: columns.flag()?,
    }))
}

/// The operation as it stands.
pub(super) fn read(view: View<'_>, id: OperationId) -> Result<Option<Operation>, Fault> {
    let mut statement = view.connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([id.uuid().as_bytes()])?;
    match rows.next()? {
        Some(row) => from_row(&mut Columns::new(row, view)).map(Some),
        None => Ok(None),
    }
}

/// Reads [`COLUMNS`].
pub(super) fn from_row(c: &mut Columns<'_>) -> Result<Operation, Fault> {
    let operation = Operation {
        id: OperationId::from_uuid(c.id()?),
        payment: PaymentId::from_uuid(c.id()?),
        kind: c.number(number::kind)?,
        state: c.number(number::state)?,
        amount: c.amount()?,
        last: c.flag()?,
        reason: c.optional_string()?,
        target: c.optional_target()?,
        provider_reference: c.optional_string()?,
        failure: c.packed(unpack_failure)?,
        created_at: c.timestamp()?,
        updated_at: c.timestamp()?,
        send_by: c.timestamp()?,
        next_look_up_at: c.optional_timestamp()?,
        look_ups: c.small()?,
        events: c.small()?,
        version: c.small()?,
    };
    check(&operation)?;
    Ok(operation)
}

/// Claims a key.
pub(super) fn insert_claim(connection: &Connection, claim: &Claim, operation: OperationId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO claims (key, operation) VALUES (?1, ?2)")?
        .execute(params![claim.key, operation.uuid().as_bytes()])?;
    Ok(())
}

/// What a key was used for.
pub(super) fn claimed(view: View<'_>, key: [u8; 16]) -> Result<Option<Claimed>, Fault> {
    let Some(id) = claimed_by(view, key)? else { return Ok(None) };
    let mut statement = view.connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([id.uuid().as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Err(Fault::Corrupt(format!("a key was used for {id}, which is missing")));
    };
    let mut columns = Columns::new(row, view);
    let operation = from_row(&mut columns)?;
    let request = columns.bytes()?;
    let answer = columns.optional_integer()?.map(|number| read_answer(view, number)).transpose()?;
    let form = columns.small()?;
    let payment = payment::read(view, operation.payment)?
        .ok_or_else(|| Fault::Corrupt(format!("{id} belongs to {}, which is missing", operation.payment)))?;
    Ok(Some(Claimed { request, form, operation, payment, answer }))
}

fn claimed_by(view: View<'_>, key: [u8; 16]) -> Result<Option<OperationId>, Fault> {
    let mut statement = view.connection.prepare_cached("SELECT operation FROM claims WHERE key = ?1")?;
    let mut rows = statement.query([key])?;
    match rows.next()? {
        Some(row) => Columns::new(row, view).id().map(OperationId::from_uuid).map(Some),
        None => Ok(None),
    }
}

/// Keeps an answer and returns its number.
pub(super) fn insert_answer(connection: &Connection, answer: &Answer) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO answers (status, body) VALUES (?1, ?2)")?
        .execute(params![answer.status, &answer.body[..]])?;
    Ok(connection.last_insert_rowid())
}

fn read_answer(view: View<'_>, number: i64) -> Result<Answer, Fault> {
    let mut statement = view.connection.prepare_cached("SELECT number, status, body FROM answers WHERE number = ?1")?;
    let mut rows = statement.query([number])?;
    let row = rows.next()?.ok_or_else(|| Fault::Corrupt(format!("answer {number} is missing")))?;
    let mut columns = Columns::new(row, view);
    columns.integer()?;
    Ok(Answer { status: columns.small()?, body: Bytes::copy_from_slice(columns.blob()?) })
}

pub(super) fn pack_failure(failure: &Failure) -> Vec<u8> {
    let mut packer = Packer::new();
    packer.text(failure.code.name());
    packer.byte(u8::try_from(number::of_origin(failure.origin)).unwrap_or(u8::MAX));
    packer.optional_number(failure.retry_after_seconds);
    packer.optional_text(failure.provider_code.as_deref());
    packer.optional_text(failure.provider_message.as_deref());
    packer.optional_text(failure.network_code.as_deref());
    packer.optional_text(failure.advice_code.as_deref());
    packer.finish()
}

pub(super) fn unpack_failure(unpacker: &mut Unpacker<'_>) -> Option<Failure> {
    Some(Failure {
        code: FailureCode::from_name(unpacker.text()?)?,
        origin: number::origin(unpacker.byte()?.into())?,
        retry_after_seconds: unpacker.optional_number()?,
        provider_code: unpacker.optional_text()?,
        provider_message: unpacker.optional_text()?,
        network_code: unpacker.optional_text()?,
        advice_code: unpacker.optional_text()?,
    })
}
