//! The run itself: what is started, and in which order it is loaded.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Result;
use crate::bench::Options;
use crate::bench::disk::{self, Probe};
use crate::bench::figures::{Latency, Spread, float, nanos, quotient, ratio};
use crate::bench::gateway::{Gateway, Installation, Metrics, Simulator};
use crate::bench::load::{self, Pace, Plan, Target};
use crate::bench::nginx::Nginx;
use crate::bench::proc::{self, Used};
use crate::bench::report::{Figures, Machine, Measure, Report, Subject};
use crate::bench::wire::Template;

/// What is sent to Switchyard. `#` stands for the request's number.
const PAYMENT: &str = r#"{"amount":12500,"currency":"EUR","country":"DE","order_type":"ecommerce","reference":"bench-############","payment_method":{"type":"card","token":"tok_approved"}}"#;

/// What is sent to the simulated provider, straight or through nginx, padded so that the whole request has as many bytes.
const CHARGE: &str = r#"{"amount":12500,"currency":"EUR","method":"card","token":"tok_approved","reference":"bench-############","country":"DE","description":""}"#;

/// Both answers tell it: the whole way was gone.
const CAPTURED: &str = "\"captured\"";

/// How long it is left alone before its idle memory is read.
const IDLE: Duration = Duration::from_secs(1);

const MEMORY_EVERY: Duration = Duration::from_millis(100);

/// Everything that runs, and how often it was called.
struct Bench<'a> {
    options: &'a Options,
    directory: &'a Path,
    simulator: Simulator,
    nginx: Nginx,
    gateway: Gateway,
    payment: Target,
    charge: Target,
    straight: Target,
    numbers: Rc<Cell<u64>>,
    payments: u64,
    charges: u64,
    measures: Vec<Measure>,
    probed: Vec<f64>,
}

/// Starts everything, runs all rounds, stops everything.
///
/// # Errors
/// When anything does not do what it should; nothing keeps running.
pub async fn measure(options: &Options, binary: &Path, config: &Path, directory: &Path) -> Result<Report> {
    let simulator = Simulator::start(binary, directory).await?;
    let installation = Installation::new(binary, config, directory, simulator.address)?;
    let disk_before = disk::bytes(&installation.data);
    let gateway = Gateway::start(&installation).await?;
    let start_empty = gateway.start;
    tokio::time::sleep(IDLE).await;
    let memory_idle = proc::memory(&[gateway.process.pid()]);
    let fsync_idle = idle_probe(directory).await?;
    let nginx = Nginx::start(&directory.join("nginx"), simulator.address).await?;
    let machine = Machine::new(nginx.version.clone());

    let payment = payment(gateway.api, &installation.key);
    let bytes = payment.template.len();
    let [charge, straight] = [nginx.address, simulator.address].map(|address| charge(address, bytes));
    let request_bytes = [payment.template.len(), charge.template.len()];
    let memory = MemoryWatch::start(gateway.process.pid());
    let mut bench = Bench {
        options,
        directory,
        simulator,
        nginx,
        gateway,
        payment,
        charge,
        straight,
        numbers: Rc::default(),
        payments: 0,
        charges: 0,
        measures: Vec::new(),
        probed: Vec::new(),
    };
    bench.closed_rounds().await?;
    let half = bench.half_of_switchyard()?;
    bench.open_rounds(half).await?;
    let memory_peak = memory.stop();

    let Bench { simulator, nginx, gateway, payments, charges, measures, probed, .. } = bench;
    nginx.stop().await?;
    gateway.process.stop().await?;
    let disk_bytes = disk::bytes(&installation.data).saturating_sub(disk_before);
    let log_bytes = disk::bytes_of(&installation.log);
    let again = Gateway::start(&installation).await?;
    let start_full = again.start;
    again.process.stop().await?;
    let (booked, asked) = simulator.charges().await?;
    simulator.process.stop().await?;
    let expected = payments.saturating_add(charges);
    if booked != expected || asked != expected {
        let told = format!(
            "{expected} requests were answered with success, {booked} charges are booked, asked for {asked} times"
        );
        return Err(told.into());
    }
    Ok(Report {
        machine,
        rounds: options.rounds,
        seconds: options.seconds,
        request_bytes,
        payments,
        charges,
        figures: Figures {
            start_empty_ms: start_empty.as_secs_f64() * 1e3,
            start_full_ms: start_full.as_secs_f64() * 1e3,
            memory_idle_bytes: memory_idle,
            memory_peak_bytes: memory_peak,
            disk_bytes_per_payment: ratio(disk_bytes, payments),
            log_bytes_per_payment: ratio(log_bytes, payments),
            fsync_idle_p99_ms: fsync_idle,
            fsync_loaded_p99_ms: Spread::of(probed),
        },
        measures,
        rules: Vec::new(),
    })
}

