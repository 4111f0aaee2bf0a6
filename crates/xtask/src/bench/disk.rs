//! The disk under the ledger: its kind, its room, what lies on it, and how long it takes to make a block durable.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::Result;
use crate::bench::figures::{histogram, nanos};

const BLOCK: usize = 4096;

/// The probe's file grows to this and is then written again from the start, as a write-ahead log is.
const PROBE_BYTES_MAX: u64 = 4 << 20;

/// Between two probes: often enough for a p99, too seldom to be load of its own.
const PROBE_EVERY: Duration = Duration::from_millis(15);

/// That a directory is on a disk: what lies in memory costs nothing to make durable.
///
/// # Errors
/// When it is in memory, or has less than `room` bytes left.
pub fn check(directory: &Path, room: u64) -> Result<()> {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    let kind = u64::try_from(rustix::fs::statfs(directory)?.f_type).unwrap_or(0);
    if [TMPFS, RAMFS].contains(&kind) {
        return Err(format!("{} is in memory: a ledger there says nothing about disks", directory.display()).into());
    }
    let space = rustix::fs::statvfs(directory)?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    if free < room {
        return Err(format!("{} has {free} bytes left, {room} are needed", directory.display()).into());
    }
    Ok(())
}

/// Bytes of all files below a directory, by their lengths.
#[must_use]
pub fn bytes(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => bytes(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}

/// Bytes of one file, 0 where there is none.
#[must_use]
pub fn bytes_of(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |data| data.len())
}

/// Writes a block and waits until it is durable, again and again, until it is stopped.
pub struct Probe {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Histogram<u64>>>>,
}

impl Probe {
    /// Starts it on a file of its own in `directory`.
    #[must_use]
    pub fn start(directory: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, file) = (Arc::clone(&stop), directory.join("fsync-probe"));
        Self { stop, thread: Some(std::thread::spawn(move || probe(&file, &flag))) }
    }

    /// Ends it: the times, in nanoseconds.
    ///
    /// # Errors
    /// When the disk failed.
    pub fn stop(mut self) -> Result<Histogram<u64>> {
        self.stop.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return histogram() };
        thread.join().map_err(|_| "the probe of the disk broke down")?
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn probe(path: &PathBuf, stop: &AtomicBool) -> Result<Histogram<u64>> {
    let mut times = histogram()?;
    let mut file = File::create(path)?;
    let block = [0x5a; BLOCK];
    while !stop.load(Ordering::Relaxed) {
        if file.stream_position()? >= PROBE_BYTES_MAX {
            file.seek(SeekFrom::Start(0))?;
        }
        let started = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        times.saturating_record(nanos(started.elapsed()));
        std::thread::sleep(PROBE_EVERY);
    }
    drop(file);
    fs::remove_file(path)?;
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_measures_and_cleans_up() {
        let directory = std::env::temp_dir().join(format!("xtask-disk-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        let probe = Probe::start(&directory);
        std::thread::sleep(Duration::from_millis(60));
        assert!(!probe.stop().expect("times").is_empty());
        assert_eq!(bytes(&directory), 0);
        fs::remove_dir_all(directory).expect("it is ours");
    }
}
