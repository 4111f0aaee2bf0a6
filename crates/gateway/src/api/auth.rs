//! API keys: who asks, and what they may do.

use super::fingerprint::Pepper;
use super::limits::{By, Policy};
use super::problem::{Code, Problem};
use super::versions::Version;
use crate::config::merchants::Rates;
use actix_web::HttpRequest;
use actix_web::http::header;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subtle::ConstantTimeEq;
use switchyard_core::id::KeyId;
use switchyard_core::{MerchantName, Mode, Network, Timestamp};
use switchyard_store::{ApiKey, Rate, Scope};
use uuid::Uuid;

/// The key that every example of the docs uses. Only ever valid in the sandbox, on loopback.
pub(crate) const SANDBOX_KEY: &str = "sy_test_sandbox";

/// Longest secret that is hashed, in bytes; ours have some fifty.
const SECRET_BYTES_MAX: usize = 256;

/// A use is written down where the last one that was is older than this, in milliseconds.
const USE_NOTED_MILLIS: i64 = 60_000;

/// Every API key there is, replaced as a whole when the ledger has news of them.
pub(crate) struct Keys {
    pepper: Pepper,
    /// Those that are not in the ledger.
    fixed: Vec<ApiKey>,
    /// What a key may ask where nothing else is said.
    rate: Rate,
    known: ArcSwap<Known>,
    news: Mutex<News>,
}

type Known = HashMap<[u8; 32], Arc<Held>>;

/// What changes the keys; whoever changes them holds it.
#[derive(Default)]
struct News {
    /// How often keys were learned.
    learned: u64,
    /// Keys that the ledger got while it may have been read, each with its number.
    keys: Vec<(u64, ApiKey)>,
    /// What keys of some merchants may ask.
    rates: Rates,
}

/// A key, and what goes with it.
pub(crate) struct Held {
    pub(crate) key: Arc<ApiKey>,
    /// How much it may ask.
    pub(crate) policy: Policy,
    /// When it was used last, in milliseconds; shared with what takes its place.
    used: Arc<AtomicI64>,
}

impl Keys {
    /// Without the ledger's keys. `fixed` ones are always there: the sandbox's, or none.
    pub(crate) fn new(pepper: Pepper, fixed: Vec<ApiKey>, rate: Rate) -> Self {
        let keys = Self { pepper, fixed, rate, known: ArcSwap::default(), news: Mutex::default() };
        keys.replace(Vec::new(), keys.mark());
        keys
    }

    /// From here on what is learned outlives the next [`Self::replace`]: to be taken before the ledger is read.
    pub(crate) fn mark(&self) -> u64 {
        self.news().learned
    }

    /// Takes the ledger's keys for all there are, revoked and expired ones included, so that these are told apart from
    /// unknown ones; and with them what was learned after the mark.
    pub(crate) fn replace(&self, keys: Vec<ApiKey>, mark: u64) {
        let mut news = self.news();
        news.keys.retain(|(number, _)| *number > mark);
        let before = self.known.load();
        let all = keys.into_iter().chain(self.fixed.iter().cloned());
        let mut known: Known = all.map(|key| (key.hash, self.held(key, &before, &news.rates))).collect();
        for (_, key) in &news.keys {
            // What the ledger was read to hold may be older than this, or newer; but no revocation is ever taken back.
            if known.get(&key.hash).is_none_or(|held| held.key.revoked_at.is_none()) {
                known.insert(key.hash, self.held(key.clone(), &before, &news.rates));
            }
        }
        self.known.store(Arc::new(known));
    }

    /// Takes a key as the ledger has it by now: it works, or is refused, from here on.
    pub(crate) fn learn(&self, key: ApiKey) {
        let mut news = self.news();
        news.learned = news.learned.saturating_add(1);
        let number = news.learned;
        news.keys.push((number, key.clone()));
        let mut known = Known::clone(&self.known.load());
        let held = self.held(key, &known, &news.rates);
        known.insert(held.key.hash, held);
        self.known.store(Arc::new(known));
    }

    /// Sets what keys of some merchants may ask; it holds from the next [`Self::replace`] on.
    pub(crate) fn rates(&self, rates: Rates) {
        self.news().rates = rates;
    }

