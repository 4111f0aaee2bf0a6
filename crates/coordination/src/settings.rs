//! When a channel counts as degraded or down, and how it comes back.

use crate::elapsed::millis;
use crate::window::BUCKETS;
use std::num::NonZeroU64;
use std::time::Duration;

/// Thresholds of one channel's health, as configured. [`check`](Self::check) makes a [`HealthPolicy`] of them. Shares
/// are in per mille of the outcomes in the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthSettings {
    /// Span of the sliding window: 1 s to 1 h. Default 2 min: long enough that ten payments a minute can be judged, short
    /// enough that an outage is not remembered after it has been dealt with.
    pub window: Duration,
    /// Outcomes in the window below which nothing is concluded from shares: 5 to 10,000. Default 20: fewer, and one
    /// payer's bad line moves the channel.
    pub minimum_sample: u32,
    /// Faults from which on a channel is degraded. Default 150, three of the smallest sample: well above what a healthy
    /// provider shows (below 10), and not reached by one or two accidents.
    pub degraded_faults_permille: u16,
    /// Faults down to which a degraded channel is up again. Default 50, one of the smallest sample.
    pub recovered_faults_permille: u16,
    /// Faults from which on a channel is down. Default 500: a payer would rather see another method than a coin tossed.
    pub down_faults_permille: u16,
    /// Latency past which an outcome is slow. Default 5 s: issuers answer within 3 s as a rule, payers begin to leave.
    pub slow_after: Duration,
    /// Slow outcomes from which on a channel is degraded. Default 300.
    pub degraded_slow_permille: u16,
    /// Slow outcomes down to which a degraded channel is up again. Default 150.
    pub recovered_slow_permille: u16,
    /// Latency past which an outcome has stalled. Default 15 s: most payers are gone, so even an approval is lost.
    pub stalled_after: Duration,
    /// Stalled outcomes from which on a channel is down. Default 500.
    pub down_stalled_permille: u16,
    /// Shortest stay in degraded before up: 1 s to 1 h. Default 30 s, so that people can read what happens.
    pub dwell: Duration,
    /// Rest of a channel that went down before its trial: 1 s to 1 h. Default 30 s, about what a restart takes. Doubles
    /// with each failed trial, since each costs a payer a payment.
    pub cool_down: Duration,
    /// What the cool-down grows to: up to 24 h. Default 5 min, so that a channel is back soon after a long outage.
    pub cool_down_max: Duration,
    /// Payments that may probe, one at a time: 1 to 500. Default 100: a trial soon ends even with few payments, and nine
    /// in ten are spared the risk.
    pub probe_share_permille: u16,
    /// Good probes in a row after which a channel that is down becomes degraded: up to 100. Default 3: one may be luck.
    pub probes_good: u32,
    /// When a probe without an end is taken for lost, so that another may start: up to 1 h. Default 2 min, past every
    /// sensible time limit of a call; shorter than `stalled_after` makes no sense.
    pub probe_lost_after: Duration,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(120),
            minimum_sample: 20,
            degraded_faults_permille: 150,
            recovered_faults_permille: 50,
            down_faults_permille: 500,
            slow_after: Duration::from_secs(5),
            degraded_slow_permille: 300,
            recovered_slow_permille: 150,
            stalled_after: Duration::from_secs(15),
            down_stalled_permille: 500,
            dwell: Duration::from_secs(30),
            cool_down: Duration::from_secs(30),
            cool_down_max: Duration::from_secs(300),
            probe_share_permille: 100,
            probes_good: 3,
            probe_lost_after: Duration::from_secs(120),
        }
    }
}

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct SettingsFault {
    /// The setting's name.
    pub field: &'static str,
    /// Why it cannot be as it is, with the bound.
    pub reason: String,
}

/// Settings that were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    settings: HealthSettings,
    /// Never shorter than a 24th of the window.
    pub(crate) bucket_ms: NonZeroU64,
    pub(crate) dwell_ms: u64,
    pub(crate) cool_down_ms: u64,
    pub(crate) cool_down_max_ms: u64,
    pub(crate) probe_lost_after_ms: u64,
    /// Good outcomes in a row that bring a degraded channel up without a sample: so many that no constant share of bad
    /// ones above the lower thresholds lets them pass.
    pub(crate) degraded_good: u32,
}

