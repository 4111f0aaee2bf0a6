//! A merchant's server that takes webhooks, and tells what came.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// One request that came.
#[derive(Clone, Debug)]
pub struct Received {
    /// The address asked for.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Received {
    /// The first header of that name, in lower case.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or_else(|| panic!("no {name} in {:?}", self.headers), |(_, value)| value)
    }

    /// The event's id.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The event's type.
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// With a status and headers.
    Status(u16, Vec<(&'static str, String)>),
    /// Not at all, as long as the sender waits.
    Silence,
}

impl Reply {
    /// A status alone.
    pub const fn status(status: u16) -> Self {
        Self::Status(status, Vec::new())
    }
}

type Script = dyn Fn(&Received, usize) -> Reply + Send + Sync;

/// Takes requests on a port of its own until it is dropped.
pub struct Receiver {
    address: SocketAddr,
    inbox: Arc<(Mutex<Vec<Received>>, Condvar)>,
    script: Arc<Mutex<Arc<Script>>>,
}

impl Receiver {
    /// Answers each request as `script` says, which is told how many came before it.
    pub fn start(script: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let inbox: Arc<(Mutex<Vec<Received>>, Condvar)> = Arc::default();
        let script: Arc<Mutex<Arc<Script>>> = Arc::new(Mutex::new(Arc::new(script)));
        let (to, by) = (Arc::clone(&inbox), Arc::clone(&script));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (to, by) = (Arc::clone(&to), Arc::clone(&by));
                std::thread::spawn(move || serve(stream, &to, &by));
            }
        });
        Self { address, inbox, script }
    }

    /// Takes everything.
    pub fn willing() -> Self {
        Self::start(|_, _| Reply::status(204))
    }

    /// Answers otherwise from here on.
    pub fn answer(&self, script: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) {
        *self.script.lock().expect("no test holds it") = Arc::new(script);
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// All that came so far.
    pub fn received(&self) -> Vec<Received> {
        self.inbox.0.lock().expect("no test holds it").clone()
    }

    /// Waits until `done` says that all came; panics after a minute, showing what did.
    #[track_caller]
    pub fn wait(&self, what: &str, done: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let (inbox, arrived) = &*self.inbox;
        let start = Instant::now();
        let mut received = inbox.lock().expect("no test holds it");
        while !done(&received) {
            let kinds: Vec<(String, String)> = received.iter().map(|it| (it.id().to_owned(), it.kind())).collect();
            assert!(start.elapsed() < Duration::from_secs(60), "{what} did not come: {kinds:#?}");
            (received, _) = arrived.wait_timeout(received, Duration::from_millis(100)).expect("no test holds it");
        }
        received.clone()
    }

    /// Waits for so many requests.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        self.wait(&format!("{count} requests"), |received| received.len() >= count)
    }
}

fn serve(mut stream: TcpStream, inbox: &(Mutex<Vec<Received>>, Condvar), script: &Mutex<Arc<Script>>) {
    while let Some(received) = read(&mut stream) {
        let before = {
            let mut all = inbox.0.lock().expect("no test holds it");
            all.push(received.clone());
            inbox.1.notify_all();
            all.len() - 1
        };
        let script = Arc::clone(&script.lock().expect("no test holds it"));
        match script(&received, before) {
            Reply::Status(status, headers) => {
                let mut head = format!("HTTP/1.1 {status} Said\r\n");
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                if status != 204 {
                    head.push_str("content-length: 0\r\n");
                }
                head.push_str("\r\n");
                if stream.write_all(head.as_bytes()).is_err() {
                    return;
                }
            }
            Reply::Silence => {
                let _ = stream.read(&mut [0]);
                return;
            }
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let mut lines = head.split("\r\n");
            let path = lines.next()?.split(' ').nth(1)?.to_owned();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length: usize = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
            if bytes.len() >= end + 4 + length {
                return Some(Received { path, headers, body: bytes[end + 4..end + 4 + length].to_vec() });
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

/// Whether the specification's library for Rust takes it.
pub fn verified_by_rust(secret: &str, received: &Received) -> bool {
    let mut headers = http::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, received.header(name).parse().expect("a header"));
    }
    standardwebhooks::Webhook::new(secret).expect("a secret").verify(&received.body, &headers).is_ok()
}

/// Whether the specification's library for Python takes it.
pub fn verified_by_python(secret: &str, received: &Received) -> bool {
    const PROGRAM: &str = "import sys
from standardwebhooks.webhooks import Webhook
names = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
Webhook(sys.argv[1]).verify(sys.stdin.buffer.read(), dict(zip(names, sys.argv[2:5])))";
    let mut child = Command::new(python())
        .args(["-c", PROGRAM, secret])
        .args(["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| received.header(name)))
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python runs");
    child.stdin.take().expect("a pipe").write_all(&received.body).expect("written");
    child.wait().expect("it ends").success()
}

/// An interpreter with the library, which is installed beside the binaries at first use.
fn python() -> &'static std::path::Path {
    static PYTHON: OnceLock<std::path::PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python-webhooks");
        let python = folder.join("bin/python");
        let has_it = || {
            let import = ["-c", "import standardwebhooks"];
            python.is_file()
                && Command::new(&python).args(import).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
        };
        if !has_it() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "standardwebhooks==1.1.0"]));
        }
        python
    })
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
