//! `cargo xtask licences`: what `cargo deny check licenses bans sources` would say, from the same `deny.toml`, without
//! the network and without anything installed. It reads the part of that file's format that ours uses and refuses the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::Result;
use crate::spdx;
use crate::workspace::{Package, Workspace};

/// `deny.toml`, see <https://embarkstudios.github.io/cargo-deny/checks/cfg.html>, read 2026-11-22.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(rename = "graph")]
    _graph: toml::Table,
    licenses: Licenses,
    bans: Bans,
    #[serde(rename = "sources")]
    _sources: Sources,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Licenses {
    allow: BTreeSet<String>,
    #[serde(rename = "confidence-threshold")]
    _confidence: f64,
    #[serde(rename = "unused-allowed-license")]
    _unused: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bans {
    #[serde(rename = "multiple-versions")]
    _multiple: String,
    #[serde(rename = "wildcards")]
    _wildcards: String,
    #[serde(rename = "allow-wildcard-paths")]
    _paths: bool,
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
    /// One version is welcome, two are not.
    #[serde(default)]
    deny_multiple_versions: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sources {
    #[serde(rename = "unknown-registry")]
    _registry: String,
    #[serde(rename = "unknown-git")]
    _git: String,
}

impl Policy {
    /// Reads `deny.toml` of the workspace.
    ///
    /// # Errors
    /// When it is missing, or says what is not understood here.
    pub fn load(root: &Path) -> Result<Self> {
        let path = root.join("deny.toml");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?)
    }

    /// Everything that is against the policy, a sentence each.
    #[must_use]
    pub fn faults(&self, packages: &[Package]) -> Vec<String> {
        let mut faults: Vec<String> = Vec::new();
        for package in packages {
            faults.extend(self.licence_fault(package));
            faults.extend(source_fault(package));
        }
        faults.extend(registry_fault(packages));
        faults.extend(self.ban_faults(packages));
        faults
    }

    fn licence_fault(&self, package: &Package) -> Option<String> {
        let Package { name, version, license, .. } = package;
        let Some(license) = license else {
            return Some(format!("{name} {version} states no licence expression"));
        };
        match spdx::satisfied(license, &|licence| self.licenses.allow.contains(licence)) {
            Ok(true) => None,
            Ok(false) => Some(format!("{name} {version} is under `{license}`, which deny.toml does not allow")),
            Err(error) => Some(format!("{name} {version} states `{license}`: {error}")),
        }
    }

    fn ban_faults(&self, packages: &[Package]) -> Vec<String> {
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for package in packages {
            versions.entry(&package.name).or_default().insert(&package.version);
        }
        let fault = |ban: &Ban| {
            let found = versions.get(ban.name.as_str())?;
            let found: Vec<&str> = found.iter().copied().collect();
            if ban.deny_multiple_versions && found.len() < 2 {
                return None;
            }
            let what = if ban.deny_multiple_versions { "stands there twice" } else { "is banned" };
            Some(format!("{} ({}) {what}: {}", ban.name, found.join(", "), ban.reason))
        };
        self.bans.deny.iter().filter_map(fault).collect()
    }
}

/// Checks every package this platform's build can use.
///
/// # Errors
/// When one is against the policy; all are named.
pub fn run(workspace: &Workspace) -> Result<()> {
    let faults = Policy::load(&workspace.root)?.faults(&workspace.packages);
    for fault in &faults {
        println!("{fault}");
    }
    if !faults.is_empty() {
        return Err(format!("{} faults against deny.toml", faults.len()).into());
    }
    println!("{} packages: licences, bans and sources as deny.toml allows", workspace.packages.len());
    Ok(())
}

/// What is not ours comes from a registry.
fn source_fault(package: &Package) -> Option<String> {
    let source = package.source.as_deref()?;
    let allowed = source.starts_with(REGISTRY);
    (!allowed).then(|| format!("{} {} comes from {source}", package.name, package.version))
}

/// All of it comes from the same one: Cargo's default, since nothing here names another.
fn registry_fault(packages: &[Package]) -> Option<String> {
    let sources = packages.iter().filter_map(|package| package.source.as_deref());
    let registries: BTreeSet<&str> = sources.filter(|source| source.starts_with(REGISTRY)).collect();
    (registries.len() > 1).then(|| format!("packages come from {} registries", registries.len()))
}

const REGISTRY: &str = "registry+";

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, license: Option<&str>, source: &str) -> Package {
        Package {
            id: format!("{name} {version}"),
            name: name.into(),
            version: version.into(),
            license: license.map(Into::into),
            source: Some(source.into()),
            manifest_path: "Cargo.toml".into(),
            dependencies: Vec::new(),
        }
    }

    const HOME: &str = "registry+https://registry.example/index";

    fn faults(packages: &[Package]) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Policy::load(&root).expect("deny.toml").faults(packages)
    }

    #[test]
    fn a_free_crate_from_the_registry_is_welcome() {
        assert_eq!(faults(&[package("good", "1.0.0", Some("MIT OR GPL-3.0-only"), HOME)]), Vec::<String>::new());
    }

    #[test]
    fn copyleft_unknown_and_unstated_licences_are_refused() {
        for license in
            [Some("GPL-3.0-only"), Some("AGPL-3.0-or-later"), Some("MIT AND LGPL-2.1"), Some("Mine-1.0"), None]
        {
            assert_eq!(faults(&[package("bad", "1.0.0", license, HOME)]).len(), 1, "{license:?}");
        }
    }

    #[test]
    fn other_sources_are_refused() {
        assert_eq!(faults(&[package("odd", "1.0.0", Some("MIT"), "git+https://git.example/odd")]).len(), 1);
        let elsewhere = package("odd", "1.0.0", Some("MIT"), "registry+https://elsewhere.example/index");
        assert_eq!(faults(&[package("good", "1.0.0", Some("MIT"), HOME), elsewhere]).len(), 1);
    }

    #[test]
    fn banned_crates_and_second_versions_are_refused() {
        assert_eq!(faults(&[package("openssl", "0.10.0", Some("Apache-2.0"), HOME)]).len(), 1);
        let tokio = |version| package("tokio", version, Some("MIT"), HOME);
        assert_eq!(faults(&[tokio("1.54.1")]).len(), 0);
        assert_eq!(faults(&[tokio("1.54.1"), tokio("2.0.0")]).len(), 1);
    }
}
