//! How commands find the process that serves from a data directory: it leaves a note there.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The note's file in the data directory.
const FILE: &str = "serving.json";

/// A serving process, and how operators talk to it.
#[derive(Clone, Debug)]
pub(crate) struct Serving {
    /// Its process.
    pub(crate) pid: u32,
    /// Its operations listener, as this machine reaches it.
    pub(crate) ops: SocketAddr,
    /// What it takes as `Authorization: Bearer`.
    pub(crate) token: SecretString,
}

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
struct Note {
    pid: u32,
    ops: SocketAddr,
    token: String,
}

/// The note of this process. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct ServingFile {
    path: PathBuf,
    pid: u32,
}

impl ServingFile {
    /// Leaves the note, for the owner's eyes alone. It replaces that of a process which died.
    ///
    /// # Errors
    /// Where the data directory cannot be written to.
    pub(crate) fn write(data: &Path, serving: &Serving) -> io::Result<Self> {
        let ops = crate::config::address::reachable(serving.ops);
        let note = Note { pid: serving.pid, ops, token: serving.token.expose_secret().to_owned() };
        let text = serde_json::to_vec(&note)?;
        let path = data.join(FILE);
        // Made anew and moved into place: an older file might be readable by others, and a reader never sees half a note.
        let unfinished = data.join(format!("{FILE}.{}", serving.pid));
        let _ = std::fs::remove_file(&unfinished);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        file.write_all(&text)?;
        drop(file);
        std::fs::rename(&unfinished, &path)?;
        Ok(Self { path, pid: serving.pid })
    }
}

impl Drop for ServingFile {
    fn drop(&mut self) {
        // Another process may have taken the directory over since.
        let own = std::fs::read(&self.path).ok().and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        if own.is_some_and(|note| note.pid == self.pid) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The process that says it serves from the directory; it may have died since.
///
/// # Errors
/// Where there is a note that cannot be read.
pub(crate) fn read(data: &Path) -> io::Result<Option<Serving>> {
    let path = data.join(FILE);
    match std::fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::new(error.kind(), format!("{} cannot be read: {error}", path.display()))),
        Ok(text) => {
            let note: Note = serde_json::from_slice(&text)
                .map_err(|_| io::Error::new(ErrorKind::InvalidData, format!("{} makes no sense", path.display())))?;
            Ok(Some(Serving { pid: note.pid, ops: note.ops, token: note.token.into() }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_note_is_private_and_goes_with_its_process() {
        let data = tempfile::tempdir().unwrap();
        assert!(read(data.path()).unwrap().is_none());
        let serving = Serving { pid: 7, ops: "0.0.0.0:9464".parse().unwrap(), token: "hunter2".into() };
        let file = ServingFile::write(data.path(), &serving).unwrap();
        let found = read(data.path()).unwrap().unwrap();
        assert_eq!(
            (found.pid, found.ops.to_string().as_str(), found.token.expose_secret()),
            (7, "127.0.0.1:9464", "hunter2")
        );
        assert!(!format!("{found:?}").contains("hunter2"));
        let mode = std::fs::metadata(data.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let successor = ServingFile::write(data.path(), &Serving { pid: 8, ..serving }).unwrap();
        drop(file);
        assert_eq!(read(data.path()).unwrap().unwrap().pid, 8);
        drop(successor);
        assert!(read(data.path()).unwrap().is_none());
        std::fs::write(data.path().join(FILE), "{").unwrap();
        assert!(read(data.path()).is_err());
    }
}
