//! Keyed hashes: of API keys, idempotency keys and requests. Nothing of what they are made of can be read back, or
//! guessed without the pepper.

use super::json::{Json, sorted};
use super::versions::Version;
use ring::hmac;
use switchyard_core::key::IdempotencyKey;
use switchyard_engine::Caller;
use switchyard_store::Claim;

/// The secret behind every keyed hash, one HMAC-SHA256 key for each use.
#[derive(Clone)]
pub(crate) struct Pepper {
    api_keys: hmac::Key,
    idempotency_keys: hmac::Key,
    requests: hmac::Key,
}

impl Pepper {
    /// Derives the keys. The same secret finds the same hashes again; another one finds none of them.
    pub(crate) fn new(secret: &[u8]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derive = |purpose: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, purpose).as_ref());
        Self {
            api_keys: derive(b"switchyard api keys"),
            idempotency_keys: derive(b"switchyard idempotency keys"),
            requests: derive(b"switchyard requests"),
        }
    }

    /// What is kept of an API key's secret.
    pub(crate) fn api_key_hash(&self, secret: &str) -> [u8; 32] {
        leading(&hmac::sign(&self.api_keys, secret.as_bytes()))
    }

    /// The claim of one request on its idempotency key.
    pub(crate) fn claim(&self, caller: &Caller, key: &IdempotencyKey, what: &Asked<'_>) -> Claim {
        let mut text = Vec::with_capacity(what.body_bytes.saturating_add(256));
        put_text(&mut text, caller.merchant.as_str());
        put_text(&mut text, caller.mode.as_str());
        put_text(&mut text, key.as_str());
        let key = leading(&hmac::sign(&self.idempotency_keys, &text));
        text.clear();
        put_text(&mut text, what.method);
        put_text(&mut text, what.path);
        put_json(&mut text, what.body);
        Claim { key, request: leading(&hmac::sign(&self.requests, &text)), form: what.version.number() }
    }
}

/// What a request asks for, as far as a repeat has to be equal.
pub(crate) struct Asked<'a> {
    /// The HTTP method.
    pub(crate) method: &'a str,
    /// The path, without its query.
    pub(crate) path: &'a str,
    /// The parsed body.
    pub(crate) body: &'a Json<'a>,
    /// How long the body was as it came: about what its canonical form takes.
    pub(crate) body_bytes: usize,
    /// The version that it speaks. The body is in the newest one, so that a repeat in another is still a repeat.
    pub(crate) version: Version,
}

/// The first `N` bytes of a tag.
fn leading<const N: usize>(tag: &hmac::Tag) -> [u8; N] {
    // SHA-256 has 32 bytes, and no hash asked for here is longer.
    tag.as_ref().first_chunk().copied().unwrap_or([0; N])
}

/// Writes a value so that equal values give equal bytes, whatever the order of their members, and others never do: each
/// begins with a letter of its own and tells its length first.
fn put_json(out: &mut Vec<u8>, value: &Json<'_>) {
    match value {
        Json::Null => out.push(b'n'),
        Json::Bool(false) => out.push(b'f'),
        Json::Bool(true) => out.push(b't'),
        Json::Integer(number) => put_number(out, b'i', number.to_le_bytes()),
        Json::LargeInteger(number) => put_number(out, b'l', number.to_le_bytes()),
        Json::Decimal(number) => put_number(out, b'd', number.to_bits().to_le_bytes()),
        Json::Text(text) => put_text(out, text),
        Json::Array(items) => {
            put_length(out, b'a', items.len());
            items.iter().for_each(|item| put_json(out, item));
        }
        Json::Object(members) => {
            put_length(out, b'o', members.len());
            for (name, value) in sorted(members) {
                put_text(out, name);
                put_json(out, value);
            }
        }
    }
}

