//! What was seen must still stand.

use super::Fixture;
use super::sample::{Sample, approve, approved, begun, claim, concluded, stored, stored_operation};
use crate::{Begun, Postpone, Written};
use switchyard_core::payment::News;
use switchyard_core::{Failure, FailureCode, OperationId, OperationKind, Timestamp};
use tokio::task::JoinSet;

pub(super) async fn stale_writes(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let (payment, operation) = begun(&*store, sample.begin()).await;
    let right = sample.conclude(payment.clone(), operation.clone(), approved(&payment));

    let mut changes: Vec<crate::Conclude> = Vec::new();
    for version in [0, 2, 7] {
        let mut wrong = right.clone();
        wrong.payment.version = version;
        changes.push(wrong);
        let mut wrong = right.clone();
        wrong.operation.version = version;
        changes.push(wrong);
    }
    let mut unknown = right.clone();
    unknown.operation.id = OperationId::from_uuid(sample.uuid());
    changes.push(unknown);
    let (other, _) = begun(&*store, sample.begin()).await;
    let mut elsewhere = right.clone();
    elsewhere.payment = other;
    changes.push(elsewhere);
    for wrong in changes {
        assert_eq!(store.conclude(wrong).await, Ok(Written::Stale));
    }
    assert_eq!(store.payment(payment.id).await, Ok(Some(payment.clone())));
    assert_eq!(store.operation(operation.id).await, Ok(Some(operation)));
    assert_eq!(store.events(0, 10).await.unwrap().len(), 2);

    assert_eq!(store.conclude(right.clone()).await, Ok(Written::Done));
    assert_eq!(store.conclude(right).await, Ok(Written::Stale));

    // An id that is there already, of a payment or an operation.
    let mut again = sample.begin();
    again.payment.id = payment.id;
    assert!(matches!(store.begin(again).await, Ok(Begun::Stale)));
    let mut again = sample.begin();
    again.operation.id = payment.operations[0];
    assert!(matches!(store.begin(again).await, Ok(Begun::Stale)));
}

pub(super) async fn parallel_conclusions(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let (payment, operation) = begun(&*store, sample.begin()).await;
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let (store, news) = (store.clone(), if number % 2 == 0 { approved(&payment) } else { News::Accepted });
        let conclude = sample.conclude(payment.clone(), operation.clone(), news);
        tasks.spawn(async move { (conclude.payment.clone(), store.conclude(conclude).await.unwrap()) });
    }
    let written = tasks.join_all().await;
    let done: Vec<_> = written.iter().filter(|(_, written)| *written == Written::Done).collect();
    assert_eq!(done.len(), 1);
    assert_eq!(store.payment(payment.id).await, Ok(Some(stored(&done[0].0))));
}

pub(super) async fn refused_alone(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut first = sample.begin();
    first.claim = Some(claim(1));
    begun(&*store, first).await;
    let (standing, operation) = begun(&*store, sample.begin()).await;
    let mut tasks = JoinSet::new();
    for number in 0..60_u8 {
        let store = store.clone();
        let mut begin = sample.begin();
        begin.claim = Some(claim(if number % 3 == 0 { 1 } else { number + 2 }));
        if number % 3 == 1 {
            // Cannot be written at all.
            begin.payment.refunded = -1;
        }
        let mut stale = sample.conclude(standing.clone(), operation.clone(), approved(&standing));
        stale.payment.version = 9;
        tasks.spawn(async move {
            let id = begin.payment.id;
            let begun = store.begin(begin).await;
            assert_eq!(store.conclude(stale).await, Ok(Written::Stale));
            match (number % 3, begun) {
                (0, Ok(Begun::KeyTaken(_))) | (1, Err(crate::StoreError::Corrupt(_))) => (id, false),
                (2, Ok(Begun::Done)) => (id, true),
                (_, other) => panic!("{number}: {other:?}"),
            }
        });
    }
    for (id, done) in tasks.join_all().await {
        assert_eq!(store.payment(id).await.unwrap().is_some(), done);
    }
    assert_eq!(store.payment(standing.id).await, Ok(Some(standing)));
    assert_eq!(store.events(0, 1_000).await.unwrap().len(), 22);
}

pub(super) async fn postpone(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let (payment, operation) = begun(&*store, Sample::new().begin()).await;
    let command = Postpone { operation: operation.id, version: 1, look_ups: 4, next_look_up_at: Some(Timestamp(77)) };
    assert_eq!(store.postpone(command).await, Ok(Written::Done));
    assert_eq!(store.postpone(command).await, Ok(Written::Stale));
    let mut expected = stored_operation(&operation);
    (expected.look_ups, expected.next_look_up_at) = (4, Some(Timestamp(77)));
    assert_eq!(store.operation(operation.id).await, Ok(Some(expected.clone())));
    assert_eq!(store.payment(payment.id).await, Ok(Some(payment)));

    let never = Postpone { operation: operation.id, version: 2, look_ups: 5, next_look_up_at: None };
    assert_eq!(store.postpone(never).await, Ok(Written::Done));
    (expected.look_ups, expected.next_look_up_at, expected.version) = (5, None, 3);
    assert_eq!(store.operation(operation.id).await, Ok(Some(expected)));
    let unknown = Postpone { operation: OperationId::from_uuid(Sample::new().uuid()), ..never };
    assert_eq!(store.postpone(unknown).await, Ok(Written::Stale));
}

pub(super) async fn further_operation(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let payment = sample.payment();
    let (payment, _) = approve(&*store, &mut sample, payment).await;
    let mut capture = sample.operation(&payment, OperationKind::Capture);
    capture.amount = 500;
    let begin = sample.take_in(payment.clone(), capture);
    let mut late = begin.clone();
    late.payment.version = 1;
    assert!(matches!(store.begin(late).await, Ok(Begun::Stale)));
    let (payment, capture) = begun(&*store, begin).await;
    assert_eq!((payment.version, payment.operations.len(), payment.pending.len()), (3, 2, 1));
    assert_eq!(store.payment(payment.id).await, Ok(Some(payment.clone())));
    assert_eq!(store.operation(capture.id).await, Ok(Some(capture.clone())));

    let news = News::Refused(Failure::new(FailureCode::ProcessingError));
    let (payment, capture) = concluded(&*store, sample.conclude(payment, capture, news)).await;
    assert_eq!(store.payment(payment.id).await, Ok(Some(payment)));
    assert_eq!(store.operation(capture.id).await, Ok(Some(capture)));
}
