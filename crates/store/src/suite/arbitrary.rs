//! Any payment at all, from a seed.

use super::sample::{Sample, answer, merchant};
use crate::{Begin, Conclude};
use std::sync::Arc;
use switchyard_core::failure::Origin;
use switchyard_core::operation::{Operation, Target};
use switchyard_core::payment::{CaptureMode, CardFacts, Checks, Decided, NextAction, Payment, Pending, Source};
use switchyard_core::status::{OperationState, PaymentStatus};
use switchyard_core::{
    ChannelName, Country, Currency, EndpointId, Failure, FailureCode, Method, Mode, Money, OperationId, OperationKind,
    OrderType, Timestamp,
};
use uuid::Uuid;

const WORDS: &[&str] =
    &["", "a", "order-1", "O'Brien; DROP TABLE payments", "日本語", "🏦", "a\0b", "12500", "NULL", "ß\n\t\"", "x'00'"];

/// Numbers without end from a seed (xorshift64*).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % end
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.coin().then(|| value(self))
    }

    fn many<T>(&mut self, end: usize, mut value: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(end)).map(|_| value(self)).collect()
    }

    fn text(&mut self) -> String {
        let repeat = self.of(&[1, 1, 1, 2, 40]);
        self.of(WORDS).repeat(repeat)
    }

    fn bytes(&mut self) -> Vec<u8> {
        let end = self.of(&[1, 4, 40, 2_000]);
        self.many(end, |dice| u8::try_from(dice.below(256)).unwrap())
    }

    fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }

    fn number(&mut self) -> u32 {
        let large = u32::try_from(self.next() >> 32).unwrap();
        self.of(&[0, 1, 2, 300, large, u32::MAX - 3])
    }

    fn amount(&mut self) -> i64 {
        let large = i64::try_from(self.next() >> 2).unwrap();
        self.of(&[0, 1, 12_500, 999_999_999_999, large])
    }

    fn timestamp(&mut self) -> Timestamp {
        let any = i64::from_ne_bytes(self.next().to_ne_bytes());
        Timestamp(self.of(&[0, -1, 1_770_000_000_000, i64::MIN, i64::MAX, any]))
    }

    fn name(&mut self) -> String {
        let suffix = self.below(4);
        format!("{}{suffix}", self.of(&["a", "shop-", "eu_cards_"]))
    }

    fn failure(&mut self) -> Failure {
        use Origin::{Caller, Gateway, Issuer, Network, Payer, Provider};
        Failure {
            code: self.of(FailureCode::ALL),
            origin: self.of(&[Caller, Payer, Issuer, Provider, Network, Gateway]),
            retry_after_seconds: self.maybe(Self::number),
            provider_code: self.maybe(Self::text),
            provider_message: self.maybe(Self::text),
            network_code: self.maybe(Self::text),
            advice_code: self.maybe(Self::text),
        }
    }

    fn pending(&mut self) -> Pending {
        Pending {
            operation: OperationId::from_uuid(self.uuid()),
            kind: self.of(OperationKind::ALL),
            amount: self.amount(),
            in_doubt: self.coin(),
            last: self.coin(),
        }
    }

    fn decided(&mut self) -> Decided {
        Decided {
            rule: self.text().into(),
            rules_version: self.text().into(),
            channel: self.maybe(|dice| ChannelName::new(&dice.name()).unwrap()),
            reason: self.text().into(),
            snapshot: self.bytes().into(),
            offer: self.bytes().into(),
            route: self.maybe(|dice| switchyard_core::RouteId::from_uuid(dice.uuid())),
        }
    }

    /// Rolls all that may move after the payment was made.
    fn roll_moving(&mut self, payment: &mut Payment) {
        payment.status = self.of(PaymentStatus::ALL);
        payment.authorized = self.amount();
        payment.captured = payment.authorized / 3;
        payment.released = self.of(&[0, payment.authorized / 2]);
        payment.refunded = self.amount();
        payment.pending = self.many(4, Self::pending);
        payment.operations = self.many(9, |dice| OperationId::from_uuid(dice.uuid()));
        payment.card = self.maybe(|dice| CardFacts { brand: dice.maybe(Self::text), last4: dice.maybe(Self::text) });
        payment.checks = self.maybe(|dice| Checks {
            cvc: dice.maybe(Self::text),
            avs_line: dice.maybe(Self::text),
            avs_postal: dice.maybe(Self::text),
        });
        payment.capture_before = self.maybe(Self::timestamp);
        payment.next_action =
            self.maybe(|dice| NextAction::Redirect { url: dice.text(), expires_at: dice.maybe(Self::timestamp) });
        payment.failure = self.maybe(Self::failure);
        payment.last_failure = self.maybe(Self::failure);
        payment.provider = self.maybe(|dice| Arc::from(dice.text()));
        payment.provider_reference = self.maybe(Self::text);
        let sources = [Source::Answer, Source::LookUp, Source::Notice, Source::Gateway];
        payment.observed = self.maybe(|dice| (dice.timestamp(), dice.of(&sources)));
        payment.contradiction = self.maybe(Self::text);
        payment.updated_at = self.timestamp();
        payment.events = self.number();
    }

    fn payment(&mut self) -> Payment {
        let currency = self.of(&["EUR", "JPY", "KWD", "CLF"]);
        let mut payment = Payment {
            id: switchyard_core::PaymentId::from_uuid(self.uuid()),
            merchant: merchant(&self.name()),
            mode: self.of(&[Mode::Test, Mode::Live]),
            amount: Money::new(self.amount(), Currency::from_code(currency).unwrap()).unwrap(),
            country: Country::from_code(self.of(&["DE", "BR", "ZW"])).unwrap(),
            order_type: OrderType::new(&self.name()).unwrap(),
            reference: self.text(),
            method: self.of(Method::ALL),
            capture: self.of(&[CaptureMode::Automatic, CaptureMode::Manual]),
            decided: self.decided(),
            statement_descriptor: self.maybe(Self::text),
            description: self.maybe(Self::text),
            customer: self.maybe(Self::text),
            metadata: self.many(6, |dice| (dice.text(), dice.text())),
            // Else the guard on references would refuse most of them.
            allow_duplicate_reference: true,
            webhook_endpoint: self.maybe(|dice| EndpointId::from_uuid(dice.uuid())),
            created_at: self.timestamp(),
            ..Sample::new().payment()
        };
        self.roll_moving(&mut payment);
        payment
    }

    fn roll_moving_operation(&mut self, operation: &mut Operation) {
        operation.state = self.of(OperationState::ALL);
        operation.provider_reference = self.maybe(Self::text);
        operation.failure = self.maybe(Self::failure);
        operation.updated_at = self.timestamp();
        operation.next_look_up_at = self.maybe(Self::timestamp);
        operation.look_ups = self.number();
        operation.events = self.number();
    }

    /// A new payment with an operation, neither of them sensible.
    pub(super) fn begin(&mut self) -> Begin {
        let payment = self.payment();
        let mut operation = Operation {
            id: OperationId::from_uuid(self.uuid()),
            kind: self.of(OperationKind::ALL),
            amount: self.amount(),
            last: self.coin(),
            reason: self.maybe(Self::text),
            target: self.maybe(|dice| {
                let channel = ChannelName::new(&dice.name()).unwrap();
                Arc::new(Target { channel, base: dice.text(), account: dice.text() })
            }),
            created_at: self.timestamp(),
            send_by: self.timestamp(),
            ..Sample::new().operation(&payment, OperationKind::Sale)
        };
        self.roll_moving_operation(&mut operation);
        Begin {
            claim: None,
            payment,
            operation,
            events: Vec::new(),
            answer: self.maybe(|dice| answer(201, &dice.text())),
        }
    }

    /// Both as they stand, moved at random.
    pub(super) fn conclude(&mut self, mut payment: Payment, mut operation: Operation) -> Conclude {
        self.roll_moving(&mut payment);
        self.roll_moving_operation(&mut operation);
        Conclude { payment, operation, events: Vec::new(), answer: self.maybe(|dice| answer(422, &dice.text())) }
    }
}
