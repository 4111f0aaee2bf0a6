//! The suite on the coordination in this process, and properties of it.
#![expect(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "a test may panic")]

mod properties;
mod reconfigure;
mod sample;
mod share;
mod threads;

use switchyard_coordination::{InProcess, suite};

#[test]
fn in_process_keeps_every_promise() {
    suite::run(|channels| Box::new(InProcess::new(channels)));
}
