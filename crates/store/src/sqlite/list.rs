//! Lists: newest first by primary key, filtered by SQL, over a bounded number of rows a page.
//!
//! A scan asks SQLite for the ids and whether each row matches, so that it knows where it stands when it gives up.

use super::columns::{Columns, View};
use super::dictionary::Word;
use super::fault::Fault;
use super::{number, operation, payment};
use crate::{Page, PaymentFilter};
use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};
use switchyard_core::{MerchantName, Mode, Operation, OperationId, OperationKind, Payment, PaymentId, Timestamp};
use uuid::Uuid;

/// How far the time within an id and the time of its row may lie apart, in milliseconds: a wall clock may step, ids go on.
pub(super) const CLOCK_STEP_MAX: i64 = 24 * 60 * 60 * 1000;

/// One row of a scan.
struct Looked {
    id: Uuid,
    matches: bool,
}

/// The payments that match, at most `limit`, over at most `rows_max` rows.
pub(super) fn payments(
    view: View<'_>,
    filter: &PaymentFilter,
    before: Option<PaymentId>,
    limit: u32,
    rows_max: u32,
) -> Result<Page<Payment>, Fault> {
    let Some(conditions) = Conditions::of(view, filter) else { return Ok(Page { data: Vec::new(), next: None }) };
    let upper = filter.created_to.map(|to| first_id(to.0.saturating_add(CLOCK_STEP_MAX)));
    let upper = [upper, before.map(PaymentId::uuid)].into_iter().flatten().min().unwrap_or(Uuid::max());
    let lower = filter.created_from.map_or(Uuid::nil(), |from| first_id(from.0.saturating_sub(CLOCK_STEP_MAX)));

    let sql =
        format!("SELECT id, {} FROM payments WHERE id < ?1 AND id >= ?2 ORDER BY id DESC LIMIT ?3", conditions.sql);
    let bounds = [upper, lower].map(|id| Value::Blob(id.as_bytes().to_vec()));
    let values = bounds.into_iter().chain([Value::Integer(rows_max.into())]).chain(conditions.values);
    let mut statement = view.connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let step = || match rows.next()? {
        Some(row) => {
            let mut columns = Columns::new(row, view);
            Ok(Some(Looked { id: columns.id()?, matches: columns.optional_integer()? == Some(1) }))
        }
        None => Ok(None),
    };
    let (ids, next) = scan(step, limit, rows_max)?;
    let found = |id: Uuid| payment::read(view, PaymentId::from_uuid(id))?.ok_or_else(|| vanished(id));
    Ok(Page { data: ids.into_iter().map(found).collect::<Result<_, _>>()?, next })
}

/// Operations of the kinds, of one merchant and mode, with their payments.
pub(super) fn operations(
    view: View<'_>,
    of: (&MerchantName, Mode),
    kinds: &[OperationKind],
    before: Option<OperationId>,
    limit: u32,
    rows_max: u32,
) -> Result<Page<(Operation, Payment)>, Fault> {
    let Some(merchant) = view.dictionary.number(&Word::Merchant(of.0.clone())) else {
        return Ok(Page { data: Vec::new(), next: None });
    };
    let mode = number::of_mode(of.1);
    let upper = before.map_or(Uuid::max(), OperationId::uuid);
    let mut statement = view
        .connection
        .prepare_cached("SELECT id, kind, payment FROM operations WHERE id < ?1 ORDER BY id DESC LIMIT ?2")?;
    let mut rows = statement.query(params![upper.as_bytes(), rows_max])?;
    let step = || match rows.next()? {
        Some(row) => {
            let mut columns = Columns::new(row, view);
            let (id, kind, payment) = (columns.id()?, columns.number(number::kind)?, columns.id()?);
            let matches = kinds.contains(&kind) && belongs(view, payment, merchant, mode)?;
            Ok(Some(Looked { id, matches }))
        }
        None => Ok(None),
    };
    let (ids, next) = scan(step, limit, rows_max)?;
    let found = |id: Uuid| {
        let operation = operation::read(view, OperationId::from_uuid(id))?.ok_or_else(|| vanished(id))?;
        let payment = payment::read(view, operation.payment)?.ok_or_else(|| vanished(operation.payment.uuid()))?;
        Ok((operation, payment))
    };
    Ok(Page { data: ids.into_iter().map(found).collect::<Result<_, Fault>>()?, next })
}

