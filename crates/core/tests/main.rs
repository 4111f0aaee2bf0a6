//! The contract, tried from outside.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests may panic; that is how they fail"
)]

mod sample;
mod sums;
mod transitions;