    /// The key of a request.
    ///
    /// # Errors
    /// [`Code::Unauthorized`], [`Code::KeyExpired`], [`Code::KeyRevoked`] or [`Code::AddressNotAllowed`].
    pub(crate) fn of(&self, request: &HttpRequest, now: Timestamp) -> Result<Arc<Held>, Problem> {
        let secret = bearer(request)?;
        let hash = self.pepper.api_key_hash(secret);
        let held = match self.known.load().get(&hash) {
            // The map finds by part of the hash; that the rest is equal is told without telling how much of it.
            Some(held) if bool::from(held.key.hash.ct_eq(&hash)) => Arc::clone(held),
            _ => return Err(unauthorized("the API key is unknown")),
        };
        let key = &held.key;
        if key.revoked_at.is_some() {
            return Err(Problem::new(Code::KeyRevoked, "this API key was revoked; use another one"));
        }
        if key.expires_at.is_some_and(|end| end <= now) {
            return Err(Problem::new(Code::KeyExpired, "this API key has expired; use another one"));
        }
        if !address_allowed(&key.addresses, request.peer_addr().map(|peer| peer.ip())) {
            return Err(Problem::new(Code::AddressNotAllowed, "this API key may not be used from your address"));
        }
        held.use_at(now);
        Ok(held)
    }

    /// The ledger's keys that pass, each with its last use.
    pub(crate) fn filtered(&self, passes: impl Fn(&ApiKey) -> bool) -> Vec<Arc<ApiKey>> {
        let known = self.known.load();
        let theirs = known.values().filter(|held| !self.is_fixed(&held.key) && passes(&held.key));
        theirs.map(|held| held.with_use()).collect()
    }

    /// The uses that are worth writing down: of each key the first one, and one a minute at most.
    pub(crate) fn uses(&self) -> Vec<(KeyId, Timestamp)> {
        let known = self.known.load();
        let theirs = known.values().filter(|held| !self.is_fixed(&held.key));
        theirs.filter_map(|held| held.unwritten().map(|at| (held.key.id, at))).collect()
    }

    fn is_fixed(&self, key: &ApiKey) -> bool {
        self.fixed.iter().any(|fixed| fixed.hash == key.hash)
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was held of the key before, where nothing has changed.
    fn held(&self, key: ApiKey, before: &Known, rates: &Rates) -> Arc<Held> {
        let rate = key.rate.or_else(|| rates.get(&key.merchant).copied()).unwrap_or(self.rate);
        let before = before.get(&key.hash);
        if let Some(before) = before
            && before.policy.is_of(rate)
            && *before.key == key
        {
            return Arc::clone(before);
        }
        let used = before.map_or_else(Arc::default, |before| Arc::clone(&before.used));
        Arc::new(Held { key: Arc::new(key), policy: Policy::new(By::Key, rate), used })
    }
}

impl Held {
    fn use_at(&self, now: Timestamp) {
        // Most requests only read: workers do not take the line from each other's caches for the same millisecond.
        if self.used.load(Ordering::Relaxed) < now.0 {
            self.used.store(now.0, Ordering::Relaxed);
        }
    }

    /// When it was used last in this process, where it was.
    fn used(&self) -> Option<Timestamp> {
        Some(Timestamp(self.used.load(Ordering::Relaxed))).filter(|at| at.0 > 0)
    }

    fn unwritten(&self) -> Option<Timestamp> {
        let written = self.key.last_used_at;
        self.used().filter(|at| written.is_none_or(|written| at.0.saturating_sub(written.0) >= USE_NOTED_MILLIS))
    }

    fn with_use(&self) -> Arc<ApiKey> {
        let last_used_at = self.used().max(self.key.last_used_at);
        if last_used_at == self.key.last_used_at {
            return Arc::clone(&self.key);
        }
        Arc::new(ApiKey { last_used_at, ..ApiKey::clone(&self.key) })
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
        addresses: [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16])].map(Network::from).into(),
        created_at: Timestamp(0),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        rate: None,
        version: Version::NEWEST.name().to_owned(),
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

/// An empty list allows all.
fn address_allowed(allowed: &[Network], peer: Option<IpAddr>) -> bool {
    allowed.is_empty() || peer.is_some_and(|peer| allowed.iter().any(|network| network.contains(peer)))
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
        keys.of(&request, Timestamp(1_000)).map(|held| Arc::clone(&held.key)).map_err(|problem| problem.code.name())
    }

    fn rate(number: u32) -> Rate {
        let number = std::num::NonZeroU32::new(number).unwrap();
        Rate { per_second: number, burst: number }
    }

