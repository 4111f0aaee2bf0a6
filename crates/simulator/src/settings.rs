//! How a simulator is started.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How a simulator is started. The default is one for tests: any free port, a ledger in memory.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port 0 takes a free one; [`Running::address`](crate::Running::address) tells which.
    pub listen: SocketAddr,
    /// The ledger's file, made if it is not there; `:memory:` keeps none.
    pub data: PathBuf,
    /// Where payers' browsers reach this server, without a slash at the end. `None` is `http://` and the address it listens on.
    pub public_url: Option<String>,
    /// Threads that serve HTTP; the ledger has one more of its own.
    pub workers: usize,
    /// What the ledger survives.
    pub durability: Durability,
    /// How long `tok_pending` and its like stay pending. Control can change it.
    pub pending: Duration,
    /// How late `tok_slow` answers. Control can change it.
    pub slow: Duration,
}

/// What the ledger survives. The death of the process at any moment it always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A loss of power as well: each commit waits for the disk.
    Durable,
    /// The death of the process only.
    Fast,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: PathBuf::from(":memory:"),
            public_url: None,
            workers: 2,
            durability: Durability::Fast,
            pending: Duration::from_secs(3),
            slow: Duration::from_secs(2),
        }
    }
}
