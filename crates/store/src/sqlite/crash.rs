//! Where tests kill the process, and what they plant to prove that they look.

use super::writer::Command;
use crate::Begin;
use switchyard_core::settle::Happened;
use switchyard_crash_points::{Plant, Point, now_and_then, planted, reach, reach_after_first};

/// A group is written, and not committed.
#[expect(clippy::wildcard_enum_match_arm, reason = "what moves no money and settles nothing has no point")]
pub(super) fn before_commit(commands: &[Command]) {
    each(commands, |command| match command {
        Command::Begin(_) => Some(Point::IntentBeforeCommit),
        Command::Conclude(_) => Some(Point::ConclusionBeforeCommit),
        Command::Postpone(_) => Some(Point::PostponeBeforeCommit),
        Command::Administer(_, _) => Some(Point::AdministrationBeforeCommit),
        Command::Forget(_) => Some(Point::ForgetBeforeCommit),
        _ => None,
    });
}

/// It is committed.
#[expect(clippy::wildcard_enum_match_arm, reason = "what moves no money and settles nothing has no point")]
pub(super) fn after_commit(commands: &[Command]) {
    each(commands, |command| match command {
        Command::Begin(_) => Some(Point::IntentAfterCommit),
        Command::Conclude(_) => Some(Point::ConclusionAfterCommit),
        Command::Postpone(_) => Some(Point::PostponeAfterCommit),
        Command::Administer(_, _) => Some(Point::AdministrationAfterCommit),
        Command::Forget(_) => Some(Point::ForgetAfterCommit),
        _ => None,
    });
}

/// Once for each kind of command in the group.
fn each(commands: &[Command], point: impl Fn(&Command) -> Option<Point>) {
    let points: std::collections::BTreeSet<Point> = commands.iter().filter_map(point).collect();
    points.into_iter().for_each(reach);
}

/// None of the group is answered.
pub(super) fn before_answers() {
    reach(Point::GroupBeforeAnswers);
}

/// One more of the group is answered.
pub(super) fn answered(index: &mut usize, of: usize) {
    reach_after_first(Point::GroupBetweenAnswers, *index, of);
    *index = index.saturating_add(1);
}

/// The log is about to be written back.
pub(super) fn before_checkpoint() {
    reach(Point::CheckpointBefore);
}

/// It is written back, as far as it could be.
pub(super) fn after_checkpoint() {
    reach(Point::CheckpointAfter);
}

/// Planted: a group stays open until the next one begins.
pub(super) fn answers_before_commit() -> bool {
    planted(Plant::AnswerBeforeCommit)
}

/// Planted: an outcome without its events, now and then.
pub(super) fn some_events(events: &[Happened]) -> &[Happened] {
    if planted(Plant::DropEvent) && now_and_then(7) { &[] } else { events }
}

/// Planted: the key of an intent is not claimed.
pub(super) fn without_claim(begin: &Begin) -> Begin {
    let mut begin = begin.clone();
    if planted(Plant::DropClaim) {
        begin.claim = None;
    }
    begin
}
