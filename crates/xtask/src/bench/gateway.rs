//! The simulated provider and Switchyard, each a process of its own, as an operator starts them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::bench::process::{Process, free_address};
use crate::bench::wire;

const READY_MAX: Duration = Duration::from_secs(60);

/// Short beside the start that is measured with it.
const READY_POLL: Duration = Duration::from_millis(2);

/// The merchant of `config/merchants.toml` that pays.
const MERCHANT: &str = "demo-shop";

/// Settings of whoever runs this, which would make figures incomparable.
const OWN_SETTINGS: &str = "switchyard.toml";

/// `switchyard simulator`
pub struct Simulator {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Simulator {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(binary: &Path, directory: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = switchyard(binary);
        command.env("SWITCHYARD__SIMULATOR__LISTEN", address.to_string());
        command.args(["simulator", "--data"]).arg(directory.join("simulator"));
        let mut process = Process::start("the simulator", &mut command, &directory.join("simulator.log"))?;
        ready(&mut process, address, "/healthz").await?;
        Ok(Self { process, address })
    }

    /// Charges in its books, and requests that asked for them: more of these mean that somebody sent one twice.
    ///
    /// # Errors
    /// When it does not tell.
    pub async fn charges(&self) -> Result<(u64, u64)> {
        let (status, text) = wire::get(self.address, "/ledger/totals").await?;
        if status != 200 {
            return Err(format!("the simulator's totals: {status} {text}").into());
        }
        let totals: serde_json::Value = serde_json::from_str(&text)?;
        let lines = totals.get("data").and_then(|data| data.as_array()).ok_or("the simulator's totals have no data")?;
        let charges = lines.iter().filter(|line| line.get("object").is_some_and(|object| object == "charge"));
        let sum = |name: &str| charges.clone().filter_map(|line| line.get(name)?.as_u64()).sum();
        Ok((sum("count"), sum("asked")))
    }
}

/// Everything `switchyard serve` needs, on disk.
pub struct Installation {
    binary: PathBuf,
    config: PathBuf,
    simulator: SocketAddr,
    /// Its ledger's directory.
    pub data: PathBuf,
    /// Its log, a JSON line a request.
    pub log: PathBuf,
    /// An API key of a merchant.
    pub key: String,
}

impl Installation {
    /// Copies the configuration and issues an API key.
    ///
    /// # Errors
    /// When the configuration cannot be read, or the key is refused.
    pub fn new(binary: &Path, defaults: &Path, directory: &Path, simulator: SocketAddr) -> Result<Self> {
        let (config, data) = (directory.join("config"), directory.join("data"));
        configure(defaults, &config)?;
        fs::create_dir_all(&data)?;
        let issued = switchyard(binary)
            .env("SWITCHYARD__API__PUBLIC_URL", "http://127.0.0.1")
            .env("SWITCHYARD__SIMULATOR__URL", format!("http://{simulator}"))
            .args(["keys", "issue", "--merchant", MERCHANT, "--mode", "test"])
            .args(["--scopes", "payments:write,payments:read,refunds:write"])
            .arg("--config")
            .arg(&config)
            .arg("--data")
            .arg(&data)
            .stdin(Stdio::null())
            .output()?;
        if !issued.status.success() {
            return Err(format!("keys issue: {}", String::from_utf8_lossy(&issued.stderr).trim()).into());
        }
        let said = String::from_utf8_lossy(&issued.stdout).into_owned();
        let key = said.split_whitespace().find(|word| word.starts_with("sy_test_"));
        let key = key.ok_or("keys issue printed no key")?.to_owned();
        let log = directory.join("switchyard.log");
        Ok(Self { binary: binary.to_owned(), config, simulator, data, log, key })
    }
}

/// `switchyard serve`
pub struct Gateway {
    /// The process.
    pub process: Process,
    /// Where merchants call.
    pub api: SocketAddr,
    /// Where the operations listener is.
    pub ops: SocketAddr,
    /// From the start of the process until it was ready.
    pub start: Duration,
}

impl Gateway {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(installation: &Installation) -> Result<Self> {
        let (api, ops) = (free_address()?, free_address()?);
        let mut command = switchyard(&installation.binary);
        command
            .arg("serve")
            .arg("--config")
            .arg(&installation.config)
            .arg("--data")
            .arg(&installation.data)
            .env("SWITCHYARD__API__LISTEN", api.to_string())
            .env("SWITCHYARD__API__PUBLIC_URL", format!("http://{api}"))
            .env("SWITCHYARD__OPS__LISTEN", ops.to_string())
            // One key carries all of the load.
            .env("SWITCHYARD__LIMITS__PER_SECOND", "1000000")
            .env("SWITCHYARD__LIMITS__BURST", "1000000")
            .env("SWITCHYARD__SIMULATOR__URL", format!("http://{}", installation.simulator));
        let started = Instant::now();
        let mut process = Process::start("switchyard", &mut command, &installation.log)?;
        ready(&mut process, ops, "/readyz").await?;
        Ok(Self { process, api, ops, start: started.elapsed() })
    }

    /// Its metrics as they stand.
    ///
    /// # Errors
    /// When it does not tell.
    pub async fn metrics(&self) -> Result<Metrics> {
        let (status, text) = wire::get(self.ops, "/metrics").await?;
        if status != 200 {
            return Err(format!("/metrics: {status}").into());
        }
        Ok(Metrics(text))
    }
}

/// The text of `/metrics`.
pub struct Metrics(String);

impl Metrics {
    /// Groups the store made durable: each is one fsync of the ledger.
    #[must_use]
    pub fn commits(&self) -> Option<f64> {
        self.sum("switchyard_store_batch_commands_count")
    }

    /// Commands in these groups.
    #[must_use]
    pub fn commands(&self) -> Option<f64> {
        self.sum("switchyard_store_batch_commands_sum")
    }

    /// The sum over all labels of a metric.
    fn sum(&self, name: &str) -> Option<f64> {
        let values = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(name).filter(|rest| rest.starts_with(['{', ' ']))?;
            rest.rsplit_once(' ')?.1.parse::<f64>().ok()
        });
        values.reduce(|sum, value| sum + value)
    }
}

/// The program, without settings from the environment of whoever runs this.
fn switchyard(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SWITCHYARD__")) {
        command.env_remove(name);
    }
    command
}

fn configure(defaults: &Path, config: &Path) -> Result<()> {
    fs::create_dir_all(config)?;
    for entry in fs::read_dir(defaults)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|ending| ending == "toml") && entry.file_name() != OWN_SETTINGS {
            fs::copy(entry.path(), config.join(entry.file_name()))?;
        }
    }
    Ok(())
}

async fn ready(process: &mut Process, address: SocketAddr, path: &str) -> Result<()> {
    let started = Instant::now();
    loop {
        let asked = wire::get(address, path).await;
        if matches!(asked, Ok((200, _))) {
            return Ok(());
        }
        process.check()?;
        if started.elapsed() > READY_MAX {
            return Err(format!("{path} does not become 200, at last: {asked:?}").into());
        }
        tokio::time::sleep(READY_POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_summed_over_its_labels_and_no_other() {
        let text = "# TYPE switchyard_store_batch_commands histogram\nswitchyard_store_batch_commands_count{store=\"a\"} 2\n\
                    switchyard_store_batch_commands_count{store=\"b\"} 3\nswitchyard_store_batch_commands_counted 9\n";
        let metrics = Metrics(text.into());
        assert_eq!((metrics.commits(), metrics.commands()), (Some(5.0), None));
    }
}
