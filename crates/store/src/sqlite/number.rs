//! The numbers that stand for our enumerations in the ledger. Never change one; append.

use switchyard_core::failure::Origin;
use switchyard_core::payment::{CaptureMode, Source};
use switchyard_core::settle::EventKind;
use switchyard_core::status::OperationState;
use switchyard_core::{Mode, OperationKind, PaymentStatus};

macro_rules! numbers {
    ($($to:ident $from:ident $type:ident { $($variant:ident $number:literal,)* })*) => {
        $(
            pub(super) const fn $to(value: $type) -> i64 {
                match value { $($type::$variant => $number,)* }
            }

            pub(super) const fn $from(number: i64) -> Option<$type> {
                match number { $($number => Some($type::$variant),)* _ => None }
            }
        )*
    };
}

numbers! {
    of_mode mode Mode { Test 0, Live 1, }
    of_status status PaymentStatus {
        Processing 0, RequiresAction 1, Authorized 2, Captured 3, Voided 4, Expired 5, Failed 6, Reversed 7,
    }
    // The schema's partial index takes those below 2.
    of_state state OperationState { Intended 0, InDoubt 1, Accepted 2, Succeeded 3, Failed 4, Reversed 5, }
    of_kind kind OperationKind { Authorize 0, Sale 1, Capture 2, Void 3, Refund 4, }
    of_capture capture CaptureMode { Automatic 0, Manual 1, }
    of_source source Source { Answer 0, LookUp 1, Notice 2, Gateway 3, }
    of_origin origin Origin { Caller 0, Payer 1, Issuer 2, Provider 3, Network 4, Gateway 5, }
}

pub(super) fn of_event(event: EventKind) -> i64 {
    // Every kind is in the list; a number past it would read back as corrupt.
    let place = EventKind::ALL.iter().position(|kind| *kind == event);
    place.and_then(|place| i64::try_from(place).ok()).unwrap_or(i64::MAX)
}

pub(super) fn event(number: i64) -> Option<EventKind> {
    EventKind::ALL.get(usize::try_from(number).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_reads_back() {
        for &value in PaymentStatus::ALL {
            assert_eq!(status(of_status(value)), Some(value));
        }
        for &value in OperationState::ALL {
            assert_eq!(state(of_state(value)), Some(value));
        }
        for &value in OperationKind::ALL {
            assert_eq!(kind(of_kind(value)), Some(value));
        }
        for &value in EventKind::ALL {
            assert_eq!(event(of_event(value)), Some(value));
        }
        assert_eq!((status(8), state(-1), kind(5), event(-1), event(1_000)), (None, None, None, None, None));
    }
}
