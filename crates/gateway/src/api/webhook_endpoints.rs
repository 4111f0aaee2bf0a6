//! `/v1/webhook_endpoints`, and delivering events again.

use super::call::{Call, Reply, serve};
use super::endpoint_body::{
    EndpointFields, Redeliver, Rotate, read_change, read_new, read_range, read_redeliver, read_rotate,
};
use super::endpoint_view::{DeliveryView, EndpointView};
use super::events::{self, cursor, matching, read_cursor};
use super::filters;
use super::problem::{Code, Problem};
use super::view::{ListView, json};
use crate::seal::{KeyRing, Unsealable};
use crate::webhooks::{SEALED_FOR, SigningSecret, object_of};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use switchyard_core::limits::{LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX};
use switchyard_core::{EndpointId, EventId, Timestamp};
use switchyard_engine::Caller;
use switchyard_store::feed::{Event, EventFilter, EventPage, Object, Order};
use switchyard_store::webhooks::{Delivery, DeliveryStatus, Endpoint, WebhookWrite};
use switchyard_store::{Scope, Webhooks, Written};
use tokio::sync::Notify;

/// Where endpoints are made and listed.
pub(super) const ENDPOINTS: &str = "/v1/webhook_endpoints";
/// Where one is read, changed and removed.
pub(super) const ENDPOINT: &str = "/v1/webhook_endpoints/{id}";
/// Where it gets a new secret.
pub(super) const ROTATE: &str = "/v1/webhook_endpoints/{id}/rotate_secret";
/// What became of deliveries.
pub(super) const DELIVERIES: &str = "/v1/webhook_endpoints/{id}/deliveries";
/// Where a range of events is delivered again.
pub(super) const REDELIVER_RANGE: &str = "/v1/webhook_endpoints/{id}/redeliver";
/// Where one event is.
pub(super) const REDELIVER: &str = "/v1/events/{id}/redeliver";

/// Endpoints of one merchant and mode.
const ENDPOINTS_MAX: usize = 32;

/// Events that one request delivers again at most; it says where to go on.
const REDELIVERED_MAX: usize = 1_000;

/// Which addresses endpoints may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Also private ones, and plain HTTP: in the sandbox.
    pub(crate) private_addresses: bool,
}

/// What the API needs for webhooks.
#[derive(Clone)]
pub(crate) struct Hooks {
    pub(crate) ledger: Arc<dyn Webhooks>,
    pub(crate) ring: KeyRing,
    pub(crate) rules: Rules,
    /// How long two secrets sign, where a rotation does not say.
    pub(crate) overlap: Duration,
    /// Wakes the courier.
    pub(crate) changed: Arc<Notify>,
}

/// A new endpoint: 201, with its secret, which is shown this once.
pub(super) async fn create(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    serve(request, ENDPOINTS, async |call| {
        let caller = call.allow(Scope::WebhooksManage)?;
        let rules = call.hooks().rules;
        let read = |body: super::json::Json<'_>, faults: &mut super::faults::Faults| read_new(rules, body, faults);
        let asked = call.body(&mut payload, read).await?;
        let hooks = call.hooks();
        if own(hooks, &caller).await?.len() >= ENDPOINTS_MAX {
            let detail = format!("there are {ENDPOINTS_MAX} already; remove one that is not used any more");
            return Err(Problem::new(Code::TooManyEndpoints, detail));
        }
        let now = call.now();
        let id = EndpointId::from_uuid(call.uuid());
        let (secret, sealed) = new_secret(hooks, id)?;
        let endpoint = Endpoint {
            id,
            merchant: caller.merchant,
            mode: caller.mode,
            url: asked.url.unwrap_or_default(),
            description: asked.description.flatten(),
            events: asked.events.unwrap_or_default(),
            enabled: asked.enabled.unwrap_or(true),
            disabled_reason: None,
            secret: sealed,
            former_secret: None,
            created_at: now,
            updated_at: now,
            told: 0,
            version: 0,
            cursor: 0,
        };
        hooks.ledger.write_webhooks(WebhookWrite::Create(endpoint.clone())).await?;
        hooks.changed.notify_one();
        Ok(Reply::made(json(&EndpointView::of(&endpoint, now).with_secret(secret))))
    })
    .await
}

