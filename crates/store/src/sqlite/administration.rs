//! The rows of API keys, overrides and the audit log: what operators change.

use super::channel_event;
use super::columns::{Columns, View};
use super::fault::Fault;
use super::number;
use crate::{Administer, ApiKey, Audit, Override, Rate, Scope};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::num::NonZeroU32;
use switchyard_core::id::KeyId;
use switchyard_core::{ChannelName, MerchantName, Network, Timestamp};

/// Whether the ledger stands as the command expects.
pub(super) fn fits(connection: &Connection, command: &Administer) -> rusqlite::Result<bool> {
    let count = |sql: &str, parameter: &dyn rusqlite::ToSql| -> rusqlite::Result<bool> {
        Ok(connection.prepare_cached(sql)?.query_row([parameter], |_| Ok(())).optional()?.is_some())
    };
    match command {
        Administer::IssueKey(key) => {
            let taken = count("SELECT 1 FROM api_keys WHERE id = ?1", key.id.uuid().as_bytes())?;
            Ok(!taken)
        }
        Administer::RevokeKey(id, _) => {
            count("SELECT 1 FROM api_keys WHERE id = ?1 AND revoked_at IS NULL", id.uuid().as_bytes())
        }
        Administer::SetOverride(_) => Ok(true),
        Administer::ClearOverride(channel) => count("SELECT 1 FROM overrides WHERE channel = ?1", &channel.as_str()),
        Administer::ExpireOverride(channel, set_at) => {
            let sql = "SELECT 1 FROM overrides WHERE channel = ?1 AND set_at = ?2";
            let found = connection.prepare_cached(sql)?.query_row(params![channel.as_str(), set_at.0], |_| Ok(()));
            Ok(found.optional()?.is_some())
        }
        Administer::RecordStatus(change) => channel_event::fits(connection, change),
    }
}

/// Does it, and writes the audit line.
pub(super) fn write(connection: &Connection, command: &Administer, audit: &Audit) -> rusqlite::Result<()> {
    match command {
        Administer::IssueKey(key) => insert_key(connection, key)?,
        Administer::RevokeKey(id, at) => {
            let sql = "UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1";
            connection.execute(sql, params![id.uuid().as_bytes(), at.0])?;
        }
        Administer::SetOverride(set) => {
            let sql = "INSERT OR REPLACE INTO overrides (channel, status, reason, expires_at, set_at, set_by) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let expires_at = set.expires_at.map(|at| at.0);
            let values = params![set.channel.as_str(), set.status, set.reason, expires_at, set.set_at.0, set.set_by];
            connection.execute(sql, values)?;
        }
        Administer::ClearOverride(channel) | Administer::ExpireOverride(channel, _) => {
            connection.execute("DELETE FROM overrides WHERE channel = ?1", [channel.as_str()])?;
        }
        Administer::RecordStatus(change) => channel_event::insert(connection, change)?,
    }
    let sql = "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.execute(sql, params![audit.at.0, audit.actor, audit.action, audit.subject, audit.detail])?;
    Ok(())
}

fn insert_key(connection: &Connection, key: &ApiKey) -> rusqlite::Result<()> {
    let addresses: Vec<String> = key.addresses.iter().map(Network::to_string).collect();
    let sql = "INSERT INTO api_keys (id, hash, merchant, mode, scopes, label, addresses, created_at, expires_at, \
               revoked_at, last_used_at, per_second, burst, version) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    connection.execute(
        sql,
        params![
            key.id.uuid().as_bytes(),
            key.hash,
            key.merchant.as_str(),
            number::of_mode(key.mode),
            scope_bits(&key.scopes),
            key.label,
            addresses.join(","),
            key.created_at.0,
            key.expires_at.map(|at| at.0),
            key.revoked_at.map(|at| at.0),
            key.last_used_at.map(|at| at.0),
            key.rate.map(|rate| rate.per_second.get()),
            key.rate.map(|rate| rate.burst.get()),
            key.version,
        ],
    )?;
    Ok(())
}

