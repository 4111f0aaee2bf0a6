//! A serving process: puts the parts together, starts them, waits for a signal, and takes them apart in the right order.

mod accounts;
mod background;
mod banner;
mod channels;
mod ledger;
mod refused_port;
mod reload;
mod simulator;
mod statuses;

pub(crate) use background::State;
pub(crate) use simulator::run as run_simulator;

use crate::api::{self, Api, Hooks, JsonRender, Keys, Rules};
use crate::cli::serving::{Serving, ServingFile};
use crate::clock::SystemClock;
use crate::config::address::WebAddress;
use crate::config::settings::{CoordinationUrl, LogFormat};
use crate::config::{Environment, Loaded, Wanted, load};
use crate::metrics::Metrics;
use crate::ops::{self, Ops};
use crate::records::keep;
use crate::seal::KeyRing;
use crate::tasks::Tasks;
use crate::{logging, transport};
use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpResponse, HttpServer, web};
use background::Background;
use refused_port::RefusedPort;
use reload::{InForce, Reloader};
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;
use switchyard_coordination::{Coordination, HealthPolicy, InProcess};
use switchyard_core::{ChannelName, Clock, MerchantName};
use switchyard_engine::{Board, Engine, Live, Merchants, Seams, Setup};
use switchyard_store::sqlite::Sqlite;
use switchyard_store::{Feed, Store};

/// The merchant whom the sandbox's own key stands for.
const SANDBOX_MERCHANT: &str = "sandbox";

/// How often connections to providers are looked at that nobody uses.
const CLOSE_IDLE: Duration = Duration::from_secs(5);

/// How long open connections may take to get the rest of their answers, once all operations have ended.
const FAREWELL_SECONDS: u64 = 5;

/// Why a process did not serve, for people.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

