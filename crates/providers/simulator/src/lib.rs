//! The adapter of the simulated provider.
