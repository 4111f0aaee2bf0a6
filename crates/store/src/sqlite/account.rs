//! Accounts: which there were, and whether a payment still needs one.

use super::columns::{Columns, View};
use super::dictionary::Word;
use super::fault::Fault;
use super::{number, operation, payment};
use crate::{AccountUse, StillNeeded};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use switchyard_core::operation::Target;
use switchyard_core::{ChannelName, Mode, Payment, PaymentId};
use uuid::Uuid;

/// Every account in the ledger, in the order in which they came.
pub(super) fn all(view: View<'_>) -> Vec<Target> {
    view.dictionary.targets().iter().map(|target| Target::clone(target)).collect()
}

/// Looks through at most `rows_max` payments. Rows are judged by their columns where that is enough, so that a slice
/// without a payment of these channels in these modes reads nothing else.
pub(super) fn still_needed(
    view: View<'_>,
    accounts: &[AccountUse],
    before: Option<PaymentId>,
    rows_max: u32,
) -> Result<StillNeeded, Fault> {
    let mut places = Vec::new();
    let mut values = Vec::new();
    for mode in [Mode::Test, Mode::Live] {
        let channels = accounts.iter().filter(|account| account.mode == mode);
        let channels = channels.map(|account| Word::Channel(account.target.channel.clone()));
        let mut channels: Vec<i64> = channels.filter_map(|word| view.dictionary.number(&word)).collect();
        channels.sort_unstable();
        channels.dedup();
        if !channels.is_empty() {
            places.push(format!("(mode = ? AND channel IN ({}))", vec!["?"; channels.len()].join(", ")));
            values.push(Value::Integer(number::of_mode(mode)));
            values.extend(channels.into_iter().map(Value::Integer));
        }
    }
    if places.is_empty() {
        return Ok(StillNeeded::default());
    }
    let places = places.join(" OR ");
    let sql = format!(
        "SELECT id, ({places}) AND (open = 1 OR in_doubt = 1 OR pending IS NOT NULL OR contradiction IS NOT NULL \
         OR captured > refunded OR authorized > captured + released) FROM payments WHERE id < ? ORDER BY id DESC LIMIT ?"
    );
    let upper = before.map_or(Uuid::max(), PaymentId::uuid);
    values.extend([Value::Blob(upper.as_bytes().to_vec()), Value::Integer(rows_max.into())]);
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
            && let Some(account) = charged_at(view, &payment, accounts)?
        {
            return Ok(StillNeeded { found: Some((id, account.clone())), next: None });
        }
        last = Some(id);
        looked_at = looked_at.saturating_add(1);
    }
    Ok(StillNeeded { found: None, next: last.filter(|_| looked_at >= rows_max) })
}

fn needs_account(payment: &Payment) -> bool {
    let moves = payment.capturable() > 0 || payment.refundable() > 0;
    payment.status.open() || !payment.pending.is_empty() || payment.contradiction.is_some() || moves
}

fn charged_at<'a>(
    view: View<'_>,
    payment: &Payment,
    accounts: &'a [AccountUse],
) -> Result<Option<&'a AccountUse>, Fault> {
    let Some(&first) = payment.operations.first() else { return Ok(None) };
    let Some(target) = operation::read(view, first)?.and_then(|operation| operation.target) else { return Ok(None) };
    Ok(accounts.iter().find(|account| account.mode == payment.mode && account.target == *target))
}

/// Those that no payment needs, as they were remembered last.
pub(super) fn free(view: View<'_>) -> Result<Vec<AccountUse>, Fault> {
    let sql = "SELECT channel, base, account, mode FROM free_accounts ORDER BY channel, base, account, mode";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut free = Vec::new();
    while let Some(row) = rows.next()? {
        let c = &mut Columns::new(row, view);
        let channel = c.named(ChannelName::new)?;
        let target = Target { channel, base: c.text()?.to_owned(), account: c.text()?.to_owned() };
        free.push(AccountUse { target, mode: c.mode()? });
    }
    Ok(free)
}

/// Remembers these and no others.
pub(super) fn keep_free(connection: &Connection, accounts: &[AccountUse]) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM free_accounts", [])?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO free_accounts (channel, base, account, mode) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?;
    for AccountUse { target, mode } in accounts {
        statement.execute(params![target.channel.as_str(), target.base, target.account, number::of_mode(*mode)])?;
    }
    Ok(())
}
