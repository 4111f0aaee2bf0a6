//! Channels: which accounts there are, checked against what their providers can do.

use super::address::WebAddress;
use super::environment::Environment;
use super::fault::Fault;
use super::merchants::{allowed, named};
use super::narrowing::{self, Narrowing};
use super::secret::{self, SecretRef};
use super::section::CONCURRENCY_MAX;
use super::{health, maintenance};
use crate::providers::{self, Base};
use secrecy::SecretString;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;
use switchyard_coordination::{HealthPolicy, HealthSettings};
use switchyard_core::capabilities::Which;
use switchyard_core::{ChannelName, Country, Mode, OrderType, Timestamp};
use switchyard_engine::maintenance::Window;
use switchyard_routing::nearest::did_you_mean;
use switchyard_routing::reader::{Document, Faults, Table, Value};
use switchyard_routing::source::Source;
use switchyard_routing::vocabulary::ChannelSpec;

/// Longest time-out of a call.
const TIMEOUT_MAX: Duration = Duration::from_secs(600);

/// A channel, ready to be connected.
#[derive(Clone, Debug)]
pub(crate) struct ChannelConfig {
    /// As rules name it.
    pub(crate) name: ChannelName,
    /// Whose account it is.
    pub(crate) provider: &'static providers::Row,
    /// What routing knows of it.
    pub(crate) spec: ChannelSpec,
    /// Its accounts, at most one for each mode. A mode whose secrets are missing has none.
    pub(crate) accounts: Vec<AccountConfig>,
    /// From the call to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// Calls under way at once.
    pub(crate) concurrency_max: usize,
    /// How its health is judged.
    pub(crate) health: HealthPolicy,
    /// When it is maintained.
    pub(crate) maintenance: Vec<Window>,
    /// Why a declared mode has no account: the channel is off in that mode, and must say so.
    pub(crate) broken: Vec<Fault>,
    /// The declared modes without an account.
    pub(crate) off: Vec<Mode>,
    /// Files that hold its secrets.
    pub(crate) secret_files: Vec<PathBuf>,
}

impl ChannelConfig {
    /// The account of a mode.
    pub(crate) fn account(&self, mode: Mode) -> Option<&AccountConfig> {
        self.accounts.iter().find(|account| account.mode == mode)
    }
}

/// A channel's account in one mode.
#[derive(Clone, Debug)]
pub(crate) struct AccountConfig {
    /// Test or live.
    pub(crate) mode: Mode,
    /// Where the provider is.
    pub(crate) base: Base,
    /// In the order of the provider's row.
    pub(crate) credentials: Vec<SecretString>,
}

/// What channels are read with.
pub(crate) struct Around<'a> {
    /// Where secrets are.
    pub(crate) environment: &'a Environment,
    /// Where relative paths of secrets start.
    pub(crate) directory: &'a Path,
    /// The order types that merchants' requests may name.
    pub(crate) order_types: &'a [OrderType],
    /// Of calls, unless a channel has its own.
    pub(crate) timeout: Duration,
    /// Calls at once, unless a channel has its own bound.
    pub(crate) concurrency_max: usize,
    /// Of connections: a channel's own time-out must be longer.
    pub(crate) connect_timeout: Duration,
    /// How health is judged, unless a channel says otherwise.
    pub(crate) health: HealthSettings,
    /// Whether a window has passed hangs on it.
    pub(crate) now: Timestamp,
}

/// The names of all channels, without looking at what is below them.
pub(crate) fn names(source: &Source) -> Vec<ChannelName> {
    let faults = Faults::new(source);
    let Some(document) = Document::parse(&faults) else { return Vec::new() };
    let channels = document.root(&faults).table("channels");
    let entries = channels.map(|table| table.entries()).unwrap_or_default();
    entries.iter().filter_map(|(name, _)| ChannelName::new(name.text)).collect()
}

/// Reads the file.
pub(crate) fn read(source: &Source, around: &Around<'_>, found: &mut Vec<Fault>) -> Vec<ChannelConfig> {
    let faults = Faults::new(source);
    let mut channels = Vec::new();
    let remarks = RefCell::default();
    if let Some(document) = Document::parse(&faults) {
        let root = document.root(&faults);
        if let Some(table) = root.required("channels").and_then(|value| value.table()) {
            let entries = table.entries();
            if entries.is_empty() {
                faults.push(&table.span(), "at least one channel is wanted");
            }
            for (name, value) in entries {
                let name = named(name, ChannelName::new, &faults);
                let channel = value.table().and_then(|table| channel(name, table, around, &remarks));
                channels.extend(channel);
            }
        }
        root.finish();
    }
    found.extend(faults.into_vec().into_iter().map(Fault::from));
    found.extend(remarks.into_inner());
    // A token that names nobody can only be meant for the one provider there is.
    let known = channels.iter().filter(|channel: &&ChannelConfig| !channel.provider.unknown());
    let mut providers: Vec<&str> = known.map(|channel| channel.provider.name).collect();
    providers.sort_unstable();
    providers.dedup();
    for channel in &mut channels {
        channel.spec.bare_token = channel.provider.simulated || providers.len() == 1;
    }
    channels
}

