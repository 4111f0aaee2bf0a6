//! The ledger: what must not be lost.
