//! What nobody knows, and what settles it.

use crate::bench::{Bench, GRACE, TIMEOUT, approved, ask, caller, key};
use std::sync::atomic::Ordering;
use std::time::Duration;
use switchyard_core::limits::SEND_WITHIN;
use switchyard_core::payment::{CaptureMode, News, Source};
use switchyard_core::provider::{Found, ProviderError};
use switchyard_core::settle::Report;
use switchyard_core::{Failure, FailureCode, PaymentStatus};
use switchyard_engine::FollowUp;

fn silence() -> Result<Report, ProviderError> {
    Err(ProviderError::NoAnswer("it timed out".into()))
}

/// When *not found* counts for an operation begun now.
fn long_enough() -> Duration {
    SEND_WITHIN + TIMEOUT + GRACE + Duration::from_millis(1)
}

#[tokio::test]
async fn silence_is_settled_by_what_the_provider_has() {
    let bench = Bench::new();
    bench.provider.answer(silence());
    let told = bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    assert_eq!(told.answer.status, 202);
    bench.provider.find(Ok(Found::Known(Box::new(approved(1_000)))));
    bench.clock.pass(Duration::from_secs(2));
    bench.recover(&bench.engine).await;
    let payment = bench.payment().await;
    assert_eq!((payment.status, payment.in_doubt()), (PaymentStatus::Captured, false));
    assert_eq!(payment.observed.map(|(_, from)| from), Some(Source::LookUp));
    assert_eq!(
        bench.events().await,
        ["payment.created", "payment.in_doubt", "payment.doubt_resolved", "payment.captured"]
    );
    assert_eq!(bench.provider.calls.lock().unwrap().len(), 1, "it was sent again");
}

#[tokio::test]
async fn not_found_counts_only_when_it_is_late_enough() {
    let bench = Bench::new();
    bench.provider.answer(silence());
    bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    bench.provider.find(Ok(Found::NotFound));
    bench.clock.pass(Duration::from_secs(2));
    bench.recover(&bench.engine).await;
    assert!(bench.payment().await.in_doubt(), "too early to count");
    assert_eq!(bench.provider.look_ups.load(Ordering::SeqCst), 1);
    bench.provider.find(Ok(Found::NotFound));
    bench.clock.pass(long_enough());
    bench.recover(&bench.engine).await;
    let payment = bench.payment().await;
    assert_eq!(payment.status, PaymentStatus::Failed);
    assert_eq!(payment.failure.map(|failure| failure.code), Some(FailureCode::ProviderUnreachable));
}

#[tokio::test]
async fn a_look_up_that_fails_is_no_news() {
    let bench = Bench::new();
    bench.provider.answer(silence());
    bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    bench.clock.pass(long_enough());
    for error in [
        ProviderError::Refused(Box::new(Failure::new(FailureCode::Configuration))),
        ProviderError::Unreadable("500".into()),
        ProviderError::NeverLeft("refused".into()),
        ProviderError::RateLimited { retry_after_seconds: None },
    ] {
        bench.provider.find(Err(error));
        bench.recover(&bench.engine).await;
        bench.clock.pass(Duration::from_secs(120));
        assert!(bench.payment().await.in_doubt());
    }
    assert_eq!(bench.provider.look_ups.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn what_was_accepted_is_never_failed_for_being_unknown_later() {
    let bench = Bench::new();
    bench.provider.answer(Ok(Report::bare(News::Accepted)));
    bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    for _ in 0..5 {
        bench.provider.find(Ok(Found::NotFound));
        bench.clock.pass(Duration::from_secs(3_600));
        bench.recover(&bench.engine).await;
        assert_eq!(bench.payment().await.status, PaymentStatus::Processing);
    }
}

#[tokio::test]
async fn not_found_is_moot_once_other_news_came_first() {
    let bench = Bench::new();
    bench.provider.answer(silence());
    bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    bench.clock.pass(long_enough());
    // The provider says that it has no such thing; before that is written, it says that it has.
    bench.provider.find(Ok(Found::NotFound));
    bench.provider.find(Ok(Found::Known(Box::new(Report::bare(News::Accepted)))));
    bench.provider.hold_look_up.store(true, Ordering::SeqCst);
    bench.recover(&bench.engine).await;
    let payment = bench.payment().await;
    assert!(payment.in_doubt());
    bench.engine.refresh(&caller(), payment.id).await.unwrap();
    bench.provider.gate.add_permits(1);
    bench.settle().await;
    let payment = bench.payment().await;
    assert_eq!((payment.status, payment.failure), (PaymentStatus::Processing, None));
    assert_eq!(payment.contradiction, None);
    assert_eq!(bench.provider.look_ups.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn refreshing_often_changes_no_schedule() {
    let bench = Bench::new();
    bench.provider.answer(silence());
    bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    let payment = bench.payment().await;
    let due = bench.store.operation(payment.operations[0]).await.unwrap().unwrap().next_look_up_at;
    for _ in 0..5 {
        bench.provider.find(Ok(Found::NotFound));
        let refreshed = bench.engine.refresh(&caller(), payment.id).await.unwrap();
        assert!(refreshed.not_refreshed.is_some());
    }
    let operation = bench.store.operation(payment.operations[0]).await.unwrap().unwrap();
    assert_eq!((operation.next_look_up_at, operation.look_ups), (due, 0));
}

#[tokio::test]
async fn a_refund_in_doubt_keeps_its_amount_until_it_is_settled() {
    let bench = Bench::new();
    bench.provider.answer(Ok(approved(1_000)));
    bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    let id = bench.payment().await.id;
    bench.provider.answer(silence());
    let refund = FollowUp::Refund { amount: Some(700), reason: None };
    bench.engine.follow_up(caller(), key(2), id, refund).await.unwrap();
    assert_eq!(bench.payment().await.refundable(), 300);
    bench.clock.pass(long_enough());
    bench.provider.find(Ok(Found::NotFound));
    bench.recover(&bench.engine).await;
    assert_eq!(bench.payment().await.refundable(), 1_000);
}
