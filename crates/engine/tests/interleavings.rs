//! Every order in which two requests on one payment can be carried out, and a crash at each step of each.
//!
//! The shipped engine and the shipped ledger are polled by hand: every store command and every edge of a provider call is a
//! step, and at each step any of the tasks may go next. Orders that lead to the same state (ledger, provider's books, what
//! each task has seen) go on the same way, so each state is explored once; the number of orders is counted over all of them.
//! At each state the process also dies: another one takes the ledger over, adopts and recovers, with what was on its way to
//! the provider lost or landed. After each end an oracle compares ledger, answers, events and the provider's own books.
//!
//! `SWITCHYARD_INTERLEAVINGS=3` explores three at once, which takes long.

mod bank;
mod run;
mod world;

use run::{Act, Actor, Prepared, Run, prepare};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What an exploration came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Explored {
    states: usize,
    /// Complete orders, counted and not carried out one by one.
    orders: u128,
    /// Different ends without a crash.
    ends: usize,
    crashes: usize,
}

impl Explored {
    fn add(&mut self, other: Self) {
        self.states += other.states;
        self.orders += other.orders;
        self.ends += other.ends;
        self.crashes += other.crashes;
    }
}

/// In memory where there is such a file system: nothing here asks what a disk survives.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).or_else(|_| TempDir::new()).unwrap() } else { TempDir::new().unwrap() }
}

/// Carries out every order of the actors' steps.
fn explore(folder: &Path, prepared: &Prepared, actors: &[Actor], deaf: Option<&str>) -> Explored {
    let what = format!("{actors:?}, the answer to {deaf:?} is lost");
    let mut explored = Explored::default();
    let mut next: HashMap<u64, Vec<u64>> = HashMap::new();
    let (mut ended, mut died) = (HashSet::new(), HashSet::new());
    let (mut root, mut dying): (Option<u64>, Vec<Vec<usize>>) = (None, Vec::new());
    let mut open: Vec<(Vec<usize>, Option<u64>)> = vec![(Vec::new(), None)];
    let replayed = |path: &[usize]| {
        let mut run = Run::start(folder, prepared, actors, deaf);
        path.iter().for_each(|choice| run.scheduler.go(*choice));
        run
    };
    while let Some((mut path, mut from)) = open.pop() {
        let mut run = replayed(&path);
        loop {
            let state = run.state();
            root.get_or_insert(state);
            if let Some(from) = from {
                next.entry(from).or_default().push(state);
            }
            if next.contains_key(&state) {
                break;
            }
            next.insert(state, Vec::new());
            if died.insert(run.durable()) {
                dying.push(path.clone());
            }
            let choices = run.scheduler.choices().len();
            if choices == 0 {
                run.scheduler.expect_done();
                if ended.insert(run.durable()) {
                    explored.ends += 1;
                    run.judge(&what);
                }
                break;
            }
            open.extend((1..choices).map(|choice| ([path.as_slice(), &[choice]].concat(), Some(state))));
            path.push(0);
            run.scheduler.go(0);
            from = Some(state);
        }
    }
    for path in dying {
        for landed in [false, true] {
            let mut run = replayed(&path);
            if landed && run.bank.books.lock().unwrap().flying.is_empty() {
                continue;
            }
            let steps = run.scheduler.steps.clone();
            run.crash(landed);
            run.judge(&format!("{what}, a crash after {steps:#?}, landed: {landed}"));
            explored.crashes += 1;
        }
    }
    explored.states = next.len();
    explored.orders = root.map_or(0, |root| orders(root, &next, &mut HashMap::new()));
    explored
}

/// How many ways lead from a state to an end.
fn orders(state: u64, next: &HashMap<u64, Vec<u64>>, known: &mut HashMap<u64, u128>) -> u128 {
    if let Some(&count) = known.get(&state) {
        return count;
    }
    let count = match next.get(&state).map(Vec::as_slice) {
        None | Some([]) => 1,
        Some(states) => states.iter().map(|&state| orders(state, next, known)).sum(),
    };
    known.insert(state, count);
    count
}

const REQUESTS: [Act; 6] =
    [Act::Capture(None), Act::Capture(Some(300)), Act::Void, Act::Refund(None), Act::Refund(Some(250)), Act::Create];
const LOOKS: [Act; 2] = [Act::Recover, Act::Refresh];

fn actor(name: &'static str, act: Act, key: u8) -> Actor {
    Actor { name, act, key }
}

