//! One channel in one mode: its window, its level and its trial.
//!
//! | from | to | when |
//! |---|---|---|
//! | up | degraded, down | an outcome is noted, the window holds a sample, and a threshold is reached |
//! | degraded | down | likewise |
//! | degraded | up | an outcome is noted after the dwell, and the window holds a sample at or below the lower thresholds; or it holds none, but enough good outcomes came in a row |
//! | down | degraded | enough probes in a row were good; the window starts anew |
//!
//! There is no other way, and none by time alone. A bad probe starts the cool-down again, twice as long.

use crate::elapsed::Elapsed;
use crate::window::Window;
use crate::{Ailment, Change, Counts, Health, HealthPolicy, Level, Noted, ProbeEnd, Reading, Status};
use std::time::Duration;
use switchyard_core::{ChannelName, PaymentId, Timestamp};

/// Times are milliseconds of `clock`.
#[derive(Debug)]
pub(crate) struct Channel {
    policy: HealthPolicy,
    clock: Elapsed,
    window: Window,
    level: Level,
    /// When the level became what it is.
    since: u64,
    /// When the cool-down ends; means something while down.
    cool_until: u64,
    /// Trials that failed since the channel was up.
    failed_trials: u32,
    /// Good outcomes in a row since the level changed: all while degraded, probes while down.
    good: u32,
    probe: Option<Probe>,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    payment: PaymentId,
    since: u64,
}

impl Channel {
    pub(crate) fn new(policy: HealthPolicy) -> Self {
        Self {
            clock: Elapsed::default(),
            window: Window::new(policy.bucket_ms),
            level: Level::Up,
            since: 0,
            cool_until: 0,
            failed_trials: 0,
            good: 0,
            probe: None,
            policy,
        }
    }

    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// From now on judges by `policy`. The level stays; the window does too, unless its span is another.
    pub(crate) fn judge_by(&mut self, policy: HealthPolicy) {
        if policy.bucket_ms != self.window.bucket_ms() {
            self.window = Window::new(policy.bucket_ms);
        }
        self.policy = policy;
    }

    pub(crate) fn health(&mut self, now: Timestamp) -> Health {
        let at = self.clock.at(now);
        self.health_at(at)
    }

    pub(crate) fn note(&mut self, now: Timestamp, noted: Noted) -> Option<Change> {
        let at = self.clock.at(now);
        self.note_at(at, noted)
    }

    pub(crate) fn probe_started(&mut self, channel: &ChannelName, now: Timestamp, payment: PaymentId) -> bool {
        let at = self.clock.at(now);
        let claimed = self.health_at(at).for_payment(channel, payment) == Status::Probe;
        if claimed {
            self.probe = Some(Probe { payment, since: at });
        }
        claimed
    }

    pub(crate) fn probe_ended(&mut self, now: Timestamp, payment: PaymentId, end: ProbeEnd) -> Option<Change> {
        let at = self.clock.at(now);
        let probe = self.probe.take_if(|probe| probe.payment == payment);
        let ProbeEnd::Answered(noted) = end else { return None };
        let change = self.note_at(at, noted);
        // One from before the channel went down says nothing about how it is after the cool-down.
        if self.level == Level::Down && probe.is_some_and(|probe| probe.since >= self.cool_until) {
            return self.tried(at, noted);
        }
        change
    }

    pub(crate) fn reading(&mut self, now: Timestamp) -> Reading {
        let at = self.clock.at(now);
        let (good_needed, cooling) = match self.level {
            Level::Up => (0, 0),
            Level::Degraded => (self.policy.degraded_good, 0),
            Level::Down => (self.policy.settings().probes_good, self.cool_until.saturating_sub(at)),
        };
        Reading {
            health: self.health_at(at),
            level_for: Duration::from_millis(at.saturating_sub(self.since)),
            window: self.window.total(at),
            good: if good_needed == 0 { 0 } else { self.good },
            good_needed,
            cooling: Duration::from_millis(cooling),
        }
    }

    fn health_at(&mut self, at: u64) -> Health {
        let counts = self.window.total(at);
        match self.level {
            Level::Up => Health::Up,
            // With a sample the window judges, and nobody need be put at risk.
            Level::Degraded if !self.dwelt(at) || self.sampled(counts) => Health::Degraded,
            Level::Degraded => self.probing(Ailment::Degraded, at),
            Level::Down if at < self.cool_until => Health::Down,
            Level::Down => self.probing(Ailment::Down, at),
        }
    }

