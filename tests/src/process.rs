//! The binary as a process of its own, on free ports and in a temporary folder.

use crate::http::Client;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a start or a stop may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary: what `SWITCHYARD_BIN` names, else built now.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("SWITCHYARD_BIN") {
            return path.into();
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["build", "--package", "switchyard", "--message-format=json-render-diagnostics"])
            .current_dir(root)
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "the binary does not build");
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message["target"]["name"] == "switchyard")
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .expect("cargo names the binary")
    })
}

/// How a sandbox is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Variables besides the listening addresses.
    pub env: Vec<(String, String)>,
    /// A configuration directory instead of the built-in one.
    pub config: Option<PathBuf>,
}

impl Options {
    /// With provider calls that give up after a second, and recovery that looks often.
    pub fn impatient() -> Self {
        Self::default()
            .env("SWITCHYARD__PROVIDER__TIMEOUT", "1s")
            .env("SWITCHYARD__PROVIDER__CONNECT_TIMEOUT", "900ms")
            .env("SWITCHYARD__RECOVERY__INTERVAL", "100ms")
    }

    /// With one more variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A running `switchyard sandbox`. Killed when dropped.
pub struct Sandbox {
    child: Child,
    data: Arc<TempDir>,
    options: Options,
    /// All that it printed so far.
    pub printed: Arc<Mutex<String>>,
    /// Host and port of the API.
    pub api: String,
    /// Host and port of the operations listener.
    pub ops: String,
    /// Host and port of the simulator.
    pub simulator: String,
}

impl Sandbox {
    /// With the built-in configuration, on a ledger of its own.
    pub fn start() -> Self {
        Self::start_with(Options::default())
    }

    /// As the options say, on a ledger of its own.
    pub fn start_with(options: Options) -> Self {
        Self::start_on(Arc::new(TempDir::new().expect("a temporary folder")), options)
    }

