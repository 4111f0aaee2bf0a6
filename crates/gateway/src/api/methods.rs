//! `/v1/payment_methods`.

use super::call::{Reply, serve};
use super::methods_view::{MethodView, UnavailableView};
use super::query::Query;
use super::view::{ListView, json};
use actix_web::{HttpRequest, HttpResponse};
use switchyard_core::limits::AMOUNT_MINOR_MAX;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{Country, Currency, OrderType};
use switchyard_engine::WantedMethods;
use switchyard_store::Scope;

/// Where methods are listed.
pub(super) const METHODS: &str = "/v1/payment_methods";

/// The methods that a payment would get a channel by, at this moment, in the order of the table of methods; with
/// `?include=unavailable` also the others, each with the reason.
pub(super) async fn list(request: HttpRequest) -> HttpResponse {
    serve(request, METHODS, async |call| {
        let caller = call.allow(Scope::PaymentsRead)?;
        let mut query = call.query()?;
        let wanted = wanted(&mut query, &call.order_types());
        let choice = ["unavailable"];
        let include = query.choice("include", "unavailable", choice, |text| (text == "unavailable").then_some(()));
        query.finish()?;
        // Without a fault, all that is required is there.
        let offers = wanted.iter().flat_map(|wanted| call.engine().methods(&caller, wanted));
        let offers: Vec<_> = offers.collect();
        let amount = wanted.as_ref().and_then(|wanted| wanted.amount);
        let currency = wanted.as_ref().and_then(|wanted| wanted.currency);
        let available = offers.iter().filter_map(|offer| MethodView::of(offer, currency, amount));
        let view = Methods {
            list: ListView::new(available.collect(), None),
            unavailable: include
                .map(|()| offers.iter().filter(|offer| offer.terms.is_none()).map(UnavailableView::of).collect()),
        };
        Ok(Reply::read(json(&view)))
    })
    .await
}

#[derive(serde::Serialize)]
struct Methods<'a> {
    #[serde(flatten)]
    list: ListView<MethodView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable: Option<Vec<UnavailableView<'a>>>,
}

fn wanted(query: &mut Query, order_types: &[OrderType]) -> Option<WantedMethods> {
    query.require("country");
    query.require("order_type");
    let country = query.parsed("country", "an ISO 3166-1 alpha-2 code in capitals", Country::from_code);
    let order_type = query.parsed("order_type", "an order type that this merchant may use", |name| {
        order_types.iter().find(|known| known.as_str() == name).cloned()
    });
    let has_currency = query.has("currency");
    let currency = query.parsed("currency", "an ISO 4217 code in capitals", Currency::from_code);
    let minor = format!("an integer from 1 to {AMOUNT_MINOR_MAX}, in minor units");
    let amount = query
        .parsed("amount", &minor, |text| text.parse().ok().filter(|amount| (1..=AMOUNT_MINOR_MAX).contains(amount)));
    if amount.is_some() && !has_currency {
        query.fault("currency", "required", "is required with `amount`");
    }
    let capture = query.choice("capture", "automatic or manual", ["automatic", "manual"], CaptureMode::from_name);
    Some(WantedMethods {
        country: country?,
        order_type: order_type?,
        currency,
        amount,
        capture: capture.unwrap_or(CaptureMode::Automatic),
    })
}
