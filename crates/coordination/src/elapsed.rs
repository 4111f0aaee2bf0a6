//! Time that only ever passes, out of a clock that may step.

use std::time::Duration;
use switchyard_core::Timestamp;

/// How far back a clock may seem to go without having been set, in milliseconds. Threads read the clock and then wait
/// for a lock, so a later call may bring an earlier time; were each such pair taken for a step, time would run fast.
pub(crate) const STEP_BACK_MS_MAX: i64 = 1_000;

/// Milliseconds, saturating.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// How much time has passed since `seen`, in milliseconds, and moves `seen` on.
pub(crate) fn tick(seen: &mut Timestamp, now: Timestamp) -> u64 {
    if now >= *seen {
        let passed = millis(now.since(*seen));
        *seen = now;
        return passed;
    }
    if seen.0.saturating_sub(now.0) > STEP_BACK_MS_MAX {
        *seen = now;
    }
    0
}

/// Milliseconds since the first look at the clock. Never goes back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Elapsed {
    seen: Option<Timestamp>,
    passed_ms: u64,
}

impl Elapsed {
    /// Moves on to `now`.
    pub(crate) fn at(&mut self, now: Timestamp) -> u64 {
        let seen = self.seen.get_or_insert(now);
        self.passed_ms = self.passed_ms.saturating_add(tick(seen, now));
        self.passed_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_back_stop_time_and_no_more() {
        let mut elapsed = Elapsed::default();
        for (now, at) in [
            (10_000, 0),
            (10_500, 500),
            (10_499, 500), // overtaken
            (10_501, 501),
            (4_000, 501), // set back
            (4_100, 601), // and on from there
            (3_100, 601), // just within what threads do
            (4_101, 602),
            (i64::MAX, 9_223_372_036_854_772_308),
            (i64::MIN, 9_223_372_036_854_772_308),
            (i64::MAX, 18_446_744_073_709_548_115),
        ] {
            assert_eq!(elapsed.at(Timestamp(now)), at, "{now}");
        }
    }
}
