//! Secrets at rest: sealed with AES-256-GCM under a ring of keys, of which the last one seals and all open.
//!
//! What is sealed is bound to its purpose and its owner: moved to another row it does not open.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// Its file in the data directory: a line for each key, `NUMBER:DIGITS`.
const FILE: &str = "seal.keys";

/// How long a key is, in bytes.
const KEY_BYTES: usize = 32;

/// The first byte of everything sealed, so that the form may change.
const FORM: u8 = 1;

/// The keys that seal. Shows nothing of them.
#[derive(Clone)]
pub(crate) struct KeyRing {
    /// The last one seals.
    keys: Arc<[(u32, LessSafeKey)]>,
    random: SystemRandom,
}

/// Something sealed does not open: under no key of the ring, or not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret at rest cannot be opened with the keys at hand")]
pub(crate) struct Unsealable;

impl KeyRing {
    /// The ring that the settings give, else that of the data directory, which is made at first use.
    ///
    /// # Errors
    /// Where the file cannot be read or made, or is not what it should be.
    pub(crate) fn open(setting: Option<&SecretString>, data: &Path) -> io::Result<Self> {
        let wrong = |place: &str| {
            let message =
                format!("{place} does not hold keys: NUMBER:DIGITS with 64 hexadecimal digits, one on each line");
            io::Error::new(ErrorKind::InvalidData, message)
        };
        if let Some(text) = setting {
            return Self::read(text.expose_secret()).ok_or_else(|| wrong("`keys.seal`"));
        }
        let path = data.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create(data, &path)?;
                std::fs::read_to_string(&path)?
            }
            read => read?,
        };
        Self::read(&text).ok_or_else(|| wrong(&path.display().to_string()))
    }

    /// Reads lines, or parts between commas, of a key's number and its digits.
    fn read(text: &str) -> Option<Self> {
        let parts = text.split(['\n', ',']).map(str::trim).filter(|part| !part.is_empty());
        let mut keys: Vec<(u32, LessSafeKey)> = Vec::new();
        for part in parts {
            let (number, digits) = part.split_once(':')?;
            let number: u32 = number.trim().parse().ok()?;
            if keys.iter().any(|(known, _)| *known == number) {
                return None;
            }
            let key = UnboundKey::new(&AES_256_GCM, &from_hex(digits.trim())?).ok()?;
            keys.push((number, LessSafeKey::new(key)));
        }
        if keys.is_empty() { None } else { Some(Self { keys: keys.into(), random: SystemRandom::new() }) }
    }

    /// Seals `secret` for `owner`, who is one of those that `purpose` names.
    ///
    /// # Errors
    /// [`Unsealable`] where the system gives no random bytes.
    pub(crate) fn seal(&self, purpose: &str, owner: &[u8], secret: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (number, key) = self.keys.last().ok_or(Unsealable)?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| Unsealable)?;
        let mut bytes = secret.to_vec();
        let bound = Aad::from(bound(*number, purpose, owner));
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut bytes).map_err(|_| Unsealable)?;
        let mut sealed = vec![FORM];
        sealed.extend_from_slice(&number.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&bytes);
        Ok(sealed)
    }

    /// Opens what was sealed for the same purpose and owner.
    ///
    /// # Errors
    /// [`Unsealable`].
    pub(crate) fn unseal(&self, purpose: &str, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (&form, rest) = sealed.split_first().ok_or(Unsealable)?;
        let (number, rest) = rest.split_first_chunk::<4>().ok_or(Unsealable)?;
        let (nonce, bytes) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unsealable)?;
        let number = u32::from_be_bytes(*number);
        let (_, key) = self.keys.iter().find(|(known, _)| *known == number).ok_or(Unsealable)?;
        if form != FORM {
            return Err(Unsealable);
        }
        let mut bytes = bytes.to_vec();
        let bound = Aad::from(bound(number, purpose, owner));
        let secret = key.open_in_place(Nonce::assume_unique_for_key(*nonce), bound, &mut bytes);
        secret.map(|secret| secret.to_vec()).map_err(|_| Unsealable)
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

fn bound(number: u32, purpose: &str, owner: &[u8]) -> Vec<u8> {
    let mut bytes = vec![FORM];
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(purpose.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(owner);
    bytes
}

fn from_hex(digits: &str) -> Option<[u8; KEY_BYTES]> {
    if digits.len() != KEY_BYTES.saturating_mul(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at.saturating_add(2))?, 16).ok();
    let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect::<Option<_>>()?;
    bytes.try_into().ok()
}

/// Makes the file whole or not at all: two processes that do so at once end with one ring.
fn create(data: &Path, path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(data)?;
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let unfinished = data.join(format!("{FILE}.{}", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(format!("1:{digits}\n").as_bytes())?;
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
    fn what_is_sealed_opens_for_its_owner_alone() {
        let ring = KeyRing::read(&format!("7:{}", "0b".repeat(32))).unwrap();
        let sealed = ring.seal("webhook", b"we_1", b"whsec").unwrap();
        assert_eq!(ring.unseal("webhook", b"we_1", &sealed).unwrap(), b"whsec");
        assert_ne!(sealed, ring.seal("webhook", b"we_1", b"whsec").unwrap());
        for (purpose, owner) in [("webhook", &b"we_2"[..]), ("payout", b"we_1"), ("webhook\0we", b"_1")] {
            assert_eq!(ring.unseal(purpose, owner, &sealed), Err(Unsealable));
        }
        for place in 0..sealed.len() {
            let mut other = sealed.clone();
            other[place] ^= 1;
            assert_eq!(ring.unseal("webhook", b"we_1", &other), Err(Unsealable), "byte {place}");
            assert_eq!(ring.unseal("webhook", b"we_1", &sealed[..place]), Err(Unsealable), "{place} bytes");
        }
    }

    #[test]
    fn the_last_key_seals_and_all_open() {
        let (old, new) = (format!("1:{}", "0b".repeat(32)), format!("2:{}", "0c".repeat(32)));
        let before = KeyRing::read(&old).unwrap();
        let sealed = before.seal("webhook", b"we_1", b"whsec").unwrap();
        let both = KeyRing::read(&format!("{old}\n{new}\n")).unwrap();
        assert_eq!(both.unseal("webhook", b"we_1", &sealed).unwrap(), b"whsec");
        let anew = both.seal("webhook", b"we_1", b"whsec").unwrap();
        assert_eq!(before.unseal("webhook", b"we_1", &anew), Err(Unsealable));
        assert_eq!(
            KeyRing::read(&format!("{new},{old}")).unwrap().unseal("webhook", b"we_1", &anew).unwrap(),
            b"whsec"
        );
        for wrong in ["", "1", "1:0b", &format!("x:{}", "0b".repeat(32)), &format!("{old}\n{old}"), &"0b".repeat(32)] {
            assert!(KeyRing::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_ring_is_made_once_and_for_its_owner_alone() {
        let data = tempfile::tempdir().unwrap();
        let sealed = KeyRing::open(None, data.path()).unwrap().seal("webhook", b"we_1", b"whsec").unwrap();
        let again = KeyRing::open(None, data.path()).unwrap();
        assert_eq!(again.unseal("webhook", b"we_1", &sealed).unwrap(), b"whsec");
        let mode = std::fs::metadata(data.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(format!("{again:?}"), "KeyRing { keys: 1, .. }");
        std::fs::write(data.path().join(FILE), "short").unwrap();
        assert!(KeyRing::open(None, data.path()).is_err());
    }
}
