//! The rules as they are now.

use super::{Ops, rfc3339};
use actix_web::{HttpResponse, web};
use serde_json::json;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route("/rules", web::get().to(rules));
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
