//! The files of a configuration, and the copies of them built into the binary.

use super::bounded;
use super::fault::{Fault, Where};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use switchyard_routing::source::Source;

/// The settings with their defaults.
const SANDBOX: &str = include_str!("../../../../config/sandbox.toml");
/// The sandbox's channels.
const CHANNELS: &str = include_str!("../../../../config/channels.toml");
/// The sandbox's merchants and order types.
const MERCHANTS: &str = include_str!("../../../../config/merchants.toml");
/// The sandbox's rules.
const ROUTING: &str = include_str!("../../../../config/routing.toml");

/// The directory that is read where none is named.
const DIRECTORY: &str = "config";

/// The files that a directory must have, in the order of [`Files`].
pub(crate) const REQUIRED: [&str; 3] = ["channels.toml", "merchants.toml", "routing.toml"];

/// The texts of a configuration.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// Where they came from; `None` where all are built in.
    pub(crate) directory: Option<PathBuf>,
    /// Settings, from weak to strong.
    pub(crate) settings: Vec<Source>,
    pub(crate) channels: Source,
    pub(crate) merchants: Source,
    pub(crate) routing: Source,
}

impl Files {
    /// Reads the files of `directory`, else of `./config`. The sandbox falls back on the copies built in where no
    /// directory is named and `./config` has none of the files.
    ///
    /// # Errors
    /// Every file that is missing or cannot be read.
    pub(crate) fn read(directory: Option<&Path>, sandbox: bool, found: &mut Vec<Fault>) -> Option<Self> {
        let usual = Path::new(DIRECTORY);
        let built_in_only = directory.is_none() && sandbox && !REQUIRED.iter().any(|name| usual.join(name).exists());
        if built_in_only {
            return Some(Self::built_in());
        }
        let directory = directory.unwrap_or(usual);
        if !directory.is_dir() {
            let fault = Fault::new(Where::Path(directory.display().to_string()), "there is no such directory");
            found.push(fault.with_hint("name that of the configuration with --config DIR"));
            return None;
        }
        let mut settings = vec![built_in("sandbox.toml", SANDBOX)];
        settings.extend(read(directory, "switchyard.toml", false, found));
        found.extend(changed_copy(directory));
        let [channels, merchants, routing] = REQUIRED.map(|name| read(directory, name, true, found));
        Some(Self {
            directory: Some(directory.to_path_buf()),
            settings,
            channels: channels?,
            merchants: merchants?,
            routing: routing?,
        })
    }

    /// The sandbox, as built in.
    pub(crate) fn built_in() -> Self {
        Self {
            directory: None,
            settings: vec![built_in("sandbox.toml", SANDBOX)],
            channels: built_in("channels.toml", CHANNELS),
            merchants: built_in("merchants.toml", MERCHANTS),
            routing: built_in("routing.toml", ROUTING),
        }
    }
}

/// A copy of the defaults that somebody has changed, to no effect.
fn changed_copy(directory: &Path) -> Option<Fault> {
    let path = directory.join("sandbox.toml");
    let text = bounded::read_text(&path).ok()?;
    let fault = Fault::new(
        Where::Path(path.display().to_string()),
        "this file differs from the defaults built into the binary, and is not read",
    );
    (text != SANDBOX).then(|| fault.with_hint("put changes into switchyard.toml beside it").into_warning())
}

fn built_in(name: &str, text: &str) -> Source {
    Source::new(format!("{name} (built in)"), text)
}

/// Reads one file of a directory.
fn read(directory: &Path, name: &str, required: bool, found: &mut Vec<Fault>) -> Option<Source> {
    let path = directory.join(name);
    let shown = path.display().to_string();
    let message = match bounded::read_text(&path) {
        Ok(text) => return Some(Source::new(shown, text)),
        Err(error) if error.kind() == ErrorKind::NotFound && !required => return None,
        Err(error) if error.kind() == ErrorKind::NotFound => "there is no such file".to_owned(),
        Err(error) => format!("the file cannot be read: {error}"),
    };
    found.push(Fault::new(Where::Path(shown), message));
    None
}
