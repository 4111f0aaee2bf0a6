//! What Prometheus reads. Base units, bounded labels, never an id.

use crate::api::{ApiMetrics, By};
use prometheus::core::Collector;
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use std::time::Duration;
use switchyard_core::payment::Source;
use switchyard_core::{ChannelName, FailureCode, Mode, OperationKind, Timestamp};
use switchyard_engine::{Outcome, Watch};
use switchyard_store::Totals;

/// Bounds in seconds: an embedded commit takes milliseconds, a provider's answer up to tens of seconds.
const CALL_SECONDS: &[f64] = &[0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const REQUEST_SECONDS: &[f64] = &[0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
const COMMIT_SECONDS: &[f64] = &[0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];
const BATCH_COMMANDS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// All of them.
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    calls: IntCounterVec,
    call_seconds: HistogramVec,
    look_ups: IntCounterVec,
    operations: IntCounterVec,
    decisions: IntCounterVec,
    replays: IntCounter,
    contradictions: IntCounterVec,
    faults: IntCounterVec,
    in_doubt: IntGauge,
    oldest_in_doubt_seconds: IntGauge,
    watched: IntGauge,
    tasks: IntGauge,
    channel_status: IntGaugeVec,
    rules: IntGaugeVec,
    reloads: IntCounterVec,
    commit_seconds: Histogram,
    batch_commands: Histogram,
    channels_off: IntGauge,
    reload_refused: IntGauge,
    webhooks: IntCounterVec,
    webhook_seconds: Histogram,
    webhooks_dead: IntCounter,
    webhook_endpoints: IntGaugeVec,
    webhook_lag_seconds: IntGauge,
    webhooks_switched_off: IntCounter,
    limited: IntCounterVec,
    status_changes: IntCounterVec,
}

/// Registers what it makes.
struct Maker(Registry);

impl Maker {
    fn add<C: Collector + Clone + 'static>(&self, made: prometheus::Result<C>) -> prometheus::Result<C> {
        let made = made?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn counter(&self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        self.add(IntCounter::new(name, help))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        self.add(IntGauge::new(name, help))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> prometheus::Result<Histogram> {
        self.add(Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec())))
    }

    fn histograms(&self, name: &str, help: &str, buckets: &[f64], labels: &[&str]) -> prometheus::Result<HistogramVec> {
        self.add(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels))
    }
}

