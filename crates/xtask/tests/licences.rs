//! Every dependency is under a licence we chose, from a source we chose, and none is banned.

use xtask::licences::Policy;
use xtask::workspace::Workspace;

#[test]
fn every_dependency_is_as_deny_toml_allows() {
    let workspace = Workspace::load().expect("cargo metadata");
    let policy = Policy::load(&workspace.root).expect("deny.toml");
    assert_eq!(policy.faults(&workspace.packages), Vec::<String>::new());
}
