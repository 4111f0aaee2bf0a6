//! Channels as operators see them: what each is, why, since when and until when, and what was before.

use super::{Ops, rfc3339, unavailable};
use crate::cli::admin::{AdminError, ChannelEvent, OverrideView};
use actix_web::error::QueryPayloadError;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use switchyard_coordination::{Health, Reading};
use switchyard_core::{ChannelName, Mode, Timestamp};
use switchyard_engine::maintenance::Period;
use switchyard_engine::{Cause, InForce, Standing};
use switchyard_store::{Override, StatusQuery};

/// Most lines of one answer.
const LIMIT_MAX: u32 = 1_000;
const LIMIT: u32 = 100;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.app_data(web::QueryConfig::default().error_handler(unreadable))
        .route("/channels", web::get().to(channels))
        .route("/channels/history", web::get().to(history))
        .route("/events", web::get().to(events))
        .route("/audit", web::get().to(audit));
}

fn unreadable(error: QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    let answer = HttpResponse::BadRequest().json(json!({"error": error.to_string()}));
    actix_web::error::InternalError::from_response(error, answer).into()
}

async fn channels(ops: web::Data<Ops>) -> HttpResponse {
    let overrides = match ops.store.overrides().await {
        Ok(overrides) => overrides,
        Err(error) => return unavailable(&error),
    };
    let now = ops.clock.now();
    let in_force = ops.board.in_force();
    let channels = in_force.rules.channel_names().map(|name| channel(&ops, &in_force, name, &overrides, now));
    HttpResponse::Ok().json(json!({"channels": channels.collect::<Vec<_>>()}))
}

fn channel(ops: &Ops, in_force: &InForce, name: &ChannelName, overrides: &[Override], now: Timestamp) -> Value {
    let set = overrides.iter().find(|it| it.channel == *name && it.expires_at.is_none_or(|end| end > now));
    let maintenance = ops.board.maintenance(name, now);
    let modes: Map<String, Value> = ops
        .board
        .modes(name)
        .into_iter()
        .filter_map(|mode| {
            let reading = ops.board.reading(name, mode, now);
            let health = reading.map(|reading| health(reading, in_force.probing(name, mode)));
            Some((mode.as_str().to_owned(), standing(in_force.standing(name, mode)?, health)))
        })
        .collect();
    json!({
        "channel": name.as_str(),
        "status": {
            "test": in_force.status(name, Mode::Test).as_str(),
            "live": in_force.status(name, Mode::Live).as_str(),
        },
        // Where the channel has an account.
        "modes": modes,
        "override": set.map(OverrideView::from),
        "maintenance": {
            "current": maintenance.current.as_ref().map(period),
            "next": maintenance.next.as_ref().map(period),
        },
    })
}

fn period(period: &Period) -> Value {
    json!({"from": rfc3339(period.from), "to": rfc3339(period.to), "reason": &*period.reason})
}

fn standing(standing: &Standing, health: Option<Value>) -> Value {
    json!({
        "status": standing.status.as_str(),
        "since": rfc3339(standing.since),
        "cause": cause(&standing.cause),
        "health": health,
    })
}

fn cause(cause: &Cause) -> Value {
    let (reason, by, until) = match cause {
        Cause::Health => (None, None, None),
        Cause::Maintenance(period) => (Some(&*period.reason), None, Some(period.to)),
        Cause::Override(word) => (Some(&*word.reason), Some(&*word.by), word.until),
    };
    json!({"type": cause.as_str(), "reason": reason, "by": by, "until": until.and_then(rfc3339)})
}

/// What the calls of the window say, whether it decides or not.
fn health(reading: Reading, probing: bool) -> Value {
    let window = reading.window;
    let permille = |part: u32| u64::from(part).saturating_mul(1_000).checked_div(window.sample.into());
    let trial = match reading.health {
        // As payments see it, which is a moment later.
        Health::Probing { share_permille, open, .. } if probing => {
            Some(json!({"share_permille": share_permille, "open": open}))
        }
        Health::Up | Health::Degraded | Health::Down | Health::Probing { .. } => None,
    };
    json!({
        "level": reading.health.level().as_str(),
        "level_for_seconds": reading.level_for.as_secs(),
        "calls": window.sample,
        "faults": window.faults,
        "faults_permille": permille(window.faults),
        "slow": window.slow,
        "slow_permille": permille(window.slow),
        "stalled": window.stalled,
        "good_in_a_row": reading.good,
        "good_needed": reading.good_needed,
        "cool_down_left_seconds": reading.cooling.as_millis().div_ceil(1_000),
        "trial": trial,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Feed {
    #[serde(default)]
    after: i64,
    limit: Option<u32>,
}

/// The operators' feed, apart from the merchants' events: oldest first, each once.
async fn events(ops: web::Data<Ops>, feed: web::Query<Feed>) -> HttpResponse {
    match ops.store.status_changes(StatusQuery::After(feed.after), bounded(feed.limit)).await {
        Ok(found) => {
            let next = found.last().map_or(feed.after, |last| last.position);
            let data: Vec<ChannelEvent> = found.into_iter().map(ChannelEvent::from).collect();
            HttpResponse::Ok().json(json!({"data": data, "next": next}))
        }
        Err(error) => unavailable(&error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Past {
    channel: Option<String>,
    limit: Option<u32>,
}

async fn history(ops: web::Data<Ops>, past: web::Query<Past>) -> HttpResponse {
    let channels: Vec<ChannelName> = ops.board.in_force().rules.channel_names().cloned().collect();
    match ops.office().history(past.channel.as_deref(), bounded(past.limit), &channels).await {
        Ok(found) => HttpResponse::Ok().json(json!({"data": found})),
        Err(AdminError::Store(error)) => unavailable(&error),
        Err(error @ (AdminError::NotFound(_) | AdminError::Invalid(_))) => HttpResponse::NotFound().json(error.body()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    limit: Option<u32>,
}

/// The audit log's latest lines.
async fn audit(ops: web::Data<Ops>, lines: web::Query<Lines>) -> HttpResponse {
    match ops.store.audit(bounded(lines.limit)).await {
        Ok(found) => {
            let line = |line: switchyard_store::Audit| {
                json!({
                    "at": rfc3339(line.at), "actor": line.actor, "action": line.action, "subject": line.subject,
                    "detail": line.detail,
                })
            };
            HttpResponse::Ok().json(json!({"data": found.into_iter().map(line).collect::<Vec<_>>()}))
        }
        Err(error) => unavailable(&error),
    }
}

fn bounded(limit: Option<u32>) -> u32 {
    limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX)
}
