//! What operators change: API keys, and the status of channels.

use super::Ops;
use crate::cli::admin::{AdminError, IssueKey, Office, SetOverride};
use actix_web::error::JsonPayloadError;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use switchyard_core::ChannelName;

/// Largest body, in bytes: a key with its hundred addresses.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// Whoever has the operator token.
const ACTOR: &str = "operator";

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.app_data(web::JsonConfig::default().limit(BODY_BYTES_MAX).error_handler(unreadable))
        .service(web::resource("/keys").route(web::get().to(list_keys)).route(web::post().to(issue_key)))
        .route("/keys/{id}", web::delete().to(revoke_key))
        .service(
            web::resource("/channels/{name}/override")
                .route(web::post().to(set_override))
                .route(web::delete().to(clear_override)),
        );
}

fn unreadable(error: JsonPayloadError, _: &HttpRequest) -> actix_web::Error {
    let answer = HttpResponse::BadRequest().json(json!({"error": error.to_string()}));
    actix_web::error::InternalError::from_response(error, answer).into()
}

impl Ops {
    pub(super) fn office(&self) -> Office<'_> {
        Office { store: &*self.store, clock: &*self.clock, actor: ACTOR }
    }

    /// The answer; and what was changed holds at once, in this process.
    fn done<T: Serialize>(&self, result: Result<T, AdminError>) -> HttpResponse {
        self.state.look_again();
        answer(result)
    }
}

fn answer<T: Serialize>(result: Result<T, AdminError>) -> HttpResponse {
    match result {
        Ok(body) => HttpResponse::Ok().json(body),
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            HttpResponse::build(status).json(error.body())
        }
    }
}

async fn list_keys(ops: web::Data<Ops>) -> HttpResponse {
    answer(ops.office().keys().await.map(|keys| json!({"data": keys})))
}

async fn issue_key(ops: web::Data<Ops>, asked: web::Json<IssueKey>) -> HttpResponse {
    let merchants = Arc::clone(&ops.board.in_force().merchants);
    let issued = ops.office().issue_key(&asked, merchants.specs(), &ops.pepper).await;
    ops.done(issued)
}

async fn revoke_key(ops: web::Data<Ops>, id: web::Path<String>) -> HttpResponse {
    let revoked = ops.office().revoke_key(&id).await;
    ops.done(revoked)
}

async fn set_override(ops: web::Data<Ops>, name: web::Path<String>, asked: web::Json<SetOverride>) -> HttpResponse {
    let in_force = ops.board.in_force();
    let channels: Vec<ChannelName> = in_force.rules.channel_names().cloned().collect();
    let set = ops.office().set_override(&name, &asked, &channels).await;
    ops.done(set)
}

async fn clear_override(ops: web::Data<Ops>, name: web::Path<String>) -> HttpResponse {
    let cleared = ops.office().clear_override(&name).await;
    ops.done(cleared)
}
