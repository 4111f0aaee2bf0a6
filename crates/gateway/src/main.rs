//! The `switchyard` binary.

mod api;
mod cli;
mod clock;
mod config;
mod logging;
mod metrics;
mod ops;
mod providers;
mod records;
mod seal;
mod serve;
mod tasks;
mod transport;
mod webhooks;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(cli::Cli::parse())
}
