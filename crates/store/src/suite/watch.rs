//! What is open.

use super::Fixture;
use super::sample::{Sample, approved, begun, concluded};
use crate::{Postpone, Totals};
use switchyard_core::Timestamp;
use switchyard_core::payment::News;

pub(super) async fn due(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut operations = Vec::new();
    for next in [Some(500), Some(100), None, Some(300), Some(200)] {
        let mut begin = sample.begin();
        begin.operation.next_look_up_at = next.map(Timestamp);
        operations.push(begun(&*store, begin).await.1);
    }
    let ids = |found: Vec<switchyard_core::Operation>| {
        found.iter().map(|operation| operation.next_look_up_at.unwrap().0).collect::<Vec<_>>()
    };
    assert_eq!(ids(store.due(Timestamp(99), 10).await.unwrap()), []);
    assert_eq!(ids(store.due(Timestamp(300), 10).await.unwrap()), [100, 200, 300]);
    assert_eq!(ids(store.due(Timestamp(i64::MAX), 2).await.unwrap()), [100, 200]);
    assert_eq!(store.due(Timestamp(100), 1).await, Ok(vec![operations[1].clone()]));

    let later =
        Postpone { operation: operations[1].id, version: 1, look_ups: 1, next_look_up_at: Some(Timestamp(250)) };
    store.postpone(later).await.unwrap();
    assert_eq!(ids(store.due(Timestamp(300), 10).await.unwrap()), [200, 250, 300]);
    let payment = store.payment(operations[4].payment).await.unwrap().unwrap();
    let news = approved(&payment);
    concluded(&*store, sample.conclude(payment, operations[4].clone(), news)).await;
    assert_eq!(ids(store.due(Timestamp(300), 10).await.unwrap()), [250, 300]);
}

pub(super) async fn intended(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut operations = Vec::new();
    for watched in [true, false, true, true] {
        let mut begin = sample.begin();
        if !watched {
            begin.operation.next_look_up_at = None;
        }
        operations.push(begun(&*store, begin).await);
    }
    let (payment, operation) = operations.remove(0);
    concluded(&*store, sample.conclude(payment, operation, News::Unknown)).await;
    let expected: Vec<_> = operations.into_iter().map(|(_, operation)| operation).collect();
    let end = expected[2].created_at;
    assert_eq!(store.intended(end, 10).await.as_deref(), Ok(&expected[..2]));
    assert_eq!(store.intended(Timestamp(end.0 + 1), 10).await.as_ref(), Ok(&expected));
    assert_eq!(store.intended(Timestamp(end.0 + 1), 1).await.as_deref(), Ok(&expected[..1]));
}

pub(super) async fn totals(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    assert_eq!(store.totals().await, Ok(Totals::default()));
    let mut doubtful = Vec::new();
    for _ in 0..3 {
        let (payment, operation) = begun(&*store, sample.begin()).await;
        doubtful.push(concluded(&*store, sample.conclude(payment, operation, News::Unknown)).await);
    }
    begun(&*store, sample.begin()).await;
    let oldest = doubtful[0].1.created_at.0;
    assert_eq!(store.totals().await, Ok(Totals { in_doubt: 3, watched: 4, oldest_in_doubt: Some(oldest) }));
    let (payment, operation) = doubtful.remove(0);
    let news = approved(&payment);
    concluded(&*store, sample.conclude(payment, operation, news)).await;
    let oldest = doubtful[0].1.created_at.0;
    assert_eq!(store.totals().await, Ok(Totals { in_doubt: 2, watched: 3, oldest_in_doubt: Some(oldest) }));
}
