//! No account leaves the configuration while a payment needs it.
//!
//! The ledger knows every account that an operation was meant for. For those that a configuration has no more, the
//! payments are looked through, newest first, until one is found that is open, holds money or can give some back. An
//! account that is in use is usually found at once; one that is not costs a walk over all payments, in slices, on the
//! ledger's reading threads.

use super::channels::Plan;
use std::collections::HashSet;
use std::fmt::Write as _;
use switchyard_core::PaymentId;
use switchyard_core::operation::Target;
use switchyard_store::{StillNeeded, Store, StoreError};

/// Every account that `plan` does without, of those that the ledger or the channels in force know.
pub(super) async fn left_out(
    store: &dyn Store,
    plan: &Plan,
    in_force: Option<&Plan>,
) -> Result<Vec<Target>, StoreError> {
    let mut known: HashSet<Target> = store.targets().await?.into_iter().collect();
    known.extend(in_force.iter().flat_map(|in_force| in_force.targets()).map(|target| Target::clone(target)));
    let mut left_out: Vec<Target> = known.into_iter().filter(|target| !plan.serves(target)).collect();
    left_out.sort_unstable_by(|a, b| (&a.channel, &a.base, &a.account).cmp(&(&b.channel, &b.base, &b.account)));
    Ok(left_out)
}

/// Why the accounts cannot be left out, all of it; `None` where they can.
pub(super) async fn needed(store: &dyn Store, left_out: &[Target]) -> Result<Option<String>, StoreError> {
    let mut reasons = String::new();
    for target in left_out {
        if let Some(payment) = find(store, target).await? {
            let Target { channel, base, account } = target;
            let _ = write!(
                reasons,
                "channel `{channel}` is removed or leads to another account, and {payment} at its account {account} at \
                 {base} is open, holds money or can be refunded. "
            );
        }
    }
    let advice = "Put the account back; `retired = true` keeps new payments away from it";
    Ok((!reasons.is_empty()).then(|| reasons + advice))
}

async fn find(store: &dyn Store, target: &Target) -> Result<Option<PaymentId>, StoreError> {
    let mut before = None;
    loop {
        match store.still_needed(vec![target.clone()], before).await? {
            StillNeeded { payment: Some(payment), .. } => return Ok(Some(payment)),
            StillNeeded { payment: None, next: None } => return Ok(None),
            StillNeeded { payment: None, next } => before = next,
        }
    }
}
