//! Rate limits.

use super::{Bench, Case, Make};
use crate::{Limit, Taken};
use std::num::NonZeroU32;
use std::time::Duration;
use switchyard_core::Timestamp;

pub(super) const CASES: &[Case] = &[
    Case { name: "a burst is allowed, then as many as come back", run: burst },
    Case { name: "what is told is what holds", run: told },
    Case { name: "keys are apart", run: apart },
    Case { name: "a clock set back neither starves a key nor fills its bucket", run: set_back },
];

const TEN_A_SECOND: Limit = limit(10, 20);

const fn limit(per_second: u32, burst: u32) -> Limit {
    Limit { per_second: number(per_second), burst: number(burst) }
}

const fn number(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl Bench {
    fn take(&self, key: u8) -> Taken {
        self.coordination.take([key; 16], self.now, TEN_A_SECOND)
    }

    /// How many of 100 are allowed at once.
    fn allowed(&self, key: u8) -> usize {
        (0..100).filter(|_| self.take(key).allowed).count()
    }
}

fn burst(make: Make) {
    let mut bench = Bench::new(make);
    assert_eq!(bench.allowed(1), 20);
    bench.pass(Duration::from_millis(99));
    assert_eq!(bench.allowed(1), 0);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.allowed(1), 1);
    bench.pass(Duration::from_millis(1_950));
    assert_eq!(bench.allowed(1), 19);
    bench.pass(Duration::from_millis(50));
    assert_eq!(bench.allowed(1), 1, "the half token was kept");
    bench.pass(Duration::from_secs(86_400));
    assert_eq!(bench.allowed(1), 20, "never more than the bucket holds");
}

fn told(make: Make) {
    let mut bench = Bench::new(make);
    let first = bench.take(1);
    let (zero, tenth) = (Duration::ZERO, Duration::from_millis(100));
    assert_eq!(first, Taken { allowed: true, remaining: 19, reset: tenth, retry_after: zero });
    assert_eq!(bench.allowed(1), 19);
    let refused = bench.take(1);
    let all = Duration::from_secs(2);
    assert_eq!(refused, Taken { allowed: false, remaining: 0, reset: all, retry_after: tenth });
    bench.pass(refused.retry_after);
    assert!(bench.take(1).allowed);
}

fn apart(make: Make) {
    let bench = Bench::new(make);
    assert_eq!((bench.allowed(1), bench.allowed(2), bench.allowed(1)), (20, 20, 0));
}

fn set_back(make: Make) {
    let mut bench = Bench::new(make);
    assert_eq!(bench.allowed(1), 20);
    bench.now = Timestamp(bench.now.0.saturating_sub(3_600_000));
    assert_eq!(bench.allowed(1), 0);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.allowed(1), 10);
    for _ in 0..100 {
        bench.now = Timestamp(bench.now.0.saturating_sub(1));
        assert_eq!(bench.allowed(1), 0);
        bench.pass(Duration::from_millis(1));
        assert_eq!(bench.allowed(1), 0, "threads that overtake each other do not make time");
    }
}