impl Bench<'_> {
    async fn closed_rounds(&mut self) -> Result<()> {
        for connections in self.options.connections.clone() {
            for round in 1..=self.options.rounds {
                for subject in [Subject::Nginx, Subject::Switchyard] {
                    self.load(subject, Pace::Closed, connections, round).await?;
                }
            }
        }
        Ok(())
    }

    /// At one rate for all: through nginx, straight to the provider, through Switchyard.
    async fn open_rounds(&mut self, rate: u64) -> Result<()> {
        let connections = self.options.connections.iter().copied().max().unwrap_or(64);
        for round in 1..=self.options.rounds {
            for subject in [Subject::Nginx, Subject::Straight] {
                self.load(subject, Pace::Open(rate), connections, round).await?;
            }
            let probe = Probe::start(self.directory);
            self.load(Subject::Switchyard, Pace::Open(rate), connections, round).await?;
            self.probed.push(Latency::of(&probe.stop()?).p99_ms);
        }
        Ok(())
    }

    /// Half of what Switchyard did at its best number of connections, in requests a second.
    fn half_of_switchyard(&self) -> Result<u64> {
        let best = self.options.connections.iter().filter_map(|connections| {
            let of = self.measures.iter().filter(|m| m.subject == Subject::Switchyard && m.connections == *connections);
            Spread::of(of.map(|measure| measure.per_second)).map(|spread| spread.median)
        });
        let best = best.reduce(f64::max).ok_or("nothing was measured")?;
        let every = nanos(Duration::from_secs(1).div_f64((best / 2.0).max(1.0)));
        Ok(quotient(1_000_000_000, every))
    }

    async fn load(&mut self, subject: Subject, pace: Pace, connections: u16, round: u32) -> Result<()> {
        let plan = Plan {
            pace,
            connections: usize::from(connections),
            warm_up: self.options.warm_up(),
            window: Duration::from_secs(self.options.seconds.into()),
            requests_max: self.options.requests_max,
        };
        let (target, pids) = match subject {
            Subject::Nginx => (&self.charge, self.nginx.workers()),
            Subject::Straight => (&self.straight, Vec::new()),
            Subject::Switchyard => (&self.payment, vec![self.gateway.process.pid()]),
        };
        let simulator = self.simulator.process.pid();
        let sample = || Ok([Used::by(&pids)?, Used::by(&[simulator])?, Used::by(&[std::process::id()])?]);
        let metrics = self.metrics(subject).await?;
        let loaded = load::run(target, &plan, &self.numbers, sample).await;
        for process in [&mut self.simulator.process, &mut self.gateway.process] {
            process.check()?;
        }
        let load = loaded.map_err(|error| format!("{subject}: {error}"))?;
        let commits = Commits::between(metrics, self.metrics(subject).await?);
        match subject {
            Subject::Switchyard => self.payments = self.payments.saturating_add(load.answered),
            Subject::Nginx | Subject::Straight => self.charges = self.charges.saturating_add(load.answered),
        }
        let [before, after] = [load.before, load.after];
        let per_request = |used: Duration| used.as_secs_f64() * 1e6 / float(load.requests);
        let mut used = before.iter().zip(&after).map(|(before, after)| after.since(before));
        let mut next = || used.next().unwrap_or_default();
        let (gateway, simulator, generator) = (next(), next(), next());
        let measure = Measure {
            subject,
            open_rate: if let Pace::Open(rate) = pace { Some(rate) } else { None },
            connections,
            round,
            requests: load.requests,
            per_second: float(load.requests) / load.elapsed.as_secs_f64(),
            latency: Latency::of(&load.latency),
            lag: matches!(pace, Pace::Open(_)).then(|| Latency::of(&load.lag)),
            gateway_cpu_us: (!pids.is_empty()).then(|| per_request(gateway.cpu)),
            simulator_cpu_us: per_request(simulator.cpu),
            generator_cpu_us: per_request(generator.cpu),
            gateway_written_bytes: (!pids.is_empty()).then(|| ratio(gateway.written, load.requests)),
            answer_bytes: load.answer_bytes,
            batch: commits.as_ref().and_then(|commits| commits.batch()),
            commits_per_payment: commits.map(|commits| commits.groups / float(load.answered)),
        };
        println!("{measure}");
        self.measures.push(measure);
        Ok(())
    }

    async fn metrics(&self, subject: Subject) -> Result<Option<Metrics>> {
        match subject {
            Subject::Switchyard => self.gateway.metrics().await.map(Some),
            Subject::Nginx | Subject::Straight => Ok(None),
        }
    }
}

