//! Keys, answers and references.

use super::sample::{self, Sample, answer, approve, begun, claim, concluded, stored};
use super::{Fixture, sample::approved};
use crate::{Begin, Begun, Claim};
use switchyard_core::payment::News;
use switchyard_core::{Failure, FailureCode, Mode, OperationKind};
use tokio::task::JoinSet;

fn with_key(begin: Begin, number: u8) -> Begin {
    Begin { claim: Some(claim(number)), ..begin }
}

pub(super) async fn key_taken(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let (payment, operation) = begun(&*store, with_key(sample.begin(), 1)).await;
    let other_request = Claim { request: [7; 16], ..claim(1) };
    let mut second = sample.begin();
    second.claim = Some(other_request);
    let id = second.payment.id;
    let Begun::KeyTaken(claimed) = store.begin(second).await.unwrap() else { panic!("the key is taken") };
    assert_eq!(claimed.request, claim(1).request);
    assert_eq!((&claimed.payment, &claimed.operation, &claimed.answer), (&payment, &operation, &None));
    assert_eq!(store.payment(id).await, Ok(None));
    assert_eq!(store.claimed([1; 16], payment.id).await, Ok((Some(*claimed), Some(payment))));
}

pub(super) async fn key_checked_first(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let begin = with_key(Sample::new().begin(), 1);
    begun(&*store, begin.clone()).await;
    // The same again is also a repeated id and an open reference.
    let mut again = begin;
    for amount in [5, -1] {
        again.operation.amount = amount;
        assert!(matches!(store.begin(again.clone()).await, Ok(Begun::KeyTaken(_))));
    }
}

pub(super) async fn no_key(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let (first, _) = begun(&*store, sample.begin()).await;
    begun(&*store, sample.begin()).await;
    assert_eq!(store.claimed([0; 16], first.id).await, Ok((None, Some(first))));
}

pub(super) async fn parallel_begins(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut tasks = JoinSet::new();
    for _ in 0..200 {
        let begin = with_key(sample.begin(), 1);
        let store = store.clone();
        tasks.spawn(async move { (begin.payment.id, store.begin(begin).await.unwrap()) });
    }
    let begun = tasks.join_all().await;
    let done: Vec<_> = begun.iter().filter(|(_, begun)| matches!(begun, Begun::Done)).map(|(id, _)| *id).collect();
    assert_eq!(done.len(), 1);
    for (id, begun) in begun {
        match begun {
            Begun::Done => assert!(store.payment(id).await.unwrap().is_some()),
            Begun::KeyTaken(claimed) => {
                assert_eq!(claimed.payment.id, done[0]);
                assert_eq!(store.payment(id).await, Ok(None));
            }
            Begun::ReferenceOpen(_) | Begun::Stale => panic!("{begun:?}"),
        }
    }
    assert_eq!(store.events(0, 300).await.unwrap().len(), 1);
}

pub(super) async fn answer_kept(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let (payment, operation) = begun(&*store, with_key(sample.begin(), 1)).await;
    let body = "x".repeat(70_000);
    let mut conclude = sample.conclude(payment, operation, News::Unknown);
    conclude.answer = Some(answer(201, &body));
    let (payment, operation) = concluded(&*store, conclude).await;

    let news = approved(&payment);
    let mut later = sample.conclude(payment, operation, news);
    later.answer = Some(answer(422, "another"));
    let (payment, operation) = concluded(&*store, later).await;
    let (claimed, _) = store.claimed([1; 16], payment.id).await.unwrap();
    let claimed = claimed.unwrap();
    assert_eq!((&claimed.payment, &claimed.operation), (&payment, &operation));
    assert_eq!(claimed.answer, Some(answer(201, &body)));

    let without = sample.conclude(payment, operation, News::Accepted);
    let id = without.payment.id;
    concluded(&*store, without).await;
    let (claimed, _) = store.claimed([1; 16], id).await.unwrap();
    assert_eq!(claimed.unwrap().answer, Some(answer(201, &body)));
}

pub(super) async fn answer_at_once(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut begin = with_key(sample.begin(), 1);
    begin.answer = Some(answer(201, ""));
    let (payment, operation) = begun(&*store, begin).await;
    let mut later = sample.conclude(payment, operation, News::Refused(Failure::new(FailureCode::RejectedByRule)));
    later.answer = Some(answer(422, "another"));
    let (payment, _) = concluded(&*store, later).await;
    let (claimed, _) = store.claimed([1; 16], payment.id).await.unwrap();
    assert_eq!(claimed.unwrap().answer, Some(answer(201, "")));
}

pub(super) async fn reference_guard(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let (open, operation) = begun(&*store, sample.begin()).await;
    let mut same = sample.payment();
    same.reference.clone_from(&open.reference);
    let refused = store.begin(sample.begin_of(same.clone())).await.unwrap();
    assert!(matches!(refused, Begun::ReferenceOpen(id) if id == open.id), "{refused:?}");
    assert_eq!(store.payment(same.id).await, Ok(None));

    // Another merchant, another mode and a further operation of the open payment itself are none of its business.
    let mut other = sample.payment();
    (other.merchant, other.reference) = (sample::merchant("other"), open.reference.clone());
    begun(&*store, sample.begin_of(other)).await;
    let mut live = sample.payment();
    (live.mode, live.reference) = (Mode::Live, open.reference.clone());
    begun(&*store, sample.begin_of(live)).await;

    let news = approved(&open);
    concluded(&*store, sample.conclude(open, operation, news)).await;
    begun(&*store, sample.begin_of(same)).await;
}

pub(super) async fn reference_in_doubt(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let payment = sample.payment();
    let (payment, _) = approve(&*store, &mut sample, payment).await;
    let capture = sample.operation(&payment, OperationKind::Capture);
    let (payment, capture) = begun(&*store, sample.take_in(payment, capture)).await;
    let mut same = sample.payment();
    same.reference.clone_from(&payment.reference);
    let first = sample.begin_of(same.clone());
    let first_done = first.payment.id;
    let (done, charge) = begun(&*store, first).await;
    assert_eq!(done.id, first_done);
    concluded(&*store, sample.conclude(done, charge, News::Refused(Failure::new(FailureCode::DoNotHonor)))).await;

    let (doubtful, _) = concluded(&*store, sample.conclude(payment, capture, News::Unknown)).await;
    assert!(doubtful.in_doubt() && !doubtful.status.open());
    let mut again = sample.payment();
    again.reference.clone_from(&doubtful.reference);
    let refused = store.begin(sample.begin_of(again)).await.unwrap();
    assert!(matches!(refused, Begun::ReferenceOpen(id) if id == doubtful.id), "{refused:?}");
}

pub(super) async fn reference_waived(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let (open, _) = begun(&*store, sample.begin()).await;
    let mut same = sample.payment();
    same.reference.clone_from(&open.reference);
    same.allow_duplicate_reference = true;
    let begin = sample.begin_of(same);
    let expected = stored(&begin.payment);
    begun(&*store, begin).await;
    assert_eq!(store.payment(expected.id).await, Ok(Some(expected)));
}
