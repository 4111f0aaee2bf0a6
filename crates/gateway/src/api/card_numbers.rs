//! Where card numbers may stand in a request: nowhere.

use super::json::{Document, Json};
use switchyard_core::card::holds_card_number;

/// Fewest digits of a card number.
const DIGITS_MIN: usize = 13;

/// Whether a card number stands in `text`.
///
/// A text that is an identifier as a whole, a UUID or one of ours, is no card number: about one in thirty thousand
/// random ones looks like it, and a payment whose id is refused could never be asked for again.
pub(crate) fn in_text(text: &str) -> bool {
    text.len() >= DIGITS_MIN
        && holds_card_number(text)
        && !is_uuid(text)
        && !is_simple_uuid(text)
        && !is_object_id(text)
}

/// Whether a card number stands in the path of an address, percent-encoded or not.
pub(crate) fn in_path(path: &str) -> bool {
    let found = |path: &str| path.split('/').any(in_text);
    found(path) || (path.contains('%') && found(&percent_decoded(path)))
}

/// Whether a card number stands in a header, which may quote its value.
pub(crate) fn in_header(value: &str) -> bool {
    in_text(value) && !is_uuid(value.trim_matches('"')) && !is_trace_parent(value)
}

/// Whether a card number stands anywhere in a body: names, texts, numbers. The customer's phone is exempt where it is
/// one (E.164). `bytes` are the body as it came.
pub(crate) fn in_body(document: &Document<'_>, bytes: &[u8]) -> bool {
    // Numbers with a fraction have lost digits by now. A document with any is refused whatever it says.
    if document.decimals && std::str::from_utf8(bytes).is_ok_and(holds_card_number) {
        return true;
    }
    let Json::Object(members) = &document.value else { return in_value(&document.value) };
    members.iter().any(|(name, value)| match value {
        Json::Object(customer) if name == "customer" => {
            customer.iter().any(|(name, value)| in_text(name) || (!is_phone(name, value) && in_value(value)))
        }
        Json::Null
        | Json::Bool(_)
        | Json::Integer(_)
        | Json::LargeInteger(_)
        | Json::Decimal(_)
        | Json::Text(_)
        | Json::Array(_)
        | Json::Object(_) => in_text(name) || in_value(value),
    })
}

fn in_value(value: &Json<'_>) -> bool {
    match value {
        Json::Null | Json::Bool(_) | Json::Decimal(_) => false,
        Json::Integer(number) => number.unsigned_abs() >= 10_u64.pow(12) && in_text(&number.unsigned_abs().to_string()),
        Json::LargeInteger(number) => in_text(&number.to_string()),
        Json::Text(text) => in_text(text),
        Json::Array(items) => items.iter().any(in_value),
        Json::Object(members) => members.iter().any(|(name, value)| in_text(name) || in_value(value)),
    }
}

fn is_phone(name: &str, value: &Json<'_>) -> bool {
    name == "phone" && matches!(value, Json::Text(text) if is_e164(text))
}

/// RFC 3986, section 2.1. What is no such code stays as it is.
fn percent_decoded(path: &str) -> String {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = (first == b'%').then(|| tail.get(..2).and_then(|code| std::str::from_utf8(code).ok())).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// A phone number as ITU-T E.164 writes it: `+`, a country code that never starts with 0, 15 digits at most.
pub(crate) fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// RFC 9562, section 4, with a version that exists and at least one letter, so that nothing but digits can be dressed
/// up as one.
fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    let hyphens = [8, 13, 18, 23];
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match hyphens.contains(&at) {
            true => *byte == b'-',
            false => byte.is_ascii_hexdigit(),
        })
        && bytes.iter().any(u8::is_ascii_alphabetic)
        && matches!(bytes.get(14), Some(b'1'..=b'8'))
        && matches!(bytes.get(19), Some(b'8' | b'9' | b'a'..=b'd' | b'A'..=b'D'))
}

/// One of our own: a short prefix, `_`, 32 hexadecimal digits of a UUID version 7.
fn is_object_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(prefix, digits)| {
        (2..=4).contains(&prefix.len())
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
            && is_simple_uuid(digits)
    })
}

/// The 32 digits of a UUID version 7, as our ids and cursors have them.
fn is_simple_uuid(digits: &str) -> bool {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digits.len() == 32 && digits.as_bytes().get(12) == Some(&b'7') && digits.bytes().all(lower)
}

/// W3C Trace Context, section 3.2: hexadecimal groups that proxies make by chance.
fn is_trace_parent(text: &str) -> bool {
    let groups = [2, 32, 16, 2];
    text.split('-').count() == groups.len()
        && text
            .split('-')
            .zip(groups)
            .all(|(group, len)| group.len() == len && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json::parse;

    fn found(body: &str) -> bool {
        in_body(&parse(body.as_bytes()).unwrap(), body.as_bytes())
    }

    #[test]
    fn card_numbers_are_found_in_every_place() {
        for body in [
            r#"{"reference": "4242424242424242"}"#,
            r#"{"reference": "4242 4242 4242 4242"}"#,
            r#"{"reference": "\u0034242-4242-4242-4242"}"#,
            r#"{"4242424242424242": 1}"#,
            r#"{"amount": 4242424242424242}"#,
            r#"{"amount": -4242424242424242}"#,
            r#"{"amount": 4242424242424242.0}"#,
            r#"{"amount": 4242424242424242e0}"#,
            r#"{"metadata": {"a": "card 378282246310005"}}"#,
            r#"{"metadata": {"378282246310005": "a"}}"#,
            r#"{"payment_method": {"tokens": {"x": {"y": [[4242424242424242]]}}}}"#,
            r#"{"customer": {"name": "5555555555554444"}}"#,
            r#"{"customer": {"phone": "378282246310005"}}"#,
            r#"{"customer": {"phone": "+37 8282 2463 10005"}}"#,
            r#"{"phone": "+378282246310005"}"#,
            r#"{"billing_address": {"phone": "+378282246310005"}}"#,
            r#""4242424242424242""#,
            r#"{"a": 1, "a": "4242424242424242"}"#,
        ] {
            assert!(found(body), "{body}");
        }
    }

    #[test]
    fn paths_are_read_as_they_are_meant() {
        for path in [
            "/v1/payments/4242424242424242",
            "/4242%204242%204242%204242",
            "/%34242424242424242/x",
            "/4242%2D42424242%2d4242",
        ] {
            assert!(in_path(path), "{path}");
        }
        for path in ["/v1/payments/pay_01970000000070008000000004242424", "/42424242/42424242", "/%", "/%4", "/%zz"] {
            assert!(!in_path(path), "{path}");
        }
    }

    #[test]
    fn phones_and_identifiers_pass() {
        for body in [
            r#"{"customer": {"phone": "+378282246310005"}}"#,
            r#"{"reference": "42424242-4242-4242-a000-000000000000"}"#,
            r#"{"reference": "pay_01970000000070008000000004242424"}"#,
            r#"{"amount": 999999999999}"#,
        ] {
            assert!(!found(body), "{body}");
        }
        assert!(!in_header("00-4242424242424242a000000000000000-4242424242424242-01"));
        assert!(in_header("4242-4242-4242-4242"));
        assert!(in_text("42424242-4242-4242-8000-000000000000"), "a card number in the dress of a UUID");
    }
}
