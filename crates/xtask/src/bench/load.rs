//! The load generator: one thread, many kept connections, either as fast as answers come (closed loop) or at a fixed rate
//! that slow answers do not slow down (open loop, latencies counted from the moment a request was due).

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::Notify;
use tokio::task::LocalSet;

use crate::Result;
use crate::bench::figures::{histogram, nanos};
use crate::bench::schedule::{Schedule, Turn};
use crate::bench::wire::{Answer, Template, Wire};

/// After the window, answers may take this long before the run is given up.
const GRACE: Duration = Duration::from_secs(60);

/// With so many faults there is nothing more to learn.
const FAULTS_MAX: u64 = 100;

/// Of every so many answers one is read, the others only counted by their status.
const READ_EVERY: u64 = 16;

/// Where requests go, and what must come back.
#[derive(Clone, Debug)]
pub struct Target {
    /// A loopback address.
    pub address: SocketAddr,
    /// What is sent.
    pub template: Template,
    /// The one status that is no fault.
    pub status: u16,
    /// Every answer holds this.
    pub proof: &'static str,
}

/// How requests follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Each connection sends as soon as it has its answer.
    Closed,
    /// So many a second, evenly.
    Open(u64),
}

/// One load, bounded in time and in number.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How requests follow each other.
    pub pace: Pace,
    /// Kept open from first to last.
    pub connections: usize,
    /// Load before anything is measured.
    pub warm_up: Duration,
    /// What is measured.
    pub window: Duration,
    /// The window ends early once so many were answered in it.
    pub requests_max: u64,
}

/// What one load brought.
pub struct Load<S> {
    /// How long was measured.
    pub elapsed: Duration,
    /// Answered in that time.
    pub requests: u64,
    /// Answered in all, before and after it as well.
    pub answered: u64,
    /// Nanoseconds from when a request was sent (closed) or due (open) to the last byte of its answer.
    pub latency: Histogram<u64>,
    /// Open loop: nanoseconds from when a request was due to when it was sent.
    pub lag: Histogram<u64>,
    /// Bytes of the last answer that was read.
    pub answer_bytes: usize,
    /// What `sample` said when the window began.
    pub before: S,
    /// What `sample` said when it ended.
    pub after: S,
}

/// Runs a load. `numbers` counts requests over all loads, so that no two are the same.
///
/// # Errors
/// When an answer is not as it should be, a connection breaks, or answers stop coming.
pub async fn run<S>(
    target: &Target,
    plan: &Plan,
    numbers: &Rc<Cell<u64>>,
    sample: impl Fn() -> Result<S>,
) -> Result<Load<S>> {
    let state = Rc::new(State::new(target.clone(), *plan, Rc::clone(numbers))?);
    let limit = plan.warm_up.saturating_add(plan.window).saturating_add(GRACE);
    let tasks = LocalSet::new();
    let measured = tokio::time::timeout(limit, tasks.run_until(drive(&state, sample))).await;
    let (elapsed, before, after) = match measured {
        Ok(measured) => measured?,
        Err(_) => return Err(format!("{} answers came, then no more", state.answered.get()).into()),
    };
    if state.faults.get() > 0 {
        let (faults, answered) = (state.faults.get(), state.answered.get());
        return Err(
            format!("{faults} faults beside {answered} good answers, the first: {}", state.example.take()).into()
        );
    }
    Ok(Load {
        elapsed,
        requests: state.requests.get(),
        answered: state.answered.get(),
        latency: state.latency.take().ok_or("taken once")?,
        lag: state.lag.take().ok_or("taken once")?,
        answer_bytes: state.answer_bytes.get(),
        before,
        after,
    })
}

