//! Reads the command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::workspace::Workspace;
use xtask::{Result, bench, licences, suite, torture};

/// Developer commands of Switchyard.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs every test, the end-to-end ones against the binary just built.
    Test,
    /// Measures Switchyard beside nginx in front of the same simulated provider.
    Bench(bench::Options),
    /// Compares the licence and source of every dependency with deny.toml.
    Licences,
    /// Kills, faults and power cuts for so many minutes, judged by three books.
    Torture(torture::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let workspace = Workspace::load()?;
    match command {
        Command::Test => suite::run(&workspace),
        Command::Bench(options) => bench::run(&workspace, &options),
        Command::Licences => licences::run(&workspace),
        Command::Torture(options) => torture::run(&workspace, &options),
    }
}
