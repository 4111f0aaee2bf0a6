//! What an adapter brings.

use std::path::Path;

use switchyard_core::capabilities::{Capabilities, Parts};
use switchyard_core::provider::Authorize;
use switchyard_core::{Currency, FailureCode, OperationKind, Provider};

use crate::recording::Recording;

/// An adapter, set up with made-up credentials, and what its provider says.
pub struct Example {
    /// The adapter.
    pub provider: Box<dyn Provider>,
    /// The directory with the recordings, one `<name>.http` each.
    pub recordings: &'static str,
    /// The credentials; none of them may ever be shown.
    pub secrets: &'static [&'static str],
    /// In which the recordings' amounts are.
    pub currency: &'static str,
    /// The provider's id of each thing in the recordings.
    pub reference: fn(OperationKind) -> &'static str,
    /// Adds to an authorization what this provider needs.
    pub prepare: fn(&mut Authorize),
    /// Recorded declines of a charge.
    pub declines: &'static [Decline],
    /// Recorded refusals of a request, in the provider's documented form.
    pub refusals: &'static [Refusal],
    /// How amounts stand in the body, or the address, of an authorization.
    pub amounts: &'static [OnTheWire],
    /// Headers that differ from call to call though nothing else does (a time, a signature over one).
    pub volatile_headers: &'static [&'static str],
    /// Recordings that cannot exist, each with the reason.
    pub lacks: &'static [(&'static str, &'static str)],
}

/// A recorded decline.
#[derive(Clone, Copy, Debug)]
pub struct Decline {
    /// The recording's name.
    pub recording: &'static str,
    /// What it means.
    pub code: FailureCode,
}

/// A recorded refusal.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// What was asked for.
    pub kind: OperationKind,
    /// The recording's name.
    pub recording: &'static str,
    /// What it means.
    pub code: FailureCode,
}

/// An amount, and the text that stands for it in a request.
#[derive(Clone, Copy, Debug)]
pub struct OnTheWire {
    /// The ISO 4217 code.
    pub currency: &'static str,
    /// In ISO 4217's minor units.
    pub minor: i64,
    /// As the provider documents it.
    pub text: &'static str,
}

impl Example {
    /// The recording of that name; `None` where the adapter says that there can be none.
    ///
    /// # Panics
    /// Where it is missing without a reason.
    pub(crate) fn recording(&self, name: &str) -> Option<Recording> {
        if self.lacks.iter().any(|(lacking, _)| *lacking == name) {
            return None;
        }
        Some(Recording::read(&Path::new(self.recordings).join(format!("{name}.http"))))
    }

    pub(crate) fn currency(&self) -> Currency {
        currency(self.currency)
    }

    /// What the adapter claims to do.
    pub(crate) fn kinds(&self) -> Vec<OperationKind> {
        let capabilities = self.provider.capabilities();
        OperationKind::ALL.iter().copied().filter(|&kind| claims(&capabilities, kind)).collect()
    }
}

pub(crate) fn claims(capabilities: &Capabilities, kind: OperationKind) -> bool {
    capabilities.methods.iter().any(|row| match kind {
        OperationKind::Authorize => row.manual_capture,
        OperationKind::Sale => row.sale,
        OperationKind::Capture => row.captures != Parts::No,
        OperationKind::Void => row.void || row.cancel_waiting,
        OperationKind::Refund => row.refunds != Parts::No,
    })
}

pub(crate) fn currency(code: &str) -> Currency {
    match Currency::from_code(code) {
        Some(currency) => currency,
        None => panic!("{code} is no currency"),
    }
}
