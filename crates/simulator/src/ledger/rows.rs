//! Rows of the table `entries`, written from and read as charges and operations.

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension as _, Result, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::account::Mode;
use crate::charge::{Charge, Sums};
use crate::clock::Millis;
use crate::decline::{Decline, GENERIC};
use crate::id::Object;
use crate::operation::{Held, Operation};

/// An idempotent insert: a key that is taken changes nothing. Parameters are bound by position, which is faster than by name.
const INSERT: &str = "INSERT INTO entries (object, book, key, reference, charge, status, failure, currency, amount,
    authorized, captured, capturing, refunded, refunding, released, created_at, due_at, request)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
    ON CONFLICT (book, key) DO NOTHING";

const UPDATE_CHARGE: &str = "UPDATE entries SET status = ?2, failure = ?3, authorized = ?4,
    captured = ?5, capturing = ?6, refunded = ?7, refunding = ?8, released = ?9, due_at = ?10 WHERE number = ?1";

const UPDATE_OPERATION: &str = "UPDATE entries SET status = ?2, failure = ?3, due_at = ?4 WHERE number = ?1";

const BY_NUMBER: &str = "SELECT entries.*, books.mode FROM entries JOIN books ON books.number = entries.book
    WHERE entries.number = ?1";

const OF_CHARGE: &str = "SELECT entries.*, books.mode FROM entries JOIN books ON books.number = entries.book
    WHERE charge = ?1 ORDER BY entries.number";

/// What a row turns out to be.
#[derive(Debug)]
pub(crate) enum Entry {
    Charge(Box<Charge>),
    Operation(Box<Operation>),
}

/// The new row's number; `None` if the key is taken.
pub(super) fn insert_charge(connection: &Connection, charge: &Charge) -> Result<Option<i64>> {
    let sums = charge.sums;
    let changed = connection.prepare_cached(INSERT)?.execute(params![
        Object::Charge.as_str(),
        charge.book,
        charge.key,
        own_reference(charge.reference(), &charge.key),
        None::<i64>,
        charge.status,
        charge.failure.map(|decline| decline.code),
        charge.request.currency,
        charge.request.amount,
        sums.authorized,
        sums.captured,
        sums.capturing,
        sums.refunded,
        sums.refunding,
        sums.released,
        charge.created_at.0,
        charge.due_at.map(|due| due.0),
        normal_form(&charge.request)?,
    ])?;
    Ok((changed == 1).then(|| connection.last_insert_rowid()))
}

pub(super) fn insert_operation(connection: &Connection, operation: &Operation) -> Result<Option<i64>> {
    let changed = connection.prepare_cached(INSERT)?.execute(params![
        operation.kind,
        operation.book,
        operation.key,
        own_reference(operation.reference(), &operation.key),
        operation.charge,
        operation.status,
        operation.failure.map(|decline| decline.code),
        operation.currency,
        operation.held.amount,
        0,
        0,
        0,
        0,
        0,
        operation.held.released,
        operation.created_at.0,
        operation.due_at.map(|due| due.0),
        normal_form(&operation.request)?,
    ])?;
    Ok((changed == 1).then(|| connection.last_insert_rowid()))
}

pub(super) fn update_charge(connection: &Connection, charge: &Charge) -> Result<()> {
    let sums = charge.sums;
    connection.prepare_cached(UPDATE_CHARGE)?.execute(params![
        charge.number,
        charge.status,
        charge.failure.map(|decline| decline.code),
        sums.authorized,
        sums.captured,
        sums.capturing,
        sums.refunded,
        sums.refunding,
        sums.released,
        charge.due_at.map(|due| due.0),
    ])?;
    Ok(())
}

pub(super) fn update_operation(connection: &Connection, operation: &Operation) -> Result<()> {
    connection.prepare_cached(UPDATE_OPERATION)?.execute(params![
        operation.number,
        operation.status,
        operation.failure.map(|decline| decline.code),
        operation.due_at.map(|due| due.0),
    ])?;
    Ok(())
}

