//! What is written is what is read.

use super::Fixture;
use super::arbitrary::Dice;
use super::sample::{self, Sample, begun, concluded, stored, stored_operation};
use crate::{Begun, StoreError, Written};
use switchyard_core::failure::Origin;
use switchyard_core::payment::{CaptureMode, News, Source};
use switchyard_core::status::{OperationState, PaymentStatus};
use switchyard_core::{
    Country, Currency, Failure, FailureCode, Method, Mode, Money, OperationId, OperationKind, PaymentId,
};

pub(super) async fn begun_reads_back(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let (payment, operation) = begun(&*store, Sample::new().begin()).await;
    assert_eq!(payment.version, 1);
    assert_eq!(store.payment(payment.id).await, Ok(Some(payment)));
    assert_eq!(store.operation(operation.id).await, Ok(Some(operation)));
}

pub(super) async fn concluded_reads_back(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let (payment, operation) = begun(&*store, sample.begin()).await;
    let news = sample::approved(&payment);
    let (payment, operation) = concluded(&*store, sample.conclude(payment, operation, news)).await;
    assert_eq!((payment.version, payment.status, payment.authorized), (2, PaymentStatus::Authorized, 12_500));
    assert_eq!((operation.state, operation.next_look_up_at), (OperationState::Succeeded, None));
    assert_eq!(store.payment(payment.id).await, Ok(Some(payment)));
    assert_eq!(store.operation(operation.id).await, Ok(Some(operation)));
}

pub(super) async fn anything_reads_back(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    for seed in 0..400 {
        let mut dice = Dice::new(seed);
        let begin = dice.begin();
        let (payment, operation) = begun(&*store, begin).await;
        assert_eq!(store.payment(payment.id).await.as_ref(), Ok(&Some(payment.clone())), "seed {seed}");
        assert_eq!(store.operation(operation.id).await.as_ref(), Ok(&Some(operation.clone())), "seed {seed}");

        let conclude = dice.conclude(payment, operation);
        let (payment, operation) = concluded(&*store, conclude).await;
        assert_eq!(store.payment(payment.id).await, Ok(Some(payment)), "seed {seed}");
        assert_eq!(store.operation(operation.id).await, Ok(Some(operation)), "seed {seed}");
    }
}

pub(super) async fn every_value_reads_back(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut payments = Vec::new();
    let mut make = |change: &dyn Fn(&mut switchyard_core::Payment)| {
        let mut payment = sample.payment();
        change(&mut payment);
        payments.push(payment);
    };
    for &status in PaymentStatus::ALL {
        make(&|payment| payment.status = status);
    }
    for &method in Method::ALL {
        make(&|payment| payment.method = method);
    }
    for &code in FailureCode::ALL {
        make(&|payment| payment.failure = Some(Failure::new(code)));
    }
    use Origin::{Caller, Gateway, Issuer, Network, Payer, Provider};
    for origin in [Caller, Payer, Issuer, Provider, Network, Gateway] {
        let failure = Failure { origin, ..Failure::new(FailureCode::DoNotHonor) };
        make(&|payment| payment.last_failure = Some(failure.clone()));
    }
    for country in Country::all() {
        make(&|payment| payment.country = country);
    }
    for currency in ["EUR", "JPY", "KWD", "CLF", "USD", "BRL"].map(|code| Currency::from_code(code).unwrap()) {
        make(&|payment| payment.amount = Money::new(i64::MAX, currency).unwrap());
    }
    for source in [Source::Answer, Source::LookUp, Source::Notice, Source::Gateway] {
        make(&|payment| payment.observed = Some((payment.created_at, source)));
    }
    for (mode, capture) in [(Mode::Live, CaptureMode::Automatic), (Mode::Test, CaptureMode::Manual)] {
        make(&|payment| (payment.mode, payment.capture) = (mode, capture));
    }
    for payment in payments {
        let mut operation = sample.operation(&payment, OperationKind::Authorize);
        operation.amount = payment.amount.minor();
        let begin = crate::Begin { claim: None, payment, operation, events: Vec::new(), answer: None };
        let (payment, _) = begun(&*store, begin).await;
        assert_eq!(store.payment(payment.id).await, Ok(Some(payment)));
    }
    for &kind in OperationKind::ALL {
        for &state in OperationState::ALL {
            let mut begin = sample.begin();
            (begin.operation.kind, begin.operation.state) = (kind, state);
            let (_, operation) = begun(&*store, begin).await;
            assert_eq!(store.operation(operation.id).await, Ok(Some(operation)));
        }
    }
}

