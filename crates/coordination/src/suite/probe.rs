//! Trials.

use super::{Bench, Case, FAULT, GOOD, Make, SLOW, STALLED, changed};
use crate::{Ailment, Health, HealthSettings, Level, ProbeEnd, Status};
use std::time::Duration;
use switchyard_core::{Mode, Timestamp};

pub(super) const CASES: &[Case] = &[
    Case { name: "no probe before the cool-down is over", run: cool_down },
    Case { name: "the share is that of the hash, and to all others the channel is down", run: share },
    Case { name: "at most one probe is open", run: one_open },
    Case { name: "an abandoned probe judges nothing and makes room", run: abandoned },
    Case { name: "a lost probe makes room, and its late end is only noted", run: lost },
    Case { name: "a bad probe starts the cool-down again, twice as long, up to its bound", run: bad },
    Case { name: "good probes lead to degraded, good outcomes from there to up", run: good },
    Case { name: "failed trials are forgotten once the channel is up, not before", run: forgiven },
    Case { name: "a channel that was down and is slow is degraded", run: slow },
    Case { name: "a degraded channel without payments is probed", run: degraded },
    Case { name: "no step of the clock brings back a channel that is down", run: steps },
    Case { name: "a probe from before the fall does not end the trial after it", run: earlier },
];

fn cool_down(make: Make) {
    let mut bench = Bench::new(make);
    bench.notes(20, FAULT);
    let payment = bench.payments(true, 1).remove(0);
    bench.pass(HealthSettings::default().cool_down.saturating_sub(Duration::from_millis(1)));
    assert_eq!((bench.health(), bench.status_for(payment)), (Health::Down, Status::Down));
    assert!(!bench.start(payment));
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.status_for(payment), Status::Probe);
    assert_eq!(bench.health(), Health::Probing { after: Ailment::Down, share_permille: 100, open: false });
}

fn share(make: Make) {
    let bench = Bench::on_trial(make);
    for payment in bench.payments(true, 50) {
        assert_eq!(bench.status_for(payment), Status::Probe);
    }
    for payment in bench.payments(false, 50) {
        assert_eq!(bench.status_for(payment), Status::Down);
        assert!(!bench.start(payment));
    }
}

fn one_open(make: Make) {
    let bench = Bench::on_trial(make);
    let [first, second] = bench.payments(true, 2)[..] else { panic!("two were asked for") };
    assert_eq!((bench.status_for(first), bench.status_for(second)), (Status::Probe, Status::Probe));
    assert!(bench.start(first));
    assert_eq!(bench.status_for(second), Status::Down);
    assert!(!bench.start(second) && !bench.start(first));
    assert_eq!(bench.end(second, ProbeEnd::Answered(GOOD)), None);
    assert!(!bench.start(second), "only its own end makes room");
    assert_eq!(bench.end(first, ProbeEnd::Answered(GOOD)), None);
    assert!(bench.start(second));
}

fn abandoned(make: Make) {
    let bench = Bench::on_trial(make);
    let [first, second] = bench.payments(true, 2)[..] else { panic!("two were asked for") };
    assert!(bench.start(first));
    assert_eq!(bench.end(first, ProbeEnd::Abandoned), None);
    assert!(bench.start(second));
}

fn lost(make: Make) {
    let mut bench = Bench::on_trial(make);
    let [first, second] = bench.payments(true, 2)[..] else { panic!("two were asked for") };
    assert!(bench.start(first));
    bench.pass(HealthSettings::default().probe_lost_after.saturating_sub(Duration::from_millis(1)));
    assert!(!bench.start(second));
    bench.pass(Duration::from_millis(1));
    assert!(bench.start(second));
    assert_eq!(bench.end(first, ProbeEnd::Answered(FAULT)), None);
    assert_eq!(bench.status_for(first), Status::Down, "the second is still open");
    bench.end(second, ProbeEnd::Answered(GOOD));
    assert_eq!(bench.status_for(first), Status::Probe, "the trial goes on");
}

fn bad(make: Make) {
    let mut bench = Bench::on_trial(make);
    for (noted, seconds) in [(FAULT, 60), (STALLED, 120), (FAULT, 240), (FAULT, 300), (FAULT, 300)] {
        bench.probe(GOOD);
        bench.probe(GOOD);
        assert_eq!(bench.probe(noted), None);
        bench.pass(Duration::from_millis(1_000_u64.saturating_mul(seconds).saturating_sub(1)));
        assert_eq!(bench.health(), Health::Down);
        bench.pass(Duration::from_millis(1));
        assert_eq!(bench.health(), Health::Probing { after: Ailment::Down, share_permille: 100, open: false });
    }
}

