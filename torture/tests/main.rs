//! Whatever dies, whenever: no money moves wrongly. Short forms, each of a fixed seed; `cargo xtask torture` runs the long one.

mod crashes;
mod faults;
mod home;
mod planted;
mod power;

/// The seed of all choices: `SWITCHYARD_SEED`, else always the same.
fn seed() -> u64 {
    let seed = std::env::var("SWITCHYARD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("SWITCHYARD_SEED={seed}");
    seed
}
