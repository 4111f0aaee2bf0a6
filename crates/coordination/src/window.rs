//! The sliding window: counters in a ring of buckets.

use crate::Noted;
use std::num::NonZeroU64;
use std::time::Duration;

/// Buckets of a window. It covers the running bucket and the 23 before it, so at any time between 23 and 24
/// twenty-fourths of its span.
pub(crate) const BUCKETS: u64 = 24;
const SLOTS: usize = 24;

/// What a window counted. Counters of several instances add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Outcomes.
    pub sample: u32,
    /// Of these, faults.
    pub faults: u32,
    /// Of these, slower than `slow_after`, stalled ones among them.
    pub slow: u32,
    /// Of these, slower than `stalled_after`.
    pub stalled: u32,
}

impl Counts {
    /// A single outcome.
    pub(crate) fn one(noted: Noted, slow_after: Duration, stalled_after: Duration) -> Self {
        Self {
            sample: 1,
            faults: u32::from(noted.fault),
            slow: u32::from(noted.latency > slow_after),
            stalled: u32::from(noted.latency > stalled_after),
        }
    }

    fn add(&mut self, other: Self) {
        self.sample = self.sample.saturating_add(other.sample);
        self.faults = self.faults.saturating_add(other.faults);
        self.slow = self.slow.saturating_add(other.slow);
        self.stalled = self.stalled.saturating_add(other.stalled);
    }

    fn remove(&mut self, other: Self) {
        self.sample = self.sample.saturating_sub(other.sample);
        self.faults = self.faults.saturating_sub(other.faults);
        self.slow = self.slow.saturating_sub(other.slow);
        self.stalled = self.stalled.saturating_sub(other.stalled);
    }
}

/// A ring of buckets and their running total. Times are milliseconds that never go back.
#[derive(Debug)]
pub(crate) struct Window {
    bucket_ms: NonZeroU64,
    /// Number of the running bucket, counted from time zero.
    head: u64,
    buckets: [Counts; SLOTS],
    total: Counts,
}

impl Window {
    pub(crate) fn new(bucket_ms: NonZeroU64) -> Self {
        Self { bucket_ms, head: 0, buckets: [Counts::default(); SLOTS], total: Counts::default() }
    }

    pub(crate) fn bucket_ms(&self) -> NonZeroU64 {
        self.bucket_ms
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.buckets = [Counts::default(); SLOTS];
        self.total = Counts::default();
    }

    pub(crate) fn add(&mut self, at_ms: u64, counts: Counts) {
        self.advance(at_ms);
        if let Some(bucket) = self.buckets.get_mut(slot(self.head)) {
            bucket.add(counts);
            self.total.add(counts);
        }
    }

    pub(crate) fn total(&mut self, at_ms: u64) -> Counts {
        self.advance(at_ms);
        self.total
    }

    fn advance(&mut self, at_ms: u64) {
        let bucket = at_ms / self.bucket_ms;
        let steps = bucket.saturating_sub(self.head);
        if steps == 0 {
            return;
        }
        if steps >= BUCKETS {
            self.clear();
        } else {
            for ahead in 1..=steps {
                if let Some(expired) = self.buckets.get_mut(slot(self.head.saturating_add(ahead))) {
                    self.total.remove(std::mem::take(expired));
                }
            }
        }
        self.head = bucket;
    }
}

fn slot(bucket: u64) -> usize {
    usize::try_from(bucket % BUCKETS).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLOW: Duration = Duration::from_millis(100);
    const STALLED: Duration = Duration::from_millis(1_000);

    /// Keeps everything and counts anew each time.
    fn model(bucket_ms: u64, noted: &[(u64, Noted)], at_ms: u64) -> Counts {
        let bucket = |at: u64| at.checked_div(bucket_ms).unwrap();
        let inside = |at: u64| bucket(at_ms).abs_diff(bucket(at)) < BUCKETS;
        let count = |what: fn(&Noted) -> bool| {
            u32::try_from(noted.iter().filter(|(at, noted)| inside(*at) && what(noted)).count()).unwrap()
        };
        Counts {
            sample: count(|_| true),
            faults: count(|noted| noted.fault),
            slow: count(|noted| noted.latency > SLOW),
            stalled: count(|noted| noted.latency > STALLED),
        }
    }

    proptest! {
        #[test]
        fn counts_what_a_list_counts(
            bucket_ms in 1_u64..50,
            start in 0_u64..10_000,
            steps in prop::collection::vec((prop_oneof![8 => 0_u64..20, 2 => 0_u64..400, 1 => 0_u64..100_000],
                any::<bool>(), 0_u64..1_500), 0..300),
        ) {
            let mut window = Window::new(NonZeroU64::new(bucket_ms).unwrap());
            let mut noted = Vec::new();
            let mut at = start;
            for (passed, fault, latency_ms) in steps {
                at = at.saturating_add(passed);
                prop_assert_eq!(window.total(at), model(bucket_ms, &noted, at));
                let one = Noted { fault, latency: Duration::from_millis(latency_ms) };
                window.add(at, Counts::one(one, SLOW, STALLED));
                noted.push((at, one));
                prop_assert_eq!(window.total(at), model(bucket_ms, &noted, at));
            }
        }
    }

    #[test]
    fn an_outcome_stays_for_23_to_24_buckets() {
        let counts = Counts { sample: 1, ..Counts::default() };
        for (noted_at, gone_at) in [(0, 240), (9, 240), (10, 250)] {
            let mut window = Window::new(NonZeroU64::new(10).unwrap());
            window.add(noted_at, counts);
            assert_eq!(window.total(gone_at - 1).sample, 1);
            assert_eq!(window.total(gone_at).sample, 0);
            assert_eq!(window.total(u64::MAX).sample, 0);
        }
    }
}
