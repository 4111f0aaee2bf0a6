//! Windows, thresholds and the way back.

use super::{Bench, Case, FAULT, GOOD, Make, SLOW, STALLED, changed, name, payment};
use crate::{Health, HealthSettings, Level, Noted, Status};
use std::time::Duration;
use switchyard_core::{Mode, Timestamp};

pub(super) const CASES: &[Case] = &[
    Case { name: "a channel of which nothing is known is up", run: unknown },
    Case { name: "fewer outcomes than the smallest sample change nothing", run: sample },
    Case { name: "faults degrade a channel, more take it down, each told once", run: faults },
    Case { name: "declines and errors of the caller never count", run: declines },
    Case { name: "latency degrades a channel, and takes it down", run: latency },
    Case { name: "channels and modes are apart", run: apart },
    Case { name: "faults slide out of the window", run: slides },
    Case { name: "a degraded channel is up after the dwell and at the lower threshold, not before", run: way_back },
    Case { name: "the window can be read", run: reading },
    Case { name: "a clock set back keeps what is known, and time goes on from there", run: set_back },
    Case { name: "clocks at their ends break nothing", run: extremes },
];

fn unknown(make: Make) {
    let bench = Bench::new(make);
    assert_eq!(bench.health(), Health::Up);
    let nobody = name("nobody");
    for _ in 0..50 {
        assert_eq!(bench.coordination.note(&nobody, Mode::Live, bench.now, FAULT), None);
    }
    assert_eq!(bench.coordination.health(&nobody, Mode::Live, bench.now), Health::Up);
    assert_eq!(bench.coordination.reading(&nobody, Mode::Live, bench.now), None);
    assert_eq!(bench.coordination.status_for(&nobody, Mode::Live, bench.now, payment(1)), Status::Up);
    assert!(!bench.coordination.probe_started(&nobody, Mode::Live, bench.now, payment(1)));
}

fn sample(make: Make) {
    let bench = Bench::new(make);
    for _ in 0..19 {
        assert_eq!(bench.note(FAULT), None);
        assert_eq!(bench.health(), Health::Up);
    }
    assert_eq!(bench.note(FAULT), changed(Level::Up, Level::Down));
}

fn faults(make: Make) {
    let bench = Bench::new(make);
    bench.notes(17, GOOD);
    bench.notes(2, FAULT);
    assert_eq!(bench.note(FAULT), changed(Level::Up, Level::Degraded));
    assert_eq!(bench.health(), Health::Degraded);
    bench.notes(13, FAULT);
    assert_eq!(bench.health(), Health::Degraded); // 16 of 33
    assert_eq!(bench.note(FAULT), changed(Level::Degraded, Level::Down)); // 17 of 34
    assert_eq!(bench.note(FAULT), None);
    assert_eq!(bench.health(), Health::Down);
    bench.notes(1_000, GOOD);
    assert_eq!(bench.health(), Health::Down, "only probes bring it back");
}

fn declines(make: Make) {
    let mut bench = Bench::new(make);
    for _ in 0..500 {
        assert_eq!(bench.note(Noted { fault: false, latency: Duration::from_secs(1) }), None);
        bench.pass(Duration::from_millis(700));
    }
    assert_eq!(bench.health(), Health::Up);
}

fn latency(make: Make) {
    let bench = Bench::new(make);
    bench.notes(14, GOOD);
    bench.notes(5, SLOW);
    assert_eq!(bench.note(SLOW), changed(Level::Up, Level::Degraded));
    bench.notes(200, SLOW);
    assert_eq!(bench.health(), Health::Degraded, "slow is never down");
    let bench = Bench::new(make);
    bench.notes(10, GOOD);
    bench.notes(9, STALLED);
    assert_eq!(bench.note(STALLED), changed(Level::Up, Level::Down));
    let bench = Bench::new(make);
    bench.notes(100, Noted { fault: false, latency: HealthSettings::default().slow_after });
    assert_eq!(bench.health(), Health::Up, "at the bound is not past it");
}

fn apart(make: Make) {
    let bench = Bench::new(make);
    bench.notes(20, FAULT);
    assert_eq!(bench.level(), Level::Down);
    assert_eq!(bench.coordination.health(&bench.channel, Mode::Test, bench.now), Health::Up);
    assert_eq!(bench.coordination.health(&bench.other, Mode::Live, bench.now), Health::Up);
}

fn slides(make: Make) {
    let mut bench = Bench::new(make);
    bench.notes(19, FAULT);
    bench.pass(HealthSettings::default().window);
    assert_eq!(bench.note(FAULT), None);
    bench.notes(19, GOOD);
    assert_eq!(bench.health(), Health::Up);
}

fn way_back(make: Make) {
    let mut bench = Bench::new(make);
    bench.notes(17, GOOD);
    bench.notes(3, FAULT);
    assert_eq!(bench.health(), Health::Degraded);
    bench.notes(100, GOOD); // 3 of 120
    assert_eq!(bench.health(), Health::Degraded, "the dwell is not over");
    bench.notes(4, FAULT); // 7 of 124
    bench.pass(HealthSettings::default().dwell);
    assert_eq!(bench.note(GOOD), None, "below the upper threshold, but not at the lower");
    bench.notes(14, GOOD); // 7 of 139
    assert_eq!(bench.note(GOOD), changed(Level::Degraded, Level::Up));
    assert_eq!(bench.health(), Health::Up);
}

fn reading(make: Make) {
    let mut bench = Bench::new(make);
    bench.notes(5, GOOD);
    bench.notes(4, FAULT);
    bench.notes(3, SLOW);
    bench.notes(2, STALLED);
    let read = |bench: &Bench| bench.coordination.reading(&bench.channel, Mode::Live, bench.now);
    let counts = read(&bench).map(|reading| reading.window);
    assert_eq!(counts.map(|it| (it.sample, it.faults, it.slow, it.stalled)), Some((14, 4, 5, 2)));
    bench.notes(20, FAULT);
    bench.pass(Duration::from_secs(10));
    let down = read(&bench).map(|it| (it.health, it.level_for, it.good, it.good_needed, it.cooling));
    let (ten, twenty) = (Duration::from_secs(10), Duration::from_secs(20));
    assert_eq!(down, Some((Health::Down, ten, 0, 3, twenty)));
}

fn set_back(make: Make) {
    let mut bench = Bench::new(make);
    bench.notes(17, GOOD);
    bench.notes(3, FAULT);
    let before = bench.now;
    bench.now = Timestamp(bench.now.0.saturating_sub(3_600_000));
    let sample = |bench: &Bench| bench.coordination.reading(&bench.channel, Mode::Live, bench.now);
    assert_eq!(sample(&bench).map(|reading| reading.window.sample), Some(20), "kept");
    assert_eq!(bench.health(), Health::Degraded);
    bench.pass(HealthSettings::default().window);
    assert_eq!(sample(&bench).map(|reading| reading.window.sample), Some(0), "aged although the clock was set back");
    assert_eq!(bench.level(), Level::Degraded);
    assert!(bench.now < before);
}

fn extremes(make: Make) {
    let mut bench = Bench::new(make);
    for now in [i64::MAX, i64::MIN, 0, i64::MAX, i64::MIN] {
        bench.now = Timestamp(now);
        bench.notes(30, FAULT);
        assert_eq!(bench.level(), Level::Down);
        let [first, ..] = bench.payments(true, 1)[..] else { panic!("one was asked for") };
        bench.start(first);
        bench.end(first, crate::ProbeEnd::Answered(FAULT));
    }
}