impl HealthPolicy {
    /// What it was made of.
    #[must_use]
    pub fn settings(&self) -> &HealthSettings {
        &self.settings
    }
}

impl Default for HealthPolicy {
    fn default() -> Self {
        Self::of(HealthSettings::default())
    }
}

impl HealthPolicy {
    fn of(settings: HealthSettings) -> Self {
        let strictest = settings.recovered_faults_permille.min(settings.recovered_slow_permille).max(1);
        Self {
            bucket_ms: NonZeroU64::new(millis(settings.window).div_ceil(BUCKETS)).unwrap_or(NonZeroU64::MIN),
            dwell_ms: millis(settings.dwell),
            cool_down_ms: millis(settings.cool_down),
            cool_down_max_ms: millis(settings.cool_down_max),
            probe_lost_after_ms: millis(settings.probe_lost_after),
            degraded_good: settings.minimum_sample.max(1_000_u32.div_ceil(u32::from(strictest))),
            settings,
        }
    }
}

impl HealthSettings {
    /// Checks every bound, and that the thresholds lie so far apart that a channel with a constant share of bad outcomes
    /// cannot go back and forth.
    ///
    /// # Errors
    ///
    /// All faults, in the order of the fields.
    pub fn check(self) -> Result<HealthPolicy, Vec<SettingsFault>> {
        let mut faults = Faults(Vec::new());
        self.check_window(&mut faults);
        self.check_levels(&mut faults);
        self.check_trial(&mut faults);
        if faults.0.is_empty() { Ok(HealthPolicy::of(self)) } else { Err(faults.0) }
    }

    fn check_window(&self, faults: &mut Faults) {
        faults.span("window", self.window, SECOND, HOUR);
        faults.number("minimum_sample", self.minimum_sample, 5, 10_000);
        faults.span("slow_after", self.slow_after, Duration::from_millis(1), HOUR);
        faults.span("stalled_after", self.stalled_after, Duration::from_millis(1), HOUR);
        faults
            .unless(self.slow_after < self.stalled_after, "stalled_after", || "must be longer than slow_after".into());
    }

    fn check_levels(&self, faults: &mut Faults) {
        for (recovered_name, recovered, degraded_name, degraded) in [
            (
                "recovered_faults_permille",
                self.recovered_faults_permille,
                "degraded_faults_permille",
                self.degraded_faults_permille,
            ),
            (
                "recovered_slow_permille",
                self.recovered_slow_permille,
                "degraded_slow_permille",
                self.degraded_slow_permille,
            ),
        ] {
            faults.number(degraded_name, degraded.into(), 1, 1_000);
            faults.number(recovered_name, recovered.into(), 1, 1_000);
            // The same share shows as one bad outcome more or less, depending on where the window lies; both ways at
            // once, and twice the worth of one outcome in the smallest sample is what must lie between.
            let apart = u64::from(degraded.saturating_sub(recovered)).saturating_mul(self.minimum_sample.into());
            faults.unless(apart >= 2_000, recovered_name, || {
                format!(
                    "must be at least {} below {degraded_name} with a minimum_sample of {}, or a constant share would \
                     go back and forth between them",
                    2_000_u32.div_ceil(self.minimum_sample.max(1)),
                    self.minimum_sample
                )
            });
        }
        for (name, down) in
            [("down_faults_permille", self.down_faults_permille), ("down_stalled_permille", self.down_stalled_permille)]
        {
            faults.number(name, down.into(), 1, 1_000);
        }
        faults.unless(self.down_faults_permille > self.degraded_faults_permille, "down_faults_permille", || {
            "must be above degraded_faults_permille".into()
        });
    }