/// Counts one more request under a key, and answers what is booked under it.
pub(super) fn ask_again(connection: &Connection, book: i64, key: &str) -> Result<Option<Entry>> {
    connection
        .prepare_cached("UPDATE entries SET asked = asked + 1 WHERE book = ?1 AND key = ?2 RETURNING number")?
        .query_row((book, key), |row| row.get(0))
        .optional()?
        .map_or(Ok(None), |number| by_number(connection, number))
}

pub(super) fn by_number(connection: &Connection, number: i64) -> Result<Option<Entry>> {
    let mut statement = connection.prepare_cached(BY_NUMBER)?;
    statement.query_row([number], entry).optional()
}

/// The captures, voids and refunds of a charge, oldest first.
pub(super) fn operations_of(connection: &Connection, charge: i64) -> Result<Vec<Operation>> {
    let mut statement = connection.prepare_cached(OF_CHARGE)?;
    statement.query_map([charge], operation)?.collect()
}

/// The numbers of such objects with this reference, oldest first.
pub(super) fn by_reference(
    connection: &Connection,
    book: i64,
    object: Object,
    reference: &str,
    limit: u32,
) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT number FROM entries WHERE book = ?1 AND key = ?2 AND reference IS NULL AND object = ?3
         UNION ALL SELECT number FROM entries WHERE book = ?1 AND reference = ?2 AND object = ?3
         ORDER BY number LIMIT ?4",
    )?;
    statement.query_map((book, reference, object.as_str(), limit), |row| row.get(0))?.collect()
}

/// The form in which requests are compared.
pub(super) fn normal_form<T: Serialize>(request: &T) -> Result<String> {
    serde_json::to_string(request).map_err(|error| Error::ToSqlConversionFailure(error.into()))
}

/// `None` where the reference is the key, which has its index already.
fn own_reference<'a>(reference: &'a str, key: &str) -> Option<&'a str> {
    (reference != key).then_some(reference)
}

fn entry(row: &Row<'_>) -> Result<Entry> {
    if row.get_ref("object")?.as_str()? == Object::Charge.as_str() {
        Ok(Entry::Charge(Box::new(charge(row)?)))
    } else {
        Ok(Entry::Operation(Box::new(operation(row)?)))
    }
}

fn charge(row: &Row<'_>) -> Result<Charge> {
    Ok(Charge {
        number: row.get("number")?,
        book: row.get("book")?,
        mode: row.get::<_, Mode>("mode")?,
        key: row.get("key")?,
        request: request(row)?,
        status: row.get("status")?,
        sums: Sums {
            authorized: row.get("authorized")?,
            captured: row.get("captured")?,
            capturing: row.get("capturing")?,
            refunded: row.get("refunded")?,
            refunding: row.get("refunding")?,
            released: row.get("released")?,
        },
        failure: failure(row)?,
        created_at: Millis(row.get("created_at")?),
        due_at: row.get::<_, Option<i64>>("due_at")?.map(Millis),
    })
}

fn operation(row: &Row<'_>) -> Result<Operation> {
    Ok(Operation {
        number: row.get("number")?,
        book: row.get("book")?,
        mode: row.get::<_, Mode>("mode")?,
        key: row.get("key")?,
        kind: row.get("object")?,
        charge: row.get("charge")?,
        currency: row.get("currency")?,
        request: request(row)?,
        status: row.get("status")?,
        held: Held { amount: row.get("amount")?, released: row.get("released")? },
        failure: failure(row)?,
        created_at: Millis(row.get("created_at")?),
        due_at: row.get::<_, Option<i64>>("due_at")?.map(Millis),
    })
}

fn request<T: DeserializeOwned>(row: &Row<'_>) -> Result<T> {
    let text = row.get_ref("request")?.as_str()?;
    serde_json::from_str(text).map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, error.into()))
}

/// A code that this version does not know any more reads as a plain decline.
fn failure(row: &Row<'_>) -> Result<Option<&'static Decline>> {
    let code: Option<String> = row.get("failure")?;
    Ok(code.map(|code| Decline::find(&code).unwrap_or(GENERIC)))
}
