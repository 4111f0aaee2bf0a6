//! Another set comes into force while payments are under way.

use crate::bench::{Bench, approved, ask, caller, key};
use std::sync::Arc;
use switchyard_core::payment::CaptureMode;
use switchyard_engine::{EngineError, FollowUp, Merchants};

#[tokio::test]
async fn what_is_under_way_ends_at_the_account_it_began_with() {
    let bench = Bench::new();
    bench.provider.gated.store(true, std::sync::atomic::Ordering::SeqCst);
    bench.provider.answer(Ok(approved(1_000)));
    let engine = Arc::clone(&bench.engine);
    let asking =
        tokio::spawn(async move { engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await });
    bench.settle().await;
    // The channel is gone before its provider has answered.
    bench.put_in_force(switchyard_engine::Channels::default(), bench.merchants());
    bench.provider.gate.add_permits(1);
    assert_eq!(asking.await.unwrap().unwrap().answer.body, "captured v2");
    // From now on nobody knows it, and nothing is sent.
    let payment = bench.payment().await;
    let refund = FollowUp::Refund { amount: None, reason: None };
    let refused = bench.engine.follow_up(caller(), key(2), payment.id, refund.clone()).await;
    assert!(matches!(refused, Err(EngineError::Unsupported { .. })), "{refused:?}");
    let nowhere = bench.engine.create_payment(caller(), key(3), ask(CaptureMode::Automatic)).await.unwrap();
    assert!(nowhere.answer.body.starts_with(b"failed"), "{nowhere:?}");
    // It is back, and so is the account.
    bench.put_in_force(bench.channels.clone(), bench.merchants());
    bench.provider.answer(Ok(approved(1_000)));
    bench.provider.gate.add_permits(1);
    bench.engine.follow_up(caller(), key(2), payment.id, refund).await.unwrap();
    assert_eq!(bench.provider.calls.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_narrowed_or_removed_merchant_starts_nothing_and_still_gets_what_it_had() {
    let bench = Bench::new();
    bench.provider.answer(Ok(approved(1_000)));
    let first = bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    bench.put_in_force(bench.channels.clone(), Merchants::default());
    assert_eq!(bench.engine.order_types(&caller().merchant), None);
    let replayed = bench.engine.create_payment(caller(), key(1), ask(CaptureMode::Automatic)).await.unwrap();
    assert!(replayed.replayed && replayed.answer == first.answer);
    let refused = bench.engine.create_payment(caller(), key(2), ask(CaptureMode::Automatic)).await;
    assert_eq!(refused, Err(EngineError::NoMerchant));
    bench.put_in_force(bench.channels.clone(), Merchants::new(bench.merchants().specs().to_vec(), &[]));
    let refused = bench.engine.create_payment(caller(), key(2), ask(CaptureMode::Automatic)).await;
    assert!(matches!(refused, Err(EngineError::Fields(ref fields)) if fields[0].0 == "order_type"), "{refused:?}");
}
