//! A gateway, its provider and its merchants, to be killed, restarted and judged.

use crate::book::{Attempt, Books};
use crate::chance::Chance;
use crate::judge::{Finding, judge};
use crate::ledger;
use crate::merchant::{Market, page, send};
use crate::process::{Ended, Process, binary};
use crate::troubled::Line;
use crate::wire::{Manner, Wire, request};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long recovery may take before what is left counts as left in doubt. A look-up may wait a minute for its turn.
const PATIENCE: Duration = Duration::from_secs(150);

/// Requests asked again at the end, of those that were answered.
const REPLAYS_MAX: usize = 300;

/// The channels of the built-in configuration that cards go to.
const CHANNELS: [&str; 2] = ["simulator_eu", "simulator_us"];

/// How a town is built.
#[derive(Debug, Default)]
pub struct Plan {
    /// Where the ledger lies, instead of a folder of its own.
    pub data: Option<PathBuf>,
    /// The line to the provider is troubled, by this chance.
    pub troubled: Option<Chance>,
    /// Variables of the gateway, at each start.
    pub env: Vec<(String, String)>,
}

impl Plan {
    /// With one more variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// All of it.
#[derive(Debug)]
pub struct Town {
    folder: Option<TempDir>,
    root: PathBuf,
    data: PathBuf,
    env: Vec<(String, String)>,
    /// The merchants.
    pub market: Arc<Market>,
    /// The troubled line, where there is one.
    pub line: Option<Arc<Line>>,
    /// The provider's host and port.
    pub provider: String,
    /// What the gateway believes it to be.
    base: String,
    _provider: Process,
    gateway: Option<Process>,
    /// The operations listener of the gateway that runs.
    pub ops: String,
    /// Whether old keys are asked with before the judge looks; not once they were freed.
    pub asks_again: bool,
}

/// What the books say.
#[derive(Debug)]
pub struct Verdict {
    /// The books.
    pub books: Books,
    /// What is wrong with them.
    pub findings: Vec<Finding>,
}

impl Town {
    /// With a provider that runs, and a gateway that was started once and is up.
    ///
    /// # Panics
    /// Where something does not start.
    #[must_use]
    pub fn build(plan: Plan) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let root = folder.path().to_owned();
        let mut command = Command::new(binary());
        command
            .arg("simulator")
            .arg("--data")
            .arg(root.join("provider"))
            .current_dir(&root)
            .env("SWITCHYARD__SIMULATOR__LISTEN", "127.0.0.1:0")
            .env("SWITCHYARD__SIMULATOR__PENDING", "400ms")
            .env("SWITCHYARD__SIMULATOR__SLOW", "300ms");
        let mut provider = Process::start(command, &root.join("provider.log"));
        let address = provider.addresses(&["Simulator"], "Simulator").expect("the provider starts").remove(0);
        let line = plan.troubled.map(|chance| Line::open(&address, chance));
        let base = line.as_ref().map_or_else(|| address.clone(), |(_, base)| base.clone());
        let mut town = Self {
            data: plan.data.unwrap_or_else(|| root.join("data")),
            root,
            folder: Some(folder),
            env: plan.env,
            market: Arc::default(),
            line: line.map(|(line, _)| line),
            provider: address,
            base,
            _provider: provider,
            gateway: None,
            ops: String::new(),
            asks_again: true,
        };
        town.start(&[]).expect("the gateway starts");
        // The simulated faults would put the channels out of service, which is another test's affair.
        for channel in CHANNELS {
            let answer = town.operate(channel);
            assert!(answer.is_some_and(|status| status == 200), "the channel {channel} stays up");
        }
        town
    }

    /// Starts the gateway on the ledger as it is.
    ///
    /// # Errors
    /// [`Ended`] where it died at once.
    pub fn start(&mut self, env: &[(&str, &str)]) -> Result<(), Ended> {
        self.start_by(Command::new(binary()), env)
    }

