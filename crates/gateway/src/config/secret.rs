//! Secrets by reference: `{ env = "NAME" }`, `{ file = "PATH" }`, and `{ value = "..." }` where nothing is at stake.

use super::environment::Environment;
use secrecy::SecretString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use switchyard_routing::nearest::did_you_mean;
use switchyard_routing::reader::Value;

/// Longest secret, in bytes: private keys are the longest there are.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Where a secret is to be found.
#[derive(Clone, Debug)]
pub(crate) enum SecretRef {
    /// In this environment variable.
    Variable(String),
    /// In this file, but for white space at its end. A relative path starts at the directory of the configuration.
    File(PathBuf),
    /// Here.
    Inline(SecretString),
}

/// Reads a reference; `None` has told the faults why.
pub(crate) fn reference(value: &Value<'_>) -> Option<SecretRef> {
    if value.is_text() {
        value.fault(format!(
            "`{}` is a text, where a reference such as {{ env = \"NAME\" }} is wanted",
            value.name().text
        ));
        return None;
    }
    let table = value.table()?;
    let variable = table.get("env").and_then(|name| name.text()).map(|name| SecretRef::Variable(name.text.to_owned()));
    let file = table.get("file").and_then(|path| path.text()).map(|path| SecretRef::File(PathBuf::from(path.text)));
    let inline = table.get("value").and_then(|text| text.text()).map(|text| SecretRef::Inline(text.text.into()));
    let named = ["env", "file", "value"].into_iter().filter(|key| table.has(key)).count();
    let mut found = [variable, file, inline].into_iter().flatten();
    table.finish();
    if named != 1 {
        value.fault(format!("`{}` wants one of `env`, `file` and `value`", value.name().text));
        return None;
    }
    found.next()
}

/// Why a secret is not at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// What is missing, in one sentence.
    pub(crate) message: String,
    /// What was perhaps meant.
    pub(crate) hint: Option<String>,
}

impl SecretRef {
    /// The file that holds it, where it is in one.
    pub(crate) fn file(&self, base: &Path) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(base.join(path)),
            Self::Variable(_) | Self::Inline(_) => None,
        }
    }

    /// Gets the secret, which is never empty. `base` is where relative paths start.
    pub(crate) fn resolve(&self, environment: &Environment, base: &Path) -> Result<SecretString, Missing> {
        let missing = |message: String| Missing { message, hint: None };
        let text = match self {
            Self::Variable(name) => environment.get(name).map(SecretString::from).ok_or_else(|| Missing {
                message: format!("environment variable {name} is not set"),
                hint: did_you_mean(name, environment.names()),
            }),
            Self::File(path) => read(&base.join(path)).map_err(missing),
            Self::Inline(secret) => Ok(secret.clone()),
        }?;
        if secrecy::ExposeSecret::expose_secret(&text).is_empty() {
            return Err(missing(match self {
                Self::Variable(name) => format!("environment variable {name} is empty"),
                Self::File(path) => format!("{} is empty", base.join(path).display()),
                Self::Inline(_) => "the secret is empty".into(),
            }));
        }
        Ok(text)
    }
}

fn read(path: &Path) -> Result<SecretString, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let read = file.take(SECRET_BYTES_MAX.saturating_add(1)).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(read).is_ok_and(|read| read > SECRET_BYTES_MAX) {
        return Err(format!("{} holds more than {SECRET_BYTES_MAX} bytes, which no secret has", path.display()));
    }
    let secret = SecretString::from(text.trim_end());
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn a_secret_comes_from_its_variable_or_file_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("key"), "from file\n").unwrap();
        std::fs::write(directory.path().join("empty"), "\n").unwrap();
        let environment = Environment::new([("STRIPE_KEY".into(), "from env".into()), ("NOTHING".into(), "".into())]);
        let get = |reference: SecretRef| {
            let found = reference.resolve(&environment, directory.path());
            found.map(|secret| secret.expose_secret().to_owned())
        };
        assert_eq!(get(SecretRef::Variable("STRIPE_KEY".into())).unwrap(), "from env");
        assert_eq!(get(SecretRef::File("key".into())).unwrap(), "from file");
        let missing = get(SecretRef::Variable("STRIP_KEY".into())).unwrap_err();
        assert_eq!(missing.message, "environment variable STRIP_KEY is not set");
        assert_eq!(missing.hint.as_deref(), Some("did you mean `STRIPE_KEY`?"));
        assert_eq!(
            get(SecretRef::Variable("NOTHING".into())).unwrap_err().message,
            "environment variable NOTHING is empty"
        );
        assert!(get(SecretRef::File("empty".into())).unwrap_err().message.ends_with("is empty"));
        assert!(get(SecretRef::File("absent".into())).unwrap_err().message.contains("cannot be read"));
    }
}
