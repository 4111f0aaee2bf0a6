//! Addresses in settings: sockets to listen on, and web addresses to speak to.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use switchyard_core::limits::URL_BYTES_MAX;
use switchyard_routing::reader::Value;

/// Reads an address to listen on.
pub(crate) fn socket(value: &Value<'_>) -> Option<SocketAddr> {
    let text = value.text()?.text;
    let address = text.parse().ok();
    if address.is_none() {
        value
            .fault(format!("`{}` is `{text}`, where an address such as `127.0.0.1:8080` is wanted", value.name().text));
    }
    address
}

/// An `http` or `https` address that paths are appended to: no user, query or fragment, no slash at its end.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WebAddress {
    text: String,
    encrypted: bool,
    loopback: bool,
}

impl WebAddress {
    /// Reads the text.
    ///
    /// # Errors
    /// What is wrong, to follow "where".
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const WANTED: &str = "an address such as `https://api.example.com` is wanted";
        if text.len() > URL_BYTES_MAX {
            return Err("at most 2048 bytes are wanted");
        }
        if text.contains('#') {
            return Err("an address without a fragment is wanted");
        }
        let address: http::Uri = text.parse().map_err(|_| WANTED)?;
        let authority = address.authority().ok_or(WANTED)?;
        let encrypted = match address.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(WANTED),
        };
        if authority.as_str().contains('@') {
            return Err("an address without user and password is wanted");
        }
        if address.query().is_some() {
            return Err("an address without a query is wanted");
        }
        if authority.host().is_empty() {
            return Err(WANTED);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        Ok(Self { text: text.trim_end_matches('/').to_owned(), encrypted, loopback })
    }

    /// Reads a setting; `None` has told the faults why.
    pub(crate) fn read(value: &Value<'_>) -> Option<Self> {
        let text = value.text()?.text;
        let address = Self::parse(text);
        if let Err(wanted) = &address {
            // What may hold a password is not repeated.
            let shown = if text.contains('@') { "not an address that can be used" } else { &format!("`{text}`") };
            value.fault(format!("`{}` is {shown}, where {wanted}", value.name().text));
        }
        address.ok()
    }

    /// The address of a socket on this machine; an unspecified IP address is reached by loopback.
    pub(crate) fn of_socket(socket: SocketAddr) -> Self {
        Self { text: format!("http://{}", reachable(socket)), encrypted: false, loopback: true }
    }

    /// The address without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether nobody in between can read along: `https`, or this machine.
    pub(crate) fn is_private(&self) -> bool {
        self.encrypted || self.loopback
    }
}

impl fmt::Debug for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How this machine reaches a socket that listens there: by loopback, where it listens on every address.
pub(crate) fn reachable(socket: SocketAddr) -> SocketAddr {
    match socket.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (std::net::Ipv4Addr::LOCALHOST, socket.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (std::net::Ipv6Addr::LOCALHOST, socket.port()).into(),
        IpAddr::V4(_) | IpAddr::V6(_) => socket,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_are_taken() {
        for (text, private) in [
            ("https://api.example.com", true),
            ("https://api.example.com:8443/v1/", true),
            ("http://127.0.0.1:8090", true),
            ("http://[::1]:8090", true),
            ("http://localhost", true),
            ("http://10.0.0.1", false),
        ] {
            let address = WebAddress::parse(text).unwrap();
            assert_eq!(address.as_str(), text.trim_end_matches('/'));
            assert_eq!(address.is_private(), private, "{text}");
        }
        for text in [
            "",
            "api.example.com",
            "ftp://x",
            "https://",
            "https://u:p@h",
            "https://h/?q=1",
            "https://h/#f",
            "http://a b",
        ] {
            assert!(WebAddress::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_socket_on_every_address_is_reached_by_loopback() {
        let of = |text: &str| WebAddress::of_socket(text.parse().unwrap()).to_string();
        assert_eq!(of("0.0.0.0:8080"), "http://127.0.0.1:8080");
        assert_eq!(of("[::]:8080"), "http://[::1]:8080");
        assert_eq!(of("192.0.2.1:8080"), "http://192.0.2.1:8080");
    }
}
