//! Faults of our own, planted: whoever judges must find them.

use crate::chance::Chance;
use crate::judge::Rule;
use crate::merchant::{Habits, Load};
use crate::town::{Plan, Town};
use std::time::Duration;
use switchyard_crash_points::{Plant, Point};

/// Kills while a fault is planted: one that only a crash brings to light needs some.
const KILLS: u64 = 8;

/// What recovery may take where something stays open for ever.
const PATIENCE: Duration = Duration::from_secs(6);

/// The rules of which a planted fault must break one at least.
#[must_use]
pub fn planted_plan(plant: Plant) -> &'static [Rule] {
    match plant {
        Plant::SkipIntent => &[Rule::Lost, Rule::UnknownCharge],
        Plant::AnswerBeforeCommit => &[Rule::UnknownCharge, Rule::Lost, Rule::ReplayDiffers],
        Plant::SendAgain => &[Rule::SentTwice],
        Plant::FailOnSilence => &[Rule::FailedButDone],
        Plant::DropEvent => &[Rule::EventMissing],
        Plant::DropClaim => &[Rule::KeyUsedTwice],
        Plant::KeepNoAnswer => &[Rule::ReplayDiffers],
        Plant::NeverLookUp => &[Rule::LeftInDoubt],
    }
}

/// Runs with the fault planted, and gives back how often its rules were broken.
///
/// # Panics
/// Where the judge does not find it.
#[must_use]
pub fn planted(seed: u64, plant: Plant) -> usize {
    let mut chance = Chance::new(seed).child(4);
    let plan = Plan::default().env("SWITCHYARD_PLANTED_FAULT", plant.name());
    let mut town = Town::build(plan);
    // Enough of what is never answered, which is what some of these faults are about.
    let mut habits = Habits { odd_amounts: 20, ..Habits::mixed(6) };
    habits.tokens.push((150, "tok_timeout_after"));
    habits.tokens.push((100, "tok_cut_after"));
    let load = Load::start(&town.market, &habits, &chance.child(1));
    for _ in 0..KILLS {
        let life = Duration::from_millis(chance.between(200, 500));
        match plant {
            // It shows where the process dies right behind the call that should have waited for the commit.
            Plant::AnswerBeforeCommit => {
                town.kill();
                let armed = format!("{}:{}", Point::HandedOver.name(), chance.between(2, 20));
                town.start(&[("SWITCHYARD_CRASH_POINT", &armed)]).expect("it starts again");
                town.dies_within(Duration::from_secs(5));
            }
            Plant::SkipIntent
            | Plant::SendAgain
            | Plant::FailOnSilence
            | Plant::DropEvent
            | Plant::DropClaim
            | Plant::KeepNoAnswer
            | Plant::NeverLookUp => std::thread::sleep(life),
        }
        town.kill();
        town.start(&[]).expect("it starts again");
    }
    std::thread::sleep(Duration::from_millis(1_500));
    load.stop();
    let verdict = town.judge_within(PATIENCE);
    let rules = planted_plan(plant);
    let found = verdict.findings.iter().filter(|finding| rules.contains(&finding.rule)).count();
    println!("planted {}: found {found} times; {verdict}", plant.name());
    assert!(found > 0, "{plant:?} was planted, and the judge found only {:?}", verdict.findings);
    found
}
