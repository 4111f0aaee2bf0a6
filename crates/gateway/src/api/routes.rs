//! Which address does what.

use super::api_keys::{self, API_KEY, API_KEYS};
use super::call::serve;
use super::capabilities::{self, CAPABILITIES};
use super::events::{self, EVENT, EVENTS};
use super::methods::{self, METHODS};
use super::operations::{self, CAPTURES, Noun, REFUNDS, VOIDS};
use super::payments::{self, PAYMENT, PAYMENTS};
use super::problem::{Code, Problem};
use super::reserve::{self, ROUTES};
use super::webhook_endpoints as hooks;
use actix_web::http::{Method, header};
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};

/// What the log and the metrics call an address that there is not.
const NOWHERE: &str = "none";

/// Adds the API to an application that has `web::Data<Api>`. Nothing it knows, and nothing it does not, is answered in
/// another form than the API's.
pub(crate) fn configure(app: &mut ServiceConfig) {
    app.service(
        resource(PAYMENTS, GET_AND_POST)
            .route(web::post().to(payments::create))
            .route(web::get().to(payments::list))
            .route(web::head().to(payments::list)),
    );
    // The most frequent call after it.
    app.service(readable(PAYMENT, payments::read));
    for noun in [&CAPTURES, &VOIDS, &REFUNDS] {
        operations(app, noun);
    }
    app.service(resource(ROUTES, POST).route(web::post().to(reserve::create)));
    app.service(readable(EVENTS, events::list));
    app.service(readable(EVENT, events::read));
    app.service(readable(METHODS, methods::list));
    app.service(readable(CAPABILITIES, capabilities::list));
    webhooks(app);
    app.service(
        resource(API_KEYS, GET_AND_POST)
            .route(web::post().to(api_keys::create))
            .route(web::get().to(api_keys::list))
            .route(web::head().to(api_keys::list)),
    );
    app.service(
        resource(API_KEY, GET_AND_DELETE)
            .route(web::get().to(api_keys::read))
            .route(web::head().to(api_keys::read))
            .route(web::delete().to(api_keys::revoke)),
    );
    app.default_service(web::to(nowhere));
}

fn operations(app: &mut ServiceConfig, noun: &'static Noun) {
    let create = move |request: HttpRequest, payload: Payload| operations::create(noun, request, payload);
    app.service(resource(noun.made_at, POST).route(web::post().to(create)));
    app.service(readable(noun.listed_at, move |request: HttpRequest| operations::list(noun, request)));
    app.service(readable(noun.read_at, move |request: HttpRequest| operations::read(noun, request)));
}

fn webhooks(app: &mut ServiceConfig) {
    app.service(
        resource(hooks::ENDPOINTS, GET_AND_POST)
            .route(web::post().to(hooks::create))
            .route(web::get().to(hooks::list))
            .route(web::head().to(hooks::list)),
    );
    app.service(
        resource(hooks::ENDPOINT, GET_PATCH_AND_DELETE)
            .route(web::get().to(hooks::read))
            .route(web::head().to(hooks::read))
            .route(web::patch().to(hooks::change))
            .route(web::delete().to(hooks::remove)),
    );
    app.service(readable(hooks::DELIVERIES, hooks::deliveries));
    app.service(resource(hooks::ROTATE, POST).route(web::post().to(hooks::rotate_secret)));
    app.service(resource(hooks::REDELIVER_RANGE, POST).route(web::post().to(hooks::redeliver_range)));
    app.service(resource(hooks::REDELIVER, POST).route(web::post().to(hooks::redeliver)));
}

fn readable<F, R>(path: &'static str, handler: F) -> Resource
where
    F: Fn(HttpRequest) -> R + Clone + 'static,
    R: Future<Output = HttpResponse> + 'static,
{
    resource(path, GET).route(web::get().to(handler.clone())).route(web::head().to(handler))
}

const GET: &str = "GET, HEAD, OPTIONS";
const POST: &str = "POST, OPTIONS";
const GET_PATCH_AND_DELETE: &str = "GET, HEAD, PATCH, DELETE, OPTIONS";
const GET_AND_DELETE: &str = "GET, HEAD, DELETE, OPTIONS";
const GET_AND_POST: &str = "GET, HEAD, POST, OPTIONS";

/// An address that refuses every method but those it is given, and tells which they are.
fn resource(path: &'static str, allow: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move |request: HttpRequest| async move {
        if request.method() == Method::OPTIONS {
            return HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish();
        }
        serve(request, path, async |call| {
            call.stranger()?;
            call.refuse_card_numbers()?;
            let detail = format!("this address knows {allow}");
            Err(Problem { allow: Some(allow), ..Problem::new(Code::MethodNotAllowed, detail) })
        })
        .await
    }))
}

async fn nowhere(request: HttpRequest) -> HttpResponse {
    serve(request, NOWHERE, async |call| {
        call.stranger()?;
        call.refuse_card_numbers()?;
        call.query()?;
        Err(Problem::not_found("address"))
    })
    .await
}
