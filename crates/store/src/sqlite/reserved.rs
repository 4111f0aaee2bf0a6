//! The rows of routes. They come and go in the order of time, apart from payments.

use super::columns::{Columns, View};
use super::dictionary::{Interner, Word};
use super::fault::Fault;
use super::number;
use rusqlite::{Connection, params};
use switchyard_core::payment::Decided;
use switchyard_core::{Country, Currency, Method, Money, Route, RouteId, Timestamp};

const COLUMNS: &str = "id, merchant, mode, amount, currency, country, order_type, method, capture, \
    rule, rules_version, channel, reason, snapshot, offer, target, created_at, expires_at";

/// Writes a new route.
pub(super) fn insert(connection: &Connection, words: &mut Interner, route: &Route) -> rusqlite::Result<()> {
    let decided = &route.decided;
    let mut cell = |word: Word| words.cell(connection, word);
    let merchant = cell(Word::Merchant(route.merchant.clone()))?;
    let order_type = cell(Word::OrderType(route.order_type.clone()))?;
    let rule = cell(Word::Text(decided.rule.clone()))?;
    let rules_version = cell(Word::Text(decided.rules_version.clone()))?;
    let channel = decided.channel.clone().map(|channel| cell(Word::Channel(channel))).transpose()?;
    let reason = cell(Word::Text(decided.reason.clone()))?;
    let snapshot = cell(Word::Bytes(decided.snapshot.clone()))?;
    let offer = cell(Word::Bytes(decided.offer.clone()))?;
    let target = cell(Word::Target(route.target.clone()))?;
    let sql = format!(
        "INSERT INTO routes ({COLUMNS}) VALUES \
         (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
    );
    connection.prepare_cached(&sql)?.execute(params![
        route.id.uuid().as_bytes(),
        merchant,
        number::of_mode(route.mode),
        route.amount.minor(),
        route.amount.currency().code(),
        route.country.code(),
        order_type,
        route.method.name(),
        number::of_capture(route.capture),
        rule,
        rules_version,
        channel,
        reason,
        snapshot,
        offer,
        target,
        route.created_at.0,
        route.expires_at.0,
    ])?;
    Ok(())
}

/// The route, if it is there.
pub(super) fn read(view: View<'_>, id: RouteId) -> Result<Option<Route>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM routes WHERE id = ?1");
    let mut statement = view.connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id.uuid().as_bytes()])?;
    match rows.next()? {
        Some(row) => from_row(&mut Columns::new(row, view)).map(Some),
        None => Ok(None),
    }
}

fn from_row(c: &mut Columns<'_>) -> Result<Route, Fault> {
    let id = RouteId::from_uuid(c.id()?);
    let (merchant, mode) = (c.merchant()?, c.mode()?);
    let minor = c.amount()?;
    let currency = c.named(Currency::from_code)?;
    Ok(Route {
        id,
        merchant,
        mode,
        amount: Money::new(minor, currency).ok_or_else(|| c.nonsense("negative"))?,
        country: c.named(Country::from_code)?,
        order_type: c.order_type()?,
        method: c.named(Method::from_name)?,
        capture: c.number(number::capture)?,
        decided: Decided {
            rule: c.shared_text()?,
            rules_version: c.shared_text()?,
            channel: c.optional_channel()?,
            reason: c.shared_text()?,
            snapshot: c.shared_bytes()?,
            offer: c.shared_bytes()?,
            route: Some(id),
        },
        target: c.optional_target()?.ok_or_else(|| c.nonsense("missing"))?,
        created_at: c.timestamp()?,
        expires_at: c.timestamp()?,
    })
}

/// Forgets those that expired before `before`, of the `limit` oldest: they were made first, so that no index is needed.
pub(super) fn forget(connection: &Connection, before: Timestamp, limit: u32) -> rusqlite::Result<()> {
    let sql = "DELETE FROM routes WHERE id IN \
               (SELECT id FROM (SELECT id, expires_at FROM routes ORDER BY id LIMIT ?2) WHERE expires_at < ?1)";
    connection.prepare_cached(sql)?.execute(params![before.0, limit])?;
    Ok(())
}
