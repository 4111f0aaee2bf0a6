//! Whose books a request concerns: the account and mode in its API key.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use crate::error::ApiError;
use crate::limits::ACCOUNT_BYTES_MAX;
use crate::words::words;

words! {
    /// Test and live books of one account are apart.
    Mode {
        Test = "test",
        Live = "live",
    }
}

/// An account in one mode. Each has books of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) mode: Mode,
}

/// The account, and the ending of keys of any account, that are refused: for tests of revoked credentials.
const REVOKED: &str = "revoked";

impl Account {
    /// Reads `Authorization: Bearer sim_test_<account>`. An account has as many keys as it likes: what follows a dot tells
    /// them apart, so that one can take the place of another.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let header = headers.get(AUTHORIZATION).ok_or(ApiError::KeyMissing)?;
        let key = header.to_str().ok().and_then(bearer).ok_or(ApiError::KeyInvalid)?;
        let (mode, name) = match (key.strip_prefix("sim_test_"), key.strip_prefix("sim_live_")) {
            (Some(name), _) => (Mode::Test, name),
            (None, Some(name)) => (Mode::Live, name),
            (None, None) => return Err(ApiError::KeyInvalid),
        };
        let (name, ending) = name.split_once('.').map_or((name, None), |(name, ending)| (name, Some(ending)));
        if !is_name(name) || ending.is_some_and(|ending| !is_name(ending)) {
            return Err(ApiError::KeyInvalid);
        }
        if name == REVOKED || ending == Some(REVOKED) {
            return Err(ApiError::KeyRevoked);
        }
        Ok(Self { name: name.to_owned(), mode })
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, key) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn is_name(name: &str) -> bool {
    (1..=ACCOUNT_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn account(header: &'static str) -> Result<Account, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static(header));
        Account::of(&headers)
    }

    #[test]
    fn reads_account_and_mode() {
        assert_eq!(account("Bearer sim_test_acme").unwrap(), Account { name: "acme".into(), mode: Mode::Test });
        assert_eq!(account("Bearer sim_test_acme.2"), account("Bearer sim_test_acme"));
        assert_eq!(account("bearer sim_live_a_b-1").unwrap(), Account { name: "a_b-1".into(), mode: Mode::Live });
    }

    #[test]
    fn refuses_other_keys() {
        for header in [
            "Bearer sim_test_",
            "Bearer sk_test_acme",
            "Basic sim_test_acme",
            "sim_test_acme",
            "Bearer sim_test_A",
            "Bearer sim_test_a.",
        ] {
            assert_eq!(account(header), Err(ApiError::KeyInvalid), "{header}");
        }
        assert_eq!(account("Bearer sim_test_revoked"), Err(ApiError::KeyRevoked));
        assert_eq!(account("Bearer sim_test_acme.revoked"), Err(ApiError::KeyRevoked));
        assert_eq!(Account::of(&HeaderMap::new()), Err(ApiError::KeyMissing));
    }
}
