//! `/v1/routes`.

use super::call::{Reply, serve};
use super::faults::Faults;
use super::json::Json;
use super::route_body;
use super::route_view::RouteView;
use super::view::json;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use switchyard_store::Scope;

/// Where routes are reserved.
pub(super) const ROUTES: &str = "/v1/routes";

/// Decides for a payment that is to come: 201 with the channel and what a page may show of it, or with why there is none.
/// Nothing moves, so no idempotency key is needed; what is reserved twice expires by itself.
pub(super) async fn create(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    serve(request, ROUTES, async |call| {
        let caller = call.allow(Scope::PaymentsWrite)?;
        let order_types = call.order_types();
        let read = |body: Json<'_>, faults: &mut Faults| route_body::read(body, &order_types, faults);
        let ask = call.body(&mut payload, read).await?;
        let mode = caller.mode;
        let reservation = call.engine().reserve(caller, ask).await?;
        Ok(Reply::made(json(&RouteView::of(&reservation, mode))))
    })
    .await
}
