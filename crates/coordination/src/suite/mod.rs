//! What every coordination must do, asked through the trait alone. Runs in tests.

mod health;
mod limit;
mod probe;
mod wake;

use crate::{Change, Coordination, Health, HealthPolicy, HealthSettings, Level, Noted, ProbeEnd, Status, in_share};
use std::time::Duration;
use switchyard_core::{ChannelName, Mode, PaymentId, Timestamp};

/// Makes a coordination that knows these channels and nothing else, and shares with nobody.
pub type Make = fn(Vec<(ChannelName, HealthPolicy)>) -> Box<dyn Coordination>;

/// One promise.
pub struct Case {
    /// The promise.
    pub name: &'static str,
    /// Panics where it is broken.
    pub run: fn(Make),
}

/// Every promise.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    [health::CASES, probe::CASES, limit::CASES, wake::CASES].into_iter().flatten()
}

/// Runs every case.
///
/// # Panics
///
/// With the names of those that failed.
pub fn run(make: Make) {
    let broken: Vec<_> =
        cases().filter(|case| std::panic::catch_unwind(|| (case.run)(make)).is_err()).map(|case| case.name).collect();
    assert!(broken.is_empty(), "broken: {broken:#?}");
}

const GOOD: Noted = Noted { fault: false, latency: Duration::from_millis(300) };
const FAULT: Noted = Noted { fault: true, latency: Duration::from_millis(300) };
const SLOW: Noted = Noted { fault: false, latency: Duration::from_secs(6) };
const STALLED: Noted = Noted { fault: false, latency: Duration::from_secs(16) };

/// A coordination under test, with a clock and two channels under the default policy.
struct Bench {
    coordination: Box<dyn Coordination>,
    channel: ChannelName,
    other: ChannelName,
    now: Timestamp,
}

impl Bench {
    fn new(make: Make) -> Self {
        let (channel, other) = (name("acme_eu"), name("acme_us"));
        let channels = [&channel, &other].map(|name| (name.clone(), HealthPolicy::default()));
        Self { coordination: make(channels.into()), channel, other, now: Timestamp(1_900_000_000_000) }
    }

    /// One whose channel is down, with its cool-down over.
    fn on_trial(make: Make) -> Self {
        let mut bench = Self::new(make);
        bench.notes(20, FAULT);
        bench.pass(HealthSettings::default().cool_down);
        bench
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now.after(span);
    }

    fn note(&self, noted: Noted) -> Option<Change> {
        self.coordination.note(&self.channel, Mode::Live, self.now, noted)
    }

    fn notes(&self, times: u32, noted: Noted) {
        for _ in 0..times {
            self.note(noted);
        }
    }

    fn health(&self) -> Health {
        self.coordination.health(&self.channel, Mode::Live, self.now)
    }

    fn level(&self) -> Level {
        self.health().level()
    }

    fn status_for(&self, payment: PaymentId) -> Status {
        self.coordination.status_for(&self.channel, Mode::Live, self.now, payment)
    }

    fn start(&self, payment: PaymentId) -> bool {
        self.coordination.probe_started(&self.channel, Mode::Live, self.now, payment)
    }

    fn end(&self, payment: PaymentId, end: ProbeEnd) -> Option<Change> {
        self.coordination.probe_ended(&self.channel, Mode::Live, self.now, payment, end)
    }

    /// A probe from start to end.
    fn probe(&self, noted: Noted) -> Option<Change> {
        let payment = self.payments(true, 1).remove(0);
        assert!(self.start(payment));
        self.end(payment, ProbeEnd::Answered(noted))
    }

    /// Payments that are in the channel's share of probes, or are not.
    fn payments(&self, in_its_share: bool, count: usize) -> Vec<PaymentId> {
        let share = HealthSettings::default().probe_share_permille;
        (0..).map(payment).filter(|id| in_share(&self.channel, *id, share) == in_its_share).take(count).collect()
    }
}

fn name(text: &str) -> ChannelName {
    ChannelName::new(text).unwrap_or_else(|| panic!("{text} is a name"))
}

fn payment(number: u32) -> PaymentId {
    let text = format!("{}_0197000000007000{number:016x}", PaymentId::PREFIX);
    PaymentId::parse(&text).unwrap_or_else(|| panic!("{text} is an id"))
}

const fn changed(from: Level, to: Level) -> Option<Change> {
    Some(Change { from, to })
}
