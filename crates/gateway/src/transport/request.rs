//! Our request as hyper takes it, and where it goes.

use std::fmt;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Uri};
use http_body_util::Full;
use secrecy::ExposeSecret as _;
use switchyard_core::transport::{HeaderText, HttpMethod, HttpRequest};

use super::connection::Outgoing;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("switchyard/", env!("CARGO_PKG_VERSION")));

/// A scheme, a host and a port.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Origin {
    https: bool,
    authority: Authority,
}

impl Origin {
    pub(super) const fn https(&self) -> bool {
        self.https
    }

    /// A name or an address, the latter without brackets.
    pub(super) fn host(&self) -> &str {
        let host = self.authority.host();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    pub(super) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.https { 443 } else { 80 })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.authority.as_str())
    }
}

/// The error says what is wrong with the request, and nothing of what it holds.
pub(super) fn read(request: HttpRequest) -> Result<(Origin, Outgoing), String> {
    let uri = Uri::try_from(request.url).map_err(|error| format!("not an address: {error}"))?.into_parts();
    let https = match uri.scheme {
        Some(scheme) if scheme == Scheme::HTTPS => true,
        Some(scheme) if scheme == Scheme::HTTP => false,
        _ => return Err("not an address of https or http".into()),
    };
    let authority = uri.authority.ok_or("not an address with a host")?;
    if authority.as_str().contains('@') {
        return Err("an address with a user in it".into());
    }
    let origin = Origin { https, authority };
    let mut headers = HeaderMap::with_capacity(request.headers.len().saturating_add(2));
    headers.insert(HOST, host(&origin)?);
    add(&mut headers, request.headers)?;
    headers.entry(USER_AGENT).or_insert(AGENT);
    let mut outgoing = Outgoing::new(Full::new(request.body));
    *outgoing.method_mut() = method(request.method);
    *outgoing.uri_mut() = Uri::from(uri.path_and_query.unwrap_or(PathAndQuery::from_static("/")));
    *outgoing.headers_mut() = headers;
    Ok((origin, outgoing))
}

/// How the message is framed is no business of an adapter: such headers are left out.
fn add(headers: &mut HeaderMap, given: Vec<(&'static str, HeaderText)>) -> Result<(), String> {
    for (name, text) in given {
        let bad = || format!("the header {name} cannot be sent");
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        if [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&header) {
            continue;
        }
        let value = match text {
            HeaderText::Plain(text) => HeaderValue::try_from(text).map_err(|_| bad())?,
            HeaderText::Secret(text) => {
                let mut value = HeaderValue::try_from(text.expose_secret()).map_err(|_| bad())?;
                value.set_sensitive(true);
                value
            }
        };
        headers.append(header, value);
    }
    Ok(())
}

fn host(origin: &Origin) -> Result<HeaderValue, String> {
    let port = origin.authority.port_u16();
    let text = match (origin.https, port) {
        (true, Some(443)) | (false, Some(80)) => origin.authority.host(),
        (true | false, _) => origin.authority.as_str(),
    };
    HeaderValue::from_str(text).map_err(|_| "not an address with a host".into())
}

const fn method(method: HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    }
}
