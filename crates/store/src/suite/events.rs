//! Events as they are read: with their object as it stood, filtered, page by page.

use super::Fixture;
use super::sample::{Sample, approve, approved, begun, concluded, merchant};
use crate::Feed;
use crate::feed::{Event, EventFilter, Object, Order, event_id, position_of};
use switchyard_core::failure::Origin;
use switchyard_core::payment::{CardFacts, Checks, News, NextAction, Payment, Source};
use switchyard_core::settle::EventKind;
use switchyard_core::{Failure, FailureCode, Mode, Operation, OperationKind, Timestamp};

/// What an event shows: no view of the past tells how often a row was written or will be looked up.
fn shown(object: &Object) -> Object {
    let payment = |payment: &Payment| Payment { version: 0, events: 0, contradiction: None, ..payment.clone() };
    let operation = |operation: &Operation| Operation {
        version: 0,
        events: 0,
        look_ups: 0,
        next_look_up_at: None,
        ..operation.clone()
    };
    match object {
        Object::Payment(it) => Object::Payment(Box::new(payment(it))),
        Object::Operation(it) => Object::Operation(Box::new((operation(&it.0), payment(&it.1)))),
        Object::Endpoint(it) => Object::Endpoint(it.clone()),
    }
}

async fn all(feed: &dyn Feed) -> Vec<Event> {
    feed.list_events(EventFilter::of(merchant("acme"), Mode::Test), Order::OldestFirst, None, 100).await.unwrap().data
}

pub(super) async fn as_it_stood(fixture: &mut dyn Fixture) {
    let (store, feed) = (fixture.store(), fixture.feed());
    let mut sample = Sample::new();
    // Every field that moves, and each way back to nothing.
    let mut expected = Vec::new();
    let begin = sample.begin();
    expected.push((begin.payment.clone(), None));
    let (payment, operation) = begun(&*store, begin).await;

    let url = "https://bank.example/3ds".to_owned();
    let action = NextAction::Redirect { url, expires_at: Some(Timestamp(sample.now.0 + 600_000)) };
    let asked = sample.conclude(payment, operation, News::RequiresAction(action));
    expected.push((asked.payment.clone(), None));
    let (payment, operation) = concluded(&*store, asked).await;

    // A write without an event: the next one tells of both.
    let refused = Failure {
        origin: Origin::Issuer,
        provider_message: Some("do not honour".into()),
        ..Failure::new(FailureCode::DoNotHonor)
    };
    let silent = sample.conclude(payment, operation, News::AttemptRefused(refused));
    assert!(silent.events.is_empty() && silent.payment.last_failure.is_some());
    let (payment, operation) = concluded(&*store, silent).await;

    let news = approved(&payment);
    let mut approval = sample.conclude(payment, operation, news);
    approval.payment.card = Some(CardFacts { brand: Some("visa".into()), last4: None });
    approval.payment.checks = Some(Checks { cvc: Some("match".into()), avs_line: None, avs_postal: None });
    approval.payment.provider_reference = Some("ch_1".into());
    approval.payment.capture_before = Some(Timestamp(sample.now.0 + 7 * 86_400_000));
    approval.payment.observed = Some((Timestamp(sample.now.0 - 3), Source::LookUp));
    expected.push((approval.payment.clone(), None));
    let (payment, _) = concluded(&*store, approval).await;

    let mut capture = sample.operation(&payment, OperationKind::Capture);
    (capture.amount, capture.last) = (10_000, true);
    let begin = sample.take_in(payment, capture);
    expected.push((begin.payment.clone(), Some(begin.operation.clone())));
    let (payment, capture) = begun(&*store, begin).await;

    let money = super::sample::money(10_000, "EUR");
    let mut done = sample.conclude(payment, capture, News::Approved(money));
    done.operation.provider_reference = Some("cp_1".into());
    expected.push((done.payment.clone(), Some(done.operation.clone())));
    expected.push((done.payment.clone(), None));
    let (payment, _) = concluded(&*store, done).await;

    let mut refund = sample.operation(&payment, OperationKind::Refund);
    refund.amount = 500;
    let begin = sample.take_in(payment, refund);
    expected.push((begin.payment.clone(), Some(begin.operation.clone())));
    let (payment, refund) = begun(&*store, begin).await;
    let failed = sample.conclude(payment, refund, News::Refused(Failure::new(FailureCode::ProcessingError)));
    expected.push((failed.payment.clone(), Some(failed.operation.clone())));
    concluded(&*store, failed).await;

    let events = all(&*feed).await;
    let kinds: Vec<_> = events.iter().map(|event| event.recorded.kind.as_str()).collect();
    let told = [
        "payment.created",
        "payment.requires_action",
        "payment.authorized",
        "capture.created",
        "capture.succeeded",
        "payment.captured",
        "refund.created",
        "refund.failed",
    ];
    assert_eq!(kinds, told);
    for (event, (payment, operation)) in events.iter().zip(&expected) {
        let object = match operation {
            None => Object::Payment(Box::new(payment.clone())),
            Some(operation) => Object::Operation(Box::new((operation.clone(), payment.clone()))),
        };
        assert_eq!(shown(&event.object), shown(&object), "{}", event.recorded.kind.as_str());
        // One by one they read the same, and by their id.
        let again = feed.event(position_of(event.recorded.id())).await.unwrap();
        assert_eq!(again.as_ref(), Some(event));
    }
    // What was before is what the same object's event before told.
    let before = [None, Some(0), Some(1), None, Some(3), Some(2), None, Some(6)];
    for (event, before) in events.iter().zip(before) {
        let before = before.map(|place: usize| events[place].object.clone());
        assert_eq!(event.before, before, "{}", event.recorded.kind.as_str());
    }
    let last = events.last().unwrap().recorded.position;
    assert_eq!(feed.event(last + 1).await, Ok(None));
    assert_eq!(feed.feed_end().await, Ok(last));
}

