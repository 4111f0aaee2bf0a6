//! An operation whose call is under way is nobody else's to decide; one whose owner died is everybody's.

use crate::bench::{Bench, approved, ask, caller, key};
use std::sync::atomic::Ordering;
use std::time::Duration;
use switchyard_core::PaymentStatus;
use switchyard_core::payment::CaptureMode;
use switchyard_core::provider::Found;
use switchyard_engine::EngineError;

#[tokio::test]
async fn recovery_leaves_a_call_under_way_alone_whatever_the_clock_says() {
    let bench = Bench::new();
    bench.provider.gated.store(true, Ordering::SeqCst);
    bench.provider.answer(Ok(approved(1_000)));
    let engine = bench.engine.clone();
    let asking =
        tokio::spawn(async move { engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await });
    bench.settle().await;
    let again = bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await;
    assert!(matches!(again, Err(EngineError::KeyInProgress { .. })), "{again:?}");
    // The wall clock steps by a day: every deadline seems long past.
    bench.clock.step(Duration::from_secs(86_400));
    bench.recover(&bench.engine).await;
    let id = bench.payment().await.id;
    let refreshed = bench.engine.refresh(&caller(), id).await.unwrap();
    assert_eq!(refreshed.not_refreshed.as_deref(), Some("the call is still under way"));
    assert_eq!(bench.provider.look_ups.load(Ordering::SeqCst), 0, "the provider was asked about it");
    assert_eq!(bench.payment().await.status, PaymentStatus::Processing);
    bench.provider.gate.add_permits(1);
    let answered = asking.await.unwrap().unwrap();
    assert_eq!(answered.answer.status, 201);
    assert_eq!(bench.payment().await.status, PaymentStatus::Captured);
    assert_eq!(bench.events().await, ["payment.created", "payment.captured"]);
}

#[tokio::test]
async fn what_a_dead_process_had_under_way_is_in_doubt_and_looked_up() {
    let bench = Bench::new();
    bench.provider.gated.store(true, Ordering::SeqCst);
    let engine = bench.engine.clone();
    let asking =
        tokio::spawn(async move { engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await });
    bench.settle().await;
    asking.abort();
    bench.clock.pass(Duration::from_secs(1));
    let next = bench.restarted();
    assert_eq!(next.adopt().await.unwrap(), 1);
    assert!(bench.payment().await.in_doubt());
    assert_eq!(next.adopt().await.unwrap(), 0);
    bench.provider.find(Ok(Found::Known(Box::new(approved(1_000)))));
    bench.clock.pass(Duration::from_secs(2));
    bench.recover(&next).await;
    assert_eq!(bench.payment().await.status, PaymentStatus::Captured);
    assert_eq!(bench.provider.calls.lock().unwrap().len(), 1, "it was sent again");
}
