//! The versions of the API.

/// One of them, by its date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// The first.
    V20261101,
}

impl Version {
    /// Oldest first.
    pub(crate) const ALL: &'static [Self] = &[Self::V20261101];

    /// What a key gets that is issued today.
    pub(crate) const NEWEST: Self = Self::V20261101;

    /// Its date.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::V20261101 => "2026-11-01",
        }
    }

    /// Reads the date.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|version| version.name() == name)
    }
}
