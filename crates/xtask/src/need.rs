//! What a command needs beside the Rust toolchain, and how it gets there.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;

/// The command that needs something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// `cargo xtask test`
    Test,
    /// `cargo xtask bench`
    Bench,
}

/// A program, the Debian packages that bring it, and who needs it.
struct Need {
    program: &'static str,
    packages: &'static [&'static str],
    commands: &'static [For],
    /// Nobody but root could use it.
    root_alone: bool,
}

const NEEDS: &[Need] = &[
    // SQLite and the cryptography are compiled from C.
    Need { program: "cc", packages: &["gcc", "libc6-dev"], commands: &[For::Test, For::Bench], root_alone: false },
    Need { program: "nginx", packages: &["nginx"], commands: &[For::Bench], root_alone: false },
    // The specification of webhooks has a library for Python, which the tests believe more than ours.
    // Power cuts: a file system of its own, shut down by a call that Python can make.
    Need { program: "python3", packages: &["python3", "python3-venv"], commands: &[For::Test], root_alone: false },
    Need { program: "mkfs.ext4", packages: &["e2fsprogs"], commands: &[For::Test], root_alone: true },
    Need { program: "prlimit", packages: &["util-linux"], commands: &[For::Test], root_alone: true },
];

/// Directories that hold servers and are often missing in the `PATH` of those who are not root.
const SERVERS: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Makes sure that everything is there: installs nothing where it is, else asks apt-get as root, else says what to install.
///
/// # Errors
/// When something is missing and cannot be installed here.
pub fn ensure(command: For) -> Result<()> {
    let root = rustix::process::geteuid().is_root();
    let needed = NEEDS.iter().filter(|need| need.commands.contains(&command) && (root || !need.root_alone));
    let missing: Vec<&Need> = needed.filter(|need| find(need.program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let programs = list(missing.iter().map(|need| need.program));
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    let install = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if find("apt-get").is_none() {
        return Err(format!("missing: {programs}. On Debian or Ubuntu: sudo {install}").into());
    }
    if !root {
        return Err(format!("missing: {programs}. Please run: sudo {install}").into());
    }
    println!("missing: {programs}; installing {}", packages.join(", "));
    install_as_root(&packages)?;
    match missing.iter().find(|need| find(need.program).is_none()) {
        None => Ok(()),
        Some(need) => Err(format!("{} is still missing after: {install}", need.program).into()),
    }
}

/// The full path of a program, as a shell would find it, or in the directories of servers.
#[must_use]
pub fn find(program: &str) -> Option<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(SERVERS.iter().copied()).filter(|directory| !directory.is_empty()).find_map(|directory| {
        let file = Path::new(directory).join(program);
        file.is_file().then(|| file.to_string_lossy().into_owned())
    })
}

fn install_as_root(packages: &[&str]) -> Result<()> {
    let _quiet = NoServices::new()?;
    apt(&["update"])?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend_from_slice(packages);
    apt(&install)
}

fn apt(arguments: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("apt-get {} failed: {status}", arguments.join(" ")).into()) }
}

/// While it lives, Debian starts no service of a package it installs: nobody asked for an open port.
/// (<https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt>)
struct NoServices(bool);

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl NoServices {
    fn new() -> Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        if Path::new(POLICY).exists() {
            return Ok(Self(false));
        }
        std::fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
        std::fs::set_permissions(POLICY, std::fs::Permissions::from_mode(0o755))?;
        Ok(Self(true))
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.0 {
            let _ = std::fs::remove_file(POLICY);
        }
    }
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_there_and_nothing_else() {
        assert!(find("sh").is_some_and(|path| path.starts_with('/')));
        assert_eq!(find("a-program-nobody-has"), None);
    }

    #[test]
    fn every_need_names_its_packages_and_commands() {
        for need in NEEDS {
            assert!(!need.packages.is_empty() && !need.commands.is_empty(), "{}", need.program);
        }
    }
}
