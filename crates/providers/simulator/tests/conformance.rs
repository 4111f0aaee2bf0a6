//! The suite that every adapter passes, on answers written from `docs/simulator.md`.

mod example;

fn main() {
    switchyard_conformance::run(example::simulator())
}
