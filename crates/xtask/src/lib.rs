//! Developer commands: `cargo xtask test`, `bench` and `licences`, and the tests of what shall be true of the code.
//!
//! Each command only puts other tools into the right order; none of them is needed to work on the project.
#![expect(clippy::float_arithmetic, reason = "statistics, not money")]
#![expect(clippy::disallowed_methods, reason = "measures real time")]

pub mod bench;
pub mod licences;
pub mod need;
pub mod spdx;
pub mod suite;
pub mod torture;
pub mod workspace;

/// What a command gives back: nothing, or the sentence that says what went wrong.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
