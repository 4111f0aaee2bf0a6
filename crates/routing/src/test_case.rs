//! `[[tests]]`: what an operator expects of the rules, beside the rules.

use crate::decision::{Outcome, Query, Reason};
use crate::domain::{Domain, Point, capture, initiator};
use crate::facts::Initiator;
use crate::offer::{ChannelSet, Offer};
use crate::parse::{Names, amount, currency};
use crate::reader::{Faults, Table, Text};
use crate::refusal::{Candidate, Verdict};
use crate::rule::{Key, Rule};
use crate::rule_set::RuleSet;
use crate::snapshot::{Snapshot, Status};
use crate::source::Span;
use switchyard_core::PaymentId;
use switchyard_core::payment::CaptureMode;

/// One test.
#[derive(Clone, Debug)]
pub(crate) struct TestCase {
    pub(crate) name: String,
    pub(crate) point: Point,
    pub(crate) offer: Offer,
    /// Channels that are not up, by number.
    pub(crate) statuses: Vec<(usize, Status)>,
    pub(crate) id: Option<PaymentId>,
    pub(crate) expect: Expect,
    /// Of `expect`.
    pub(crate) expect_span: Span,
}

/// What a test expects.
#[derive(Clone, Debug)]
pub(crate) struct Expect {
    /// The deciding rule, where the test names one.
    pub(crate) rule: Option<String>,
    pub(crate) result: Expected,
}

/// The result a test expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Whatever the rule says.
    Anything,
    /// This channel, by number.
    Channel(usize),
    /// One of exactly these, by the rule's split.
    Channels(Vec<usize>),
    /// A refusal by rule.
    Rejected,
    /// A rule, but no channel.
    NoChannel,
}

/// Reads every `[[tests]]`.
pub(crate) fn tests(tables: Vec<Table<'_>>, rules: &[Rule], names: &Names<'_>, faults: &Faults<'_>) -> Vec<TestCase> {
    let mut lines = std::collections::HashMap::new();
    let mut tests = Vec::with_capacity(tables.len());
    for table in tables {
        let name = table.required("name").and_then(|value| value.text());
        if let Some(name) = name {
            let line = faults.source().place(&name.span()).line;
            if let Some(before) = lines.insert(name.text, line) {
                faults.push(&name.span(), format!("a test named `{}` stands in line {before} already", name.text));
            }
        }
        let payment =
            table.required("payment").and_then(|value| value.table()).and_then(|table| payment(table, names, faults));
        let statuses = [("down", Status::Down), ("degraded", Status::Degraded), ("disabled", Status::Disabled)];
        let statuses = statuses.into_iter().flat_map(|(key, status)| {
            let listed: Vec<Text<'_>> = table.get(key).map(|value| value.texts()).unwrap_or_default();
            let known: Vec<usize> = listed.into_iter().filter_map(|name| names.channel(name, faults)).collect();
            known.into_iter().map(move |channel| (channel, status))
        });
        let statuses = statuses.collect();
        let expect = table.required("expect");
        let expect_span = expect.as_ref().map_or(0..0, |value| value.span());
        let expect = expect.and_then(|value| value.table()).and_then(|table| expectation(table, rules, names, faults));
        table.finish();
        if let (Some(name), Some((point, offer, id)), Some(expect)) = (name, payment, expect) {
            tests.push(TestCase { name: name.text.to_owned(), point, offer, statuses, id, expect, expect_span });
        }
    }
    tests
}

