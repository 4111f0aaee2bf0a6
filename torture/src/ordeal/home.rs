//! Faults at home: a disk that is full or refuses to be written, a process out of files, a clock that steps, a process that
//! stands still, merchants of no manners.

use super::Figures;
use crate::chance::Chance;
use crate::merchant::{Habits, Load};
use crate::power::{Disk, tmpfs};
use crate::process::binary;
use crate::town::{Plan, Town, Verdict};
use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than an intent may wait for its first byte.
const LONGER_THAN_SEND_BY: Duration = Duration::from_millis(5_600);

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what}: not so after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn count(town: &Town, wanted: impl Fn(u16) -> bool) -> usize {
    let told = town.market.told.lock().expect("nobody panics with it");
    told.iter().filter_map(|attempt| attempt.answer.as_ref()).filter(|answer| wanted(answer.status)).count()
}

/// Waits until merchants are told of new payments.
fn served_again(town: &Town) {
    let before = count(town, |status| status == 201);
    wait_for("payments are taken again", || count(town, |status| status == 201) > before + 20);
}

/// The disk is full for a while, again and again, and nobody helps but by making room.
///
/// # Errors
/// What is missing here for it.
///
/// # Panics
/// Where the judge finds anything, or the process needs more help than that.
pub fn full_disk(seed: u64) -> Result<Figures, String> {
    let chance = Chance::new(seed).child(6);
    let folder = TempDir::new().expect("a temporary folder");
    let disk = tmpfs(&folder.path().join("small"), 24)?;
    let data = folder.path().join("small/data");
    let filler = folder.path().join("small/filler");
    let mut town = Town::build(Plan { data: Some(data), ..Plan::default() }.env("SWITCHYARD_CHECKPOINT_PAGES", "256"));
    let load = Load::start(&town.market, &Habits::mixed(8), &chance);
    for _ in 0..3 {
        served_again(&town);
        let refused = count(&town, |status| status == 503);
        let mut file = std::fs::File::create(&filler).expect("a file");
        while file.write_all(&[0; 64 * 1024]).is_ok() {}
        // What is left below a block of the filler is used up by the ledger.
        wait_for("the full disk is felt", || {
            let _ = file.write_all(&[0; 512]);
            count(&town, |status| status == 503) > refused
        });
        std::thread::sleep(Duration::from_millis(300));
        drop(file);
        std::fs::remove_file(&filler).expect("room again");
        assert!(town.gateway().ended().is_none(), "a full disk ended the process");
    }
    served_again(&town);
    load.stop();
    let verdict = town.must_be_right("full disk");
    drop((town, disk));
    Ok(Figures::of(&verdict))
}

/// A start on a disk that cannot be written to is refused with a reason, and the next one finds all as it was.
///
/// # Errors
/// What is missing here for it.
///
/// # Panics
/// Where it starts all the same, or the judge finds anything.
pub fn read_only_disk(seed: u64) -> Result<Figures, String> {
    let chance = Chance::new(seed).child(7);
    let folder = TempDir::new().expect("a temporary folder");
    let disk = Disk::make(folder.path())?;
    let mut town = Town::build(Plan { data: Some(disk.path().join("data")), ..Plan::default() });
    let load = Load::start(&town.market, &Habits::mixed(6), &chance);
    served_again(&town);
    town.kill();
    disk.read_only(true)?;
    let ended = town.start(&[]).expect_err("it starts on a disk that it cannot write to");
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let said = std::fs::read_to_string(town.root().join("gateway.log")).unwrap_or_default();
    assert!(said.to_lowercase().contains("read-only") || said.contains("readonly"), "no reason was given: {said}");
    disk.read_only(false)?;
    town.start(&[]).expect("it starts again");
    served_again(&town);
    load.stop();
    let verdict = town.must_be_right("read-only disk");
    drop(town);
    Ok(Figures::of(&verdict))
}

