//! Which methods a payment could be made with, for which amounts, at the channels' status of one moment: the answers that
//! [`RuleSet::decide`] would give to all of them, without asking for each.

use crate::bits;
use crate::decision::{Decision, Query};
use crate::domain::{AMOUNTS, Dim, Point};
use crate::facts::Facts;
use crate::money_set::{MoneySet, split, start_of};
use crate::offer::Offer;
use crate::refusal::Candidate;
use crate::rule::{Action, Rule, Target};
use crate::rule_set::RuleSet;
use crate::snapshot::{Snapshot, Status};
use switchyard_core::capabilities::AmountRange;
use switchyard_core::method::Direction;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{ChannelName, Country, Currency, MerchantName, Method, Mode, Money, OrderType, PaymentId};

/// Why a method is not offered is told by so many rules at most.
const CLOSED_MAX: usize = 16;

/// A kind of payment, but for its method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The operator's word for it, of payments.
    pub order_type: OrderType,
    /// Where the payer is.
    pub country: Country,
    /// Whose payment.
    pub merchant: MerchantName,
    /// Which credentials.
    pub mode: Mode,
    /// Whether the money is taken at once.
    pub capture: CaptureMode,
    /// In which currency; `None` for all there are.
    pub currency: Option<Currency>,
    /// Of which amount, in that currency; `None` for all there are.
    pub amount: Option<i64>,
}

/// What becomes of the payments by one method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered<'r> {
    /// The method.
    pub method: Method,
    /// The amounts that get a channel: those in any of these ranges, and no other. Where an amount is wanted, those of its
    /// currency, if it is among them.
    pub amounts: Vec<AmountRange>,
    /// The channels that they get; where an amount is wanted, that this one may get.
    pub channels: Vec<&'r ChannelName>,
    /// The first amounts of every rule that gives none, a few rules at most; where an amount is wanted, of its own rule.
    pub closed: Vec<Closed<'r>>,
}

/// Payments that get no channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed<'r> {
    /// The least amount of them.
    pub amount: Money,
    /// What is decided about that one.
    pub decision: Decision<'r>,
    /// Why the rule's channels do not serve it.
    pub candidates: Vec<Candidate<'r>>,
}

/// Amounts from one to another, both included, in equal steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) min: u64,
    max: u64,
    step: u64,
}

impl Steps {
    /// The multiples of `step` from `low` to `high`, unless there are none.
    pub(crate) fn within(low: u64, high: u64, step: u64) -> Option<Self> {
        let min = low.checked_next_multiple_of(step)?;
        let max = high.checked_sub(high.checked_rem(step)?)?;
        (min <= max).then_some(Self { min, max, step })
    }

    fn has(&self, amount: u64) -> bool {
        (self.min..=self.max).contains(&amount) && amount.checked_rem(self.step) == Some(0)
    }

    /// Whether every amount of `other` is one of these.
    fn covers(&self, other: &Self) -> bool {
        self.min <= other.min && other.max <= self.max && other.step.checked_rem(self.step) == Some(0)
    }
}

/// What one method comes to, while it is found out.
#[derive(Default)]
struct Found {
    steps: Vec<(u16, Steps)>,
    channels: Vec<usize>,
    closed: Vec<(Point, Option<usize>)>,
}

