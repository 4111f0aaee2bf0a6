//! What is printed and written at the end of a run.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::Result;
use crate::bench::budgets::Budget;
use crate::bench::figures::{Latency, Spread, float};
use crate::bench::proc;
use crate::bench::rules::Figure;

/// Who is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// nginx in front of the simulated provider.
    Nginx,
    /// The simulated provider itself, with nothing before it.
    Straight,
    /// Switchyard in front of the simulated provider.
    Switchyard,
}

impl Display for Subject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nginx => "nginx",
            Self::Straight => "straight",
            Self::Switchyard => "switchyard",
        })
    }
}

/// One load on one subject in one round. Processor times and bytes are per request.
#[derive(Clone, Debug, Serialize)]
pub struct Measure {
    /// Who was loaded.
    pub subject: Subject,
    /// Requests a second of an open loop, `None` for a closed one.
    pub open_rate: Option<u64>,
    /// Connections of the load generator.
    pub connections: u16,
    /// From 1.
    pub round: u32,
    /// Answered in the window.
    pub requests: u64,
    /// The same a second.
    pub per_second: f64,
    /// From due or sent to answered.
    pub latency: Latency,
    /// Open loop: from due to sent, the load generator's own share.
    pub lag: Option<Latency>,
    /// User and system time of all threads of nginx' workers or Switchyard.
    pub gateway_cpu_us: Option<f64>,
    /// The same of the simulated provider.
    pub simulator_cpu_us: f64,
    /// The same of this program.
    pub generator_cpu_us: f64,
    /// Sent to the disk by nginx' workers (its log) or Switchyard (its ledger and log).
    pub gateway_written_bytes: Option<f64>,
    /// Head and body of an answer.
    pub answer_bytes: usize,
    /// Commands the store made durable together, on average.
    pub batch: Option<f64>,
    /// Groups the store made durable, per payment.
    pub commits_per_payment: Option<f64>,
}

impl Display for Measure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let pace = if self.open_rate.is_some() { "open" } else { "closed" };
        write!(f, "round {:2}  {:10}  {pace:6} {:4} connections", self.round, self.subject, self.connections)?;
        write!(
            f,
            "  {:8.0}/s  p50 {:7.2} ms  p99 {:7.2} ms",
            self.per_second, self.latency.p50_ms, self.latency.p99_ms
        )?;
        match self.gateway_cpu_us {
            Some(cpu) => write!(f, "  {cpu:6.1} us"),
            None => Ok(()),
        }
    }
}

/// What was measured once, or over the whole run.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// From the start of the process until it was ready, with an empty ledger.
    pub start_empty_ms: f64,
    /// The same with the ledger this run has filled.
    pub start_full_ms: f64,
    /// `RssAnon` a second after the start.
    pub memory_idle_bytes: u64,
    /// The most it had under load.
    pub memory_peak_bytes: u64,
    /// Growth of the data directory, after the process has ended.
    pub disk_bytes_per_payment: f64,
    /// JSON log.
    pub log_bytes_per_payment: f64,
    /// One block, made durable, while nothing else goes on.
    pub fsync_idle_p99_ms: f64,
    /// The same while Switchyard works at half load.
    pub fsync_loaded_p99_ms: Option<Spread>,
}

/// What it ran on.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    processors: u64,
    processor: String,
    kernel: String,
    nginx: String,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn new(nginx: String) -> Self {
        let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        Self {
            processors: u64::try_from(processors).unwrap_or(0),
            processor: proc::processor(),
            kernel: proc::kernel(),
            nginx,
        }
    }
}

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What it ran on.
    pub machine: Machine,
    /// Of each load.
    pub rounds: u32,
    /// Measured of each load.
    pub seconds: u32,
    /// Head and body of a payment, and of a charge.
    pub request_bytes: [usize; 2],
    /// Made through Switchyard, warm-up included.
    pub payments: u64,
    /// Made through nginx or straight, warm-up included.
    pub charges: u64,
    /// Measured once.
    pub figures: Figures,
    /// Every load.
    pub measures: Vec<Measure>,
    /// What rules cost; empty where it was not measured.
    pub rules: Vec<Figure>,
}

