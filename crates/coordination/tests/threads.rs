//! Several workers at once.

use crate::sample::{LIVE, START, acme, coordination, noted, payment};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use switchyard_coordination::{Coordination, HealthSettings, Limit, ProbeEnd};
use switchyard_core::Timestamp;

fn workers(work: impl Fn(u64) + Sync) {
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let work = &work;
            scope.spawn(move || work(worker));
        }
    });
}

#[test]
fn no_outcome_is_lost() {
    let coordination = coordination();
    workers(|worker| {
        for number in 0..5_000 {
            // Less than a second in all: a worker that lags behind further is taken for a clock set back.
            let now = Timestamp(START.0 + i64::try_from(number / 10).unwrap());
            coordination.note(&acme(), LIVE, now, noted(number % 20 == worker, 6_000));
        }
    });
    let window = coordination.reading(&acme(), LIVE, START).unwrap().window;
    assert_eq!((window.sample, window.faults, window.slow, window.stalled), (20_000, 1_000, 20_000, 0));
}

#[test]
fn workers_never_hold_two_probes() {
    let coordination = coordination();
    for _ in 0..20 {
        coordination.note(&acme(), LIVE, START, noted(true, 1));
    }
    let now = START.after(HealthSettings::default().cool_down);
    let (open, made) = (AtomicU32::new(0), AtomicU32::new(0));
    workers(|worker| {
        for number in 0..20_000 {
            let payment = payment(worker * 1_000_000 + number);
            if coordination.probe_started(&acme(), LIVE, now, payment) {
                assert_eq!(open.fetch_add(1, Ordering::SeqCst), 0);
                made.fetch_add(1, Ordering::SeqCst);
                open.fetch_sub(1, Ordering::SeqCst);
                coordination.probe_ended(&acme(), LIVE, now, payment, ProbeEnd::Abandoned);
            }
        }
    });
    assert!(made.into_inner() > 1_000);
}

#[test]
fn workers_never_take_a_token_twice() {
    let coordination = coordination();
    let limit = Limit { per_second: NonZeroU32::new(10).unwrap(), burst: NonZeroU32::new(500).unwrap() };
    let allowed = AtomicU32::new(0);
    workers(|_| {
        for _ in 0..1_000 {
            allowed.fetch_add(coordination.take([7; 16], START, limit).allowed.into(), Ordering::Relaxed);
        }
    });
    assert_eq!(allowed.into_inner(), 500);
    assert_eq!(coordination.take([7; 16], START, limit).reset, Duration::from_secs(50));
}
