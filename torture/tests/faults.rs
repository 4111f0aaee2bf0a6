//! A provider whose line is cut, held, spoilt and full of lies.

use crate::seed;
use switchyard_torture::ordeal;

#[test]
fn no_fault_at_the_provider_moves_money_wrongly() {
    let figures = ordeal::faults(seed(), 5_000, 48, u64::MAX);
    println!("{figures}");
    assert!(figures.faulted >= 5_000, "{figures}");
}
