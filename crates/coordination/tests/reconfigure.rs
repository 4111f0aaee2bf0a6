//! Another set of channels while it runs.

use crate::sample::{LIVE, START, acme, channel, coordination, noted};
use std::time::Duration;
use switchyard_coordination::{Coordination, Health, HealthPolicy, HealthSettings, Level};

fn policy(change: impl FnOnce(&mut HealthSettings)) -> HealthPolicy {
    let mut settings = HealthSettings::default();
    change(&mut settings);
    settings.check().unwrap()
}

#[test]
fn what_is_known_of_a_channel_outlives_a_new_configuration() {
    let coordination = coordination();
    for _ in 0..20 {
        coordination.note(&acme(), LIVE, START, noted(true, 1));
    }
    let longer = policy(|settings| settings.window = Duration::from_secs(600));
    coordination.reconfigure([(acme(), longer.clone()), (channel("new"), longer)]);
    assert_eq!(coordination.health(&acme(), LIVE, START), Health::Down);
    assert_eq!(coordination.health(&channel("new"), LIVE, START), Health::Up);
    assert_eq!(coordination.reading(&acme(), LIVE, START).unwrap().window.sample, 0, "another span, another window");
    coordination.reconfigure([]);
    assert_eq!(coordination.health(&acme(), LIVE, START), Health::Up);
    assert_eq!(coordination.reading(&acme(), LIVE, START), None);
}

#[test]
fn new_thresholds_hold_from_the_next_outcome_on() {
    let coordination = coordination();
    for number in 0..50 {
        coordination.note(&acme(), LIVE, START, noted(number % 10 == 0, 1));
    }
    assert_eq!(coordination.health(&acme(), LIVE, START), Health::Up);
    let stricter = policy(|settings| {
        settings.minimum_sample = 50;
        settings.degraded_faults_permille = 90;
    });
    coordination.reconfigure([(acme(), stricter)]);
    assert_eq!(coordination.note(&acme(), LIVE, START, noted(false, 1)).unwrap().to, Level::Degraded);
}
