//! What a look-up may conclude.

use switchyard_core::payment::{News, Release};
use switchyard_core::provider::Found;
use switchyard_core::{Capabilities, OperationKind};

use super::errors::nonsense;
use super::{Case, everybody};
use crate::example::Example;
use crate::player::{By, Player};
use crate::sample;

pub(super) const CASES: &[Case] = &[
    Case { name: "look-up: what was done is found, by our reference", asked_of: by_ours, run: approved_by_ours },
    Case { name: "look-up: what was done is found, by theirs", asked_of: by_theirs, run: approved_by_theirs },
    Case { name: "look-up: what was refused is found so", asked_of: by_ours, run: failed },
    Case { name: "look-up: what is pending is no outcome", asked_of: by_ours, run: pending },
    Case { name: "look-up: what was let go is found so", asked_of: by_ours, run: released },
    Case { name: "look-up: not found by our own reference", asked_of: complete, run: not_found },
    Case { name: "look-up: not found by theirs proves nothing", asked_of: by_theirs, run: gone },
    Case {
        name: "look-up: nothing is proved by a search that is not complete",
        asked_of: incomplete,
        run: incomplete_search,
    },
    Case { name: "look-up: its own failure is no news", asked_of: everybody, run: failures },
];

const fn by_ours(capabilities: &Capabilities) -> bool {
    capabilities.look_up.by_our_reference
}

const fn by_theirs(capabilities: &Capabilities) -> bool {
    capabilities.look_up.by_their_reference
}

const fn complete(capabilities: &Capabilities) -> bool {
    capabilities.look_up.by_our_reference && capabilities.look_up.complete
}

const fn incomplete(capabilities: &Capabilities) -> bool {
    capabilities.look_up.by_our_reference && !capabilities.look_up.complete
}

fn found(example: &Example, kind: OperationKind, by: By, situation: &str) -> Option<Found> {
    let verb = match by {
        By::Ours => "find",
        By::Theirs => "get",
    };
    let name = format!("{verb}_{}_{situation}", kind.as_str());
    let player = Player::answers(example.recording(&name)?.0);
    match player.look_up(example, kind, by) {
        Ok(found) => Some(found),
        Err(error) => panic!("{name}: {error:?}"),
    }
}

fn approved(example: &Example, by: By) {
    for kind in example.kinds() {
        let Some(found) = found(example, kind, by, "approved") else { continue };
        let Found::Known(report) = found else { panic!("{} is not found", kind.as_str()) };
        assert_eq!(report.news, News::Approved(sample::amount(example, kind)), "{}", kind.as_str());
        assert_eq!(report.provider_reference.as_deref(), Some((example.reference)(kind)), "{}", kind.as_str());
    }
}

fn approved_by_ours(example: &Example) {
    approved(example, By::Ours);
}

fn approved_by_theirs(example: &Example) {
    approved(example, By::Theirs);
}

fn failed(example: &Example) {
    for kind in example.kinds() {
        match found(example, kind, By::Ours, "failed") {
            Some(Found::Known(report)) => assert!(matches!(report.news, News::Refused(_)), "{:?}", report.news),
            Some(Found::NotFound) => panic!("{} is not found", kind.as_str()),
            None => {}
        }
    }
}

fn pending(example: &Example) {
    for kind in example.kinds() {
        match found(example, kind, By::Ours, "pending") {
            Some(Found::Known(report)) => assert_eq!(report.news, News::Accepted, "{}", kind.as_str()),
            Some(Found::NotFound) => panic!("{} is not found", kind.as_str()),
            None => {}
        }
    }
}

fn released(example: &Example) {
    let kind = super::answers::charge(example);
    for (situation, release) in [("voided", Release::Voided), ("expired", Release::Expired)] {
        match found(example, kind, By::Ours, situation) {
            Some(Found::Known(report)) => assert_eq!(report.news, News::Released(release)),
            Some(Found::NotFound) => panic!("{situation}: not found"),
            None => {}
        }
    }
}

fn not_found(example: &Example) {
    for kind in example.kinds() {
        if let Some(found) = found(example, kind, By::Ours, "missing") {
            assert_eq!(found, Found::NotFound, "{}", kind.as_str());
        }
    }
}

/// The provider's word that it does not know its own id.
fn gone(example: &Example) {
    for kind in example.kinds() {
        let Some(recording) = example.recording(&format!("get_{}_missing", kind.as_str())) else { continue };
        let result = Player::answers(recording.0).look_up(example, kind, By::Theirs);
        assert!(result.is_err(), "{}: {result:?}", kind.as_str());
    }
}

fn incomplete_search(example: &Example) {
    for kind in example.kinds() {
        let Some(recording) = example.recording(&format!("find_{}_missing", kind.as_str())) else { continue };
        let result = Player::answers(recording.0).look_up(example, kind, By::Ours);
        assert!(!matches!(result, Ok(Found::NotFound)), "{}: {result:?}", kind.as_str());
    }
}

fn failures(example: &Example) {
    let recorded = ["unauthorized", "rate_limited", "server_error"];
    for kind in example.kinds() {
        for by in [By::Ours, By::Theirs] {
            let mut players = vec![Player::loses_answers(), Player::sends_nothing()];
            players.extend(nonsense().into_iter().map(Player::answers));
            let pages = [400, 401, 403, 404, 410, 429];
            players.extend(pages.map(|status| Player::answers(crate::recording::made_up(status, "text/html", "<h1>"))));
            players.extend(recorded.iter().filter_map(|name| example.recording(name)).map(|it| Player::answers(it.0)));
            for player in players {
                let result = player.look_up(example, kind, by);
                assert!(result.is_err(), "{} by {by:?}: {result:?}", kind.as_str());
                assert!(player.seen().len() <= 1, "{} is asked once", kind.as_str());
            }
        }
    }
}