/// One endpoint.
pub(super) async fn read(request: HttpRequest) -> HttpResponse {
    serve(request, ENDPOINT, async |call| {
        let caller = call.allow(Scope::WebhooksManage)?;
        let endpoint = find(call, &caller).await?;
        call.no_query()?;
        Ok(Reply::read(json(&EndpointView::of(&endpoint, call.now()))))
    })
    .await
}

/// All endpoints, newest first.
pub(super) async fn list(request: HttpRequest) -> HttpResponse {
    serve(request, ENDPOINTS, async |call| {
        let caller = call.allow(Scope::WebhooksManage)?;
        let mut query = call.query()?;
        let slice = filters::slice(&mut query);
        query.finish()?;
        let mut endpoints = own(call.hooks(), &caller).await?;
        endpoints.reverse();
        endpoints.retain(|endpoint| slice.before.is_none_or(|before| endpoint.id.uuid() < before));
        let limit = usize::try_from(slice.limit).unwrap_or(usize::MAX);
        let more = endpoints.len() > limit;
        endpoints.truncate(limit);
        let next = endpoints.last().filter(|_| more).map(|endpoint| endpoint.id.uuid());
        let data = endpoints.iter().map(|endpoint| EndpointView::of(endpoint, call.now())).collect();
        Ok(Reply::read(json(&ListView::new(data, next))))
    })
    .await
}

/// Changes what is named. Switched on again, an endpoint gets all that it missed.
pub(super) async fn change(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    serve(request, ENDPOINT, async |call| {
        let caller = call.allow(Scope::WebhooksManage)?;
        let rules = call.hooks().rules;
        let read = |body: super::json::Json<'_>, faults: &mut super::faults::Faults| read_change(rules, body, faults);
        let asked = call.body(&mut payload, read).await?;
        let (endpoint, ()) = alter(call, &caller, |endpoint| {
            apply(endpoint, &asked);
            Ok(())
        })
        .await?;
        Ok(Reply::read(json(&EndpointView::of(&endpoint, call.now()))))
    })
    .await
}

fn apply(endpoint: &mut Endpoint, asked: &EndpointFields) {
    if let Some(url) = &asked.url {
        endpoint.url.clone_from(url);
    }
    if let Some(events) = &asked.events {
        endpoint.events.clone_from(events);
    }
    if let Some(description) = &asked.description {
        endpoint.description.clone_from(description);
    }
    if let Some(enabled) = asked.enabled {
        endpoint.enabled = enabled;
        endpoint.disabled_reason = None;
    }
}

/// Removes an endpoint with its deliveries: 204.
pub(super) async fn remove(request: HttpRequest) -> HttpResponse {
    serve(request, ENDPOINT, async |call| {
        let caller = call.allow(Scope::WebhooksManage)?;
        let endpoint = find(call, &caller).await?;
        call.no_query()?;
        call.hooks().ledger.write_webhooks(WebhookWrite::Delete(endpoint.id)).await?;
        call.hooks().changed.notify_one();
        Ok(Reply::nothing())
    })
    .await
}

/// A new secret, shown this once. The one before signs as well for a while.
pub(super) async fn rotate_secret(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    serve(request, ROTATE, async |call| {
        let caller = call.allow(Scope::WebhooksManage)?;
        let Rotate { overlap } = call.body_if_any(&mut payload, read_rotate).await?;
        let (hooks, now) = (call.hooks(), call.now());
        let until = now.after(overlap.unwrap_or(hooks.overlap));
        let (endpoint, secret) = alter(call, &caller, |endpoint| {
            let (secret, sealed) = new_secret(hooks, endpoint.id)?;
            let former = std::mem::replace(&mut endpoint.secret, sealed);
            endpoint.former_secret = (until > now).then_some((former, until));
            Ok(secret)
        })
        .await?;
        Ok(Reply::read(json(&EndpointView::of(&endpoint, now).with_secret(secret))))
    })
    .await
}

