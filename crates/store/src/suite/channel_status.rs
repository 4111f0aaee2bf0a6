//! Changes of channels' statuses, and overrides whose time is over.

use super::Fixture;
use crate::{Administer, Audit, Override, RecordedStatus, StatusChange, StatusQuery, Store, Written};
use switchyard_core::{ChannelName, Mode, Timestamp};

fn name(channel: &str) -> ChannelName {
    ChannelName::new(channel).unwrap()
}

fn line(action: &str) -> Audit {
    let (actor, subject) = ("switchyard".to_owned(), "eu".to_owned());
    Audit { at: Timestamp(1), actor, action: action.into(), subject, detail: String::new() }
}

fn change(at: i64, channel: &str, mode: Mode, from: &str, to: &str) -> StatusChange {
    StatusChange {
        at: Timestamp(at),
        channel: name(channel),
        mode,
        from: from.into(),
        to: to.into(),
        cause: "override".into(),
        reason: "planned work".into(),
        by: (at % 2 == 0).then(|| "operator".into()),
        until: (at % 2 == 1).then_some(Timestamp(99)),
    }
}

async fn record(store: &dyn Store, change: &StatusChange) -> Written {
    let audit = line(&format!("channel.{}", change.to));
    store.administer(Administer::RecordStatus(change.clone()), audit).await.unwrap()
}

pub(super) async fn expiry(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let set = |at: i64| Override {
        channel: name("eu"),
        status: "down".into(),
        reason: "planned work".into(),
        expires_at: Some(Timestamp(at + 5)),
        set_at: Timestamp(at),
        set_by: "operator".into(),
    };
    for at in [1, 2] {
        store.administer(Administer::SetOverride(set(at)), line("channel.override_set")).await.unwrap();
    }
    let expire = |at: i64| Administer::ExpireOverride(name("eu"), Timestamp(at));
    // The first was replaced: its end is none of the second's.
    assert_eq!(store.administer(expire(1), line("channel.override_expired")).await, Ok(Written::Stale));
    assert_eq!(store.overrides().await, Ok(vec![set(2)]));
    assert_eq!(store.administer(expire(2), line("channel.override_expired")).await, Ok(Written::Done));
    assert_eq!(store.administer(expire(2), line("channel.override_expired")).await, Ok(Written::Stale));
    assert_eq!(store.overrides().await, Ok(Vec::new()));
    assert_eq!(store.audit(10).await.unwrap().len(), 3);
}

pub(super) async fn chained(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let down = change(1, "eu", Mode::Test, "up", "down");
    // Nothing recorded is up.
    let odd = change(1, "eu", Mode::Test, "degraded", "down");
    assert_eq!(record(&*store, &odd).await, Written::Stale);
    assert_eq!(record(&*store, &down).await, Written::Done);
    // Another process told it already.
    assert_eq!(record(&*store, &down).await, Written::Stale);
    // The other mode, and another channel, have their own.
    assert_eq!(record(&*store, &change(2, "eu", Mode::Live, "up", "down")).await, Written::Done);
    assert_eq!(record(&*store, &change(3, "us", Mode::Test, "up", "disabled")).await, Written::Done);
    assert_eq!(record(&*store, &change(4, "eu", Mode::Test, "down", "up")).await, Written::Done);
    let actions: Vec<String> = store.audit(10).await.unwrap().into_iter().map(|line| line.action).collect();
    assert_eq!(actions, ["channel.up", "channel.disabled", "channel.down", "channel.down"]);
}

pub(super) async fn reads(fixture: &mut dyn Fixture) {
    let changes = [
        change(1, "eu", Mode::Test, "up", "down"),
        change(2, "us", Mode::Test, "up", "degraded"),
        change(3, "eu", Mode::Test, "down", "up"),
        change(4, "eu", Mode::Live, "up", "disabled"),
    ];
    for change in &changes {
        assert_eq!(record(&*fixture.store(), change).await, Written::Done);
    }
    fixture.restart();
    let store = fixture.store();
    let all = store.status_changes(StatusQuery::After(0), 10).await.unwrap();
    assert_eq!(all.iter().map(|one| one.change.clone()).collect::<Vec<_>>(), changes);
    assert!(all.is_sorted_by_key(|one| one.position));
    let page = store.status_changes(StatusQuery::After(all[1].position), 1).await.unwrap();
    assert_eq!(page, all[2..3]);
    let ats = |found: Vec<RecordedStatus>| found.into_iter().map(|one| one.change.at.0).collect::<Vec<_>>();
    assert_eq!(ats(store.status_changes(StatusQuery::Latest(None), 3).await.unwrap()), [4, 3, 2]);
    assert_eq!(ats(store.status_changes(StatusQuery::Latest(Some(name("eu"))), 9).await.unwrap()), [4, 3, 1]);
    assert_eq!(ats(store.status_changes(StatusQuery::Last, 9).await.unwrap()), [2, 3, 4]);
    assert_eq!(store.status_changes(StatusQuery::Latest(Some(name("none"))), 9).await, Ok(Vec::new()));
}
