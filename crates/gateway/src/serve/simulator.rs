//! The simulated provider, beside the gateway or alone.

use super::{Failure, because, stop_signal};
use crate::config::address::reachable;
use crate::config::settings::Simulator;
use switchyard_simulator::{Durability, Running, Settings};

/// Starts it as the settings say.
pub(super) async fn start(settings: &Simulator) -> Result<Running, Failure> {
    if let Some(folder) = settings.ledger.parent() {
        std::fs::create_dir_all(folder).map_err(because(folder.display()))?;
    }
    let running = switchyard_simulator::start(Settings {
        listen: settings.listen,
        data: settings.ledger.clone(),
        public_url: None,
        workers: settings.workers,
        durability: if settings.durable { Durability::Durable } else { Durability::Fast },
        pending: settings.pending,
        slow: settings.slow,
    });
    Ok(running.await?)
}

/// Runs it alone until SIGINT or SIGTERM.
///
/// # Errors
/// [`Failure`], before it served.
pub(crate) fn run(settings: &Simulator) -> Result<(), Failure> {
    actix_web::rt::System::new().block_on(async {
        let running = start(settings).await?;
        println!("Simulator  http://{}", reachable(running.address));
        stop_signal().await.map_err(because("signals"))?;
        running.stop().await;
        Ok(())
    })
}
