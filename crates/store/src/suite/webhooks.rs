//! Webhook endpoints and deliveries.

use super::Fixture;
use super::sample::{Sample, approve, begun, merchant};
use crate::Written;
use crate::feed::{EventFilter, Object, Order, Subject, event_id};
use crate::webhooks::{Attempt, Delivery, DeliveryStatus, Endpoint, WebhookWrite};
use switchyard_core::settle::EventKind;
use switchyard_core::{EndpointId, Mode, Timestamp};
use uuid::Uuid;

fn endpoint(sample: &mut Sample) -> Endpoint {
    Endpoint {
        id: EndpointId::from_uuid(sample.uuid()),
        merchant: merchant("acme"),
        mode: Mode::Test,
        url: "https://shop.example/hooks".into(),
        description: Some("till".into()),
        events: vec!["payment.*".into(), "void.failed".into()],
        enabled: true,
        disabled_reason: None,
        secret: vec![1, 2, 3],
        former_secret: None,
        created_at: sample.now,
        updated_at: sample.now,
        told: 0,
        version: 0,
        cursor: 0,
    }
}

fn row(of: &Endpoint, position: i64, object: Uuid, next_at: i64) -> Delivery {
    Delivery {
        endpoint: of.id,
        position,
        event: event_id(position, Timestamp(1_770_000_000_000 + position)),
        object,
        status: DeliveryStatus::Pending,
        again: false,
        since: Timestamp(1_000),
        next_at: Some(Timestamp(next_at)),
        tries: 1,
        attempts: Vec::new(),
    }
}

fn deliver(endpoint: &Endpoint, cursor: Option<i64>, rows: &[Delivery]) -> WebhookWrite {
    WebhookWrite::Deliver { endpoint: endpoint.id, cursor, rows: rows.to_vec() }
}

pub(super) async fn endpoints(fixture: &mut dyn Fixture) {
    let (store, hooks, feed) = (fixture.store(), fixture.webhooks(), fixture.feed());
    let mut sample = Sample::new();
    begun(&*store, sample.begin()).await;
    let made = endpoint(&mut sample);
    assert_eq!(hooks.write_webhooks(WebhookWrite::Create(made.clone())).await, Ok(Written::Done));
    assert_eq!(hooks.write_webhooks(WebhookWrite::Create(made.clone())).await, Ok(Written::Stale));
    // It starts where the feed ends.
    let stands = Endpoint { version: 1, cursor: feed.feed_end().await.unwrap(), ..made };
    assert_eq!(hooks.endpoint(stands.id).await, Ok(Some(stands.clone())));
    let second = endpoint(&mut sample);
    hooks.write_webhooks(WebhookWrite::Create(second.clone())).await.unwrap();
    let ids: Vec<_> = hooks.endpoints().await.unwrap().iter().map(|endpoint| endpoint.id).collect();
    assert_eq!(ids, [stands.id, second.id]);

    let changed = Endpoint {
        url: "https://shop.example/other".into(),
        description: None,
        events: vec!["*".into()],
        enabled: false,
        disabled_reason: Some("by hand".into()),
        secret: vec![9],
        former_secret: Some((vec![1, 2, 3], Timestamp(7))),
        updated_at: Timestamp(8),
        told: 3,
        ..stands
    };
    assert_eq!(hooks.write_webhooks(WebhookWrite::Change(changed.clone())).await, Ok(Written::Done));
    assert_eq!(hooks.write_webhooks(WebhookWrite::Change(changed.clone())).await, Ok(Written::Stale));
    let changed = Endpoint { version: 2, ..changed };
    assert_eq!(hooks.endpoint(changed.id).await, Ok(Some(changed.clone())));

    // Switched off by us, with an event that shows how it stood.
    let off =
        Endpoint { disabled_reason: Some("it answered 410".into()), told: 4, updated_at: Timestamp(9), ..changed };
    let at = Timestamp(sample.now.0 + 5);
    assert_eq!(hooks.write_webhooks(WebhookWrite::Disable(off.clone(), at)).await, Ok(Written::Done));
    assert_eq!(hooks.write_webhooks(WebhookWrite::Disable(off.clone(), at)).await, Ok(Written::Stale));
    hooks.write_webhooks(WebhookWrite::Delete(off.id)).await.unwrap();
    assert_eq!(hooks.write_webhooks(WebhookWrite::Delete(off.id)).await, Ok(Written::Stale));
    assert_eq!(hooks.endpoint(off.id).await, Ok(None));
    let filter = EventFilter { object: Some(off.id.uuid()), ..EventFilter::of(merchant("acme"), Mode::Test) };
    let told = feed.list_events(filter, Order::OldestFirst, None, 10).await.unwrap().data.remove(0);
    let recorded = &told.recorded;
    assert_eq!((recorded.kind, recorded.sequence, recorded.at), (EventKind::EndpointDisabled, 4, at));
    assert_eq!((recorded.subject, recorded.happened()), (Subject::Endpoint(off.id), None));
    let (Object::Endpoint(object), Some(Object::Endpoint(before))) = (&told.object, &told.before) else {
        panic!("{told:?}")
    };
    assert_eq!((&object.url, &object.events, object.enabled), (&off.url, &off.events, false));
    assert_eq!((object.disabled_reason.as_deref(), object.updated_at), (Some("it answered 410"), Timestamp(9)));
    assert!(object.secret.is_empty() && object.former_secret.is_none());
    assert!(before.enabled && before.disabled_reason.is_none());
    assert_eq!(store.events(0, 10).await.unwrap().len(), 2);
}

