//! What shall be true of the code.
#![expect(clippy::expect_used, clippy::panic, reason = "a test says so by failing")]

mod arrows;
mod licences;
mod tidy;
