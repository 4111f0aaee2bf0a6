//! One call to a provider, and what its answer means.

use crate::channel::{Account, Channel};
use crate::route::Probe;
use crate::{Engine, Outcome};
use std::time::Duration;
use switchyard_coordination::Noted;
use switchyard_core::Timestamp;
use switchyard_core::capabilities::Capabilities;
use switchyard_core::clock::Uptime;
use switchyard_core::limits::SEND_WITHIN;
use switchyard_core::payment::{News, Source};
use switchyard_core::provider::{Authorize, Call, Capture, Fate, Refund, Void};
use switchyard_core::settle::Report;
use switchyard_core::status::OperationState;
use switchyard_core::transport::Bounds;
use switchyard_core::{ChannelName, Mode, Operation, OperationKind, ProviderError};

/// One call, ready to be made.
pub(crate) struct Sending {
    pub(crate) mode: Mode,
    pub(crate) kind: OperationKind,
    pub(crate) ask: Ask,
    /// Past it the first byte may not leave.
    pub(crate) send_by: Uptime,
    /// Where the call tries out a channel that was bad.
    pub(crate) probe: Option<Probe>,
}

/// What is asked of the provider.
pub(crate) enum Ask {
    /// An authorization or sale.
    Authorize(Box<Authorize>),
    /// A capture.
    Capture(Capture),
    /// A void.
    Void(Void),
    /// A refund.
    Refund(Refund),
}

impl Ask {
    /// Asks once.
    pub(crate) async fn of(&self, account: &Account, call: &Call<'_>) -> Result<Report, ProviderError> {
        match self {
            Self::Authorize(ask) => account.provider.authorize(call, ask).await,
            Self::Capture(ask) => account.provider.capture(call, ask).await,
            Self::Void(ask) => account.provider.void(call, ask).await,
            Self::Refund(ask) => account.provider.refund(call, ask).await,
        }
    }
}

impl Engine {
    /// The moment past which an intent made now may not be sent, on the clock that counts suspended time.
    pub(crate) fn send_by(&self) -> Uptime {
        Uptime(self.seams.clock.uptime().0.saturating_add(SEND_WITHIN))
    }

    /// Calls once and tells what is known after it. Never an error: where nothing is known, that is the news.
    pub(crate) async fn call(&self, channel: &Channel, account: &Account, sending: Sending) -> (Report, Source) {
        let Sending { mode, kind, ask, send_by, probe } = sending;
        let bounds = Bounds { send_by, timeout: channel.timeout };
        let call = Call { transport: account.transport.as_ref(), bounds };
        let began = self.seams.clock.uptime();
        #[cfg(feature = "crash-points")]
        crate::crash::before_call();
        let result = ask.of(account, &call).await;
        #[cfg(feature = "crash-points")]
        let result = crate::crash::after_call(result, &ask, account, &call).await;
        let took = self.seams.clock.uptime().0.saturating_sub(began.0);
        let (report, source) = understand(kind, result);
        let (outcome, fault) = (outcome_of(&report.news), is_fault(&report.news));
        self.seams.watch.called(&channel.name, mode, kind, outcome, fault, took);
        self.note(&channel.name, mode, Noted { fault, latency: took }, probe);
        (report.screened(), source)
    }

    /// Counts the call for the channel's health, and posts what that has become.
    fn note(&self, channel: &ChannelName, mode: Mode, noted: Noted, probe: Option<Probe>) {
        let now = self.seams.clock.now();
        let board = &self.seams.board;
        // A probe's end posts also where the level stays: the next one may start.
        let post = match probe {
            Some(probe) => {
                probe.end(noted);
                true
            }
            None => board.coordination().note(channel, mode, now, noted).is_some(),
        };
        if post {
            board.look(now);
            // Whoever watches the board tells of what has changed, once.
            let status = board.in_force().status(channel, mode);
            tracing::debug!(%channel, mode = mode.as_str(), status = status.as_str(), "the health of a channel was judged");
        }
    }
}

/// A refused or lost call in the words of the ledger.
fn understand(kind: OperationKind, result: Result<Report, ProviderError>) -> (Report, Source) {
    let error = match result {
        Ok(report) => return (report, Source::Answer),
        Err(error) => error,
    };
    let source = match &error {
        ProviderError::NeverLeft(_) | ProviderError::Unsupported(_) => Source::Gateway,
        ProviderError::Refused(_)
        | ProviderError::RateLimited { .. }
        | ProviderError::Conflict(_)
        | ProviderError::NoAnswer(_)
        | ProviderError::Unreadable(_) => Source::Answer,
    };
    let news = match error.fate(kind) {
        Fate::NotProcessed => News::Refused(error.failure()),
        Fate::Unknown => {
            tracing::warn!(operation = kind.as_str(), error = %error, "the outcome of a call is unknown");
            News::Unknown
        }
    };
    (Report::bare(news), source)
}

/// The word for metrics.
pub(crate) fn outcome_of(news: &News) -> Outcome {
    match news {
        News::Unknown => Outcome::Unknown,
        News::Accepted | News::AttemptRefused(_) => Outcome::Accepted,
        News::RequiresAction(_) => Outcome::RequiresAction,
        News::Approved(_) => Outcome::Approved,
        News::Refused(failure) => Outcome::Refused(failure.code),
        News::Released(_) | News::Reversed(_) => Outcome::Changed,
    }
}

/// Whether it counts against the channel: doubt does when it happens, a decline never.
fn is_fault(news: &News) -> bool {
    match news {
        News::Unknown => true,
        News::Refused(failure) => failure.counts_against_channel(),
        News::Accepted
        | News::AttemptRefused(_)
        | News::RequiresAction(_)
        | News::Approved(_)
        | News::Released(_)
        | News::Reversed(_) => false,
    }
}

/// When *not found* starts to count: later than the last moment at which the call could have been sent, could have
/// been answered, and could still be on its way into the provider's books; and later than when it became in doubt, by as
/// much.
pub(crate) fn not_found_counts_from(
    operation: &Operation,
    timeout: Duration,
    capabilities: &Capabilities,
) -> Timestamp {
    let answered_by = operation.send_by.after(timeout);
    let known_since = match operation.state {
        OperationState::InDoubt => operation.updated_at,
        OperationState::Intended
        | OperationState::Accepted
        | OperationState::Succeeded
        | OperationState::Failed
        | OperationState::Reversed => operation.created_at,
    };
    answered_by.max(known_since).after(capabilities.look_up.grace)
}
