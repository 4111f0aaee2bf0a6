//! Starting and stopping.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::answer::no_such_endpoint;
use crate::control::Control;
use crate::id::Names;
use crate::ledger::{self, Keeper, Ledger};
use crate::limits::{BODY_BYTES_MAX, DISCONNECT_TIMEOUT, KEEP_ALIVE, REQUEST_HEAD_TIMEOUT, SHUTDOWN_SECONDS};
use crate::settings::Settings;
use crate::{api, control, judge, look_up, pages};

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct Simulator {
    pub(crate) ledger: Ledger,
    pub(crate) names: Names,
    pub(crate) control: Control,
    /// Ends the requests that are held on purpose.
    pub(crate) closing: CancellationToken,
}

/// A simulator that serves. Dropping this does not stop it.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    simulator: Data<Simulator>,
    handle: ServerHandle,
    server: JoinHandle<io::Result<()>>,
    keeper: Keeper,
}

/// Why a simulator could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file is in use, not writable, or not a ledger of this version.
    #[error("cannot open the simulator's ledger {path}: {reason}")]
    Ledger {
        /// The file.
        path: PathBuf,
        /// What SQLite or the operating system says.
        reason: String,
    },
    /// Most often the port is taken.
    #[error("the simulator cannot listen on {address}: {reason}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system says.
        reason: io::Error,
    },
}

/// Opens the ledger and starts to serve, in threads of its own. Must be called inside a Tokio runtime, which may be Actix's.
///
/// # Errors
///
/// See [`StartError`]. Nothing is left running.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    let Settings { listen, data, public_url, workers, durability, pending, slow } = settings;
    let no_listener = |reason| StartError::Listen { address: listen, reason };
    let listener = bind(listen).map_err(no_listener)?;
    let address = listener.local_addr().map_err(no_listener)?;

    make_directory(&data).map_err(|error| no_ledger(&data, &error))?;
    let (keeper, secret) = ledger::open(&data, durability).map_err(|error| no_ledger(&data, &error))?;
    let public_url = public_url.unwrap_or_else(|| format!("http://{address}"));
    let simulator = Data::new(Simulator {
        ledger: keeper.ledger(),
        names: Names::new(&secret, public_url.trim_end_matches('/').to_owned()),
        control: Control::new(pending, slow),
        closing: CancellationToken::new(),
    });
    let server = listener.into_std().and_then(|listener| serve(listener, simulator.clone(), workers));
    match server {
        Ok(server) => {
            let handle = server.handle();
            Ok(Running { address, simulator, handle, server: tokio::spawn(server), keeper })
        }
        Err(reason) => {
            keeper.stop();
            Err(no_listener(reason))
        }
    }
}

impl Running {
    /// Stops accepting, answers what is under way, cuts what is held on purpose, and closes the ledger.
    pub async fn stop(self) {
        self.simulator.closing.cancel();
        self.handle.stop(true).await;
        match self.server.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the simulator's server failed"),
            Err(error) => tracing::error!(%error, "the simulator's server panicked"),
        }
        let keeper = self.keeper;
        // The thread may be finishing a batch: waiting for it must not hold up the runtime.
        let _ = tokio::task::spawn_blocking(move || keeper.stop()).await;
    }
}

fn no_ledger(path: &Path, reason: &impl ToString) -> StartError {
    StartError::Ledger { path: path.to_owned(), reason: reason.to_string() }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(2_048)
}

fn make_directory(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => std::fs::create_dir_all(directory),
        Some(_) | None => Ok(()),
    }
}

fn serve(
    listener: std::net::TcpListener,
    simulator: Data<Simulator>,
    workers: usize,
) -> io::Result<actix_web::dev::Server> {
    let app = move || {
        App::new()
            .app_data(simulator.clone())
            .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
            .service(
                web::scope("/v1")
                    .wrap(actix_web::middleware::from_fn(control::hold_back))
                    .configure(api::routes)
                    .configure(look_up::routes)
                    .default_service(web::to(no_such_endpoint)),
            )
            .configure(pages::routes)
            .configure(judge::routes)
            .configure(control::routes)
            .default_service(web::to(no_such_endpoint))
    };
    let server = HttpServer::new(app)
        .workers(workers.max(1))
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(REQUEST_HEAD_TIMEOUT)
        .client_disconnect_timeout(DISCONNECT_TIMEOUT)
        // A client that is gone need not be held.
        .h1_allow_half_closed(false)
        .tcp_nodelay(true)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