/// A line of the table: what, how many decimals, and where it stands in a measure.
type Row = (&'static str, usize, fn(&Measure) -> Option<f64>);

const ROWS: &[Row] = &[
    ("requests a second", 0, |m| Some(m.per_second)),
    ("latency p50, ms", 2, |m| Some(m.latency.p50_ms)),
    ("latency p99, ms", 2, |m| Some(m.latency.p99_ms)),
    ("latency p99.9, ms", 2, |m| Some(m.latency.p999_ms)),
    ("sent late, p99, ms", 2, |m| Some(m.lag?.p99_ms)),
    ("CPU us, itself", 1, |m| m.gateway_cpu_us),
    ("CPU us, simulator", 1, |m| Some(m.simulator_cpu_us)),
    ("CPU us, load generator", 1, |m| Some(m.generator_cpu_us)),
    ("bytes written, itself", 0, |m| m.gateway_written_bytes),
    ("bytes of an answer", 0, |m| Some(float(u64::try_from(m.answer_bytes).ok()?))),
    ("commands in a commit", 1, |m| m.batch),
    ("commits a payment", 3, |m| m.commits_per_payment),
];

impl Report {
    /// The measures of one subject and kind of load, by round.
    pub fn of(&self, subject: Subject, open: bool, connections: u16) -> impl Iterator<Item = &Measure> {
        self.measures.iter().filter(move |measure| {
            measure.subject == subject && measure.open_rate.is_some() == open && measure.connections == connections
        })
    }

    /// Switchyard's figure by nginx', round by round.
    #[must_use]
    pub fn ratio(&self, open: bool, connections: u16, figure: fn(&Measure) -> Option<f64>) -> Option<Spread> {
        let ours = self.of(Subject::Switchyard, open, connections).filter_map(figure);
        let theirs = self.of(Subject::Nginx, open, connections).filter_map(figure);
        Spread::of(ours.zip(theirs).map(|(ours, theirs)| ours / theirs))
    }

    /// The loads there were, in their order: closed or open, and connections.
    #[must_use]
    pub fn loads(&self) -> Vec<(bool, u16)> {
        let mut loads: Vec<(bool, u16)> = Vec::new();
        for measure in &self.measures {
            let load = (measure.open_rate.is_some(), measure.connections);
            if !loads.contains(&load) {
                loads.push(load);
            }
        }
        loads
    }

    /// Writes all of it as JSON, twice: under the time, and as `latest.json`.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn write(&self, directory: &Path) -> Result<[PathBuf; 2]> {
        #[derive(Serialize)]
        struct Written<'a> {
            at_unix_seconds: u64,
            #[serde(flatten)]
            report: &'a Report,
            budgets: Vec<Budget>,
        }
        let at_unix_seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let written = Written { at_unix_seconds, report: self, budgets: Budget::all(self) };
        let text = serde_json::to_string_pretty(&written)?;
        let files = [directory.join(format!("{at_unix_seconds}.json")), directory.join("latest.json")];
        for file in &files {
            fs::write(file, &text)?;
        }
        Ok(files)
    }

    fn table(&self, f: &mut Formatter<'_>, open: bool, connections: u16) -> fmt::Result {
        let rate = self.measures.iter().find_map(|measure| measure.open_rate).unwrap_or(0);
        match open {
            false => writeln!(f, "\nclosed loop, {connections} connections")?,
            true => writeln!(f, "\nopen loop, {rate} requests a second (half load), {connections} connections")?,
        }
        let subjects = [Subject::Nginx, Subject::Straight, Subject::Switchyard];
        let present: Vec<Subject> =
            subjects.into_iter().filter(|subject| self.of(*subject, open, connections).next().is_some()).collect();
        write!(f, "  {:24}", "")?;
        for subject in &present {
            write!(f, "{subject:>30}")?;
        }
        writeln!(f, "{:>24}", "switchyard / nginx")?;
        for (name, decimals, figure) in ROWS {
            let spreads: Vec<Option<Spread>> =
                present.iter().map(|s| Spread::of(self.of(*s, open, connections).filter_map(figure))).collect();
            if spreads.iter().all(Option::is_none) {
                continue;
            }
            write!(f, "  {name:24}")?;
            for spread in spreads {
                write!(f, "{:>30}", spread.map_or("-".into(), |spread| spread.show(*decimals)))?;
            }
            let ratio = self.ratio(open, connections, *figure);
            writeln!(f, "{:>24}", ratio.map_or("-".into(), |ratio| ratio.show(2)))?;
        }
        Ok(())
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Machine { processors, processor, kernel, nginx } = &self.machine;
        writeln!(f, "\n{processors} processors ({processor}), Linux {kernel}, {nginx}")?;
        writeln!(f, "{} rounds of {} s, median (lowest..highest)", self.rounds, self.seconds)?;
        let [payment, charge] = self.request_bytes;
        writeln!(f, "{} payments of {payment} bytes, {} charges of {charge} bytes", self.payments, self.charges)?;
        for (open, connections) in self.loads() {
            self.table(f, open, connections)?;
        }
        let figures = &self.figures;
        let loaded = figures.fsync_loaded_p99_ms.map_or("-".into(), |spread| spread.show(2));
        writeln!(f, "\nfsync p99: {:.2} ms idle, {loaded} ms at half load", figures.fsync_idle_p99_ms)?;
        writeln!(f, "log: {:.0} bytes a payment", figures.log_bytes_per_payment)?;
        if !self.rules.is_empty() {
            writeln!(f, "\nrules, median (fastest..slowest)")?;
        }
        for figure in &self.rules {
            writeln!(f, "  {figure}")?;
        }
        writeln!(f, "\nbudgets")?;
        for budget in Budget::all(self) {
            writeln!(f, "  {budget}")?;
        }
        Ok(())
    }
}
