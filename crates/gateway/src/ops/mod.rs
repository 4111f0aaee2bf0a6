//! The operators' listener: metrics and health for machines, `/ops` for people and the command line.

mod admin;
mod channels;
mod explain;
mod health;
mod payments;
mod status;

use crate::api::Pepper;
use crate::clock;
use crate::metrics::Metrics;
use crate::records::Shelf;
use crate::serve::State;
use crate::tasks::Tasks;
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpResponse, HttpServer, web};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use switchyard_core::{Clock, Timestamp};
use switchyard_engine::Board;
use switchyard_store::Store;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Ops {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) board: Arc<Board>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tasks: Tasks,
    pub(crate) state: Arc<State>,
    pub(crate) token: SecretString,
    pub(crate) pepper: Pepper,
    /// Rules that were in force once.
    pub(crate) shelf: Arc<Shelf>,
}

/// The token of the settings, or one made up for this process.
pub(crate) fn token(given: Option<&SecretString>) -> SecretString {
    given.cloned().unwrap_or_else(|| {
        let random: [u8; 32] = clock::random();
        random.iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}")).into()
    })
}

/// Binds the listener. One worker: it serves people and one Prometheus.
///
/// # Errors
/// Where the address cannot be listened on.
pub(crate) fn server(ops: Ops, listen: SocketAddr) -> std::io::Result<(Server, SocketAddr)> {
    let ops = web::Data::new(ops);
    let server = HttpServer::new(move || {
        let guarded = web::scope("/ops")
            .wrap(from_fn(require_token))
            .configure(status::configure)
            .configure(payments::configure)
            .configure(admin::configure)
            .configure(explain::configure)
            .configure(channels::configure)
            .default_service(web::to(nowhere));
        App::new().app_data(ops.clone()).configure(health::configure).service(guarded).default_service(web::to(nowhere))
    })
    .workers(1)
    .shutdown_timeout(1)
    .disable_signals()
    .bind(listen)?;
    let address = server.addrs().first().copied().unwrap_or(listen);
    Ok((server.run(), address))
}

async fn require_token(
    request: ServiceRequest,
    next: Next<actix_web::body::BoxBody>,
) -> Result<ServiceResponse, Error> {
    let expected = request.app_data::<web::Data<Ops>>().map(|ops| ops.token.clone());
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    let allowed = match (&expected, given) {
        (Some(expected), Some(given)) => bool::from(expected.expose_secret().as_bytes().ct_eq(given.as_bytes())),
        (Some(_) | None, Some(_) | None) => false,
    };
    if allowed {
        return next.call(request).await;
    }
    let refused = HttpResponse::Unauthorized()
        .insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"switchyard operations\""))
        .json(json!({"error": "the operator token is missing or wrong"}));
    Ok(request.into_response(refused))
}

/// RFC 3339 in UTC; `None` past the year 9999.
fn rfc3339(at: Timestamp) -> Option<String> {
    jiff::Timestamp::from_millisecond(at.0).ok().map(|time| format!("{time:.3}"))
}

async fn nowhere() -> HttpResponse {
    HttpResponse::NotFound().json(json!({"error": "there is no such address"}))
}

/// The ledger did not answer.
fn unavailable(error: &switchyard_store::StoreError) -> HttpResponse {
    tracing::error!(%error, "an operator's request failed");
    HttpResponse::ServiceUnavailable().json(json!({"error": "the ledger is unavailable"}))
}
