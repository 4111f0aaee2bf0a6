//! `/v1/capabilities`.

use super::call::{Reply, serve};
use super::capabilities_view::ChannelView;
use super::view::{ListView, json};
use actix_web::{HttpRequest, HttpResponse};
use switchyard_store::Scope;

/// Where channels tell what they can do.
pub(super) const CAPABILITIES: &str = "/v1/capabilities";

/// What each channel that the merchant may use can do, as configured, by name. Neither rules nor status matter here.
pub(super) async fn list(request: HttpRequest) -> HttpResponse {
    serve(request, CAPABILITIES, async |call| {
        let caller = call.allow(Scope::PaymentsRead)?;
        call.no_query()?;
        let channels = call.engine().capabilities(&caller);
        let data = channels.iter().map(ChannelView::of).collect();
        Ok(Reply::read(json(&ListView::new(data, None))))
    })
    .await
}
