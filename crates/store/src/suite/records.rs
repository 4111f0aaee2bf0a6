//! Rule sets that were in force, and payments in the order in which they were made.

use super::Fixture;
use super::sample::{Sample, begun, merchant};
use crate::{KeptRules, Period, Store};
use switchyard_core::{Mode, Payment, PaymentId, Timestamp};

fn rules(hash: &str, source: &str) -> KeptRules {
    KeptRules {
        hash: hash.into(),
        source: source.into(),
        vocabulary: "channel a\nchannel b\n".into(),
        kept_at: Timestamp(7),
    }
}

pub(super) async fn rules_are_kept(fixture: &mut dyn Fixture) {
    let (small, large) = (rules("sha256:1", "[[rules]]\n"), rules("sha256:2", &"# 日本語 '\0\n".repeat(150_000)));
    {
        let store = fixture.store();
        assert_eq!(store.rules("sha256:1".into()).await, Ok(None));
        for kept in [&small, &large, &small] {
            assert_eq!(store.keep_rules(kept.clone()).await, Ok(()));
        }
        // What is kept stays as it is: decisions rest on it.
        let other = KeptRules { source: "other".into(), kept_at: Timestamp(9), ..small.clone() };
        assert_eq!(store.keep_rules(other).await, Ok(()));
    }
    fixture.restart();
    let store = fixture.store();
    for kept in [small, large] {
        assert_eq!(store.rules(kept.hash.clone()).await, Ok(Some(kept)));
    }
    assert_eq!(store.rules("sha256:3".into()).await, Ok(None));
}

/// Goes on until there is no more.
async fn collect(store: &dyn Store, period: Period, limit: u32) -> Vec<Payment> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let slice = store.slice(period, after, limit).await.unwrap();
        assert!(slice.payments.len() <= usize::try_from(limit).unwrap());
        all.extend(slice.payments);
        match slice.next {
            None => return all,
            Some(next) => {
                assert!(after < Some(next), "a slice must go on");
                after = Some(next);
            }
        }
    }
}

pub(super) async fn slices(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    assert!(collect(&*store, Period::default(), 5).await.is_empty());
    let mut sample = Sample::new();
    let mut payments = Vec::new();
    for number in 0..23_i64 {
        let mut payment = sample.payment();
        if number % 3 == 1 {
            payment.merchant = merchant("other");
        }
        if number % 4 == 1 {
            (payment.mode, payment.decided.channel) = (Mode::Live, None);
        }
        // A wall clock that stepped back: ids go on.
        if number == 20 {
            payment.created_at = Timestamp(payment.created_at.0 - 10_000);
        }
        payments.push(begun(&*store, sample.begin_of(payment)).await.0);
    }
    let at = |number: usize| Some(payments[number].created_at);
    let periods = [
        Period::default(),
        Period { from: at(5), to: None },
        Period { from: None, to: at(11) },
        Period { from: at(5), to: at(12) },
        Period { from: at(12), to: at(12) },
        Period { from: Some(Timestamp(i64::MIN)), to: Some(Timestamp(i64::MAX)) },
        Period { from: Some(Timestamp(0)), to: Some(Timestamp(1)) },
    ];
    for period in periods {
        let within = |payment: &&Payment| {
            period.from.is_none_or(|from| payment.created_at >= from)
                && period.to.is_none_or(|to| payment.created_at < to)
        };
        let expected: Vec<Payment> = payments.iter().filter(within).cloned().collect();
        for limit in [1, 4, 23, 100] {
            assert_eq!(collect(&*store, period, limit).await, expected, "{period:?} {limit}");
        }
    }
    let behind = store.slice(Period::default(), Some(payments[20].id), 10).await.unwrap();
    assert_eq!((behind.payments, behind.next), (payments[21..].to_vec(), None));
    let last = PaymentId::from_uuid(uuid::Uuid::max());
    assert!(store.slice(Period::default(), Some(last), 10).await.unwrap().payments.is_empty());
}
