//! The workspace as `cargo metadata` tells it, for the platform it is built on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::Result;

/// The part of `cargo metadata --format-version 1` that is used here.
#[derive(Debug, Deserialize)]
pub struct Workspace {
    /// The directory of the workspace's `Cargo.toml`.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    /// Where Cargo puts what it builds.
    #[serde(rename = "target_directory")]
    pub target: PathBuf,
    /// Ours and those we depend on, for this platform.
    pub packages: Vec<Package>,
    #[serde(rename = "workspace_members")]
    members: BTreeSet<String>,
    #[serde(rename = "workspace_default_members")]
    defaults: BTreeSet<String>,
    resolve: Resolve,
}

/// A package, ours or another's.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// Cargo's own name for one version from one source.
    pub id: String,
    /// As in `Cargo.toml`.
    pub name: String,
    /// As in `Cargo.toml`.
    pub version: String,
    /// The SPDX expression, `None` where the package states none.
    pub license: Option<String>,
    /// `registry+https://...`, `git+https://...`, or `None` for a path.
    pub source: Option<String>,
    /// `Cargo.toml` of the package.
    pub manifest_path: PathBuf,
    /// As declared, whether or not this platform needs them.
    pub dependencies: Vec<Dependency>,
}

/// A dependency as declared.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    /// The package's name, also where it is renamed.
    pub name: String,
    /// `None` is a normal one.
    pub kind: Option<Kind>,
    /// Where it is a path: its directory.
    pub path: Option<PathBuf>,
}

/// What a dependency that is not a normal one is for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// For tests, examples and benchmarks.
    Dev,
    /// For `build.rs`.
    Build,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
struct EdgeKind {
    kind: Option<Kind>,
}

impl Workspace {
    /// Asks Cargo, first without the network.
    ///
    /// # Errors
    /// When Cargo cannot answer: a broken manifest, or dependencies that cannot be fetched.
    pub fn load() -> Result<Self> {
        let host = host()?;
        match Self::ask(&host, &["--offline"]) {
            Ok(workspace) => Ok(workspace),
            // On a new machine nothing is there yet: the same question again, with the network.
            Err(_) => Self::ask(&host, &[]),
        }
    }

    fn ask(host: &str, more: &[&str]) -> Result<Self> {
        let asked = Command::new(cargo())
            .args(["metadata", "--format-version", "1", "--filter-platform", host])
            .args(more)
            .arg("--manifest-path")
            .arg(manifest())
            .output()?;
        if !asked.status.success() {
            return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&asked.stderr).trim()).into());
        }
        Ok(serde_json::from_slice(&asked.stdout)?)
    }

    /// Our own packages.
    pub fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.members.contains(&package.id))
    }

    /// The packages that plain `cargo build` and `cargo run` mean.
    pub fn defaults(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.defaults.contains(&package.id))
    }

    /// Names of all packages that are linked into `package`: its normal dependencies, theirs, and so on.
    #[must_use]
    pub fn linked_into(&self, package: &Package) -> BTreeSet<&str> {
        let nodes: BTreeMap<&str, &Node> = self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let names: BTreeMap<&str, &str> = self.packages.iter().map(|p| (p.id.as_str(), p.name.as_str())).collect();
        let mut found = BTreeSet::new();
        let mut open = vec![package.id.as_str()];
        while let Some(id) = open.pop() {
            for edge in nodes.get(id).into_iter().flat_map(|node| &node.deps) {
                let normal = edge.dep_kinds.iter().any(|edge| edge.kind.is_none());
                if normal && found.insert(edge.pkg.as_str()) {
                    open.push(&edge.pkg);
                }
            }
        }
        found.into_iter().filter_map(|id| names.get(id).copied()).collect()
    }

    /// A command of this toolchain's Cargo, started in the workspace's root.
    #[must_use]
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.root);
        command
    }
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

fn manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml")
}

/// The platform's name, such as `x86_64-unknown-linux-gnu`.
fn host() -> Result<String> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let told = Command::new(rustc).arg("-vV").output()?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc -vV names no host")?.to_owned())
}
