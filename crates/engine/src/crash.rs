//! Where tests kill the process, and what they plant to prove that they look.

use crate::call::Ask;
use crate::channel::Account;
use switchyard_core::payment::News;
use switchyard_core::provider::Call;
use switchyard_core::settle::Report;
use switchyard_core::{Failure, FailureCode, ProviderError};
use switchyard_crash_points::{Plant, Point, planted, reach};

/// The intent is durable.
pub(crate) fn before_call() {
    reach(Point::CallBefore);
}

/// The answer is there, or its lack.
pub(crate) async fn after_call(
    result: Result<Report, ProviderError>,
    ask: &Ask,
    account: &Account,
    call: &Call<'_>,
) -> Result<Report, ProviderError> {
    reach(Point::CallAnswered);
    match result {
        Err(ProviderError::NoAnswer(_) | ProviderError::Unreadable(_)) if planted(Plant::SendAgain) => {
            ask.of(account, call).await
        }
        Err(ProviderError::NoAnswer(_)) if planted(Plant::FailOnSilence) => {
            Ok(Report::bare(News::Refused(Failure::new(FailureCode::ProviderUnreachable))))
        }
        result => result,
    }
}

/// The outcome is about to be handed to the ledger.
pub(crate) fn before_conclusion() {
    reach(Point::ConclusionBefore);
}

/// The outcome is durable, and the merchant does not know.
pub(crate) fn after_conclusion() {
    reach(Point::ConclusionAfter);
}

/// The provider is about to be asked about an operation.
pub(crate) fn before_look_up() {
    reach(Point::LookUpBefore);
}

/// It has answered, or has not.
pub(crate) fn after_look_up() {
    reach(Point::LookUpAnswered);
}

/// An operation of a dead process is about to be marked.
pub(crate) fn before_adoption() {
    reach(Point::AdoptionBefore);
}

/// It is marked.
pub(crate) fn after_adoption() {
    reach(Point::AdoptionAfter);
}

/// Planted: the provider is called without an intent.
pub(crate) fn skips_intent() -> bool {
    planted(Plant::SkipIntent)
}

/// Planted: no final answer is kept.
pub(crate) fn keeps_no_answer() -> bool {
    planted(Plant::KeepNoAnswer)
}

/// Planted: what is in doubt stays so.
pub(crate) fn never_looks_up() -> bool {
    planted(Plant::NeverLookUp)
}
