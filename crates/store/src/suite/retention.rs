//! Idempotency keys that have served their time.

use super::Fixture;
use super::sample::{Sample, answer, approved, begun, claim, concluded};
use crate::{Begin, Begun, Conclude, StaleClaims};
use switchyard_core::Timestamp;

pub(super) async fn keys_are_forgotten(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut ended = Vec::new();
    for number in 1..=4_u8 {
        let begin = Begin { claim: Some(claim(number)), ..sample.begin() };
        let (payment, operation) = begun(&*store, begin).await;
        // The third stays open.
        if number != 3 {
            let news = approved(&payment);
            let conclude = sample.conclude(payment, operation, news);
            let kept = Conclude { answer: Some(answer(201, "kept")), ..conclude };
            ended.push(concluded(&*store, kept).await.0);
        }
    }
    let all = Timestamp(sample.now.0 + 1);
    let none = StaleClaims { keys: Vec::new(), next: None };
    assert_eq!(store.stale_claims([0; 16], ended[0].updated_at, 100).await, Ok(none.clone()), "none is old enough");
    let first = store.stale_claims([0; 16], ended[1].updated_at, 100).await.unwrap();
    assert_eq!(first.keys, [[1; 16]], "one is older than the second's last change");
    // In slices, with the end told.
    let slice = store.stale_claims([0; 16], all, 2).await.unwrap();
    assert_eq!(slice, StaleClaims { keys: vec![[1; 16], [2; 16]], next: Some([2; 16]) });
    let rest = store.stale_claims([2; 16], all, 100).await.unwrap();
    assert_eq!(rest, StaleClaims { keys: vec![[4; 16]], next: None });
    store.forget(slice.keys).await.unwrap();
    for (number, known) in [(1, false), (2, false), (3, true), (4, true)] {
        let (claimed, _) = store.claimed([number; 16], ended[0].id).await.unwrap();
        assert_eq!(claimed.is_some(), known, "key {number}");
    }
    // A forgotten key is free, and an answer that was kept for another one is untouched.
    let again = Begin { claim: Some(claim(1)), ..sample.begin() };
    assert!(matches!(store.begin(again).await, Ok(Begun::Done)));
    let (fourth, _) = store.claimed([4; 16], ended[0].id).await.unwrap();
    assert_eq!(fourth.and_then(|claimed| claimed.answer), Some(answer(201, "kept")));
}
