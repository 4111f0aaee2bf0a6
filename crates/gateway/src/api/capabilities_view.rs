//! What channels can do, as merchants read it.

use super::methods_view::{AmountView, flow_name, presentation_name};
use serde::Serialize;
use switchyard_core::capabilities::{Field, MethodCapability, Parts, Which};
use switchyard_core::{Country, Currency, OrderType};
use switchyard_engine::ChannelOffer;
use switchyard_routing::Service;

/// One channel.
#[derive(Serialize)]
pub(super) struct ChannelView<'a> {
    object: &'static str,
    channel: &'a str,
    provider: &'a str,
    acquiring_country: Option<&'a str>,
    order_types: Vec<&'a str>,
    methods: Vec<MethodView<'a>>,
}

#[derive(Serialize)]
struct MethodView<'a> {
    r#type: &'static str,
    flow: &'static str,
    presentation: &'static str,
    /// Null for all.
    currencies: Option<Vec<&'static str>>,
    /// Null for all.
    countries: Option<Vec<&'a str>>,
    /// A currency without a row has no limits.
    amounts: Vec<AmountView>,
    required: Vec<&'static str>,
    operations: OperationsView,
}

#[derive(Serialize)]
struct OperationsView {
    authorize: bool,
    sale: bool,
    capture: &'static str,
    void: bool,
    cancel_waiting: bool,
    refund: &'static str,
}

impl<'a> ChannelView<'a> {
    pub(super) fn of(offer: &'a ChannelOffer) -> Self {
        Self {
            object: "channel_capabilities",
            channel: offer.channel.as_str(),
            provider: &offer.provider,
            acquiring_country: offer.acquiring_country.as_ref().map(Country::code),
            order_types: offer.order_types.iter().map(OrderType::as_str).collect(),
            methods: offer.methods.iter().map(MethodView::of).collect(),
        }
    }
}

impl<'a> MethodView<'a> {
    fn of((service, can): &'a (Service, MethodCapability)) -> Self {
        Self {
            r#type: service.method.name(),
            flow: flow_name(service.method.flow()),
            presentation: presentation_name(Some(can.presentation)),
            currencies: only(&service.currencies, |currency: &Currency| currency.code()),
            countries: only(&service.countries, Country::code),
            amounts: service.amounts.iter().map(AmountView::of).collect(),
            required: can.required.iter().map(|field| Field::path(*field)).collect(),
            operations: OperationsView {
                authorize: service.manual_capture,
                sale: service.sale,
                capture: parts_name(can.captures),
                void: can.void,
                cancel_waiting: can.cancel_waiting,
                refund: parts_name(can.refunds),
            },
        }
    }
}

fn only<'a, T, U>(which: &'a Which<T>, name: impl Fn(&'a T) -> U) -> Option<Vec<U>> {
    match which {
        Which::All => None,
        Which::Only(values) => Some(values.iter().map(name).collect()),
    }
}

/// How often, and for how much.
const fn parts_name(parts: Parts) -> &'static str {
    match parts {
        Parts::No => "none",
        Parts::Whole => "whole",
        Parts::Part => "part",
        Parts::Many => "many",
    }
}