#[test]
fn two_requests_in_every_order() {
    let folder = folder();
    let prepared = prepare(folder.path(), None);
    let mut explored = Explored::default();
    for (at, first) in REQUESTS.into_iter().enumerate() {
        for second in &REQUESTS[at..] {
            let pair = [actor("a", first, 1), actor("b", *second, 2)];
            explored.add(explore(folder.path(), &prepared, &pair, None));
        }
    }
    tell("two requests", explored);
}

#[test]
fn a_request_and_the_same_again_in_every_order() {
    let folder = folder();
    let prepared = prepare(folder.path(), None);
    let mut explored = Explored::default();
    for act in REQUESTS {
        let pair = [actor("a", act, 1), actor("b", act, 1)];
        explored.add(explore(folder.path(), &prepared, &pair, None));
        explored.add(explore(folder.path(), &prepared, &pair, Some("a")));
    }
    tell("the same again", explored);
}

#[test]
fn a_request_whose_answer_is_lost_and_another_in_every_order() {
    let folder = folder();
    let prepared = prepare(folder.path(), None);
    let mut explored = Explored::default();
    for first in [Act::Capture(Some(300)), Act::Void, Act::Refund(Some(250)), Act::Create] {
        for second in [Act::Capture(None), Act::Void, Act::Refund(None), Act::Create, Act::Recover, Act::Refresh] {
            let pair = [actor("a", first, 1), actor("b", second, 2)];
            explored.add(explore(folder.path(), &prepared, &pair, Some("a")));
        }
    }
    tell("a lost answer", explored);
}

#[test]
fn look_ups_and_requests_in_every_order() {
    let folder = folder();
    let mut explored = Explored::default();
    for doubt in [None, Some(true), Some(false)] {
        let prepared = prepare(folder.path(), doubt);
        for look in LOOKS {
            for other in [Act::Capture(None), Act::Void, Act::Refund(None), Act::Recover, Act::Refresh] {
                let pair = [actor("a", look, 1), actor("b", other, 2)];
                explored.add(explore(folder.path(), &prepared, &pair, None));
            }
        }
    }
    tell("look-ups", explored);
}

/// A call may take longer than any time limit: as long as its owner lives, nobody else decides on it.
#[test]
fn recovery_again_and_again_beside_a_request_that_takes_its_time() {
    let folder = folder();
    let prepared = prepare(folder.path(), None);
    let mut explored = Explored::default();
    for act in [Act::Capture(Some(300)), Act::Void, Act::Refund(None)] {
        let pair = [actor("a", act, 1), actor("b", Act::RecoverTwice, 2)];
        explored.add(explore(folder.path(), &prepared, &pair, None));
    }
    tell("recovery twice", explored);
}

/// Exploring twice comes to the same: nothing hangs on chance, time or addresses.
#[test]
fn an_exploration_is_the_same_each_time() {
    let folders: [PathBuf; 2] = [folder().keep(), folder().keep()];
    let [first, second] = folders.each_ref().map(|folder| {
        let prepared = prepare(folder, None);
        explore(folder, &prepared, &[actor("a", Act::Void, 1), actor("b", Act::Capture(None), 2)], None)
    });
    folders.iter().for_each(|folder| std::fs::remove_dir_all(folder).unwrap());
    assert_eq!(first, second);
    assert!(first.orders > 100 && first.ends > 1 && first.crashes > first.ends, "{first:?}");
}

#[test]
#[ignore = "takes long: SWITCHYARD_INTERLEAVINGS=3"]
fn three_requests_in_every_order() {
    if std::env::var("SWITCHYARD_INTERLEAVINGS").as_deref() != Ok("3") {
        return;
    }
    let folder = folder();
    let prepared = prepare(folder.path(), None);
    let acts = [Act::Capture(None), Act::Void, Act::Refund(None), Act::Create, Act::Recover, Act::Refresh];
    let mut explored = Explored::default();
    for (at, first) in acts.into_iter().enumerate() {
        for (beside, second) in acts.into_iter().enumerate().skip(at) {
            for third in &acts[beside..] {
                let three = [actor("a", first, 1), actor("b", second, 2), actor("c", *third, 3)];
                explored.add(explore(folder.path(), &prepared, &three, None));
            }
        }
    }
    tell("three at once", explored);
}

fn tell(what: &str, explored: Explored) {
    let Explored { states, orders, ends, crashes } = explored;
    println!("{what}: {orders} orders through {states} states to {ends} ends, {crashes} crashes");
    assert!(states > 0 && orders > 0 && ends > 0 && crashes > ends, "{explored:?}");
}
