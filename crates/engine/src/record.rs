//! A payment's routing decision, made again from what its row keeps.

use std::fmt;
use switchyard_core::payment::Decided;
use switchyard_core::{ChannelName, Payment, PaymentId};
use switchyard_routing::{Facts, Offer, Outcome, Reason, RuleSet, Snapshot};

/// All that a decision hung on but the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// What was known of the payment.
    pub facts: Facts,
    /// Which channels it carried a token for.
    pub offer: Offer,
    /// What the channels were.
    pub snapshot: Snapshot,
    /// The id that shares of splits and of probes hung on.
    pub seed: PaymentId,
}

impl Inputs {
    /// As they were when the payment was routed: whatever [`crate::Engine`] gives the rules must be found here again.
    ///
    /// `None` where the offer is none.
    #[must_use]
    pub fn of(payment: &Payment) -> Option<Self> {
        let mut facts = Facts::new(
            payment.order_type.clone(),
            payment.method,
            payment.amount,
            payment.country,
            payment.merchant.clone(),
        );
        facts.capture = payment.capture;
        facts.mode = Some(payment.mode);
        let decided = &payment.decided;
        Some(Self {
            facts,
            offer: Offer::from_bytes(&decided.offer)?,
            snapshot: Snapshot::from_bytes(&decided.snapshot),
            seed: decided.drawn_by(payment.id),
        })
    }
}

/// Where a decision sends a payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// To this channel.
    Channel(ChannelName),
    /// Nowhere: a rule refuses it.
    Rejected,
    /// Nowhere: no channel can serve it.
    NoChannel,
}

impl End {
    /// As it was recorded.
    #[must_use]
    pub fn recorded(decided: &Decided) -> Self {
        match &decided.channel {
            Some(channel) => Self::Channel(channel.clone()),
            None if &*decided.reason == Reason::Rejected.as_str() => Self::Rejected,
            None => Self::NoChannel,
        }
    }
}

impl From<&Outcome<'_>> for End {
    fn from(outcome: &Outcome<'_>) -> Self {
        match outcome {
            Outcome::Channel { channel, .. } => Self::Channel((*channel).clone()),
            Outcome::Rejected { .. } => Self::Rejected,
            Outcome::NoChannel => Self::NoChannel,
        }
    }
}

/// Something that is recorded of a decision and does not come out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub what: &'static str,
    /// As the ledger has it.
    pub recorded: String,
    /// As it comes out.
    pub again: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} recorded `{}`, evaluated again `{}`", self.what, self.recorded, self.again)
    }
}

/// Makes the decision again under the rules that made it, and tells everything that comes out otherwise.
#[must_use]
pub fn differences(payment: &Payment, rules: &RuleSet) -> Vec<Difference> {
    let decided = &payment.decided;
    let Some(inputs) = Inputs::of(payment) else {
        let recorded = String::from_utf8_lossy(&decided.offer).into_owned();
        return vec![Difference { what: "offer", recorded, again: "no offer".into() }];
    };
    let Inputs { facts, offer, snapshot, seed } = &inputs;
    let decision = rules.decide(facts, offer, snapshot, *seed);
    let channel = |channel: Option<&ChannelName>| channel.map_or("none", ChannelName::as_str).to_owned();
    let statuses = |count: usize| format!("{count} channels");
    [
        ("rules", decided.rules_version.to_string(), rules.hash().to_owned()),
        ("snapshot", statuses(decided.snapshot.len()), statuses(rules.channel_names().count())),
        ("rule", decided.rule.to_string(), decision.rule.unwrap_or("").to_owned()),
        ("channel", channel(decided.channel.as_ref()), channel(decision.channel())),
        ("reason", decided.reason.to_string(), decision.reason.as_str().to_owned()),
    ]
    .into_iter()
    .filter(|(_, recorded, again)| recorded != again)
    .map(|(what, recorded, again)| Difference { what, recorded, again })
    .collect()
}