fn scope_bits(scopes: &[Scope]) -> i64 {
    let bits = Scope::ALL.iter().zip(0_u32..).filter(|(scope, _)| scopes.contains(scope));
    bits.fold(0, |bits, (_, place)| bits | 1_i64.checked_shl(place).unwrap_or_default())
}

/// In the order of the bits; a bit of no scope makes no sense.
fn scopes(bits: i64) -> Option<Vec<Scope>> {
    let held = |place: u32| bits & 1_i64.checked_shl(place).unwrap_or_default() != 0;
    let scopes: Vec<Scope> =
        Scope::ALL.iter().zip(0_u32..).filter(|(_, place)| held(*place)).map(|(scope, _)| *scope).collect();
    (scope_bits(&scopes) == bits).then_some(scopes)
}

/// Empty for any.
fn addresses(text: &str) -> Option<Vec<Network>> {
    text.split(',').filter(|part| !part.is_empty()).map(|part| Network::parse(part).ok()).collect()
}

/// Notes when keys were used; a note that comes late changes nothing.
pub(super) fn used(connection: &Connection, uses: &[(KeyId, Timestamp)]) -> rusqlite::Result<()> {
    let sql = "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    for (key, at) in uses {
        statement.execute(params![key.uuid().as_bytes(), at.0])?;
    }
    Ok(())
}

/// Every API key, in the order of their ids.
pub(super) fn keys(view: View<'_>) -> Result<Vec<ApiKey>, Fault> {
    let sql = "SELECT id, hash, merchant, mode, scopes, label, addresses, created_at, expires_at, revoked_at, \
               last_used_at, per_second, burst, version FROM api_keys ORDER BY id";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let c = &mut Columns::new(row, view);
        keys.push(ApiKey {
            id: KeyId::from_uuid(c.id()?),
            hash: c.bytes()?,
            merchant: c.named(MerchantName::new)?,
            mode: c.mode()?,
            scopes: c.number(scopes)?,
            label: c.text()?.to_owned(),
            addresses: c.named(addresses)?,
            created_at: c.timestamp()?,
            expires_at: c.optional_timestamp()?,
            revoked_at: c.optional_timestamp()?,
            last_used_at: c.optional_timestamp()?,
            rate: rate(c)?,
            version: c.text()?.to_owned(),
        });
    }
    Ok(keys)
}

fn rate(c: &mut Columns<'_>) -> Result<Option<Rate>, Fault> {
    let count = |number: i64| u32::try_from(number).ok().and_then(NonZeroU32::new);
    match (c.optional_number(count)?, c.optional_number(count)?) {
        (Some(per_second), Some(burst)) => Ok(Some(Rate { per_second, burst })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(c.nonsense("half a rate")),
    }
}

/// Every override, in the order of the channels' names.
pub(super) fn overrides(view: View<'_>) -> Result<Vec<Override>, Fault> {
    let sql = "SELECT channel, status, reason, expires_at, set_at, set_by FROM overrides ORDER BY channel";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut overrides = Vec::new();
    while let Some(row) = rows.next()? {
        let c = &mut Columns::new(row, view);
        overrides.push(Override {
            channel: c.named(ChannelName::new)?,
            status: c.text()?.to_owned(),
            reason: c.text()?.to_owned(),
            expires_at: c.optional_timestamp()?,
            set_at: c.timestamp()?,
            set_by: c.text()?.to_owned(),
        });
    }
    Ok(overrides)
}

/// The audit log's latest lines, newest first.
pub(super) fn audit(view: View<'_>, limit: u32) -> Result<Vec<Audit>, Fault> {
    let sql = "SELECT position, at, actor, action, subject, detail FROM audit ORDER BY position DESC LIMIT ?1";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query([limit])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let c = &mut Columns::new(row, view);
        c.integer()?;
        lines.push(Audit {
            at: c.timestamp()?,
            actor: c.text()?.to_owned(),
            action: c.text()?.to_owned(),
            subject: c.text()?.to_owned(),
            detail: c.text()?.to_owned(),
        });
    }
    Ok(lines)
}