fn payment(table: Table<'_>, names: &Names<'_>, faults: &Faults<'_>) -> Option<(Point, Offer, Option<PaymentId>)> {
    let domain: &Domain = names.domain;
    let value_of = |key: Key, text: Text<'_>| {
        let value = key.dim().and_then(|dim| names.value(key, dim, text, faults))?;
        u16::try_from(value).ok()
    };
    let required = |key: Key, name: &'static str| {
        table.required(name).and_then(|value| value.text()).and_then(|text| value_of(key, text))
    };
    let optional = |key: Key, name: &'static str, otherwise: usize| match table.get(name) {
        Some(value) => value.text().and_then(|text| value_of(key, text)),
        None => u16::try_from(otherwise).ok(),
    };
    let order_type = required(Key::OrderType, "order_type");
    let country = required(Key::Country, "country");
    let method = required(Key::Method, "method");
    let stated = (table.required("currency"), table.required("amount"));
    let code = stated.0.and_then(|value| value.text()).and_then(|text| currency(text, domain, faults));
    let money = stated
        .1
        .and_then(|value| value.text())
        .zip(code)
        .and_then(|(text, code)| amount(text.text, code, text, faults));
    let merchant = optional(Key::Merchant, "merchant", domain.merchants.other());
    let brand = optional(Key::CardBrand, "card_brand", 0);
    let funding = optional(Key::Funding, "funding", 0);
    let issuer = optional(Key::IssuerCountry, "issuer_country", domain.countries.len());
    let initiator = optional(Key::Initiator, "initiator", initiator(Initiator::Customer).into());
    let capture = optional(Key::Capture, "capture", capture(CaptureMode::Automatic).into());
    let id = table.get("id").and_then(|value| {
        let text = value.text()?;
        let id = PaymentId::parse(text.text);
        if id.is_none() {
            value.fault(format!("`{}` is not the id of a payment: `pay_` and 32 hexadecimal digits", text.text));
        }
        id
    });
    let offer = match table.get("tokens") {
        Some(value) => tokens(&value.texts(), names, faults),
        None => Offer::Any,
    };
    table.finish();
    let money = money?;
    let values = [order_type?, merchant?, method?, country?, issuer?, brand?, funding?, initiator?, capture?];
    let point = Point { values, currency: domain.currency(money.currency()), amount: money.minor().unsigned_abs() };
    Some((point, offer, id))
}

