//! Configuration: files, environment and command line, read whole, with every fault told at once.
//!
//! [`load`] is the only way in. It reads nothing but the files of one directory and the secrets that these refer to.

pub(crate) mod address;
mod bounded;
pub(crate) mod channels;
pub(crate) mod environment;
pub(crate) mod fault;
mod files;
mod health;
mod layer;
mod maintenance;
pub(crate) mod merchants;
mod narrowing;
mod pepper;
mod secret;
pub(crate) mod section;
pub(crate) mod settings;
#[cfg(test)]
mod tests;

use crate::api::Pepper;
use crate::clock::SystemClock;
use crate::providers::Base;
use address::WebAddress;
pub(crate) use bounded::{read as read_bounded, read_text};
pub(crate) use channels::ChannelConfig;
pub(crate) use environment::Environment;
pub(crate) use fault::{Fault, Faults, Severity, Where};
use files::Files;
pub(crate) use files::REQUIRED as RELOADED;
use layer::{Layer, Layers};
use merchants::Rates;
pub(crate) use settings::Settings;
use std::path::{Path, PathBuf};
use switchyard_core::capabilities::Which;
use switchyard_core::{ChannelName, Clock as _, Mode, OrderType};
use switchyard_routing::vocabulary::{ChannelSpec, MerchantSpec, OrderTypeSpec, Vocabulary};
use switchyard_routing::{Report, RuleSet, check};

/// What to load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// The directory of the files; `None` for `./config`.
    pub(crate) config: Option<PathBuf>,
    /// The data directory, which wins over the settings.
    pub(crate) data: Option<PathBuf>,
    /// Files that are not there are built in, and no public address is needed.
    pub(crate) sandbox: bool,
    /// Whether a warning is an error.
    pub(crate) strict: bool,
}

/// A configuration that can be run.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Where the files came from; `None` where all are built in.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) settings: Settings,
    pub(crate) channels: Vec<ChannelConfig>,
    pub(crate) order_types: Vec<OrderTypeSpec>,
    pub(crate) merchants: Vec<MerchantSpec>,
    /// How much the keys of merchants may ask.
    pub(crate) rates: Rates,
    /// The rules, compiled and checked.
    pub(crate) rules: RuleSet,
    /// What the check found, notes included; no error is among it.
    pub(crate) report: Report,
    /// What is wrong and stops nothing, each to be told loudly.
    pub(crate) warnings: Vec<Fault>,
}

/// Loads a configuration.
///
/// # Errors
/// All that is wrong with all of it.
pub(crate) fn load(wanted: &Wanted, environment: &Environment) -> Result<Loaded, Faults> {
    let mut faults = Vec::new();
    let Some(files) = read(wanted, environment, &mut faults) else { return Err(Faults(faults)) };
    let directory = files.directory.clone().unwrap_or_default();
    let layers = layers(&files, wanted, environment, &mut faults);
    let settings = layers.settings(environment, &directory).map_err(|found| faults.extend(found)).ok();
    if let Some(settings) = &settings {
        check_settings(settings, &layers, wanted, &mut faults);
    }
    let (vocabulary, channels, rates) = vocabulary(&files, settings.as_ref(), environment, &directory, &mut faults);
    if let Some(settings) = &settings {
        check_simulator(settings, &channels, &layers, wanted, &mut faults);
    }
    faults.extend(channels.iter().flat_map(|channel| channel.broken.iter().cloned()));
    let sound = !faults.iter().any(|fault| fault.severity == Severity::Error);
    let rules = rules(&files, &vocabulary).map_err(|found| faults.extend(found)).ok();
    // What rules come to is only worth a word where the names they use mean what they should.
    let report = rules.as_ref().filter(|_| sound).map(check::check);
    faults.extend(report.iter().flat_map(|report| &report.findings).filter_map(Fault::of_finding));
    match (settings, rules.zip(report)) {
        (Some(settings), Some((rules, report))) if !stop(&faults, wanted) => Ok(Loaded {
            directory: files.directory,
            settings,
            channels,
            order_types: vocabulary.order_types,
            merchants: vocabulary.merchants,
            rates,
            rules,
            report,
            warnings: faults,
        }),
        (Some(_) | None, Some(_) | None) => Err(Faults(faults)),
    }
}

