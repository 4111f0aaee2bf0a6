//! How many requests are taken: of each API key, and of each address that has none.
//!
//! The headers are those of draft-ietf-httpapi-ratelimit-headers-10.

use super::problem::{Code, Problem};
use actix_web::http::header::{HeaderName, HeaderValue};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use switchyard_coordination::{Coordination, InProcess, Limit, Taken};
use switchyard_core::Timestamp;
use switchyard_core::id::KeyId;
use switchyard_store::Rate;

/// What is allowed at all.
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What of it is left.
pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Whom a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Whoever has the API key.
    Key,
    /// Whoever calls from the address, without a key that works.
    Address,
}

impl By {
    /// The name in headers and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Address => "address",
        }
    }
}

/// A limit, with the header that tells it.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    by: By,
    limit: Limit,
    shown: HeaderValue,
}

impl Policy {
    /// Of a rate.
    pub(crate) fn new(by: By, rate: Rate) -> Self {
        let limit = Limit { per_second: rate.per_second, burst: rate.burst };
        // A bucket has no window; the time in which an empty one fills comes nearest to it.
        let window = rate.burst.get().div_ceil(rate.per_second.get());
        let shown = format!("\"{}\";q={};w={window}", by.as_str(), rate.burst);
        // Letters and digits are always a header's value.
        let shown = HeaderValue::try_from(shown).unwrap_or(HeaderValue::from_static("\"none\""));
        Self { by, limit, shown }
    }

    /// Whether it comes of that rate.
    pub(crate) fn is_of(&self, rate: Rate) -> bool {
        self.limit.per_second == rate.per_second && self.limit.burst == rate.burst
    }
}

/// The buckets.
pub(crate) struct Limits {
    keys: Arc<dyn Coordination>,
    /// Apart, and bounded: however many addresses there are, no key's bucket is forgotten for them.
    addresses: InProcess,
    strangers: Policy,
}

impl Limits {
    /// Keys' tokens are those of `coordination`; addresses' are this process's own.
    pub(crate) fn new(coordination: Arc<dyn Coordination>, address: Rate) -> Self {
        let addresses = InProcess::new(Vec::new());
        Self { keys: coordination, addresses, strangers: Policy::new(By::Address, address) }
    }

    /// Takes a token of the key's.
    pub(super) fn of_key(&self, key: KeyId, policy: &Policy, now: Timestamp) -> Allowance {
        Allowance::new(policy, self.keys.take(*key.uuid().as_bytes(), now, policy.limit))
    }

    /// Takes a token of the address's. One whose peer is unknown shares a bucket with its like.
    pub(super) fn of_address(&self, peer: Option<IpAddr>, now: Timestamp) -> Allowance {
        let taken = self.addresses.take(bucket(peer), now, self.strangers.limit);
        Allowance::new(&self.strangers, taken)
    }
}

/// IPv4 addresses one by one; IPv6 by the 64 bits that a subscriber gets at least.
fn bucket(peer: Option<IpAddr>) -> [u8; 16] {
    let bits = match peer.map(|peer| peer.to_canonical()) {
        Some(IpAddr::V4(v4)) => v4.to_ipv6_mapped().to_bits(),
        Some(IpAddr::V6(v6)) => v6.to_bits() & !u128::from(u64::MAX),
        None => u128::MAX,
    };
    bits.to_be_bytes()
}

/// What asking for a token came to.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    by: By,
    policy: HeaderValue,
    taken: Taken,
}

impl Allowance {
    fn new(policy: &Policy, taken: Taken) -> Self {
        Self { by: policy.by, policy: policy.shown.clone(), taken }
    }

    /// Whom it was for.
    pub(super) const fn by(&self) -> By {
        self.by
    }

    /// The refusal, where there was no token.
    pub(super) fn refusal(&self) -> Option<Problem> {
        if self.taken.allowed {
            return None;
        }
        let detail = match self.by {
            By::Key => "this API key asks faster than it may; nothing was recorded and nothing was sent",
            By::Address => "too many requests without a valid API key came from your address",
        };
        Some(Problem::new(Code::RateLimited, detail).retry_after(self.taken.retry_after))
    }

    /// The headers that tell of it.
    pub(super) fn headers(&self) -> (HeaderValue, Option<HeaderValue>) {
        let left = format!("\"{}\";r={};t={}", self.by.as_str(), self.taken.remaining, seconds(self.taken.reset));
        (self.policy.clone(), HeaderValue::try_from(left).ok())
    }
}

/// Whole seconds, begun ones counted.
fn seconds(span: Duration) -> u64 {
    span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;
    use uuid::Uuid;

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate { per_second: NonZeroU32::new(per_second).unwrap(), burst: NonZeroU32::new(burst).unwrap() }
    }

    fn shown(allowance: &Allowance) -> (String, String) {
        let (policy, left) = allowance.headers();
        (policy.to_str().unwrap().to_owned(), left.unwrap().to_str().unwrap().to_owned())
    }

    #[test]
    fn each_key_has_a_bucket_and_is_told_what_is_left() {
        let limits = Limits::new(Arc::new(InProcess::new(Vec::new())), rate(1, 1));
        let policy = Policy::new(By::Key, rate(2, 3));
        let key = |number| KeyId::from_uuid(Uuid::from_u128(number));
        let at = |millis: i64| Timestamp(1_000_000 + millis);
        let first = limits.of_key(key(1), &policy, at(0));
        assert_eq!(shown(&first), ("\"key\";q=3;w=2".into(), "\"key\";r=2;t=1".into()));
        assert_eq!(first.refusal(), None);
        limits.of_key(key(1), &policy, at(0));
        assert_eq!(limits.of_key(key(1), &policy, at(0)).refusal(), None);
        let refused = limits.of_key(key(1), &policy, at(0));
        let problem = refused.refusal().unwrap();
        assert_eq!((problem.code, problem.retry_after_seconds), (Code::RateLimited, Some(1)));
        assert_eq!(shown(&refused).1, "\"key\";r=0;t=2");
        assert_eq!(limits.of_key(key(2), &policy, at(0)).refusal(), None);
        assert_eq!(limits.of_key(key(1), &policy, at(500)).refusal(), None);
    }

    #[test]
    fn strangers_share_a_bucket_with_their_network() {
        let limits = Limits::new(Arc::new(InProcess::new(Vec::new())), rate(1, 1));
        let ask = |peer: &str| limits.of_address(Some(peer.parse().unwrap()), Timestamp(0)).refusal().is_none();
        assert!(ask("192.0.2.1") && !ask("192.0.2.1") && !ask("::ffff:192.0.2.1"));
        assert!(ask("192.0.2.2"));
        assert!(ask("2001:db8::1") && !ask("2001:db8::2") && ask("2001:db8:0:1::1"));
    }
}
