//! The registry: every provider this binary can speak to, a row each.
//!
//! A new adapter is its crate, a line in two manifests, and a row here.

use crate::config::address::WebAddress;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use switchyard_core::capabilities::{Idempotency, LookUp, MethodCapability, Parts, Presentation, Which};
use switchyard_core::method::Direction;
use switchyard_core::{Capabilities, Method, Mode, Provider};
use switchyard_provider_simulator as simulator;

/// A provider that channels can name.
pub(crate) struct Row {
    /// As channels name it, and as its capability record does.
    pub(crate) name: &'static str,
    /// What it can do.
    pub(crate) capabilities: fn() -> Arc<Capabilities>,
    /// The secrets that an account needs, as channels name them.
    pub(crate) credentials: &'static [&'static str],
    /// Where it is reached, unless a channel says otherwise; `None` where every account has an address of its own.
    pub(crate) base: fn(Mode) -> Option<Base>,
    /// Whether no money can move, whatever the mode.
    pub(crate) simulated: bool,
    build: fn(&Account<'_>) -> Result<Arc<dyn Provider>, String>,
}

/// Stands for a provider that this binary does not know: it is taken to do everything, so that rules are judged by what
/// their own file says, and has no account, so that no payment goes there.
pub(crate) static UNKNOWN: Row = Row {
    name: "",
    capabilities: anything,
    credentials: &[],
    base: |_| None,
    simulated: false,
    build: |_| Err("the provider is unknown".to_owned()),
};

fn anything() -> Arc<Capabilities> {
    let method = |(method, direction): (Method, Direction)| MethodCapability {
        method,
        direction,
        presentation: Presentation::Hosted,
        currencies: Which::All,
        countries: Which::All,
        amounts: Vec::new(),
        manual_capture: true,
        sale: true,
        captures: Parts::No,
        void: false,
        cancel_waiting: false,
        refunds: Parts::No,
        required: Vec::new(),
    };
    let directions =
        |method: &Method| method.directions().iter().map(|direction| (*method, *direction)).collect::<Vec<_>>();
    Arc::new(Capabilities {
        provider: UNKNOWN.name,
        api_version: "",
        methods: Method::ALL.iter().flat_map(directions).map(method).collect(),
        idempotency: Idempotency::None,
        look_up: LookUp {
            by_our_reference: false,
            by_their_reference: false,
            complete: false,
            grace: Duration::ZERO,
            schedule: Vec::new(),
            longest_silence: Duration::ZERO,
        },
    })
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Row {
    /// Whether it is [`UNKNOWN`].
    pub(crate) fn unknown(&self) -> bool {
        self.name == UNKNOWN.name
    }

    /// The adapter for one account.
    ///
    /// # Errors
    /// What is wrong with the account, in one sentence without a secret.
    pub(crate) fn build(&self, account: &Account<'_>) -> Result<Arc<dyn Provider>, String> {
        (self.build)(account)
    }
}

/// Where a channel reaches its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// There.
    Web(WebAddress),
    /// At the simulated provider of this installation, wherever that listens.
    Simulator,
}

/// One channel's account in one mode.
pub(crate) struct Account<'a> {
    /// The address, without a slash at its end.
    pub(crate) base: &'a str,
    /// The secrets, in the order of [`Row::credentials`].
    pub(crate) credentials: &'a [SecretString],
    /// A port of this machine that is bound and never listens; the simulator's `tok_refused_connection` goes there.
    pub(crate) refused_port: Option<u16>,
}

impl Account<'_> {
    /// The `at`th secret of [`Row::credentials`].
    fn credential(&self, at: usize) -> Result<SecretString, String> {
        self.credentials.get(at).cloned().ok_or_else(|| "a credential is missing".to_owned())
    }
}

/// Every provider.
pub(crate) const ROWS: &[Row] = &[Row {
    name: "simulator",
    capabilities: || Arc::clone(&simulator::CAPABILITIES),
    credentials: &["api_key"],
    base: |_| Some(Base::Simulator),
    simulated: true,
    build: |account| {
        Ok(Arc::new(simulator::Simulator::new(simulator::Config {
            base: account.base.to_owned(),
            api_key: account.credential(0)?,
            refused_port: account.refused_port.map(|port| format!("http://127.0.0.1:{port}")),
        })))
    },
}];

/// The row of that name.
pub(crate) fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_called_what_its_capability_record_says() {
        for row in ROWS {
            assert_eq!((row.capabilities)().provider, row.name);
        }
    }
}