/// Reads one channel. Without a name it is read for its faults alone.
fn channel(
    name: Option<ChannelName>,
    table: Table<'_>,
    around: &Around<'_>,
    remarks: &RefCell<Vec<Fault>>,
) -> Option<ChannelConfig> {
    let broken = RefCell::new(Vec::new());
    let provider = table.required("provider").and_then(|value| provider(name.as_ref(), &value, &table, &broken));
    let timeout = table.get("timeout").map(|value| timeout(&value, around));
    let concurrency_max = table.get("concurrency_max").and_then(|value| value.integer_in(1..=CONCURRENCY_MAX));
    let retired = table.get("retired").and_then(|value| value.boolean()).unwrap_or(false);
    let acquiring_country = table.get("acquiring_country").and_then(|value| country(&value, &table));
    let order_types = order_types(&table, around);
    let narrowing = Narrowing::read(&table);
    let health = health::of_channel(&table, &around.health);
    let maintenance = maintenance::read(&table, around.now, remarks);
    let modes = [("test", Mode::Test), ("live", Mode::Live)].map(|(key, mode)| (mode, table.get(key)));
    // Without its provider nothing more can be said of it.
    let Some(provider) = provider else {
        table.finish();
        return None;
    };
    let secret_files = RefCell::new(Vec::new());
    if modes.iter().all(|(_, value)| value.is_none()) {
        table.faults().push(&table.span(), format!("{} lacks credentials: `test`, `live` or both", table.label()));
    }
    let declared: Vec<Mode> = modes.iter().filter(|(_, value)| value.is_some()).map(|(mode, _)| *mode).collect();
    let off = Off { channel: name.as_ref(), broken: &broken, secret_files: &secret_files };
    // What an unknown provider needs is unknown as well.
    let modes = modes.into_iter().filter(|_| !provider.unknown());
    let accounts = modes.filter_map(|(mode, value)| account(mode, &value?, provider, around, &off));
    let accounts: Vec<AccountConfig> = accounts.collect();
    let off = |mode: &Mode| accounts.iter().all(|account| account.mode != *mode);
    let off = declared.into_iter().filter(off).collect();
    let services = narrowing::services(&(provider.capabilities)(), &narrowing, &table);
    table.finish();
    let name = name?;
    let spec = ChannelSpec {
        name: name.clone(),
        provider: provider.name.to_owned(),
        retired,
        modes: accounts.iter().map(|account| account.mode).collect(),
        order_types,
        acquiring_country,
        bare_token: false,
        services,
    };
    let timeout = timeout.flatten().unwrap_or(around.timeout);
    let concurrency_max = concurrency_max.and_then(|most| usize::try_from(most).ok()).unwrap_or(around.concurrency_max);
    let (broken, secret_files) = (broken.into_inner(), secret_files.into_inner());
    Some(ChannelConfig {
        name,
        provider,
        spec,
        accounts,
        timeout,
        concurrency_max,
        health,
        maintenance,
        broken,
        off,
        secret_files,
    })
}

/// Where a channel's account tells why it cannot be used.
struct Off<'a> {
    channel: Option<&'a ChannelName>,
    broken: &'a RefCell<Vec<Fault>>,
    secret_files: &'a RefCell<Vec<PathBuf>>,
}

impl Off<'_> {
    /// The channel is off in that mode, for this reason.
    fn tell(&self, mode: Mode, value: &Value<'_>, reason: &str, hint: Option<String>) {
        let Some(channel) = self.channel else { return };
        let message = format!("channel `{channel}` is off for {} payments: {reason}", mode.as_str());
        self.broken.borrow_mut().push(off(value, message, hint));
    }
}

fn off(value: &Value<'_>, message: String, hint: Option<String>) -> Fault {
    let fault = Fault::from(value.place_fault(message)).into_warning();
    Fault { hint, ..fault }
}

