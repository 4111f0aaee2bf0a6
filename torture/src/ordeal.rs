//! What a town is put through. Each ordeal takes a seed, which makes its choices (the machine makes the rest), and fails where
//! the judge finds anything.

mod faults;
mod home;
mod kills;
mod planted;
mod points;
mod power;

pub use faults::faults;
pub use home::{few_files, full_disk, read_only_disk, rude_merchants, standstill, stepping_clock};
pub use kills::kills;
pub use planted::{planted, planted_plan};
pub use points::points;
pub use power::{control_without_sync, power_cuts};

use crate::town::Verdict;
use std::ops::AddAssign;

/// What was done, for those who read the figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Requests of merchants.
    pub requests: u64,
    /// Payments in the ledger.
    pub payments: u64,
    /// Calls that the provider booked, or was asked for in vain.
    pub calls: u64,
    /// Calls that met a fault on the way.
    pub faulted: u64,
    /// Processes killed.
    pub kills: u64,
    /// Power cuts.
    pub cuts: u64,
}

impl Figures {
    fn of(verdict: &Verdict) -> Self {
        let count = |len: usize| u64::try_from(len).expect("a length");
        Self {
            requests: count(verdict.books.told.len()),
            payments: count(verdict.books.payments.len()),
            calls: count(verdict.books.booked.len() + verdict.books.unbooked.len()),
            ..Self::default()
        }
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, more: Self) {
        self.requests += more.requests;
        self.payments += more.payments;
        self.calls += more.calls;
        self.faulted += more.faulted;
        self.kills += more.kills;
        self.cuts += more.cuts;
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { requests, payments, calls, faulted, kills, cuts } = self;
        write!(
            f,
            "{payments} payments, {requests} requests, {calls} calls to the provider, {faulted} of them faulted on the way, \
             {kills} kills, {cuts} power cuts"
        )
    }
}
