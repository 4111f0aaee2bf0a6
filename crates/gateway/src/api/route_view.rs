//! A route as merchants read it.

use super::payment_view::FailureView;
use super::view::{Shown, Time};
use serde::Serialize;
use serde::ser::Serializer;
use switchyard_core::{ChannelName, Mode, RouteId};
use switchyard_engine::Reservation;

/// A route.
#[derive(Serialize)]
pub(super) struct RouteView<'a> {
    id: Shown<RouteId>,
    object: &'static str,
    live: bool,
    amount: i64,
    currency: &'static str,
    country: &'a str,
    order_type: &'a str,
    capture: &'static str,
    payment_method: MethodView<'a>,
    rule: &'a str,
    channel: Option<&'a str>,
    provider: Option<&'a str>,
    rules_version: &'a str,
    reason: &'a str,
    client: Client<'a>,
    failure: Option<FailureView<'a>>,
    created_at: Time,
    expires_at: Option<Time>,
}

impl<'a> RouteView<'a> {
    pub(super) fn of(reservation: &'a Reservation, mode: Mode) -> Self {
        let Reservation { id, ask, decided, provider, client, failure, created_at, expires_at } = reservation;
        let channel = decided.channel.as_ref().filter(|_| provider.is_some());
        Self {
            id: Shown(*id),
            object: "route",
            live: mode == Mode::Live,
            amount: ask.amount.minor(),
            currency: ask.amount.currency().code(),
            country: ask.country.code(),
            order_type: ask.order_type.as_str(),
            capture: ask.capture.as_str(),
            payment_method: MethodView { r#type: ask.method.name(), tokens_for: ask.tokens_for.as_deref() },
            rule: &decided.rule,
            channel: channel.map(ChannelName::as_str),
            provider: provider.as_deref(),
            rules_version: &decided.rules_version,
            reason: &decided.reason,
            client: Client(client),
            failure: failure.as_ref().map(FailureView::of),
            created_at: Time(*created_at),
            expires_at: expires_at.map(Time),
        }
    }
}

#[derive(Serialize)]
struct MethodView<'a> {
    r#type: &'static str,
    tokens_for: Option<&'a [String]>,
}

/// Names and values that a page may show.
struct Client<'a>(&'a [(&'static str, String)]);

impl Serialize for Client<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
