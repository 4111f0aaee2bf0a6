//! The bodies of captures, voids and refunds.

use super::faults::Faults;
use super::fields::{Fields, read_body};
use super::json::Json;
use switchyard_engine::FollowUp;

/// A reason for people, in characters.
const REASON_CHARS_MAX: usize = 255;

/// `{amount?, final?}`
pub(crate) fn read_capture(body: Json<'_>, faults: &mut Faults) -> Option<FollowUp> {
    read_body(body, faults, |fields| {
        let amount = fields.amount("amount");
        Some(FollowUp::Capture { amount, last: fields.boolean("final").unwrap_or(false) })
    })
}

/// `{reason?}`
pub(crate) fn read_void(body: Json<'_>, faults: &mut Faults) -> Option<FollowUp> {
    read_body(body, faults, |fields| Some(FollowUp::Void { reason: reason(fields) }))
}

/// `{amount?, reason?}`
pub(crate) fn read_refund(body: Json<'_>, faults: &mut Faults) -> Option<FollowUp> {
    read_body(body, faults, |fields| {
        let amount = fields.amount("amount");
        Some(FollowUp::Refund { amount, reason: reason(fields) })
    })
}

fn reason(fields: &mut Fields<'_, '_>) -> Option<String> {
    fields.text("reason", 1..=REASON_CHARS_MAX).map(Into::into)
}
