//! What the provider says, in our words.

use switchyard_core::OperationKind;
use switchyard_core::failure::FailureCode;
use switchyard_core::payment::{News, NextAction};
use switchyard_core::provider::{Fate, ProviderError};

use super::{Case, everybody};
use crate::example::{Example, claims};
use crate::player::Player;
use crate::sample;

pub(super) const CASES: &[Case] = &[
    Case { name: "answer: an approval is one of the right amount", asked_of: everybody, run: approved },
    Case { name: "answer: a decline is an answer, with its code", asked_of: everybody, run: declined },
    Case { name: "answer: a failed capture, void or refund is refused", asked_of: everybody, run: failed },
    Case { name: "answer: what is pending is accepted", asked_of: everybody, run: pending },
    Case { name: "answer: the payer is sent to a page", asked_of: everybody, run: requires_action },
    Case { name: "answer: another state than we thought is a conflict", asked_of: everybody, run: conflict },
    Case { name: "answer: a documented refusal is conclusive, with its code", asked_of: everybody, run: refused },
    Case { name: "answer: refused credentials are the channel's fault", asked_of: everybody, run: unauthorized },
    Case { name: "answer: too many requests are rate_limited", asked_of: everybody, run: rate_limited },
];

/// The kind that makes a charge here.
pub(super) fn charge(example: &Example) -> OperationKind {
    let manual = claims(&example.provider.capabilities(), OperationKind::Authorize);
    if manual { OperationKind::Authorize } else { OperationKind::Sale }
}

fn news(example: &Example, kind: OperationKind, name: &str) -> Option<News> {
    let player = Player::answers(example.recording(name)?.0);
    match player.perform(example, kind) {
        Ok(report) => Some(report.news),
        Err(error) => panic!("{name}: {error:?}"),
    }
}

fn approved(example: &Example) {
    for kind in example.kinds() {
        let name = format!("{}_approved", kind.as_str());
        let Some(recording) = example.recording(&name) else { continue };
        let report = match Player::answers(recording.0).perform(example, kind) {
            Ok(report) => report,
            Err(error) => panic!("{name}: {error:?}"),
        };
        assert_eq!(report.news, News::Approved(sample::amount(example, kind)), "{name}");
        let theirs = report.provider_reference.as_deref();
        assert_eq!(theirs, Some((example.reference)(kind)), "{name}: what the provider calls it");
    }
}

fn declined(example: &Example) {
    assert!(!example.declines.is_empty(), "no provider approves everything");
    for decline in example.declines {
        let Some(News::Refused(failure)) = news(example, charge(example), decline.recording) else {
            panic!("{} is no refusal", decline.recording);
        };
        assert_eq!(failure.code, decline.code, "{}", decline.recording);
        let kept = failure.provider_code.is_some() || failure.code == FailureCode::GenericDecline;
        assert!(kept, "{}: the provider's code is kept", decline.recording);
    }
}

fn failed(example: &Example) {
    for kind in example.kinds().into_iter().filter(|kind| !kind.creates_the_charge()) {
        let name = format!("{}_failed", kind.as_str());
        let Some(recording) = example.recording(&name) else { continue };
        match Player::answers(recording.0).perform(example, kind) {
            Ok(report) => assert!(matches!(report.news, News::Refused(_)), "{name}: {:?}", report.news),
            Err(error) => assert_eq!(error.fate(kind), Fate::NotProcessed, "{name}: {error:?}"),
        }
    }
}

fn pending(example: &Example) {
    for kind in example.kinds() {
        let name = format!("{}_pending", kind.as_str());
        if let Some(news) = news(example, kind, &name) {
            assert_eq!(news, News::Accepted, "{name}");
        }
    }
}

fn requires_action(example: &Example) {
    match news(example, charge(example), "requires_action") {
        Some(News::RequiresAction(NextAction::Redirect { url, .. })) => assert!(url.starts_with("http"), "{url}"),
        Some(news) => panic!("{news:?}"),
        None => {}
    }
}

fn conflict(example: &Example) {
    for kind in example.kinds() {
        // Of a charge: its key was used for another one.
        let name = format!("{}_conflict", kind.as_str());
        let Some(recording) = example.recording(&name) else { continue };
        match Player::answers(recording.0).perform(example, kind) {
            Err(error @ ProviderError::Conflict(_)) => assert_eq!(error.fate(kind), Fate::Unknown),
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn refused(example: &Example) {
    assert!(!example.refusals.is_empty(), "no provider takes everything");
    for refusal in example.refusals {
        let Some(recording) = example.recording(refusal.recording) else { continue };
        match Player::answers(recording.0).perform(example, refusal.kind) {
            Err(ProviderError::Refused(failure)) => assert_eq!(failure.code, refusal.code, "{}", refusal.recording),
            other => panic!("{}: {other:?}", refusal.recording),
        }
    }
}

fn unauthorized(example: &Example) {
    let Some(recording) = example.recording("unauthorized") else { return };
    for kind in example.kinds() {
        match Player::answers(recording.0.clone()).perform(example, kind) {
            Err(ProviderError::Refused(failure)) => {
                assert_eq!(failure.code, FailureCode::Configuration);
                assert!(failure.counts_against_channel());
            }
            other => panic!("{other:?}"),
        }
    }
}

fn rate_limited(example: &Example) {
    let Some(recording) = example.recording("rate_limited") else { return };
    let told = recording.0.header("retry-after").and_then(|text| text.parse().ok());
    for kind in example.kinds() {
        let result = Player::answers(recording.0.clone()).perform(example, kind);
        assert_eq!(result.err(), Some(ProviderError::RateLimited { retry_after_seconds: told }));
    }
}
