//! Power cuts, on a file system that loses what was not synced.

use crate::seed;
use switchyard_torture::{ordeal, power};

#[test]
fn no_power_cut_loses_what_was_acknowledged() {
    match ordeal::power_cuts(seed(), 20) {
        Ok(figures) => println!("{figures}"),
        Err(reason) => power::skipped("power-cut", &reason),
    }
}

/// Without waiting for the disk the same cuts lose something, and the judge sees it: so the cuts cut.
#[test]
fn a_ledger_that_does_not_sync_is_found_out() {
    match ordeal::control_without_sync(seed(), 3) {
        Ok(verdict) => assert!(!verdict.findings.is_empty(), "nothing was lost: {verdict}"),
        Err(reason) => power::skipped("power-cut", &reason),
    }
}