/// Deliveries that did not succeed at once, newest event first.
pub(super) async fn deliveries(request: HttpRequest) -> HttpResponse {
    serve(request, DELIVERIES, async |call| {
        let caller = call.allow(Scope::WebhooksManage)?;
        let endpoint = find(call, &caller).await?;
        let mut query = call.query()?;
        let names = DeliveryStatus::ALL.iter().map(|status| status.as_str());
        let status = query.choice("status", "pending, delivered or dead", names, DeliveryStatus::from_name);
        let limit = query.parsed("limit", format_args!("an integer from 1 to {LIST_LIMIT_MAX}"), |text| {
            text.parse().ok().filter(|limit| (1..=LIST_LIMIT_MAX).contains(limit))
        });
        let before = query.parsed("cursor", "the `next_cursor` of the page before", read_cursor);
        query.finish()?;
        let limit = limit.unwrap_or(LIST_LIMIT_DEFAULT);
        let page = call.hooks().ledger.deliveries(endpoint.id, status, before, limit).await?;
        let data = page.data.iter().map(DeliveryView::of).collect();
        Ok(Reply::read(json(&Deliveries {
            object: "list",
            data,
            has_more: page.more,
            next_cursor: page.next.map(cursor),
        })))
    })
    .await
}

#[derive(Serialize)]
struct Deliveries<'a> {
    object: &'static str,
    data: Vec<DeliveryView<'a>>,
    has_more: bool,
    next_cursor: Option<String>,
}

/// What will be delivered again.
#[derive(Serialize)]
struct RedeliveryView {
    object: &'static str,
    events: usize,
    has_more: bool,
    next_cursor: Option<String>,
}

/// Delivers one event again: to the endpoint that the body names, else to all that want it.
pub(super) async fn redeliver(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    serve(request, REDELIVER, async |call| {
        let caller = call.allow(Scope::WebhooksManage)?;
        let id = call.id("event", EventId::parse)?;
        let Redeliver { endpoint: named } = call.body_if_any(&mut payload, read_redeliver).await?;
        let event = events::find(call, &caller, id).await?;
        let endpoints = own(call.hooks(), &caller).await?;
        let wanted = endpoints.iter().filter(|endpoint| match named {
            Some(named) => endpoint.id == named,
            None => endpoint.enabled && wants(endpoint, &event, &endpoints),
        });
        let mut count: usize = 0;
        for endpoint in wanted {
            again(call, endpoint, std::slice::from_ref(&event)).await?;
            count = count.saturating_add(1);
        }
        if named.is_some() && count == 0 {
            return Err(Problem::not_found("webhook endpoint"));
        }
        call.hooks().changed.notify_one();
        let view = RedeliveryView { object: "redelivery", events: count, has_more: false, next_cursor: None };
        Ok(Reply::accepted(json(&view)))
    })
    .await
}

/// Delivers a range of events again to one endpoint, as many as one request may; it says where to go on.
pub(super) async fn redeliver_range(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    serve(request, REDELIVER_RANGE, async |call| {
        let caller = call.allow(Scope::WebhooksManage)?;
        let asked = call.body(&mut payload, read_range).await?;
        let endpoint = find(call, &caller).await?;
        let endpoints = own(call.hooks(), &caller).await?;
        let filter = EventFilter {
            kinds: endpoint.events.iter().flat_map(|pattern| matching(pattern)).collect(),
            created_from: Some(asked.from),
            created_to: asked.to,
            ..EventFilter::of(caller.merchant.clone(), caller.mode)
        };
        let (mut from, mut count, mut more) = (asked.cursor, 0_usize, true);
        while more && count < REDELIVERED_MAX {
            let page = call.feed().list_events(filter.clone(), Order::OldestFirst, from, LIST_LIMIT_MAX).await?;
            let EventPage { data, next, more: yet_more } = page;
            let mut chosen = Vec::new();
            for event in data {
                if wants(&endpoint, &event, &endpoints)
                    && (!asked.dead_only || is_dead(call, &endpoint, &event).await?)
                {
                    chosen.push(event);
                }
            }
            again(call, &endpoint, &chosen).await?;
            count = count.saturating_add(chosen.len());
            (from, more) = (next, yet_more);
        }
        call.hooks().changed.notify_one();
        let next_cursor = from.filter(|_| more).map(cursor);
        Ok(Reply::accepted(json(&RedeliveryView { object: "redelivery", events: count, has_more: more, next_cursor })))
    })
    .await
}

async fn is_dead(call: &Call<'_>, endpoint: &Endpoint, event: &Event) -> Result<bool, Problem> {
    let row = call.hooks().ledger.delivery(endpoint.id, event.recorded.position).await?;
    Ok(row.is_some_and(|row| row.status == DeliveryStatus::Dead))
}