pub(super) async fn deliveries(fixture: &mut dyn Fixture) {
    let hooks = fixture.webhooks();
    let mut sample = Sample::new();
    let (made, other) = (endpoint(&mut sample), endpoint(&mut sample));
    hooks.write_webhooks(WebhookWrite::Create(made.clone())).await.unwrap();
    let (one, two) = (sample.uuid(), sample.uuid());
    let attempts = vec![
        Attempt { at: Timestamp(5), took_ms: 15_000, status: None, failure: Some("it took too long".into()) },
        Attempt { at: Timestamp(6), took_ms: 3, status: Some(500), failure: None },
    ];
    let first = Delivery { attempts, ..row(&made, 10, one, 300) };
    let rows = [first.clone(), row(&made, 11, one, 100), row(&made, 12, two, 200)];
    assert_eq!(hooks.write_webhooks(deliver(&other, Some(3), &rows)).await, Ok(Written::Stale));
    assert_eq!(hooks.write_webhooks(deliver(&made, Some(12), &rows)).await, Ok(Written::Done));
    assert_eq!(hooks.delivery(made.id, 10).await, Ok(Some(first)));
    assert_eq!(hooks.delivery(made.id, 13).await, Ok(None));
    // The cursor never moves back.
    hooks.write_webhooks(deliver(&made, Some(4), &[])).await.unwrap();
    assert_eq!(hooks.endpoint(made.id).await.unwrap().unwrap().cursor, 12);

    let positions = |rows: Vec<Delivery>| rows.iter().map(|row| row.position).collect::<Vec<_>>();
    assert_eq!(positions(hooks.due_deliveries(made.id, Timestamp(250), 9).await.unwrap()), [11, 12]);
    assert_eq!(positions(hooks.due_deliveries(made.id, Timestamp(300), 2).await.unwrap()), [11, 12]);
    assert_eq!(positions(hooks.due_deliveries(made.id, Timestamp(99), 9).await.unwrap()), Vec::<i64>::new());
    assert_eq!(positions(hooks.due_deliveries(other.id, Timestamp(999), 9).await.unwrap()), Vec::<i64>::new());
    assert_eq!(hooks.oldest_pending(made.id).await, Ok(Some(event_id(10, Timestamp(1_770_000_000_010)))));

    let page = hooks.deliveries(made.id, None, None, 2).await.unwrap();
    assert_eq!((page.next, page.more), (Some(11), true));
    assert_eq!(positions(page.data), [12, 11]);
    let page = hooks.deliveries(made.id, Some(DeliveryStatus::Pending), Some(11), 2).await.unwrap();
    assert_eq!((positions(page.data), page.more), (vec![10], false));
    let dead = hooks.deliveries(made.id, Some(DeliveryStatus::Dead), None, 2).await.unwrap();
    assert_eq!(dead.data, []);
}

