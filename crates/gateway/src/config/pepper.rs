//! Where the pepper is kept, without which a stored hash says nothing: in the settings, or in the data directory.

use crate::api::Pepper;
use secrecy::{ExposeSecret as _, SecretString};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Its file in the data directory.
const FILE: &str = "pepper.key";
/// How long it is.
const BYTES: usize = 32;

impl Pepper {
    /// The one that the settings give, else that of the data directory, which is made at first use.
    ///
    /// # Errors
    /// Where the file cannot be read or made, or is not what it should be.
    pub(crate) fn open(setting: Option<&SecretString>, data: &Path) -> io::Result<Self> {
        let wrong = |message: &str| io::Error::new(ErrorKind::InvalidData, message.to_owned());
        if let Some(digits) = setting {
            return Self::from_hex(digits).ok_or_else(|| wrong("`keys.pepper` is not 64 hexadecimal digits"));
        }
        let path = data.join(FILE);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create(data, &path)?;
                std::fs::read(&path)?
            }
            read => read?,
        };
        if bytes.len() != BYTES {
            return Err(wrong(&format!("{} is not {BYTES} bytes long", path.display())));
        }
        Ok(Self::new(&bytes))
    }

    /// Reads 64 hexadecimal digits.
    pub(crate) fn from_hex(digits: &SecretString) -> Option<Self> {
        let digits = digits.expose_secret();
        if digits.len() != BYTES.saturating_mul(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let byte = |at: usize| u8::from_str_radix(digits.get(at..at.saturating_add(2))?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
        bytes.map(|bytes| Self::new(&bytes))
    }
}

/// Makes the file whole or not at all: two processes that do so at once end with one pepper.
fn create(data: &Path, path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(data)?;
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    let unfinished = data.join(format!("{FILE}.{}", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        match std::fs::hard_link(&unfinished, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    })();
    let removed = std::fs::remove_file(&unfinished);
    written.and(removed)?;
    File::open(data)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn it_is_made_once_and_for_its_owner_alone() {
        let data = tempfile::tempdir().unwrap();
        let first = Pepper::open(None, data.path()).unwrap();
        let again = Pepper::open(None, data.path()).unwrap();
        assert_eq!(first.api_key_hash("sy_test_x"), again.api_key_hash("sy_test_x"));
        assert_ne!(first.api_key_hash("sy_test_x"), first.api_key_hash("sy_test_y"));
        let mode = std::fs::metadata(data.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 1);
        let other = Pepper::open(None, tempfile::tempdir().unwrap().path()).unwrap();
        assert_ne!(first.api_key_hash("sy_test_x"), other.api_key_hash("sy_test_x"));
    }

    #[test]
    fn the_setting_wins_and_must_be_whole() {
        let data = tempfile::tempdir().unwrap();
        let set = Pepper::open(Some(&"0b".repeat(32).into()), data.path()).unwrap();
        assert_eq!(set.api_key_hash("sy_test_x"), Pepper::new(&[0x0b; 32]).api_key_hash("sy_test_x"));
        assert!(!data.path().join(FILE).exists());
        for digits in ["", "0b", &"0g".repeat(32), &"+b".repeat(32), &"0b".repeat(33)] {
            assert!(Pepper::open(Some(&digits.into()), data.path()).is_err(), "{digits}");
        }
        std::fs::write(data.path().join(FILE), "short").unwrap();
        assert!(Pepper::open(None, data.path()).is_err());
    }
}
