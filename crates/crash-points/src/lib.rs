//! Named points around everything durable, at which a test has the process die (SIGKILL) or stop (SIGSTOP); and faults planted
//! on purpose, which prove that the tests would find the real ones.
//!
//! Linked only where the feature `crash-points` asks for it: no binary that anybody ships has a line of this. All is told by
//! the environment:
//!
//! - `SWITCHYARD_CRASH_POINT=call-before:3`: dies when that point is reached for the third time
//! - `SWITCHYARD_STOP_POINT=first-byte-before:1`: stops there until SIGCONT
//! - `SWITCHYARD_PLANTED_FAULT=skip-intent`: see [`Plant`]
//! - `SWITCHYARD_CHECKPOINT_PAGES=64`, `SWITCHYARD_SYNCHRONOUS=off`: how the ledger is opened
//! - `SWITCHYARD_CLOCK_OFFSET_FILE=PATH`: the file holds milliseconds that the clock of the day is off

use rustix::process::{Signal, getpid, kill_process};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the environment.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Reads the name back.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

named! {
    /// A moment in the life of an operation.
    Point {
        /// A group that holds an intent is written, and not committed.
        IntentBeforeCommit "intent-before-commit",
        /// It is committed; nobody knows yet.
        IntentAfterCommit "intent-after-commit",
        /// A group that holds an outcome is written, and not committed.
        ConclusionBeforeCommit "conclusion-before-commit",
        /// It is committed; nobody knows yet.
        ConclusionAfterCommit "conclusion-after-commit",
        /// A group that puts a look-up off is written, and not committed.
        PostponeBeforeCommit "postpone-before-commit",
        /// It is committed.
        PostponeAfterCommit "postpone-after-commit",
        /// A group that holds an operator's change is written, and not committed.
        AdministrationBeforeCommit "administration-before-commit",
        /// It is committed; the operator does not know yet.
        AdministrationAfterCommit "administration-after-commit",
        /// A group that frees idempotency keys is written, and not committed.
        ForgetBeforeCommit "forget-before-commit",
        /// It is committed.
        ForgetAfterCommit "forget-after-commit",
        /// A group is committed, and none of its commands is answered.
        GroupBeforeAnswers "group-before-answers",
        /// The first of its commands is answered, the others are not.
        GroupBetweenAnswers "group-between-answers",
        /// The log is about to be written back.
        CheckpointBefore "checkpoint-before",
        /// It is written back.
        CheckpointAfter "checkpoint-after",
        /// An intent is durable; the provider was not called.
        CallBefore "call-before",
        /// The next byte is the first of a request to a provider.
        FirstByteBefore "first-byte-before",
        /// Bytes of a request were handed to the socket.
        HandedOver "handed-over",
        /// The provider's answer is there; nothing is written.
        CallAnswered "call-answered",
        /// The outcome is about to be handed to the ledger.
        ConclusionBefore "conclusion-before",
        /// The outcome is durable; the merchant was not answered.
        ConclusionAfter "conclusion-after",
        /// A look-up is about to be made.
        LookUpBefore "look-up-before",
        /// Its answer is there; nothing is written.
        LookUpAnswered "look-up-answered",
        /// What a dead process had intended is about to be marked as in doubt.
        AdoptionBefore "adoption-before",
        /// The first of it is marked.
        AdoptionAfter "adoption-after",
        /// The merchant's answer is ready, and not sent.
        AnswerBefore "answer-before",
        /// It is, mostly, sent.
        AnswerAfter "answer-after",
    }
}

named! {
    /// A fault of the worst kind. Each must be found by the judge, or the judge is worth nothing.
    Plant {
        /// Calls the provider without a durable intent.
        SkipIntent "skip-intent",
        /// Says that a group is durable before it is.
        AnswerBeforeCommit "answer-before-commit",
        /// Sends a call once more when its outcome is unknown.
        SendAgain "send-again",
        /// Takes silence for a refusal.
        FailOnSilence "fail-on-silence",
        /// Writes an outcome without its events, now and then.
        DropEvent "drop-event",
        /// Does not claim the idempotency key.
        DropClaim "drop-claim",
        /// Keeps no final answer, so that a replay shows what has become of the payment since.
        KeepNoAnswer "keep-no-answer",
        /// Never looks up what is in doubt.
        NeverLookUp "never-look-up",
    }
}

