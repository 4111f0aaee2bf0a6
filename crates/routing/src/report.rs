//! What a check found: plain data for programs, text as compilers print it for people.

use crate::domain::{CAPTURE_MODES, Dim, Domain, Point, named};
use crate::facts::{Brand, Facts, Funding, Initiator};
use crate::source::{Place, show_hint};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::fmt;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{Country, MerchantName, Method, Money, OrderType};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The rules are not loaded.
    Error,
    /// Likely a mistake; refused where warnings are denied.
    Warning,
    /// Good to know.
    Note,
}

/// What kind of finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A payment that no rule decides.
    Gap,
    /// A rule whose conditions no payment can meet.
    Impossible,
    /// A rule that decides nothing, since rules before it take everything.
    Shadowed,
    /// A rule none of whose channels can serve anything it decides.
    Unservable,
    /// A currency or method that no channel has, named by a rule that uses channels.
    NotOffered,
    /// A test of the file that fails.
    FailedTest,
    /// The rules hang together in so many ways that the bound of work was reached.
    TooComplex,
    /// A name or bound of a rule that decides nothing, since rules before it take everything it would.
    PartlyShadowed,
    /// A name or bound that no payment can meet together with the rule's other conditions.
    PartlyImpossible,
    /// Payments a rule decides that none of its channels can serve.
    PartlyUnservable,
    /// Payments that lose every channel when one channel or provider goes down.
    SinglePoint,
}

impl Kind {
    /// The name in text and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Impossible => "impossible",
            Self::Shadowed => "shadowed",
            Self::Unservable => "unservable",
            Self::NotOffered => "not_offered",
            Self::FailedTest => "failed_test",
            Self::TooComplex => "too_complex",
            Self::PartlyShadowed => "partly_shadowed",
            Self::PartlyImpossible => "partly_impossible",
            Self::PartlyUnservable => "partly_unservable",
            Self::SinglePoint => "single_point",
        }
    }

    /// How grave findings of this kind are.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Gap
            | Self::Impossible
            | Self::Shadowed
            | Self::Unservable
            | Self::NotOffered
            | Self::FailedTest
            | Self::TooComplex => Severity::Error,
            Self::PartlyShadowed | Self::PartlyImpossible | Self::PartlyUnservable => Severity::Warning,
            Self::SinglePoint => Severity::Note,
        }
    }
}

/// One thing a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How grave it is; hangs on the kind alone.
    pub severity: Severity,
    /// What kind of finding it is.
    pub kind: Kind,
    /// The rule (of a failed test: the test) it is about; `None` for a gap.
    pub name: Option<String>,
    /// The place in the rules' file.
    #[serde(flatten)]
    pub place: Place,
    /// What is the matter, in one sentence without a full stop.
    pub message: String,
    /// A payment that shows it.
    pub payment: Option<Witness>,
    /// The other rules that have part in it: those that shadow it, or that make a proof long.
    pub rules: Vec<String>,
    /// The channel or provider that [`Kind::SinglePoint`] is about.
    pub single: Option<String>,
    /// More to know, and what to do.
    pub hint: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        writeln!(f, "{severity}[{}]: {}", self.kind.as_str(), self.message)?;
        self.place.show(f)?;
        if let Some(payment) = &self.payment {
            let gutter = self.place.line.to_string().len();
            write!(f, "\n{:gutter$} = payment: {payment}", "")?;
        }
        show_hint(self.place.line, self.hint.as_deref(), f)
    }
}

/// What a check found, gravest first, then by place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The hash of the rule set.
    pub rules_version: String,
    /// Everything found.
    pub findings: Vec<Finding>,
    /// How many areas were looked at: what the check cost.
    pub work: u64,
}

impl Report {
    /// Whether the rules may be loaded.
    #[must_use]
    pub fn is_loadable(&self) -> bool {
        !self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// How many findings are of this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// The findings of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.kind == kind)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings.iter().try_for_each(|finding| write!(f, "{finding}\n\n"))?;
        let [errors, warnings, notes] =
            [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")].map(
                |(severity, name)| {
                    let count = self.count(severity);
                    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
                },
            );
        write!(f, "{errors}, {warnings}, {notes}")
    }
}

/// A payment that shows a finding. Its facts go into [`crate::RuleSet::explain`] as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    facts: Facts,
    /// The merchant is none of the declared ones.
    any_other_merchant: bool,
}

impl Witness {
    pub(crate) fn new(point: &Point, domain: &Domain) -> Option<Self> {
        let merchant = domain.merchants.name(point.value(Dim::Merchant));
        let any_other = (0..).map(|n| format!("any-other-{n}")).find(|name| domain.merchants.get(name).is_none())?;
        let currency = domain.currencies.get(usize::from(point.currency)).copied()?;
        let facts = Facts {
            order_type: OrderType::new(domain.order_types.name(point.value(Dim::OrderType))?)?,
            method: Method::ALL.get(point.value(Dim::Method)).copied()?,
            amount: Money::new(i64::try_from(point.amount).ok()?, currency)?,
            country: domain.countries.get(point.value(Dim::Country)).copied()?,
            merchant: MerchantName::new(merchant.unwrap_or(&any_other))?,
            brand: named(point.value(Dim::Brand), Brand::ALL),
            funding: named(point.value(Dim::Funding), Funding::ALL),
            issuer_country: domain.countries.get(point.value(Dim::Issuer)).copied(),
            initiator: Initiator::ALL.get(point.value(Dim::Initiator)).copied()?,
            capture: CAPTURE_MODES.get(point.value(Dim::Capture)).copied()?,
            mode: None,
        };
        Some(Self { any_other_merchant: merchant.is_none(), facts })
    }

    /// The payment's facts, without a mode.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Its facts by name, in the words of rules; usual ones are left out.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, String)> {
        let facts = &self.facts;
        let mut named = vec![
            ("order_type", facts.order_type.to_string()),
            ("country", facts.country.to_string()),
            ("method", facts.method.to_string()),
            ("amount", facts.amount.to_major()),
            ("currency", facts.amount.currency().to_string()),
        ];
        let mut say = |key, value: Option<String>| named.extend(value.map(|value| (key, value)));
        say("merchant", (!self.any_other_merchant).then(|| facts.merchant.to_string()));
        say("card_brand", facts.brand.map(|brand| brand.as_str().to_owned()));
        say("funding", facts.funding.map(|funding| funding.as_str().to_owned()));
        say("issuer_country", facts.issuer_country.as_ref().map(Country::to_string));
        say("initiator", (facts.initiator == Initiator::Merchant).then(|| facts.initiator.as_str().to_owned()));
        say("capture", (facts.capture == CaptureMode::Manual).then(|| facts.capture.as_str().to_owned()));
        named
    }
}

impl fmt::Display for Witness {
    /// As `[[tests]]` would write the payment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<String> = self.named().into_iter().map(|(key, value)| format!("{key} = \"{value}\"")).collect();
        write!(f, "{{ {} }}", named.join(", "))
    }
}

impl Serialize for Witness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.named();
        let mut map = serializer.serialize_map(Some(named.len()))?;
        for (key, value) in named {
            map.serialize_entry(key, &value)?;
        }
        map.end()
    }
}
