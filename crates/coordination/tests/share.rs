//! The share of probes.

use crate::sample::{acme, channel, payment};
use switchyard_coordination::{Ailment, Health, Status, in_share};
use switchyard_core::PaymentId;

#[test]
fn the_share_never_changes() {
    let least = |name: &str, id: &str| {
        let id = PaymentId::parse(id).unwrap();
        (1..=1_000).find(|share| in_share(&channel(name), id, *share)).unwrap()
    };
    assert_eq!(
        [
            least("acme", "pay_01970000000070008000000000000001"),
            least("acme", "pay_01970000000070008000000000000002"),
            least("acme_eu", "pay_01970000000070008000000000000001"),
            least("a", "pay_00000000000000000000000000000000"),
            least("stripe_eu", "pay_ffffffffffffffffffffffffffffffff"),
        ],
        [730, 612, 217, 135, 755] // computed from the documented formula by another program
    );
}

#[test]
fn the_share_is_even_and_each_channel_has_its_own() {
    let (acme, other) = (acme(), channel("other"));
    for share in [10, 100, 500] {
        let count = |which: &dyn Fn(PaymentId) -> bool| (0..50_000).filter(|n| which(payment(*n))).count();
        let one = count(&|id| in_share(&acme, id, share));
        let both = count(&|id| in_share(&acme, id, share) && in_share(&other, id, share));
        let (share, near) = (usize::from(share), |found: usize, meant: usize| found.abs_diff(meant) < 30 + meant / 20);
        assert!(near(one, share * 50), "{one} of {share}");
        assert!(near(both, share * share / 20), "{both} of {share}");
    }
}

#[test]
fn a_wider_share_keeps_the_payments_of_a_narrower() {
    for number in 0..200 {
        let drawn: Vec<_> = (0..=1_000).map(|share| in_share(&acme(), payment(number), share)).collect();
        assert!(!drawn[0] && drawn[1_000] && drawn.is_sorted());
    }
}

#[test]
fn a_stored_health_gives_the_same_status_for_ever() {
    let inside = (0..).map(payment).find(|id| in_share(&acme(), *id, 100)).unwrap();
    let outside = (0..).map(payment).find(|id| !in_share(&acme(), *id, 100)).unwrap();
    let probing = |after, open| Health::Probing { after, share_permille: 100, open };
    for (health, to_inside, to_outside) in [
        (Health::Up, Status::Up, Status::Up),
        (Health::Degraded, Status::Degraded, Status::Degraded),
        (Health::Down, Status::Down, Status::Down),
        (probing(Ailment::Degraded, false), Status::Probe, Status::Degraded),
        (probing(Ailment::Down, false), Status::Probe, Status::Down),
        (probing(Ailment::Degraded, true), Status::Degraded, Status::Degraded),
        (probing(Ailment::Down, true), Status::Down, Status::Down),
    ] {
        assert_eq!(health.for_payment(&acme(), inside), to_inside);
        assert_eq!(health.for_payment(&acme(), outside), to_outside);
        assert_eq!(Status::from_name(to_inside.as_str()), Some(to_inside));
    }
    assert_eq!(Status::from_name("probing"), None);
}
