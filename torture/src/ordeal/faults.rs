//! A provider behind a troubled line.

use super::Figures;
use crate::chance::Chance;
use crate::merchant::{Habits, Load};
use crate::town::{Plan, Town};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Until so many calls met trouble, or so many payments were begun; then judges.
///
/// # Panics
/// Where the judge finds anything, or the trouble did not come.
#[must_use]
pub fn faults(seed: u64, calls: u64, merchants: u64, payments_max: u64) -> Figures {
    let chance = Chance::new(seed).child(3);
    let plan = Plan { troubled: Some(chance.child(1)), ..Plan::default() };
    let mut town = Town::build(plan.env("SWITCHYARD_CHECKPOINT_PAGES", "512"));
    // A provider whose look-ups find nothing for a while: nothing older than the grace that it asks for is open yet.
    town.control(&json!({"forget_for_ms": 4_000}));
    let line = town.line.clone().expect("a line");
    let met = || line.met().values().sum::<u64>();
    line.percent.store(60, Ordering::Relaxed);
    line.percent_of_look_ups.store(25, Ordering::Relaxed);
    let habits = Habits { payments_max, odd_amounts: 3, ..Habits::mixed(merchants) };
    let load = Load::start(&town.market, &habits, &chance.child(2));
    while (calls == 0 || met() < calls) && !load.ended() {
        std::thread::sleep(Duration::from_millis(20));
    }
    load.stop();
    println!("trouble on the line: {:?}", line.met());
    let faulted = met();
    let verdict = town.must_be_right(&format!("faults, seed {seed}"));
    assert!(faulted >= calls, "only {faulted} calls met trouble");
    Figures { faulted, ..Figures::of(&verdict) }
}