/// A provider that nobody knows switches its channel off, as a missing secret does.
fn provider(
    channel: Option<&ChannelName>,
    value: &Value<'_>,
    table: &Table<'_>,
    broken: &RefCell<Vec<Fault>>,
) -> Option<&'static providers::Row> {
    let name = value.text()?;
    let row = providers::find(name.text);
    let known = || providers::ROWS.iter().map(|row| row.name);
    match (row, channel) {
        (Some(row), _) => Some(row),
        (None, None) => {
            table.faults().unknown(name, "provider", known());
            None
        }
        (None, Some(channel)) => {
            let message = format!("channel `{channel}` is off: unknown provider `{}`", name.text);
            broken.borrow_mut().push(off(value, message, did_you_mean(name.text, known())));
            Some(&providers::UNKNOWN)
        }
    }
}

fn timeout(value: &Value<'_>, around: &Around<'_>) -> Option<Duration> {
    let timeout = value.duration()?;
    if timeout > around.connect_timeout && timeout <= TIMEOUT_MAX {
        return Some(timeout);
    }
    let shown = super::section::shown;
    let (least, most) = (shown(around.connect_timeout), shown(TIMEOUT_MAX));
    value.fault(format!(
        "`timeout` is {}, where more than `provider.connect_timeout`, {least}, and at most {most} is wanted",
        shown(timeout)
    ));
    None
}

fn country(value: &Value<'_>, table: &Table<'_>) -> Option<Country> {
    let code = value.text()?;
    let country = Country::from_code(code.text);
    if country.is_none() {
        let known: Vec<Country> = Country::all().collect();
        table.faults().unknown(code, "country", known.iter().map(Country::code));
    }
    country
}

fn order_types(table: &Table<'_>, around: &Around<'_>) -> Which<OrderType> {
    let known: Vec<&str> = around.order_types.iter().map(OrderType::as_str).collect();
    allowed(table, "order_types", "order type", &known, OrderType::new)
}

fn account(
    mode: Mode,
    value: &Value<'_>,
    provider: &'static providers::Row,
    around: &Around<'_>,
    off: &Off<'_>,
) -> Option<AccountConfig> {
    let table = value.table()?;
    let base = match table.get("base") {
        Some(value) => base(mode, &value, provider, off),
        None => {
            let usual = (provider.base)(mode);
            if usual.is_none() {
                table.faults().push(
                    &table.span(),
                    format!("{} lacks `base`: each account of `{}` has its own", table.label(), provider.name),
                );
            }
            usual
        }
    };
    let mut references = Vec::new();
    for &name in provider.credentials {
        let Some(value) = table.required(name) else { continue };
        let Some(reference) = secret::reference(&value) else { continue };
        if mode == Mode::Live && !provider.simulated && matches!(reference, SecretRef::Inline(_)) {
            value.fault(format!(
                "a live `{name}` does not stand in a file like this: say {{ env = \"NAME\" }} or {{ file = \"PATH\" }}"
            ));
        }
        references.push((value, reference));
    }
    table.finish();
    let mut credentials = Vec::new();
    for (value, reference) in &references {
        off.secret_files.borrow_mut().extend(reference.file(around.directory));
        match reference.resolve(around.environment, around.directory) {
            Ok(secret) => credentials.push(secret),
            Err(missing) => off.tell(mode, value, &missing.message, missing.hint),
        }
    }
    if credentials.len() != provider.credentials.len() {
        return None;
    }
    let account = AccountConfig { mode, base: base?, credentials };
    // Tried now, so that routing knows of a channel whose credentials cannot be used.
    let tried = providers::Account { base: "http://127.0.0.1", credentials: &account.credentials, refused_port: None };
    match provider.build(&tried) {
        Ok(_) => Some(account),
        Err(reason) => {
            off.tell(mode, value, &reason, None);
            None
        }
    }
}

/// An address that cannot be used switches the channel off.
fn base(mode: Mode, value: &Value<'_>, provider: &providers::Row, off: &Off<'_>) -> Option<Base> {
    if value.is_text() && value.text().is_some_and(|text| text.text == "simulator") {
        if !provider.simulated {
            value.fault(format!("`{}` is not the simulated provider, so its `base` is a web address", provider.name));
            return None;
        }
        return Some(Base::Simulator);
    }
    let text = value.text()?.text;
    let reason = match WebAddress::parse(text) {
        Ok(address) if mode == Mode::Live && !address.is_private() => {
            "live credentials go over `https` only, outside this machine".to_owned()
        }
        Ok(address) => return Some(Base::Web(address)),
        // What may hold a password is not repeated.
        Err(wanted) if text.contains('@') => format!("`base` is not an address that can be used, where {wanted}"),
        Err(wanted) => format!("`base` is `{text}`, where {wanted}"),
    };
    off.tell(mode, value, &reason, None);
    None
}