async fn drive<S>(state: &Rc<State>, sample: impl Fn() -> Result<S>) -> Result<(Duration, S, S)> {
    let connections: Vec<_> =
        (0..state.plan.connections).map(|_| tokio::task::spawn_local(connection(Rc::clone(state)))).collect();
    let pacer = state.schedule.is_some().then(|| tokio::task::spawn_local(pacer(Rc::clone(state))));
    tokio::time::sleep(state.plan.warm_up).await;
    let before = sample()?;
    let started = Instant::now();
    state.phase.set(Phase::Window);
    tokio::select! {
        () = tokio::time::sleep(state.plan.window) => {}
        () = state.full.notified() => {}
    }
    state.phase.set(Phase::Over);
    let elapsed = started.elapsed();
    let after = sample()?;
    if let Some(pacer) = pacer {
        pacer.await??;
    }
    for connection in connections {
        connection.await??;
    }
    Ok((elapsed, before, after))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    WarmUp,
    Window,
    Over,
}

/// What the connections of one load share. There is one thread, so cells are enough.
struct State {
    target: Target,
    plan: Plan,
    numbers: Rc<Cell<u64>>,
    phase: Cell<Phase>,
    full: Notify,
    requests: Cell<u64>,
    answered: Cell<u64>,
    faults: Cell<u64>,
    example: Cell<String>,
    answer_bytes: Cell<usize>,
    latency: RefCell<Option<Histogram<u64>>>,
    lag: RefCell<Option<Histogram<u64>>>,
    schedule: Option<Schedule>,
}

impl State {
    fn new(target: Target, plan: Plan, numbers: Rc<Cell<u64>>) -> Result<Self> {
        let schedule = match plan.pace {
            Pace::Closed => None,
            Pace::Open(rate) => Some(Schedule::new(rate, plan.warm_up, plan.window, plan.requests_max)),
        };
        Ok(Self {
            schedule,
            target,
            plan,
            numbers,
            phase: Cell::new(Phase::WarmUp),
            full: Notify::new(),
            requests: Cell::new(0),
            answered: Cell::new(0),
            faults: Cell::new(0),
            example: Cell::default(),
            answer_bytes: Cell::new(0),
            latency: RefCell::new(Some(histogram()?)),
            lag: RefCell::new(Some(histogram()?)),
        })
    }

    /// Leave to send: `None` at the end, `Some(None)` at once.
    async fn turn(&self) -> Option<Option<Turn>> {
        if self.faults.get() >= FAULTS_MAX {
            return None;
        }
        match &self.schedule {
            Some(schedule) => schedule.turn().await.map(Some),
            None => (self.phase.get() != Phase::Over).then_some(None),
        }
    }

    fn next_number(&self) -> u64 {
        count(&self.numbers)
    }

    fn answered(&self, turn: Option<Turn>, sent: Instant, wire: &Wire, answer: &Answer) {
        let now = Instant::now();
        let number = count(&self.answered);
        let right = answer.status == self.target.status
            && (!number.is_multiple_of(READ_EVERY) || self.holds_proof(wire, answer));
        if !right {
            self.answered.set(number);
            let body = String::from_utf8_lossy(wire.body(answer)).into_owned();
            return self.fault(format!("{} {body}", answer.status));
        }
        let in_window = self.phase.get() == Phase::Window;
        if in_window {
            let requests = count(&self.requests).saturating_add(1);
            if requests == self.plan.requests_max && self.plan.pace == Pace::Closed {
                self.full.notify_one();
            }
        }
        if turn.map_or(in_window, |turn| turn.measured) {
            let due = turn.map_or(sent, |turn| turn.due);
            record(&self.latency, now.saturating_duration_since(due));
            record(&self.lag, sent.saturating_duration_since(due));
        }
    }

    fn holds_proof(&self, wire: &Wire, answer: &Answer) -> bool {
        let proof = self.target.proof.as_bytes();
        self.answer_bytes.set(answer.bytes);
        proof.is_empty() || wire.body(answer).windows(proof.len()).any(|part| part == proof)
    }

    fn fault(&self, what: String) {
        if count(&self.faults) == 0 {
            self.example.set(what);
        }
    }
}

