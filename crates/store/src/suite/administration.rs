//! Keys, overrides and the audit log.

use super::Fixture;
use super::sample::{Sample, merchant};
use crate::{Administer, ApiKey, Audit, Override, Rate, Scope, Written};
use std::num::NonZeroU32;
use switchyard_core::id::KeyId;
use switchyard_core::{ChannelName, Mode, Network, Timestamp};

fn line(number: i64) -> Audit {
    Audit {
        at: Timestamp(number),
        actor: "cli".into(),
        action: "key.issued".into(),
        subject: format!("key_{number}"),
        detail: String::new(),
    }
}

fn key(sample: &mut Sample) -> ApiKey {
    ApiKey {
        id: KeyId::from_uuid(sample.uuid()),
        hash: [7; 32],
        merchant: merchant("acme"),
        mode: Mode::Live,
        scopes: vec![Scope::PaymentsWrite, Scope::KeysManage],
        label: "till 4".into(),
        addresses: ["10.0.0.1", "10.1.0.0/16", "2001:db8::/32"].map(|text| Network::parse(text).unwrap()).into(),
        created_at: Timestamp(5),
        expires_at: Some(Timestamp(6)),
        revoked_at: None,
        last_used_at: Some(Timestamp(4)),
        rate: Some(Rate { per_second: NonZeroU32::MIN, burst: NonZeroU32::MAX }),
        version: "2026-11-22".into(),
    }
}

pub(super) async fn keys(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let first = key(&mut sample);
    let mut second = key(&mut sample);
    (second.scopes, second.addresses, second.expires_at) = (Scope::ALL.to_vec(), Vec::new(), None);
    (second.last_used_at, second.rate) = (None, None);
    for key in [&first, &second] {
        let issue = Administer::IssueKey(key.clone());
        assert_eq!(store.administer(issue, line(1)).await, Ok(Written::Done));
    }
    assert_eq!(store.keys().await, Ok(vec![first.clone(), second.clone()]));
    let again = Administer::IssueKey(first.clone());
    assert_eq!(store.administer(again, line(2)).await, Ok(Written::Stale));

    let revoke = Administer::RevokeKey(first.id, Timestamp(9));
    assert_eq!(store.administer(revoke, line(3)).await, Ok(Written::Done));
    let again = Administer::RevokeKey(first.id, Timestamp(10));
    assert_eq!(store.administer(again, line(4)).await, Ok(Written::Stale));
    let unknown = Administer::RevokeKey(KeyId::from_uuid(sample.uuid()), Timestamp(10));
    assert_eq!(store.administer(unknown, line(5)).await, Ok(Written::Stale));
    let revoked = ApiKey { revoked_at: Some(Timestamp(9)), ..first };
    assert_eq!(store.keys().await, Ok(vec![revoked, second]));
}

pub(super) async fn uses(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let (mut used, mut unused) = (key(&mut sample), key(&mut sample));
    (used.last_used_at, unused.last_used_at) = (None, None);
    for key in [&used, &unused] {
        store.administer(Administer::IssueKey(key.clone()), line(1)).await.unwrap();
    }
    let unknown = KeyId::from_uuid(sample.uuid());
    assert_eq!(store.note_uses(vec![(used.id, Timestamp(70)), (unknown, Timestamp(70))]).await, Ok(()));
    assert_eq!(store.note_uses(vec![(used.id, Timestamp(69))]).await, Ok(()));
    used.last_used_at = Some(Timestamp(70));
    assert_eq!(store.keys().await, Ok(vec![used, unused]));
    assert_eq!(store.audit(9).await.unwrap().len(), 2);
}

pub(super) async fn overrides(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let of = |channel: &str, status: &str| Override {
        channel: ChannelName::new(channel).unwrap(),
        status: status.into(),
        reason: "maintenance".into(),
        expires_at: Some(Timestamp(8)),
        set_at: Timestamp(3),
        set_by: "cli".into(),
    };
    for set in [of("b", "down"), of("a", "down"), of("b", "degraded")] {
        assert_eq!(store.administer(Administer::SetOverride(set), line(1)).await, Ok(Written::Done));
    }
    assert_eq!(store.overrides().await, Ok(vec![of("a", "down"), of("b", "degraded")]));
    let clear = Administer::ClearOverride(ChannelName::new("a").unwrap());
    assert_eq!(store.administer(clear.clone(), line(1)).await, Ok(Written::Done));
    assert_eq!(store.administer(clear, line(1)).await, Ok(Written::Stale));
    assert_eq!(store.overrides().await, Ok(vec![of("b", "degraded")]));
}

pub(super) async fn audit(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    for number in 1..=4 {
        let issue = Administer::IssueKey(key(&mut sample));
        store.administer(issue, line(number)).await.unwrap();
    }
    let unknown = Administer::ClearOverride(ChannelName::new("a").unwrap());
    assert_eq!(store.administer(unknown, line(5)).await, Ok(Written::Stale));
    assert_eq!(store.audit(3).await, Ok(vec![line(4), line(3), line(2)]));
    assert_eq!(store.audit(30).await.unwrap().len(), 4);
}
