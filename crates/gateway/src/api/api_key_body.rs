//! The body of `POST /v1/api_keys`, and how far a key may go in issuing others.

use super::faults::{Faults, did_you_mean};
use super::fields::{Fields, read_body};
use super::json::Json;
use super::problem::{Code, Problem};
use super::versions::Version;
use crate::cli::expiry;
use switchyard_core::id::KeyId;
use switchyard_core::{Network, Timestamp};
use switchyard_store::{ApiKey, Scope};
use uuid::Uuid;

/// Longest label, in characters.
const LABEL_CHARS_MAX: usize = 200;

/// Networks of one key at most.
const ADDRESSES_MAX: usize = 100;

/// What is asked of a new key. What is left out is as the issuing key has it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct NewApiKey {
    scopes: Vec<Scope>,
    label: String,
    expires_at: Option<Timestamp>,
    addresses: Option<Vec<Network>>,
    version: Option<Version>,
}

/// Reads it.
pub(super) fn read(body: Json<'_>, now: Timestamp, faults: &mut Faults) -> Option<NewApiKey> {
    read_body(body, faults, |fields| {
        fields.require("scopes");
        let scopes = scopes(fields);
        let label = fields.text("label", 0..=LABEL_CHARS_MAX);
        let expires_at = expires_at(fields, now);
        let addresses = addresses(fields);
        let names = Version::ALL.iter().map(|version| version.name());
        let version = fields.choice("version", "a version of the API", names, Version::from_name);
        let label = label.unwrap_or_default().into_owned();
        Some(NewApiKey { scopes: scopes?, label, expires_at, addresses, version })
    })
}

fn scopes(fields: &mut Fields<'_, '_>) -> Option<Vec<Scope>> {
    let mut scopes = Vec::new();
    for name in fields.texts("scopes", 1..=Scope::ALL.len())? {
        match Scope::from_name(&name) {
            Some(scope) => scopes.push(scope),
            None => {
                let near = did_you_mean(&name, Scope::ALL.iter().map(|scope| scope.as_str()));
                fields.fault("scopes", "unknown_value", format!("must hold names of scopes{near}"));
            }
        }
    }
    scopes.sort_unstable();
    scopes.dedup();
    Some(scopes)
}

fn expires_at(fields: &mut Fields<'_, '_>, now: Timestamp) -> Option<Timestamp> {
    let expected = "a time such as 2027-01-31T00:00:00Z (RFC 3339)";
    let at = fields.parsed("expires_at", 1..=64, expected, expiry::parse)?;
    if at <= now {
        fields.fault("expires_at", "invalid_value", "must be in the future");
    }
    Some(at)
}

fn addresses(fields: &mut Fields<'_, '_>) -> Option<Vec<Network>> {
    let texts = fields.texts("addresses", 0..=ADDRESSES_MAX)?;
    let mut networks = Vec::with_capacity(texts.len());
    for (text, place) in texts.into_iter().zip(0_usize..) {
        match Network::parse(&text) {
            Ok(network) => networks.push(network),
            Err(error) => fields.fault(&format!("addresses[{place}]"), "invalid_value", error.to_string()),
        }
    }
    Some(networks)
}

/// The new key, without id and hash: of the issuer's merchant and mode, and in nothing freer than the issuer.
///
/// # Errors
/// [`Code::ScopeNotHeld`], [`Code::ExpiryTooLate`] or [`Code::AddressesTooWide`], with all that is too much.
pub(super) fn under(issuer: &ApiKey, asked: NewApiKey, now: Timestamp) -> Result<ApiKey, Problem> {
    let addresses = asked.addresses.unwrap_or_else(|| issuer.addresses.clone());
    let expires_at = asked.expires_at.or(issuer.expires_at);
    let mut faults = Faults::default();
    let mut code = None;
    for scope in asked.scopes.iter().filter(|scope| !issuer.scopes.contains(scope)) {
        code = code.or(Some(Code::ScopeNotHeld));
        faults.add("scopes", Code::ScopeNotHeld.name(), format!("the issuing key does not hold {}", scope.as_str()));
    }
    if issuer.expires_at.is_some_and(|end| expires_at.is_none_or(|asked| asked > end)) {
        code = code.or(Some(Code::ExpiryTooLate));
        faults.add("expires_at", Code::ExpiryTooLate.name(), "is later than that of the issuing key");
    }
    if !within(&addresses, &issuer.addresses) {
        code = code.or(Some(Code::AddressesTooWide));
        faults.add("addresses", Code::AddressesTooWide.name(), "allow what those of the issuing key do not");
    }
    if let Some(code) = code {
        let detail = "a key issues only keys that may do no more than itself, see errors";
        return Err(Problem { errors: faults.into_list(), ..Problem::new(code, detail) });
    }
    Ok(ApiKey {
        id: KeyId::from_uuid(Uuid::nil()),
        hash: [0; 32],
        merchant: issuer.merchant.clone(),
        mode: issuer.mode,
        scopes: asked.scopes,
        label: asked.label,
        addresses,
        created_at: now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
        rate: issuer.rate,
        version: asked.version.map_or_else(|| issuer.version.clone(), |version| version.name().to_owned()),
    })
}

