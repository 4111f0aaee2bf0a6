//! The environment as it was at the start: settings by name, and the secrets that files refer to.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// What the names of settings start with. Every variable that starts so must be one.
pub(crate) const PREFIX: &str = "SWITCHYARD__";

/// The variables. Most of what they hold is nobody's business, so there is no `Debug`.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, Option<String>>);

impl Environment {
    /// Takes the variables as [`std::env::vars_os`] gives them; a name that is not Unicode is none of ours.
    pub(crate) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let readable = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()));
        Self(variables.into_iter().filter_map(readable).collect())
    }

    /// The value of a variable; `None` where it is not set, or not Unicode.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_deref()
    }

    /// Every variable whose name starts with [`PREFIX`], by name; the value is `None` where it is not Unicode.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0
            .iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// The names of all variables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