impl Metrics {
    /// Makes and registers them.
    ///
    /// # Errors
    /// Where a name or label is not one for Prometheus, or stands twice.
    pub(crate) fn new() -> prometheus::Result<Self> {
        let make = Maker(Registry::new());
        let build = make.gauges("switchyard_build_info", "Always 1; the version stands in the label.", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self {
            requests: make.counters(
                "switchyard_http_requests_total",
                "Requests of merchants, by route pattern, method and status.",
                &["route", "method", "status"],
            )?,
            request_seconds: make.histograms(
                "switchyard_http_request_duration_seconds",
                "From the request's head to the answer's last byte handed over.",
                REQUEST_SECONDS,
                &["route"],
            )?,
            calls: make.counters(
                "switchyard_provider_calls_total",
                "Calls to providers that move money, by outcome and failure code.",
                &["channel", "operation", "outcome", "code"],
            )?,
            call_seconds: make.histograms(
                "switchyard_provider_call_duration_seconds",
                "Calls to providers, connecting included; class is move or look_up.",
                CALL_SECONDS,
                &["channel", "class"],
            )?,
            look_ups: make.counters(
                "switchyard_look_ups_total",
                "Questions to providers about what became of a call, by result.",
                &["channel", "operation", "result"],
            )?,
            operations: make.counters(
                "switchyard_operations_total",
                "News written into the ledger, by operation, outcome and where it came from.",
                &["channel", "operation", "outcome", "code", "from"],
            )?,
            decisions: make.counters(
                "switchyard_routing_decisions_total",
                "Decisions by rule; routed says whether a channel was found.",
                &["rule", "routed"],
            )?,
            replays: make.counter(
                "switchyard_idempotent_replays_total",
                "Requests answered by what their idempotency key had brought before.",
            )?,
            contradictions: make.counters(
                "switchyard_contradictions_total",
                "Times a provider denied what the ledger says. Each needs a person.",
                &["channel"],
            )?,
            faults: make.counters(
                "switchyard_channel_faults_total",
                "Calls that count against the channel's health.",
                &["channel", "mode"],
            )?,
            in_doubt: make.gauge("switchyard_in_doubt", "Operations whose fate nobody knows yet.")?,
            oldest_in_doubt_seconds: make
                .gauge("switchyard_in_doubt_oldest_seconds", "Age of the oldest operation in doubt; 0 for none.")?,
            watched: make.gauge("switchyard_watched_operations", "Operations that will be looked up.")?,
            tasks: make.gauge("switchyard_tasks", "Operations under way in this process.")?,
            channel_status: make.gauges(
                "switchyard_channel_status",
                "1 for the channel's present status, 0 for the others.",
                &["channel", "mode", "status"],
            )?,
            rules: make.gauges("switchyard_rules_info", "Always 1; the hash of the rules in force.", &["version"])?,
            reloads: make.counters(
                "switchyard_reloads_total",
                "Times the configuration was read again, and whether it was taken.",
                &["taken"],
            )?,
            commit_seconds: make.histogram(
                "switchyard_store_commit_duration_seconds",
                "Group commits of the ledger, flush to disk included.",
                COMMIT_SECONDS,
            )?,
            batch_commands: make.histogram(
                "switchyard_store_batch_commands",
                "Commands that shared one commit.",
                BATCH_COMMANDS,
            )?,
            channels_off: make.gauge(
                "switchyard_channels_off",
                "Channels and modes that are switched off, since something is wrong with their configuration.",
            )?,
            reload_refused: make.gauge(
                "switchyard_reload_refused",
                "1 while the configuration in the files is not the one in force, since it was refused.",
            )?,
            webhooks: make.counters(
                "switchyard_webhook_deliveries_total",
                "Tries to deliver an event to a merchant, by result: delivered or failed.",
                &["result"],
            )?,
            webhook_seconds: make.histogram(
                "switchyard_webhook_delivery_duration_seconds",
                "Tries to deliver an event, connecting included.",
                CALL_SECONDS,
            )?,
            webhooks_dead: make
                .counter("switchyard_webhook_dead_total", "Events that were given up after their last try.")?,
            webhook_endpoints: make.gauges(
                "switchyard_webhook_endpoints",
                "Webhook endpoints, by whether they are enabled.",
                &["enabled"],
            )?,
            webhook_lag_seconds: make.gauge(
                "switchyard_webhook_oldest_undelivered_seconds",
                "Age of the oldest event that an enabled endpoint still has to get; 0 for none.",
            )?,
            webhooks_switched_off: make.counter(
                "switchyard_webhook_endpoints_disabled_total",
                "Webhook endpoints that were switched off because they answered 410.",
            )?,
            limited: make.counters(
                "switchyard_http_rate_limited_total",
                "Requests refused with 429, by whose limit it was: key or address.",
                &["by"],
            )?,
            status_changes: make.counters(
                "switchyard_channel_status_changes_total",
                "Changes of a channel's status, by what it became.",
                &["channel", "mode", "status"],
            )?,
            registry: make.0,
        })
    }

    /// The text format, version 0.0.4.
    ///
    /// # Errors
    /// Where a metric cannot be written, which is a fault of ours.
    pub(crate) fn text(&self) -> prometheus::Result<Vec<u8>> {
        let mut text = Vec::with_capacity(16 * 1024);
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }

    /// One group commit of the ledger.
    pub(crate) fn committed(&self, commands: usize, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
        self.batch_commands.observe(u32::try_from(commands).map_or(f64::MAX, f64::from));
    }

    /// What the ledger counts, at `now`, and how many operations this process has under way.
    pub(crate) fn totals(&self, totals: &Totals, now: Timestamp, running: usize) {
        let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.in_doubt.set(gauge(totals.in_doubt));
        self.watched.set(gauge(totals.watched));
        let age = totals.oldest_in_doubt.map_or(Duration::ZERO, |began| now.since(Timestamp(began)));
        self.oldest_in_doubt_seconds.set(gauge(age.as_secs()));
        self.running(running);
    }

    /// How many operations this process has under way.
    pub(crate) fn running(&self, running: usize) {
        self.tasks.set(i64::try_from(running).unwrap_or(i64::MAX));
    }

