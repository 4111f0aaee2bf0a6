//! Payments to test with.

use crate::{Answer, Begin, Begun, Claim, Conclude, Store, Written};
use bytes::Bytes;
use std::sync::Arc;
use switchyard_core::operation::{Operation, OperationKind, Target};
use switchyard_core::payment::{CaptureMode, Decided, News, Payment, Source};
use switchyard_core::settle::{self, Report};
use switchyard_core::status::{OperationState, PaymentStatus};
use switchyard_core::{
    ChannelName, Country, Currency, MerchantName, Method, Mode, Money, OperationId, OrderType, PaymentId, Timestamp,
};
use uuid::Uuid;

/// When the first payment was made.
pub const START: i64 = 1_770_000_000_000;

/// Makes payments, each a second after the one before.
#[derive(Debug)]
pub struct Sample {
    /// The clock.
    pub now: Timestamp,
    ids: u64,
}

impl Default for Sample {
    fn default() -> Self {
        Self { now: Timestamp(START), ids: 0 }
    }
}

impl Sample {
    /// From [`START`] on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A UUID version 7 of the present millisecond, greater than those before.
    pub fn uuid(&mut self) -> Uuid {
        self.ids += 1;
        let millisecond = u128::try_from(self.now.0).expect("after 1970");
        Uuid::from_u128(millisecond << 80 | 7 << 76 | 2 << 62 | u128::from(self.ids))
    }

    /// A payment without an operation yet.
    pub fn payment(&mut self) -> Payment {
        self.now = Timestamp(self.now.0 + 1_000);
        let id = PaymentId::from_uuid(self.uuid());
        Payment {
            id,
            merchant: merchant("acme"),
            mode: Mode::Test,
            status: PaymentStatus::Processing,
            amount: money(12_500, "EUR"),
            authorized: 0,
            captured: 0,
            released: 0,
            refunded: 0,
            pending: Vec::new(),
            operations: Vec::new(),
            country: Country::from_code("DE").expect("a country"),
            order_type: OrderType::new("ecommerce").expect("a name"),
            reference: format!("order-{}", self.ids),
            method: Method::Card,
            capture: CaptureMode::Manual,
            card: None,
            checks: None,
            capture_before: None,
            next_action: None,
            failure: None,
            last_failure: None,
            decided: Decided {
                rule: "eu-cards".into(),
                rules_version: "sha256:2f1c9a5be6d0c1e7d7a4b6c8f00112233445566778899aabbccddeeff0011223".into(),
                channel: ChannelName::new("simulator_eu"),
                reason: "first channel up".into(),
                snapshot: Arc::from([0_u8, 1, 2, 3]),
                offer: Arc::from([255_u8]),
                route: None,
            },
            provider: Some("simulator".into()),
            provider_reference: None,
            observed: None,
            contradiction: None,
            statement_descriptor: None,
            description: None,
            customer: Some("cus-77".into()),
            metadata: vec![("cart".into(), "77".into())],
            allow_duplicate_reference: false,
            webhook_endpoint: None,
            created_at: self.now,
            updated_at: self.now,
            events: 0,
            version: 0,
        }
    }

    /// An operation of the payment, not yet taken in.
    pub fn operation(&mut self, payment: &Payment, kind: OperationKind) -> Operation {
        Operation {
            id: OperationId::from_uuid(self.uuid()),
            payment: payment.id,
            kind,
            state: OperationState::Intended,
            amount: payment.amount.minor(),
            last: false,
            reason: None,
            target: Some(Arc::new(Target {
                channel: ChannelName::new("simulator_eu").expect("a name"),
                base: "http://127.0.0.1:9001".into(),
                account: "acct_1".into(),
            })),
            provider_reference: None,
            failure: None,
            created_at: self.now,
            updated_at: self.now,
            send_by: Timestamp(self.now.0 + 5_000),
            next_look_up_at: Some(Timestamp(self.now.0 + 30_000)),
            look_ups: 0,
            events: 0,
            version: 0,
        }
    }

    /// The intent of a new payment, without a key.
    pub fn begin(&mut self) -> Begin {
        let payment = self.payment();
        self.begin_of(payment)
    }

    /// The intent of `payment`, which is new, without a key.
    pub fn begin_of(&mut self, payment: Payment) -> Begin {
        let operation = self.operation(&payment, OperationKind::Authorize);
        self.take_in(payment, operation)
    }

    /// The intent of a further operation, without a key.
    pub fn take_in(&mut self, payment: Payment, operation: Operation) -> Begin {
        let moved = settle::begin(payment, operation, self.now).expect("the payment allows it");
        Begin { claim: None, payment: moved.payment, operation: moved.operation, events: moved.events, answer: None }
    }

    /// What the news makes of a payment and its operation as they stand.
    pub fn conclude(&mut self, payment: Payment, operation: Operation, news: News) -> Conclude {
        self.now = Timestamp(self.now.0 + 100);
        let moved = settle::settle(payment, operation, &Report::bare(news), Source::Answer, self.now);
        let mut operation = moved.operation;
        if !operation.state.open() {
            operation.next_look_up_at = None;
        }
        Conclude { payment: moved.payment, operation, events: moved.events, answer: None }
    }
}

/// A merchant of that name.
#[must_use]
pub fn merchant(name: &str) -> MerchantName {
    MerchantName::new(name).expect("a name")
}

/// An amount in minor units.
#[must_use]
pub fn money(minor: i64, currency: &str) -> Money {
    Money::new(minor, Currency::from_code(currency).expect("a currency")).expect("an amount")
}

/// A claim on a key of that number.
#[must_use]
pub fn claim(number: u8) -> Claim {
    Claim { key: [number; 16], request: [number ^ 0xff; 16], form: number }
}

/// An answer with that body.
#[must_use]
pub fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: Bytes::copy_from_slice(body.as_bytes()) }
}

/// As the ledger holds it after the next write.
#[must_use]
pub fn stored(payment: &Payment) -> Payment {
    Payment { version: payment.version + 1, ..payment.clone() }
}

/// As the ledger holds it after the next write.
#[must_use]
pub fn stored_operation(operation: &Operation) -> Operation {
    Operation { version: operation.version + 1, ..operation.clone() }
}

/// Approval of all that was asked for.
#[must_use]
pub fn approved(payment: &Payment) -> News {
    News::Approved(payment.amount)
}

/// Writes an intent that must not be refused; returns payment and operation as they stand.
pub async fn begun(store: &dyn Store, begin: Begin) -> (Payment, Operation) {
    let standing = (stored(&begin.payment), stored_operation(&begin.operation));
    let begun = store.begin(begin).await.expect("a begin");
    assert!(matches!(begun, Begun::Done), "{begun:?}");
    standing
}

/// Writes an outcome that must not be refused; returns payment and operation as they stand.
pub async fn concluded(store: &dyn Store, conclude: Conclude) -> (Payment, Operation) {
    let standing = (stored(&conclude.payment), stored_operation(&conclude.operation));
    assert_eq!(store.conclude(conclude).await, Ok(Written::Done));
    standing
}

/// Begins a payment and approves it.
pub async fn approve(store: &dyn Store, sample: &mut Sample, payment: Payment) -> (Payment, Operation) {
    let (payment, operation) = begun(store, sample.begin_of(payment)).await;
    let news = approved(&payment);
    concluded(store, sample.conclude(payment, operation, news)).await
}
