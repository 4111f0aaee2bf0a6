//! A payment and its operations, as the engine gives them.

use std::sync::Arc;
use switchyard_core::capabilities::{AmountRange, Field, Parts, Presentation};
use switchyard_core::operation::Target;
use switchyard_core::payment::{CaptureMode, CardFacts, Checks, Decided, NextAction, Pending, Source};
use switchyard_core::status::OperationState;
use switchyard_core::{
    ChannelName, Country, Currency, Failure, FailureCode, MerchantName, Method, Mode, Money, Operation, OperationId,
    OperationKind, OrderType, Payment, PaymentId, PaymentStatus, RouteId, Timestamp,
};
use switchyard_engine::{MethodOffer, NewRoute, Reservation, Terms, Unavailable, WantedMethods};
use uuid::Uuid;

/// 2026-03-01T12:00:00.007Z.
pub(super) const AT: Timestamp = Timestamp(1_772_366_400_007);

pub(super) fn payment_id() -> PaymentId {
    PaymentId::from_uuid(Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0001))
}

pub(super) fn operation_id(number: u128) -> OperationId {
    OperationId::from_uuid(Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0100 | number))
}

/// Authorized for 125.00 EUR by card, with a refund of nothing yet.
pub(super) fn payment() -> Payment {
    Payment {
        id: payment_id(),
        merchant: MerchantName::new("demo").unwrap(),
        mode: Mode::Test,
        status: PaymentStatus::Authorized,
        amount: Money::new(12_500, Currency::from_code("EUR").unwrap()).unwrap(),
        authorized: 12_500,
        captured: 0,
        released: 0,
        refunded: 0,
        pending: Vec::new(),
        operations: vec![operation_id(0)],
        country: Country::from_code("DE").unwrap(),
        order_type: OrderType::new("ecommerce").unwrap(),
        reference: "order-1001".into(),
        method: Method::Card,
        capture: CaptureMode::Manual,
        card: Some(CardFacts { brand: Some("visa".into()), last4: Some("4242".into()) }),
        checks: Some(Checks { cvc: Some("match".into()), avs_line: None, avs_postal: None }),
        capture_before: Some(Timestamp(AT.0 + 604_800_000)),
        next_action: None,
        failure: None,
        last_failure: None,
        decided: Decided {
            rule: "eu-cards".into(),
            rules_version: "sha256:00ff".into(),
            channel: ChannelName::new("simulator_eu"),
            reason: "first channel up".into(),
            snapshot: Arc::from([]),
            offer: Arc::from([]),
            route: None,
        },
        provider: Some("simulator".into()),
        provider_reference: Some("ch_1".into()),
        observed: Some((AT, Source::Answer)),
        contradiction: None,
        statement_descriptor: None,
        description: None,
        customer: None,
        metadata: vec![("cart".into(), "77".into()), ("a".into(), "\"quoted\"\n".into())],
        allow_duplicate_reference: false,
        webhook_endpoint: None,
        created_at: Timestamp(AT.0 - 7),
        updated_at: AT,
        events: 2,
        version: 2,
    }
}

/// The payment without all that can be missing.
pub(super) fn waiting_payment() -> Payment {
    Payment {
        status: PaymentStatus::RequiresAction,
        method: Method::Ideal,
        capture: CaptureMode::Automatic,
        authorized: 0,
        card: None,
        checks: None,
        capture_before: None,
        next_action: Some(NextAction::Redirect { url: "https://bank.example/a?b".into(), expires_at: Some(AT) }),
        last_failure: Some(Failure::new(FailureCode::InsufficientFunds)),
        provider_reference: None,
        metadata: Vec::new(),
        pending: vec![Pending {
            operation: operation_id(0),
            kind: OperationKind::Sale,
            amount: 12_500,
            in_doubt: false,
            last: false,
        }],
        ..payment()
    }
}

/// Ended before anything was sent.
pub(super) fn failed_payment() -> Payment {
    let mut payment = Payment {
        status: PaymentStatus::Failed,
        authorized: 0,
        card: None,
        checks: None,
        capture_before: None,
        failure: Some(Failure::told(FailureCode::LostOrStolen, Some("41".into()), Some("Lost card".into()))),
        provider: None,
        provider_reference: None,
        observed: None,
        ..payment()
    };
    payment.decided.channel = None;
    payment
}

pub(super) fn operation(number: u128, kind: OperationKind, state: OperationState) -> Operation {
    Operation {
        id: operation_id(number),
        payment: payment_id(),
        kind,
        state,
        amount: 2_500,
        last: false,
        reason: None,
        target: Some(Arc::new(Target {
            channel: ChannelName::new("simulator_eu").unwrap(),
            base: "http://127.0.0.1:8090".into(),
            account: "eu".into(),
        })),
        provider_reference: Some(format!("{}_9", kind.prefix())),
        failure: None,
        created_at: AT,
        updated_at: AT,
        send_by: AT,
        next_look_up_at: None,
        look_ups: 0,
        events: 0,
        version: 1,
    }
}

/// A route that leads to a channel for a quarter of an hour.
pub(super) fn reservation(ask: NewRoute) -> Reservation {
    let id = RouteId::from_uuid(Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0200));
    Reservation {
        id,
        ask,
        decided: Decided { route: Some(id), ..payment().decided },
        provider: Some("simulator".into()),
        client: vec![("publishable_key", "sim_publishable_test_0".into())],
        failure: None,
        created_at: AT,
        expires_at: Some(Timestamp(AT.0 + 900_000)),
    }
}

/// Cards with a gap between two ranges, and a method that a rule refuses.
pub(super) fn methods(ask: &WantedMethods) -> Vec<MethodOffer> {
    let eur = Currency::from_code("EUR").unwrap();
    let range = |min, max, step| AmountRange { currency: ask.currency.unwrap_or(eur), min, max: Some(max), step };
    let terms = Terms {
        presentation: Some(Presentation::Token),
        required: vec![Field::CustomerEmail],
        manual_capture: true,
        captures: Parts::Many,
        void: true,
        refunds: Parts::Part,
    };
    let unavailable = Unavailable {
        rule: Some("rest".into()),
        amount: 1,
        currency: eur,
        reason: "rejected by rule",
        message: Some("not here".into()),
        channels: Vec::new(),
    };
    let amounts = vec![range(50, 1_000, 10), range(5_000, 9_000, 25)];
    vec![
        MethodOffer { method: Method::Card, amounts, terms: Some(terms), unavailable: Vec::new() },
        MethodOffer { method: Method::Ideal, amounts: Vec::new(), terms: None, unavailable: vec![unavailable] },
    ]
}
