//! For machines: is it alive, can it work, what has it counted.

use super::Ops;
use actix_web::{HttpResponse, web};
use serde_json::json;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route("/healthz", web::get().to(alive))
        .route("/readyz", web::get().to(ready))
        .route("/metrics", web::get().to(metrics));
}

/// The process runs and answers; nothing else is asked.
async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// Whether to send payments here.
async fn ready(ops: web::Data<Ops>) -> HttpResponse {
    let (ledger, stopping) = (ops.state.ledger(), ops.tasks.stopping());
    let in_force = ops.board.in_force();
    let body = json!({
        "ready": ledger && !stopping,
        "ledger": if ledger { "ok" } else { "unavailable" },
        "stopping": stopping,
        "rules_version": &*in_force.version,
        // The old rules go on; somebody has to look at the new ones.
        "reload_refused": ops.state.reload_refused().map(|(reason, _)| reason),
        // They serve nothing until their configuration is put right; the others go on.
        "channels_off": ops.state.off(),
    });
    if ledger && !stopping { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

async fn metrics(ops: web::Data<Ops>) -> HttpResponse {
    ops.metrics.running(ops.tasks.running());
    match ops.metrics.text() {
        Ok(text) => HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}
