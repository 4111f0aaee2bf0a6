//! No account leaves the configuration while a payment needs it.
//!
//! A running gateway gives an account up in two steps: its channel is retired, and once no payment can be on its way
//! there any more, the account may go. From then on the ledger knows every payment there. The payments are looked
//! through once, newest first, for all accounts left out together, in slices, on the ledger's reading threads. Those that
//! none needs are remembered, so that this is not done again for them at each start and reload.

use super::channels::{MODES, Plan};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;
use switchyard_core::clock::Uptime;
use switchyard_core::operation::Target;
use switchyard_store::{AccountUse, Store, StoreError};

/// Why `next` cannot take the place of `in_force`: accounts that it does without take new payments.
pub(super) fn still_open(in_force: &Plan, next: &Plan) -> Option<String> {
    let mut reasons = String::new();
    for AccountUse { target, mode } in in_force.open().filter(|account| !next.serves(account)) {
        let Target { channel, base, account } = target;
        let _ = write!(
            reasons,
            "channel `{channel}` is removed or leads to another account for {} payments, and its account {account} at \
             {base} takes new payments. ",
            mode.as_str()
        );
    }
    let advice = "Put the account back with `retired = true`; change or remove it once that is in force";
    (!reasons.is_empty()).then(|| reasons + advice)
}

/// Accounts that lately took new payments: some may be on their way there, and not in the ledger yet.
#[derive(Default)]
pub(super) struct Closing {
    until: HashMap<AccountUse, Uptime>,
}

impl Closing {
    /// At `now`, `next` takes the place of `before`, whose payments are all in the ledger after `on_the_way`.
    pub(super) fn replaced(&mut self, before: &Plan, next: &Plan, now: Uptime, on_the_way: Duration) {
        self.until.retain(|_, until| *until > now);
        let until = Uptime(now.0.saturating_add(on_the_way));
        self.until.extend(before.open().map(|account| (account, until)));
        for account in next.open() {
            self.until.remove(&account);
        }
    }

    /// How long it takes until the ledger knows every payment at the accounts that `next` does without.
    pub(super) fn wait(&self, next: &Plan, now: Uptime) -> Duration {
        let left_out = self.until.iter().filter(|(account, _)| !next.serves(account));
        left_out.map(|(_, until)| until.0.saturating_sub(now.0)).max().unwrap_or_default()
    }
}

/// The accounts of the ledger that a configuration does without, none of which a payment needs.
pub(super) struct LeftOut {
    accounts: Vec<AccountUse>,
    /// Whether the ledger remembers just these.
    kept: bool,
}

impl LeftOut {
    /// Has the ledger remember them and no others. To be done before payments can come to any other.
    pub(super) async fn keep(self, store: &dyn Store) -> Result<(), StoreError> {
        if self.kept { Ok(()) } else { store.keep_free(self.accounts).await }
    }
}

/// What `plan` leaves out, or why it cannot, all of it.
pub(super) async fn left_out(store: &dyn Store, plan: &Plan) -> Result<Result<LeftOut, String>, StoreError> {
    let known = store.targets().await?.into_iter();
    let both = known.flat_map(|target| MODES.map(|mode| AccountUse { target: target.clone(), mode }));
    let mut accounts: Vec<AccountUse> = both.filter(|account| !plan.serves(account)).collect();
    accounts.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
    let free = store.free_accounts().await?;
    let unsure = accounts.iter().filter(|account| !free.contains(account)).cloned().collect();
    Ok(match needed(store, unsure).await? {
        Some(reason) => Err(reason),
        None => Ok(LeftOut { kept: accounts == free, accounts }),
    })
}

/// The ledger's own.
fn order(AccountUse { target, mode }: &AccountUse) -> (&str, &str, &str, switchyard_core::Mode) {
    (target.channel.as_str(), &target.base, &target.account, *mode)
}

/// Why the accounts cannot be left out, all of it; `None` where they can.
async fn needed(store: &dyn Store, mut accounts: Vec<AccountUse>) -> Result<Option<String>, StoreError> {
    let mut reasons = String::new();
    let mut before = None;
    while !accounts.is_empty() {
        let slice = store.still_needed(accounts.clone(), before).await?;
        let Some((payment, found)) = slice.found else {
            if slice.next.is_none() {
                break;
            }
            before = slice.next;
            continue;
        };
        // The others are looked for on from here.
        before = Some(payment);
        accounts.retain(|account| *account != found);
        let Target { channel, base, account } = found.target;
        let _ = write!(
            reasons,
            "channel `{channel}` is removed or leads to another account for {} payments, and {payment} at its account \
             {account} at {base} is open, holds money or can be refunded. ",
            found.mode.as_str()
        );
    }
    let advice = "Put the account back; `retired = true` keeps new payments away from it";
    Ok((!reasons.is_empty()).then(|| reasons + advice))
}
