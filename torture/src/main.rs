//! The long form: one ordeal after the other, each of the next seed, until the time is over.

use clap::{Parser, ValueEnum};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use switchyard_torture::ordeal::{self, Figures};

/// Kills, faults and power cuts, judged by three books.
#[derive(Parser)]
struct Arguments {
    /// Stops after the ordeal that is under way then.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// The first seed; each round takes the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Payments of a round behind the troubled line.
    #[arg(long, default_value_t = 10_000)]
    payments: u64,
    /// One ordeal once, by its name, with so many kills, times, faulted calls or cuts.
    #[arg(long, requires = "amount")]
    only: Option<Only>,
    /// See `only`.
    #[arg(long)]
    amount: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Only {
    Kills,
    Points,
    Faults,
    Power,
}

impl Only {
    fn run(self, seed: u64, amount: u64) -> Figures {
        match self {
            Self::Kills => ordeal::kills(seed, amount),
            Self::Points => ordeal::points(seed, amount),
            Self::Faults => ordeal::faults(seed, amount, 48, u64::MAX),
            Self::Power => cut(seed, amount),
        }
    }
}

fn main() -> ExitCode {
    let Arguments { minutes, seed, payments, only, amount } = Arguments::parse();
    if let (Some(only), Some(amount)) = (only, amount) {
        println!("{}", only.run(seed, amount));
        return ExitCode::SUCCESS;
    }
    #[expect(clippy::disallowed_methods, reason = "it stops in real time")]
    let start = Instant::now();
    let mut sum = Figures::default();
    let ordeals: [fn(u64, u64) -> Figures; 4] = [
        |seed, _| ordeal::kills(seed, 60),
        |seed, _| ordeal::points(seed, 2),
        |seed, payments| ordeal::faults(seed, 0, 64, payments),
        |seed, _| cut(seed, 25),
    ];
    for seed in seed.. {
        for ordeal in ordeals {
            if start.elapsed() >= Duration::from_secs(minutes * 60) {
                println!("all right after {} s: {sum}", start.elapsed().as_secs());
                return ExitCode::SUCCESS;
            }
            sum += ordeal(seed, payments);
            println!("{} s, seed {seed}: {sum}", start.elapsed().as_secs());
        }
    }
    ExitCode::SUCCESS
}

fn cut(seed: u64, cuts: u64) -> Figures {
    ordeal::power_cuts(seed, cuts).unwrap_or_else(|reason| {
        println!("SKIPPED: power cuts: {reason}");
        Figures::default()
    })
}
