//! Recorded answers: the status line, the headers, an empty line, the body.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use switchyard_core::transport::HttpResponse;

/// One recorded answer.
#[derive(Clone)]
pub(crate) struct Recording(pub(crate) HttpResponse);

impl Recording {
    pub(crate) fn read(path: &Path) -> Self {
        let Ok(text) = fs::read_to_string(path) else { panic!("{} is missing", path.display()) };
        match Self::parse(&text.replace("\r\n", "\n")) {
            Some(recording) => recording,
            None => panic!("{} is no recorded answer", path.display()),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\n\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = lines.map(header).collect::<Option<_>>()?;
        Some(Self(HttpResponse { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) }))
    }

    /// The same answer with another body.
    pub(crate) fn with_body(&self, body: impl Into<Bytes>) -> HttpResponse {
        HttpResponse { body: body.into(), ..self.0.clone() }
    }
}

/// An answer of no provider's making.
pub(crate) fn made_up(status: u16, content_type: &str, body: &'static str) -> HttpResponse {
    let headers = vec![("content-type".into(), content_type.into())];
    HttpResponse { status, headers, body: Bytes::from_static(body.as_bytes()) }
}
