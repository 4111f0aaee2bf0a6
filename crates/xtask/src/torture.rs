//! `cargo xtask torture`: the long form of what the tests do in short.

use std::path::PathBuf;
use std::process::Stdio;

use crate::Result;
use crate::need::{self, For};
use crate::workspace::Workspace;

/// How long, and where chance begins.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// Stops by itself after so many minutes, and the ordeal that is under way then.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Builds what is needed and runs it.
///
/// # Errors
/// When the build fails, or the judge finds anything.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    need::ensure(For::Test)?;
    let binary = build(workspace)?;
    let status = workspace
        .cargo()
        .args(["run", "--package", "switchyard-torture", "--bin", "torture", "--"])
        .args(["--minutes", &options.minutes.to_string(), "--seed", &options.seed.to_string()])
        .env("SWITCHYARD_CRASH_BIN", binary)
        .stdin(Stdio::null())
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("the torture ended with {status}").into()) }
}

/// Builds the binary with crash points and puts it aside; the next build puts the plain one back into its place.
///
/// # Errors
/// When the build fails.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    let built = workspace
        .cargo()
        .args(["build", "--workspace", "--features", "switchyard/crash-points"])
        .stdin(Stdio::null())
        .status()?;
    if !built.success() {
        return Err("the binary with crash points does not build".into());
    }
    let aside = workspace.target.join("crash");
    std::fs::create_dir_all(&aside)?;
    let (copy, binary) = (aside.join(format!("switchyard-{}", std::process::id())), aside.join("switchyard"));
    std::fs::copy(workspace.target.join("debug").join("switchyard"), &copy)?;
    std::fs::rename(&copy, &binary)?;
    Ok(binary)
}
