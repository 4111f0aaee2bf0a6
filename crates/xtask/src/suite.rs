//! `cargo xtask test`: everything that is tested, by one command.

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::need::{self, For};
use crate::workspace::Workspace;
use crate::{Result, bench::figures::float, torture};

/// Builds the binary, hands its path to the end-to-end tests by `SWITCHYARD_BIN`, and runs all tests of the workspace.
///
/// # Errors
/// When something needed is missing, the build fails, or a test fails.
pub fn run(workspace: &Workspace) -> Result<()> {
    let started = Instant::now();
    need::ensure(For::Test)?;
    step("building with crash points");
    let crash = torture::build(workspace)?;
    step("building");
    let status = workspace.cargo().args(["build", "--workspace"]).stdin(Stdio::null()).status()?;
    if !status.success() {
        return Err("the build failed, so nothing was tested".into());
    }
    let binary = workspace.target.join("debug").join("switchyard");
    if !binary.is_file() {
        return Err(format!("the build left no {}", binary.display()).into());
    }
    let built = started.elapsed();
    step("testing");
    let (passed, tally) = test(workspace.cargo(), &binary, &crash)?;
    println!();
    println!("{tally}");
    println!("built in {}, tested in {}", seconds(built), seconds(started.elapsed().saturating_sub(built)));
    for name in &tally.names {
        println!("  failed: {name}");
    }
    if !passed || tally.failed > 0 {
        return Err("tests failed".into());
    }
    if tally.passed == 0 {
        return Err("no test was run".into());
    }
    Ok(())
}

fn test(mut cargo: Command, binary: &Path, crash: &Path) -> Result<(bool, Tally)> {
    cargo.args(["test", "--workspace", "--no-fail-fast"]);
    if std::io::stdout().is_terminal() {
        cargo.args(["--color", "always"]);
    }
    let mut child = cargo
        .env("SWITCHYARD_BIN", binary)
        .env("SWITCHYARD_CRASH_BIN", crash)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        let mut screen = std::io::stdout();
        for line in BufReader::new(output).split(b'\n') {
            let mut line = line?;
            tally.read(&String::from_utf8_lossy(&line));
            line.push(b'\n');
            screen.write_all(&line)?;
        }
    }
    Ok((child.wait()?.success(), tally))
}

/// What the test programs say at their ends, added up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    programs: u64,
    passed: u64,
    failed: u64,
    ignored: u64,
    names: Vec<String>,
}

impl Tally {
    /// Reads `test result: ok. 5 passed; 0 failed; 1 ignored; ...` and `test some::name ... FAILED`.
    fn read(&mut self, line: &str) {
        let line = line.trim();
        if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            self.names.push(name.to_owned());
        }
        let Some(result) = line.strip_prefix("test result: ") else { return };
        self.programs = self.programs.saturating_add(1);
        let words = result.split([' ', ';', '.']).filter(|word| !word.is_empty());
        let mut last = 0;
        for word in words {
            match word {
                "passed" => self.passed = self.passed.saturating_add(last),
                "failed" => self.failed = self.failed.saturating_add(last),
                "ignored" => self.ignored = self.ignored.saturating_add(last),
                "measured" => break,
                _ => last = word.parse().unwrap_or(0),
            }
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { programs, passed, failed, ignored, .. } = self;
        write!(f, "{passed} tests passed, {failed} failed, {ignored} ignored, in {programs} test programs")
    }
}

fn step(what: &str) {
    println!("== {what}");
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", float(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)) / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_programs_add_up() {
        let mut tally = Tally::default();
        for line in [
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s",
            "test money::adds ... FAILED",
            "test money::subtracts ... ok",
            "test result: FAILED. 7 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ] {
            tally.read(line);
        }
        let names = vec!["money::adds".to_owned()];
        assert_eq!(tally, Tally { programs: 2, passed: 12, failed: 1, ignored: 1, names });
    }
}
