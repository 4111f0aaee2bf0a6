//! SIGKILL at every named point, by the process itself.

use super::Figures;
use crate::chance::Chance;
use crate::merchant::{Habits, Load};
use crate::town::{Plan, Town};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;
use switchyard_crash_points::Point;

/// How long a point may take to be reached, before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts until a point of the start is reached, where the last life has to leave something for it.
const STARTS_MAX: u64 = 20;

/// Dies at each point `times` times, first at once and then later, and judges at the end.
///
/// # Panics
/// Where a point is not reached, or the judge finds anything.
#[must_use]
pub fn points(seed: u64, times: u64) -> Figures {
    let mut chance = Chance::new(seed).child(2);
    let mut town = Town::build(Plan::default().env("SWITCHYARD_CHECKPOINT_PAGES", "32"));
    let load = Load::start(&town.market, &Habits::mixed(8), &chance.child(1));
    let mut hit = BTreeSet::new();
    let mut kills = 0;
    for time in 0..times {
        for point in Point::ALL.iter().copied().filter(|point| !of_forgetting(*point)) {
            let count = if time == 0 || rare(point) { 1 } else { chance.between(2, 30) };
            kills += die_at(&mut town, point, count);
            hit.insert(point);
            town.start(&[]).expect("it starts again");
            std::thread::sleep(Duration::from_millis(chance.between(0, 150)));
        }
    }
    load.stop();
    let mut figures = Figures::of(&town.must_be_right(&format!("named points, seed {seed}")));
    // Keys that served their time, on a quiet ledger: nobody may ask with them again.
    for point in Point::ALL.iter().copied().filter(|point| of_forgetting(*point)) {
        forget(&mut town, &chance, point);
        hit.insert(point);
        kills += 1;
    }
    assert_eq!(hit.len(), Point::ALL.len(), "not every point was reached: {hit:?}");
    figures.kills = kills;
    figures
}

fn of_forgetting(point: Point) -> bool {
    matches!(point, Point::ForgetBeforeCommit | Point::ForgetAfterCommit)
}

/// Points that a short life passes once, or never.
fn rare(point: Point) -> bool {
    matches!(
        point,
        Point::AdministrationBeforeCommit
            | Point::AdministrationAfterCommit
            | Point::AdoptionBefore
            | Point::AdoptionAfter
            | Point::CheckpointBefore
            | Point::CheckpointAfter
    )
}

/// Starts with the point armed, until the process has died there; gives back how many died on the way.
fn die_at(town: &mut Town, point: Point, count: u64) -> u64 {
    let armed = format!("{}:{count}", point.name());
    for starts in 1..=STARTS_MAX {
        assert!(town.kill(), "it died by itself");
        match town.start(&[("SWITCHYARD_CRASH_POINT", &armed)]) {
            Err(ended) => {
                assert!(ended.killed(), "{armed}: {ended:?}");
                return starts + 1;
            }
            Ok(()) if matches!(point, Point::AdministrationBeforeCommit | Point::AdministrationAfterCommit) => {
                town.operate("simulator_eu");
            }
            Ok(()) => {}
        }
        // What is adopted is adopted before it serves: this life found nothing to adopt, the next one may.
        let of_the_start = matches!(point, Point::AdoptionBefore | Point::AdoptionAfter);
        if town.dies_within(if of_the_start { Duration::from_millis(300) } else { PATIENCE }) {
            return starts + 1;
        }
        assert!(of_the_start, "{armed} was not reached");
    }
    panic!("{armed} was not reached by {STARTS_MAX} starts");
}

/// Dies while keys are freed, and is judged without asking with old keys.
fn forget(town: &mut Town, chance: &Chance, point: Point) {
    town.asks_again = false;
    town.start(&[]).expect("it starts");
    let begun = town.market.begun.load(Ordering::Relaxed);
    let habits = Habits { payments_max: begun + 40, ..Habits::mixed(4) };
    let load = Load::start(&town.market, &habits, &chance.child(3));
    while !load.ended() {
        std::thread::sleep(Duration::from_millis(10));
    }
    load.stop();
    assert!(town.kill(), "it died by itself");
    let armed = format!("{}:1", point.name());
    let env = [("SWITCHYARD_CRASH_POINT", armed.as_str()), ("SWITCHYARD__IDEMPOTENCY__RETENTION", "1s")];
    town.start(&env).expect("it starts");
    assert!(town.dies_within(PATIENCE), "{armed} was not reached");
    let _ = town.must_be_right(point.name());
}
