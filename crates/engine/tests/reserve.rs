//! A route is followed while everything it rests on still holds, and not a moment longer.

use crate::bench::{Bench, ROUTE_LIFE, approved, ask, caller, key, money, rules};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use switchyard_coordination::{Coordination, Health, Noted};
use switchyard_core::payment::CaptureMode;
use switchyard_core::{ChannelName, Clock, MerchantName, Mode, RouteId, Timestamp};
use switchyard_engine::{Answered, Caller, Engine, EngineError, NewPayment, NewRoute, Reservation, Word};
use switchyard_routing::{Facts, Offer, Snapshot, Status};

fn eu() -> ChannelName {
    ChannelName::new("eu").unwrap()
}

fn wanted() -> NewRoute {
    let NewPayment { amount, country, order_type, method, capture, .. } = ask(CaptureMode::Automatic);
    NewRoute { amount, country, order_type, method, capture, tokens_for: None }
}

async fn reserve(engine: &Engine) -> Reservation {
    engine.reserve(caller(), wanted()).await.unwrap()
}

fn following(route: RouteId) -> NewPayment {
    NewPayment { route: Some(route), ..ask(CaptureMode::Automatic) }
}

/// Fails unless nothing was recorded or sent; gives the reason and the fields.
async fn stale(bench: &Bench, outcome: Result<Answered, EngineError>) -> (String, Vec<&'static str>) {
    let Err(EngineError::RouteStale { reason, fields }) = outcome else { panic!("followed: {outcome:?}") };
    assert!(bench.events().await.is_empty(), "something was recorded");
    assert!(bench.provider.calls.lock().unwrap().is_empty(), "something was sent");
    (reason, fields)
}

/// What an operator says of a channel.
fn word(status: Status) -> Word {
    Word { status, reason: "planned work".into(), by: "operator".into(), since: Timestamp(0), until: None }
}

#[tokio::test]
async fn the_decision_becomes_the_payments_own_and_can_be_made_again() {
    let bench = Bench::new();
    let route = reserve(&bench.engine).await;
    assert_eq!((route.decided.channel.clone(), route.failure.clone()), (Some(eu()), None));
    assert_eq!(route.expires_at, Some(bench.clock.now().after(ROUTE_LIFE)));
    // As often as a payer tries.
    for number in 1..=2 {
        bench.provider.answer(Ok(approved(1_000)));
        let answered = bench.engine.create_payment(caller(), key(number), following(route.id)).await.unwrap();
        assert_eq!(answered.answer.status, 201);
        let payment = bench.payment().await;
        assert_eq!(payment.decided, route.decided);
        let mut facts = Facts::new(
            payment.order_type.clone(),
            payment.method,
            payment.amount,
            payment.country,
            payment.merchant.clone(),
        );
        facts.mode = Some(payment.mode);
        let offer = Offer::from_bytes(&payment.decided.offer).unwrap();
        let snapshot = Snapshot::from_bytes(&payment.decided.snapshot);
        let rules = rules("");
        let again = rules.decide(&facts, &offer, &snapshot, payment.decided.drawn_by(payment.id));
        assert_eq!(again.channel(), payment.decided.channel.as_ref());
        assert_eq!(again.reason.as_str(), &*payment.decided.reason);
    }
}

#[tokio::test]
async fn a_route_expires_and_its_payment_is_answered_all_the_same() {
    let bench = Bench::new();
    let route = reserve(&bench.engine).await;
    bench.provider.answer(Ok(approved(1_000)));
    let first = bench.engine.create_payment(caller(), key(1), following(route.id)).await.unwrap();
    bench.clock.pass(ROUTE_LIFE);
    let again = bench.engine.create_payment(caller(), key(1), following(route.id)).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.answer, first.answer);
    let late = bench.engine.create_payment(caller(), key(2), following(route.id)).await;
    assert!(matches!(&late, Err(EngineError::RouteStale { reason, .. }) if reason == "it has expired"), "{late:?}");
    // Forgotten, it is as unknown as any other; the key is still free, and the one used before still answers.
    bench.clock.pass(Duration::from_millis(1));
    bench.engine.forget_routes().await.unwrap();
    let gone = bench.engine.create_payment(caller(), key(2), following(route.id)).await;
    assert!(matches!(&gone, Err(EngineError::RouteStale { reason, .. }) if reason.contains("no such")), "{gone:?}");
    assert!(bench.engine.create_payment(caller(), key(1), following(route.id)).await.unwrap().replayed);
    bench.provider.answer(Ok(approved(1_000)));
    let free = bench.engine.create_payment(caller(), key(2), ask(CaptureMode::Automatic)).await.unwrap();
    assert!(!free.replayed);
}

#[tokio::test]
async fn another_merchants_route_is_told_from_none_by_nothing() {
    let bench = Bench::new();
    let route = reserve(&bench.engine).await;
    let nobodys = RouteId::from_uuid(bench.clock.uuid());
    let unknown = bench.engine.create_payment(caller(), key(1), following(nobodys)).await;
    let unknown = stale(&bench, unknown).await;
    for other in
        [Caller { merchant: MerchantName::new("other").unwrap(), ..caller() }, Caller { mode: Mode::Live, ..caller() }]
    {
        let outcome = bench.engine.create_payment(other, key(2), following(route.id)).await;
        assert_eq!(stale(&bench, outcome).await, unknown);
    }
}