/// What happens at a point.
#[derive(Clone, Copy)]
enum Act {
    Die,
    Stop,
}

struct Armed {
    point: Point,
    act: Act,
    left: AtomicU64,
}

/// The process comes by here.
pub fn reach(point: Point) {
    static ARMED: OnceLock<Vec<Armed>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| {
        let armed = [("SWITCHYARD_CRASH_POINT", Act::Die), ("SWITCHYARD_STOP_POINT", Act::Stop)];
        armed.into_iter().filter_map(|(variable, act)| arm(variable, act)).collect()
    });
    for armed in armed.iter().filter(|armed| armed.point == point) {
        let left = armed.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left == Ok(1) {
            act(armed.act);
        }
    }
}

/// A group of answers was given up to this one.
pub fn reach_after_first(point: Point, index: usize, of: usize) {
    if index == 0 && of > 1 {
        reach(point);
    }
}

/// No unwinding, no destructors, nothing flushed.
fn act(act: Act) {
    let signal = match act {
        Act::Die => Signal::KILL,
        Act::Stop => Signal::STOP,
    };
    // A signal to oneself is taken before the call returns, as far as this thread is concerned.
    if kill_process(getpid(), signal).is_err() {
        std::process::abort();
    }
}

fn arm(variable: &str, act: Act) -> Option<Armed> {
    let value = std::env::var(variable).ok()?;
    let (name, count) = value.split_once(':').unwrap_or((&value, "1"));
    match (Point::from_name(name), count.parse()) {
        (Some(point), Ok(count)) => Some(Armed { point, act, left: AtomicU64::new(count) }),
        (_, _) => refuse(variable, &value),
    }
}

/// Whether this fault is planted.
#[must_use]
pub fn planted(plant: Plant) -> bool {
    static PLANTED: OnceLock<Option<Plant>> = OnceLock::new();
    let planted = PLANTED.get_or_init(|| {
        let name = std::env::var("SWITCHYARD_PLANTED_FAULT").ok()?;
        Some(Plant::from_name(&name).unwrap_or_else(|| refuse("SWITCHYARD_PLANTED_FAULT", &name)))
    });
    *planted == Some(plant)
}

/// True once in so many calls.
#[must_use]
pub fn now_and_then(one_in: u64) -> bool {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    CALLS.fetch_add(1, Ordering::Relaxed).checked_rem(one_in) == Some(0)
}

/// From how many pages on the log is written back, where the environment says so.
#[must_use]
pub fn checkpoint_pages() -> Option<u64> {
    let value = std::env::var("SWITCHYARD_CHECKPOINT_PAGES").ok()?;
    Some(value.parse().unwrap_or_else(|_| refuse("SWITCHYARD_CHECKPOINT_PAGES", &value)))
}

/// Whether commits wait for no disk.
#[must_use]
pub fn unsynced() -> bool {
    std::env::var("SWITCHYARD_SYNCHRONOUS").is_ok_and(|value| value == "off")
}

/// By how many milliseconds the clock of the day is off.
#[must_use]
pub fn clock_offset_ms() -> i64 {
    static FILE: OnceLock<Option<String>> = OnceLock::new();
    let file = FILE.get_or_init(|| std::env::var("SWITCHYARD_CLOCK_OFFSET_FILE").ok());
    let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// A test that misspells what it wants must not pass.
fn refuse<T>(variable: &str, value: &str) -> T {
    eprintln!("{variable}={value} makes no sense");
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_no_two_are_alike() {
        for point in Point::ALL {
            assert_eq!(Point::from_name(point.name()), Some(*point));
        }
        for plant in Plant::ALL {
            assert_eq!(Plant::from_name(plant.name()), Some(*plant));
        }
    }
}
