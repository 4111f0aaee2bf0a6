//! What holds whatever happens.

use crate::sample::{LIVE, START, acme, coordination, noted, payment};
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::time::Duration;
use switchyard_coordination::forgetful::Forgetful;
use switchyard_coordination::{
    Change, Coordination, Health, HealthPolicy, HealthSettings, InProcess, Level, Limit, ProbeEnd, Status, Taken,
};
use switchyard_core::Timestamp;

#[derive(Clone, Debug)]
enum Act {
    Pass(i64),
    Note { fault: bool, latency_ms: u64 },
    Start(u64),
    End { which: prop::sample::Index, fault: Option<bool>, latency_ms: u64 },
    Take(u8),
}

fn acts(steps: impl Strategy<Value = i64> + 'static) -> impl Strategy<Value = Vec<Act>> {
    let latency = || prop_oneof![6 => 0_u64..4_000, 1 => 4_000_u64..30_000];
    prop::collection::vec(
        prop_oneof![
            3 => steps.prop_map(Act::Pass),
            6 => (prop::bool::weighted(0.6), latency()).prop_map(|(fault, latency_ms)| Act::Note { fault, latency_ms }),
            8 => (0_u64..400).prop_map(Act::Start),
            3 => (any::<prop::sample::Index>(), prop::option::weighted(0.9, prop::bool::weighted(0.2)), latency())
                .prop_map(|(which, fault, latency_ms)| Act::End { which, fault, latency_ms }),
            1 => any::<u8>().prop_map(Act::Take),
        ],
        0..500,
    )
}

/// Any clock: mostly forward, sometimes a step in either direction, sometimes absurd.
fn any_step() -> impl Strategy<Value = i64> {
    prop_oneof![20 => 0_i64..60_000, 4 => -1_500_i64..0, 2 => -90_000_000_i64..90_000_000, 1 => any::<i64>()]
}

#[derive(Debug, PartialEq)]
enum Saw {
    Health(Health),
    Change(Option<Change>),
    Status(Status, bool),
    Taken(Taken),
}

/// Runs the acts. What is claimed and not ended is `open`.
fn play(coordination: &dyn Coordination, acts: &[Act], mut check: impl FnMut(&Act, &[u64], &Saw)) -> Vec<Saw> {
    let (mut now, mut open, mut saw) = (START, Vec::new(), Vec::new());
    let limit = Limit { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(3).unwrap() };
    for act in acts {
        let seen = match *act {
            Act::Pass(ms) => {
                now = Timestamp(now.0.saturating_add(ms));
                Saw::Health(coordination.health(&acme(), LIVE, now))
            }
            Act::Note { fault, latency_ms } => {
                Saw::Change(coordination.note(&acme(), LIVE, now, noted(fault, latency_ms)))
            }
            Act::Start(number) => {
                let status = coordination.status_for(&acme(), LIVE, now, payment(number));
                let started = coordination.probe_started(&acme(), LIVE, now, payment(number));
                if started {
                    open.push(number);
                }
                Saw::Status(status, started)
            }
            Act::End { which, fault, latency_ms } if !open.is_empty() => {
                let number = open.remove(which.index(open.len()));
                let end = fault.map_or(ProbeEnd::Abandoned, |fault| ProbeEnd::Answered(noted(fault, latency_ms)));
                Saw::Change(coordination.probe_ended(&acme(), LIVE, now, payment(number), end))
            }
            Act::End { .. } => Saw::Change(None),
            Act::Take(key) => Saw::Taken(coordination.take([key; 16], now, limit)),
        };
        check(act, &open, &seen);
        saw.push(seen);
    }
    saw
}

/// Whether outcome `index` is bad when `permille` of them are, spread as evenly as can be.
fn is_bad(index: u64, permille: u64, phase: u64) -> bool {
    ((index + 1) * permille + phase) / 1_000 > (index * permille + phase) / 1_000
}

#[derive(Clone, Copy, Debug)]
enum Bad {
    Fault,
    Slow,
    Stalled,
}

/// Every change of level of a channel with a constant share of bad outcomes, over 1,500 payments. Where there is
/// another channel, payments go there unless this one is up or they probe it.
fn changes(policy: HealthPolicy, gap_ms: u64, permille: u64, phase: u64, bad: Bad, another: bool) -> Vec<Change> {
    let coordination = InProcess::new([(acme(), policy)]);
    let (mut now, mut calls, mut changes) = (START, 0, Vec::new());
    for number in 0..1_500 {
        now = now.after(Duration::from_millis(gap_ms));
        let payment = payment(number);
        let status = coordination.status_for(&acme(), LIVE, now, payment);
        let outcome = match (is_bad(calls, permille, phase), bad) {
            (false, _) => noted(false, 200),
            (true, Bad::Fault) => noted(true, 200),
            (true, Bad::Slow) => noted(false, 6_000),
            (true, Bad::Stalled) => noted(false, 20_000),
        };
        let change = match status {
            Status::Up => coordination.note(&acme(), LIVE, now, outcome),
            Status::Degraded if !another => coordination.note(&acme(), LIVE, now, outcome),
            Status::Degraded | Status::Down => continue,
            Status::Probe => {
                assert!(coordination.probe_started(&acme(), LIVE, now, payment));
                coordination.probe_ended(&acme(), LIVE, now, payment, ProbeEnd::Answered(outcome))
            }
        };
        calls += 1;
        changes.extend(change);
    }
    changes
}