pub(super) async fn orders(fixture: &mut dyn Fixture) {
    let (store, feed) = (fixture.store(), fixture.feed());
    let mut sample = Sample::new();
    let filter = EventFilter::of(merchant("acme"), Mode::Test);
    let nothing = feed.list_events(filter.clone(), Order::OldestFirst, None, 10).await.unwrap();
    assert_eq!((nothing.data.len(), nothing.next, nothing.more), (0, None, false));
    for _ in 0..5 {
        let payment = sample.payment();
        approve(&*store, &mut sample, payment).await;
        let mut other = sample.payment();
        other.merchant = merchant("other");
        approve(&*store, &mut sample, other).await;
    }
    let ids = |events: &[Event]| events.iter().map(|event| event.recorded.id()).collect::<Vec<_>>();
    let whole = ids(&all(&*feed).await);
    assert_eq!(whole.len(), 10);
    assert!(whole.windows(2).all(|pair| pair[0] < pair[1]));

    for order in [Order::OldestFirst, Order::NewestFirst] {
        let (mut seen, mut from) = (Vec::new(), None);
        loop {
            let page = feed.list_events(filter.clone(), order, from, 3).await.unwrap();
            seen.extend(ids(&page.data));
            from = page.next;
            if !page.more {
                break;
            }
        }
        if order == Order::NewestFirst {
            assert_eq!(from, None);
            seen.reverse();
        } else {
            // Whoever lives from the feed goes on from here, and past what is another merchant's.
            assert_eq!(from, Some(feed.feed_end().await.unwrap()));
        }
        assert_eq!(seen, whole);
    }
    let end = feed.feed_end().await.unwrap();
    let payment = sample.payment();
    approve(&*store, &mut sample, payment).await;
    let more = feed.list_events(filter, Order::OldestFirst, Some(end), 10).await.unwrap();
    assert_eq!((more.data.len(), more.more), (2, false));
}

pub(super) async fn filters(fixture: &mut dyn Fixture) {
    let (store, feed) = (fixture.store(), fixture.feed());
    let mut sample = Sample::new();
    let mut days = Vec::new();
    for _ in 0..4 {
        let payment = sample.payment();
        let (payment, _) = approve(&*store, &mut sample, payment).await;
        let mut capture = sample.operation(&payment, OperationKind::Capture);
        capture.amount = 100;
        let begin = sample.take_in(payment, capture);
        days.push(begun(&*store, begin).await);
        sample.now = Timestamp(sample.now.0 + 3 * 86_400_000);
    }
    let of = EventFilter::of(merchant("acme"), Mode::Test);
    let count = async |filter: EventFilter| {
        let newest = feed.list_events(filter.clone(), Order::NewestFirst, None, 100).await.unwrap();
        let oldest = feed.list_events(filter, Order::OldestFirst, None, 100).await.unwrap();
        assert_eq!(newest.data.len(), oldest.data.len());
        oldest.data.len()
    };
    assert_eq!(count(of.clone()).await, 12);
    assert_eq!(count(EventFilter { mode: Mode::Live, ..of.clone() }).await, 0);
    assert_eq!(count(EventFilter { merchant: merchant("other"), ..of.clone() }).await, 0);
    let kinds = vec![EventKind::PaymentAuthorized, EventKind::CaptureCreated];
    assert_eq!(count(EventFilter { kinds, ..of.clone() }).await, 8);
    let (payment, capture) = &days[1];
    assert_eq!(count(EventFilter { payment: Some(payment.id), ..of.clone() }).await, 3);
    assert_eq!(count(EventFilter { object: Some(payment.id.uuid()), ..of.clone() }).await, 2);
    assert_eq!(count(EventFilter { object: Some(capture.id.uuid()), ..of.clone() }).await, 1);
    let stranger = EventFilter { merchant: merchant("other"), payment: Some(payment.id), ..of.clone() };
    assert_eq!(count(stranger).await, 0);
    let unknown = Some(sample.uuid());
    assert_eq!(count(EventFilter { object: unknown, ..of.clone() }).await, 0);

    let (from, to) = (Some(days[1].0.created_at), Some(days[2].0.created_at));
    assert_eq!(count(EventFilter { created_from: from, created_to: to, ..of.clone() }).await, 3);
    assert_eq!(count(EventFilter { created_from: to, ..of.clone() }).await, 6);
    assert_eq!(count(EventFilter { created_to: from, ..of.clone() }).await, 3);
    // A page goes on within one payment as well.
    let payment = EventFilter { payment: Some(days[1].0.id), ..of };
    let page = feed.list_events(payment.clone(), Order::NewestFirst, None, 2).await.unwrap();
    assert!(page.more);
    let rest = feed.list_events(payment, Order::NewestFirst, page.next, 2).await.unwrap();
    assert_eq!((rest.data.len(), rest.more, rest.next), (1, false, None));

    let at = Timestamp(1_770_000_000_000);
    assert_eq!(position_of(event_id(77, at)), 77);
    assert_ne!(event_id(77, at), event_id(77, Timestamp(at.0 + 1)));
}