#[tokio::test]
async fn a_payment_of_other_facts_is_refused_by_name() {
    let bench = Bench::new();
    let route = reserve(&bench.engine).await;
    let other = NewPayment { amount: money(1_001), capture: CaptureMode::Manual, ..following(route.id) };
    let (_, fields) = stale(&bench, bench.engine.create_payment(caller(), key(1), other).await).await;
    assert_eq!(fields, ["amount", "capture"]);
}

#[tokio::test]
async fn a_channel_that_is_down_or_has_another_account_is_not_followed_to() {
    let bench = Bench::new();
    let route = reserve(&bench.engine).await;
    bench.give_account("two");
    let (reason, _) = stale(&bench, bench.engine.create_payment(caller(), key(1), following(route.id)).await).await;
    assert!(reason.contains("another account"), "{reason}");
    bench.put_rules_in_force(rules(""));
    let now = bench.clock.now();
    for status in [Status::Down, Status::Disabled] {
        bench.board().post_overrides(HashMap::from([(eu(), word(status))]), now);
        let outcome = bench.engine.create_payment(caller(), key(1), following(route.id)).await;
        let (reason, _) = stale(&bench, outcome).await;
        assert!(reason.contains(status.as_str()), "{reason}");
        let none = reserve(&bench.engine).await;
        assert_eq!((none.decided.channel.clone(), none.expires_at), (None, None));
        assert_eq!(none.failure.map(|failure| failure.code.name()), Some("no_channel_available"));
    }
    // Degraded is still there.
    bench.board().post_overrides(HashMap::from([(eu(), word(Status::Degraded))]), now);
    bench.provider.answer(Ok(approved(1_000)));
    bench.engine.create_payment(caller(), key(1), following(route.id)).await.unwrap();
}

#[tokio::test]
async fn other_rules_end_a_route() {
    let bench = Bench::new();
    let route = reserve(&bench.engine).await;
    let closed = "[[rules]]\nname = \"closed\"\nwhen = { country = [\"FR\"] }\nreject = \"not there\"\n";
    bench.put_rules_in_force(rules(closed));
    let outcome = bench.engine.create_payment(caller(), key(1), following(route.id)).await;
    let (reason, _) = stale(&bench, outcome).await;
    assert!(reason.contains("rules"), "{reason}");
    // The same rules again are the same rules.
    bench.put_rules_in_force(rules(""));
    bench.provider.answer(Ok(approved(1_000)));
    bench.engine.create_payment(caller(), key(1), following(route.id)).await.unwrap();
}

#[tokio::test]
async fn a_route_without_a_token_for_its_channel_is_a_faulty_request() {
    let bench = Bench::new();
    let route = reserve(&bench.engine).await;
    let mut without = following(route.id);
    without.tokens.bare = None;
    let told = bench.engine.create_payment(caller(), key(1), without).await;
    assert!(matches!(&told, Err(EngineError::Fields(fields)) if fields[0].0 == "payment_method.token"), "{told:?}");
    let mut elsewhere = following(route.id);
    elsewhere.tokens.provider = Some("elsewhere".into());
    let told = bench.engine.create_payment(caller(), key(1), elsewhere).await;
    assert!(matches!(&told, Err(EngineError::Fields(_))), "{told:?}");
    let nobody = NewRoute { tokens_for: Some(vec!["scripte".into()]), ..wanted() };
    let told = bench.engine.reserve(caller(), nobody).await;
    let said = "`scripte` is neither a channel nor a provider; did you mean `scripted`?";
    let path = "payment_method.tokens_for".to_owned();
    assert_eq!(told, Err(EngineError::Fields(vec![(path, said.to_owned())])));
}

#[tokio::test]
async fn routes_leave_trials_to_payments_without_one() {
    let bench = Bench::new();
    // A fifth of the calls fail: degraded. Then nothing for so long that it is to be tried.
    for number in 0..20 {
        let noted = Noted { fault: number % 5 == 0, latency: Duration::from_millis(100) };
        bench.coordination.note(&eu(), Mode::Test, bench.clock.now(), noted);
    }
    bench.clock.pass(Duration::from_secs(300));
    bench.board().look(bench.clock.now());
    let open = || match bench.coordination.health(&eu(), Mode::Test, bench.clock.now()) {
        Health::Probing { open, .. } => open,
        health @ (Health::Up | Health::Degraded | Health::Down) => panic!("not on trial: {health:?}"),
    };
    assert!(!open());
    bench.provider.gated.store(true, Ordering::SeqCst);
    let pay = async |ask: NewPayment, number: u8| {
        bench.provider.answer(Ok(approved(1_000)));
        let engine = Arc::clone(&bench.engine);
        tokio::spawn(async move { engine.create_payment(caller(), key(number), ask).await });
        bench.settle().await;
    };
    // Half of them would try it out.
    for number in 0..16 {
        let route = reserve(&bench.engine).await;
        assert_eq!(&*route.decided.reason, "first channel degraded, none is up");
        pay(following(route.id), number).await;
        assert!(!open(), "payment {number} took the trial");
    }
    assert_eq!(bench.provider.calls.lock().unwrap().len(), 16);
    let mut number = 16;
    while !open() {
        pay(ask(CaptureMode::Automatic), number).await;
        number += 1;
        assert!(number < 48, "none of them tries it out");
    }
}