async fn pacer(state: Rc<State>) -> Result<()> {
    match &state.schedule {
        Some(schedule) => schedule.run(state.plan.connections).await,
        None => Ok(()),
    }
}

async fn connection(state: Rc<State>) -> Result<()> {
    let target = &state.target;
    let mut request = target.template.blank();
    let mut wire = Wire::connect(target.address).await?;
    while let Some(turn) = state.turn().await {
        target.template.number(&mut request, state.next_number());
        let sent = Instant::now();
        let close = match wire.exchange(&request).await {
            Ok(answer) => {
                state.answered(turn, sent, &wire, &answer);
                answer.close
            }
            Err(error) => {
                state.fault(error.to_string());
                true
            }
        };
        if close {
            wire = Wire::connect(target.address).await?;
        }
    }
    Ok(())
}

/// Adds one and gives the number before.
fn count(cell: &Cell<u64>) -> u64 {
    let before = cell.get();
    cell.set(before.saturating_add(1));
    before
}

fn record(histogram: &RefCell<Option<Histogram<u64>>>, time: Duration) {
    if let Some(histogram) = histogram.borrow_mut().as_mut() {
        histogram.saturating_record(nanos(time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};

    /// Answers every request after `delay`; remembers their numbers. Its threads end with the process.
    fn server(answer: &'static str, delay: Duration) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, keep) = (stream.expect("a connection"), Arc::clone(&keep));
                std::thread::spawn(move || {
                    let mut bytes = [0; 1024];
                    while let Ok(length @ 1..) = stream.read(&mut bytes) {
                        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                        keep.lock().expect("a list").push(text.lines().last().unwrap_or_default().to_owned());
                        std::thread::sleep(delay);
                        if stream.write_all(answer.as_bytes()).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        (address, seen)
    }

    fn target(address: SocketAddr) -> Target {
        Target { address, template: Template::post(address, "/v1", &[], "\"############\""), status: 201, proof: "ok" }
    }

    fn load(target: &Target, pace: Pace, connections: usize) -> Result<Load<()>> {
        let plan = Plan {
            pace,
            connections,
            warm_up: Duration::from_millis(50),
            window: Duration::from_millis(200),
            requests_max: 1_000,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(target, &plan, &Rc::default(), || Ok(())))
    }

    const GOOD: &str = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok";

    #[test]
    fn every_request_has_its_own_number() {
        let (address, seen) = server(GOOD, Duration::ZERO);
        let load = load(&target(address), Pace::Closed, 4).expect("a good load");
        let seen = seen.lock().expect("a list");
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len());
        assert_eq!(u64::try_from(seen.len()).expect("few"), load.answered);
        assert!(load.requests > 0 && load.requests <= load.answered);
        assert!(load.requests < 1_200, "bounded in number: {}", load.requests);
    }

    #[test]
    fn an_answer_that_is_not_as_it_should_be_fails_the_load() {
        for answer in [
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nok",
            "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nno",
        ] {
            let (address, _) = server(answer, Duration::from_millis(1));
            assert!(load(&target(address), Pace::Closed, 2).is_err(), "{answer}");
        }
    }

    #[test]
    fn waiting_for_a_slow_server_is_counted_from_when_a_request_was_due() {
        // 200 a second are due, one connection gets 50 a second done: the last ones wait for most of the run.
        let (address, _) = server(GOOD, Duration::from_millis(20));
        let load = load(&target(address), Pace::Open(200), 1).expect("a good load");
        assert_eq!(load.latency.len(), 40);
        assert!(load.latency.max() > 400_000_000, "{}", load.latency.max());
        assert!(load.lag.max() > 400_000_000, "{}", load.lag.max());
    }

    #[test]
    fn a_rate_is_kept() {
        let (address, _) = server(GOOD, Duration::ZERO);
        let load = load(&target(address), Pace::Open(500), 8).expect("a good load");
        assert_eq!(load.latency.len(), 100);
    }
}
