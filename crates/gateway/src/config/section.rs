//! Reads settings out of one table: of a layer, where most are left out, or of all layers merged, where none is.

use super::address::{WebAddress, socket};
use super::secret::{self, SecretRef};
use super::settings::{
    Api, Coordination, CoordinationUrl, Idempotency, Keys, Limits, Log, LogFormat, Ops, ProviderCalls, Recovery,
    Routes, Settings, Simulator, Store, StoreUrl, Webhooks,
};
use secrecy::SecretString;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use switchyard_coordination::HealthSettings;
use switchyard_routing::nearest::did_you_mean;
use switchyard_routing::reader::{Table, Value};
use switchyard_store::Rate;

/// Most requests a second, or at once, whatever is configured.
pub(crate) const REQUESTS_MAX: i64 = 1_000_000;

/// How to read.
pub(crate) struct Reading<'r> {
    /// Whether a setting that is left out is a fault.
    pub(crate) whole: bool,
    /// Gets the secret of a setting; `None` has told why.
    pub(crate) secret: &'r dyn Fn(&str, &SecretRef) -> Option<SecretString>,
}

/// Reads every section and reports all that is wrong with them. `None` where something is left out or wrong.
pub(crate) fn read(root: Table<'_>, reading: &Reading<'_>) -> Option<Settings> {
    let section = |name| Section { table: root.table(name), name, reading };
    let api = api(section("api"));
    let ops = ops(section("ops"));
    let store = store(section("store"));
    let data = store.as_ref().map(|store| store.data.clone()).unwrap_or_default();
    let simulator = simulator(section("simulator"), &data);
    let coordination = coordination(section("coordination"));
    let log = log(section("log"));
    let recovery = recovery(section("recovery"));
    let idempotency = idempotency(section("idempotency"));
    let routes = routes(section("routes"));
    let provider = provider(section("provider"));
    let keys = keys(section("keys"));
    let webhooks = webhooks(section("webhooks"));
    let limits = limits(section("limits"));
    let health = health(section("health"));
    root.finish();
    Some(Settings {
        api: api?,
        ops: ops?,
        simulator: simulator?,
        store: store?,
        coordination: coordination?,
        log: log?,
        recovery: recovery?,
        idempotency: idempotency?,
        routes: routes?,
        provider: provider?,
        keys,
        webhooks: webhooks?,
        limits: limits?,
        health,
    })
}

struct Section<'d, 'r> {
    table: Option<Table<'d>>,
    name: &'static str,
    reading: &'r Reading<'r>,
}

