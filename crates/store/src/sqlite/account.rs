//! Accounts: which there were, and whether a payment still needs one.

use super::columns::View;
use super::dictionary::Word;
use super::fault::Fault;
use super::{operation, payment};
use crate::StillNeeded;
use rusqlite::params_from_iter;
use rusqlite::types::Value;
use std::sync::Arc;
use switchyard_core::operation::Target;
use switchyard_core::{Payment, PaymentId};
use uuid::Uuid;

/// Every account in the ledger, in the order in which they came.
pub(super) fn all(view: View<'_>) -> Vec<Target> {
    view.dictionary.targets().iter().map(|target| Target::clone(target)).collect()
}

/// Looks through at most `rows_max` payments. Rows are judged by their columns where that is enough, so that a slice
/// without a payment of these channels reads nothing else.
pub(super) fn still_needed(
    view: View<'_>,
    targets: &[Target],
    before: Option<PaymentId>,
    rows_max: u32,
) -> Result<StillNeeded, Fault> {
    let channels = targets.iter().map(|target| Word::Channel(target.channel.clone()));
    let channels: Vec<i64> = channels.filter_map(|word| view.dictionary.number(&word)).collect();
    if channels.is_empty() {
        return Ok(StillNeeded::default());
    }
    let places = vec!["?"; channels.len()].join(", ");
    let sql = format!(
        "SELECT id, channel IN ({places}) AND (open = 1 OR in_doubt = 1 OR pending IS NOT NULL OR contradiction IS NOT NULL \
         OR captured > refunded OR authorized > captured + released) FROM payments WHERE id < ? ORDER BY id DESC LIMIT ?"
    );
    let upper = before.map_or(Uuid::max(), PaymentId::uuid);
    let bounds = [Value::Blob(upper.as_bytes().to_vec()), Value::Integer(rows_max.into())];
    let values = channels.into_iter().map(Value::Integer).chain(bounds);
    let mut statement = view.connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut looked_at = 0_u32;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let id = PaymentId::from_uuid(Uuid::from_bytes(row.get(0)?));
        let perhaps: Option<bool> = row.get(1)?;
        if perhaps == Some(true)
            && let Some(payment) = payment::read(view, id)?
            && needs_account(&payment)
            && charged_at(view, &payment, targets)?
        {
            return Ok(StillNeeded { payment: Some(id), next: None });
        }
        last = Some(id);
        looked_at = looked_at.saturating_add(1);
    }
    Ok(StillNeeded { payment: None, next: last.filter(|_| looked_at >= rows_max) })
}

fn needs_account(payment: &Payment) -> bool {
    let moves = payment.capturable() > 0 || payment.refundable() > 0;
    payment.status.open() || !payment.pending.is_empty() || payment.contradiction.is_some() || moves
}

fn charged_at(view: View<'_>, payment: &Payment, targets: &[Target]) -> Result<bool, Fault> {
    let Some(&first) = payment.operations.first() else { return Ok(false) };
    let target: Option<Arc<Target>> = operation::read(view, first)?.and_then(|operation| operation.target);
    Ok(target.is_some_and(|target| targets.contains(&target)))
}
