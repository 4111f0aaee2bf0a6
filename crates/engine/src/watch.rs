//! What the engine tells those who count.

use std::time::Duration;
use switchyard_core::payment::Source;
use switchyard_core::{ChannelName, FailureCode, Mode, OperationKind};

/// How a call to a provider ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Approved,
    /// The provider has it, and the outcome follows.
    Accepted,
    /// The payer has to act.
    RequiresAction,
    /// Not done.
    Refused(FailureCode),
    /// Nobody knows.
    Unknown,
    /// Something that happened to an object later: released, reversed.
    Changed,
}

impl Outcome {
    /// The name in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Accepted => "accepted",
            Self::RequiresAction => "requires_action",
            Self::Refused(_) => "refused",
            Self::Unknown => "unknown",
            Self::Changed => "changed",
        }
    }
}

/// Counts; called on the payment path, so it must not block.
pub trait Watch: Send + Sync {
    /// A call that moves money has ended, `took` after it began. `fault` counts against the channel.
    fn called(
        &self,
        channel: &ChannelName,
        mode: Mode,
        kind: OperationKind,
        outcome: Outcome,
        fault: bool,
        took: Duration,
    );

    /// A look-up has ended: with news, without, or by an error.
    fn looked_up(&self, channel: &ChannelName, kind: OperationKind, result: &'static str, took: Duration);

    /// News was written into the ledger. `channel` is `None` where no channel could serve.
    fn settled(&self, channel: Option<&ChannelName>, kind: OperationKind, outcome: Outcome, from: Source);

    /// A rule decided.
    fn routed(&self, rule: &str, channel: Option<&ChannelName>);

    /// A request was answered by what its key had brought before.
    fn replayed(&self);

    /// We and the provider disagree.
    fn contradicted(&self, channel: &ChannelName);
}
