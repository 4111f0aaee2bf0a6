//! What the ledger recorded of routing, used again: rule sets that were in force, decisions made again and explained, and
//! other rules replayed over recorded payments.

pub(crate) mod explained;
pub(crate) mod replay;
mod shelf;
pub(crate) mod verify;

pub(crate) use shelf::{Shelf, Unkept};

use switchyard_core::Timestamp;
use switchyard_routing::RuleSet;
use switchyard_store::{KeptRules, Store, StoreError};

/// Payments that are read at once.
const SLICE: u32 = 500;

/// Keeps rules that are about to come into force: no decision may rest on rules that the ledger does not have.
///
/// # Errors
/// The ledger's own; the rules must not come into force then.
pub(crate) async fn keep(store: &dyn Store, rules: &RuleSet, now: Timestamp) -> Result<(), StoreError> {
    let kept = KeptRules {
        hash: rules.hash().to_owned(),
        source: rules.source().text().to_owned(),
        vocabulary: rules.canonical().to_owned(),
        kept_at: now,
    };
    store.keep_rules(kept).await
}