/// Makes rows that are due now. What was tried before stays told.
async fn again(call: &Call<'_>, endpoint: &Endpoint, events: &[Event]) -> Result<(), Problem> {
    if events.is_empty() {
        return Ok(());
    }
    let (hooks, now) = (call.hooks(), call.now());
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        let position = event.recorded.position;
        let known = hooks.ledger.delivery(endpoint.id, position).await?;
        rows.push(Delivery {
            endpoint: endpoint.id,
            position,
            event: event.recorded.id(),
            object: object_of(event),
            status: DeliveryStatus::Pending,
            again: true,
            since: now,
            next_at: Some(now),
            tries: 0,
            attempts: known.map(|known| known.attempts).unwrap_or_default(),
        });
    }
    let write = WebhookWrite::Deliver { endpoint: endpoint.id, cursor: None, rows };
    match hooks.ledger.write_webhooks(write).await? {
        Written::Done => Ok(()),
        Written::Stale => Err(Problem::not_found("webhook endpoint")),
    }
}

/// Whether the endpoint gets such events, and this one is not for another endpoint alone.
fn wants(endpoint: &Endpoint, event: &Event, all: &[Endpoint]) -> bool {
    let named = match &event.object {
        Object::Payment(payment) => payment.webhook_endpoint,
        Object::Operation(both) => both.1.webhook_endpoint,
        Object::Endpoint(_) => None,
    };
    let elsewhere = named.is_some_and(|named| named != endpoint.id && all.iter().any(|other| other.id == named));
    !elsewhere && endpoint.events.iter().any(|pattern| matching(pattern).contains(&event.recorded.kind))
}

fn belongs(endpoint: &Endpoint, caller: &Caller) -> bool {
    endpoint.merchant == caller.merchant && endpoint.mode == caller.mode
}

async fn own(hooks: &Hooks, caller: &Caller) -> Result<Vec<Endpoint>, Problem> {
    let mut endpoints = hooks.ledger.endpoints().await?;
    endpoints.retain(|endpoint| belongs(endpoint, caller));
    Ok(endpoints)
}

/// The endpoint that the path names, if it is the caller's.
async fn find(call: &Call<'_>, caller: &Caller) -> Result<Endpoint, Problem> {
    let id = call.id("webhook endpoint", EndpointId::parse)?;
    let endpoint = call.hooks().ledger.endpoint(id).await?.filter(|endpoint| belongs(endpoint, caller));
    endpoint.ok_or_else(|| Problem::not_found("webhook endpoint"))
}

/// That the endpoint is the caller's, for a payment that names it.
pub(super) async fn check_named(call: &Call<'_>, caller: &Caller, id: EndpointId) -> Result<(), Problem> {
    let endpoint = call.hooks().ledger.endpoint(id).await?;
    if endpoint.is_some_and(|endpoint| belongs(&endpoint, caller)) {
        return Ok(());
    }
    let mut faults = super::faults::Faults::default();
    faults.add("webhook_endpoint", "unknown_value", "names no webhook endpoint of yours");
    Err(Problem::faulty(faults))
}

/// Changes what stands, again where somebody else was faster.
async fn alter<T>(
    call: &Call<'_>,
    caller: &Caller,
    change: impl Fn(&mut Endpoint) -> Result<T, Problem>,
) -> Result<(Endpoint, T), Problem> {
    call.no_query()?;
    loop {
        let mut endpoint = find(call, caller).await?;
        let value = change(&mut endpoint)?;
        endpoint.updated_at = call.now().max(Timestamp(endpoint.updated_at.0));
        match call.hooks().ledger.write_webhooks(WebhookWrite::Change(endpoint.clone())).await? {
            Written::Done => {
                call.hooks().changed.notify_one();
                return Ok((endpoint, value));
            }
            Written::Stale => {}
        }
    }
}

/// A new secret: as it is shown, and as it is kept.
fn new_secret(hooks: &Hooks, id: EndpointId) -> Result<(SecretString, Vec<u8>), Problem> {
    let failed = |_: Unsealable| Problem::new(Code::Internal, "no secret could be made");
    let secret = SigningSecret::random().map_err(|_| failed(Unsealable))?;
    let sealed = hooks.ring.seal(SEALED_FOR, id.uuid().as_bytes(), secret.bytes()).map_err(failed)?;
    Ok((secret.text(), sealed))
}
