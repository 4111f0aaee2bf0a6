//! What a payment costs in the embedded ledger: two commits each, in groups of 64, with an answer of 1.1 KB.
//!
//! `cargo run --release --package switchyard-store --features suite --example ledger -- [payments] [directory]`
//!
//! Prints payments per second, CPU per payment (of the writer, and of all threads but the one that makes payments up), and
//! bytes on disk per payment. CPU times are read from `/proc`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures, and nothing depends on it"
)]

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use switchyard_core::payment::{CardFacts, News, Source};
use switchyard_core::settle::{self, Report};
use switchyard_store::sqlite::Settings;
use switchyard_store::suite::sample::Sample;
use switchyard_store::{Answer, Begin, Begun, Claim, Conclude, Sqlite, Store as _, Written};

const GROUP: usize = 64;
const ROUND: usize = 20_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let payments: usize = arguments.next().map_or(100_000, |text| text.parse().unwrap());
    let directory = arguments.next().unwrap_or_else(|| "target/ledger-example".into());
    let _ = std::fs::remove_dir_all(&directory);
    let path = std::path::Path::new(&directory).join("switchyard.db");
    let settings = Settings::new(&path, Arc::new(|reason: &str| panic!("{reason}")));
    let store = Sqlite::open(&settings).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();

    let mut sample = Sample::new();
    let mut seed = 1_u64;
    let (mut made, mut bytes_before) = (0, 0);
    println!(
        "{:>9} {:>9} {:>12} {:>12} {:>9} {:>9}",
        "payments", "a second", "writer us", "ledger us", "bytes", "commit us"
    );
    while made < payments {
        let begins: Vec<Begin> = (0..ROUND).map(|_| begin(&mut sample, &mut seed)).collect();
        let (writer, all) = (cpu("ledger-writer"), cpu("ledger-"));
        let commits = store.stats().groups.load(Ordering::Relaxed);
        let waited = store.stats().commit_nanoseconds.load(Ordering::Relaxed);
        let start = Instant::now();
        runtime.block_on(async {
            for group in begins.chunks(GROUP) {
                let conclusions: Vec<Conclude> = group.iter().map(|begin| conclude(&mut sample, begin)).collect();
                let begun = group.iter().map(|begin| store.begin(begin.clone()));
                for begun in futures_util::future::join_all(begun).await {
                    assert!(matches!(begun, Ok(Begun::Done)), "{begun:?}");
                }
                let written = conclusions.into_iter().map(|conclude| store.conclude(conclude));
                for written in futures_util::future::join_all(written).await {
                    assert_eq!(written, Ok(Written::Done));
                }
            }
        });
        let seconds = start.elapsed().as_secs_f64();
        made += ROUND;
        let commits = store.stats().groups.load(Ordering::Relaxed) - commits;
        let waited = store.stats().commit_nanoseconds.load(Ordering::Relaxed) - waited;
        let bytes = std::fs::metadata(&path).unwrap().len();
        let each = |nanoseconds: u64| nanoseconds as f64 / 1_000.0 / ROUND as f64;
        println!(
            "{made:>9} {:>9.0} {:>12.1} {:>12.1} {:>9} {:>9.0}",
            ROUND as f64 / seconds,
            each(cpu("ledger-writer") - writer),
            each(cpu("ledger-") - all),
            (bytes - bytes_before) / ROUND as u64,
            waited as f64 / 1_000.0 / commits as f64,
        );
        bytes_before = bytes;
    }
    store.close();
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("{} bytes a payment, all told", bytes / made as u64);
    tables(&path, made);
}

fn begin(sample: &mut Sample, seed: &mut u64) -> Begin {
    let mut begin = sample.begin();
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    let key = u128::from(*seed) << 64 | u128::from(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    begin.claim = Some(Claim { key: key.to_be_bytes(), request: (!key).to_be_bytes(), form: 0 });
    begin
}

fn conclude(sample: &mut Sample, begin: &Begin) -> Conclude {
    let (mut payment, mut operation) = (begin.payment.clone(), begin.operation.clone());
    (payment.version, operation.version) = (1, 1);
    let report = Report {
        provider_reference: Some(format!("ch_{}", &operation.id.to_string()[20..])),
        card: Some(CardFacts { brand: Some("visa".into()), last4: Some("4242".into()) }),
        ..Report::bare(News::Approved(payment.amount))
    };
    let moved = settle::settle(payment, operation, &report, Source::Answer, sample.now);
    let mut operation = moved.operation;
    operation.next_look_up_at = None;
    let answer = Some(Answer { status: 201, body: Bytes::from(vec![b'x'; 1_100]) });
    Conclude { payment: moved.payment, operation, events: moved.events, answer }
}

/// Nanoseconds of CPU that the threads whose names start so have used.
fn cpu(name: &str) -> u64 {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap().path();
        if std::fs::read_to_string(task.join("comm")).unwrap().starts_with(name) {
            let text = std::fs::read_to_string(task.join("schedstat")).unwrap();
            sum += text.split(' ').next().unwrap().parse::<u64>().unwrap();
        }
    }
    sum
}

/// How the bytes are spread.
fn tables(path: &std::path::Path, payments: usize) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT name, sum(pgsize), sum(payload) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 8";
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let name: String = row.get(0).unwrap();
        let each = |column: usize| row.get::<_, i64>(column).unwrap() / payments as i64;
        println!("{name:>20} {:>6} bytes a payment, {:>6} of them payload", each(1), each(2));
    }
}
