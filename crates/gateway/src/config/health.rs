//! How channels' health is judged: in the settings for all of them, in channels.toml for one.

use std::time::Duration;
use switchyard_coordination::{HealthPolicy, HealthSettings};
use switchyard_routing::reader::{Table, Value};

/// Largest number that any setting of health takes; each has bounds of its own, which its check tells.
const NUMBER_MAX: i64 = 10_000;

/// `base` with what stands under the keys that `get` finds. A value that cannot be read has told why.
pub(crate) fn read<'d>(base: &HealthSettings, get: impl Fn(&'static str) -> Option<Value<'d>>) -> HealthSettings {
    let span = |key, base: Duration| get(key).and_then(|value| value.duration()).unwrap_or(base);
    let number = |key| get(key).and_then(|value| value.integer_in(0..=NUMBER_MAX));
    let permille = |key, base: u16| number(key).and_then(|number| u16::try_from(number).ok()).unwrap_or(base);
    let count = |key, base: u32| number(key).and_then(|number| u32::try_from(number).ok()).unwrap_or(base);
    HealthSettings {
        window: span("window", base.window),
        minimum_sample: count("minimum_sample", base.minimum_sample),
        degraded_faults_permille: permille("degraded_faults_permille", base.degraded_faults_permille),
        recovered_faults_permille: permille("recovered_faults_permille", base.recovered_faults_permille),
        down_faults_permille: permille("down_faults_permille", base.down_faults_permille),
        slow_after: span("slow_after", base.slow_after),
        degraded_slow_permille: permille("degraded_slow_permille", base.degraded_slow_permille),
        recovered_slow_permille: permille("recovered_slow_permille", base.recovered_slow_permille),
        stalled_after: span("stalled_after", base.stalled_after),
        down_stalled_permille: permille("down_stalled_permille", base.down_stalled_permille),
        dwell: span("dwell", base.dwell),
        cool_down: span("cool_down", base.cool_down),
        cool_down_max: span("cool_down_max", base.cool_down_max),
        probe_share_permille: permille("probe_share_permille", base.probe_share_permille),
        probes_good: count("probes_good", base.probes_good),
        probe_lost_after: span("probe_lost_after", base.probe_lost_after),
    }
}

/// How one channel's health is judged: as `for_all`, but for what stands in the channel's own table.
pub(crate) fn of_channel(channel: &Table<'_>, for_all: &HealthSettings) -> HealthPolicy {
    // What is wrong with the settings for all is told where they stand.
    let inherited = for_all.clone().check().unwrap_or_default();
    let Some(own) = channel.table("health") else { return inherited };
    let settings = read(inherited.settings(), |key| own.get(key));
    let checked = settings.check().unwrap_or_else(|wrong| {
        for fault in wrong {
            let span = own.get(fault.field).map_or_else(|| own.span(), |value| value.span());
            own.faults().push(&span, format!("`{}` {}", fault.field, fault.reason));
        }
        inherited
    });
    own.finish();
    checked
}
