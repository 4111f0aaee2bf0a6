//! The parts of a payment's request that tell of the payer.

use super::card_numbers::is_e164;
use super::fields::Fields;
use super::payment_body::country;
use actix_web::http::Uri;
use std::net::IpAddr;
use switchyard_core::limits::URL_BYTES_MAX;
use switchyard_core::provider::{Address, Browser, Customer};

/// A name or a line of an address, in characters.
const LINE_CHARS_MAX: usize = 200;

/// The merchant's id of a customer, in characters.
const CUSTOMER_ID_CHARS_MAX: usize = 100;

/// An address of e-mail, in bytes (RFC 5321, section 4.5.3.1.3, less the brackets).
const EMAIL_BYTES_MAX: usize = 254;

/// A header of the payer's browser, in characters (EMV 3-D Secure 2.2, Browser User-Agent and Accept Headers).
const BROWSER_HEADER_CHARS_MAX: usize = 2048;

/// Minutes that local time can be away from UTC.
const TIMEZONE_MINUTES_MAX: i64 = 14 * 60;

pub(super) fn customer(fields: &mut Fields<'_, '_>) -> Customer {
    Customer {
        id: owned(fields, "id", CUSTOMER_ID_CHARS_MAX),
        name: owned(fields, "name", LINE_CHARS_MAX),
        email: fields.parsed("email", 3..=EMAIL_BYTES_MAX, "an address such as ada@example.com", email),
        phone: fields.parsed("phone", 1..=LINE_CHARS_MAX, "a number in E.164 form, such as +4915123456789", |text| {
            is_e164(text).then(|| text.to_owned())
        }),
        ip: fields.parsed("ip", 2..=LINE_CHARS_MAX, "an IPv4 or IPv6 address", |text| {
            text.parse::<IpAddr>().ok().map(|address| address.to_string())
        }),
        locale: fields.parsed("locale", 2..=35, "a language tag such as de-DE (BCP 47)", language),
    }
}

pub(super) fn address(fields: &mut Fields<'_, '_>) -> Address {
    Address {
        line1: owned(fields, "line1", LINE_CHARS_MAX),
        line2: owned(fields, "line2", LINE_CHARS_MAX),
        city: owned(fields, "city", LINE_CHARS_MAX),
        state: owned(fields, "state", LINE_CHARS_MAX),
        postal_code: owned(fields, "postal_code", 32),
        country: country(fields),
    }
}

pub(super) fn browser(fields: &mut Fields<'_, '_>) -> Browser {
    Browser {
        user_agent: owned(fields, "user_agent", BROWSER_HEADER_CHARS_MAX),
        accept_header: owned(fields, "accept_header", BROWSER_HEADER_CHARS_MAX),
        language: fields.parsed("language", 2..=35, "a language tag such as de-DE (BCP 47)", language),
        color_depth: fields.small("color_depth", 1..=64),
        screen_width: fields.small("screen_width", 0..=99_999),
        screen_height: fields.small("screen_height", 0..=99_999),
        timezone_offset: fields.small("timezone_offset", -TIMEZONE_MINUTES_MAX..=TIMEZONE_MINUTES_MAX),
        java_enabled: fields.boolean("java_enabled"),
        javascript_enabled: fields.boolean("javascript_enabled"),
        origin: web_address(fields, "origin", URL_BYTES_MAX),
        referer: web_address(fields, "referer", URL_BYTES_MAX),
    }
}

/// An absolute address of the web, without user and password in it.
pub(super) fn web_address(fields: &mut Fields<'_, '_>, name: &'static str, bytes_max: usize) -> Option<String> {
    fields.parsed(name, 1..=bytes_max, "an absolute address that begins with https:// or http://", |text| {
        let uri = text.parse::<Uri>().ok()?;
        let of_the_web = matches!(uri.scheme_str(), Some("https" | "http"));
        let host_alone = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.host().is_some_and(|host| !host.is_empty());
        (of_the_web && host_alone && text.is_ascii() && text.len() <= bytes_max).then(|| text.to_owned())
    })
}

fn owned(fields: &mut Fields<'_, '_>, name: &'static str, chars_max: usize) -> Option<String> {
    fields.text(name, 1..=chars_max).map(Into::into)
}

/// One `@` with something on both sides, and no space. Whether it exists only a letter to it can tell.
fn email(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    let right = !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && text.len() <= EMAIL_BYTES_MAX
        && !text.contains(char::is_whitespace);
    right.then(|| text.to_owned())
}

/// Two or three letters, then subtags of at most eight letters and digits (RFC 5646, section 2.1).
fn language(text: &str) -> Option<String> {
    let mut tags = text.split('-');
    let first =
        tags.next().is_some_and(|tag| matches!(tag.len(), 2 | 3) && tag.bytes().all(|b| b.is_ascii_alphabetic()));
    let others = tags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()));
    (first && others).then(|| text.to_owned())
}
