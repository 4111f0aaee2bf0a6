//! Channels as configured, made ready to be called.

use super::{Failure, transport};
use crate::config::Loaded;
use crate::config::address::WebAddress;
use crate::config::settings::ProviderCalls;
use crate::providers::Account as Building;
use crate::transport::{HttpTransport, Settings};
use std::sync::Arc;
use std::time::Duration;
use switchyard_core::operation::Target;
use switchyard_core::{ChannelName, Clock, Mode, Provider};
use switchyard_engine::{Account, Channel, Channels, Limit};

/// Everything about the channels but their connections, which each worker has of its own.
pub(super) struct Plan {
    channels: Vec<Planned>,
    transport: Settings,
}

struct Planned {
    name: ChannelName,
    provider: Arc<str>,
    test: Option<Known>,
    live: Option<Known>,
    timeout: Duration,
    limit: Limit,
}

/// An adapter with its account.
#[derive(Clone)]
struct Known {
    provider: Arc<dyn Provider>,
    target: Arc<Target>,
}

impl Plan {
    /// `simulator` is where the sandbox's own provider listens.
    pub(super) fn new(loaded: &Loaded, simulator: Option<&WebAddress>, refused_port: u16) -> Result<Self, Failure> {
        let mut channels = Vec::with_capacity(loaded.channels.len());
        for channel in &loaded.channels {
            let known = |mode: Mode| -> Result<Option<Known>, Failure> {
                let Some(account) = channel.account(mode) else { return Ok(None) };
                let Some(base) = loaded.base(account, simulator) else { return Ok(None) };
                let building =
                    Building { base: &base, credentials: &account.credentials, refused_port: Some(refused_port) };
                let provider = channel
                    .provider
                    .build(&building)
                    .map_err(|reason| Failure(format!("channel {}: {reason}", channel.name)))?;
                let target = Target {
                    channel: channel.name.clone(),
                    base: provider.base().to_owned(),
                    account: provider.account().to_owned(),
                };
                Ok(Some(Known { provider, target: Arc::new(target) }))
            };
            channels.push(Planned {
                name: channel.name.clone(),
                provider: channel.provider.name.into(),
                test: known(Mode::Test)?,
                live: known(Mode::Live)?,
                timeout: channel.timeout,
                limit: Limit::new(channel.concurrency_max),
            });
        }
        let tls = transport::tls_settings(&[])?;
        Ok(Self { channels, transport: transport_settings(&loaded.settings.provider, tls) })
    }

    /// The channels with connections of their own.
    pub(super) fn connect(&self, clock: &Arc<dyn Clock>) -> Channels {
        let account = |known: &Option<Known>| {
            known.as_ref().map(|known| Account {
                provider: Arc::clone(&known.provider),
                transport: Arc::new(HttpTransport::new(self.transport.clone(), Arc::clone(clock), None)),
                target: Arc::clone(&known.target),
            })
        };
        self.channels
            .iter()
            .map(|planned| Channel {
                name: planned.name.clone(),
                provider: Arc::clone(&planned.provider),
                test: account(&planned.test),
                live: account(&planned.live),
                timeout: planned.timeout,
                limit: planned.limit.clone(),
            })
            .collect()
    }
}

fn transport_settings(calls: &ProviderCalls, tls: Arc<rustls::ClientConfig>) -> Settings {
    Settings {
        connect_timeout: calls.connect_timeout,
        idle_connections_max: calls.idle_connections_max,
        idle_time_max: calls.idle_timeout,
        tls,
    }
}