/// What the store did during a load.
struct Commits {
    groups: f64,
    commands: f64,
}

impl Commits {
    fn between(before: Option<Metrics>, after: Option<Metrics>) -> Option<Self> {
        let (before, after) = (before?, after?);
        let groups = after.commits()? - before.commits().unwrap_or(0.0);
        let commands = after.commands()? - before.commands().unwrap_or(0.0);
        Some(Self { groups, commands })
    }

    fn batch(&self) -> Option<f64> {
        (self.groups > 0.0).then(|| self.commands / self.groups)
    }
}

fn payment(address: SocketAddr, key: &str) -> Target {
    let authorization = format!("Bearer {key}");
    let headers = [("authorization", authorization.as_str()), ("idempotency-key", "\"bench-############\"")];
    let template = Template::post(address, "/v1/payments", &headers, PAYMENT);
    Target { address, template, status: 201, proof: CAPTURED }
}

fn charge(address: SocketAddr, bytes: usize) -> Target {
    let headers = [("authorization", "Bearer sim_test_bench"), ("idempotency-key", "\"bench-############\"")];
    let padded = |filler: usize| {
        let body = CHARGE.replace(r#""description":"""#, &format!(r#""description":"{}""#, "x".repeat(filler)));
        Template::post(address, "/v1/charges", &headers, &body)
    };
    let template = padded(bytes.saturating_sub(padded(0).len()));
    Target { address, template, status: 200, proof: CAPTURED }
}

/// p99 in milliseconds while nothing else goes on.
async fn idle_probe(directory: &Path) -> Result<f64> {
    let probe = Probe::start(directory);
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(Latency::of(&probe.stop()?).p99_ms)
}

/// Looks at a process's memory now and then and keeps the most it saw.
struct MemoryWatch {
    stop: Arc<AtomicBool>,
    most: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl MemoryWatch {
    fn start(pid: u32) -> Self {
        let (stop, most) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (flag, value) = (Arc::clone(&stop), Arc::clone(&most));
        let watch = move || {
            while !flag.load(Ordering::Relaxed) {
                value.fetch_max(proc::memory(&[pid]), Ordering::Relaxed);
                std::thread::sleep(MEMORY_EVERY);
            }
        };
        Self { stop, most, thread: Some(std::thread::spawn(watch)) }
    }

    fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.most.load(Ordering::Relaxed)
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::process;

    #[test]
    fn both_requests_are_as_long_and_are_json() {
        let address = process::free_address().expect("an address");
        let payment = payment(address, "sy_test_0123456789012345678901234567890123456789").template;
        let charge = charge(address, payment.len()).template;
        assert_eq!(payment.len(), charge.len());
        for template in [payment, charge] {
            let text = String::from_utf8(template.blank()).expect("text");
            let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
            assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
            serde_json::from_str::<serde_json::Value>(body).expect("JSON");
        }
    }
}
