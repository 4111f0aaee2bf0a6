//! The rows of webhook endpoints and of deliveries that did not succeed at once.

use super::columns::{Columns, View};
use super::dictionary::{Cell, Interner, Word};
use super::fault::Fault;
use super::pack::{Packer, Unpacker};
use super::writer::Command;
use super::{Sqlite, number};
use crate::feed::EventPage;
use crate::webhooks::{Attempt, Delivery, DeliveryStatus, Endpoint, WebhookWrite, Webhooks};
use crate::{StoreError, Written};
use rusqlite::{Connection, OptionalExtension as _, params};
use switchyard_core::settle::EventKind;
use switchyard_core::{EndpointId, EventId, MerchantName, Timestamp};
use uuid::Uuid;

/// Rows that one purge removes.
const PURGE_ROWS: u32 = 2_000;

#[async_trait::async_trait]
impl Webhooks for Sqlite {
    async fn write_webhooks(&self, write: WebhookWrite) -> Result<Written, StoreError> {
        self.written(Command::Webhook(Box::new(write))).await
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        self.read(|view| endpoints(view, None)).await
    }

    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        self.read(move |view| Ok(endpoints(view, Some(id))?.pop())).await
    }

    async fn delivery(&self, endpoint: EndpointId, position: i64) -> Result<Option<Delivery>, StoreError> {
        self.read(move |view| {
            let sql = "SELECT endpoint, position, event, object, status, again, since, next_at, tries, attempts \
                       FROM deliveries WHERE endpoint = ?1 AND position = ?2";
            Ok(deliveries(view, sql, params![endpoint.uuid().as_bytes(), position])?.pop())
        })
        .await
    }

    async fn deliveries(
        &self,
        endpoint: EndpointId,
        status: Option<DeliveryStatus>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<EventPage<Delivery>, StoreError> {
        self.read(move |view| {
            let sql = "SELECT endpoint, position, event, object, status, again, since, next_at, tries, attempts \
                       FROM deliveries WHERE endpoint = ?1 AND position < ?2 AND (?3 IS NULL OR status = ?3) \
                       ORDER BY position DESC LIMIT ?4";
            let (before, status) = (before.unwrap_or(i64::MAX), status.map(of_status));
            let one_more = limit.saturating_add(1);
            let mut data = deliveries(view, sql, params![endpoint.uuid().as_bytes(), before, status, one_more])?;
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let more = data.len() > limit;
            data.truncate(limit);
            let next = data.last().filter(|_| more).map(|delivery| delivery.position);
            Ok(EventPage { data, next, more })
        })
        .await
    }

    async fn due_deliveries(
        &self,
        endpoint: EndpointId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.read(move |view| {
            let sql = "SELECT endpoint, position, event, object, status, again, since, next_at, tries, attempts \
                       FROM deliveries INDEXED BY deliveries_due WHERE endpoint = ?1 AND status = 0 AND next_at <= ?2 \
                       ORDER BY next_at, position LIMIT ?3";
            deliveries(view, sql, params![endpoint.uuid().as_bytes(), now.0, limit])
        })
        .await
    }

    async fn held_up(&self, endpoint: EndpointId, object: Uuid, position: i64) -> Result<bool, StoreError> {
        self.read(move |view| {
            let sql = "SELECT 1 FROM deliveries INDEXED BY deliveries_waiting WHERE endpoint = ?1 AND object = ?2 \
                       AND position < ?3 AND status = 0 AND again = 0 LIMIT 1";
            let mut statement = view.connection.prepare_cached(sql)?;
            let found = statement
                .query_row(params![endpoint.uuid().as_bytes(), object.as_bytes(), position], |_| Ok(()))
                .optional()?;
            Ok(found.is_some())
        })
        .await
    }

    async fn oldest_pending(&self, endpoint: EndpointId) -> Result<Option<EventId>, StoreError> {
        self.read(move |view| {
            let sql = "SELECT event FROM deliveries INDEXED BY deliveries_due WHERE endpoint = ?1 AND status = 0 \
                       ORDER BY position LIMIT 1";
            let mut statement = view.connection.prepare_cached(sql)?;
            let mut rows = statement.query([endpoint.uuid().as_bytes()])?;
            match rows.next()? {
                Some(row) => Columns::new(row, view).id().map(EventId::from_uuid).map(Some),
                None => Ok(None),
            }
        })
        .await
    }
}