impl<'d> Section<'d, '_> {
    /// A setting with a default.
    fn value(&self, key: &'static str) -> Option<Value<'d>> {
        let table = self.table.as_ref()?;
        if self.reading.whole { table.required(key) } else { table.get(key) }
    }

    /// A setting without one.
    fn optional(&self, key: &'static str) -> Option<Value<'d>> {
        self.table.as_ref()?.get(key)
    }

    fn path(&self, key: &'static str) -> Option<PathBuf> {
        path(&self.optional(key)?)
    }

    fn count(&self, key: &'static str, bounds: RangeInclusive<i64>) -> Option<usize> {
        usize::try_from(self.value(key)?.integer_in(bounds)?).ok()
    }

    /// A span of time that is more than none and at most `most`.
    fn span(&self, key: &'static str, most: Duration) -> Option<Duration> {
        let value = self.value(key)?;
        let span = value.duration()?;
        if span.is_zero() || span > most {
            value.fault(format!(
                "`{key}` is {}, where more than 0s and at most {} is wanted",
                shown(span),
                shown(most)
            ));
            return None;
        }
        Some(span)
    }

    fn secret(&self, key: &'static str) -> Option<SecretString> {
        let reference = secret::reference(&self.optional(key)?)?;
        (self.reading.secret)(&format!("{}.{key}", self.name), &reference)
    }

    fn finish(self) {
        if let Some(table) = self.table {
            table.finish();
        }
    }
}

/// A span of time as the files write it.
pub(crate) fn shown(span: Duration) -> String {
    let millis = span.as_millis();
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    let fitting = units.into_iter().find(|&(_, unit)| millis > 0 && millis.is_multiple_of(unit));
    match fitting.and_then(|(name, unit)| Some((name, millis.checked_div(unit)?))) {
        Some((name, count)) => format!("{count}{name}"),
        None if millis == 0 => "0s".into(),
        None => format!("{millis}ms"),
    }
}

/// A path, which is a text that is not empty.
fn path(value: &Value<'_>) -> Option<PathBuf> {
    let text = value.text()?.text;
    if text.is_empty() {
        value.fault(format!("`{}` is empty, where a path is wanted", value.name().text));
        return None;
    }
    Some(PathBuf::from(text))
}

/// Most calls of one channel at once, whatever is configured.
pub(crate) const CONCURRENCY_MAX: i64 = 100_000;

const MINUTE: Duration = Duration::from_mins(1);
const TEN_MINUTES: Duration = Duration::from_mins(10);
const HOUR: Duration = Duration::from_hours(1);
/// A page that is open for longer asks again.
const ROUTE_LIFE_MAX: Duration = Duration::from_hours(24);

const YEAR: Duration = Duration::from_hours(365 * 24);

fn api(section: Section<'_, '_>) -> Option<Api> {
    let listen = section.value("listen").and_then(|value| socket(&value));
    let public_url = section.optional("public_url").and_then(|value| WebAddress::read(&value));
    let workers = section.count("workers", 0..=1_024);
    let connections_max = section.count("connections_max", 1..=1_000_000);
    let head_timeout = section.span("head_timeout", TEN_MINUTES);
    let keep_alive = section.span("keep_alive", HOUR);
    let drain_deadline = section.span("drain_deadline", HOUR);
    section.finish();
    Some(Api {
        listen: listen?,
        public_url,
        workers: Some(workers?).filter(|&workers| workers > 0),
        connections_max: connections_max?,
        head_timeout: head_timeout?,
        keep_alive: keep_alive?,
        drain_deadline: drain_deadline?,
    })
}

fn ops(section: Section<'_, '_>) -> Option<Ops> {
    let listen = section.value("listen").and_then(|value| socket(&value));
    let token = section.secret("token");
    section.finish();
    Some(Ops { listen: listen?, token })
}

fn simulator(section: Section<'_, '_>, data: &Path) -> Option<Simulator> {
    let listen = section.value("listen").and_then(|value| socket(&value));
    let url = section.optional("url").and_then(|value| WebAddress::read(&value));
    let ledger = section.path("ledger").unwrap_or_else(|| data.join("simulator.db"));
    let workers = section.count("workers", 1..=1_024);
    let durable = section.value("durability").and_then(|value| value.one_of(&[("durable", true), ("fast", false)]));
    let pending = section.span("pending", TEN_MINUTES);
    let slow = section.span("slow", TEN_MINUTES);
    section.finish();
    Some(Simulator {
        listen: listen?,
        url,
        ledger,
        workers: workers?,
        durable: durable?,
        pending: pending?,
        slow: slow?,
    })
}

fn store(section: Section<'_, '_>) -> Option<Store> {
    let data = section.value("data").and_then(|value| path(&value));
    let url = section.optional("url").map(|value| store_url(&value));
    section.finish();
    let data = data?;
    let url = match url {
        Some(url) => url?,
        None => StoreUrl::Sqlite(data.join("switchyard.db")),
    };
    Some(Store { data, url })
}

fn store_url(value: &Value<'_>) -> Option<StoreUrl> {
    let text = value.text()?.text;
    let path = text.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    let url = path.filter(|path| !path.is_empty()).map(|path| StoreUrl::Sqlite(path.into()));
    if url.is_none() {
        // It may hold a password, so it is not repeated.
        value.fault("`url` is no ledger that can be used, where `sqlite:` and a path is wanted");
    }
    url
}

fn coordination(section: Section<'_, '_>) -> Option<Coordination> {
    let url = section.value("url").and_then(|value| {
        let local = value.text().filter(|url| url.text == "local").map(|_| CoordinationUrl::Local);
        if local.is_none() && value.is_text() {
            value.fault("`url` is nothing that can be used, where `local` is wanted");
        }
        local
    });
    section.finish();
    Some(Coordination { url: url? })
}

fn log(section: Section<'_, '_>) -> Option<Log> {
    let level = section.value("level").and_then(|value| directives(&value));
    let format = section.value("format");
    let format = format.and_then(|value| value.one_of(&[("json", LogFormat::Json), ("text", LogFormat::Text)]));
    let file = section.path("file");
    section.finish();
    Some(Log { level: level?, format: format?, file })
}

/// The levels that a directive without a target can be.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

fn directives(value: &Value<'_>) -> Option<String> {
    let text = value.text()?.text;
    // Without `=` anything that is no level passes for a target, so a slip would log all of nothing.
    let slip = text.split(',').map(str::trim).find(|part| !part.contains('=') && !LEVELS.contains(part));
    if slip.is_some() || tracing_subscriber::EnvFilter::try_new(text).is_err() {
        let meant =
            slip.and_then(|slip| did_you_mean(slip, LEVELS)).map(|meant| format!("; {meant}")).unwrap_or_default();
        value.fault(format!(
            "`level` is `{text}`, where `info` or directives such as `info,switchyard_engine=debug` are wanted{meant}"
        ));
        return None;
    }
    Some(text.to_owned())
}

fn recovery(section: Section<'_, '_>) -> Option<Recovery> {
    let interval = section.span("interval", HOUR);
    let concurrency = section.count("concurrency", 1..=1_024);
    section.finish();
    Some(Recovery { interval: interval?, concurrency: concurrency? })
}

fn idempotency(section: Section<'_, '_>) -> Option<Idempotency> {
    let retention = section.span("retention", YEAR);
    section.finish();
    Some(Idempotency { retention: retention? })
}

fn routes(section: Section<'_, '_>) -> Option<Routes> {
    let life = section.span("life", ROUTE_LIFE_MAX);
    section.finish();
    Some(Routes { life: life? })
}

fn provider(section: Section<'_, '_>) -> Option<ProviderCalls> {
    let timeout = section.span("timeout", TEN_MINUTES);
    let connect_timeout = section.span("connect_timeout", MINUTE);
    let idle_timeout = section.span("idle_timeout", Duration::from_secs(15));
    let concurrency_max = section.count("concurrency_max", 1..=CONCURRENCY_MAX);
    let idle_connections_max = section.count("idle_connections_max", 0..=100_000);
    section.finish();
    Some(ProviderCalls {
        timeout: timeout?,
        connect_timeout: connect_timeout?,
        idle_timeout: idle_timeout?,
        concurrency_max: concurrency_max?,
        idle_connections_max: idle_connections_max?,
    })
}

fn health(section: Section<'_, '_>) -> HealthSettings {
    let settings = super::health::read(&HealthSettings::default(), |key| section.value(key));
    section.finish();
    settings
}

fn keys(section: Section<'_, '_>) -> Keys {
    let pepper = section.secret("pepper");
    let seal = section.secret("seal");
    section.finish();
    Keys { pepper, seal }
}

fn webhooks(section: Section<'_, '_>) -> Option<Webhooks> {
    let interval = section.span("interval", MINUTE);
    let timeout = section.span("timeout", MINUTE);
    let retries = section.value("retries").and_then(|value| spans(&value, YEAR));
    let order_wait = section.span("order_wait", YEAR);
    let concurrency = section.count("concurrency", 1..=256);
    let concurrency_total = section.count("concurrency_total", 1..=4_096);
    let rotation_overlap = section.span("rotation_overlap", YEAR);
    let retention = section.span("retention", YEAR);
    let private = section.optional("private_addresses");
    let private = private.map(|value| value.one_of(&[("allow", true), ("refuse", false)]));
    section.finish();
    Some(Webhooks {
        interval: interval?,
        timeout: timeout?,
        retries: retries?,
        order_wait: order_wait?,
        concurrency: concurrency?,
        concurrency_total: concurrency_total?,
        rotation_overlap: rotation_overlap?,
        retention: retention?,
        private_addresses: match private {
            Some(private) => Some(private?),
            None => None,
        },
    })
}

/// Most spans in a list.
const SPANS_MAX: usize = 20;

/// Spans of time with commas between them.
fn spans(value: &Value<'_>, most: Duration) -> Option<Vec<Duration>> {
    let text = value.text()?.text;
    let one = |part: &str| {
        let part = part.trim();
        let digits = part.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match part.get(digits.len()..)? {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let span = Duration::from_millis(digits.parse::<u64>().ok()?.checked_mul(unit)?);
        (!span.is_zero() && span <= most).then_some(span)
    };
    let spans: Option<Vec<Duration>> = text.split(',').map(one).collect();
    let spans = spans.filter(|spans| spans.len() <= SPANS_MAX);
    if spans.is_none() {
        value.fault(format!("`retries` is `{text}`, where up to {SPANS_MAX} spans such as `5s, 5m, 2h` are wanted"));
    }
    spans
}

fn limits(section: Section<'_, '_>) -> Option<Limits> {
    let count = |key| {
        let count = section.count(key, 1..=REQUESTS_MAX)?;
        u32::try_from(count).ok().and_then(NonZeroU32::new)
    };
    let (per_second, burst) = (count("per_second"), count("burst"));
    let (address_per_second, address_burst) = (count("address_per_second"), count("address_burst"));
    section.finish();
    Some(Limits {
        key: Rate { per_second: per_second?, burst: burst? },
        address: Rate { per_second: address_per_second?, burst: address_burst? },
    })
}