    /// On a ledger that may hold something.
    pub fn start_on(data: Arc<TempDir>, options: Options) -> Self {
        let mut command = Command::new(binary());
        command.arg("sandbox").arg("--data").arg(data.path());
        if let Some(config) = &options.config {
            command.arg("--config").arg(config);
        }
        command
            .current_dir(data.path())
            .env("SWITCHYARD__API__LISTEN", "127.0.0.1:0")
            .env("SWITCHYARD__OPS__LISTEN", "127.0.0.1:0")
            .env("SWITCHYARD__SIMULATOR__LISTEN", "127.0.0.1:0")
            .env("SWITCHYARD__LOG__FILE", data.path().join("switchyard.log"))
            .envs(options.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the binary starts");
        let printed = Arc::new(Mutex::new(String::new()));
        collect(child.stdout.take().expect("a pipe"), Arc::clone(&printed));
        let mut sandbox =
            Self { child, data, options, printed, api: String::new(), ops: String::new(), simulator: String::new() };
        sandbox.wait_until_ready();
        sandbox
    }

    fn wait_until_ready(&mut self) {
        let start = Instant::now();
        loop {
            let printed = self.printed();
            let find = |name: &str| {
                let line = printed.lines().find(|line| line.trim_start().starts_with(name))?;
                Some(line.split("http://").nth(1)?.trim().trim_end_matches('/').to_owned())
            };
            if let (Some(api), Some(ops), Some(simulator)) = (find("API"), find("Operations"), find("Simulator"))
                && printed.contains("curl")
            {
                (self.api, self.ops, self.simulator) = (api, ops, simulator);
                return;
            }
            let ended = self.child.try_wait().expect("wait");
            assert!(ended.is_none(), "it ended at once ({ended:?}), see its standard error: {printed}");
            assert!(start.elapsed() < PATIENCE, "it is not ready: {printed}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// All that it printed so far.
    pub fn printed(&self) -> String {
        self.printed.lock().expect("no test holds it").clone()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("switchyard.log")).unwrap_or_default()
    }

    /// The folder with its ledger.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// A client with the sandbox's key.
    pub fn client(&self) -> Client {
        Client::new(&self.api, "sy_test_sandbox")
    }

    /// A client with another key.
    pub fn client_with(&self, key: &str) -> Client {
        Client::new(&self.api, key)
    }

    /// A client of the operations listener, with the token that the process left for this machine's tools.
    pub fn ops_client(&self) -> Client {
        let serving = std::fs::read_to_string(self.data.path().join("serving.json")).expect("serving.json");
        let serving: Value = serde_json::from_str(&serving).expect("JSON");
        Client::new(&self.ops, serving["token"].as_str().unwrap_or_default())
    }

    /// What the simulator's ledger holds of a kind (`charge`, `capture`, `refund`, `void`), oldest first.
    pub fn ledger(&self, kind: &str) -> Vec<Value> {
        self.pages("/ledger").into_iter().filter(|entry| entry["object"] == kind).collect()
    }

    /// What the simulator was asked for and did not book.
    pub fn unbooked(&self) -> Vec<Value> {
        self.pages("/ledger/unbooked")
    }

    fn pages(&self, path: &str) -> Vec<Value> {
        let client = Client { address: self.simulator.clone(), authorization: None };
        let mut entries = Vec::new();
        let mut after = "0".to_owned();
        loop {
            let page = client.get(&format!("{path}?after={after}&limit=1000")).expect(200).json();
            entries.extend(page["data"].as_array().unwrap_or_else(|| panic!("no data in {page}")).iter().cloned());
            if page["next"].is_null() {
                return entries;
            }
            after = page["next"].to_string();
        }
    }

    /// The simulator's switchboard.
    pub fn control(&self, body: &Value) {
        let client = Client { address: self.simulator.clone(), authorization: None };
        let answer =
            client.send("POST", "/control", &[("Content-Type", "application/json")], body.to_string().as_bytes());
        assert!(answer.status < 300, "{}", answer.text());
    }

    /// Sends a signal by name, as `kill -NAME` does.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("kill");
    }

    /// Waits until the process has ended.
    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end: {}", self.printed());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it as Ctrl-C does, and waits.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(rustix::process::Signal::INT);
        self.wait()
    }

    /// Kills it where it stands, and starts it again on the same ledger.
    pub fn kill_and_restart(mut self) -> Self {
        self.signal(rustix::process::Signal::KILL);
        self.wait();
        self.start_again()
    }

    /// On the same ledger, with the simulator at the same address: what is open is looked up where it went, nowhere else.
    pub fn start_again(&self) -> Self {
        let options = self.options.clone().env("SWITCHYARD__SIMULATOR__LISTEN", &self.simulator);
        Self::start_on(Arc::clone(&self.data), options)
    }

    /// Stops it and starts it again on the same ledger.
    pub fn restart(mut self) -> Self {
        let status = self.stop();
        assert!(status.success(), "{status}");
        self.start_again()
    }

    /// Runs another command of the binary on the same data, and gives back what it printed.
    pub fn run(&self, arguments: &[&str]) -> (ExitStatus, String, String) {
        run(arguments, Some(self.data.path()), self.options.config.as_deref())
    }
}

/// Runs a command of the binary: its status, standard output and standard error.
pub fn run(arguments: &[&str], data: Option<&Path>, config: Option<&Path>) -> (ExitStatus, String, String) {
    let mut command = Command::new(binary());
    command.args(arguments);
    if let Some(data) = data {
        command.arg("--data").arg(data).current_dir(data);
    }
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status, text(&output.stdout), text(&output.stderr))
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the process\n{}", self.log());
            return;
        }
        self.verify_decisions();
    }
}

impl Sandbox {
    /// Whatever a test did: each routing decision in the ledger comes out again as it is recorded. The ledger is read beside
    /// a successor of this process, if there is one.
    fn verify_decisions(&self) {
        if !self.data.path().join("switchyard.db").exists() {
            return;
        }
        let (status, said, error) = run(&["rules", "verify"], Some(self.data.path()), None);
        assert!(status.success(), "decisions do not come out again:\n{said}{error}");
    }
}

fn collect(pipe: impl std::io::Read + Send + 'static, into: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut printed = into.lock().expect("no test holds it");
            printed.push_str(&line);
            printed.push('\n');
        }
    });
}
