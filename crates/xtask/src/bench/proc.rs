//! What Linux tells about a process: processor time, memory, bytes written.

use std::fs;
use std::time::Duration;

use crate::Result;
use crate::bench::figures::quotient;

/// What a set of processes has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// User and system time of all threads.
    pub cpu: Duration,
    /// Bytes that had to go to the disk.
    pub written: u64,
}

impl Used {
    /// Of all these processes together.
    ///
    /// # Errors
    /// When one of them is gone.
    pub fn by(pids: &[u32]) -> Result<Self> {
        let mut used = Self::default();
        for pid in pids {
            used.cpu = used.cpu.saturating_add(cpu(*pid)?);
            used.written = used.written.saturating_add(written(*pid));
        }
        Ok(used)
    }

    /// What was used since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self { cpu: self.cpu.saturating_sub(earlier.cpu), written: self.written.saturating_sub(earlier.written) }
    }
}

/// User and system time of all threads of a process, those that have ended included, to 10 ms.
fn cpu(pid: u32) -> Result<Duration> {
    let stat = read(pid, "stat")?;
    let ticks: u64 = fields(&stat).skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_micros(quotient(ticks.saturating_mul(1_000_000), per_second)))
}

/// 0 where the system does not tell.
fn written(pid: u32) -> u64 {
    let io = read(pid, "io").unwrap_or_default();
    named(&io, "write_bytes:").unwrap_or(0)
}

/// Memory of its own that is in use, in bytes (`RssAnon`). 0 where the process is gone.
#[must_use]
pub fn memory(pids: &[u32]) -> u64 {
    let of = |pid: &u32| {
        let status = read(*pid, "status").unwrap_or_default();
        named(&status, "RssAnon:").unwrap_or(0).saturating_mul(1024)
    };
    pids.iter().map(of).sum()
}

/// Processes that this one started and that still run.
#[must_use]
pub fn children(parent: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let stat = read(*pid, "stat").unwrap_or_default();
        fields(&stat).nth(1).and_then(|field| field.parse().ok()) == Some(parent)
    })
    .collect()
}

/// The processor's name, as far as it has one.
#[must_use]
pub fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| "unknown".into(), |(_, name)| name.trim().to_owned())
}

/// The kernel's version.
#[must_use]
pub fn kernel() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

fn read(pid: u32, file: &str) -> Result<String> {
    Ok(fs::read_to_string(format!("/proc/{pid}/{file}")).map_err(|error| format!("process {pid}: {error}"))?)
}

/// The fields of `stat` after the program's name, which may hold blanks and brackets itself: the state comes first.
fn fields(stat: &str) -> impl Iterator<Item = &str> {
    stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace()
}

fn named(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_brackets_is_passed_over() {
        assert_eq!(fields("7 (a) b)) S 1 7").collect::<Vec<_>>(), ["S", "1", "7"]);
    }

    #[test]
    fn our_own_use_is_seen() {
        let own = std::process::id();
        let before = cpu(own).expect("our own time");
        while cpu(own).expect("our own time") == before {
            std::hint::black_box(processor());
        }
        assert!(memory(&[own]) > 100_000);
    }

    #[test]
    fn children_are_found() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep");
        assert!(children(std::process::id()).contains(&child.id()));
        child.kill().expect("it runs");
        child.wait().expect("it ended");
    }
}
