//! Methods as merchants read them.

use super::view::Shown;
use serde::Serialize;
use switchyard_core::capabilities::{AmountRange, Field, Parts, Presentation};
use switchyard_core::method::Flow;
use switchyard_core::{ChannelName, Currency};
use switchyard_engine::{MethodOffer, Unavailable};

/// A method that would get a channel.
#[derive(Serialize)]
pub(super) struct MethodView {
    object: &'static str,
    r#type: &'static str,
    flow: &'static str,
    presentation: &'static str,
    currencies: Vec<&'static str>,
    /// Where a currency was asked for: of the amount's range, else over all of them.
    min: Option<i64>,
    max: Option<i64>,
    step: Option<i64>,
    amounts: Vec<AmountView>,
    required: Vec<&'static str>,
    manual_capture: bool,
    partial_capture: bool,
    multiple_captures: bool,
    void: bool,
    partial_refund: bool,
    multiple_refunds: bool,
    stored: bool,
}

/// Amounts from `min` to `max`, both included, in steps.
#[derive(Serialize)]
pub(super) struct AmountView {
    currency: &'static str,
    min: i64,
    max: Option<i64>,
    step: i64,
}

impl AmountView {
    pub(super) fn of(range: &AmountRange) -> Self {
        Self { currency: range.currency.code(), min: range.min, max: range.max, step: range.step }
    }
}

impl MethodView {
    /// `None` where no channel may be chosen.
    pub(super) fn of(offer: &MethodOffer, currency: Option<Currency>, amount: Option<i64>) -> Option<Self> {
        let terms = offer.terms.as_ref()?;
        let mut currencies: Vec<&'static str> = offer.amounts.iter().map(|range| range.currency.code()).collect();
        currencies.dedup();
        let over_all = currency.and_then(|_| span(offer, amount));
        Some(Self {
            object: "payment_method",
            r#type: offer.method.name(),
            flow: flow_name(offer.method.flow()),
            presentation: presentation_name(terms.presentation),
            currencies,
            min: over_all.map(|range| range.min),
            max: over_all.and_then(|range| range.max),
            step: over_all.map(|range| range.step),
            amounts: offer.amounts.iter().map(AmountView::of).collect(),
            required: terms.required.iter().map(|field| Field::path(*field)).collect(),
            manual_capture: terms.manual_capture,
            partial_capture: terms.captures >= Parts::Part,
            multiple_captures: terms.captures >= Parts::Many,
            void: terms.void,
            partial_refund: terms.refunds >= Parts::Part,
            multiple_refunds: terms.refunds >= Parts::Many,
            stored: false,
        })
    }
}

/// The range of the amount; without one, from the least to the largest of all ranges, in steps that are right within each.
fn span(offer: &MethodOffer, amount: Option<i64>) -> Option<AmountRange> {
    if amount.is_some() {
        return offer.range(amount).copied();
    }
    let first = offer.range(None).copied()?;
    Some(offer.amounts.iter().fold(first, |all, range| AmountRange {
        min: all.min.min(range.min),
        max: all.max.max(range.max),
        step: common(all.step, range.step),
        ..all
    }))
}

/// The greatest step that both are multiples of.
fn common(mut a: i64, mut b: i64) -> i64 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

/// A method that would get none.
#[derive(Serialize)]
pub(super) struct UnavailableView<'a> {
    r#type: &'static str,
    reasons: Vec<ReasonView<'a>>,
}

#[derive(Serialize)]
struct ReasonView<'a> {
    rule: Option<&'a str>,
    currency: &'static str,
    /// The least amount of which it is so.
    amount: i64,
    reason: &'static str,
    message: Option<&'a str>,
    channels: Vec<CandidateView<'a>>,
}

#[derive(Serialize)]
struct CandidateView<'a> {
    channel: Shown<&'a ChannelName>,
    reason: &'a str,
}

impl<'a> UnavailableView<'a> {
    pub(super) fn of(offer: &'a MethodOffer) -> Self {
        Self { r#type: offer.method.name(), reasons: offer.unavailable.iter().map(ReasonView::of).collect() }
    }
}

impl<'a> ReasonView<'a> {
    fn of(unavailable: &'a Unavailable) -> Self {
        let channels = unavailable.channels.iter();
        Self {
            rule: unavailable.rule.as_deref(),
            currency: unavailable.currency.code(),
            amount: unavailable.amount,
            reason: unavailable.reason,
            message: unavailable.message.as_deref(),
            channels: channels.map(|(channel, reason)| CandidateView { channel: Shown(channel), reason }).collect(),
        }
    }
}

pub(super) const fn flow_name(flow: Flow) -> &'static str {
    match flow {
        Flow::Direct => "direct",
        Flow::Redirect => "redirect",
        Flow::Push => "push",
        Flow::Debit => "debit",
    }
}

/// `any` where it hangs on the channel.
pub(super) const fn presentation_name(presentation: Option<Presentation>) -> &'static str {
    match presentation {
        Some(Presentation::Token) => "token",
        Some(Presentation::Hosted) => "hosted",
        None => "any",
    }
}
