//! Every recorded decision, made again.

use super::{SLICE, Shelf};
use std::collections::BTreeSet;
use std::sync::Arc;
use switchyard_core::{Payment, PaymentId};
use switchyard_engine::differences;
use switchyard_store::{Period, Store, StoreError};

/// Rule sets that are told apart in the count.
const RULE_SETS_COUNTED_MAX: usize = 10_000;

/// What it came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verified {
    /// Payments that were looked at.
    pub(crate) payments: u64,
    /// Those of them whose decision does not come out again.
    pub(crate) different: u64,
    /// How many rule sets decided them.
    pub(crate) rule_sets: usize,
}

/// Goes through the payments of a period, and tells of each whose decision does not come out again.
///
/// # Errors
/// The ledger's own.
pub(crate) async fn verify(
    store: &dyn Store,
    period: Period,
    mut tell: impl FnMut(PaymentId, &[String]),
) -> Result<Verified, StoreError> {
    let shelf = Shelf::default();
    let mut verified = Verified::default();
    let mut versions: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut after = None;
    loop {
        let slice = store.slice(period, after, SLICE).await?;
        for payment in &slice.payments {
            verified.payments = verified.payments.saturating_add(1);
            if versions.len() < RULE_SETS_COUNTED_MAX {
                versions.insert(Arc::clone(&payment.decided.rules_version));
            }
            let wrong = wrong(store, &shelf, payment).await?;
            if !wrong.is_empty() {
                verified.different = verified.different.saturating_add(1);
                tell(payment.id, &wrong);
            }
        }
        verified.rule_sets = versions.len();
        after = slice.next;
        if after.is_none() {
            return Ok(verified);
        }
    }
}

/// What does not come out again.
async fn wrong(store: &dyn Store, shelf: &Shelf, payment: &Payment) -> Result<Vec<String>, StoreError> {
    Ok(match shelf.rules(store, &payment.decided.rules_version).await? {
        Ok(rules) => differences(payment, &rules).iter().map(ToString::to_string).collect(),
        Err(unkept) => vec![unkept.to_string()],
    })
}