/// Whether the ledger stands as the write expects.
pub(super) fn fits(connection: &Connection, write: &WebhookWrite) -> rusqlite::Result<bool> {
    let version = |id: EndpointId| {
        let sql = "SELECT version FROM webhook_endpoints WHERE id = ?1";
        connection.prepare_cached(sql)?.query_row([id.uuid().as_bytes()], |row| row.get::<_, u32>(0)).optional()
    };
    match write {
        WebhookWrite::Create(endpoint) => Ok(version(endpoint.id)?.is_none()),
        WebhookWrite::Change(endpoint) | WebhookWrite::Disable(endpoint, _) => {
            Ok(version(endpoint.id)? == Some(endpoint.version))
        }
        WebhookWrite::Delete(id) | WebhookWrite::Deliver { endpoint: id, .. } => Ok(version(*id)?.is_some()),
        WebhookWrite::Purge(_) => Ok(true),
    }
}

/// Writes it: the check has passed.
pub(super) fn write(connection: &Connection, words: &mut Interner, write: &WebhookWrite) -> rusqlite::Result<()> {
    match write {
        WebhookWrite::Create(endpoint) => insert(connection, endpoint),
        WebhookWrite::Change(endpoint) => update(connection, endpoint),
        WebhookWrite::Disable(endpoint, at) => {
            update(connection, endpoint)?;
            tell(connection, words, endpoint, *at)
        }
        WebhookWrite::Delete(id) => {
            connection.execute("DELETE FROM webhook_endpoints WHERE id = ?1", [id.uuid().as_bytes()]).map(drop)
        }
        WebhookWrite::Deliver { endpoint, cursor, rows } => deliver(connection, *endpoint, *cursor, rows),
        WebhookWrite::Purge(before) => {
            let old = "DELETE FROM deliveries WHERE (endpoint, position) IN (SELECT endpoint, position FROM deliveries \
                       INDEXED BY deliveries_ended WHERE status <> 0 AND since < ?1 LIMIT ?2)";
            connection.prepare_cached(old)?.execute(params![before.0, PURGE_ROWS])?;
            purge_orphans(connection)
        }
    }
}

/// Rows of endpoints that are gone: steps over the key from endpoint to endpoint, never over the rows of one that stands.
fn purge_orphans(connection: &Connection) -> rusqlite::Result<()> {
    let mut next = connection.prepare_cached("SELECT min(endpoint) FROM deliveries WHERE endpoint > ?1")?;
    let mut stands = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ?1)")?;
    let mut after: Vec<u8> = Vec::new();
    while let Some(endpoint) = next.query_row([&after], |row| row.get::<_, Option<Vec<u8>>>(0))? {
        if !stands.query_row([&endpoint], |row| row.get::<_, bool>(0))? {
            let sql = "DELETE FROM deliveries WHERE endpoint = ?1 AND position IN \
                       (SELECT position FROM deliveries WHERE endpoint = ?1 LIMIT ?2)";
            connection.prepare_cached(sql)?.execute(params![endpoint, PURGE_ROWS])?;
        }
        after = endpoint;
    }
    Ok(())
}

fn insert(connection: &Connection, endpoint: &Endpoint) -> rusqlite::Result<()> {
    let sql = "INSERT INTO webhook_endpoints (id, merchant, mode, url, description, events, enabled, disabled_reason, \
               secret, former_secret, former_until, created_at, updated_at, told, version, cursor) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
               (SELECT coalesce(max(position), 0) FROM events))";
    connection.execute(
        sql,
        params![
            endpoint.id.uuid().as_bytes(),
            endpoint.merchant.as_str(),
            number::of_mode(endpoint.mode),
            endpoint.url,
            endpoint.description,
            endpoint.events.join(","),
            endpoint.enabled,
            endpoint.disabled_reason,
            endpoint.secret,
            endpoint.former_secret.as_ref().map(|(secret, _)| secret),
            endpoint.former_secret.as_ref().map(|(_, until)| until.0),
            endpoint.created_at.0,
            endpoint.updated_at.0,
            endpoint.told,
            endpoint.version.saturating_add(1),
        ],
    )?;
    Ok(())
}