    fn probing(&self, after: Ailment, at: u64) -> Health {
        let lost_after = self.policy.probe_lost_after_ms;
        let open = self.probe.is_some_and(|probe| at.saturating_sub(probe.since) < lost_after);
        Health::Probing { after, share_permille: self.policy.settings().probe_share_permille, open }
    }

    fn note_at(&mut self, at: u64, noted: Noted) -> Option<Change> {
        let settings = self.policy.settings();
        self.window.add(at, Counts::one(noted, settings.slow_after, settings.stalled_after));
        let good = !noted.fault && noted.latency <= settings.slow_after;
        match self.level {
            Level::Up => match self.verdict(at) {
                Level::Up => None,
                worse @ (Level::Degraded | Level::Down) => Some(self.become_at(at, worse)),
            },
            Level::Degraded => {
                self.good = if good { self.good.saturating_add(1) } else { 0 };
                match self.verdict(at) {
                    Level::Down => Some(self.become_at(at, Level::Down)),
                    Level::Up | Level::Degraded => self.recovered(at).then(|| self.become_at(at, Level::Up)),
                }
            }
            Level::Down => None,
        }
    }

    /// A trial's probe came back while the channel is down.
    fn tried(&mut self, at: u64, noted: Noted) -> Option<Change> {
        // Slow is good enough for degraded, which is what follows.
        if noted.fault || noted.latency > self.policy.settings().stalled_after {
            self.failed_trials = self.failed_trials.saturating_add(1);
            self.good = 0;
            self.cool(at);
            return None;
        }
        self.good = self.good.saturating_add(1);
        (self.good >= self.policy.settings().probes_good).then(|| {
            // Faults from before would take it down again at once.
            self.window.clear();
            self.become_at(at, Level::Degraded)
        })
    }

    fn become_at(&mut self, at: u64, level: Level) -> Change {
        let change = Change { from: self.level, to: level };
        self.level = level;
        self.since = at;
        self.good = 0;
        match level {
            Level::Up => self.failed_trials = 0,
            Level::Degraded => {}
            Level::Down => self.cool(at),
        }
        change
    }

    fn cool(&mut self, at: u64) {
        let factor = 1_u64.checked_shl(self.failed_trials).unwrap_or(u64::MAX);
        let span = self.policy.cool_down_ms.saturating_mul(factor).min(self.policy.cool_down_max_ms);
        self.cool_until = at.saturating_add(span);
    }

    /// What the upper thresholds say.
    fn verdict(&mut self, at: u64) -> Level {
        let counts = self.window.total(at);
        let settings = self.policy.settings();
        if counts.sample < settings.minimum_sample {
            Level::Up
        } else if reaches(counts.faults, counts.sample, settings.down_faults_permille)
            || reaches(counts.stalled, counts.sample, settings.down_stalled_permille)
        {
            Level::Down
        } else if reaches(counts.faults, counts.sample, settings.degraded_faults_permille)
            || reaches(counts.slow, counts.sample, settings.degraded_slow_permille)
        {
            Level::Degraded
        } else {
            Level::Up
        }
    }

    /// Whether a degraded channel is up again.
    fn recovered(&mut self, at: u64) -> bool {
        let counts = self.window.total(at);
        let settings = self.policy.settings();
        let well = if self.sampled(counts) {
            !exceeds(counts.faults, counts.sample, settings.recovered_faults_permille)
                && !exceeds(counts.slow, counts.sample, settings.recovered_slow_permille)
        } else {
            self.good >= self.policy.degraded_good
        };
        well && self.dwelt(at)
    }

    fn dwelt(&self, at: u64) -> bool {
        at.saturating_sub(self.since) >= self.policy.dwell_ms
    }

    fn sampled(&self, counts: Counts) -> bool {
        counts.sample >= self.policy.settings().minimum_sample
    }
}

fn reaches(part: u32, whole: u32, permille: u16) -> bool {
    u64::from(part).saturating_mul(1_000) >= u64::from(whole).saturating_mul(permille.into())
}

fn exceeds(part: u32, whole: u32, permille: u16) -> bool {
    u64::from(part).saturating_mul(1_000) > u64::from(whole).saturating_mul(permille.into())
}