/// A process that may open few files, and merchants who need many.
///
/// # Panics
/// Where it does not go on serving, or the judge finds anything.
#[must_use]
pub fn few_files(seed: u64) -> Figures {
    let chance = Chance::new(seed).child(8);
    let mut town = Town::build(Plan::default());
    town.kill();
    let mut command = Command::new("prlimit");
    command.arg("--nofile=64:64").arg(binary());
    town.start_by(command, &[]).expect("it starts with few files");
    let load = Load::start(&town.market, &Habits::mixed(64), &chance);
    std::thread::sleep(Duration::from_secs(4));
    load.stop();
    assert!(town.gateway().ended().is_none(), "it ended for want of files");
    // The crowd has gone: it serves as before, without help.
    let load = Load::start(&town.market, &Habits::mixed(4), &chance.child(1));
    served_again(&town);
    load.stop();
    Figures::of(&town.must_be_right("few files"))
}

/// The process stands still between an intent's commit and its first byte for longer than the intent may wait.
///
/// # Panics
/// Where the byte leaves all the same, or the judge finds anything.
#[must_use]
pub fn standstill(seed: u64) -> Figures {
    let mut chance = Chance::new(seed).child(9);
    let mut town = Town::build(Plan::default());
    // Nothing here fails by itself, so what fails was held back.
    let habits = Habits { tokens: vec![(1, "tok_approved")], rude: 0, odd_amounts: 0, ..Habits::mixed(6) };
    let load = Load::start(&town.market, &habits, &chance.child(1));
    for point in ["intent-after-commit", "call-before", "first-byte-before"] {
        town.kill();
        let armed = format!("{point}:{}", chance.between(20, 40));
        town.start(&[("SWITCHYARD_STOP_POINT", &armed)]).expect("it starts");
        wait_for(point, || town.gateway().stopped());
        std::thread::sleep(LONGER_THAN_SEND_BY);
        town.gateway().signal(rustix::process::Signal::CONT);
        served_again(&town);
    }
    load.stop();
    let verdict = town.must_be_right("standstill");
    let held_back = held_back(&verdict);
    println!("held back: {held_back}");
    assert!(held_back >= 3, "only {held_back} calls were held back");
    Figures::of(&verdict)
}

/// Operations that failed without a word at the provider.
fn held_back(verdict: &Verdict) -> usize {
    let books = &verdict.books;
    let known =
        |id: &str| books.booked.iter().any(|it| it.reference == id) || books.unbooked.iter().any(|it| it.key == id);
    let operations = books.payments.iter().flat_map(|payment| &payment.operations);
    operations.filter(|it| it.state == "failed" && !known(&it.id)).count()
}

/// The clock of the day steps back and forth, across kills.
///
/// # Panics
/// Where the judge finds anything.
#[must_use]
pub fn stepping_clock(seed: u64) -> Figures {
    let mut chance = Chance::new(seed).child(10);
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("offset");
    let mut town = Town::build(Plan::default().env("SWITCHYARD_CLOCK_OFFSET_FILE", &file.to_string_lossy()));
    let load = Load::start(&town.market, &Habits::mixed(8), &chance.child(1));
    let minute = 60_000;
    for offset in [-90 * minute, -91 * minute, 2_000, -1_500, 30 * minute, 60 * minute] {
        std::thread::sleep(Duration::from_millis(chance.between(300, 800)));
        // Whole at any moment: nobody reads half a number.
        let next = folder.path().join("next");
        std::fs::write(&next, offset.to_string()).expect("a file");
        std::fs::rename(&next, &file).expect("in its place");
        if chance.percent(60) {
            std::thread::sleep(Duration::from_millis(chance.between(0, 300)));
            town.kill();
            town.start(&[]).expect("it starts");
        }
    }
    served_again(&town);
    load.stop();
    Figures::of(&town.must_be_right("stepping clock"))
}

/// Merchants who hang up, cut, and wait for nothing, all of them, always.
///
/// # Panics
/// Where the judge finds anything.
#[must_use]
pub fn rude_merchants(seed: u64) -> Figures {
    let chance = Chance::new(seed).child(11);
    let mut town = Town::build(Plan::default());
    let habits = Habits { rude: 95, ..Habits::mixed(16) };
    let load = Load::start(&town.market, &habits, &chance);
    std::thread::sleep(Duration::from_secs(6));
    load.stop();
    Figures::of(&town.must_be_right("rude merchants"))
}
