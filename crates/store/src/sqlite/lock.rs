//! One process per data directory.

use super::OpenError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Held while the ledger is open. The file stays; what counts is the lock on it, which ends with the process.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock beside `ledger`, making the directory where it is missing.
    pub(super) fn take(ledger: &Path) -> Result<Self, OpenError> {
        let directory = directory_of(ledger);
        std::fs::create_dir_all(&directory).map_err(OpenError::io(&directory))?;
        let path = directory.join("switchyard.lock");
        let failed = OpenError::io(&path);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(&failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Only for the message: a holder that has not written its number yet is just as much a holder.
                let _unread = file.read_to_string(&mut text);
                return Err(OpenError::Locked { path: ledger.to_owned(), pid: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(&failed)?;
        file.rewind().map_err(&failed)?;
        writeln!(file, "{}", std::process::id()).map_err(&failed)?;
        Ok(Self { _file: file })
    }
}

/// Where a file lies: `.` for a bare name.
pub(super) fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}
