//! Keys, overrides and the audit log.

use super::Fixture;
use super::sample::{Sample, merchant};
use crate::{Administer, ApiKey, Audit, Override, Scope, Written};
use switchyard_core::id::KeyId;
use switchyard_core::{ChannelName, Mode, Timestamp};

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
        addresses: vec!["10.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        created_at: Timestamp(5),
        expires_at: Some(Timestamp(6)),
        revoked_at: None,
    }
}

pub(super) async fn keys(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let first = key(&mut sample);
    let mut second = key(&mut sample);
    (second.scopes, second.addresses, second.expires_at) = (Scope::ALL.to_vec(), Vec::new(), None);
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

pub(super) async fn overrides(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let of = |channel: &str, status: &str| Override {
        channel: ChannelName::new(channel).unwrap(),
        status: status.into(),
        reason: "maintenance".into(),
        expires_at: Some(Timestamp(8)),
        set_at: Timestamp(3),
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