impl RuleSet {
    /// What becomes of the payments by every method, in the order of the table of methods. Exact for payments of which
    /// nothing more is known, with a token for whichever channel is chosen, at this status of the channels; a channel on
    /// trial counts as down.
    #[must_use]
    pub fn offered(&self, wanted: &Wanted, snapshot: &Snapshot) -> Vec<Offered<'_>> {
        let of_payins = |method: &&Method| method.directions().contains(&Direction::Payin);
        Method::ALL.iter().filter(of_payins).map(|&method| self.offered_by(method, wanted, snapshot)).collect()
    }

    fn offered_by(&self, method: Method, wanted: &Wanted, snapshot: &Snapshot) -> Offered<'_> {
        let any = self.domain.currencies.first().copied();
        let Some(currency) = wanted.currency.or(any) else {
            return Offered { method, amounts: Vec::new(), channels: Vec::new(), closed: Vec::new() };
        };
        let mut facts = Facts::new(
            wanted.order_type.clone(),
            method,
            Money::zero(currency),
            wanted.country,
            wanted.merchant.clone(),
        );
        facts.capture = wanted.capture;
        facts.mode = Some(wanted.mode);
        let point = self.domain.point(&facts);
        let mut rest = self.asked(wanted);
        let mut found = Found::default();
        for (at, rule) in self.rules.iter().enumerate() {
            let meets = |dim: &Dim| bits::has(rule.area.values(&self.domain, *dim), point.value(*dim));
            if !Dim::ALL.iter().all(meets) {
                continue;
            }
            let decided = rest.and(&rule.area.money);
            self.decide_all(&decided, Some((at, rule)), &point, wanted, snapshot, &mut found);
            rest = rest.minus(&decided);
            if rest.is_empty() {
                break;
            }
        }
        self.decide_all(&rest, None, &point, wanted, snapshot, &mut found);
        let Found { steps, channels, closed } = found;
        let mut amounts = self.ranges(merged(steps));
        let holds = |range: &AmountRange| wanted.amount.is_none_or(|amount| contains(range, amount));
        if !amounts.iter().any(holds) {
            amounts.clear();
        }
        let channels = channels.into_iter().filter_map(|at| self.channel(at)).map(|channel| &channel.name).collect();
        let closed = closed.iter().filter_map(|(point, _)| self.closed(point, wanted, snapshot)).collect();
        Offered { method, amounts, channels, closed }
    }

    /// All amounts that a request may state, of the currencies wanted.
    fn asked(&self, wanted: &Wanted) -> MoneySet {
        let of_currency = |currency: usize| {
            let start = start_of(currency);
            (start.saturating_add(AMOUNTS.0), start.saturating_add(AMOUNTS.1))
        };
        MoneySet::from_ranges(match wanted.currency {
            Some(currency) => vec![of_currency(self.domain.currency(currency).into())],
            None => (0..self.domain.currencies.len()).map(of_currency).collect(),
        })
    }

    /// Takes in what one rule, or none, makes of the amounts.
    fn decide_all(
        &self,
        amounts: &MoneySet,
        rule: Option<(usize, &Rule)>,
        point: &Point,
        wanted: &Wanted,
        snapshot: &Snapshot,
        found: &mut Found,
    ) {
        for &(start, end) in amounts.ranges() {
            // No range reaches over a currency's end: amounts past what a request may state lie between.
            let (currency, low) = split(start);
            let (_, high) = split(end.saturating_sub(1));
            let point = Point { currency: u16::try_from(currency).unwrap_or(u16::MAX), amount: low, ..*point };
            let wanted_here = wanted.amount.and_then(|amount| u64::try_from(amount).ok());
            let is_wanted = wanted_here.is_none_or(|amount| (low..=high).contains(&amount));
            let served = rule.map(|(_, rule)| self.served(rule, &point, (low, high), wanted, snapshot));
            let mut open = false;
            for (channel, steps, chosen) in served.unwrap_or_default() {
                found.steps.push((point.currency, steps));
                if is_wanted && wanted_here.is_none_or(|amount| steps.has(amount)) {
                    open = true;
                    if chosen && !found.channels.contains(&channel) {
                        found.channels.push(channel);
                    }
                }
            }
            let at = rule.map(|(at, _)| at);
            let told = found.closed.iter().any(|(_, known)| *known == at);
            if is_wanted && !open && !told && found.closed.len() < CLOSED_MAX {
                found.closed.push((Point { amount: wanted_here.unwrap_or(low), ..point }, at));
            }
        }
    }

    /// What the rule's channels serve of the amounts, and whether any of it comes to them at all.
    fn served(
        &self,
        rule: &Rule,
        point: &Point,
        amounts: (u64, u64),
        wanted: &Wanted,
        snapshot: &Snapshot,
    ) -> Vec<(usize, Steps, bool)> {
        let (targets, in_order): (Vec<&Target>, bool) = match &rule.action {
            Action::Reject(_) => (Vec::new(), true),
            Action::Use { targets, prefer_local: false } => (targets.iter().collect(), true),
            Action::Use { targets, prefer_local: true } => (self.local_first(targets, *point).collect(), true),
            Action::Split(targets) => (targets.iter().collect(), false),
        };
        let mut served: Vec<(usize, Steps, bool)> = Vec::new();
        for status in [Status::Up, Status::Degraded] {
            // What one channel before takes, no later one gets: in order, and of the degraded ones in any case.
            let before = served.len();
            for target in targets.iter().filter(|target| snapshot.status(target.channel) == status) {
                let Some(channel) = self.channel(target.channel) else { continue };
                for steps in channel.amounts(point, amounts, Some(wanted.mode), &self.domain) {
                    let first = if in_order { served.len() } else { before };
                    let mut earlier = served.iter().take(first).filter(|(other, ..)| *other != target.channel);
                    let taken = earlier.any(|(_, other, _)| other.covers(&steps));
                    served.push((target.channel, steps, !taken));
                }
            }
        }
        served
    }

    fn closed(&self, point: &Point, wanted: &Wanted, snapshot: &Snapshot) -> Option<Closed<'_>> {
        let currency = self.domain.currencies.get(usize::from(point.currency)).copied()?;
        // Nothing here hangs on shares: there is no channel to share among.
        let payment = PaymentId::from_uuid(Default::default());
        let query = Query { point, mode: Some(wanted.mode), offer: &Offer::Any, snapshot, payment };
        let explanation = self.account(&query);
        Some(Closed {
            amount: Money::new(i64::try_from(point.amount).ok()?, currency)?,
            decision: explanation.decision,
            candidates: explanation.candidates,
        })
    }

    fn ranges(&self, steps: Vec<(u16, Steps)>) -> Vec<AmountRange> {
        let minor = |amount: u64| i64::try_from(amount).ok();
        let range = |(currency, steps): (u16, Steps)| {
            let currency = self.domain.currencies.get(usize::from(currency)).copied()?;
            Some(AmountRange {
                currency,
                min: minor(steps.min)?,
                max: Some(minor(steps.max)?),
                step: minor(steps.step)?,
            })
        };
        steps.into_iter().filter_map(range).collect()
    }
}

