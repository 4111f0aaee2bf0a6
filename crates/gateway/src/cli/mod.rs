//! The command line.

pub(crate) mod admin;
mod arguments;
mod channels;
mod client;
mod config_check;
pub(crate) mod expiry;
mod forms;
mod keys;
mod ledger;
mod recorded;
mod rules;
pub(crate) mod serving;

pub(crate) use arguments::Cli;
use arguments::{Command, ConfigCommand, Global};
pub(crate) use expiry::shown as shown_time;

use crate::clock::SystemClock;
use crate::config::{self, Environment, Wanted};
use crate::serve;
use std::process::ExitCode;

/// Why a command did not do it, for people.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed(pub(crate) String);

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Does what the command line asks: 0 where that succeeded, 1 where it did not.
pub(crate) fn run(cli: Cli) -> ExitCode {
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(reason)) => {
            // A report as JSON has said it already.
            if !reason.is_empty() {
                eprintln!("{}", reason.trim_end());
            }
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Failed> {
    let global = cli.global;
    match cli.command {
        Command::Sandbox => serve::run(&wanted(&global, true)).map_err(|failure| Failed(failure.0)),
        Command::Serve => serve::run(&wanted(&global, false)).map_err(|failure| Failed(failure.0)),
        Command::Simulator => {
            let (settings, _) = config::load_settings(&wanted(&global, true), &environment())?;
            serve::run_simulator(&settings.simulator).map_err(|failure| Failed(failure.0))
        }
        Command::Rules { command } => rules::run(&command, &wanted(&global, true), &SystemClock::default()),
        Command::Keys { command } => keys::run(&command, &wanted(&global, true), &SystemClock::default()),
        Command::Channels { command } => channels::run(&command, &wanted(&global, true), &SystemClock::default()),
        Command::Config { command: ConfigCommand::Check { sandbox, json } } => {
            config_check::run(&wanted(&global, sandbox), json)
        }
    }
}

/// Commands beside a server take what the sandbox takes: what only `serve` needs is no business of theirs.
fn wanted(global: &Global, sandbox: bool) -> Wanted {
    Wanted { config: global.config.clone(), data: global.data.clone(), sandbox, strict: global.strict }
}

fn environment() -> Environment {
    Environment::new(std::env::vars_os())
}
