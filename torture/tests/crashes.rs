//! SIGKILL: at random instants under load, and at every named point.

use crate::seed;
use switchyard_torture::ordeal;

#[test]
fn no_kill_at_any_instant_moves_money_wrongly() {
    println!("{}", ordeal::kills(seed(), 40));
}

#[test]
fn no_kill_at_a_named_point_moves_money_wrongly() {
    let figures = ordeal::points(seed(), 1);
    println!("{figures}");
    assert!(figures.kills >= 26, "{figures}");
}