    /// The status of every channel.
    pub(crate) fn statuses<'a>(&self, mode: Mode, statuses: impl Iterator<Item = (&'a ChannelName, &'static str)>) {
        for (channel, status) in statuses {
            for known in ["up", "degraded", "down", "disabled"] {
                let labels = [channel.as_str(), mode.as_str(), known];
                self.channel_status.with_label_values(&labels).set(i64::from(known == status));
            }
        }
    }

    /// One try to deliver an event.
    pub(crate) fn webhook_tried(&self, delivered: bool, took: Duration) {
        self.webhooks.with_label_values(&[if delivered { "delivered" } else { "failed" }]).inc();
        self.webhook_seconds.observe(took.as_secs_f64());
    }

    /// An event was given up.
    pub(crate) fn webhook_dead(&self) {
        self.webhooks_dead.inc();
    }

    /// An endpoint was switched off by its own answer.
    pub(crate) fn webhook_switched_off(&self) {
        self.webhooks_switched_off.inc();
    }

    /// How many endpoints there are.
    pub(crate) fn webhook_endpoints(&self, enabled: usize, disabled: usize) {
        for (label, count) in [("true", enabled), ("false", disabled)] {
            self.webhook_endpoints.with_label_values(&[label]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// How old the oldest undelivered event is.
    pub(crate) fn webhook_lag(&self, age: Duration) {
        self.webhook_lag_seconds.set(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
    }

    /// A channel's status has become this one.
    pub(crate) fn status_changed(&self, channel: &ChannelName, mode: Mode, status: &str) {
        self.status_changes.with_label_values(&[channel.as_str(), mode.as_str(), status]).inc();
    }

    /// The configuration was read again.
    pub(crate) fn reloaded(&self, taken: bool) {
        self.reloads.with_label_values(&[if taken { "true" } else { "false" }]).inc();
        self.reload_refused.set(i64::from(!taken));
    }

    /// Channels may have gone; the next look at their status names those that there are.
    pub(crate) fn forget_statuses(&self) {
        self.channel_status.reset();
    }

    /// How many channels are switched off.
    pub(crate) fn channels_off(&self, off: usize) {
        self.channels_off.set(i64::try_from(off).unwrap_or(i64::MAX));
    }

    /// The hash of the rules in force.
    pub(crate) fn rules(&self, version: &str) {
        self.rules.reset();
        self.rules.with_label_values(&[version]).set(1);
    }
}

impl ApiMetrics for Metrics {
    fn request(&self, route: &'static str, method: &'static str, status: u16, took: Duration) {
        let mut digits = [0; 3];
        let status = digits_of(status, &mut digits);
        self.requests.with_label_values(&[route, method, status]).inc();
        self.request_seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    fn limited(&self, by: By) {
        self.limited.with_label_values(&[by.as_str()]).inc();
    }
}

/// A status code as text, without an allocation.
fn digits_of(status: u16, digits: &mut [u8; 3]) -> &str {
    let digit =
        |power: u16| u8::try_from(status.checked_div(power).unwrap_or(0) % 10).unwrap_or(0).saturating_add(b'0');
    *digits = [digit(100), digit(10), digit(1)];
    std::str::from_utf8(digits).unwrap_or_default()
}

fn code(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Refused(code) => FailureCode::name(code),
        Outcome::Approved | Outcome::Accepted | Outcome::RequiresAction | Outcome::Unknown | Outcome::Changed => "",
    }
}

impl Watch for Metrics {
    fn called(
        &self,
        channel: &ChannelName,
        mode: Mode,
        kind: OperationKind,
        outcome: Outcome,
        fault: bool,
        took: Duration,
    ) {
        let channel = channel.as_str();
        self.calls.with_label_values(&[channel, kind.as_str(), outcome.as_str(), code(outcome)]).inc();
        self.call_seconds.with_label_values(&[channel, "move"]).observe(took.as_secs_f64());
        if fault {
            self.faults.with_label_values(&[channel, mode.as_str()]).inc();
        }
    }

    fn looked_up(&self, channel: &ChannelName, kind: OperationKind, result: &'static str, took: Duration) {
        self.look_ups.with_label_values(&[channel.as_str(), kind.as_str(), result]).inc();
        self.call_seconds.with_label_values(&[channel.as_str(), "look_up"]).observe(took.as_secs_f64());
    }

    fn settled(&self, channel: Option<&ChannelName>, kind: OperationKind, outcome: Outcome, from: Source) {
        let channel = channel.map_or("", ChannelName::as_str);
        let labels = [channel, kind.as_str(), outcome.as_str(), code(outcome), from.as_str()];
        self.operations.with_label_values(&labels).inc();
    }

    fn routed(&self, rule: &str, channel: Option<&ChannelName>) {
        self.decisions.with_label_values(&[rule, if channel.is_some() { "true" } else { "false" }]).inc();
    }

    fn replayed(&self) {
        self.replays.inc();
    }

    fn contradicted(&self, channel: &ChannelName) {
        self.contradictions.with_label_values(&[channel.as_str()]).inc();
    }
}
