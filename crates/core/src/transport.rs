//! How adapters reach their provider: one request, one answer, and what is known when there is none.

use bytes::Bytes;
use secrecy::SecretString;
use std::fmt;
use std::time::Duration;

use crate::clock::Uptime;

/// The HTTP methods that providers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "RFC 9110 names them")]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// The value of a header: shown in `Debug`, or never.
#[derive(Clone)]
pub enum HeaderText {
    /// May be shown.
    Plain(String),
    /// A credential or a signature.
    Secret(SecretString),
}

impl fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => fmt::Debug::fmt(text, f),
            Self::Secret(_) => f.write_str("(secret)"),
        }
    }
}

/// One request to a provider.
#[derive(Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// The whole address.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, HeaderText)>,
    /// The body; empty for none.
    pub body: Bytes,
}

impl fmt::Debug for HttpRequest {
    /// Leaves the body out: it holds tokens and names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// A provider's answer, whole.
#[derive(Clone)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Names in lower case; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl HttpResponse {
    /// The first header of that name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse").field("status", &self.status).field("body_bytes", &self.body.len()).finish()
    }
}

/// The bounds of one request.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Checked directly before the first byte: past it, nothing is sent and the call never left.
    pub send_by: Uptime,
    /// From the call to the last byte of the answer, connecting included.
    pub timeout: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Name, connect, TLS, or too late: no byte was handed to a connected socket.
    #[error("never left: {0}")]
    NeverLeft(String),
    /// At least one byte was handed over, and no whole answer came back.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// Sends requests for one channel. It re-sends nothing, follows no redirect, uses no proxy of the environment, and keeps
/// what it sends out of logs.
#[async_trait::async_trait]
pub trait Transport: Send + Sync {
    /// Sends once.
    ///
    /// # Errors
    /// [`TransportError`] tells whether a byte may have reached the provider.
    async fn send(&self, request: HttpRequest, bounds: Bounds) -> Result<HttpResponse, TransportError>;

    /// Closes connections that were idle for too long; called now and then.
    fn close_idle(&self) {}
}
