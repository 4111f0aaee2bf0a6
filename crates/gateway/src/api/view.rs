//! Objects as merchants read them.

use super::operation_view::OperationView;
use super::payment_view::PaymentView;
use bytes::Bytes;
use serde::ser::{Serialize, Serializer};
use switchyard_core::{Operation, OperationKind, Payment, PaymentStatus, Timestamp};
use switchyard_engine::Render;
use switchyard_store::Answer;

/// What most answers fit into, in bytes: a capture with its payment takes about 1,800.
const ANSWER_BYTES_EXPECTED: usize = 2048;

/// The only renderer: JSON of the one API version there is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JsonRender;

impl Render for JsonRender {
    fn answer(&self, payment: &Payment, operation: &Operation) -> Answer {
        let (open, body) = match operation.kind {
            OperationKind::Authorize | OperationKind::Sale => {
                let open = payment.status == PaymentStatus::Processing || operation.in_doubt();
                (open, json(&PaymentView::of(payment)))
            }
            OperationKind::Capture | OperationKind::Void | OperationKind::Refund => {
                (operation.state.open(), json(&OperationView::with_payment(operation, payment)))
            }
        };
        Answer { status: if open { 202 } else { 201 }, body }
    }
}

/// A view's bytes.
pub(crate) fn json(view: &impl Serialize) -> Bytes {
    let mut bytes = Vec::with_capacity(ANSWER_BYTES_EXPECTED);
    // Views hold texts, numbers and maps with texts for keys: all of it is JSON, and a Vec takes all of it.
    if let Err(error) = serde_json::to_writer(&mut bytes, view) {
        tracing::error!(%error, "an object could not be shown");
    }
    bytes.into()
}

/// A moment as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match jiff::Timestamp::from_millisecond(self.0.0) {
            Ok(time) => out.collect_str(&format_args!("{time:.3}")),
            // Past the year 9999: RFC 3339 ends there.
            Err(_) => out.serialize_none(),
        }
    }
}

/// Anything that prints, as a text.
pub(super) struct Shown<T>(pub(super) T);

impl<T: std::fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&self.0)
    }
}

/// Pairs as an object.
pub(super) struct Pairs<'a>(pub(super) &'a [(String, String)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// One page of a list.
#[derive(serde::Serialize)]
pub(super) struct ListView<T> {
    object: &'static str,
    data: Vec<T>,
    has_more: bool,
    next_cursor: Option<String>,
}

impl<T> ListView<T> {
    /// The page, which goes on where `next` says so.
    pub(super) fn new(data: Vec<T>, next: Option<uuid::Uuid>) -> Self {
        let next_cursor = next.map(|uuid| uuid.simple().to_string());
        Self { object: "list", data, has_more: next_cursor.is_some(), next_cursor }
    }
}