fn good(make: Make) {
    let mut bench = Bench::on_trial(make);
    assert_eq!(bench.probe(GOOD), None);
    assert_eq!(bench.probe(GOOD), None);
    assert_eq!(bench.probe(GOOD), changed(Level::Down, Level::Degraded));
    assert_eq!(bench.health(), Health::Degraded);
    assert_eq!(bench.note(FAULT), None, "the faults of before are forgotten");
    bench.notes(40, GOOD);
    bench.pass(HealthSettings::default().dwell);
    assert_eq!(bench.note(GOOD), changed(Level::Degraded, Level::Up));
}

fn forgiven(make: Make) {
    let mut bench = Bench::on_trial(make);
    let cooling = |bench: &Bench| {
        let reading = bench.coordination.reading(&bench.channel, Mode::Live, bench.now);
        reading.map(|reading| reading.cooling.as_secs())
    };
    bench.probe(FAULT);
    bench.pass(Duration::from_secs(60));
    for _ in 0..3 {
        bench.probe(GOOD);
    }
    bench.notes(20, FAULT);
    assert_eq!(cooling(&bench), Some(60), "it was degraded between");
    bench.pass(Duration::from_secs(60));
    for _ in 0..3 {
        bench.probe(GOOD);
    }
    bench.notes(19, GOOD);
    bench.pass(HealthSettings::default().dwell);
    assert_eq!(bench.note(GOOD), changed(Level::Degraded, Level::Up));
    bench.notes(20, FAULT);
    assert_eq!(cooling(&bench), Some(30));
}

fn slow(make: Make) {
    let bench = Bench::on_trial(make);
    bench.probe(SLOW);
    bench.probe(SLOW);
    assert_eq!(bench.probe(SLOW), changed(Level::Down, Level::Degraded));
}

fn degraded(make: Make) {
    let mut bench = Bench::new(make);
    bench.notes(17, GOOD);
    bench.notes(3, FAULT);
    bench.pass(HealthSettings::default().dwell);
    assert_eq!(bench.health(), Health::Degraded, "the window still judges");
    bench.pass(HealthSettings::default().window);
    assert_eq!(bench.health(), Health::Probing { after: Ailment::Degraded, share_permille: 100, open: false });
    let outside = bench.payments(false, 1).remove(0);
    assert_eq!(bench.status_for(outside), Status::Degraded);
    for _ in 0..30 {
        bench.pass(Duration::from_secs(60));
        bench.probe(GOOD);
        bench.pass(Duration::from_secs(60));
        bench.probe(FAULT);
    }
    assert_eq!(bench.level(), Level::Degraded);
    for _ in 0..19 {
        bench.pass(Duration::from_secs(60));
        assert_eq!(bench.probe(GOOD), None);
    }
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.probe(GOOD), changed(Level::Degraded, Level::Up));
}

fn steps(make: Make) {
    let mut bench = Bench::on_trial(make);
    let payment = bench.payments(true, 1).remove(0);
    assert!(bench.start(payment));
    let now = bench.now.0;
    for step in [-86_400_000, 86_400_000, -1, 1, -999, -1_001, i64::MIN, i64::MAX, 0] {
        bench.now = Timestamp(now.saturating_add(step));
        assert_eq!(bench.level(), Level::Down);
        bench.notes(30, GOOD);
        assert_eq!(bench.level(), Level::Down);
    }
}

fn earlier(make: Make) {
    let mut bench = Bench::new(make);
    bench.notes(17, GOOD);
    bench.notes(3, FAULT);
    bench.pass(HealthSettings::default().window);
    let payment = bench.payments(true, 1).remove(0);
    assert!(bench.start(payment), "a probe of the degraded channel");
    bench.notes(20, FAULT);
    assert_eq!(bench.level(), Level::Down);
    bench.pass(HealthSettings::default().cool_down);
    assert!(!bench.start(payment), "still open");
    bench.end(payment, ProbeEnd::Answered(FAULT));
    assert_eq!(bench.status_for(payment), Status::Probe, "its fault did not fail the trial");
}
