//! Channels as configured, made ready to be called.

use super::{Failure, transport};
use crate::config::Loaded;
use crate::config::address::WebAddress;
use crate::config::settings::ProviderCalls;
use crate::providers::{Account as Building, Base};
use crate::transport::{HttpTransport, Reach, Settings};
use std::sync::Arc;
use std::time::Duration;
use switchyard_core::operation::Target;
use switchyard_core::{ChannelName, Clock, Mode, Provider};
use switchyard_engine::{Account, Channel, Channels, Limit, Roster};
use switchyard_store::AccountUse;

pub(super) const MODES: [Mode; 2] = [Mode::Test, Mode::Live];

/// What channels are built with, the same for as long as the process serves.
#[derive(Clone)]
pub(super) struct Ground {
    /// Where the sandbox's own provider listens.
    pub(super) simulator: Option<WebAddress>,
    pub(super) refused_port: u16,
    pub(super) clock: Arc<dyn Clock>,
    transport: Settings,
}

impl Ground {
    pub(super) fn new(
        calls: &ProviderCalls,
        simulator: Option<WebAddress>,
        refused_port: u16,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let tls = transport::tls_settings(&[])?;
        Ok(Self { simulator, refused_port, clock, transport: transport_settings(calls, tls) })
    }
}

/// Everything about the channels but their connections, which each worker has of its own.
pub(super) struct Plan {
    channels: Vec<Planned>,
    ground: Ground,
}

struct Planned {
    name: ChannelName,
    provider: Arc<str>,
    test: Option<Known>,
    live: Option<Known>,
    timeout: Duration,
    limit: Limit,
    /// Modes that are switched off, so that nobody can say which account they have.
    off: Vec<Mode>,
    /// Whether it takes no new payments.
    retired: bool,
}

impl Planned {
    fn known(&self, mode: Mode) -> Option<&Known> {
        match mode {
            Mode::Test => self.test.as_ref(),
            Mode::Live => self.live.as_ref(),
        }
    }
}

/// An adapter with its account.
#[derive(Clone)]
struct Known {
    provider: Arc<dyn Provider>,
    target: Arc<Target>,
    /// Whether the provider is the sandbox's own, which may listen elsewhere after each start.
    own: bool,
}

impl Plan {
    /// The channels of a configuration. Calls that are open count on at channels that `before` has as well.
    pub(super) fn new(loaded: &Loaded, ground: &Ground, before: Option<&Self>) -> Result<Self, Failure> {
        let mut channels = Vec::with_capacity(loaded.channels.len());
        for channel in &loaded.channels {
            let known = |mode: Mode| -> Result<Option<Known>, Failure> {
                let Some(account) = channel.account(mode) else { return Ok(None) };
                let Some(base) = loaded.base(account, ground.simulator.as_ref()) else { return Ok(None) };
                let refused_port = Some(ground.refused_port);
                let building = Building { base: &base, credentials: &account.credentials, refused_port };
                let provider = channel
                    .provider
                    .build(&building)
                    .map_err(|reason| Failure(format!("channel {}: {reason}", channel.name)))?;
                let target = Target {
                    channel: channel.name.clone(),
                    base: provider.base().to_owned(),
                    account: provider.account().to_owned(),
                };
                let own = account.base == Base::Simulator && loaded.settings.simulator.url.is_none();
                Ok(Some(Known { provider, target: Arc::new(target), own }))
            };
            let same = before.and_then(|before| before.channels.iter().find(|it| it.name == channel.name));
            let limit = same.map(|same| same.limit.with_max(channel.concurrency_max));
            channels.push(Planned {
                name: channel.name.clone(),
                provider: channel.provider.name.into(),
                test: known(Mode::Test)?,
                live: known(Mode::Live)?,
                timeout: channel.timeout,
                limit: limit.unwrap_or_else(|| Limit::new(channel.concurrency_max)),
                off: channel.off.clone(),
                retired: channel.spec.retired,
            });
        }
        Ok(Self { channels, ground: ground.clone() })
    }

    /// Every account that new payments may go to.
    pub(super) fn open(&self) -> impl Iterator<Item = AccountUse> {
        let channels = self.channels.iter().filter(|channel| !channel.retired);
        let modes = channels.flat_map(|channel| MODES.map(|mode| (mode, channel.known(mode))));
        modes.filter_map(|(mode, known)| Some(AccountUse { target: Target::clone(&known?.target), mode }))
    }

    /// Whether payments at that account can go on with these channels. A mode that is switched off keeps the account
    /// that it had, as far as anybody knows.
    pub(super) fn serves(&self, AccountUse { target, mode }: &AccountUse) -> bool {
        let Some(channel) = self.channels.iter().find(|channel| channel.name == target.channel) else { return false };
        let same =
            |known: &Known| known.target.account == target.account && (known.own || known.target.base == target.base);
        channel.off.contains(mode) || channel.known(*mode).is_some_and(same)
    }
}

impl Roster for Plan {
    fn connect(&self, had: &Channels) -> Channels {
        let account = |planned: &Planned, mode: Mode, known: &Option<Known>| {
            known.as_ref().map(|known| {
                // Connections carry no credentials: those to the same address go on.
                let had = had.get(&planned.name).and_then(|channel| channel.account(mode));
                let transport = had.filter(|had| had.target.base == known.target.base).map(|had| &had.transport);
                Account {
                    provider: Arc::clone(&known.provider),
                    transport: transport.map_or_else(|| self.ground.transport(), Arc::clone),
                    target: Arc::clone(&known.target),
                }
            })
        };
        let channel = |planned: &Planned| Channel {
            name: planned.name.clone(),
            provider: Arc::clone(&planned.provider),
            test: account(planned, Mode::Test, &planned.test),
            live: account(planned, Mode::Live, &planned.live),
            timeout: planned.timeout,
            limit: planned.limit.clone(),
        };
        self.channels.iter().map(channel).collect()
    }
}

impl Ground {
    fn transport(&self) -> Arc<dyn switchyard_core::Transport> {
        Arc::new(HttpTransport::new(self.transport.clone(), Arc::clone(&self.clock), None))
    }
}

fn transport_settings(calls: &ProviderCalls, tls: Arc<rustls::ClientConfig>) -> Settings {
    Settings {
        connect_timeout: calls.connect_timeout,
        idle_connections_max: calls.idle_connections_max,
        idle_time_max: calls.idle_timeout,
        tls,
        reach: Reach::Anywhere,
    }
}
