//! Countries of ISO 3166-1.

use std::fmt;

/// A country by its ISO 3166-1 alpha-2 code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// Reads a code in capitals (`DE`). `None` where ISO 3166-1 has not assigned it.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let bytes = <[u8; 2]>::try_from(code.as_bytes()).ok()?;
        rust_iso3166::from_alpha2(code).map(|_| Self(bytes))
    }

    /// The alpha-2 code.
    #[must_use]
    pub fn code(&self) -> &str {
        // Only ASCII letters are ever stored, so this cannot fail.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Every assigned country, in the order of the standard's English names.
    pub fn all() -> impl Iterator<Item = Self> {
        rust_iso3166::ALL_ALPHA2.iter().filter_map(|code| Self::from_code(code))
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Country;

    #[test]
    fn only_assigned_codes_are_countries() {
        assert!(Country::all().count() >= 249);
        assert_eq!(Country::from_code("DE").unwrap().code(), "DE");
        for code in ["de", "XX", "DEU", "", "UK", "é"] {
            assert_eq!(Country::from_code(code), None, "{code}");
        }
    }
}
