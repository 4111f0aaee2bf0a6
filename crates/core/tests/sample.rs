//! Payments and operations to try things on.

use switchyard_core::clock::Timestamp;
use switchyard_core::payment::{CaptureMode, Decided, Payment};
use switchyard_core::status::OperationState;
use switchyard_core::*;
use uuid::Uuid;

pub(crate) fn money(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap()).unwrap()
}

pub(crate) fn payment(amount: i64, capture: CaptureMode) -> Payment {
    Payment {
        id: PaymentId::from_uuid(Uuid::from_u128(1)),
        merchant: MerchantName::new("shop").unwrap(),
        mode: Mode::Test,
        status: PaymentStatus::Processing,
        amount: money(amount),
        authorized: 0,
        captured: 0,
        released: 0,
        refunded: 0,
        pending: Vec::new(),
        operations: Vec::new(),
        country: Country::from_code("DE").unwrap(),
        order_type: OrderType::new("ecommerce").unwrap(),
        reference: "order-1".into(),
        method: Method::Card,
        capture,
        card: None,
        checks: None,
        capture_before: None,
        next_action: None,
        failure: None,
        last_failure: None,
        decided: Decided {
            rule: "all".into(),
            rules_version: "sha256:0".into(),
            channel: ChannelName::new("eu"),
            reason: "first channel up".into(),
            snapshot: [].into(),
            offer: [].into(),
            route: None,
        },
        provider: None,
        provider_reference: None,
        observed: None,
        contradiction: None,
        statement_descriptor: None,
        description: None,
        customer: None,
        metadata: Vec::new(),
        allow_duplicate_reference: false,
        webhook_endpoint: None,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        events: 0,
        version: 0,
    }
}

pub(crate) fn operation(number: u128, kind: OperationKind, amount: i64) -> Operation {
    Operation {
        id: OperationId::from_uuid(Uuid::from_u128(100 + number)),
        payment: PaymentId::from_uuid(Uuid::from_u128(1)),
        kind,
        state: OperationState::Intended,
        amount,
        last: false,
        reason: None,
        target: None,
        provider_reference: None,
        failure: None,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        send_by: Timestamp(5_000),
        next_look_up_at: None,
        look_ups: 0,
        events: 0,
        version: 0,
    }
}
