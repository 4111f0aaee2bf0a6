//! The commands that a page may hold.

use super::compare::steady;
use serde_json::Value;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use switchyard_tests::process::binary;
use switchyard_tests::{Client, Options, Sandbox, until};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// A folder, and the gateway that is perhaps running in it.
pub struct Shell {
    folder: Arc<TempDir>,
    sandbox: Option<Sandbox>,
}

impl Shell {
    pub fn new() -> Self {
        Self { folder: Arc::new(TempDir::new().expect("a temporary folder")), sandbox: None }
    }

    /// Writes or adds to a file; a gateway that is running has taken it when this returns.
    pub fn write(&self, path: &str, text: &str, append: bool) {
        let file = self.folder.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        let before =
            if append { std::fs::read_to_string(&file).expect("a file to add to") + "\n" } else { String::new() };
        let reloads = self.reloads();
        std::fs::write(&file, before + text).expect("a file");
        if self.sandbox.is_some() {
            until(PATIENCE, || self.reloads(), |now| *now != reloads);
        }
    }

    fn reloads(&self) -> Option<String> {
        let ops = Client { address: self.sandbox.as_ref()?.ops.clone(), authorization: None };
        let metrics = ops.get("/metrics").expect(200).text();
        Some(metrics.lines().filter(|line| line.starts_with("switchyard_reloads_total")).collect())
    }

    /// Runs a command: whether it succeeded, and what it printed.
    pub fn run(&mut self, command: &str) -> (bool, String) {
        let mut words = words(command);
        let filter = words.iter().position(|word| word == "|").map(|at| words.split_off(at));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match (words.as_slice(), filter) {
            (["switchyard", "sandbox", "&"], None) => {
                self.sandbox = None;
                // It finds ./config by itself, as the reader's does.
                self.sandbox = Some(Sandbox::start_on(Arc::clone(&self.folder), Options::default()));
                (true, String::new())
            }
            (["switchyard", arguments @ ..], None) => self.switchyard(arguments),
            (["curl", "-s", arguments @ ..], filter) => {
                let answer = self.curl(arguments);
                let picked = match filter.as_deref() {
                    Some([pipe, jq, sorted, path]) if [pipe, jq, sorted].map(String::as_str) == ["|", "jq", "-S"] => {
                        pick(&answer, path)
                    }
                    Some(other) => panic!("{other:?} is not known; `| jq -S FILTER` is"),
                    None => answer,
                };
                (true, steady(&format!("{picked:#}\n")))
            }
            (other, _) => panic!("{other:?} is neither `switchyard` nor `curl -s`"),
        }
    }

    fn switchyard(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        if self.sandbox.is_some() {
            command.arg("--data").arg(self.folder.path());
        }
        let output = command.output().expect("it runs");
        self.wait_for_overrides();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), steady(&String::from_utf8_lossy(&said)))
    }

    /// Overrides are taken a moment later.
    fn wait_for_overrides(&self) {
        let Some(sandbox) = &self.sandbox else { return };
        let ask = || sandbox.ops_client().get("/ops/channels").expect(200).json();
        until(PATIENCE, ask, |answer| {
            let channels = answer["channels"].as_array().expect("channels");
            channels.iter().all(|channel| {
                let wanted = channel["override"]["status"].as_str().unwrap_or("up");
                channel["status"]["test"] == wanted
            })
        });
    }

    fn curl(&self, arguments: &[&str]) -> Value {
        let sandbox = self.sandbox.as_ref().expect("`switchyard sandbox &` comes first");
        let (mut url, mut headers, mut body) = (None, Vec::new(), None);
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match *argument {
                "-H" => headers.push(rest.next().and_then(|header| header.split_once(": ")).expect("a header")),
                "-d" => body = Some(*rest.next().expect("a body")),
                other if url.is_none() && !other.starts_with('-') => url = Some(other),
                other => panic!("`curl {other}` is not known"),
            }
        }
        let url = url.expect("an address").trim_start_matches("http://");
        let (host, path) = url.split_at(url.find('/').expect("a path"));
        let address = match host {
            "127.0.0.1:8080" => &sandbox.api,
            "127.0.0.1:9464" => &sandbox.ops,
            other => panic!("nobody listens on {other}"),
        };
        let client = Client { address: address.clone(), authorization: None };
        let method = if body.is_some() { "POST" } else { "GET" };
        client.send(method, path, &headers, body.unwrap_or_default().as_bytes()).json()
    }
}

/// What `jq` would: `.a.b`, or `{a, b}`.
fn pick(answer: &Value, filter: &str) -> Value {
    let member =
        |value: &Value, name: &str| value.get(name).unwrap_or_else(|| panic!("no {name} in {value:#}")).clone();
    if let Some(names) = filter.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return names.split(',').map(str::trim).map(|name| (name.to_owned(), member(answer, name))).collect();
    }
    let path = filter.strip_prefix('.').expect("`.a.b` or `{a, b}`");
    path.split('.').filter(|name| !name.is_empty()).fold(answer.clone(), |value, name| member(&value, name))
}

/// Splits a command as a shell does, as far as pages need it.
pub fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            (end, Some(open)) if end == open => quote = None,
            (_, Some(_)) => word.get_or_insert_default().push(character),
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            ('\\', None) => assert_eq!(characters.next(), Some('\n'), "a backslash ends a line"),
            (' ' | '\n', None) => words.extend(word.take()),
            (_, None) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}
