//! The contract, tried from outside.

mod sample;
mod sums;
mod transitions;
