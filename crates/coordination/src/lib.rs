//! What instances share and may lose: the health of channels, rate-limit tokens, wake-ups.
//!
//! Nothing here costs money when it is lost, only milliseconds: a coordination that has just started takes every channel
//! for up, every rate limit for unused, and has nobody to wake. Whatever must not be lost is in the ledger, operator
//! overrides and maintenance windows among it; the engine lays them over the [`Status`] told here.
//!
//! Every call answers at once from what this instance knows. Sharing with other instances happens beside it, in batches:
//! the window is made of counters, which add up.

mod channel;
mod coordination;
mod elapsed;
pub mod forgetful;
mod health;
mod in_process;
mod limit;
mod settings;
mod share;
pub mod suite;
mod wake;
mod window;

pub use coordination::Coordination;
pub use health::{Ailment, Change, Health, Level, Noted, ProbeEnd, Reading, Status};
pub use in_process::InProcess;
pub use limit::{Limit, Taken};
pub use settings::{HealthPolicy, HealthSettings, SettingsFault};
pub use share::in_share;
pub use wake::{Wake, Wakes};
pub use window::Counts;
