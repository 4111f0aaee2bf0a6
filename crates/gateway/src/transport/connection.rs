//! One connection to a provider, and one request and answer over it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use switchyard_core::clock::{Clock, Uptime};
use switchyard_core::limits::PROVIDER_BODY_BYTES_MAX;
use switchyard_core::transport::{HttpResponse, TransportError};
use tokio::time::{Instant, timeout_at};

use super::gate::{self, Gate, Gated, Stream};

/// A request as hyper takes it.
pub(super) type Outgoing = http::Request<Full<Bytes>>;

type Wire = http1::Connection<TokioIo<Gated>, Full<Bytes>>;

/// Why an exchange brought no answer.
pub(super) enum Broken {
    /// The connection was dead, which was found before anything was written: here is the request, still unsent.
    Unsent(Box<Outgoing>, String),
    /// This call is over.
    Over(TransportError),
}

impl Broken {
    pub(super) fn into_error(self) -> TransportError {
        match self {
            Self::Unsent(_, why) => TransportError::NeverLeft(why),
            Self::Over(error) => error,
        }
    }
}

pub(super) struct Connection {
    requests: http1::SendRequest<Full<Bytes>>,
    /// `None` once it has ended.
    wire: Option<Wire>,
    gate: Arc<Gate>,
}

impl Connection {
    pub(super) async fn over(stream: Stream, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let gate = Arc::new(Gate::new(clock));
        let io = TokioIo::new(Gated::new(stream, Arc::clone(&gate)));
        let (requests, wire) = http1::Builder::new().handshake(io).await.map_err(|error| told(&error))?;
        Ok(Self { requests, wire: Some(wire), gate })
    }

    /// Looks at what has come in since, and tells whether a request may be sent.
    pub(super) async fn usable(&mut self) -> bool {
        poll_fn(|cx| {
            advance(&mut self.wire, cx);
            Poll::Ready(self.wire.is_some() && self.requests.is_ready())
        })
        .await
    }

    /// Sends once and reads the whole answer.
    pub(super) async fn exchange(
        &mut self,
        outgoing: Outgoing,
        send_by: Uptime,
        deadline: Instant,
    ) -> Result<HttpResponse, Broken> {
        self.gate.arm(send_by);
        let response = self.requests.try_send_request(outgoing);
        let work = async move {
            match response.await {
                Ok(response) => read(response).await.map_err(|why| (why, None)),
                Err(mut error) => {
                    let unsent = error.take_message();
                    Err((told(error.error()), unsent))
                }
            }
        };
        let result = timeout_at(deadline, drive(&mut self.wire, work)).await;
        let over = |error| Err(Broken::Over(error));
        match result {
            Ok(Ok(response)) if self.gate.left() => Ok(response),
            Ok(Err((why, _))) if self.gate.left() => over(TransportError::NoAnswer(why)),
            Err(_) if self.gate.left() => over(TransportError::NoAnswer("it did not come in time".into())),
            _ if self.gate.held_back() => over(gate::too_late()),
            Ok(Err((why, Some(unsent)))) => Err(Broken::Unsent(Box::new(unsent), why)),
            Ok(Err((why, None))) => over(TransportError::NeverLeft(why)),
            Ok(Ok(_)) => over(TransportError::NeverLeft("the provider spoke before it was asked".into())),
            Err(_) => over(TransportError::NeverLeft("the connection took nothing in time".into())),
        }
    }
}

/// Does `work` while the connection reads and writes.
async fn drive<F: Future>(wire: &mut Option<Wire>, work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|cx| {
        // Twice: with the head of an answer comes the wish for its body, which is mostly there already.
        for _ in 0..2 {
            advance(wire, cx);
            if let Poll::Ready(output) = work.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    })
    .await
}

/// Reads and writes what can be. An error reaches the request under way, if there is one, by its own channel.
fn advance(wire: &mut Option<Wire>, cx: &mut Context<'_>) {
    if let Some(open) = wire
        && Pin::new(open).poll(cx).is_ready()
    {
        *wire = None;
    }
}

async fn read(response: Response<Incoming>) -> Result<HttpResponse, String> {
    let (head, body) = response.into_parts();
    let headers = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    Ok(HttpResponse { status: head.status.as_u16(), headers, body: read_body(body).await? })
}

async fn read_body(mut body: Incoming) -> Result<Bytes, String> {
    let too_long = || format!("it is longer than {PROVIDER_BODY_BYTES_MAX} bytes");
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if expected > PROVIDER_BODY_BYTES_MAX {
        return Err(too_long());
    }
    // Mostly there is one piece, which is taken as it is.
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| told(&error))?.into_data() else { continue };
        let length = first.len().max(whole.len()).saturating_add(data.len());
        if length > PROVIDER_BODY_BYTES_MAX {
            return Err(too_long());
        }
        if first.is_empty() {
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(expected.max(length));
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

/// What hyper says, with its reason.
fn told(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
