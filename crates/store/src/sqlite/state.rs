//! How a payment and one of its operations stood right after an event, as far as the rows that stand may say otherwise by now.
//!
//! What is set once and never changed (the provider's reference, the failure) stands in the rows; here a bit says whether it
//! stood there yet. Times are kept as spans from the event's.

use super::number;
use super::operation::{pack_failure, unpack_failure};
use super::pack::{Packer, Unpacker};
use super::payment::{pack_card, pack_checks, pack_next_action, unpack_card, unpack_checks, unpack_next_action};
use switchyard_core::payment::Pending;
use switchyard_core::{Operation, Payment, Timestamp};

const CARD: u64 = 1;
const CHECKS: u64 = 1 << 1;
const CAPTURE_BEFORE: u64 = 1 << 2;
const NEXT_ACTION: u64 = 1 << 3;
const FAILURE: u64 = 1 << 4;
const LAST_FAILURE: u64 = 1 << 5;
const REFERENCE: u64 = 1 << 6;
const OBSERVED: u64 = 1 << 7;

/// The version of the payment's row that a packed state is of: events of one write share it.
pub(super) fn version(bytes: &[u8]) -> Option<u32> {
    u32::try_from(Unpacker::new(bytes).number()?).ok()
}

/// Packs both as they are about to be written, the operation where the event is about it.
pub(super) fn pack(payment: &Payment, operation: Option<&Operation>, at: Timestamp) -> Vec<u8> {
    let mut packer = Packer::new();
    packer.number(payment.version.saturating_add(1).into());
    let flag = |present: bool, flag: u64| if present { flag } else { 0 };
    packer.number(
        flag(payment.card.is_some(), CARD)
            | flag(payment.checks.is_some(), CHECKS)
            | flag(payment.capture_before.is_some(), CAPTURE_BEFORE)
            | flag(payment.next_action.is_some(), NEXT_ACTION)
            | flag(payment.failure.is_some(), FAILURE)
            | flag(payment.last_failure.is_some(), LAST_FAILURE)
            | flag(payment.provider_reference.is_some(), REFERENCE)
            | flag(payment.observed.is_some(), OBSERVED),
    );
    packer.byte(byte(number::of_status(payment.status)));
    for sum in [payment.authorized, payment.captured, payment.released, payment.refunded] {
        packer.number(u64::try_from(sum).unwrap_or_default());
    }
    packer.number(length(payment.operations.len()));
    packer.number(length(payment.pending.len()));
    for pending in &payment.pending {
        let place = payment.operations.iter().position(|id| *id == pending.operation);
        packer.number(length(place.unwrap_or(usize::MAX)));
        packer.byte(byte(number::of_kind(pending.kind)));
        packer.byte(u8::from(pending.in_doubt) | if pending.last { 2 } else { 0 });
        packer.number(u64::try_from(pending.amount).unwrap_or_default());
    }
    if let Some(card) = &payment.card {
        packer.bytes(&pack_card(card));
    }
    if let Some(checks) = &payment.checks {
        packer.bytes(&pack_checks(checks));
    }
    if let Some(before) = payment.capture_before {
        packer.span(before.0, at.0);
    }
    if let Some(action) = &payment.next_action {
        packer.bytes(&pack_next_action(action));
    }
    if let Some(failure) = &payment.last_failure {
        packer.bytes(&pack_failure(failure));
    }
    if let Some((observed, from)) = payment.observed {
        packer.span(observed.0, at.0);
        packer.byte(byte(number::of_source(from)));
    }
    packer.span(payment.updated_at.0, at.0);
    if let Some(operation) = operation {
        packer.byte(byte(number::of_state(operation.state)));
        let reference = flag(operation.provider_reference.is_some(), 1);
        packer.number(reference | flag(operation.failure.is_some(), 2));
        packer.span(operation.updated_at.0, at.0);
    }
    packer.finish()
}

/// Turns the rows that stand back to what was packed; `None` where that makes no sense.
pub(super) fn unpack(
    bytes: &[u8],
    payment: &mut Payment,
    operation: Option<&mut Operation>,
    at: Timestamp,
) -> Option<()> {
    Unpacker::whole(bytes, |unpacker| {
        payment.version = u32::try_from(unpacker.number()?).ok()?;
        let flags = unpacker.number()?;
        let has = |flag: u64| flags & flag != 0;
        payment.status = number::status(unpacker.byte()?.into())?;
        payment.authorized = amount(unpacker)?;
        payment.captured = amount(unpacker)?;
        payment.released = amount(unpacker)?;
        payment.refunded = amount(unpacker)?;
        let operations = usize::try_from(unpacker.number()?).ok()?;
        if operations > payment.operations.len() {
            return None;
        }
        payment.operations.truncate(operations);
        payment.pending.clear();
        for _ in 0..unpacker.number()? {
            let place = usize::try_from(unpacker.number()?).ok()?;
            let operation = *payment.operations.get(place)?;
            let kind = number::kind(unpacker.byte()?.into())?;
            let flags = unpacker.byte()?;
            let amount = amount(unpacker)?;
            payment.pending.push(Pending { operation, kind, amount, in_doubt: flags & 1 != 0, last: flags & 2 != 0 });
        }
        payment.card = inner(unpacker, has(CARD), unpack_card)?;
        payment.checks = inner(unpacker, has(CHECKS), unpack_checks)?;
        payment.capture_before = if has(CAPTURE_BEFORE) { Some(Timestamp(unpacker.span(at.0)?)) } else { None };
        payment.next_action = inner(unpacker, has(NEXT_ACTION), unpack_next_action)?;
        payment.failure = payment.failure.take().filter(|_| has(FAILURE));
        payment.last_failure = inner(unpacker, has(LAST_FAILURE), unpack_failure)?;
        payment.provider_reference = payment.provider_reference.take().filter(|_| has(REFERENCE));
        payment.observed = if has(OBSERVED) {
            Some((Timestamp(unpacker.span(at.0)?), number::source(unpacker.byte()?.into())?))
        } else {
            None
        };
        payment.updated_at = Timestamp(unpacker.span(at.0)?);
        // No view of the past tells of it; the event itself does.
        payment.contradiction = None;
        if let Some(operation) = operation {
            operation.state = number::state(unpacker.byte()?.into())?;
            let flags = unpacker.number()?;
            operation.provider_reference = operation.provider_reference.take().filter(|_| flags & 1 != 0);
            operation.failure = operation.failure.take().filter(|_| flags & 2 != 0);
            operation.updated_at = Timestamp(unpacker.span(at.0)?);
        }
        Some(())
    })
}

/// The outer `None` is nonsense, the inner one what is not there.
#[expect(clippy::option_option, reason = "nonsense is not the same as nothing")]
fn inner<T>(
    unpacker: &mut Unpacker<'_>,
    present: bool,
    read: impl FnOnce(&mut Unpacker<'_>) -> Option<T>,
) -> Option<Option<T>> {
    if !present {
        return Some(None);
    }
    Unpacker::whole(unpacker.bytes()?, read).map(Some)
}

fn amount(unpacker: &mut Unpacker<'_>) -> Option<i64> {
    i64::try_from(unpacker.number()?).ok()
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn byte(number: i64) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
