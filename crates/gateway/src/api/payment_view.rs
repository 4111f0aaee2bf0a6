//! A payment as merchants read it.

use super::operation_view::OperationView;
use super::view::{Pairs, Shown, Time};
use serde::Serialize;
use switchyard_core::operation::OperationKind;
use switchyard_core::payment::{Checks, NextAction, Pending};
use switchyard_core::{EndpointId, Failure, Method, Mode, Operation, OperationId, Payment, PaymentId, RouteId};

/// A payment.
#[derive(Serialize)]
pub(super) struct PaymentView<'a> {
    id: Shown<PaymentId>,
    object: &'static str,
    status: &'static str,
    in_doubt: bool,
    pending: Vec<PendingView>,
    live: bool,
    amount: i64,
    amount_authorized: i64,
    amount_capturable: i64,
    amount_captured: i64,
    amount_refundable: i64,
    amount_refunded: i64,
    currency: &'static str,
    country: &'a str,
    order_type: &'a str,
    reference: &'a str,
    capture: &'static str,
    payment_method: MethodView<'a>,
    checks: Option<ChecksView<'a>>,
    three_ds: Option<Never>,
    capture_before: Option<Time>,
    stored_method: Option<Never>,
    exchange: Option<Never>,
    disputed: bool,
    next_action: Option<NextActionView<'a>>,
    failure: Option<FailureView<'a>>,
    last_failure: Option<FailureView<'a>>,
    route: RouteView<'a>,
    provider: Option<ProviderView<'a>>,
    observed: Option<ObservedView>,
    metadata: Pairs<'a>,
    created_at: Time,
    updated_at: Time,
    expires_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_endpoint: Option<Shown<EndpointId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operations: Option<Vec<OperationView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refreshed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_refreshed_because: Option<&'a str>,
}

/// A member that is always null: what it tells of is not there yet.
#[derive(Serialize)]
pub(super) enum Never {}

impl<'a> PaymentView<'a> {
    /// The payment alone.
    pub(super) fn of(payment: &'a Payment) -> Self {
        let next_action = payment.next_action.as_ref().map(NextActionView::of);
        Self {
            id: Shown(payment.id),
            object: "payment",
            status: payment.status.as_str(),
            in_doubt: payment.in_doubt(),
            pending: payment.pending.iter().map(PendingView::of).collect(),
            live: payment.mode == Mode::Live,
            amount: payment.amount.minor(),
            amount_authorized: payment.authorized,
            amount_capturable: payment.capturable(),
            amount_captured: payment.captured,
            amount_refundable: payment.refundable(),
            amount_refunded: payment.refunded,
            currency: payment.amount.currency().code(),
            country: payment.country.code(),
            order_type: payment.order_type.as_str(),
            reference: &payment.reference,
            capture: payment.capture.as_str(),
            payment_method: MethodView::of(payment),
            checks: payment.checks.as_ref().map(ChecksView::of),
            three_ds: None,
            capture_before: payment.capture_before.map(Time),
            stored_method: None,
            exchange: None,
            disputed: false,
            expires_at: next_action.as_ref().and_then(|action| action.expires_at),
            next_action,
            failure: payment.failure.as_ref().map(FailureView::of),
            last_failure: payment.last_failure.as_ref().map(FailureView::of),
            route: RouteView::of(payment),
            provider: ProviderView::of(payment, payment.provider_reference.as_deref()),
            observed: payment.observed.map(|(at, from)| ObservedView { at: Time(at), from: from.as_str() }),
            metadata: Pairs(&payment.metadata),
            created_at: Time(payment.created_at),
            updated_at: Time(payment.updated_at),
            webhook_endpoint: payment.webhook_endpoint.map(Shown),
            operations: None,
            refreshed: None,
            not_refreshed_because: None,
        }
    }

    /// With its operations, oldest first.
    pub(super) fn with_operations(mut self, payment: &'a Payment, operations: &'a [Operation]) -> Self {
        self.operations = Some(operations.iter().map(|operation| OperationView::alone(operation, payment)).collect());
        self
    }

    /// With what asking the provider brought.
    pub(super) fn with_refresh(mut self, not_refreshed: Option<&'a str>) -> Self {
        self.refreshed = Some(not_refreshed.is_none());
        self.not_refreshed_because = not_refreshed;
        self
    }
}

