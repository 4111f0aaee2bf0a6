//! Channels and rules as they are now.

use super::{Ops, rfc3339, unavailable};
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};
use switchyard_core::Mode;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route("/channels", web::get().to(channels)).route("/rules", web::get().to(rules));
}

async fn channels(ops: web::Data<Ops>) -> HttpResponse {
    let overrides = match ops.store.overrides().await {
        Ok(overrides) => overrides,
        Err(error) => return unavailable(&error),
    };
    let now = ops.clock.now();
    let in_force = ops.board.in_force();
    let channels: Vec<Value> = in_force
        .rules
        .channel_names()
        .map(|name| {
            let set = overrides.iter().find(|it| it.channel == *name && it.expires_at.is_none_or(|end| end > now));
            json!({
                "channel": name.as_str(),
                "status": {
                    "test": in_force.status(name, Mode::Test).as_str(),
                    "live": in_force.status(name, Mode::Live).as_str(),
                },
                "override": set.map(|it| json!({
                    "status": it.status,
                    "reason": it.reason,
                    "set_at": rfc3339(it.set_at),
                    "expires_at": it.expires_at.and_then(rfc3339),
                })),
            })
        })
        .collect();
    HttpResponse::Ok().json(json!({"channels": channels}))
}

async fn rules(ops: web::Data<Ops>) -> HttpResponse {
    let in_force = ops.board.in_force();
    let names: Vec<&str> = in_force.rules.rule_names().collect();
    let refused = ops.state.reload_refused();
    HttpResponse::Ok().json(json!({
        "version": &*in_force.version,
        "in_force_since": rfc3339(in_force.since),
        "refused": refused.map(|(reason, at)| json!({"reason": reason, "at": rfc3339(at)})),
        "rules": names,
    }))
}
