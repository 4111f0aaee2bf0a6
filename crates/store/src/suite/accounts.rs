//! Accounts that payments still need.

use super::Fixture;
use super::sample::{Sample, approve, approved, begun, concluded};
use crate::{Begun, StillNeeded, Store};
use switchyard_core::operation::Target;
use switchyard_core::payment::News;
use switchyard_core::{ChannelName, Failure, FailureCode, OperationKind, Payment, PaymentId};

/// Looks through all payments.
async fn needed(store: &dyn Store, target: &Target) -> Option<PaymentId> {
    let mut before = None;
    loop {
        let slice = store.still_needed(vec![target.clone()], before).await.unwrap();
        match slice {
            StillNeeded { payment: Some(payment), .. } => return Some(payment),
            StillNeeded { payment: None, next: None } => return None,
            StillNeeded { payment: None, next } => before = next,
        }
    }
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