/// Whether a list allows nothing that the other does not. An empty one allows all.
fn within(asked: &[Network], held: &[Network]) -> bool {
    held.is_empty() || (!asked.is_empty() && asked.iter().all(|network| held.iter().any(|held| held.covers(network))))
}

#[cfg(test)]
mod tests {
    use super::super::{Pepper, json, sandbox_key};
    use super::*;
    use switchyard_core::MerchantName;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn issuer() -> ApiKey {
        ApiKey {
            scopes: vec![Scope::PaymentsRead, Scope::KeysManage],
            addresses: ["10.0.0.0/8", "2001:db8::/32"].map(|text| Network::parse(text).unwrap()).into(),
            expires_at: expiry::parse("2027-01-31T00:00:00Z"),
            ..sandbox_key(&Pepper::new(b"pepper"), MerchantName::new("demo").unwrap())
        }
    }

    fn asked(body: &str) -> Result<NewApiKey, Vec<String>> {
        let document = json::parse(body.as_bytes()).unwrap();
        let mut faults = Faults::default();
        read(document.value, NOW, &mut faults).ok_or_else(|| {
            faults
                .into_list()
                .iter()
                .map(|fault| format!("{} {}: {}", fault.field, fault.code, fault.message))
                .collect()
        })
    }

    fn codes(body: &str) -> Vec<&'static str> {
        match under(&issuer(), asked(body).unwrap(), NOW) {
            Ok(_) => Vec::new(),
            Err(problem) => {
                assert_eq!(problem.code.name(), problem.errors[0].code);
                problem.errors.iter().map(|fault| fault.code).collect()
            }
        }
    }

    #[test]
    fn all_faults_are_told() {
        let told = asked(
            r#"{"scopes": ["payment:read", "x"], "label": "a\nb", "expires_at": "1970-01-01T00:00:01Z",
                "addresses": ["10.0.0.1/8", "home"], "version": "2026-11-23", "merchant": "other", "mode": "live"}"#,
        );
        assert_eq!(
            told.unwrap_err(),
            [
                "scopes unknown_value: must hold names of scopes; did you mean `payments:read`?",
                "scopes unknown_value: must hold names of scopes",
                "label invalid_value: must not hold control characters",
                "expires_at invalid_value: must be in the future",
                "addresses[0] invalid_value: has bits set after its prefix: is one address meant, or 10.0.0.0/8?",
                "addresses[1] invalid_value: is no IP address or network such as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32",
                "version unknown_value: must be a version of the API; did you mean `2026-11-01`?",
                "merchant unknown_field: there is no such field",
                "mode unknown_field: there is no such field",
            ]
        );
        assert_eq!(asked("{}").unwrap_err(), ["scopes required: is required"]);
        assert_eq!(asked(r#"{"scopes": []}"#).unwrap_err().len(), 1);
    }

    #[test]
    fn what_is_left_out_is_as_the_issuer_has_it() {
        let key = under(&issuer(), asked(r#"{"scopes": ["payments:read"]}"#).unwrap(), NOW).unwrap();
        let issuer = issuer();
        assert_eq!((&key.addresses, key.expires_at), (&issuer.addresses, issuer.expires_at));
        assert_eq!((&key.merchant, key.mode, &key.version), (&issuer.merchant, issuer.mode, &issuer.version));
        assert_eq!(key.scopes, [Scope::PaymentsRead]);
    }

    #[test]
    fn nothing_is_freer_than_the_issuer() {
        let narrower = r#"{"scopes": ["payments:read"], "addresses": ["10.9.0.0/16", "2001:db8::7"],
            "expires_at": "2027-01-30T23:59:59Z"}"#;
        assert_eq!(codes(narrower), [""; 0]);
        assert_eq!(codes(r#"{"scopes": ["payments:read", "refunds:write"]}"#), ["scope_not_held"]);
        let late = r#"{"scopes": ["payments:read"], "expires_at": "2027-01-31T00:00:01Z"}"#;
        assert_eq!(codes(late), ["expiry_too_late"]);
        for addresses in [r#"[]"#, r#"["10.0.0.0/7"]"#, r#"["10.0.0.1", "192.0.2.1"]"#, r#"["::/0"]"#] {
            let body = format!(r#"{{"scopes": ["payments:read"], "addresses": {addresses}}}"#);
            assert_eq!(codes(&body), ["addresses_too_wide"], "{addresses}");
        }
        let all = r#"{"scopes": ["payouts:write"], "addresses": [], "expires_at": "2030-01-01T00:00:00Z"}"#;
        assert_eq!(codes(all), ["scope_not_held", "expiry_too_late", "addresses_too_wide"]);
        let free = ApiKey { addresses: Vec::new(), expires_at: None, ..issuer() };
        assert!(under(&free, asked(r#"{"scopes": ["keys:manage"]}"#).unwrap(), NOW).is_ok());
    }
}