fn tokens(keys: &[Text<'_>], names: &Names<'_>, faults: &Faults<'_>) -> Offer {
    let mut set = ChannelSet::default();
    for key in keys {
        let known = channels_of(key.text, names);
        if known.is_empty() {
            let providers = names.vocabulary.channels.iter().map(|spec| spec.provider.as_str());
            faults.unknown(
                *key,
                "channel or provider",
                names.channels.iter().map(|name| name.as_str()).chain(providers),
            );
        }
        known.into_iter().for_each(|channel| set.insert(channel));
    }
    if keys.is_empty() { Offer::Nothing } else { Offer::Channels(set) }
}

/// The channels that a key of `tokens` stands for: the one of that name, else those of the provider of that name.
fn channels_of(key: &str, names: &Names<'_>) -> Vec<usize> {
    let number = |name: &str| names.channels.binary_search_by(|known| known.as_str().cmp(name)).ok();
    match number(key) {
        Some(channel) => vec![channel],
        None => {
            let of_provider = names.vocabulary.channels.iter().filter(|spec| spec.provider == key);
            of_provider.filter_map(|spec| number(spec.name.as_str())).collect()
        }
    }
}

fn expectation(table: Table<'_>, rules: &[Rule], names: &Names<'_>, faults: &Faults<'_>) -> Option<Expect> {
    let rule = table.get("rule").and_then(|value| value.text());
    if let Some(rule) = rule
        && !rules.iter().any(|known| known.name == rule.text)
    {
        faults.unknown(rule, "rule", rules.iter().map(|known| known.name.as_str()));
    }
    let mut results = Vec::new();
    if let Some(value) = table.get("channel") {
        let channel = value.text().and_then(|name| names.channel(name, faults))?;
        results.push(Expected::Channel(channel));
    }
    if let Some(value) = table.get("channels") {
        let mut channels: Vec<usize> =
            value.texts().into_iter().filter_map(|name| names.channel(name, faults)).collect();
        channels.sort_unstable();
        results.push(Expected::Channels(channels));
    }
    for (key, result) in [("rejected", Expected::Rejected), ("no_channel", Expected::NoChannel)] {
        match table.get(key).map(|value| (value.boolean(), value)) {
            Some((Some(false), value)) => value.fault(format!("`{key}` can only be true; leave it out")),
            Some((Some(true), _)) => results.push(result),
            Some((None, _)) | None => {}
        }
    }
    let span = table.span();
    table.finish();
    if results.len() > 1 || (results.is_empty() && rule.is_none()) {
        let message =
            "`expect` needs a `rule`, or one of `channel`, `channels`, `rejected = true` and `no_channel = true`";
        faults.push(&span, message);
        return None;
    }
    Some(Expect { rule: rule.map(|rule| rule.text.to_owned()), result: results.pop().unwrap_or(Expected::Anything) })
}

/// Why a test fails.
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl TestCase {
    /// Decides the test's payment and compares.
    pub(crate) fn run(&self, rules: &RuleSet) -> Result<(), Failure> {
        let stated = |at: usize| self.statuses.iter().find(|(channel, _)| *channel == at).map(|(_, status)| *status);
        let snapshot = Snapshot::new((0..rules.channels.len()).map(|at| stated(at).unwrap_or(Status::Up)));
        let payment = self.id.unwrap_or_else(|| PaymentId::from_uuid(Default::default()));
        let query = Query { point: &self.point, mode: None, offer: &self.offer, snapshot: &snapshot, payment };
        let told = rules.account(&query);
        let failure = |message: String| {
            let why =
                told.candidates.iter().map(|row| format!("`{}` {}", row.channel, row.verdict)).collect::<Vec<_>>();
            Failure { message, hint: (!why.is_empty()).then(|| why.join("; ")) }
        };
        let decision = told.decision;
        if let Some(rule) = self.expect.rule.as_deref()
            && decision.rule != Some(rule)
        {
            let decided =
                decision.rule.map_or_else(|| "no rule decides".to_owned(), |rule| format!("rule `{rule}` decides"));
            return Err(failure(format!("{decided}, where `{rule}` is expected")));
        }
        let name = |at: usize| rules.channel(at).map(|channel| channel.name.to_string()).unwrap_or_default();
        let rule = decision.rule.unwrap_or("none");
        let found = match decision.outcome {
            Outcome::Channel { channel, .. } => format!("rule `{rule}` chooses channel `{channel}`"),
            Outcome::Rejected { message } => format!("rule `{rule}` rejects: {message}"),
            Outcome::NoChannel => format!("there is no channel: {}", decision.reason.as_str()),
        };
        let fits = match (&self.expect.result, decision.outcome) {
            (Expected::Anything, _) => true,
            (Expected::Rejected, outcome) => matches!(outcome, Outcome::Rejected { .. }),
            (Expected::NoChannel, outcome) => outcome == Outcome::NoChannel,
            (Expected::Channel(at), _) if self.is_open(decision.reason, &told.candidates) => {
                let message = format!("the split decides by the payment's id whether it is channel `{}`", name(*at));
                let hint = Some(
                    "give `payment` an `id`, or expect `channels = [...]`: all that the split chooses among".to_owned(),
                );
                return Err(Failure { message, hint });
            }
            (Expected::Channel(at), _) => decision.channel().is_some_and(|channel| channel.as_str() == name(*at)),
            (Expected::Channels(expected), _) => {
                let mut among: Vec<&str> = chosen_among(&told.candidates).collect();
                among.sort_unstable();
                let expected: Vec<String> = expected.iter().map(|&at| name(at)).collect();
                among == expected
            }
        };
        let expected = match &self.expect.result {
            Expected::Channel(at) => format!("channel `{}`", name(*at)),
            Expected::Channels(all) => {
                let all: Vec<String> = all.iter().map(|&at| format!("`{}`", name(at))).collect();
                format!("one of exactly {}", all.join(", "))
            }
            Expected::Rejected => "a rejection".to_owned(),
            Expected::NoChannel => "no channel".to_owned(),
            Expected::Anything => String::new(),
        };
        if fits { Ok(()) } else { Err(failure(format!("{found}, where {expected} is expected"))) }
    }

    /// Whether the id, which the test leaves out, decides between channels.
    fn is_open(&self, reason: Reason, candidates: &[Candidate<'_>]) -> bool {
        let split = matches!(reason, Reason::SplitUp | Reason::SplitDegraded);
        split && self.id.is_none() && chosen_among(candidates).count() > 1
    }
}

/// The channels that could have been chosen for another id.
fn chosen_among<'c>(candidates: &'c [Candidate<'_>]) -> impl Iterator<Item = &'c str> {
    let could = |row: &&Candidate<'_>| matches!(row.verdict, Verdict::Chosen | Verdict::SplitElsewhere);
    candidates.iter().filter(could).map(|row| row.channel.as_str())
}
