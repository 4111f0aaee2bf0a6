//! The body of `POST /v1/routes`.

use super::faults::Faults;
use super::fields::{Fields, read_body};
use super::json::Json;
use super::payment_body::{TOKENS_MAX, country, currency, method_type, order_type};
use switchyard_core::payment::CaptureMode;
use switchyard_core::{Method, Money, OrderType};
use switchyard_engine::NewRoute;

/// Reads a route's request: what routing asks of a payment, named as the payment names it. `order_types` are those that
/// the merchant may use.
pub(crate) fn read(body: Json<'_>, order_types: &[OrderType], faults: &mut Faults) -> Option<NewRoute> {
    read_body(body, faults, |fields| route(fields, order_types))
}

fn route(fields: &mut Fields<'_, '_>, order_types: &[OrderType]) -> Option<NewRoute> {
    for name in ["amount", "currency", "country", "order_type", "payment_method"] {
        fields.require(name);
    }
    let amount = fields.amount("amount");
    let currency = currency(fields);
    let country = country(fields);
    let order_type = order_type(fields, order_types);
    let method = fields.object("payment_method", method).flatten();
    let capture = fields.choice("capture", "automatic or manual", ["automatic", "manual"], CaptureMode::from_name);
    let (method, tokens_for) = method?;
    Some(NewRoute {
        amount: Money::new(amount?, currency?)?,
        country: country?,
        order_type: order_type?,
        method,
        capture: capture.unwrap_or(CaptureMode::Automatic),
        tokens_for,
    })
}

/// Whether a name is a channel's or a provider's is for routing to say.
fn method(fields: &mut Fields<'_, '_>) -> Option<(Method, Option<Vec<String>>)> {
    let method = method_type(fields);
    let tokens_for = fields.texts("tokens_for", 1..=TOKENS_MAX);
    Some((method?, tokens_for.map(|names| names.into_iter().map(Into::into).collect())))
}
