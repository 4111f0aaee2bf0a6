//! The embedded ledger: the suite in both modes, and what is its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "these are tests"
)]

mod faults;
mod opening;
mod slices;

use std::sync::Arc;
use switchyard_store::sqlite::Settings;
use switchyard_store::suite::Fixture;
use switchyard_store::{Feed, Sqlite, Store, Webhooks, suite};
use tempfile::TempDir;

/// A ledger in a directory of its own.
struct Ledger {
    directory: TempDir,
    inline: bool,
    store: Option<Arc<Sqlite>>,
}

impl Ledger {
    fn new(inline: bool) -> Self {
        let mut ledger = Self { directory: TempDir::new().unwrap(), inline, store: None };
        ledger.open();
        ledger
    }

    fn settings(&self) -> Settings {
        settings(&self.directory).unsynced()
    }

    fn open(&mut self) {
        let settings = self.settings();
        let opened = if self.inline { Sqlite::open_inline(&settings) } else { Sqlite::open(&settings) };
        self.store = Some(opened.unwrap());
    }

    fn sqlite(&self) -> Arc<Sqlite> {
        self.store.clone().unwrap()
    }
}

impl Fixture for Ledger {
    fn store(&self) -> Arc<dyn Store> {
        self.sqlite()
    }

    fn feed(&self) -> Arc<dyn Feed> {
        self.sqlite()
    }

    fn webhooks(&self) -> Arc<dyn Webhooks> {
        self.sqlite()
    }

    fn restart(&mut self) {
        self.store = None;
        self.open();
    }
}

fn settings(directory: &TempDir) -> Settings {
    let path = directory.path().join("switchyard.db");
    Settings::new(path, Arc::new(|reason: &str| panic!("fatal: {reason}")))
}

#[test]
fn suite_with_threads() {
    suite::run(|| Box::new(Ledger::new(false)));
}

#[test]
fn suite_inline() {
    suite::run(|| Box::new(Ledger::new(true)));
}