    fn check_trial(&self, faults: &mut Faults) {
        faults.span("dwell", self.dwell, SECOND, HOUR);
        faults.span("cool_down", self.cool_down, SECOND, HOUR);
        faults.span("cool_down_max", self.cool_down_max, self.cool_down, HOUR.saturating_mul(24));
        faults.number("probe_share_permille", self.probe_share_permille.into(), 1, 500);
        faults.number("probes_good", self.probes_good, 1, 100);
        let down = self.down_faults_permille.min(self.down_stalled_permille);
        if let Some(needed) = probes_needed(down, self.minimum_sample) {
            faults.unless(u64::from(self.probes_good) >= needed, "probes_good", || {
                format!("must be at least {needed}, or a channel that is down for good would pass its trials")
            });
        } else {
            faults.add("minimum_sample", "is too small: one bad outcome would take the channel down".into());
        }
        faults.span("probe_lost_after", self.probe_lost_after, self.stalled_after, HOUR);
    }
}

/// Good probes in a row that a channel whose share of bad outcomes is constant and takes it down cannot show; `None`
/// where a single bad outcome takes it down.
///
/// In `sample` outcomes such a share shows as at most one more than it is, so it lies above `down - 1000 / sample`; and
/// so many good ones in a row need a share below `1000 / good`.
fn probes_needed(down_permille: u16, sample: u32) -> Option<u64> {
    let sample = u64::from(sample);
    let above = u64::from(down_permille).saturating_mul(sample).saturating_sub(1_000);
    (above > 0).then(|| sample.saturating_mul(1_000).div_ceil(above.max(1)))
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

struct Faults(Vec<SettingsFault>);

impl Faults {
    fn add(&mut self, field: &'static str, reason: String) {
        self.0.push(SettingsFault { field, reason });
    }

    fn unless(&mut self, holds: bool, field: &'static str, reason: impl FnOnce() -> String) {
        if !holds {
            self.add(field, reason());
        }
    }

    fn number(&mut self, field: &'static str, value: u32, least: u32, most: u32) {
        self.unless((least..=most).contains(&value), field, || format!("is {value}; it must be {least} to {most}"));
    }

    fn span(&mut self, field: &'static str, value: Duration, least: Duration, most: Duration) {
        self.unless((least..=most).contains(&value), field, || {
            format!("is {value:?}; it must be {least:?} to {most:?}")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(settings: HealthSettings) -> Vec<&'static str> {
        settings.check().err().unwrap_or_default().into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn the_defaults_hold() {
        assert_eq!(HealthSettings::default().check(), Ok(HealthPolicy::default()));
        assert_eq!(HealthPolicy::default().degraded_good, 20);
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let zero = Duration::ZERO;
        let settings = HealthSettings {
            window: zero,
            minimum_sample: 0,
            degraded_faults_permille: 0,
            recovered_faults_permille: 0,
            down_faults_permille: 0,
            slow_after: zero,
            degraded_slow_permille: 0,
            recovered_slow_permille: 0,
            stalled_after: zero,
            down_stalled_permille: 0,
            dwell: zero,
            cool_down: zero,
            cool_down_max: Duration::MAX,
            probe_share_permille: 0,
            probes_good: 0,
            probe_lost_after: Duration::MAX,
        };
        let mut found = fields(settings);
        found.dedup();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 16, "{found:?}");
    }

    #[test]
    fn thresholds_too_close_are_refused_with_the_distance() {
        let close = HealthSettings { recovered_faults_permille: 51, ..HealthSettings::default() };
        let faults = close.clone().check().unwrap_err();
        assert_eq!(
            faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["recovered_faults_permille must be at least 100 below degraded_faults_permille with a minimum_sample of \
              20, or a constant share would go back and forth between them"]
        );
        assert_eq!(fields(HealthSettings { minimum_sample: 40, ..close }), [""; 0]);
        let upside_down = HealthSettings { recovered_faults_permille: 600, ..HealthSettings::default() };
        assert_eq!(fields(upside_down), ["recovered_faults_permille"]);
    }

    #[test]
    fn a_trial_must_be_harder_than_the_fall() {
        assert_eq!(probes_needed(500, 20), Some(3));
        assert_eq!(probes_needed(1_000, 5), Some(2));
        assert_eq!(probes_needed(200, 5), None);
        let easy = HealthSettings { down_faults_permille: 200, ..HealthSettings::default() };
        assert_eq!(fields(easy), ["probes_good"]);
    }
}
