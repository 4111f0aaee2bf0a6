//! Faults at home: each is refused cleanly, and the process recovers without help.

use crate::seed;
use switchyard_torture::{ordeal, power};

#[test]
fn a_full_disk_is_survived() {
    match ordeal::full_disk(seed()) {
        Ok(figures) => println!("{figures}"),
        Err(reason) => power::skipped("full-disk", &reason),
    }
}

#[test]
fn a_read_only_disk_is_refused() {
    match ordeal::read_only_disk(seed()) {
        Ok(figures) => println!("{figures}"),
        Err(reason) => power::skipped("read-only-disk", &reason),
    }
}

#[test]
fn want_of_files_is_survived() {
    println!("{}", ordeal::few_files(seed()));
}

#[test]
fn nothing_leaves_too_late() {
    println!("{}", ordeal::standstill(seed()));
}

#[test]
fn a_stepping_clock_decides_nothing() {
    println!("{}", ordeal::stepping_clock(seed()));
}

#[test]
fn rude_merchants_move_nothing() {
    println!("{}", ordeal::rude_merchants(seed()));
}