/// Loads the settings, order types and merchants alone: for commands that need no channel.
///
/// # Errors
/// All that is wrong with them.
pub(crate) fn load_settings(
    wanted: &Wanted,
    environment: &Environment,
) -> Result<(Settings, Vec<MerchantSpec>), Faults> {
    let mut faults = Vec::new();
    let Some(files) = read(wanted, environment, &mut faults) else { return Err(Faults(faults)) };
    let layers = layers(&files, wanted, environment, &mut faults);
    let settings = layers.settings(environment, &files.directory.unwrap_or_default());
    let settings = settings.map_err(|found| faults.extend(found)).ok();
    let read = merchants::read(&files.merchants, &channels::names(&files.channels), &mut faults);
    match settings {
        Some(settings) if !stop(&faults, wanted) => Ok((settings, read.merchants)),
        Some(_) | None => Err(Faults(faults)),
    }
}

/// Reads the files. Where they are not all there, what is wrong with the environment is still told.
fn read(wanted: &Wanted, environment: &Environment, faults: &mut Vec<Fault>) -> Option<Files> {
    let files = Files::read(wanted.config.as_deref(), wanted.sandbox, faults);
    if files.is_none() {
        let settings = layers(&Files::built_in(), wanted, environment, faults).settings(environment, Path::new(""));
        faults.extend(settings.err().unwrap_or_default());
    }
    files
}

fn stop(faults: &[Fault], wanted: &Wanted) -> bool {
    faults.iter().any(|fault| match fault.severity {
        Severity::Error => true,
        Severity::Warning => wanted.strict,
        Severity::Reminder => false,
    })
}

/// Compiles the rules. Nothing where the names that they may use could not be read.
fn rules(files: &Files, vocabulary: &Vocabulary) -> Result<RuleSet, Vec<Fault>> {
    if vocabulary.channels.is_empty() || vocabulary.order_types.is_empty() {
        return Err(Vec::new());
    }
    RuleSet::compile(&files.routing, vocabulary).map_err(|found| found.into_iter().map(Fault::from).collect())
}

fn layers(files: &Files, wanted: &Wanted, environment: &Environment, faults: &mut Vec<Fault>) -> Layers {
    let mut layers: Vec<Layer> = files.settings.iter().cloned().map(Layer::file).collect();
    layers.extend(layer::of_environment(environment, faults));
    if let Some(data) = &wanted.data {
        match data.to_str() {
            Some(data) => layers.push(Layer::data(data)),
            None => faults.push(Fault::new(Where::Path("--data".into()), "the path is not Unicode")),
        }
    }
    Layers(layers)
}

/// Channels, order types and merchants, which name each other.
fn vocabulary(
    files: &Files,
    settings: Option<&Settings>,
    environment: &Environment,
    directory: &Path,
    faults: &mut Vec<Fault>,
) -> (Vocabulary, Vec<ChannelConfig>, Rates) {
    let names = channels::names(&files.channels);
    let merchants::Merchants { order_types, merchants, rates } = merchants::read(&files.merchants, &names, faults);
    let known: Vec<OrderType> = order_types.iter().map(|spec| spec.name.clone()).collect();
    let provider = settings.map(|settings| &settings.provider);
    let around = channels::Around {
        environment,
        directory,
        order_types: &known,
        timeout: provider.map_or_else(Default::default, |calls| calls.timeout),
        concurrency_max: provider.map_or(1, |calls| calls.concurrency_max),
        connect_timeout: provider.map_or_else(Default::default, |calls| calls.connect_timeout),
        health: settings.map(|settings| settings.health.clone()).unwrap_or_default(),
        now: SystemClock::default().now(),
    };
    let channels = channels::read(&files.channels, &around, faults);
    let mut specs: Vec<ChannelSpec> = channels.iter().map(|channel| channel.spec.clone()).collect();
    // A channel with a fault of its own is no unknown name in the rules.
    specs.extend(names.into_iter().filter(|name| !channels.iter().any(|channel| channel.name == *name)).map(unread));
    (Vocabulary { order_types, merchants, channels: specs }, channels, rates)
}

