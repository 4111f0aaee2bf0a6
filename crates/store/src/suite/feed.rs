//! The events feed.

use super::Fixture;
use super::sample::{Sample, approved, begun, concluded};
use switchyard_core::Mode;
use switchyard_core::settle::EventKind;
use tokio::task::JoinSet;

pub(super) async fn complete(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut payment = sample.payment();
    payment.mode = Mode::Live;
    let begin = sample.begin_of(payment);
    let mut expected = begin.events.clone();
    let (payment, operation) = begun(&*store, begin).await;
    let news = approved(&payment);
    let mut conclude = sample.conclude(payment.clone(), operation, news);
    // Every type of event, and ones about an operation.
    for (&kind, sequence) in EventKind::ALL.iter().zip(3..) {
        let operation = (sequence % 2 == 0).then_some(payment.operations[0]);
        conclude.events.push(switchyard_core::settle::Happened { kind, operation, sequence, ..expected[0] });
    }
    expected.extend(conclude.events.iter().copied());
    concluded(&*store, conclude).await;

    let read = store.events(0, 100).await.unwrap();
    assert_eq!(read.iter().map(|event| event.happened().unwrap()).collect::<Vec<_>>(), expected);
    assert!(read.iter().all(|event| event.merchant == payment.merchant && event.mode == Mode::Live));
    assert!(read.windows(2).all(|pair| pair[0].position < pair[1].position));

    let page = store.events(read[4].position, 3).await.unwrap();
    assert_eq!(page, read[5..8]);
    let last = read.last().unwrap().position;
    assert!(store.events(last, 3).await.unwrap().is_empty());
}

pub(super) async fn parallel(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut tasks = JoinSet::new();
    for _ in 0..40 {
        let (store, begin) = (store.clone(), sample.begin());
        tasks.spawn(async move {
            let id = begin.payment.id;
            begun(&*store, begin).await;
            id
        });
    }
    // Whoever follows the feed misses nothing.
    let (mut seen, mut position) = (Vec::new(), 0);
    while seen.len() < 40 {
        for event in store.events(position, 7).await.unwrap() {
            assert!(event.position > position);
            position = event.position;
            seen.push(event.subject.payment().unwrap());
        }
        tokio::task::yield_now().await;
    }
    let mut begun = tasks.join_all().await;
    begun.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, begun);
}
