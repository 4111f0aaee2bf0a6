//! A decision with everything that led to it, as programs and people read it.

use crate::cli::expiry;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use switchyard_core::Payment;
use switchyard_engine::{Inputs, differences};
use switchyard_routing::{Explanation, Outcome, RuleSet};

/// A decision and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Explained {
    /// `channel`, `rejected` or `no_channel`.
    pub(crate) outcome: String,
    /// The channel chosen.
    pub(crate) channel: Option<String>,
    /// Its provider.
    pub(crate) provider: Option<String>,
    /// The words of the rule that refuses it.
    pub(crate) message: Option<String>,
    pub(crate) rule: Option<String>,
    pub(crate) reason: String,
    /// Every channel of the rule, in its order.
    pub(crate) candidates: Vec<Candidate>,
    /// The rules before it, each with the condition that does not hold.
    pub(crate) passed_rules: Vec<PassedRule>,
}

/// A channel of the rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Candidate {
    pub(crate) channel: String,
    pub(crate) verdict: String,
}

/// A rule that does not match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PassedRule {
    pub(crate) rule: String,
    pub(crate) condition: String,
}

impl From<&Explanation<'_>> for Explained {
    fn from(explanation: &Explanation<'_>) -> Self {
        let (outcome, channel, provider, message) = match &explanation.decision.outcome {
            Outcome::Channel { channel, provider } => ("channel", Some(channel.to_string()), Some(*provider), None),
            Outcome::Rejected { message } => ("rejected", None, None, Some(*message)),
            Outcome::NoChannel => ("no_channel", None, None, None),
        };
        let candidate = |candidate: &switchyard_routing::Candidate<'_>| Candidate {
            channel: candidate.channel.to_string(),
            verdict: candidate.verdict.to_string(),
        };
        let passed =
            |(rule, condition): &(&str, &str)| PassedRule { rule: (*rule).into(), condition: (*condition).into() };
        Self {
            outcome: outcome.to_owned(),
            channel,
            provider: provider.map(str::to_owned),
            message: message.map(str::to_owned),
            rule: explanation.decision.rule.map(str::to_owned),
            reason: explanation.decision.reason.as_str().to_owned(),
            candidates: explanation.candidates.iter().map(candidate).collect(),
            passed_rules: explanation.passed_rules.iter().map(passed).collect(),
        }
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
        match self.outcome.as_str() {
            "channel" => {
                writeln!(f, "The payment goes to {} ({}).", or_none(&self.channel), or_none(&self.provider))?;
            }
            "rejected" => writeln!(f, "The payment is rejected: {}.", or_none(&self.message))?,
            _ => writeln!(f, "The payment has no channel.")?,
        }
        writeln!(f, "\n  rule    {}", self.rule.as_deref().unwrap_or("none"))?;
        writeln!(f, "  reason  {}", self.reason)?;
        if !self.candidates.is_empty() {
            writeln!(f, "\nChannels of the rule:")?;
        }
        for Candidate { channel, verdict } in &self.candidates {
            writeln!(f, "  {channel} {verdict}")?;
        }
        if !self.passed_rules.is_empty() {
            writeln!(f, "\nRules before it, and the condition that does not hold:")?;
        }
        for PassedRule { rule, condition } in &self.passed_rules {
            writeln!(f, "  {rule}: {condition}")?;
        }
        Ok(())
    }
}

/// A recorded payment's decision, made again and explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) payment: String,
    pub(crate) created_at: Option<String>,
    /// What was known of it, by the names that rules use.
    pub(crate) facts: BTreeMap<String, String>,
    pub(crate) rules_version: String,
    /// What the channels were at that moment.
    pub(crate) statuses: BTreeMap<String, String>,
    /// What is recorded and does not come out again; empty as it should be.
    pub(crate) differences: Vec<String>,
    #[serde(flatten)]
    pub(crate) explained: Explained,
}

impl Recorded {
    /// Under the rules that decided. `None` where the row does not say what the payment carried.
    pub(crate) fn new(payment: &Payment, rules: &RuleSet) -> Option<Self> {
        let Inputs { facts, offer, snapshot, seed } = Inputs::of(payment)?;
        let statuses = rules.statuses(&snapshot).map(|(name, status)| (name.to_string(), status.to_string()));
        let named = [
            ("amount", facts.amount.to_major()),
            ("capture", facts.capture.as_str().to_owned()),
            ("country", facts.country.to_string()),
            ("currency", facts.amount.currency().to_string()),
            ("merchant", facts.merchant.to_string()),
            ("method", facts.method.to_string()),
            ("mode", payment.mode.as_str().to_owned()),
            ("order_type", facts.order_type.to_string()),
        ];
        Some(Self {
            payment: payment.id.to_string(),
            created_at: expiry::shown(payment.created_at),
            facts: named.map(|(name, value)| (name.to_owned(), value)).into(),
            rules_version: payment.decided.rules_version.to_string(),
            statuses: statuses.collect(),
            differences: differences(payment, rules).iter().map(ToString::to_string).collect(),
            explained: Explained::from(&rules.explain(&facts, &offer, &snapshot, seed)),
        })
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |pairs: &BTreeMap<String, String>| {
            pairs.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "{} of {}", self.payment, self.created_at.as_deref().unwrap_or("an unknown time"))?;
        writeln!(f, "  facts   {}", listed(&self.facts))?;
        writeln!(f, "  status  {}", listed(&self.statuses))?;
        writeln!(f, "  rules   {}\n", self.rules_version)?;
        self.explained.fmt(f)?;
        if !self.differences.is_empty() {
            writeln!(f, "\nThis is not what is recorded:")?;
        }
        self.differences.iter().try_for_each(|difference| writeln!(f, "  {difference}"))
    }
}
