//! A coordination that forgets at random, to show that nothing rests on one that remembers.

use crate::{Change, Coordination, Health, Limit, Noted, ProbeEnd, Reading, Taken, Wake, Wakes};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use switchyard_core::{ChannelName, Mode, PaymentId, Timestamp};

/// Loses one call in so many: what it should have kept is not kept, what it should have told is told as by one that has
/// just started.
pub struct Forgetful<C> {
    inner: C,
    permille: u64,
    seed: AtomicU64,
}

impl<C> Forgetful<C> {
    /// Loses `permille` of 1,000 calls; which ones, the seed says.
    pub fn new(inner: C, permille: u16, seed: u64) -> Self {
        Self { inner, permille: permille.into(), seed: AtomicU64::new(seed) }
    }

    /// SplitMix64.
    fn forgets(&self) -> bool {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let next = self.seed.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let next = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let next = (next ^ (next >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (next ^ (next >> 31)) % 1_000 < self.permille
    }
}

impl<C: Coordination> Coordination for Forgetful<C> {
    fn note(&self, channel: &ChannelName, mode: Mode, now: Timestamp, noted: Noted) -> Option<Change> {
        if self.forgets() { None } else { self.inner.note(channel, mode, now, noted) }
    }

    fn health(&self, channel: &ChannelName, mode: Mode, now: Timestamp) -> Health {
        if self.forgets() { Health::Up } else { self.inner.health(channel, mode, now) }
    }

    fn reading(&self, channel: &ChannelName, mode: Mode, now: Timestamp) -> Option<Reading> {
        if self.forgets() { None } else { self.inner.reading(channel, mode, now) }
    }

    fn probe_started(&self, channel: &ChannelName, mode: Mode, now: Timestamp, payment: PaymentId) -> bool {
        !self.forgets() && self.inner.probe_started(channel, mode, now, payment)
    }

    fn probe_ended(
        &self,
        channel: &ChannelName,
        mode: Mode,
        now: Timestamp,
        payment: PaymentId,
        end: ProbeEnd,
    ) -> Option<Change> {
        if self.forgets() { None } else { self.inner.probe_ended(channel, mode, now, payment, end) }
    }

    fn take(&self, key: [u8; 16], now: Timestamp, limit: Limit) -> Taken {
        if self.forgets() {
            let remaining = limit.burst.get();
            return Taken { allowed: true, remaining, reset: Duration::ZERO, retry_after: Duration::ZERO };
        }
        self.inner.take(key, now, limit)
    }

    fn wake(&self, wake: Wake) {
        if !self.forgets() {
            self.inner.wake(wake);
        }
    }

    fn subscribe(&self) -> Wakes {
        self.inner.subscribe()
    }
}