fn because(what: impl Display) -> impl FnOnce(std::io::Error) -> Failure {
    move |error| Failure(format!("{what}: {error}"))
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// [`Failure`], before anything was served.
pub(crate) fn run(wanted: &Wanted) -> Result<(), Failure> {
    let environment = Environment::new(std::env::vars_os());
    let loaded = load(wanted, &environment).map_err(|faults| Failure(faults.to_string()))?;
    start_log(&loaded)?;
    for warning in &loaded.warnings {
        eprintln!("{warning}");
        tracing::warn!(fault = %warning.message, "configuration");
    }
    actix_web::rt::System::new().block_on(serve(wanted, loaded))
}

fn start_log(loaded: &Loaded) -> Result<(), Failure> {
    let log = &loaded.settings.log;
    let format = match log.format {
        LogFormat::Json => logging::Format::Json,
        LogFormat::Text => logging::Format::Text,
    };
    logging::start(&log.level, format, log.file.as_deref()).map_err(because("the log cannot be opened"))
}

/// What all workers share.
#[derive(Clone)]
struct Shared {
    seams: Seams,
    clock: Arc<dyn Clock>,
    keys: Arc<Keys>,
    pepper: api::Pepper,
    metrics: Arc<Metrics>,
    feed: Arc<dyn Feed>,
    hooks: Hooks,
    limits: Arc<api::Limits>,
}

impl Shared {
    /// An engine with connections of its own.
    fn engine(&self) -> Arc<Engine> {
        Engine::new(self.seams.clone())
    }

    fn api(&self, engine: Arc<Engine>) -> Api {
        Api {
            engine: Arc::new(engine),
            keys: Arc::clone(&self.keys),
            pepper: self.pepper.clone(),
            clock: Arc::clone(&self.clock),
            metrics: Arc::<Metrics>::clone(&self.metrics),
            feed: Arc::clone(&self.feed),
            hooks: self.hooks.clone(),
            ledger: Arc::clone(&self.seams.store),
            limits: Arc::clone(&self.limits),
        }
    }
}

async fn serve(wanted: &Wanted, loaded: Loaded) -> Result<(), Failure> {
    let settings = loaded.settings.clone();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let metrics = Arc::new(Metrics::new()?);
    let tasks = Tasks::default();
    let ledger = ledger::open(&settings.store, &metrics)?;
    let store: Arc<dyn Store> = Arc::<Sqlite>::clone(&ledger);
    let pepper = api::Pepper::open(settings.keys.pepper.as_ref(), &settings.store.data)
        .map_err(because("the key of the API keys' hashes"))?;
    let ring = KeyRing::open(settings.keys.seal.as_ref(), &settings.store.data)
        .map_err(because("the keys that seal secrets at rest"))?;
    let simulated = match (&settings.simulator.url, wanted.sandbox) {
        (None, true) => Some(simulator::start(&settings.simulator).await?),
        (Some(_), _) | (None, false) => None,
    };
    let refused_port = RefusedPort::take().map_err(because("a port that refuses connections"))?;
    let simulator_at = simulated.as_ref().map(|running| WebAddress::of_socket(running.address));
    let ground = channels::Ground::new(&settings.provider, simulator_at, refused_port.number(), Arc::clone(&clock))?;
    let in_force = InForce::new(&loaded, &ground, None)?;
    let left_out = accounts::left_out(&*store, &in_force.plan).await?.map_err(Failure)?;
    left_out.keep(&*store).await?;
    let in_process = match settings.coordination.url {
        CoordinationUrl::Local => Arc::new(InProcess::new(in_force.health.clone())),
    };
    keep(&*store, &loaded.rules, clock.now()).await.map_err(|error| Failure(format!("the rules: {error}")))?;
    let coordination: Arc<dyn Coordination> = Arc::<InProcess>::clone(&in_process);
    let limits = Arc::new(api::Limits::new(Arc::clone(&coordination), settings.limits.address));
    let board = Arc::new(Board::new(in_force.setup.clone(), coordination, clock.now()));
    board.attend(in_force.attended.clone(), clock.now());
    let fixed = match MerchantName::new(SANDBOX_MERCHANT) {
        Some(merchant) if wanted.sandbox && settings.api.listen.ip().is_loopback() => {
            vec![api::sandbox_key(&pepper, merchant)]
        }
        Some(_) | None => Vec::new(),
    };
    let keys = Arc::new(Keys::new(pepper.clone(), fixed, settings.limits.key));
    keys.rates(in_force.rates.clone());
    let shared = Shared {
        seams: Seams {
            clock: Arc::clone(&clock),
            spawn: Arc::new(tasks.clone()),
            store: Arc::clone(&store),
            render: Arc::new(JsonRender),
            watch: Arc::<Metrics>::clone(&metrics),
            board: Arc::clone(&board),
            live: Live::default(),
            route_life: settings.routes.life,
        },
        clock: Arc::clone(&clock),
        keys,
        pepper,
        metrics: Arc::clone(&metrics),
        feed: Arc::<Sqlite>::clone(&ledger),
        hooks: Hooks {
            ledger: Arc::<Sqlite>::clone(&ledger),
            ring,
            rules: Rules { private_addresses: settings.webhooks.private_addresses.unwrap_or(wanted.sandbox) },
            overlap: settings.webhooks.rotation_overlap,
            changed: Arc::default(),
        },
        limits,
    };
    let background = Background::start(&shared, &board, &tasks, &settings).await?;
    background.state().channels_off(in_force.off.clone());
    metrics.channels_off(in_force.off.len());
    // What is built in does not change.
    if let Some(directory) = loaded.directory.clone() {
        let reloader = Reloader {
            wanted: wanted.clone(),
            directory,
            ground,
            in_force,
            store: Arc::clone(&store),
            board: Arc::clone(&board),
            coordination: in_process,
            clock: Arc::clone(&clock),
            metrics: Arc::clone(&metrics),
            state: background.state(),
            keys: Arc::clone(&shared.keys),
            closing: accounts::Closing::default(),
        };
        reloader.start()?;
    }
    let (api_server, api_at) = api_server(&shared, &settings.api)?;
    let api_handle = api_server.handle();
    let token = ops::token(settings.ops.token.as_ref());
    let ops_data = Ops {
        store: Arc::clone(&store),
        board: Arc::clone(&board),
        clock: Arc::clone(&clock),
        metrics: Arc::clone(&metrics),
        tasks: tasks.clone(),
        state: background.state(),
        token: token.clone(),
        pepper: shared.pepper.clone(),
        shelf: Arc::default(),
    };
    let (ops_server, ops_at) = ops::server(ops_data, settings.ops.listen)
        .map_err(because(format!("the operations listener on {}", settings.ops.listen)))?;
    let ops_handle = ops_server.handle();
    let api_task = actix_web::rt::spawn(api_server);
    let ops_task = actix_web::rt::spawn(ops_server);
    let serving = Serving { pid: std::process::id(), ops: ops_at, token };
    let serving_file =
        ServingFile::write(&settings.store.data, &serving).map_err(because("serving.json in the data directory"))?;
    banner::print(&banner::Facts {
        sandbox: wanted.sandbox,
        api: api_at,
        ops: ops_at,
        simulator: simulated.as_ref().map(|running| running.address),
        settings: &settings,
        directory: loaded.directory.as_deref(),
        sandbox_key: wanted.sandbox && settings.api.listen.ip().is_loopback(),
    });
    tracing::info!(api = %api_at, ops = %ops_at, version = env!("CARGO_PKG_VERSION"), "serving");

    stop_signal().await.map_err(because("signals"))?;
    tracing::info!("stopping");
    drain(&api_handle, &tasks, settings.api.drain_deadline).await;
    background.stop();
    api_handle.stop(true).await;
    ops_handle.stop(false).await;
    let _ = api_task.await;
    let _ = ops_task.await;
    drop(serving_file);
    // Closing writes the log back, which may take a moment of the disk's.
    let closing = actix_web::rt::task::spawn_blocking(move || ledger.close());
    let _ = closing.await;
    if let Some(running) = simulated {
        running.stop().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Takes nothing new, and waits for what is under way. What is still open at the deadline is in doubt, and is looked up at
/// the next start.
async fn drain(api: &ServerHandle, tasks: &Tasks, deadline: Duration) {
    api.pause().await;
    tasks.stop();
    if tokio::time::timeout(deadline, tasks.wait()).await.is_err() {
        tracing::warn!(operations = tasks.running(), "stopping with operations under way; they are in doubt");
    }
}

fn api_server(shared: &Shared, settings: &crate::config::settings::Api) -> Result<(Server, SocketAddr), Failure> {
    let shared = shared.clone();
    let workers = settings.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    // One for each worker: its connections to providers belong to it.
    let server = HttpServer::new(move || {
        let engine = shared.engine();
        actix_web::rt::spawn(close_idle(Arc::downgrade(&engine)));
        App::new()
            .app_data(web::Data::new(shared.api(engine)))
            .route("/docs/errors", web::get().to(errors_page))
            .configure(api::configure)
    })
    .workers(workers)
    .max_connections(settings.connections_max.div_ceil(workers))
    .client_request_timeout(settings.head_timeout)
    .keep_alive(settings.keep_alive)
    .shutdown_timeout(FAREWELL_SECONDS)
    .disable_signals()
    .bind(settings.listen)
    .map_err(because(format!("the API on {}", settings.listen)))?;
    let address = server.addrs().first().copied().unwrap_or(settings.listen);
    Ok((server.run(), address))
}

/// Runs in each worker, whose connections to providers belong to it.
async fn close_idle(engine: Weak<Engine>) {
    while let Some(engine) = engine.upgrade() {
        engine.close_idle();
        drop(engine);
        tokio::time::sleep(CLOSE_IDLE).await;
    }
}

/// Where the `type` of every problem leads.
async fn errors_page() -> HttpResponse {
    let page = include_str!("../../../../docs/errors.md");
    HttpResponse::Ok().content_type("text/markdown; charset=utf-8").body(page)
}

/// What a configuration puts in force.
fn setup(loaded: &Loaded, plan: &Arc<channels::Plan>) -> Setup {
    Setup {
        rules: Arc::new(loaded.rules.clone()),
        roster: Arc::<channels::Plan>::clone(plan),
        merchants: Arc::new(Merchants::new(loaded.merchants.clone(), &loaded.order_types)),
    }
}

/// How the health of each channel is judged.
fn health_policies(loaded: &Loaded) -> Vec<(ChannelName, HealthPolicy)> {
    loaded.channels.iter().map(|channel| (channel.name.clone(), channel.health.clone())).collect()
}

/// Returns at the first SIGINT or SIGTERM.
async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
