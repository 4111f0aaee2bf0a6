//! Other rules, tried on recorded payments.

use super::{SLICE, Shelf};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use switchyard_core::{ChannelName, Currency, Money, Payment, PaymentId};
use switchyard_engine::{End, Inputs};
use switchyard_routing::{Carry, RuleSet};
use switchyard_store::{Period, Store, StoreError};

/// Reasons for not evaluating payments that are told apart; the rest is counted together.
const REASONS_MAX: usize = 20;

/// Ways from one rule set to the new one that are at hand.
const CARRIES_MAX: usize = 8;

/// Payments that would end elsewhere, all from one end to one other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) count: u64,
    /// By currency: how many, and their sum in minor units.
    pub(crate) value: BTreeMap<Currency, (u64, i128)>,
    /// Some of them, the oldest.
    pub(crate) examples: Vec<PaymentId>,
}

/// What a replay came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replayed {
    /// The hash of the rules that were tried.
    pub(crate) rules_version: String,
    /// Payments that were looked at.
    pub(crate) payments: u64,
    /// By where they went and where they would go.
    pub(crate) moves: BTreeMap<(End, End), Move>,
    /// Channels that the rules of some payment did not know.
    pub(crate) fresh: BTreeSet<ChannelName>,
    /// Payments that could not be tried, by reason.
    pub(crate) not_evaluated: BTreeMap<String, u64>,
}

/// Tries the rules on every payment of a period, each with the status that its channels had, what it carried and its own
/// id. Up to `examples` ids are kept for each way that payments would move.
///
/// # Errors
/// The ledger's own.
pub(crate) async fn replay(
    store: &dyn Store,
    period: Period,
    rules: &RuleSet,
    examples: usize,
) -> Result<Replayed, StoreError> {
    let shelf = Shelf::default();
    let mut carries: Vec<(Arc<str>, Carry)> = Vec::new();
    let mut replayed = Replayed { rules_version: rules.hash().to_owned(), ..Replayed::default() };
    let mut after = None;
    loop {
        let slice = store.slice(period, after, SLICE).await?;
        for payment in &slice.payments {
            replayed.payments = replayed.payments.saturating_add(1);
            let version = &payment.decided.rules_version;
            if !carries.iter().any(|(known, _)| known == version) {
                let old = match shelf.rules(store, version).await? {
                    Ok(old) => old,
                    Err(unkept) => {
                        replayed.leave_out(unkept.to_string());
                        continue;
                    }
                };
                let carry = Carry::new(&old, rules);
                replayed.fresh.extend(carry.fresh().iter().cloned());
                carries.insert(0, (Arc::clone(version), carry));
                carries.truncate(CARRIES_MAX);
            }
            let carry = carries.iter().find(|(known, _)| known == version);
            match (carry, Inputs::of(payment)) {
                (Some((_, carry)), Some(inputs)) => replayed.compare(payment, &inputs, carry, rules, examples),
                (None | Some(_), None | Some(_)) => replayed.leave_out("what they carried is not recorded".to_owned()),
            }
        }
        after = slice.next;
        if after.is_none() {
            return Ok(replayed);
        }
    }
}

impl Replayed {
    /// How many would end elsewhere.
    pub(crate) fn moved(&self) -> u64 {
        self.moves.values().fold(0, |sum, found| sum.saturating_add(found.count))
    }

    fn compare(&mut self, payment: &Payment, inputs: &Inputs, carry: &Carry, rules: &RuleSet, examples: usize) {
        let (offer, snapshot) = (carry.offer(&inputs.offer), carry.snapshot(&inputs.snapshot));
        let decision = rules.decide(&inputs.facts, &offer, &snapshot, inputs.seed);
        let (from, to) = (End::recorded(&payment.decided), End::from(&decision.outcome));
        if from == to {
            return;
        }
        let found = self.moves.entry((from, to)).or_default();
        found.count = found.count.saturating_add(1);
        let (count, sum) = found.value.entry(payment.amount.currency()).or_default();
        (*count, *sum) = (count.saturating_add(1), sum.saturating_add(payment.amount.minor().into()));
        if found.examples.len() < examples {
            found.examples.push(payment.id);
        }
    }

    fn leave_out(&mut self, reason: String) {
        let full = self.not_evaluated.len() >= REASONS_MAX && !self.not_evaluated.contains_key(&reason);
        let reason = if full { "other reasons".to_owned() } else { reason };
        let count = self.not_evaluated.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// For programs. Amounts are in minor units.
    pub(crate) fn json(&self) -> Value {
        let amount = |(currency, (count, sum)): (&Currency, &(u64, i128))| {
            // More than 64 bits hold stands there as text.
            let sum = i64::try_from(*sum).map_or_else(|_| json!(sum.to_string()), |sum| json!(sum));
            json!({"currency": currency.code(), "count": count, "amount": sum})
        };
        let moved = |((from, to), found): (&(End, End), &Move)| {
            json!({
                "from": end_json(from),
                "to": end_json(to),
                "count": found.count,
                "amounts": found.value.iter().map(amount).collect::<Vec<_>>(),
                "examples": found.examples.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        };
        json!({
            "rules_version": self.rules_version,
            "payments": self.payments,
            "moved": self.moved(),
            "moves": self.moves.iter().map(moved).collect::<Vec<_>>(),
            "counted_as_up": self.fresh.iter().map(ChannelName::as_str).collect::<Vec<_>>(),
            "not_evaluated": self.not_evaluated,
        })
    }
}

fn end_json(end: &End) -> Value {
    match end {
        End::Channel(channel) => json!({"outcome": "channel", "channel": channel.as_str()}),
        End::Rejected => json!({"outcome": "rejected", "channel": null}),
        End::NoChannel => json!({"outcome": "no_channel", "channel": null}),
    }
}

fn end_text(end: &End) -> &str {
    match end {
        End::Channel(channel) => channel.as_str(),
        End::Rejected => "(rejected)",
        End::NoChannel => "(no channel)",
    }
}

/// In major units.
fn sum_text(currency: Currency, sum: i128) -> String {
    match i64::try_from(sum).ok().and_then(|sum| Money::new(sum, currency)) {
        Some(money) => format!("{currency} {}", money.to_major()),
        None => format!("{currency} {sum} in minor units"),
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} payments would end elsewhere.", self.moved(), self.payments)?;
        if !self.moves.is_empty() {
            writeln!(f, "\n{:<24}  {:<24}  {:>9}  VALUE", "FROM", "TO", "PAYMENTS")?;
        }
        for ((from, to), found) in &self.moves {
            let value: Vec<String> = found.value.iter().map(|(currency, (_, sum))| sum_text(*currency, *sum)).collect();
            let (from, to, value) = (end_text(from), end_text(to), value.join(", "));
            writeln!(f, "{from:<24}  {to:<24}  {:>9}  {value}", found.count)?;
            found.examples.iter().try_for_each(|id| writeln!(f, "    such as {id}"))?;
        }
        writeln!(f, "\nEach was tried with the status its channels had, what it carried, and its own id.")?;
        if !self.fresh.is_empty() {
            let names: Vec<&str> = self.fresh.iter().map(ChannelName::as_str).collect();
            writeln!(
                f,
                "Where the rules of that time did not know them, these channels count as up, and as having a token where \
                 every channel of their provider had one: {}.",
                names.join(", ")
            )?;
        }
        for (reason, count) in &self.not_evaluated {
            writeln!(f, "{count} payments could not be tried: {reason}.")?;
        }
        Ok(())
    }
}