fn update(connection: &Connection, endpoint: &Endpoint) -> rusqlite::Result<()> {
    let sql = "UPDATE webhook_endpoints SET url = ?2, description = ?3, events = ?4, enabled = ?5, disabled_reason = ?6, \
               secret = ?7, former_secret = ?8, former_until = ?9, updated_at = ?10, told = ?11, version = ?12 \
               WHERE id = ?1";
    connection.execute(
        sql,
        params![
            endpoint.id.uuid().as_bytes(),
            endpoint.url,
            endpoint.description,
            endpoint.events.join(","),
            endpoint.enabled,
            endpoint.disabled_reason,
            endpoint.secret,
            endpoint.former_secret.as_ref().map(|(secret, _)| secret),
            endpoint.former_secret.as_ref().map(|(_, until)| until.0),
            endpoint.updated_at.0,
            endpoint.told,
            endpoint.version.saturating_add(1),
        ],
    )?;
    Ok(())
}

/// An event about the endpoint itself; its row holds all that there is to show.
fn tell(connection: &Connection, words: &mut Interner, endpoint: &Endpoint, at: Timestamp) -> rusqlite::Result<()> {
    let merchant: Cell = words.cell(connection, Word::Merchant(endpoint.merchant.clone()))?;
    let sql = "INSERT INTO events (kind, payment, operation, sequence, at, merchant, mode, previous, state) \
               VALUES (?1, NULL, ?2, ?3, ?4, ?5, ?6, NULL, ?7)";
    connection.prepare_cached(sql)?.execute(params![
        number::of_event(EventKind::EndpointDisabled),
        endpoint.id.uuid().as_bytes(),
        endpoint.told,
        at.0,
        merchant,
        number::of_mode(endpoint.mode),
        pack_endpoint(endpoint),
    ])?;
    Ok(())
}

fn pack_endpoint(endpoint: &Endpoint) -> Vec<u8> {
    let mut packer = Packer::new();
    packer.text(&endpoint.url);
    packer.optional_text(endpoint.description.as_deref());
    packer.text(&endpoint.events.join(","));
    packer.optional_text(endpoint.disabled_reason.as_deref());
    packer.signed(endpoint.created_at.0);
    packer.signed(endpoint.updated_at.0);
    packer.finish()
}

/// The endpoint of an event about it, as it stood then and without its secrets.
pub(super) fn unpack_endpoint(bytes: &[u8], event: &crate::Recorded, id: EndpointId) -> Option<Endpoint> {
    Unpacker::whole(bytes, |unpacker| {
        Some(Endpoint {
            id,
            merchant: event.merchant.clone(),
            mode: event.mode,
            url: unpacker.text()?.to_owned(),
            description: unpacker.optional_text()?,
            events: patterns(unpacker.text()?),
            enabled: false,
            disabled_reason: unpacker.optional_text()?,
            secret: Vec::new(),
            former_secret: None,
            created_at: Timestamp(unpacker.signed()?),
            updated_at: Timestamp(unpacker.signed()?),
            told: event.sequence,
            version: 0,
            cursor: 0,
        })
    })
}

fn deliver(
    connection: &Connection,
    endpoint: EndpointId,
    cursor: Option<i64>,
    rows: &[Delivery],
) -> rusqlite::Result<()> {
    if let Some(cursor) = cursor {
        let sql = "UPDATE webhook_endpoints SET cursor = ?2 WHERE id = ?1 AND cursor < ?2";
        connection.prepare_cached(sql)?.execute(params![endpoint.uuid().as_bytes(), cursor])?;
    }
    for row in rows {
        let sql = "INSERT OR REPLACE INTO deliveries (endpoint, position, event, object, status, again, since, next_at, \
                   tries, attempts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        connection.prepare_cached(sql)?.execute(params![
            endpoint.uuid().as_bytes(),
            row.position,
            row.event.uuid().as_bytes(),
            row.object.as_bytes(),
            of_status(row.status),
            row.again,
            row.since.0,
            row.next_at.map(|at| at.0),
            row.tries,
            pack_attempts(&row.attempts),
        ])?;
        match row.status {
            DeliveryStatus::Pending => {}
            DeliveryStatus::Delivered | DeliveryStatus::Dead => {
                // Those that were never tried: they wait for nothing but this one.
                let sql = "UPDATE deliveries SET next_at = since WHERE endpoint = ?1 AND object = ?2 AND position > ?3 \
                           AND status = 0 AND again = 0 AND tries = 0";
                connection.prepare_cached(sql)?.execute(params![
                    endpoint.uuid().as_bytes(),
                    row.object.as_bytes(),
                    row.position
                ])?;
            }
        }
    }
    Ok(())
}