    /// The same by another command, to which the binary's arguments are added.
    ///
    /// # Errors
    /// [`Ended`] where it died at once.
    pub fn start_by(&mut self, mut command: Command, env: &[(&str, &str)]) -> Result<(), Ended> {
        command
            .arg("sandbox")
            .arg("--data")
            .arg(&self.data)
            .current_dir(&self.root)
            .env("SWITCHYARD__API__LISTEN", "127.0.0.1:0")
            .env("SWITCHYARD__API__WORKERS", "2")
            .env("SWITCHYARD__OPS__LISTEN", "127.0.0.1:0")
            .env("SWITCHYARD__SIMULATOR__URL", format!("http://{}", self.base))
            .env("SWITCHYARD__LOG__FILE", self.root.join("switchyard.log"))
            .env("SWITCHYARD__LOG__LEVEL", "warn")
            .env("SWITCHYARD__PROVIDER__TIMEOUT", "1s")
            .env("SWITCHYARD__PROVIDER__CONNECT_TIMEOUT", "900ms")
            .env("SWITCHYARD__RECOVERY__INTERVAL", "100ms")
            .env("SWITCHYARD__RECOVERY__CONCURRENCY", "64")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .envs(env.iter().copied());
        let mut gateway = Process::start(command, &self.root.join("gateway.log"));
        let addresses = gateway.addresses(&["API", "Operations"], "Ctrl-C")?;
        self.ops = addresses[1].clone();
        *self.market.address.write().expect("nobody panics with it") = addresses[0].clone();
        self.gateway = Some(gateway);
        Ok(())
    }

    /// The gateway that runs.
    ///
    /// # Panics
    /// Where none does.
    pub fn gateway(&mut self) -> &mut Process {
        self.gateway.as_mut().expect("a gateway")
    }

    /// SIGKILL. `true` where it was alive until then.
    pub fn kill(&mut self) -> bool {
        self.market.address.write().expect("nobody panics with it").clear();
        self.gateway.take().is_some_and(|mut gateway| gateway.kill())
    }

