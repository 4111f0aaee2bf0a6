//! The ledger as its readers see it: page by page, in the order of booking.

use rusqlite::{Result, Row};
use serde::Serialize;

use super::Books;
use crate::account::Mode;
use crate::clock::Millis;
use crate::id::{Names, Object};
use crate::request::ChargeRequest;

/// Everything the ledger knows of one charge, capture, void or refund.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) number: i64,
    object: String,
    id: String,
    charge_id: Option<String>,
    account: String,
    mode: Mode,
    idempotency_key: String,
    reference: String,
    asked: i64,
    status: String,
    failure: Option<String>,
    currency: String,
    amount: i64,
    amount_authorized: Option<i64>,
    amount_captured: Option<i64>,
    amount_refunded: Option<i64>,
    amount_released: Option<i64>,
    method: Option<String>,
    token: Option<String>,
    created_at: Millis,
}

/// A request that was understood and not booked.
#[derive(Debug, Serialize)]
pub(crate) struct Unbooked {
    pub(crate) number: i64,
    object: String,
    account: String,
    mode: Mode,
    idempotency_key: String,
    reason: String,
    asked: i64,
    created_at: Millis,
}

/// Sums over all objects of one kind, status and currency in one account's books.
#[derive(Debug, Serialize)]
pub(crate) struct Total {
    account: String,
    mode: Mode,
    object: String,
    currency: String,
    status: String,
    count: i64,
    asked: i64,
    amount: i64,
    amount_authorized: Option<i64>,
    amount_captured: Option<i64>,
    amount_refunded: Option<i64>,
    amount_released: Option<i64>,
}

impl Books {
    pub(crate) fn lines(&self, names: &Names, after: i64, limit: u32) -> Result<Vec<Line>> {
        self.connection
            .prepare_cached(
                "SELECT entries.*, books.account, books.mode FROM entries JOIN books ON books.number = entries.book
                 WHERE entries.number > ?1 ORDER BY entries.number LIMIT ?2",
            )?
            .query_map((after, limit), |row| line(names, row))?
            .collect()
    }

    pub(crate) fn unbooked(&self, after: i64, limit: u32) -> Result<Vec<Unbooked>> {
        self.connection
            .prepare_cached(
                "SELECT unbooked.*, books.account, books.mode FROM unbooked JOIN books ON books.number = unbooked.book
                 WHERE unbooked.number > ?1 ORDER BY unbooked.number LIMIT ?2",
            )?
            .query_map((after, limit), unbooked)?
            .collect()
    }

    pub(crate) fn totals(&self) -> Result<Vec<Total>> {
        self.connection
            .prepare_cached(
                "SELECT books.account, books.mode, object, currency, status, COUNT(*) AS count, SUM(asked) AS asked,
                 SUM(amount) AS amount, SUM(authorized) AS authorized, SUM(captured) AS captured,
                 SUM(refunded) AS refunded, SUM(released) AS released
                 FROM entries JOIN books ON books.number = entries.book
                 GROUP BY entries.book, object, currency, status ORDER BY books.account, books.mode, object, currency, status",
            )?
            .query_map([], total)?
            .collect()
    }
}

fn line(names: &Names, row: &Row<'_>) -> Result<Line> {
    let number = row.get("number")?;
    let object: String = row.get("object")?;
    let key: String = row.get("key")?;
    let request = row.get_ref("request")?.as_str()?;
    let request: Option<ChargeRequest> = is_charge(&object).then(|| serde_json::from_str(request).ok()).flatten();
    let (method, token) = request.map_or((None, None), |request| (Some(request.method), request.token));
    Ok(Line {
        number,
        id: Object::parse(&object).map(|object| names.id(object, number)).unwrap_or_default(),
        charge_id: row.get::<_, Option<i64>>("charge")?.map(|charge| names.id(Object::Charge, charge)),
        account: row.get("account")?,
        mode: row.get("mode")?,
        reference: row.get::<_, Option<String>>("reference")?.unwrap_or_else(|| key.clone()),
        idempotency_key: key,
        asked: row.get("asked")?,
        status: row.get("status")?,
        failure: failure(row)?,
        currency: row.get("currency")?,
        amount: row.get("amount")?,
        amount_authorized: of_charge(&object, row, "authorized")?,
        amount_captured: of_charge(&object, row, "captured")?,
        amount_refunded: of_charge(&object, row, "refunded")?,
        amount_released: of_charge(&object, row, "released")?,
        method,
        token,
        created_at: Millis(row.get("created_at")?),
        object,
    })
}

fn unbooked(row: &Row<'_>) -> Result<Unbooked> {
    Ok(Unbooked {
        number: row.get("number")?,
        object: row.get("object")?,
        account: row.get("account")?,
        mode: row.get("mode")?,
        idempotency_key: row.get("key")?,
        reason: row.get("reason")?,
        asked: row.get("asked")?,
        created_at: Millis(row.get("created_at")?),
    })
}

fn total(row: &Row<'_>) -> Result<Total> {
    let object: String = row.get("object")?;
    Ok(Total {
        account: row.get("account")?,
        mode: row.get("mode")?,
        currency: row.get("currency")?,
        status: row.get("status")?,
        count: row.get("count")?,
        asked: row.get("asked")?,
        amount: row.get("amount")?,
        amount_authorized: of_charge(&object, row, "authorized")?,
        amount_captured: of_charge(&object, row, "captured")?,
        amount_refunded: of_charge(&object, row, "refunded")?,
        amount_released: of_charge(&object, row, "released")?,
        object,
    })
}

/// What is going to fail has not failed yet.
fn failure(row: &Row<'_>) -> Result<Option<String>> {
    if row.get_ref("status")?.as_str()? == "pending" { Ok(None) } else { row.get("failure") }
}

fn of_charge(object: &str, row: &Row<'_>, column: &str) -> Result<Option<i64>> {
    if is_charge(object) { row.get(column).map(Some) } else { Ok(None) }
}

fn is_charge(object: &str) -> bool {
    object == Object::Charge.as_str()
}