/// Whether the amount is one of the range's.
#[must_use]
pub fn contains(range: &AmountRange, amount: i64) -> bool {
    amount >= range.min && range.max.is_none_or(|max| amount <= max) && amount.checked_rem(range.step) == Some(0)
}

/// The same amounts in as few ranges as is easy, by currency and smallest amount.
fn merged(mut steps: Vec<(u16, Steps)>) -> Vec<(u16, Steps)> {
    steps.sort_unstable_by_key(|(currency, steps)| (*currency, steps.step, steps.min, steps.max));
    let mut joined: Vec<(u16, Steps)> = Vec::with_capacity(steps.len());
    for (currency, next) in steps {
        match joined.last_mut() {
            Some((known, last))
                if *known == currency && last.step == next.step && next.min <= last.max.saturating_add(last.step) =>
            {
                last.max = last.max.max(next.max);
            }
            _ => joined.push((currency, next)),
        }
    }
    let mut kept: Vec<(u16, Steps)> = Vec::with_capacity(joined.len());
    // Finer steps come first, and only they cover others.
    for (currency, steps) in joined {
        if !kept.iter().any(|(known, other)| *known == currency && other.covers(&steps)) {
            kept.push((currency, steps));
        }
    }
    kept.sort_unstable_by_key(|(currency, steps)| (*currency, steps.min, steps.max, steps.step));
    kept
}
