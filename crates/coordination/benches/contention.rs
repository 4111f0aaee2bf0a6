//! Nanoseconds per call, with one to four workers on the same channel: `cargo bench -p switchyard-coordination`.
//!
//! Wall time of a worker, so with more workers than processors it holds the time of the others too.
#![expect(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "a benchmark may panic")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};
use switchyard_coordination::{Coordination, HealthPolicy, InProcess, Limit, Noted};
use switchyard_core::{ChannelName, Mode, PaymentId, Timestamp};

const CALLS: u32 = 1_000_000;

fn main() {
    let channel = ChannelName::new("acme_eu").unwrap();
    let names = (0..40).map(|number| ChannelName::new(&format!("channel_{number}")).unwrap()).chain([channel.clone()]);
    let coordination = InProcess::new(names.map(|name| (name, HealthPolicy::default())));
    let good = Noted { fault: false, latency: Duration::from_millis(300) };
    let payment = PaymentId::parse("pay_01970000000070008000000000000001").unwrap();
    let limit = Limit { per_second: NonZeroU32::MAX, burst: NonZeroU32::MAX };
    let note = |now| {
        _ = black_box(coordination.note(&channel, Mode::Live, now, good));
    };
    let status = |now| {
        _ = black_box(coordination.status_for(&channel, Mode::Live, now, payment));
    };
    let take = |now| {
        _ = black_box(coordination.take([1; 16], now, limit));
    };
    measure("note", note);
    measure("status_for, up", status);
    measure("take, one key", take);
    for _ in 0..200 {
        coordination.note(&channel, Mode::Test, Timestamp(0), Noted { fault: true, ..good });
    }
    measure("status_for, down", |now| {
        _ = black_box(coordination.status_for(&channel, Mode::Test, now, payment));
    });
}

fn measure(name: &str, call: impl Fn(Timestamp) + Sync) {
    for workers in [1_u32, 2, 4] {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| (0..CALLS).for_each(|number| call(Timestamp(i64::from(number / 100)))));
            }
        });
        println!("{name}, {workers} workers: {} ns", (start.elapsed() / CALLS).as_nanos());
    }
}