fn put_number(out: &mut Vec<u8>, letter: u8, bytes: [u8; 8]) {
    out.push(letter);
    out.extend_from_slice(&bytes);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_length(out, b's', text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_length(out: &mut Vec<u8>, letter: u8, length: usize) {
    out.push(letter);
    out.extend_from_slice(&u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json::parse;
    use proptest::prelude::*;
    use switchyard_core::{MerchantName, Mode};

    fn caller(merchant: &str, mode: Mode) -> Caller {
        Caller { merchant: MerchantName::new(merchant).unwrap(), mode }
    }

    fn claim(secret: &[u8], caller: &Caller, key: &str, method: &str, path: &str, body: &str) -> Claim {
        let document = parse(body.as_bytes()).unwrap();
        let asked = Asked { method, path, body: &document.value, body_bytes: body.len(), version: Version::NEWEST };
        Pepper::new(secret).claim(caller, &IdempotencyKey::parse(key).unwrap(), &asked)
    }

    #[test]
    fn everything_that_makes_a_request_another_one_is_in_its_claim() {
        let shop = caller("shop", Mode::Test);
        let one = claim(b"p", &shop, "k", "POST", "/v1/payments", r#"{"a": 1, "b": [2]}"#);
        assert_eq!(one, claim(b"p", &shop, "\"k\"", "POST", "/v1/payments", r#"{"b":[2],"a":1}"#));

        let other_requests = [
            claim(b"p", &shop, "k", "POST", "/v1/payments", r#"{"a": 1, "b": [3]}"#),
            claim(b"p", &shop, "k", "POST", "/v1/payments", r#"{"a": 1, "b": [2], "c": null}"#),
            claim(b"p", &shop, "k", "POST", "/v1/payments/x", r#"{"a": 1, "b": [2]}"#),
            claim(b"p", &shop, "k", "PATCH", "/v1/payments", r#"{"a": 1, "b": [2]}"#),
        ];
        for other in other_requests {
            assert_eq!(other.key, one.key);
            assert_ne!(other.request, one.request);
        }
        let other_keys = [
            claim(b"p", &caller("shop2", Mode::Test), "k", "POST", "/v1/payments", "{}"),
            claim(b"p", &caller("shop", Mode::Live), "k", "POST", "/v1/payments", "{}"),
            claim(b"p", &shop, "K", "POST", "/v1/payments", "{}"),
            claim(b"q", &shop, "k", "POST", "/v1/payments", "{}"),
        ];
        assert!(other_keys.iter().all(|other| other.key != one.key));
    }

    #[derive(Clone, Debug)]
    struct Tree(serde_json::Value);

    fn tree() -> impl Strategy<Value = Tree> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            any::<u64>().prop_map(serde_json::Value::from),
            "[a-c]{0,3}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::vec(("[a-c]{0,2}", inner), 0..4)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
        .prop_map(Tree)
    }

    /// The value as text, members in ascending or descending order.
    fn text(value: &serde_json::Value, ascending: bool) -> String {
        match value {
            serde_json::Value::Object(members) => {
                let mut parts: Vec<_> =
                    members.iter().map(|(name, value)| format!("\"{name}\" : {}", text(value, ascending))).collect();
                parts.sort();
                if !ascending {
                    parts.reverse();
                }
                format!("{{{}}}", parts.join(", "))
            }
            serde_json::Value::Array(items) => {
                format!("[{}]", items.iter().map(|item| text(item, ascending)).collect::<Vec<_>>().join(","))
            }
            other @ (serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_)) => other.to_string(),
        }
    }

    fn canonical(body: &str) -> Vec<u8> {
        let mut out = Vec::new();
        put_json(&mut out, &parse(body.as_bytes()).unwrap().value);
        out
    }

    proptest! {
        #[test]
        fn the_order_of_members_makes_no_difference(tree in tree()) {
            prop_assert_eq!(canonical(&text(&tree.0, true)), canonical(&text(&tree.0, false)));
        }

        #[test]
        fn different_documents_differ(a in tree(), b in tree()) {
            let same = canonical(&text(&a.0, true)) == canonical(&text(&b.0, false));
            prop_assert_eq!(same, a.0 == b.0);
        }
    }
}