pub(super) async fn unknown_is_none(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let uuid = Sample::new().uuid();
    assert_eq!(store.payment(PaymentId::from_uuid(uuid)).await, Ok(None));
    assert_eq!(store.operation(OperationId::from_uuid(uuid)).await, Ok(None));
    assert_eq!(store.operations(vec![OperationId::from_uuid(uuid)]).await, Ok(Vec::new()));
    assert_eq!(store.claimed([9; 16], PaymentId::from_uuid(uuid)).await, Ok((None, None)));
}

pub(super) async fn impossible_sums(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let impossible: [fn(&mut crate::Begin); 5] = [
        |begin| begin.payment.authorized = -1,
        |begin| begin.payment.refunded = -1,
        |begin| (begin.payment.authorized, begin.payment.captured) = (10, 11),
        |begin| (begin.payment.authorized, begin.payment.captured, begin.payment.released) = (10, i64::MAX, 1),
        |begin| begin.operation.amount = -1,
    ];
    for change in impossible {
        let mut begin = sample.begin();
        change(&mut begin);
        let id = begin.payment.id;
        let refused = store.begin(begin).await;
        assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
        assert_eq!(store.payment(id).await, Ok(None));
    }
    let (payment, operation) = begun(&*store, sample.begin()).await;
    let news = sample::approved(&payment);
    let mut conclude = sample.conclude(payment.clone(), operation, news);
    conclude.payment.captured = -5;
    assert!(matches!(store.conclude(conclude).await, Err(StoreError::Corrupt(_))));
    assert_eq!(store.payment(payment.id).await, Ok(Some(payment)));
}

pub(super) async fn operations_in_order(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let (_, first) = begun(&*store, sample.begin()).await;
    let (_, second) = begun(&*store, sample.begin()).await;
    let unknown = OperationId::from_uuid(sample.uuid());
    let asked = vec![second.id, unknown, first.id];
    assert_eq!(store.operations(asked).await, Ok(vec![second, first]));
}

pub(super) async fn restart_keeps_all(fixture: &mut dyn Fixture) {
    let mut sample = Sample::new();
    let mut begin = sample.begin();
    begin.claim = Some(sample::claim(1));
    let (claimed, events) = {
        let store = fixture.store();
        let (payment, operation) = begun(&*store, begin).await;
        let mut conclude = sample.conclude(payment.clone(), operation, News::Approved(payment.amount));
        conclude.answer = Some(sample::answer(201, r#"{"id":"pay_1"}"#));
        concluded(&*store, conclude).await;
        (store.claimed([1; 16], payment.id).await.unwrap(), store.events(0, 10).await.unwrap())
    };
    assert!(claimed.0.as_ref().is_some_and(|claimed| claimed.answer.is_some()) && events.len() == 2);
    fixture.restart();
    let store = fixture.store();
    let payment = claimed.1.as_ref().unwrap().clone();
    assert_eq!(store.claimed([1; 16], payment.id).await, Ok(claimed));
    assert_eq!(store.events(0, 10).await.as_ref(), Ok(&events));

    // And it goes on where it was.
    let again = sample.begin();
    assert!(matches!(store.begin(again).await, Ok(Begun::Done)));
    let next = store.events(2, 10).await.unwrap();
    assert!(next.len() == 1 && next[0].position > events[1].position && next[0].merchant == payment.merchant);
    let operation = store.operation(payment.operations[0]).await.unwrap().unwrap();
    let same = crate::Conclude { payment, operation, events: Vec::new(), answer: None };
    let (written, payment, operation) = (same.clone(), stored(&same.payment), stored_operation(&same.operation));
    assert_eq!(store.conclude(written).await, Ok(Written::Done));
    assert_eq!(store.payment(payment.id).await, Ok(Some(payment)));
    assert_eq!(store.operation(operation.id).await, Ok(Some(operation)));
}
