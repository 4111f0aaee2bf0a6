//! `cargo xtask bench`: Switchyard beside nginx, in front of the same simulated provider, under the same load, in turns,
//! in one run. Bounded in time and number, on loopback only; whatever it starts it stops.

pub mod budgets;
pub mod disk;
pub mod figures;
pub mod gateway;
pub mod load;
pub mod nginx;
pub mod proc;
pub mod process;
pub mod report;
pub mod rounds;
pub mod rules;
pub mod schedule;
pub mod wire;

use std::error::Error;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::Result;
use crate::bench::budgets::Budget;
use crate::need::{self, For};
use crate::workspace::Workspace;

/// Room for the ledgers and logs of a long run.
const DISK_BYTES_FREE: u64 = 6 << 30;

/// What can be asked for.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// One short round at 64 connections: whether everything works, no figures to keep.
    #[arg(long)]
    pub quick: bool,
    /// Connections of the closed loops, one after the other.
    #[arg(long, value_delimiter = ',', default_value = "64,256", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub connections: Vec<u16>,
    /// Rounds: each measures both, one after the other.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub rounds: u32,
    /// Seconds that are measured of each load.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=120))]
    pub seconds: u32,
    /// Each load ends early after so many requests, so that ledgers stay bounded.
    #[arg(long, default_value_t = 150_000)]
    pub requests_max: u64,
    /// Measure this binary instead of building one.
    #[arg(long)]
    pub binary: Option<PathBuf>,
    /// Keep ledgers, logs and configurations of the run.
    #[arg(long)]
    pub keep: bool,
    /// Measure what rules cost and nothing else.
    #[arg(long, conflicts_with = "quick")]
    pub rules_only: bool,
}

impl Options {
    /// What `--quick` makes of them.
    fn settled(&self) -> Self {
        if !self.quick {
            return self.clone();
        }
        Self { connections: vec![64], rounds: 1, seconds: self.seconds.min(2), ..self.clone() }
    }

    /// Load before each measurement.
    #[must_use]
    pub fn warm_up(&self) -> Duration {
        Duration::from_millis(if self.quick { 300 } else { 1_000 })
    }
}

/// Builds, measures, prints, and writes `target/bench/<time>.json` and `latest.json`.
///
/// # Errors
/// When something is missing, does not start, or answers otherwise than it should. A budget that is not met is told, and is
/// no error.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if cfg!(debug_assertions) {
        return Err(again_as_release(workspace)?);
    }
    let options = options.settled();
    // Before anything else runs; left out where figures are not kept.
    let rules = if options.quick { Vec::new() } else { rules::measure(workspace)? };
    if options.rules_only {
        return told(&rules, &workspace.target.join("bench"));
    }
    need::ensure(For::Bench)?;
    let binary = match &options.binary {
        Some(binary) => binary.canonicalize().map_err(|error| format!("{}: {error}", binary.display()))?,
        None => build(workspace, "switchyard")?,
    };
    let results = workspace.target.join("bench");
    let directory = Directory::new(&results, options.keep)?;
    disk::check(&directory.0, DISK_BYTES_FREE)?;
    let config = workspace.root.join("config");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut report = runtime.block_on(async {
        tokio::select! {
            report = rounds::measure(&options, &binary, &config, &directory.0) => report,
            reason = interrupted() => Err(reason),
        }
    })?;
    report.rules = rules;
    println!("{report}");
    for file in report.write(&results)? {
        println!("written: {}", file.display());
    }
    Ok(())
}

/// Prints and writes what rules cost, alone.
fn told(rules: &[rules::Figure], results: &Path) -> Result<()> {
    let budgets = Budget::of_rules(rules);
    rules.iter().for_each(|figure| println!("  {figure}"));
    println!("\nbudgets");
    budgets.iter().for_each(|budget| println!("  {budget}"));
    fs::create_dir_all(results)?;
    let file = results.join("rules.json");
    fs::write(&file, serde_json::to_string_pretty(&serde_json::json!({"rules": rules, "budgets": budgets}))?)?;
    println!("written: {}", file.display());
    Ok(())
}

/// The load generator shares the processors with what it measures: it is optimized as well. Comes back only with an error.
fn again_as_release(workspace: &Workspace) -> Result<Box<dyn Error + Send + Sync>> {
    let program = build(workspace, "xtask")?;
    Ok(Command::new(program).args(std::env::args_os().skip(1)).exec().into())
}

fn build(workspace: &Workspace, package: &str) -> Result<PathBuf> {
    println!("building the release of {package}");
    let mut cargo = workspace.cargo();
    let status = cargo.args(["build", "--release", "--package", package]).stdin(Stdio::null()).status()?;
    if !status.success() {
        return Err("the build failed, so nothing was measured".into());
    }
    Ok(workspace.target.join("release").join(package))
}

/// Waits for Ctrl-C or a request to end.
async fn interrupted() -> Box<dyn Error + Send + Sync> {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return "signals cannot be heard".into();
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    "interrupted; everything it started is stopped".into()
}

/// The run's own directory, removed at its end unless it is to be kept.
struct Directory(PathBuf, bool);

impl Directory {
    fn new(results: &Path, keep: bool) -> Result<Self> {
        let path = results.join(format!("run-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path, keep))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.1 {
            println!("kept: {}", self.0.display());
        } else {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
