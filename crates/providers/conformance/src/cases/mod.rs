//! The cases, by what they are about.

mod answers;
mod errors;
mod look_ups;
mod record;
mod requests;

use switchyard_core::provider::{Fate, ProviderError};
use switchyard_core::{Capabilities, OperationKind};

use crate::example::Example;

/// One promise of the contract, and who must keep it.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) asked_of: fn(&Capabilities) -> bool,
    pub(crate) run: fn(&Example),
}

pub(crate) fn all() -> impl Iterator<Item = Case> {
    [record::CASES, requests::CASES, answers::CASES, errors::CASES, look_ups::CASES].into_iter().flatten().copied()
}

const fn everybody(_: &Capabilities) -> bool {
    true
}

/// What came of a call must leave open whether the customer was charged.
#[track_caller]
fn assert_unknown<T>(result: Result<T, ProviderError>, kind: OperationKind, after: &str) {
    match result {
        Ok(_) => panic!("{} after {after} is taken for an answer", kind.as_str()),
        Err(error) => assert_eq!(error.fate(kind), Fate::Unknown, "{} after {after}: {error}", kind.as_str()),
    }
}
