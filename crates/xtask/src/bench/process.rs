//! Programs we start and stop by their process number, also when something goes wrong.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Result;
use crate::bench::proc;

/// How long a program may take to end by itself once it is asked to.
const STOP_MAX: Duration = Duration::from_secs(30);

/// The same when nobody waits for the figures any more.
const DROP_MAX: Duration = Duration::from_secs(2);

const POLL: Duration = Duration::from_millis(10);

/// A running program. Dropping it stops it, and what it started.
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program with nothing to read and everything it says going to the file `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &'static str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .map_err(|error| format!("{name} cannot be started: {error}"))?;
        Ok(Self { name, child, log: log.to_owned() })
    }

    /// The process number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// That it still runs.
    ///
    /// # Errors
    /// When it has ended, with the last lines it said.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("{} has ended: {status}\n{}", self.name, tail(&self.log)).into()),
        }
    }

    /// Asks it to end and waits.
    ///
    /// # Errors
    /// When it does not end in time, or not with success.
    pub async fn stop(mut self) -> Result<()> {
        self.check()?;
        self.signal(Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < STOP_MAX {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() { Ok(()) } else { Err(self.bad_end(status)) };
            }
            tokio::time::sleep(POLL).await;
        }
        Err(format!("{} does not end\n{}", self.name, tail(&self.log)).into())
    }

    fn bad_end(&self, status: ExitStatus) -> Box<dyn std::error::Error + Send + Sync> {
        format!("{} ended badly when asked to stop: {status}\n{}", self.name, tail(&self.log)).into()
    }

    fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.running() {
            return;
        }
        self.signal(Signal::TERM);
        let asked = Instant::now();
        while self.running() && asked.elapsed() < DROP_MAX {
            std::thread::sleep(POLL);
        }
        if self.running() {
            for worker in proc::children(self.pid()) {
                if let Some(pid) = i32::try_from(worker).ok().and_then(Pid::from_raw) {
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A loopback address nobody listens on at this moment.
///
/// # Errors
/// When there is none.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> PathBuf {
        std::env::temp_dir().join(format!("xtask-process-{}-{:?}", std::process::id(), std::thread::current().id()))
    }

    #[test]
    fn what_is_dropped_is_stopped() {
        let log = log();
        let process = Process::start("sleep", Command::new("sleep").arg("60"), &log).expect("sleep");
        let entry = PathBuf::from(format!("/proc/{}", process.pid()));
        assert!(entry.exists());
        drop(process);
        assert!(!entry.exists());
        let _ = std::fs::remove_file(log);
    }

    #[test]
    fn an_early_end_is_told_with_its_reason() {
        let log = log();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such port; exit 3"]);
        let mut process = Process::start("sh", &mut command, &log).expect("sh");
        while process.running() {
            std::thread::sleep(POLL);
        }
        let told = process.check().expect_err("it has ended").to_string();
        assert!(told.contains("no such port") && told.contains('3'), "{told}");
        let _ = std::fs::remove_file(log);
    }
}
