//! API keys: who asks, and what they may do.

use super::fingerprint::Pepper;
use super::problem::{Code, Problem};
use actix_web::HttpRequest;
use actix_web::http::header;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use switchyard_core::id::KeyId;
use switchyard_core::{MerchantName, Mode, Timestamp};
use switchyard_store::{ApiKey, Scope};
use uuid::Uuid;

/// The key that every example of the docs uses. Only ever valid in the sandbox, on loopback.
pub(crate) const SANDBOX_KEY: &str = "sy_test_sandbox";

/// Longest secret that is hashed, in bytes; ours have some fifty.
const SECRET_BYTES_MAX: usize = 256;

/// Every API key there is, replaced as a whole when the ledger has news of them.
pub(crate) struct Keys {
    pepper: Pepper,
    /// Those that are not in the ledger.
    fixed: Vec<ApiKey>,
    known: ArcSwap<Known>,
}

type Known = HashMap<[u8; 32], Arc<ApiKey>>;

impl Keys {
    /// Without the ledger's keys. `fixed` ones are always there: the sandbox's, or none.
    pub(crate) fn new(pepper: Pepper, fixed: Vec<ApiKey>) -> Self {
        let keys = Self { pepper, fixed, known: ArcSwap::default() };
        keys.replace(Vec::new());
        keys
    }

    /// Takes the ledger's keys for all there are, revoked and expired ones included, so that these are told apart from
    /// unknown ones.
    pub(crate) fn replace(&self, keys: Vec<ApiKey>) {
        let all = keys.into_iter().chain(self.fixed.iter().cloned());
        self.known.store(Arc::new(all.map(|key| (key.hash, Arc::new(key))).collect()));
    }

    /// The key of a request.
    ///
    /// # Errors
    /// [`Code::Unauthorized`], [`Code::KeyExpired`], [`Code::KeyRevoked`] or [`Code::AddressNotAllowed`].
    pub(crate) fn of(&self, request: &HttpRequest, now: Timestamp) -> Result<Arc<ApiKey>, Problem> {
        let secret = bearer(request)?;
        let hash = self.pepper.api_key_hash(secret);
        let key = match self.known.load().get(&hash) {
            // The map finds by part of the hash; that the rest is equal is told without telling how much of it.
            Some(key) if bool::from(key.hash.ct_eq(&hash)) => Arc::clone(key),
            _ => return Err(unauthorized("the API key is unknown")),
        };
        if key.revoked_at.is_some() {
            return Err(Problem::new(Code::KeyRevoked, "this API key was revoked; use another one"));
        }
        if key.expires_at.is_some_and(|end| end <= now) {
            return Err(Problem::new(Code::KeyExpired, "this API key has expired; use another one"));
        }
        if !address_allowed(&key.addresses, request.peer_addr().map(|peer| peer.ip())) {
            return Err(Problem::new(Code::AddressNotAllowed, "this API key may not be used from your address"));
        }
        Ok(key)
    }
}

/// The sandbox's key, with every scope, for whoever sits on the same machine. To be given to [`Keys::new`] only where
/// the API listens on loopback.
pub(crate) fn sandbox_key(pepper: &Pepper, merchant: MerchantName) -> ApiKey {
    ApiKey {
        id: KeyId::from_uuid(Uuid::nil()),
        hash: pepper.api_key_hash(SANDBOX_KEY),
        merchant,
        mode: Mode::Test,
        scopes: Scope::ALL.to_vec(),
        label: "sandbox".to_owned(),
        addresses: vec![IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16])],
        created_at: Timestamp(0),
        expires_at: None,
        revoked_at: None,
    }
}

/// Whether the key may do it.
///
/// # Errors
/// [`Code::ScopeMissing`].
pub(crate) fn require(key: &ApiKey, scope: Scope) -> Result<(), Problem> {
    if key.scopes.contains(&scope) {
        return Ok(());
    }
    Err(Problem::new(Code::ScopeMissing, format!("the API key lacks the scope {}", scope.as_str())))
}

/// The secret that the request carries (RFC 6750, section 2.1).
fn bearer(request: &HttpRequest) -> Result<&str, Problem> {
    const EXPECTED: &str = "send the API key in the header `Authorization: Bearer sy_test_...`";
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let (Some(value), None) = (headers.next(), headers.next()) else { return Err(unauthorized(EXPECTED)) };
    let (scheme, secret) = value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    let secret = secret.trim_matches(' ');
    let well_formed = scheme.eq_ignore_ascii_case("bearer")
        && secret.len() <= SECRET_BYTES_MAX
        && (secret.starts_with("sy_test_") || secret.starts_with("sy_live_"));
    if well_formed { Ok(secret) } else { Err(unauthorized(EXPECTED)) }
}

