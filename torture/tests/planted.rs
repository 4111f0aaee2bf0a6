//! The judge finds the faults that were planted for it.

use crate::seed;
use switchyard_crash_points::Plant;
use switchyard_torture::ordeal;

macro_rules! each {
    ($($test:ident $plant:ident,)*) => {
        $(#[test] fn $test() { assert!(ordeal::planted(seed(), Plant::$plant) > 0); })*

        #[test]
        fn every_planted_fault_has_its_test() {
            assert_eq!(Plant::ALL, [$(Plant::$plant,)*]);
        }
    };
}

each! {
    a_call_without_an_intent_is_found SkipIntent,
    an_answer_before_the_commit_is_found AnswerBeforeCommit,
    a_call_sent_again_is_found SendAgain,
    silence_taken_for_a_refusal_is_found FailOnSilence,
    a_dropped_event_is_found DropEvent,
    a_key_that_is_not_claimed_is_found DropClaim,
    an_answer_that_is_not_kept_is_found KeepNoAnswer,
    a_doubt_that_nobody_settles_is_found NeverLookUp,
}
