//! Lists.

use super::Fixture;
use super::sample::{Sample, approve, begun, concluded, merchant, money};
use crate::{PaymentFilter, Store};
use switchyard_core::payment::News;
use switchyard_core::{
    ChannelName, Currency, Failure, FailureCode, Method, Mode, OperationId, OperationKind, OrderType, Payment,
    PaymentId, PaymentStatus, Timestamp,
};

fn all() -> PaymentFilter {
    PaymentFilter::of(merchant("acme"), Mode::Test)
}

/// Goes on until there is no more.
async fn collect(store: &dyn Store, filter: &PaymentFilter, limit: u32) -> Vec<Payment> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = store.list_payments(filter.clone(), before, limit).await.unwrap();
        assert!(page.data.len() <= usize::try_from(limit).unwrap());
        all.extend(page.data);
        match page.next {
            None => return all,
            Some(next) => {
                let next = Some(PaymentId::from_uuid(next));
                assert!(before.is_none() || next < before, "a page must go on");
                before = next;
            }
        }
    }
}

pub(super) async fn pages(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut expected = Vec::new();
    for number in 0..25 {
        let mut payment = sample.payment();
        if number % 5 == 4 {
            payment.merchant = merchant("other");
        }
        if number % 5 == 3 {
            payment.mode = Mode::Live;
        }
        let (payment, _) = begun(&*store, sample.begin_of(payment)).await;
        if number % 5 < 3 {
            expected.push(payment);
        }
    }
    expected.reverse();
    for limit in [1, 4, 5, 15, 100] {
        assert_eq!(collect(&*store, &all(), limit).await, expected, "limit {limit}");
    }
    let first = store.list_payments(all(), None, 5).await.unwrap();
    assert_eq!((first.data.len(), first.next.is_some()), (5, true));
    let whole = store.list_payments(all(), None, 15).await.unwrap();
    assert_eq!((whole.data.len(), whole.next), (15, None));
    let unknown = PaymentFilter { merchant: merchant("nobody"), ..all() };
    assert!(collect(&*store, &unknown, 5).await.is_empty());
}