fn unauthorized(detail: &'static str) -> Problem {
    Problem::new(Code::Unauthorized, detail)
}

/// An empty list allows all. IPv4 in the dress of IPv6 is IPv4.
fn address_allowed(allowed: &[IpAddr], peer: Option<IpAddr>) -> bool {
    allowed.is_empty()
        || peer.is_some_and(|peer| allowed.iter().any(|address| address.to_canonical() == peer.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn key(pepper: &Pepper, secret: &str) -> ApiKey {
        let merchant = MerchantName::new("shop").unwrap();
        ApiKey {
            hash: pepper.api_key_hash(secret),
            addresses: Vec::new(),
            scopes: vec![Scope::PaymentsRead],
            ..sandbox_key(pepper, merchant)
        }
    }

    fn ask(keys: &Keys, authorization: &str, peer: &str) -> Result<Arc<ApiKey>, &'static str> {
        let request = TestRequest::default()
            .insert_header(("authorization", authorization))
            .peer_addr(peer.parse().unwrap())
            .to_http_request();
        keys.of(&request, Timestamp(1_000)).map_err(|problem| problem.code.name())
    }

    #[test]
    fn keys_are_known_by_their_secret_alone() {
        let pepper = Pepper::new(b"pepper");
        let keys = Keys::new(pepper.clone(), vec![sandbox_key(&pepper, MerchantName::new("demo").unwrap())]);
        keys.replace(vec![key(&pepper, "sy_test_a"), key(&Pepper::new(b"other"), "sy_test_b")]);
        let peer = "127.0.0.1:1";
        assert_eq!(ask(&keys, "Bearer sy_test_a", peer).unwrap().merchant.as_str(), "shop");
        assert_eq!(ask(&keys, "bearer  sy_test_a ", peer).unwrap().merchant.as_str(), "shop");
        assert_eq!(ask(&keys, "Bearer sy_test_sandbox", peer).unwrap().merchant.as_str(), "demo");
        for wrong in ["Bearer sy_test_b", "Bearer sy_live_a", "Basic sy_test_a", "sy_test_a", "Bearer", "Bearer a", ""]
        {
            assert_eq!(ask(&keys, wrong, peer).unwrap_err(), "unauthorized", "{wrong}");
        }
        assert_eq!(ask(&keys, &format!("Bearer sy_test_{}", "a".repeat(300)), peer).unwrap_err(), "unauthorized");
        let none = TestRequest::default().to_http_request();
        assert!(keys.of(&none, Timestamp(0)).is_err());
        let two = TestRequest::default()
            .append_header(("authorization", "Bearer sy_test_a"))
            .append_header(("authorization", "Bearer sy_test_a"))
            .to_http_request();
        assert!(keys.of(&two, Timestamp(0)).is_err());
    }

    #[test]
    fn age_revocation_and_address_are_checked() {
        let pepper = Pepper::new(b"pepper");
        let keys = Keys::new(pepper.clone(), Vec::new());
        keys.replace(vec![
            ApiKey { expires_at: Some(Timestamp(1_000)), ..key(&pepper, "sy_test_old") },
            ApiKey { expires_at: Some(Timestamp(1_001)), ..key(&pepper, "sy_test_young") },
            ApiKey { revoked_at: Some(Timestamp(1)), ..key(&pepper, "sy_test_revoked") },
            ApiKey { addresses: vec![[10, 0, 0, 1].into()], ..key(&pepper, "sy_test_office") },
        ]);
        let peer = "[::ffff:10.0.0.1]:1";
        assert_eq!(ask(&keys, "Bearer sy_test_old", peer).unwrap_err(), "key_expired");
        assert!(ask(&keys, "Bearer sy_test_young", peer).is_ok());
        assert_eq!(ask(&keys, "Bearer sy_test_revoked", peer).unwrap_err(), "key_revoked");
        assert!(ask(&keys, "Bearer sy_test_office", peer).is_ok());
        assert_eq!(ask(&keys, "Bearer sy_test_office", "10.0.0.2:1").unwrap_err(), "address_not_allowed");
        keys.replace(Vec::new());
        assert_eq!(ask(&keys, "Bearer sy_test_young", peer).unwrap_err(), "unauthorized");
    }

    #[test]
    fn scopes_are_required() {
        let key = key(&Pepper::new(b"pepper"), "sy_test_a");
        assert!(require(&key, Scope::PaymentsRead).is_ok());
        let problem = require(&key, Scope::RefundsWrite).unwrap_err();
        assert_eq!(problem.code, Code::ScopeMissing);
        assert!(problem.detail.contains("refunds:write"));
    }
}