    /// Waits up to `patience` for the gateway to die by itself; `false` where it lives on.
    pub fn dies_within(&mut self, patience: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < patience {
            if self.gateway().ended().is_some() {
                self.kill();
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    /// The folder with the ledger.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The folder with everything else.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// An operator keeps a channel up. The status of the answer, where one came.
    pub fn operate(&self, channel: &str) -> Option<u16> {
        let note: Value = serde_json::from_slice(&std::fs::read(self.data.join("serving.json")).ok()?).ok()?;
        let authorization = format!("Bearer {}", note["token"].as_str()?);
        let body = json!({"status": "up", "reason": "its faults are planted"}).to_string();
        let path = format!("/ops/channels/{channel}/override");
        let bytes = request("POST", &path, &self.ops, &[("Authorization", &authorization)], Some(&body));
        Wire::default().ask(&self.ops, &bytes, Manner::Patient).map(|answer| answer.status)
    }

    /// Changes what the provider does.
    ///
    /// # Panics
    /// Where it refuses.
    pub fn control(&self, body: &Value) {
        let bytes = request("POST", "/control", &self.provider, &[], Some(&body.to_string()));
        let answer = Wire::default().ask(&self.provider, &bytes, Manner::Patient).expect("the provider answers");
        assert_eq!(answer.status, 200, "{}", answer.json());
    }

    /// Lets recovery do its work, with payers who decide, until nothing is open or patience ends. Gives back what the API
    /// shows then.
    fn settle(&mut self, patience: Duration) -> HashMap<String, (crate::book::Shown, Value)> {
        let address = self.market.address.read().expect("nobody panics with it").clone();
        let start = Instant::now();
        let mut wire = Wire::default();
        loop {
            let shown = ledger::shown(&address, "");
            let open: Vec<&Value> = shown.values().map(|(_, payment)| payment).filter(|it| is_open(it)).collect();
            if open.is_empty() || start.elapsed() > patience {
                return shown;
            }
            for payment in open.iter().filter(|it| it["in_doubt"] == false) {
                if let Some((provider, path)) = payment["next_action"]["url"].as_str().and_then(page) {
                    let bytes = request("POST", &format!("{path}/decline"), &provider, &[], None);
                    Wire::default().ask(&provider, &bytes, Manner::Patient);
                }
                let path = format!("/v1/payments/{}?refresh=true", payment["id"].as_str().unwrap_or_default());
                send(&mut wire, &address, "GET", &path, "", None, Manner::Patient);
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Recovers, asks again for what was asked before, stops, and compares the three books.
    ///
    /// # Panics
    /// Where the gateway does not start on its own ledger.
    pub fn judge(&mut self) -> Verdict {
        self.judge_within(PATIENCE)
    }

    /// The same with less patience, where something is expected to be left.
    ///
    /// # Panics
    /// Where the gateway does not start on its own ledger.
    pub fn judge_within(&mut self, patience: Duration) -> Verdict {
        if let Some(line) = &self.line {
            line.mend();
        }
        if self.gateway.is_none() {
            self.start(&[]).expect("the gateway starts on its own ledger");
        }
        self.settle(patience);
        if self.asks_again {
            self.ask_again();
        }
        let shown = self.settle(patience);
        let fed = ledger::fed(&self.market.address.read().expect("nobody panics with it").clone());
        if let Some(gateway) = self.gateway.take() {
            let status = gateway.stop();
            assert!(status.success(), "the gateway stops in good order: {status}");
        }
        let (payments, events) = ledger::read(&self.data);
        let (booked, unbooked) = ledger::booked(&self.provider);
        let books = Books {
            told: self.market.told.lock().expect("nobody panics with it").clone(),
            payments,
            events,
            fed,
            shown: shown.into_iter().map(|(id, (shown, _))| (id, shown)).collect(),
            booked,
            unbooked,
            lied_about: self.line.as_ref().map(|line| line.lied_about()).unwrap_or_default(),
        };
        let findings = judge(&books);
        Verdict { books, findings }
    }

    /// What nobody answered is asked for once more, and some of what was answered: with the old keys, as the guide says.
    fn ask_again(&self) {
        let told = self.market.told.lock().expect("nobody panics with it").clone();
        let mut by_key: BTreeMap<&str, (&Attempt, bool)> = BTreeMap::new();
        for attempt in told.iter().filter(|attempt| !attempt.key.is_empty()) {
            let entry = by_key.entry(&attempt.key).or_insert((attempt, false));
            entry.1 |= attempt.answer.as_ref().is_some_and(|answer| matches!(answer.status, 201 | 202));
        }
        let mut wire = Wire::default();
        let (answered, unanswered): (Vec<_>, Vec<_>) = by_key.into_values().partition(|(_, answered)| *answered);
        let step = (answered.len() / REPLAYS_MAX).max(1);
        let again = unanswered.into_iter().take(REPLAYS_MAX).chain(answered.into_iter().step_by(step));
        for (attempt, _) in again {
            self.market.ask_once(&mut wire, &attempt.key, &attempt.ask, &attempt.path, &attempt.body);
        }
    }

    /// Leaves all files where they are, for whoever looks for the reason.
    fn keep(&mut self) -> PathBuf {
        self.folder.take().map_or_else(|| self.root.clone(), TempDir::keep)
    }

    /// Judges, prints the figures, and fails where anything is wrong.
    ///
    /// # Panics
    /// Where the judge finds anything.
    pub fn must_be_right(&mut self, name: &str) -> Verdict {
        let verdict = self.judge();
        println!("{name}: {verdict}");
        if !verdict.findings.is_empty() {
            let folder = self.keep();
            let list: Vec<String> = verdict.findings.iter().take(25).map(ToString::to_string).collect();
            panic!(
                "{name}: {} findings; all is kept in {}\n{}",
                verdict.findings.len(),
                folder.display(),
                list.join("\n")
            );
        }
        verdict
    }
}

fn is_open(payment: &Value) -> bool {
    let pending = payment["pending"].as_array().is_some_and(|pending| !pending.is_empty());
    pending
        || payment["in_doubt"] == true
        || matches!(payment["status"].as_str(), Some("processing" | "requires_action"))
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Books { told, payments, events, booked, unbooked, .. } = &self.books;
        let operations: usize = payments.iter().map(|payment| payment.operations.len()).sum();
        let unanswered = told.iter().filter(|attempt| attempt.answer.is_none()).count();
        write!(
            f,
            "{} requests ({unanswered} unanswered), {} payments, {operations} operations, {} events, {} booked, {} not \
             booked, {} findings",
            told.len(),
            payments.len(),
            events.len(),
            booked.len(),
            unbooked.len(),
            self.findings.len()
        )
    }
}
