//! The settings of a process. `config/sandbox.toml` says what each means; its order is kept here.

use super::address::WebAddress;
use super::environment::PREFIX;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use switchyard_coordination::HealthSettings;
use switchyard_store::Rate;

/// All settings. Secrets and what may hold one show nothing in `Debug`.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) api: Api,
    pub(crate) ops: Ops,
    pub(crate) simulator: Simulator,
    pub(crate) store: Store,
    pub(crate) coordination: Coordination,
    pub(crate) log: Log,
    pub(crate) recovery: Recovery,
    pub(crate) idempotency: Idempotency,
    pub(crate) routes: Routes,
    pub(crate) provider: ProviderCalls,
    pub(crate) keys: Keys,
    pub(crate) webhooks: Webhooks,
    pub(crate) limits: Limits,
    /// Not checked as a whole: that is told at the layer which set it.
    pub(crate) health: HealthSettings,
}

/// The merchants' API.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(crate) listen: SocketAddr,
    /// `None` in the sandbox only, where it is what [`Self::listen`] became.
    pub(crate) public_url: Option<WebAddress>,
    /// `None` for one for each processor.
    pub(crate) workers: Option<usize>,
    pub(crate) connections_max: usize,
    pub(crate) head_timeout: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) drain_deadline: Duration,
}

/// The operators' listener.
#[derive(Clone, Debug)]
pub(crate) struct Ops {
    pub(crate) listen: SocketAddr,
    /// `None`: the process makes one up.
    pub(crate) token: Option<SecretString>,
}

/// The simulated provider.
#[derive(Clone, Debug)]
pub(crate) struct Simulator {
    pub(crate) listen: SocketAddr,
    /// Where it runs already.
    pub(crate) url: Option<WebAddress>,
    /// Its ledger; `:memory:` keeps none. Complete: the data directory is in it.
    pub(crate) ledger: PathBuf,
    pub(crate) workers: usize,
    /// Whether its commits wait for the disk.
    pub(crate) durable: bool,
    pub(crate) pending: Duration,
    pub(crate) slow: Duration,
}

/// What is kept on disk.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// The data directory.
    pub(crate) data: PathBuf,
    /// The ledger.
    pub(crate) url: StoreUrl,
}

/// Which ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
}

/// What instances share.
#[derive(Clone, Debug)]
pub(crate) struct Coordination {
    pub(crate) url: CoordinationUrl,
}

/// Through what instances share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CoordinationUrl {
    /// Through nothing: there is one instance.
    Local,
}

/// The log.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// Directives of `tracing_subscriber::EnvFilter`.
    pub(crate) level: String,
    pub(crate) format: LogFormat,
    /// `None` for standard error.
    pub(crate) file: Option<PathBuf>,
}

/// For whom the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Machines.
    Json,
    /// People.
    Text,
}

/// Settling what is in doubt.
#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    pub(crate) interval: Duration,
    pub(crate) concurrency: usize,
}

/// Idempotency keys.
#[derive(Clone, Debug)]
pub(crate) struct Idempotency {
    pub(crate) retention: Duration,
}

/// Decisions made before their payments.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    pub(crate) life: Duration,
}

/// Calls to providers.
#[derive(Clone, Debug)]
pub(crate) struct ProviderCalls {
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) concurrency_max: usize,
    pub(crate) idle_connections_max: usize,
}

/// API keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// `None`: kept in the data directory. See [`super::pepper`].
    pub(crate) pepper: Option<SecretString>,
    /// `None`: kept in the data directory. See [`crate::seal`].
    pub(crate) seal: Option<SecretString>,
}

/// Events on their way to merchants.
#[derive(Clone, Debug)]
pub(crate) struct Webhooks {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    /// Before each further try; there are no more after the last.
    pub(crate) retries: Vec<Duration>,
    pub(crate) order_wait: Duration,
    pub(crate) concurrency: usize,
    pub(crate) concurrency_total: usize,
    pub(crate) rotation_overlap: Duration,
    pub(crate) retention: Duration,
    /// `None`: in the sandbox alone.
    pub(crate) private_addresses: Option<bool>,
}

/// How many requests are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Of an API key, where neither it nor its merchant has a rate of its own.
    pub(crate) key: Rate,
    /// Of an address without a valid key.
    pub(crate) address: Rate,
}

/// What kind of value a setting has: an environment variable is text, and has to become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Secret,
}

/// A setting's name and kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) section: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

impl Key {
    /// The variable that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("{PREFIX}{}__{}", self.section.to_uppercase(), self.name.to_uppercase())
    }
}

const fn text(section: &'static str, name: &'static str) -> Key {
    Key { section, name, kind: Kind::Text }
}

const fn integer(section: &'static str, name: &'static str) -> Key {
    Key { section, name, kind: Kind::Integer }
}

const fn secret(section: &'static str, name: &'static str) -> Key {
    Key { section, name, kind: Kind::Secret }
}

/// Every setting there is. A test compares it with `config/sandbox.toml`, whose every line another one reads.
pub(crate) const KEYS: &[Key] = &[
    text("api", "listen"),
    text("api", "public_url"),
    integer("api", "workers"),
    integer("api", "connections_max"),
    text("api", "head_timeout"),
    text("api", "keep_alive"),
    text("api", "drain_deadline"),
    text("ops", "listen"),
    secret("ops", "token"),
    text("simulator", "listen"),
    text("simulator", "url"),
    text("simulator", "ledger"),
    integer("simulator", "workers"),
    text("simulator", "durability"),
    text("simulator", "pending"),
    text("simulator", "slow"),
    text("store", "data"),
    text("store", "url"),
    text("coordination", "url"),
    text("log", "level"),
    text("log", "format"),
    text("log", "file"),
    text("recovery", "interval"),
    integer("recovery", "concurrency"),
    text("idempotency", "retention"),
    text("routes", "life"),
    text("provider", "timeout"),
    text("provider", "connect_timeout"),
    text("provider", "idle_timeout"),
    integer("provider", "concurrency_max"),
    integer("provider", "idle_connections_max"),
    secret("keys", "pepper"),
    secret("keys", "seal"),
    text("webhooks", "interval"),
    text("webhooks", "timeout"),
    text("webhooks", "retries"),
    text("webhooks", "order_wait"),
    integer("webhooks", "concurrency"),
    integer("webhooks", "concurrency_total"),
    text("webhooks", "rotation_overlap"),
    text("webhooks", "retention"),
    text("webhooks", "private_addresses"),
    integer("limits", "per_second"),
    integer("limits", "burst"),
    integer("limits", "address_per_second"),
    integer("limits", "address_burst"),
    text("health", "window"),
    integer("health", "minimum_sample"),
    integer("health", "degraded_faults_permille"),
    integer("health", "recovered_faults_permille"),
    integer("health", "down_faults_permille"),
    text("health", "slow_after"),
    integer("health", "degraded_slow_permille"),
    integer("health", "recovered_slow_permille"),
    text("health", "stalled_after"),
    integer("health", "down_stalled_permille"),
    text("health", "dwell"),
    text("health", "cool_down"),
    text("health", "cool_down_max"),
    integer("health", "probe_share_permille"),
    integer("health", "probes_good"),
    text("health", "probe_lost_after"),
];