    #[test]
    fn keys_are_known_by_their_secret_alone() {
        let pepper = Pepper::new(b"pepper");
        let keys = Keys::new(pepper.clone(), vec![sandbox_key(&pepper, MerchantName::new("demo").unwrap())], rate(9));
        keys.replace(vec![key(&pepper, "sy_test_a"), key(&Pepper::new(b"other"), "sy_test_b")], keys.mark());
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
        let keys = Keys::new(pepper.clone(), Vec::new(), rate(9));
        let all = vec![
            ApiKey { expires_at: Some(Timestamp(1_000)), ..key(&pepper, "sy_test_old") },
            ApiKey { expires_at: Some(Timestamp(1_001)), ..key(&pepper, "sy_test_young") },
            ApiKey { revoked_at: Some(Timestamp(1)), ..key(&pepper, "sy_test_revoked") },
            ApiKey { addresses: vec![IpAddr::from([10, 0, 0, 1]).into()], ..key(&pepper, "sy_test_office") },
        ];
        keys.replace(all, keys.mark());
        let peer = "[::ffff:10.0.0.1]:1";
        assert_eq!(ask(&keys, "Bearer sy_test_old", peer).unwrap_err(), "key_expired");
        assert!(ask(&keys, "Bearer sy_test_young", peer).is_ok());
        assert_eq!(ask(&keys, "Bearer sy_test_revoked", peer).unwrap_err(), "key_revoked");
        assert!(ask(&keys, "Bearer sy_test_office", peer).is_ok());
        assert_eq!(ask(&keys, "Bearer sy_test_office", "10.0.0.2:1").unwrap_err(), "address_not_allowed");
        keys.replace(Vec::new(), keys.mark());
        assert_eq!(ask(&keys, "Bearer sy_test_young", peer).unwrap_err(), "unauthorized");
    }

    #[test]
    fn what_is_learned_while_the_ledger_is_read_is_not_lost() {
        let pepper = Pepper::new(b"pepper");
        let keys = Keys::new(pepper.clone(), Vec::new(), rate(9));
        let peer = "127.0.0.1:1";
        let old = key(&pepper, "sy_test_old");
        let mark = keys.mark();
        keys.learn(key(&pepper, "sy_test_new"));
        keys.learn(ApiKey { revoked_at: Some(Timestamp(1)), ..old.clone() });
        // Read before both.
        keys.replace(vec![old.clone()], mark);
        assert!(ask(&keys, "Bearer sy_test_new", peer).is_ok());
        assert_eq!(ask(&keys, "Bearer sy_test_old", peer).unwrap_err(), "key_revoked");
        // Read after both; the new one was revoked elsewhere meanwhile.
        let revoked = ApiKey { revoked_at: Some(Timestamp(2)), ..key(&pepper, "sy_test_new") };
        keys.replace(vec![revoked], mark);
        assert_eq!(ask(&keys, "Bearer sy_test_new", peer).unwrap_err(), "key_revoked");
        // What was learned before the mark is the ledger's to say.
        keys.replace(vec![old], keys.mark());
        assert!(ask(&keys, "Bearer sy_test_old", peer).is_ok());
        assert_eq!(ask(&keys, "Bearer sy_test_new", peer).unwrap_err(), "unauthorized");
    }

    #[test]
    fn uses_are_noted_once_a_minute_and_outlive_what_the_ledger_says() {
        let pepper = Pepper::new(b"pepper");
        let fixed = ApiKey { id: KeyId::from_uuid(Uuid::max()), ..key(&pepper, "sy_test_fixed") };
        let keys = Keys::new(pepper.clone(), vec![fixed], rate(9));
        let mut used = key(&pepper, "sy_test_a");
        keys.replace(vec![used.clone(), key(&pepper, "sy_test_b")], keys.mark());
        assert_eq!(keys.uses(), []);
        let at = |now| {
            for secret in ["sy_test_a", "sy_test_fixed"] {
                let request = TestRequest::default().insert_header(("authorization", format!("Bearer {secret}")));
                keys.of(&request.to_http_request(), Timestamp(now)).unwrap();
            }
        };
        at(1_000);
        at(2_000);
        assert_eq!(keys.uses(), [(used.id, Timestamp(2_000))]);
        used.last_used_at = Some(Timestamp(2_000));
        keys.replace(vec![used.clone()], keys.mark());
        at(61_999);
        assert_eq!(keys.uses(), []);
        assert_eq!(keys.filtered(|_| true)[0].last_used_at, Some(Timestamp(61_999)));
        at(62_000);
        assert_eq!(keys.uses(), [(used.id, Timestamp(62_000))]);
    }

    #[test]
    fn the_nearest_rate_holds() {
        let pepper = Pepper::new(b"pepper");
        let keys = Keys::new(pepper.clone(), Vec::new(), rate(1));
        let own = ApiKey { rate: Some(rate(3)), ..key(&pepper, "sy_test_own") };
        let load = || {
            keys.replace(vec![key(&pepper, "sy_test_a"), own.clone()], keys.mark());
            let held = |secret| Arc::clone(&keys.known.load()[&pepper.api_key_hash(secret)]);
            [held("sy_test_a"), held("sy_test_own")]
        };
        let [plain, special] = load();
        assert!(plain.policy.is_of(rate(1)) && special.policy.is_of(rate(3)));
        keys.rates([(MerchantName::new("shop").unwrap(), rate(2))].into());
        let [plain, again] = load();
        assert!(plain.policy.is_of(rate(2)) && again.policy.is_of(rate(3)));
        assert!(Arc::ptr_eq(&special, &again), "made anew for nothing");
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
