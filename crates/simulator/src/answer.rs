//! Sending answers, and spoiling them on purpose.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::ResponseError as _;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{ContentType, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use serde::Serialize;

use crate::error::ApiError;
use crate::fault::Fault;
use crate::ledger::Made;
use crate::limits::HOLD;
use crate::server::Simulator;

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Answers a request that books something. `show` renders what was booked.
pub(crate) async fn made<T>(
    simulator: &Simulator,
    made: Made<T>,
    show: impl Fn(&T) -> HttpResponse,
) -> Result<HttpResponse, ApiError> {
    match made {
        Made::New(object, None) => Ok(show(&object)),
        Made::New(object, Some(fault)) => Ok(spoiled(simulator, fault, show(&object)).await),
        Made::Again(object) => {
            let mut response = show(&object);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        Made::Unbooked(fault) => Ok(spoiled(simulator, fault, ApiError::Internal.error_response()).await),
        Made::Mismatch => Err(ApiError::IdempotencyMismatch),
        Made::NoSuchCharge => Err(ApiError::NotFound),
        Made::Refused(refusal) => Err(ApiError::Refused(refusal)),
    }
}

pub(crate) fn json(view: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(view)
}

pub(crate) async fn no_such_endpoint() -> HttpResponse {
    ApiError::NoSuchEndpoint.error_response()
}

pub(crate) async fn method_not_allowed() -> HttpResponse {
    ApiError::MethodNotAllowed.error_response()
}

/// What a fault makes of an answer.
pub(crate) async fn spoiled(simulator: &Simulator, fault: Fault, answer: HttpResponse) -> HttpResponse {
    match fault {
        Fault::TimeoutBefore | Fault::TimeoutAfter => {
            wait(simulator, HOLD).await;
            cut()
        }
        Fault::CutBefore | Fault::CutAfter => cut(),
        Fault::ErrorBefore | Fault::ErrorAfter => ApiError::Internal.error_response(),
        Fault::Garbage => HttpResponse::Ok().content_type(ContentType::json()).body("{\"id\": \"ch_\u{fffd}, <<<"),
        Fault::ProxyPage => HttpResponse::BadGateway().content_type(ContentType::html()).body(PROXY_PAGE),
        Fault::RateLimited => ApiError::RateLimited.error_response(),
        Fault::Slow => {
            wait(simulator, simulator.control.slow()).await;
            answer
        }
    }
}

const PROXY_PAGE: &str = "<html><head><title>502 Bad Gateway</title></head>\
    <body><center><h1>502 Bad Gateway</h1></center></body></html>\n";

/// Waits, but not longer than the server runs.
pub(crate) async fn wait(simulator: &Simulator, duration: Duration) {
    tokio::select! {
        () = tokio::time::sleep(duration) => {}
        () = simulator.closing.cancelled() => {}
    }
}

/// An answer of which no byte is sent: the connection is closed instead.
fn cut() -> HttpResponse {
    HttpResponse::Ok().body(Cut)
}

/// A body that fails before the head of its answer was flushed, which makes the server drop the connection.
struct Cut;

impl MessageBody for Cut {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, io::Error>>> {
        Poll::Ready(Some(Err(io::Error::other("cut on purpose"))))
    }
}
