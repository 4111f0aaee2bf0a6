//! The rows of the operators' feed: how channels' statuses changed.

use super::columns::{Columns, View};
use super::fault::Fault;
use super::number;
use crate::{RecordedStatus, StatusChange, StatusQuery};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params};
use switchyard_core::ChannelName;

/// What a channel is taken for of which nothing was recorded.
const AT_FIRST: &str = "up";

/// Whether the change begins where the last one ended.
pub(super) fn fits(connection: &Connection, change: &StatusChange) -> rusqlite::Result<bool> {
    let sql = "SELECT is_now FROM channel_events WHERE channel = ?1 AND mode = ?2 ORDER BY position DESC LIMIT 1";
    let key = params![change.channel.as_str(), number::of_mode(change.mode)];
    let last: Option<String> = connection.prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()?;
    Ok(last.as_deref().unwrap_or(AT_FIRST) == change.from)
}

/// Appends it.
pub(super) fn insert(connection: &Connection, change: &StatusChange) -> rusqlite::Result<()> {
    let sql = "INSERT INTO channel_events (at, channel, mode, was, is_now, cause, reason, caused_by, until) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    connection.prepare_cached(sql)?.execute(params![
        change.at.0,
        change.channel.as_str(),
        number::of_mode(change.mode),
        change.from,
        change.to,
        change.cause,
        change.reason,
        change.by,
        change.until.map(|at| at.0),
    ])?;
    Ok(())
}

/// Reads what is asked for.
pub(super) fn read(view: View<'_>, query: &StatusQuery, limit: u32) -> Result<Vec<RecordedStatus>, Fault> {
    let mut values: Vec<&dyn ToSql> = vec![&limit];
    let name;
    let clause = match query {
        StatusQuery::After(position) => {
            values.push(position);
            "WHERE position > ?2 ORDER BY position"
        }
        StatusQuery::Latest(Some(channel)) => {
            name = channel.as_str();
            values.push(&name);
            "WHERE channel = ?2 ORDER BY position DESC"
        }
        StatusQuery::Latest(None) => "ORDER BY position DESC",
        StatusQuery::Last => {
            "WHERE position IN (SELECT max(position) FROM channel_events GROUP BY channel, mode) ORDER BY position"
        }
    };
    let sql = format!(
        "SELECT position, at, channel, mode, was, is_now, cause, reason, caused_by, until FROM channel_events {clause} \
         LIMIT ?1"
    );
    let mut statement = view.connection.prepare_cached(&sql)?;
    let mut rows = statement.query(values.as_slice())?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let c = &mut Columns::new(row, view);
        let position = c.integer()?;
        let change = StatusChange {
            at: c.timestamp()?,
            channel: c.named(ChannelName::new)?,
            mode: c.mode()?,
            from: c.text()?.to_owned(),
            to: c.text()?.to_owned(),
            cause: c.text()?.to_owned(),
            reason: c.text()?.to_owned(),
            by: c.optional_string()?,
            until: c.optional_timestamp()?,
        };
        changes.push(RecordedStatus { position, change });
    }
    Ok(changes)
}
