//! The real binary as processes: the gateway, which is killed, and the simulated provider, which lives on.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary with crash points: what `SWITCHYARD_CRASH_BIN` names, else built now and put aside, so that the plain one stands
/// again where it stood.
///
/// # Panics
/// Where it does not build.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("SWITCHYARD_CRASH_BIN") {
            return path.into();
        }
        let built = build(&["--features", "switchyard/crash-points"]);
        let aside = built.parent().and_then(Path::parent).expect("the target folder").join("crash");
        std::fs::create_dir_all(&aside).expect("a folder");
        let copy = aside.join(format!("switchyard-{}", std::process::id()));
        std::fs::copy(&built, &copy).expect("a copy");
        std::fs::rename(&copy, aside.join("switchyard")).expect("in its place");
        build(&[]);
        aside.join("switchyard")
    })
}

fn build(more: &[&str]) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--workspace", "--message-format=json-render-diagnostics"])
        .args(more)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "the binary does not build");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "switchyard")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the binary")
}

/// A process of ours, killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    printed: Arc<Mutex<String>>,
}

/// It ended before it was ready.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it said.
    pub printed: String,
}

impl Ended {
    /// Whether a signal 9 ended it.
    #[must_use]
    pub fn killed(&self) -> bool {
        self.status.signal() == Some(9)
    }
}

impl Process {
    /// Starts it; what it says on standard error is added to `log`.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn start(mut command: Command, log: &Path) -> Self {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("the binary starts");
        let printed = Arc::new(Mutex::new(String::new()));
        let (pipe, into) = (child.stdout.take().expect("a pipe"), Arc::clone(&printed));
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut printed = into.lock().expect("nobody panics with it");
                printed.push_str(&line);
                printed.push('\n');
            }
        });
        Self { child, printed }
    }

    /// Waits until it has printed the addresses that these names stand before.
    ///
    /// # Errors
    /// [`Ended`] where it ended instead.
    ///
    /// # Panics
    /// Where it does neither for a minute.
    pub fn addresses(&mut self, names: &[&str], last_word: &str) -> Result<Vec<String>, Ended> {
        let start = Instant::now();
        loop {
            let printed = self.printed.lock().expect("nobody panics with it").clone();
            let find = |name: &&str| {
                let line = printed.lines().find(|line| line.trim_start().starts_with(*name))?;
                Some(line.split("http://").nth(1)?.trim().trim_end_matches('/').to_owned())
            };
            let found: Vec<String> = names.iter().filter_map(find).collect();
            if found.len() == names.len() && printed.contains(last_word) {
                return Ok(found);
            }
            if let Some(status) = self.ended() {
                return Err(Ended { status, printed });
            }
            assert!(start.elapsed() < PATIENCE, "it is not ready: {printed}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("wait")
    }

    /// The process's number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it stands still by SIGSTOP.
    #[must_use]
    pub fn stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// Where that fails.
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).expect("kill");
    }

    /// SIGKILL, and waits. `true` where it was alive until then.
    ///
    /// # Panics
    /// Where it cannot be waited for.
    pub fn kill(&mut self) -> bool {
        let alive = self.ended().is_none();
        let _ = self.child.kill();
        self.child.wait().expect("wait");
        alive
    }

    /// SIGINT, and waits for the end.
    ///
    /// # Panics
    /// Where it does not end.
    pub fn stop(mut self) -> ExitStatus {
        if self.ended().is_none() {
            self.signal(rustix::process::Signal::INT);
        }
        self.wait()
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// Where it does not come.
    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