/// Stands for a channel that could not be read.
fn unread(name: ChannelName) -> ChannelSpec {
    ChannelSpec {
        name,
        provider: String::new(),
        retired: false,
        modes: Vec::new(),
        order_types: Which::All,
        acquiring_country: None,
        bare_token: false,
        services: Vec::new(),
    }
}

/// What no setting shows alone.
fn check_settings(settings: &Settings, layers: &Layers, wanted: &Wanted, faults: &mut Vec<Fault>) {
    if settings.api.public_url.is_none() && !wanted.sandbox {
        let fault = Fault::new(layers.place("api", "public_url"), "`api.public_url` is not set");
        faults.push(fault.with_hint(
            "payers return to it, and providers send notices there; SWITCHYARD__API__PUBLIC_URL sets it, too",
        ));
    }
    if settings.keys.pepper.as_ref().is_some_and(|digits| Pepper::from_hex(digits).is_none()) {
        faults.push(Fault::new(layers.place("keys", "pepper"), "`keys.pepper` is not 64 hexadecimal digits"));
    }
    for fault in settings.health.clone().check().err().unwrap_or_default() {
        let at = layers.place("health", fault.field);
        faults.push(Fault::new(at, format!("`health.{}` {}", fault.field, fault.reason)));
    }
    if settings.provider.connect_timeout >= settings.provider.timeout {
        let at = layers.place("provider", "connect_timeout");
        faults.push(Fault::new(at, "`provider.connect_timeout` is not below `provider.timeout`, so that a slow connection would look like a slow answer"));
    }
}

/// `base = "simulator"` needs one.
fn check_simulator(
    settings: &Settings,
    channels: &[ChannelConfig],
    layers: &Layers,
    wanted: &Wanted,
    faults: &mut Vec<Fault>,
) {
    let there = |mode: Option<Mode>| {
        channels.iter().find(|channel| {
            let mut accounts = channel.accounts.iter();
            accounts.any(|account| account.base == Base::Simulator && mode.is_none_or(|mode| account.mode == mode))
        })
    };
    match (&settings.simulator.url, there(None)) {
        (None, Some(channel)) if !wanted.sandbox => {
            let message = format!("channel `{}` speaks to the simulated provider, and there is none", channel.name);
            let fault = Fault::new(layers.place("simulator", "url"), message);
            faults.push(
                fault.with_hint("SWITCHYARD__SIMULATOR__URL says where it runs; `switchyard sandbox` brings its own"),
            );
        }
        (Some(url), Some(_)) if there(Some(Mode::Live)).is_some() && !url.is_private() => {
            let at = layers.place("simulator", "url");
            faults.push(Fault::new(at, "live credentials go over `https` only, outside this machine"));
        }
        (None | Some(_), Some(_) | None) => {}
    }
}

impl Loaded {
    /// What rules may name.
    pub(crate) fn vocabulary(&self) -> Vocabulary {
        Vocabulary {
            order_types: self.order_types.clone(),
            merchants: self.merchants.clone(),
            channels: self.channels.iter().map(|channel| channel.spec.clone()).collect(),
        }
    }

    /// Where an account's provider is. `simulator` is where the sandbox runs its own; `simulator.url` wins over it.
    pub(crate) fn base(&self, account: &channels::AccountConfig, simulator: Option<&WebAddress>) -> Option<String> {
        match &account.base {
            Base::Web(address) => Some(address.as_str().to_owned()),
            Base::Simulator => {
                self.settings.simulator.url.as_ref().or(simulator).map(|address| address.as_str().to_owned())
            }
        }
    }
}
