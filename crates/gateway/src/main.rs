//! The `switchyard` binary.
mod api;
mod providers;
mod config;
mod transport;

fn main() {}
