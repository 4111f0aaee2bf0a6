//! Crashes, faults and power cuts against the real binary, judged by three books: what merchants were told, Switchyard's ledger,
//! the provider's. See `docs/reliability.md`.

#![expect(clippy::disallowed_methods, reason = "other processes are waited for, in real time")]

pub mod book;
pub mod chance;
pub mod judge;
pub mod ledger;
pub mod merchant;
pub mod ordeal;
pub mod power;
pub mod process;
pub mod town;
pub mod troubled;
pub mod wire;