/// Collects up to `limit` rows that match; then says where to go on, if there may be more.
fn scan(
    mut step: impl FnMut() -> Result<Option<Looked>, Fault>,
    limit: u32,
    rows_max: u32,
) -> Result<(Vec<Uuid>, Option<Uuid>), Fault> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut ids = Vec::new();
    let mut looked_at = 0_u32;
    let mut last = None;
    while let Some(row) = step()? {
        if row.matches {
            if ids.len() >= limit {
                return Ok((ids, last));
            }
            ids.push(row.id);
        }
        last = Some(row.id);
        looked_at = looked_at.saturating_add(1);
    }
    Ok((ids, last.filter(|_| looked_at >= rows_max)))
}

fn belongs(view: View<'_>, payment: Uuid, merchant: i64, mode: i64) -> Result<bool, Fault> {
    let sql = "SELECT merchant = ?2 AND mode = ?3 FROM payments WHERE id = ?1";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![payment.as_bytes(), merchant, mode])?;
    match rows.next()? {
        Some(row) => Ok(row.get(0)?),
        None => Err(vanished(payment)),
    }
}

fn vanished(id: Uuid) -> Fault {
    Fault::Corrupt(format!("row {} is referred to and missing", id.simple()))
}

/// The smallest id of a millisecond.
pub(super) fn first_id(millisecond: i64) -> Uuid {
    // RFC 9562, section 5.7: the first 48 bits.
    let millisecond = u128::try_from(millisecond.clamp(0, 0xffff_ffff_ffff)).unwrap_or_default();
    Uuid::from_u128(millisecond << 80)
}

/// The filter as an expression, and the values of its parameters from `?4` on.
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    /// `None` where the filter names something that stands in no row.
    fn of(view: View<'_>, filter: &PaymentFilter) -> Option<Self> {
        let number_of = |word: Word| view.dictionary.number(&word);
        let mut conditions = Self { sql: String::new(), values: Vec::new() };
        conditions.add("merchant =", number_of(Word::Merchant(filter.merchant.clone()))?);
        conditions.add("mode =", number::of_mode(filter.mode));
        if let Some(status) = filter.status {
            conditions.add("status =", number::of_status(status));
        }
        if let Some(in_doubt) = filter.in_doubt {
            conditions.add("in_doubt =", i64::from(in_doubt));
        }
        if let Some(order_type) = &filter.order_type {
            conditions.add("order_type =", number_of(Word::OrderType(order_type.clone()))?);
        }
        if let Some(channel) = &filter.channel {
            conditions.add("channel =", number_of(Word::Channel(channel.clone()))?);
        }
        if let Some(currency) = filter.currency {
            conditions.add("currency =", currency.code().to_owned());
        }
        if let Some(method) = filter.method {
            conditions.add("method =", method.name().to_owned());
        }
        let texts = [
            ("reference =", &filter.reference),
            ("customer =", &filter.customer),
            ("provider_reference =", &filter.provider_reference),
        ];
        for (condition, text) in texts {
            if let Some(text) = text {
                conditions.add(condition, text.clone());
            }
        }
        let bounds = [
            ("amount >=", filter.amount_min),
            ("amount <=", filter.amount_max),
            ("created_at >=", filter.created_from.map(|Timestamp(at)| at)),
            ("created_at <", filter.created_to.map(|Timestamp(at)| at)),
        ];
        for (condition, bound) in bounds {
            if let Some(bound) = bound {
                conditions.add(condition, bound);
            }
        }
        Some(conditions)
    }

    fn add(&mut self, condition: &str, value: impl Into<Value>) {
        let joint = if self.sql.is_empty() { "" } else { " AND " };
        let parameter = self.values.len().saturating_add(4);
        self.sql.push_str(&format!("{joint}{condition} ?{parameter}"));
        self.values.push(value.into());
    }
}
