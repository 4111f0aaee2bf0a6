//! Rate limits: a token bucket per key, in integers.

use crate::elapsed::tick;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use switchyard_core::Timestamp;

/// How much a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Tokens that come back each second.
    pub per_second: NonZeroU32,
    /// Tokens that a bucket holds: what a key may do at once after a pause.
    pub burst: NonZeroU32,
}

/// What came of asking for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether there was one.
    pub allowed: bool,
    /// Whole tokens left.
    pub remaining: u32,
    /// Until the bucket is full again, if nothing more is taken.
    pub reset: Duration,
    /// Until there is a token again; zero where one was given.
    pub retry_after: Duration,
}

/// Locks, so that keys seldom wait for each other.
const SHARDS: usize = 16;
/// Keys of one shard's generation. A shard holds two generations, so all hold 65,536 keys in about 4 MiB: more than one
/// gateway has merchants' keys, few enough for a flood of made-up ones.
const GENERATION_KEYS_MAX: usize = 2_048;
/// A token in the bucket's unit: one `per_second` gives back exactly one of these each millisecond.
const TOKEN_MILLI: u64 = 1_000;

#[derive(Clone, Copy)]
struct Bucket {
    milli: u64,
    seen: Timestamp,
}

impl Bucket {
    fn full(now: Timestamp, limit: Limit) -> Self {
        Self { milli: u64::from(limit.burst.get()).saturating_mul(TOKEN_MILLI), seen: now }
    }

    fn take(&mut self, now: Timestamp, limit: Limit) -> Taken {
        let rate = u64::from(limit.per_second.get());
        let full = Self::full(now, limit).milli;
        let back = tick(&mut self.seen, now).saturating_mul(rate);
        self.milli = self.milli.saturating_add(back).min(full);
        let left = self.milli.checked_sub(TOKEN_MILLI);
        self.milli = left.unwrap_or(self.milli);
        let until = |milli: u64| Duration::from_millis(milli.saturating_sub(self.milli).div_ceil(rate));
        Taken {
            allowed: left.is_some(),
            remaining: u32::try_from(self.milli / TOKEN_MILLI).unwrap_or(u32::MAX),
            reset: until(full),
            retry_after: if left.is_some() { Duration::ZERO } else { until(TOKEN_MILLI) },
        }
    }
}

/// Keys in two generations: what is used moves to the young one, and when that is full the old one is dropped whole. A
/// key forgotten this way has not been used for at least as long as 2,048 others were, and starts with a full bucket.
#[derive(Default)]
struct Shard {
    young: HashMap<[u8; 16], Bucket>,
    old: HashMap<[u8; 16], Bucket>,
}

impl Shard {
    fn take(&mut self, key: [u8; 16], now: Timestamp, limit: Limit) -> Taken {
        if let Some(bucket) = self.young.get_mut(&key) {
            return bucket.take(now, limit);
        }
        let mut bucket = self.old.remove(&key).unwrap_or_else(|| Bucket::full(now, limit));
        if self.young.len() >= GENERATION_KEYS_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        let taken = bucket.take(now, limit);
        self.young.insert(key, bucket);
        taken
    }
}

/// The buckets of all keys.
pub(crate) struct Limiter {
    shards: [Mutex<Shard>; SHARDS],
}

impl Limiter {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()) }
    }

    pub(crate) fn take(&self, key: [u8; 16], now: Timestamp, limit: Limit) -> Taken {
        let folded = key.iter().fold(0, |folded, byte| folded ^ byte);
        match self.shards.get(usize::from(folded) % SHARDS) {
            Some(shard) => shard.lock().unwrap_or_else(PoisonError::into_inner).take(key, now, limit),
            None => Bucket::full(now, limit).take(now, limit), // the remainder is always a shard
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(per_second: u32, burst: u32) -> Limit {
        Limit { per_second: NonZeroU32::new(per_second).unwrap(), burst: NonZeroU32::new(burst).unwrap() }
    }

    #[test]
    fn keys_are_bounded_and_the_busy_ones_are_kept() {
        let limiter = Limiter::new();
        let limit = limit(1, 2);
        let busy = [0xff; 16];
        assert!(limiter.take(busy, Timestamp(0), limit).allowed);
        assert!(limiter.take(busy, Timestamp(0), limit).allowed);
        for key in 0_u128..200_000 {
            limiter.take(key.to_be_bytes(), Timestamp(0), limit);
            if key % 1_000 == 0 {
                assert!(!limiter.take(busy, Timestamp(0), limit).allowed, "forgotten after {key}");
            }
        }
        for shard in &limiter.shards {
            let shard = shard.lock().unwrap();
            assert!(shard.young.len() <= GENERATION_KEYS_MAX && shard.old.len() <= GENERATION_KEYS_MAX);
        }
    }

    #[test]
    fn a_narrower_limit_holds_at_once_and_extremes_do_not_overflow() {
        let limiter = Limiter::new();
        assert_eq!(limiter.take([1; 16], Timestamp(0), limit(1, 100)).remaining, 99);
        assert_eq!(limiter.take([1; 16], Timestamp(0), limit(1, 3)).remaining, 2);
        for now in [i64::MIN, i64::MAX, 0, i64::MAX] {
            let taken = limiter.take([2; 16], Timestamp(now), limit(u32::MAX, u32::MAX));
            assert!(taken.allowed && taken.remaining >= u32::MAX - 4, "{taken:?}");
        }
    }
}
