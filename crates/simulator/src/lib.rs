//! A simulated payment provider: an HTTP server with a ledger of its own.
//!
//! It stands where a real provider would: in the sandbox, in benchmarks, and in crash tests, where its ledger is the judge of
//! what happened to the money. It knows nothing of the gateway. Its contract is `docs/simulator.md`.
//!
//! ```no_run
//! # async fn example() -> Result<(), switchyard_simulator::StartError> {
//! let running = switchyard_simulator::start(switchyard_simulator::Settings::default()).await?;
//! println!("listening on {}", running.address);
//! running.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! A request takes one road: `api` reads it with `request`, `token` says what shall happen, `ledger` books it in its one
//! writing thread by the rules in `charge` and `operation`, `view` shows the result, and `answer` sends it, or spoils it on purpose.

mod account;
mod answer;
mod api;
mod charge;
mod clock;
mod control;
mod decline;
mod error;
mod fault;
mod id;
mod judge;
mod ledger;
mod limits;
mod look_up;
mod operation;
mod pages;
mod request;
mod server;
mod settings;
mod token;
mod view;
mod words;

pub use server::{Running, StartError, start};
pub use settings::{Durability, Settings};
