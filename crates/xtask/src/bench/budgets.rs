//! The budgets that this run can judge, each with its figure.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::bench::figures::{Spread, float};
use crate::bench::report::{Report, Subject};
use crate::bench::rules::{self, Figure};

const MIB: u64 = 1 << 20;

/// A bound, what was measured, and whether it holds.
#[derive(Clone, Debug, Serialize)]
pub struct Budget {
    what: String,
    bound: String,
    measured: String,
    /// `None` where it was not measured.
    met: Option<bool>,
}

impl Budget {
    /// All of them, in the order they were set.
    #[must_use]
    pub fn all(report: &Report) -> Vec<Self> {
        let mut all = Vec::new();
        let closed: Vec<u16> = report.loads().into_iter().filter(|(open, _)| !open).map(|(_, c)| c).collect();
        for connections in &closed {
            let ratio = report.ratio(false, *connections, |measure| measure.gateway_cpu_us);
            all.push(Self::at_most(format!("CPU per payment / nginx, {connections} connections"), ratio, 3.0));
        }
        for connections in &closed {
            let ratio = report.ratio(false, *connections, |measure| Some(measure.per_second));
            all.push(Self::at_least(format!("throughput / nginx, {connections} connections"), ratio, 1.0 / 3.0));
        }
        all.extend(Self::latency(report));
        let figures = &report.figures;
        let memory = |what: &str, bytes: u64, most: u64| {
            let show = |bytes: u64| format!("{:.1} MiB", float(bytes) / float(MIB));
            Self::new(what.into(), format!("below {}", show(most)), show(bytes), bytes < most)
        };
        all.push(memory("memory, idle (RssAnon)", figures.memory_idle_bytes, 40 * MIB));
        all.push(memory("memory, under load (RssAnon)", figures.memory_peak_bytes, 150 * MIB));
        let start = |what: String, ms: f64| Self::new(what, "below 300 ms".into(), format!("{ms:.0} ms"), ms < 300.0);
        all.push(start("start to ready, empty ledger".into(), figures.start_empty_ms));
        all.push(start(format!("start to ready, {} payments", report.payments), figures.start_full_ms));
        let bytes = figures.disk_bytes_per_payment;
        let measured = format!("{bytes:.0} bytes");
        all.push(Self::new("bytes on disk per payment".into(), "at most 2500 bytes".into(), measured, bytes <= 2500.0));
        all.extend(Self::of_rules(&report.rules));
        all
    }

    /// Those of rules, for as many of them as large operators have and more.
    #[must_use]
    pub fn of_rules(figures: &[Figure]) -> Vec<Self> {
        if figures.is_empty() {
            return Vec::new();
        }
        let below = |what: String, measured: Option<f64>, most: f64| Self {
            what,
            bound: format!("below {}", rules::show(most)),
            measured: measured.map_or("not measured".into(), rules::show),
            met: measured.map(|ns| ns < most),
        };
        let decision = |count| rules::median(figures, "decide_by_the_last", count);
        let mut all: Vec<Self> = [10, 100, 1_000]
            .into_iter()
            .map(|count| below(format!("decision, the last of {count} rules"), decision(count), 200.0))
            .collect();
        let growth = decision(10).zip(decision(10_000)).map(|(few, many)| many / few);
        all.push(Self {
            what: "decision, 10,000 rules / 10".into(),
            bound: "at most 10.00".into(),
            measured: growth.map_or("not measured".into(), |growth| format!("{growth:.2}")),
            met: growth.map(|growth| growth <= 10.0),
        });
        for (count, most) in [(1_000, 1e9), (10_000, 1e10)] {
            all.push(below(format!("check of {count} rules"), rules::median(figures, "check", count), most));
        }
        all
    }

    /// What Switchyard adds to the provider's own p99 at half load, against 5 ms and four fsyncs.
    fn latency(report: &Report) -> Option<Self> {
        let (_, connections) = report.loads().into_iter().find(|(open, _)| *open)?;
        let ours = report.of(Subject::Switchyard, true, connections);
        let straight = report.of(Subject::Straight, true, connections);
        let added =
            Spread::of(ours.zip(straight).map(|(ours, straight)| ours.latency.p99_ms - straight.latency.p99_ms))?;
        let fsync = report.figures.fsync_loaded_p99_ms?;
        let most = 4.0f64.mul_add(fsync.median, 5.0);
        let bound = format!("below {most:.2} ms (5 + 4 x {:.2})", fsync.median);
        let measured = format!("{} ms", added.show(2));
        Some(Self::new("added latency, p99, half load".into(), bound, measured, added.median < most))
    }

    fn at_most(what: String, ratio: Option<Spread>, most: f64) -> Self {
        Self::ratio(what, format!("at most {most:.2}"), ratio, |median| median <= most)
    }

    fn at_least(what: String, ratio: Option<Spread>, least: f64) -> Self {
        Self::ratio(what, format!("at least {least:.2}"), ratio, |median| median >= least)
    }

    fn ratio(what: String, bound: String, ratio: Option<Spread>, holds: impl Fn(f64) -> bool) -> Self {
        let measured = ratio.map_or("not measured".into(), |ratio| ratio.show(2));
        Self { what, bound, measured, met: ratio.map(|ratio| holds(ratio.median)) }
    }

    fn new(what: String, bound: String, measured: String, met: bool) -> Self {
        Self { what, bound, measured, met: Some(met) }
    }
}

impl Display for Budget {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let met = match self.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "-",
        };
        write!(f, "{met:8} {:44} {:>24}   {}", self.what, self.measured, self.bound)
    }
}
