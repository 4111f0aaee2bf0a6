//! Power cuts: what was not synced is gone.

use super::Figures;
use crate::chance::Chance;
use crate::merchant::{Habits, Load};
use crate::power::Disk;
use crate::town::{Plan, Town, Verdict};
use std::time::Duration;
use tempfile::TempDir;

/// Cuts the power so often under load, then judges. The provider lives on another disk, and forgets nothing.
///
/// # Errors
/// What is missing here for it.
///
/// # Panics
/// Where the judge finds anything.
pub fn power_cuts(seed: u64, cuts: u64) -> Result<Figures, String> {
    let folder = TempDir::new().expect("a temporary folder");
    let disk = Disk::make(folder.path())?;
    let mut town = town(&disk, "full");
    under_cuts(&mut town, &disk, seed, cuts);
    let verdict = town.must_be_right(&format!("power cuts, seed {seed}"));
    drop(town);
    Ok(Figures { cuts, ..Figures::of(&verdict) })
}

/// The same with a ledger that waits for no disk. It must lose something, or the cuts cut nothing.
///
/// # Errors
/// What is missing here for it.
pub fn control_without_sync(seed: u64, cuts: u64) -> Result<Verdict, String> {
    let folder = TempDir::new().expect("a temporary folder");
    let disk = Disk::make(folder.path())?;
    let mut town = town(&disk, "off");
    under_cuts(&mut town, &disk, seed, cuts);
    let verdict = town.judge_within(Duration::from_secs(15));
    println!("control without sync, seed {seed}: {verdict}");
    Ok(verdict)
}

fn town(disk: &Disk, synchronous: &str) -> Town {
    let plan = Plan { data: Some(disk.path().join("data")), ..Plan::default() };
    Town::build(plan.env("SWITCHYARD_SYNCHRONOUS", synchronous).env("SWITCHYARD_CHECKPOINT_PAGES", "128"))
}

fn under_cuts(town: &mut Town, disk: &Disk, seed: u64, cuts: u64) {
    let mut chance = Chance::new(seed).child(5);
    let load = Load::start(&town.market, &Habits::mixed(8), &chance.child(1));
    for _ in 0..cuts {
        std::thread::sleep(Duration::from_millis(chance.between(20, 700)));
        disk.cut().expect("the power goes");
        // A machine without power runs nothing; here it may go on for a moment, and must not say that anything is durable.
        std::thread::sleep(Duration::from_millis(chance.between(0, 30)));
        town.kill();
        disk.restore().expect("the disk comes back");
        town.start(&[]).expect("it starts again");
    }
    load.stop();
}
