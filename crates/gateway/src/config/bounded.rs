//! Reads files that people and machines may put anything into: never more than is useful, never what is no file.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _};
use std::path::Path;
use switchyard_routing::source::SOURCE_BYTES_MAX;

/// The content of a file of at most [`SOURCE_BYTES_MAX`] bytes.
///
/// # Errors
/// Where it is larger, no plain file, or cannot be read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let what = std::fs::metadata(path)?;
    if what.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "it is a directory"));
    }
    // A pipe would have the reader wait for ever.
    if !what.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is no plain file"));
    }
    let most = u64::try_from(SOURCE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > SOURCE_BYTES_MAX {
        let size = what.len().max(most);
        return Err(Error::new(
            ErrorKind::FileTooLarge,
            format!("its {size} bytes are more than the {SOURCE_BYTES_MAX} (16 MiB) that are read"),
        ));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read`]; where it is not UTF-8, with the line.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    String::from_utf8(read(path)?).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count().saturating_add(1);
        Error::new(ErrorKind::InvalidData, format!("line {line} is not UTF-8"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_files_of_a_useful_size_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("good"), "a = 1\n").unwrap();
        std::fs::write(at("latin"), b"a = 1\nb = \"\xe9\"\n").unwrap();
        std::fs::File::create(at("huge")).unwrap().set_len(100 * 1024 * 1024).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("broken")).unwrap();
        let told = |name: &str| read_text(&at(name)).unwrap_err().to_string();
        assert_eq!(read_text(&at("good")).unwrap(), "a = 1\n");
        assert_eq!(told("latin"), "line 2 is not UTF-8");
        assert_eq!(told("huge"), "its 104857600 bytes are more than the 16777216 (16 MiB) that are read");
        assert_eq!(read_text(directory.path()).unwrap_err().to_string(), "it is a directory");
        assert_eq!(read_text(&at("broken")).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(read_text(Path::new("/dev/zero")).unwrap_err().to_string(), "it is no plain file");
    }
}
