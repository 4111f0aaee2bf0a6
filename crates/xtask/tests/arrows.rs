//! The arrows between our crates point one way: gateway -> engine -> {store, coordination, routing} -> core, and
//! gateway -> providers -> core. A new arrow is a decision of its own and shows here.

use std::collections::BTreeSet;
use std::path::Path;

use xtask::workspace::{Kind, Package, Workspace};

/// A crate's directory, those of ours it may be built on, and what its tests may use besides.
struct Place {
    directory: &'static str,
    on: &'static [&'static str],
    tests_on: &'static [&'static str],
    /// Crates of others that would break what the place promises.
    never: &'static [&'static str],
}

const JSON: &[&str] = &["serde", "serde_json"];
const HTTP: &[&str] = &["actix-web", "http", "hyper", "reqwest"];
const RUNTIME: &[&str] = &["tokio", "actix-rt"];
const DATABASES: &[&str] = &["rusqlite", "tokio-postgres", "redis"];

/// An adapter's own directory stands for every adapter.
const ADAPTER: &str = "crates/providers/*";

/// What the feature of the same name links, wherever there are points.
const CRASH_POINTS: &str = "crates/crash-points";

const PLACES: &[Place] = &[
    Place { directory: "crates/core", on: &[], tests_on: &[], never: &["tracing"] },
    Place { directory: "crates/routing", on: &["crates/core"], tests_on: &[], never: &["tracing"] },
    Place { directory: "crates/store", on: &["crates/core", CRASH_POINTS], tests_on: &[], never: &["redis"] },
    Place {
        directory: "crates/coordination",
        on: &["crates/core"],
        tests_on: &[],
        never: &["rusqlite", "tokio-postgres"],
    },
    Place {
        directory: "crates/engine",
        on: &["crates/core", "crates/store", "crates/routing", "crates/coordination", CRASH_POINTS],
        // It meets the simulated provider under faults.
        tests_on: &["crates/simulator", "crates/providers/simulator"],
        never: &[],
    },
    Place { directory: "crates/simulator", on: &[], tests_on: &[], never: &[] },
    Place { directory: "crates/providers/conformance", on: &["crates/core"], tests_on: &[], never: &["actix-web"] },
    Place {
        directory: ADAPTER,
        on: &["crates/core"],
        tests_on: &["crates/providers/conformance", "crates/simulator"],
        // Timeouts, logs and metrics sit around the transport, once.
        never: &["tracing", "prometheus"],
    },
    Place {
        directory: "crates/gateway",
        on: &[
            "crates/core",
            "crates/store",
            "crates/routing",
            "crates/coordination",
            "crates/engine",
            "crates/simulator",
            CRASH_POINTS,
            ADAPTER,
        ],
        tests_on: &[],
        never: &["reqwest"],
    },
    Place { directory: "crates/xtask", on: &[], tests_on: &[], never: &[] },
    Place { directory: "tests", on: &[], tests_on: &[], never: &[] },
    // Linked into the binary by the feature `crash-points` alone.
    Place { directory: CRASH_POINTS, on: &[], tests_on: &[], never: &[] },
    // Beside the binary it reads the ledger's file, and knows the names of the crash points.
    Place {
        directory: "torture",
        on: &["crates/core", "crates/store", CRASH_POINTS],
        tests_on: &[],
        never: &["rusqlite", "hyper"],
    },
];

/// Places that promise to stay free of whole families of crates.
fn families(directory: &str) -> Vec<&'static [&'static str]> {
    match directory {
        "crates/core" => vec![JSON, HTTP, RUNTIME, DATABASES],
        "crates/routing" => vec![HTTP, RUNTIME, DATABASES],
        // Of tokio it may have what waits, not what runs: see `the_engine_starts_nothing_itself`.
        "crates/engine" => vec![JSON, HTTP, DATABASES],
        "crates/store" => vec![HTTP],
        ADAPTER => vec![HTTP, RUNTIME, DATABASES],
        _ => vec![],
    }
}

fn directory(workspace: &Workspace, path: &Path) -> String {
    path.strip_prefix(&workspace.root).unwrap_or(path).to_string_lossy().into_owned()
}

fn place(directory: &str) -> Option<&'static Place> {
    let exact = PLACES.iter().find(|place| place.directory == directory);
    exact.or_else(|| {
        PLACES.iter().find(|place| place.directory == ADAPTER && directory.starts_with("crates/providers/"))
    })
}

fn allowed(place: &Place, tests: bool, other: &str) -> bool {
    let adapter = other.starts_with("crates/providers/") && other != "crates/providers/conformance";
    let in_list = |list: &[&str]| list.contains(&other) || (adapter && list.contains(&ADAPTER));
    in_list(place.on) || (tests && in_list(place.tests_on))
}

fn each(mut check: impl FnMut(&Workspace, &Package, &str, &'static Place)) {
    let workspace = Workspace::load().expect("cargo metadata");
    for package in workspace.ours() {
        let own = directory(&workspace, package.manifest_path.parent().expect("a manifest has a directory"));
        let place = place(&own).unwrap_or_else(|| panic!("{own} is new: say in PLACES where it stands"));
        check(&workspace, package, &own, place);
    }
}

#[test]
fn arrows_between_our_crates_point_one_way() {
    let mut faults = Vec::new();
    each(|workspace, package, own, place| {
        for dependency in &package.dependencies {
            let Some(path) = &dependency.path else { continue };
            let other = directory(workspace, path);
            // Tests may ask the crate itself for a feature.
            let tests = dependency.kind == Some(Kind::Dev);
            let itself = tests && own == other;
            if !itself && !allowed(place, tests, &other) {
                faults.push(format!("{own} -> {other}"));
            }
        }
    });
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn no_crate_declares_what_it_promises_to_do_without() {
    let mut faults = Vec::new();
    each(|_, package, own, place| {
        let mut never: BTreeSet<&str> = place.never.iter().copied().collect();
        never.extend(families(place.directory).into_iter().flatten());
        let declared = package.dependencies.iter().filter(|dependency| dependency.kind != Some(Kind::Dev));
        for dependency in declared.filter(|dependency| never.contains(dependency.name.as_str())) {
            faults.push(format!("{own} -> {}", dependency.name));
        }
    });
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn no_adapter_links_the_store_the_engine_or_a_server() {
    let mut faults = Vec::new();
    each(|workspace, package, own, place| {
        if place.directory != ADAPTER {
            return;
        }
        let linked = workspace.linked_into(package);
        for name in ["actix-web", "rusqlite", "tokio", "hyper", "switchyard-store", "switchyard-engine"] {
            if linked.contains(name) {
                faults.push(format!("{own} links {name}"));
            }
        }
    });
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn no_binary_has_crash_points_unless_it_is_asked_for() {
    let workspace = Workspace::load().expect("cargo metadata");
    for package in workspace.defaults() {
        assert!(!workspace.linked_into(package).contains("switchyard-crash-points"), "{}", package.name);
    }
}

#[test]
fn plain_cargo_run_starts_the_gateway() {
    let workspace = Workspace::load().expect("cargo metadata");
    let names: Vec<&str> = workspace.defaults().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["switchyard"]);
}