fn settings() -> impl Strategy<Value = HealthPolicy> {
    let shares = (5_u32..200, 1_u16..300, 1_u16..500, 1_u16..=1_000, 1_u16..300, 1_u16..500, 1_u16..=1_000, 1_u32..8);
    (shares, 1_u64..600, 1_u64..120).prop_filter_map("thresholds too close", |(shares, window, dwell)| {
        let (minimum_sample, recovered, apart, down, slow_recovered, slow_apart, stalled, probes_good) = shares;
        HealthSettings {
            window: Duration::from_secs(window),
            minimum_sample,
            recovered_faults_permille: recovered,
            degraded_faults_permille: recovered + apart,
            down_faults_permille: down,
            recovered_slow_permille: slow_recovered,
            degraded_slow_permille: slow_recovered + slow_apart,
            down_stalled_permille: stalled,
            dwell: Duration::from_secs(dwell),
            probes_good,
            ..HealthSettings::default()
        }
        .check()
        .ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_constant_share_of_bad_outcomes_never_goes_back_and_forth(
        policy in prop_oneof![Just(HealthPolicy::default()), settings()],
        gap_ms in prop_oneof![1_u64..1_000, 1_000_u64..60_000],
        permille in 0_u64..=1_000,
        phase in 0_u64..1_000,
        bad in prop::sample::select(vec![Bad::Fault, Bad::Slow, Bad::Stalled]),
        another in any::<bool>(),
    ) {
        let changes = changes(policy, gap_ms, permille, phase, bad, another);
        prop_assert!(changes.iter().all(|change| change.from < change.to), "{changes:?}");
    }

    #[test]
    fn answers_that_are_no_fault_and_not_slow_leave_every_channel_up(
        acts in prop::collection::vec((any_step(), 0_u64..=5_000), 0..400),
    ) {
        let coordination = coordination();
        let mut now = START;
        for (step, latency_ms) in acts {
            now = Timestamp(now.0.saturating_add(step));
            prop_assert_eq!(coordination.note(&acme(), LIVE, now, noted(false, latency_ms)), None);
            prop_assert_eq!(coordination.health(&acme(), LIVE, now), Health::Up);
        }
    }

    #[test]
    fn at_most_one_probe_is_open(acts in acts(0_i64..200)) {
        // Less time passes in all than after which a probe is taken for lost.
        let coordination = coordination();
        for _ in 0..20 {
            coordination.note(&acme(), LIVE, START, noted(true, 1));
        }
        coordination.health(&acme(), LIVE, Timestamp(START.0 + 1_000_000));
        play(&coordination, &acts, |act, open, seen| {
            assert!(open.len() <= 1, "{open:?} after {act:?}");
            if let Saw::Status(status, started) = seen {
                assert_eq!(*status == Status::Probe, *started);
            }
        });
    }

    #[test]
    fn the_same_acts_show_the_same(acts in acts(any_step())) {
        let once = play(&coordination(), &acts, |_, _, _| {});
        let again = play(&coordination(), &acts, |_, _, _| {});
        prop_assert_eq!(once, again);
    }

    #[test]
    fn no_clock_brings_back_a_channel_without_good_probes(acts in acts(any_step())) {
        let coordination = coordination();
        let (mut level, mut good) = (Level::Up, 0);
        play(&coordination, &acts, |act, _, seen| {
            if let (Act::End { fault: Some(false), .. }, Saw::Change(_)) = (act, seen) {
                good += 1;
            }
            match seen {
                Saw::Change(Some(change)) => {
                    assert_eq!(change.from, level);
                    if level == Level::Down {
                        assert!(change.to == Level::Degraded && good >= 3, "{change:?} after {good}");
                    }
                    (level, good) = (change.to, 0);
                }
                Saw::Health(health) => assert_eq!(health.level(), level, "time alone changed it"),
                Saw::Change(None) | Saw::Status(..) | Saw::Taken(_) => {}
            }
        });
    }

    #[test]
    fn a_bucket_gives_its_burst_and_what_time_gives_back(
        per_second in 1_u32..2_000,
        burst in 1_u32..50,
        steps in prop::collection::vec(0_i64..500, 1..300),
    ) {
        let limit = Limit { per_second: NonZeroU32::new(per_second).unwrap(), burst: NonZeroU32::new(burst).unwrap() };
        let coordination = coordination();
        let (mut now, mut milli) = (START, u64::from(burst) * 1_000);
        for step in steps {
            now = Timestamp(now.0 + step);
            milli = (milli + step.unsigned_abs() * u64::from(per_second)).min(u64::from(burst) * 1_000);
            let taken = coordination.take([9; 16], now, limit);
            prop_assert_eq!(taken.allowed, milli >= 1_000);
            milli -= if taken.allowed { 1_000 } else { 0 };
            prop_assert_eq!(u64::from(taken.remaining), milli / 1_000);
        }
    }

    #[test]
    fn one_that_forgets_answers_all_the_same(acts in acts(any_step()), permille in 0_u16..=1_000, seed in any::<u64>()) {
        let forgets = || Forgetful::new(coordination(), permille, seed);
        let once = play(&forgets(), &acts, |_, _, _| {});
        prop_assert_eq!(&once, &play(&forgets(), &acts, |_, _, _| {}));
        if permille == 0 {
            prop_assert_eq!(once, play(&coordination(), &acts, |_, _, _| {}));
        }
    }
}
