//! Decisions that are kept before their payments.

use super::Fixture;
use super::sample::{Sample, begun, merchant};
use switchyard_core::operation::Target;
use switchyard_core::payment::Decided;
use switchyard_core::{ChannelName, Payment, Route, RouteId, Timestamp};

/// A route of the payment's facts that lives for a minute.
fn route(sample: &mut Sample, payment: &Payment) -> Route {
    let id = RouteId::from_uuid(sample.uuid());
    Route {
        id,
        merchant: payment.merchant.clone(),
        mode: payment.mode,
        amount: payment.amount,
        country: payment.country,
        order_type: payment.order_type.clone(),
        method: payment.method,
        capture: payment.capture,
        decided: Decided { route: Some(id), ..payment.decided.clone() },
        target: Target {
            channel: ChannelName::new("simulator_eu").unwrap(),
            base: "https://provider.example".into(),
            account: "one".into(),
        }
        .into(),
        created_at: sample.now,
        expires_at: Timestamp(sample.now.0 + 60_000),
    }
}

pub(super) async fn read_back_and_forgotten(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut routes = Vec::new();
    for number in 0..4 {
        let payment = sample.payment();
        let route = Route { merchant: merchant(&format!("shop-{number}")), ..route(&mut sample, &payment) };
        store.reserve(route.clone()).await.unwrap();
        routes.push(route);
    }
    drop(store);
    fixture.restart();
    let store = fixture.store();
    for route in &routes {
        assert_eq!(store.route(route.id).await, Ok(Some(route.clone())));
    }
    assert_eq!(store.route(RouteId::from_uuid(sample.uuid())).await, Ok(None));
    // The third has not expired, and the fourth is not among the oldest three.
    store.forget_routes(routes[2].expires_at, 3).await.unwrap();
    let mut left = Vec::new();
    for route in &routes {
        left.push(store.route(route.id).await.unwrap().is_some());
    }
    assert_eq!(left, [false, false, true, true]);
    store.forget_routes(Timestamp(i64::MAX), 1).await.unwrap();
    assert_eq!(store.route(routes[2].id).await, Ok(None));
    assert_eq!(store.route(routes[3].id).await, Ok(Some(routes[3].clone())));
    // A payment keeps the decision when its route is gone.
    let mut begin = sample.begin();
    begin.payment.decided = routes[0].decided.clone();
    let (payment, _) = begun(&*store, begin).await;
    assert_eq!(store.payment(payment.id).await.unwrap().unwrap().decided, routes[0].decided);
}
