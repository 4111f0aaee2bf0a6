//! SIGKILL at instants that nobody chose.

use super::Figures;
use crate::chance::Chance;
use crate::merchant::{Habits, Load};
use crate::town::{Plan, Town};
use std::time::Duration;

/// Longest life of a process, in milliseconds.
const LIFE_MS_MAX: u64 = 700;

/// Kills under load so often, then judges.
///
/// # Panics
/// Where the judge finds anything, or there was no load.
#[must_use]
pub fn kills(seed: u64, kills: u64) -> Figures {
    let mut chance = Chance::new(seed);
    let mut town = Town::build(Plan::default().env("SWITCHYARD_CHECKPOINT_PAGES", "256"));
    let load = Load::start(&town.market, &Habits::mixed(8), &chance.child(1));
    for _ in 0..kills {
        // Spread over the life of a process: starting, recovering, warm.
        std::thread::sleep(Duration::from_millis(chance.between(0, LIFE_MS_MAX)));
        assert!(town.kill(), "it died by itself");
        town.start(&[]).expect("it starts again");
    }
    std::thread::sleep(Duration::from_millis(LIFE_MS_MAX));
    load.stop();
    let verdict = town.must_be_right(&format!("kills, seed {seed}"));
    let figures = Figures { kills, ..Figures::of(&verdict) };
    assert!(figures.calls > kills, "there was no load: {figures}");
    figures
}
