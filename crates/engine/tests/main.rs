//! The use cases over a real ledger, a scripted provider and a clock of our own: no sockets, no JSON.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests may panic; that is how they fail"
)]

mod bench;
mod doubt;
mod interleavings;
mod ledger_faults;
mod live;
mod reload;
mod reserve;
