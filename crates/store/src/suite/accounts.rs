//! Accounts that payments still need.

use super::Fixture;
use super::sample::{Sample, approve, approved, begun, concluded};
use crate::{AccountUse, Begun, StillNeeded, Store};
use switchyard_core::operation::Target;
use switchyard_core::payment::News;
use switchyard_core::{ChannelName, Failure, FailureCode, Mode, OperationKind, Payment, PaymentId};

/// Looks through all payments, for one of several accounts.
async fn found(store: &dyn Store, accounts: &[AccountUse]) -> Option<(PaymentId, AccountUse)> {
    let mut before = None;
    loop {
        match store.still_needed(accounts.to_vec(), before).await.unwrap() {
            StillNeeded { found: Some(found), .. } => return Some(found),
            StillNeeded { found: None, next: None } => return None,
            StillNeeded { found: None, next } => before = next,
        }
    }
}

async fn needed(store: &dyn Store, target: &Target) -> Option<PaymentId> {
    let account = AccountUse { target: target.clone(), mode: Mode::Test };
    let (payment, found) = found(store, std::slice::from_ref(&account)).await?;
    assert_eq!(found, account);
    Some(payment)
}

async fn follow_up(store: &dyn Store, sample: &mut Sample, payment: Payment, kind: OperationKind) -> Payment {
    let operation = sample.operation(&payment, kind);
    let (payment, operation) = begun(store, sample.take_in(payment, operation)).await;
    let news = approved(&payment);
    concluded(store, sample.conclude(payment, operation, news)).await.0
}

pub(super) async fn still_needed(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    assert_eq!(store.targets().await, Ok(Vec::new()));
    let (payment, operation) = begun(&*store, sample.begin()).await;
    let target = Target::clone(operation.target.as_ref().unwrap());
    assert_eq!(store.targets().await, Ok(vec![target.clone()]));
    // Open, then refused.
    assert_eq!(needed(&*store, &target).await, Some(payment.id));
    let refused = News::Refused(Failure::new(FailureCode::DoNotHonor));
    concluded(&*store, sample.conclude(payment, operation, refused)).await;
    assert_eq!(needed(&*store, &target).await, None);
    // In doubt, then held, then let go.
    let (payment, operation) = begun(&*store, sample.begin()).await;
    let (payment, operation) = concluded(&*store, sample.conclude(payment, operation, News::Unknown)).await;
    assert_eq!(needed(&*store, &target).await, Some(payment.id));
    let news = approved(&payment);
    let (payment, _) = concluded(&*store, sample.conclude(payment, operation, news)).await;
    assert_eq!(needed(&*store, &target).await, Some(payment.id));
    follow_up(&*store, &mut sample, payment, OperationKind::Void).await;
    assert_eq!(needed(&*store, &target).await, None);
    // Captured, then given back.
    let payment = sample.payment();
    let (payment, _) = approve(&*store, &mut sample, payment).await;
    let payment = follow_up(&*store, &mut sample, payment, OperationKind::Capture).await;
    assert_eq!(needed(&*store, &target).await, Some(payment.id));
    // Another account, address or channel is another one.
    let channel = ChannelName::new("other").unwrap();
    for other in [
        Target { account: "acct_2".into(), ..target.clone() },
        Target { base: "http://127.0.0.1:9002".into(), ..target.clone() },
        Target { channel, ..target.clone() },
    ] {
        assert_eq!(needed(&*store, &other).await, None, "{other:?}");
    }
    follow_up(&*store, &mut sample, payment, OperationKind::Refund).await;
    assert_eq!(needed(&*store, &target).await, None);
    // Failed here, charged there: somebody has to settle it, there.
    let (payment, operation) = begun(&*store, sample.begin()).await;
    let refused = News::Refused(Failure::new(FailureCode::DoNotHonor));
    let (payment, operation) = concluded(&*store, sample.conclude(payment, operation, refused)).await;
    let news = approved(&payment);
    let (payment, _) = concluded(&*store, sample.conclude(payment, operation, news)).await;
    assert!(payment.contradiction.is_some());
    assert_eq!(needed(&*store, &target).await, Some(payment.id));
    let again = Payment { reference: payment.reference, ..sample.payment() };
    let refused = store.begin(sample.begin_of(again)).await.unwrap();
    assert!(matches!(refused, Begun::ReferenceOpen(id) if id == payment.id), "{refused:?}");
}

pub(super) async fn by_mode(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let (test, operation) = begun(&*store, sample.begin()).await;
    let target = Target::clone(operation.target.as_ref().unwrap());
    let [in_test, in_live] = [Mode::Test, Mode::Live].map(|mode| AccountUse { target: target.clone(), mode });
    assert_eq!(found(&*store, std::slice::from_ref(&in_live)).await, None);
    let mut begin = sample.begin();
    begin.payment.mode = Mode::Live;
    let (live, _) = begun(&*store, begin).await;
    let refused = News::Refused(Failure::new(FailureCode::DoNotHonor));
    concluded(&*store, sample.conclude(test.clone(), operation, refused)).await;
    assert_eq!(found(&*store, std::slice::from_ref(&in_test)).await, None);
    // Of several, the one that is needed is told.
    assert_eq!(found(&*store, &[in_test, in_live.clone()]).await, Some((live.id, in_live)));
}

pub(super) async fn free(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    assert_eq!(store.free_accounts().await, Ok(Vec::new()));
    let account = |name: &str, mode| AccountUse {
        target: Target {
            channel: ChannelName::new("eu").unwrap(),
            base: "http://127.0.0.1:9001".into(),
            account: name.into(),
        },
        mode,
    };
    let free = vec![account("a", Mode::Test), account("a", Mode::Live), account("b", Mode::Live)];
    store.keep_free(free.clone()).await.unwrap();
    drop(store);
    fixture.restart();
    let store = fixture.store();
    assert_eq!(store.free_accounts().await.as_ref(), Ok(&free));
    // Others take their place.
    store.keep_free(free[1..2].to_vec()).await.unwrap();
    assert_eq!(store.free_accounts().await.as_deref(), Ok(&free[1..2]));
    store.keep_free(Vec::new()).await.unwrap();
    assert_eq!(store.free_accounts().await, Ok(Vec::new()));
}
