//! The transport that plays recordings and faults, and keeps what it was given.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use switchyard_core::OperationKind;
use switchyard_core::clock::Uptime;
use switchyard_core::provider::{Call, Found, ProviderError};
use switchyard_core::settle::Report;
use switchyard_core::transport::{Bounds, HttpRequest, HttpResponse, Transport, TransportError};

use crate::example::Example;
use crate::sample;

pub(crate) const BOUNDS: Bounds = Bounds { send_by: Uptime(Duration::from_secs(77)), timeout: Duration::from_secs(7) };

/// Gives the same answer, or the same failure, to every request.
pub(crate) struct Player {
    plays: Result<HttpResponse, TransportError>,
    seen: Mutex<Vec<HttpRequest>>,
}

impl Player {
    pub(crate) const fn answers(response: HttpResponse) -> Self {
        Self { plays: Ok(response), seen: Mutex::new(Vec::new()) }
    }

    /// The request leaves, and nothing comes back.
    pub(crate) fn loses_answers() -> Self {
        Self { plays: Err(TransportError::NoAnswer("lost".into())), seen: Mutex::new(Vec::new()) }
    }

    /// No byte leaves: the connection is refused, or it is too late.
    pub(crate) fn sends_nothing() -> Self {
        Self { plays: Err(TransportError::NeverLeft("refused".into())), seen: Mutex::new(Vec::new()) }
    }

    pub(crate) fn seen(&self) -> Vec<HttpRequest> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for the sample operation of that kind.
    pub(crate) fn perform(&self, example: &Example, kind: OperationKind) -> Result<Report, ProviderError> {
        let call = Call { transport: self, bounds: BOUNDS };
        let provider = &*example.provider;
        match kind {
            OperationKind::Authorize | OperationKind::Sale => {
                now(provider.authorize(&call, &sample::authorize(example, kind)))
            }
            OperationKind::Capture => now(provider.capture(&call, &sample::capture(example))),
            OperationKind::Void => now(provider.void(&call, &sample::void(example))),
            OperationKind::Refund => now(provider.refund(&call, &sample::refund(example))),
        }
    }

    /// Looks the sample operation up, by our reference or by theirs.
    pub(crate) fn look_up(&self, example: &Example, kind: OperationKind, by: By) -> Result<Found, ProviderError> {
        let call = Call { transport: self, bounds: BOUNDS };
        now(example.provider.look_up(&call, &sample::reference(example, kind, by)))
    }
}

/// Whose reference a look-up goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Ours,
    Theirs,
}

#[async_trait::async_trait]
impl Transport for Player {
    async fn send(&self, request: HttpRequest, bounds: Bounds) -> Result<HttpResponse, TransportError> {
        let given = (bounds.send_by, bounds.timeout);
        assert_eq!(given, (BOUNDS.send_by, BOUNDS.timeout), "an adapter hands the bounds on as they are");
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        self.plays.clone()
    }
}

/// An adapter waits for its transport and for nothing else, and this one answers at once.
pub(crate) fn now<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the adapter waits for something besides its transport"),
    }
}
