//! Drives the simulator over HTTP, as its callers do.

#[cfg(test)]
mod charges;
#[cfg(test)]
mod client;
#[cfg(test)]
mod control;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod pages;