#[derive(Serialize)]
struct PendingView {
    id: Shown<PublicId>,
    kind: &'static str,
    amount: i64,
    in_doubt: bool,
}

impl PendingView {
    fn of(pending: &Pending) -> Self {
        let id = Shown(PublicId(pending.kind, pending.operation));
        Self { id, kind: pending.kind.as_str(), amount: pending.amount, in_doubt: pending.in_doubt }
    }
}

/// An operation's id with the prefix of its kind.
pub(super) struct PublicId(pub(super) OperationKind, pub(super) OperationId);

impl std::fmt::Display for PublicId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.0.prefix(), self.1.uuid().simple())
    }
}

#[derive(Serialize)]
struct MethodView<'a> {
    r#type: &'static str,
    /// Shown for cards alone, known or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last4: Option<Option<&'a str>>,
}

impl<'a> MethodView<'a> {
    fn of(payment: &'a Payment) -> Self {
        let facts = payment.card.as_ref();
        let card = facts.is_some() || payment.method == Method::Card;
        Self {
            r#type: payment.method.name(),
            brand: card.then(|| facts.and_then(|facts| facts.brand.as_deref())),
            last4: card.then(|| facts.and_then(|facts| facts.last4.as_deref())),
        }
    }
}

#[derive(Serialize)]
struct ChecksView<'a> {
    cvc: Option<&'a str>,
    avs_line: Option<&'a str>,
    avs_postal: Option<&'a str>,
}

impl<'a> ChecksView<'a> {
    fn of(checks: &'a Checks) -> Self {
        Self {
            cvc: checks.cvc.as_deref(),
            avs_line: checks.avs_line.as_deref(),
            avs_postal: checks.avs_postal.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct NextActionView<'a> {
    r#type: &'static str,
    url: &'a str,
    method: &'static str,
    fields: Option<Never>,
    expires_at: Option<Time>,
}

impl<'a> NextActionView<'a> {
    fn of(action: &'a NextAction) -> Self {
        match action {
            NextAction::Redirect { url, expires_at } => {
                Self { r#type: "redirect", url, method: "GET", fields: None, expires_at: expires_at.map(Time) }
            }
        }
    }
}

/// Why something failed.
#[derive(Serialize)]
pub(super) struct FailureView<'a> {
    category: &'static str,
    code: &'static str,
    message: &'static str,
    payer_message: &'static str,
    retry: &'static str,
    retry_after_seconds: Option<u32>,
    origin: &'static str,
    provider_code: Option<&'a str>,
    provider_message: Option<&'a str>,
    network_code: Option<&'a str>,
    advice_code: Option<&'a str>,
}

impl<'a> FailureView<'a> {
    pub(super) fn of(failure: &'a Failure) -> Self {
        let code = failure.code;
        Self {
            category: code.category().as_str(),
            code: code.name(),
            message: code.message(),
            payer_message: code.payer_message(),
            retry: code.retry().as_str(),
            retry_after_seconds: failure.retry_after_seconds,
            origin: failure.origin.as_str(),
            provider_code: failure.provider_code.as_deref(),
            provider_message: failure.provider_message.as_deref(),
            network_code: failure.network_code.as_deref(),
            advice_code: failure.advice_code.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct RouteView<'a> {
    rule: &'a str,
    channel: Option<&'a str>,
    rules_version: &'a str,
    reason: &'a str,
    /// Shown where the payment followed a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Shown<RouteId>>,
}

impl<'a> RouteView<'a> {
    fn of(payment: &'a Payment) -> Self {
        let decided = &payment.decided;
        Self {
            rule: &decided.rule,
            channel: decided.channel.as_ref().map(switchyard_core::ChannelName::as_str),
            rules_version: &decided.rules_version,
            reason: &decided.reason,
            id: decided.route.map(Shown),
        }
    }
}

/// Who carried it out, and their id of it.
#[derive(Serialize)]
pub(super) struct ProviderView<'a> {
    name: &'a str,
    reference: Option<&'a str>,
}

impl<'a> ProviderView<'a> {
    /// `None` where no provider was chosen.
    pub(super) fn of(payment: &'a Payment, reference: Option<&'a str>) -> Option<Self> {
        payment.provider.as_deref().map(|name| Self { name, reference })
    }
}

#[derive(Serialize)]
struct ObservedView {
    at: Time,
    from: &'static str,
}
