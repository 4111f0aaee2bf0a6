//! The suite that every adapter passes: one expected outcome for each case, offline, on recorded exchanges.
//!
//! An adapter's `tests/conformance.rs` has no test harness of its own (`harness = false` in its manifest) and is one line:
//!
//! ```ignore
//! fn main() {
//!     switchyard_conformance::run(example())
//! }
//! ```
//!
//! The [`Example`] brings the adapter and a directory of recordings: what the provider answers in each situation, as raw HTTP,
//! taken from its sandbox or written from its documentation, never from the adapter. Their operation ids are those of
//! [`sample`]. Which cases and recordings are asked for follows from the capability record; what a provider cannot answer is
//! named in [`Example::lacks`], with the reason.

mod cases;
mod example;
mod player;
mod recording;
pub mod sample;

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

pub use example::{Decline, Example, OnTheWire, Refusal};

/// Runs every case, shows each by name, and ends the process with the result.
pub fn run(example: Example) -> ! {
    let example = Arc::new(example);
    let capabilities = example.provider.capabilities();
    let trials = cases::all().map(|case| {
        let example = Arc::clone(&example);
        let asked = (case.asked_of)(&capabilities);
        Trial::test(case.name, move || {
            (case.run)(&example);
            Ok(())
        })
        .with_ignored_flag(!asked)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit()
}
