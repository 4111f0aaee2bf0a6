//! The suite that every adapter passes, on answers written from `docs/simulator.md`.

use switchyard_conformance::{Decline, Example, OnTheWire, Refusal};
use switchyard_core::{FailureCode, OperationKind};
use switchyard_provider_simulator::{Config, Simulator};

const KEY: &str = "sim_test_acme_0123456789";

const REFUSALS: &[Refusal] = &[
    refusal(OperationKind::Authorize, "refused_invalid_token", FailureCode::InvalidData),
    refusal(OperationKind::Authorize, "refused_amount", FailureCode::AmountInvalid),
    refusal(OperationKind::Sale, "refused_body", FailureCode::InvalidData),
    refusal(OperationKind::Sale, "refused_no_endpoint", FailureCode::Configuration),
    refusal(OperationKind::Capture, "refused_too_large", FailureCode::AmountInvalid),
    refusal(OperationKind::Capture, "refused_expired", FailureCode::Expired),
    refusal(OperationKind::Void, "refused_not_found", FailureCode::InvalidData),
    refusal(OperationKind::Refund, "refused_too_large", FailureCode::AmountInvalid),
];

fn main() {
    switchyard_conformance::run(simulator())
}

fn simulator() -> Example {
    Example {
        provider: Box::new(Simulator::new(Config {
            base: "http://127.0.0.1:8082".into(),
            api_key: KEY.into(),
            refused_port: None,
        })),
        recordings: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings"),
        secrets: &[KEY],
        currency: "EUR",
        reference: |kind| match kind {
            OperationKind::Authorize | OperationKind::Sale => "ch_5f0c2d7e000000000001",
            OperationKind::Capture => "cap_5f0c2d7e000000000002",
            OperationKind::Void => "void_5f0c2d7e000000000003",
            OperationKind::Refund => "re_5f0c2d7e000000000004",
        },
        prepare: |_| {},
        declines: &[
            Decline { recording: "declined_insufficient_funds", code: FailureCode::InsufficientFunds },
            Decline { recording: "declined_lost_or_stolen", code: FailureCode::LostOrStolen },
            Decline { recording: "declined_incorrect_cvc", code: FailureCode::IncorrectCvc },
            Decline { recording: "declined_generic_decline", code: FailureCode::GenericDecline },
            Decline { recording: "declined_unheard_of", code: FailureCode::GenericDecline },
            Decline { recording: "declined_no_channel_available", code: FailureCode::GenericDecline },
        ],
        refusals: REFUSALS,
        amounts: &[
            OnTheWire { currency: "JPY", minor: 1050, text: r#"{"amount":1050,"currency":"JPY""# },
            OnTheWire { currency: "EUR", minor: 1050, text: r#"{"amount":1050,"currency":"EUR""# },
            OnTheWire { currency: "KWD", minor: 1050, text: r#"{"amount":1050,"currency":"KWD""# },
            OnTheWire { currency: "CLF", minor: 105_001, text: r#"{"amount":105001,"currency":"CLF""# },
            OnTheWire { currency: "EUR", minor: 999_999_999_999, text: r#"{"amount":999999999999,"currency":"EUR""# },
        ],
        volatile_headers: &[],
        lacks: &[],
    }
}

const fn refusal(kind: OperationKind, recording: &'static str, code: FailureCode) -> Refusal {
    Refusal { kind, recording, code }
}