fn endpoints(view: View<'_>, id: Option<EndpointId>) -> Result<Vec<Endpoint>, Fault> {
    let sql = "SELECT id, merchant, mode, url, description, events, enabled, disabled_reason, secret, former_secret, \
               former_until, created_at, updated_at, told, version, cursor FROM webhook_endpoints \
               WHERE ?1 IS NULL OR id = ?1 ORDER BY id";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query([id.map(|id| id.uuid().into_bytes())])?;
    let mut endpoints = Vec::new();
    while let Some(row) = rows.next()? {
        let c = &mut Columns::new(row, view);
        endpoints.push(Endpoint {
            id: EndpointId::from_uuid(c.id()?),
            merchant: c.named(MerchantName::new)?,
            mode: c.mode()?,
            url: c.text()?.to_owned(),
            description: c.optional_string()?,
            events: patterns(c.text()?),
            enabled: c.flag()?,
            disabled_reason: c.optional_string()?,
            secret: c.blob()?.to_vec(),
            former_secret: match (c.optional_blob()?.map(<[u8]>::to_vec), c.optional_timestamp()?) {
                (Some(secret), Some(until)) => Some((secret, until)),
                (None, None) => None,
                (Some(_), None) | (None, Some(_)) => return Err(c.nonsense("half of a secret")),
            },
            created_at: c.timestamp()?,
            updated_at: c.timestamp()?,
            told: c.small()?,
            version: c.small()?,
            cursor: c.integer()?,
        });
    }
    Ok(endpoints)
}

fn patterns(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

fn deliveries(view: View<'_>, sql: &str, of: impl rusqlite::Params) -> Result<Vec<Delivery>, Fault> {
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query(of)?;
    let mut deliveries = Vec::new();
    while let Some(row) = rows.next()? {
        let c = &mut Columns::new(row, view);
        deliveries.push(Delivery {
            endpoint: EndpointId::from_uuid(c.id()?),
            position: c.integer()?,
            event: EventId::from_uuid(c.id()?),
            object: c.id()?,
            status: c.number(status)?,
            again: c.flag()?,
            since: c.timestamp()?,
            next_at: c.optional_timestamp()?,
            tries: c.small()?,
            attempts: c.packed(unpack_attempts)?.unwrap_or_default(),
        });
    }
    Ok(deliveries)
}

fn of_status(status: DeliveryStatus) -> i64 {
    match status {
        // The schema's partial indexes take those that are 0.
        DeliveryStatus::Pending => 0,
        DeliveryStatus::Delivered => 1,
        DeliveryStatus::Dead => 2,
    }
}

fn status(number: i64) -> Option<DeliveryStatus> {
    DeliveryStatus::ALL.get(usize::try_from(number).ok()?).copied()
}

fn pack_attempts(attempts: &[Attempt]) -> Option<Vec<u8>> {
    if attempts.is_empty() {
        return None;
    }
    let mut packer = Packer::new();
    for attempt in attempts {
        packer.signed(attempt.at.0);
        packer.number(attempt.took_ms.into());
        packer.optional_number(attempt.status.map(u32::from));
        packer.optional_text(attempt.failure.as_deref());
    }
    Some(packer.finish())
}

fn unpack_attempts(unpacker: &mut Unpacker<'_>) -> Option<Vec<Attempt>> {
    let mut attempts = Vec::new();
    while !unpacker.is_empty() {
        attempts.push(Attempt {
            at: Timestamp(unpacker.signed()?),
            took_ms: u32::try_from(unpacker.number()?).ok()?,
            status: match unpacker.optional_number()? {
                Some(status) => Some(u16::try_from(status).ok()?),
                None => None,
            },
            failure: unpacker.optional_text()?,
        });
    }
    Some(attempts)
}
