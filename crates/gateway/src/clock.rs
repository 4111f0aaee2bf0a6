//! The machine's clocks and its source of chance.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use switchyard_core::Clock;
use switchyard_core::clock::{Timestamp, Uptime};
use uuid::Uuid;

/// Bits of the counter that orders ids of one millisecond (RFC 9562, section 6.2, method 1).
const COUNTER_BITS: u32 = 12;

/// Random bytes are fetched from the system in blocks.
const BLOCK_BYTES: usize = 4096;

thread_local! {
    static BLOCK: RefCell<(Vec<u8>, usize)> = const { RefCell::new((Vec::new(), 0)) };
}

/// The machine's clocks. All clones of one count ids together.
#[derive(Debug, Default)]
pub(crate) struct SystemClock {
    /// Milliseconds and counter of the id given last.
    last: AtomicU64,
}

impl SystemClock {
    fn millis() -> u64 {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
        let now = SystemTime::now();
        now.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

#[async_trait::async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = i64::try_from(Self::millis()).unwrap_or(i64::MAX);
        #[cfg(feature = "crash-points")]
        let now = now.saturating_add(switchyard_crash_points::clock_offset_ms());
        Timestamp(now)
    }

    fn uptime(&self) -> Uptime {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Uptime(Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0)))
    }

    fn uuid(&self) -> Uuid {
        let now = Self::millis() << COUNTER_BITS;
        // A clock that steps back, or more ids than the counter holds, borrow from the milliseconds ahead.
        let next = |last: u64| Some(now.max(last.saturating_add(1)));
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_else(|last| last);
        let this = now.max(last.saturating_add(1));
        let time = u128::from(this >> COUNTER_BITS) << 80;
        let counter = u128::from(this & ((1 << COUNTER_BITS) - 1)) << 64;
        let random = u128::from(u64::from_le_bytes(random::<8>()) >> 2);
        Uuid::from_u128(time | (0x7 << 76) | counter | (0b10 << 62) | random)
    }

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    BLOCK.with_borrow_mut(|(block, used)| {
        let left = block.get(*used..used.saturating_add(N));
        match left {
            Some(left) => bytes.copy_from_slice(left),
            None => {
                block.resize(BLOCK_BYTES, 0);
                fill(block);
                bytes.copy_from_slice(block.get(..N).unwrap_or(&[0; N]));
                *used = 0;
            }
        }
        if let Some(taken) = block.get_mut(*used..used.saturating_add(N)) {
            // What was given is not kept.
            taken.fill(0);
        }
        *used = used.saturating_add(N);
    });
    bytes
}

#[expect(clippy::panic, reason = "without chance there are no ids and no keys; nothing may go on")]
fn fill(block: &mut [u8]) {
    if let Err(error) = getrandom::fill(block) {
        panic!("the operating system gives no random bytes: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_and_sort_as_they_were_given() {
        let clock = SystemClock::default();
        let ids: Vec<Uuid> = (0..10_000).map(|_| clock.uuid()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids.iter().all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122));
        let (seconds, _) = ids[0].get_timestamp().unwrap().to_unix();
        assert!(i64::try_from(seconds).unwrap().abs_diff(clock.now().0 / 1000) < 60);
    }

    #[test]
    fn chance_does_not_repeat() {
        let all: std::collections::HashSet<[u8; 16]> = (0..5_000).map(|_| random::<16>()).collect();
        assert_eq!(all.len(), 5_000);
    }
}