pub(super) async fn filters(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut payments = Vec::new();

    let mut different = sample.payment();
    different.amount = money(700, "JPY");
    different.order_type = OrderType::new("invoice").unwrap();
    different.method = Method::Pix;
    different.customer = None;
    different.decided.channel = ChannelName::new("second");
    different.provider_reference = Some("ch_7".into());
    payments.push(approve(&*store, &mut sample, different).await.0);

    let (failed, operation) = begun(&*store, sample.begin()).await;
    let refusal = News::Refused(Failure::new(FailureCode::DoNotHonor));
    payments.push(concluded(&*store, sample.conclude(failed, operation, refusal)).await.0);

    let (doubtful, operation) = begun(&*store, sample.begin()).await;
    payments.push(concluded(&*store, sample.conclude(doubtful, operation, News::Unknown)).await.0);

    let mut nowhere = sample.payment();
    nowhere.decided.channel = None;
    payments.push(begun(&*store, sample.begin_of(nowhere)).await.0);
    payments.reverse();

    let third = payments[1].created_at;
    type Expected = fn(&Payment, Timestamp) -> bool;
    let cases: Vec<(PaymentFilter, Expected)> = vec![
        (all(), |_, _| true),
        (PaymentFilter { status: Some(PaymentStatus::Failed), ..all() }, |p, _| p.status == PaymentStatus::Failed),
        (PaymentFilter { in_doubt: Some(true), ..all() }, |p, _| p.in_doubt()),
        (PaymentFilter { in_doubt: Some(false), ..all() }, |p, _| !p.in_doubt()),
        (PaymentFilter { reference: Some(payments[0].reference.clone()), ..all() }, |p, _| p.decided.channel.is_none()),
        (PaymentFilter { reference: Some("order-' OR 1".into()), ..all() }, |_, _| false),
        (PaymentFilter { order_type: OrderType::new("invoice"), ..all() }, |p, _| p.order_type.as_str() == "invoice"),
        (PaymentFilter { order_type: OrderType::new("unheard_of"), ..all() }, |_, _| false),
        (PaymentFilter { channel: ChannelName::new("second"), ..all() }, |p, _| {
            p.decided.channel == ChannelName::new("second")
        }),
        (PaymentFilter { channel: ChannelName::new("ecommerce"), ..all() }, |_, _| false),
        (PaymentFilter { currency: Currency::from_code("JPY"), ..all() }, |p, _| p.amount.currency().code() == "JPY"),
        (PaymentFilter { method: Some(Method::Pix), ..all() }, |p, _| p.method == Method::Pix),
        (PaymentFilter { customer: Some("cus-77".into()), ..all() }, |p, _| p.customer.is_some()),
        (PaymentFilter { provider_reference: Some("ch_7".into()), ..all() }, |p, _| p.provider_reference.is_some()),
        (PaymentFilter { amount_min: Some(701), ..all() }, |p, _| p.amount.minor() > 700),
        (PaymentFilter { amount_max: Some(700), ..all() }, |p, _| p.amount.minor() <= 700),
        (PaymentFilter { amount_min: Some(700), amount_max: Some(12_500), ..all() }, |_, _| true),
        (PaymentFilter { created_from: Some(third), ..all() }, |p, third| p.created_at >= third),
        (PaymentFilter { created_to: Some(third), ..all() }, |p, third| p.created_at < third),
        (PaymentFilter { created_from: Some(third), created_to: Some(third), ..all() }, |_, _| false),
        (PaymentFilter { method: Some(Method::Card), status: Some(PaymentStatus::Processing), ..all() }, |p, _| {
            p.method == Method::Card && p.status == PaymentStatus::Processing
        }),
    ];
    for (filter, expected) in cases {
        let expected: Vec<_> = payments.iter().filter(|payment| expected(payment, third)).cloned().collect();
        for limit in [1, 2, 50] {
            assert_eq!(collect(&*store, &filter, limit).await, expected, "{filter:?}");
        }
    }
}

pub(super) async fn operations(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let mut sample = Sample::new();
    let mut refunds = Vec::new();
    for number in 0..6_i64 {
        let mut payment = sample.payment();
        if number == 2 {
            payment.merchant = merchant("other");
        }
        if number == 3 {
            payment.mode = Mode::Live;
        }
        let (payment, _) = approve(&*store, &mut sample, payment).await;
        let capture = sample.operation(&payment, OperationKind::Capture);
        let (payment, capture) = begun(&*store, sample.take_in(payment, capture)).await;
        let news = News::Approved(payment.amount);
        let (payment, _) = concluded(&*store, sample.conclude(payment, capture, news)).await;
        let mut refund = sample.operation(&payment, OperationKind::Refund);
        refund.amount = 100 + number;
        let (payment, refund) = begun(&*store, sample.take_in(payment, refund)).await;
        if !(2..=3).contains(&number) {
            refunds.push((refund, payment));
        }
    }
    refunds.reverse();
    for limit in [1, 3, 50] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let kinds = vec![OperationKind::Refund];
            let page = store.list_operations(merchant("acme"), Mode::Test, kinds, before, limit).await.unwrap();
            found.extend(page.data);
            let Some(next) = page.next else { break };
            before = Some(OperationId::from_uuid(next));
        }
        assert_eq!(found, refunds, "limit {limit}");
    }
    let kinds = vec![OperationKind::Capture, OperationKind::Refund];
    let both = store.list_operations(merchant("acme"), Mode::Test, kinds, None, 50).await.unwrap();
    assert_eq!((both.data.len(), both.next), (8, None));
    let none = store.list_operations(merchant("acme"), Mode::Test, Vec::new(), None, 50).await.unwrap();
    assert!(none.data.is_empty());
    let nobody = store.list_operations(merchant("nobody"), Mode::Test, vec![OperationKind::Refund], None, 50).await;
    assert!(nobody.unwrap().data.is_empty());
}