pub(super) async fn waiting(fixture: &mut dyn Fixture) {
    let hooks = fixture.webhooks();
    let mut sample = Sample::new();
    let made = endpoint(&mut sample);
    hooks.write_webhooks(WebhookWrite::Create(made.clone())).await.unwrap();
    let (one, two) = (sample.uuid(), sample.uuid());
    let waits = Delivery { tries: 0, ..row(&made, 11, one, 9_000) };
    let elsewhere = Delivery { tries: 0, ..row(&made, 12, two, 9_000) };
    let again = Delivery { again: true, ..row(&made, 5, one, 9_000) };
    let first = row(&made, 10, one, 8_000);
    hooks.write_webhooks(deliver(&made, None, &[first.clone(), waits, elsewhere, again])).await.unwrap();
    assert_eq!(hooks.held_up(made.id, one, 11).await, Ok(true));
    assert_eq!(hooks.held_up(made.id, two, 12).await, Ok(false));
    // What was asked for again holds up nobody.
    assert_eq!(hooks.held_up(made.id, one, 10).await, Ok(false));

    // Done, it lets go those of its object that were never tried.
    let done = Delivery { status: DeliveryStatus::Delivered, next_at: None, ..first };
    hooks.write_webhooks(deliver(&made, None, &[done])).await.unwrap();
    assert_eq!(hooks.held_up(made.id, one, 11).await, Ok(false));
    let due = hooks.due_deliveries(made.id, Timestamp(1_000), 9).await.unwrap();
    assert_eq!(due.iter().map(|row| row.position).collect::<Vec<_>>(), [11]);
}

pub(super) async fn purge(fixture: &mut dyn Fixture) {
    let (store, hooks) = (fixture.store(), fixture.webhooks());
    let mut sample = Sample::new();
    let payment = sample.payment();
    approve(&*store, &mut sample, payment).await;
    let (made, gone) = (endpoint(&mut sample), endpoint(&mut sample));
    hooks.write_webhooks(WebhookWrite::Create(made.clone())).await.unwrap();
    hooks.write_webhooks(WebhookWrite::Create(gone.clone())).await.unwrap();
    let ended = |position, status, since| Delivery {
        status,
        since: Timestamp(since),
        next_at: None,
        ..row(&made, position, Uuid::nil(), 0)
    };
    let rows = [
        ended(1, DeliveryStatus::Dead, 10),
        ended(2, DeliveryStatus::Delivered, 20),
        ended(3, DeliveryStatus::Dead, 30),
        row(&made, 4, Uuid::nil(), 1),
    ];
    hooks.write_webhooks(deliver(&made, None, &rows)).await.unwrap();
    hooks.write_webhooks(deliver(&gone, None, &[row(&gone, 4, Uuid::nil(), 1)])).await.unwrap();
    hooks.write_webhooks(WebhookWrite::Delete(gone.id)).await.unwrap();
    hooks.write_webhooks(WebhookWrite::Purge(Timestamp(30))).await.unwrap();
    let left = hooks.deliveries(made.id, None, None, 9).await.unwrap().data;
    assert_eq!(left.iter().map(|row| row.position).collect::<Vec<_>>(), [4, 3]);
    assert_eq!(hooks.delivery(gone.id, 4).await, Ok(None));
}
