//! What the adapter sends, byte for byte, and where it differs from the other adapters.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is how it fails")]

use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use secrecy::ExposeSecret as _;
use switchyard_conformance::sample;
use switchyard_core::clock::Uptime;
use switchyard_core::payment::{CaptureMode, CardFacts, Checks, News};
use switchyard_core::provider::{
    Authorize, Call, Capture, ChargeRef, Customer, Found, Provider as _, Reference, Refund, Void,
};
use switchyard_core::transport::{Bounds, HeaderText, HttpRequest, HttpResponse, Transport, TransportError};
use switchyard_core::{Country, Currency, Method, Money, OperationId, OperationKind, ProviderError, Timestamp};
use switchyard_provider_simulator::{Config, Simulator};

fn adapter() -> Simulator {
    Simulator::new(Config {
        base: "http://127.0.0.1:8082/".into(),
        api_key: "sim_test_acme_0123456789".into(),
        refused_port: Some("http://127.0.0.1:9".into()),
    })
}

/// Gives these answers in turn, and keeps what was asked.
struct Recorded {
    answers: Mutex<Vec<HttpResponse>>,
    seen: Mutex<Vec<String>>,
}

impl Recorded {
    fn new(names: &[&str]) -> Self {
        let answers = names.iter().rev().map(|name| read(name)).collect();
        Self { answers: Mutex::new(answers), seen: Mutex::default() }
    }

    fn call(&self) -> Call<'_> {
        Call { transport: self, bounds: Bounds { send_by: Uptime(Duration::ZERO), timeout: Duration::ZERO } }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl Transport for Recorded {
    async fn send(&self, request: HttpRequest, _: Bounds) -> Result<HttpResponse, TransportError> {
        let headers = request.headers.iter().map(|(name, text)| match text {
            HeaderText::Plain(text) => format!("{name}: {text}\n"),
            HeaderText::Secret(text) => format!("{name}: ({})\n", text.expose_secret()),
        });
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let text = format!("{:?} {}\n{}{body}", request.method, request.url, headers.collect::<String>());
        self.seen.lock().unwrap().push(text);
        self.answers.lock().unwrap().pop().ok_or(TransportError::NoAnswer("no more".into()))
    }
}

fn read(name: &str) -> HttpResponse {
    let path = format!("{}/tests/recordings/{name}.http", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let (head, body) = text.split_once("\n\n").unwrap();
    let status = head["HTTP/1.1 ".len()..][..3].parse().unwrap();
    HttpResponse { status, headers: Vec::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn now<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn euro(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap()).unwrap()
}

fn id(kind: OperationKind) -> OperationId {
    sample::operation(kind)
}

fn charge() -> ChargeRef {
    let provider_reference = Some("ch_5f0c2d7e000000000001".into());
    ChargeRef { operation: id(OperationKind::Authorize), provider_reference }
}

fn ask(token: Option<&str>) -> Authorize {
    Authorize {
        operation: id(OperationKind::Authorize),
        amount: euro(1050),
        capture: CaptureMode::Manual,
        method: Method::Card,
        token: token.map(Into::into),
        country: Country::from_code("NL").unwrap(),
        return_url: None,
        statement_descriptor: None,
        description: None,
        customer: None,
        billing_address: None,
        shipping_address: None,
        browser: None,
    }
}

#[test]
fn a_charge_with_all_there_is() {
    let recorded = Recorded::new(&["authorize_approved"]);
    let ask = Authorize {
        return_url: Some("https://shop.example/return".into()),
        statement_descriptor: Some("SHOP".into()),
        description: Some("é".repeat(300)),
        customer: Some(Box::new(Customer { id: Some("c1".into()), ..Customer::default() })),
        ..ask(Some("tok_approved"))
    };
    let report = now(adapter().authorize(&recorded.call(), &ask)).unwrap();
    let description = "é".repeat(255);
    let expected = format!(
        r#"Post http://127.0.0.1:8082/v1/charges
authorization: (Bearer sim_test_acme_0123456789)
content-type: application/json
idempotency-key: 01970000000070008000000000000001
{{"amount":1050,"currency":"EUR","method":"card","token":"tok_approved","capture":"manual","reference":"01970000000070008000000000000001","description":"{description}","statement_descriptor":"SHOP","country":"NL","return_url":"https://shop.example/return","customer":{{"id":"c1","name":null,"email":null,"phone":null}}}}"#
    );
    assert_eq!(recorded.seen(), [expected]);
    assert_eq!(report.card, Some(CardFacts { brand: Some("visa".into()), last4: Some("4242".into()) }));
    let pass = Some("match".to_owned());
    assert_eq!(report.checks, Some(Checks { cvc: pass.clone(), avs_line: pass.clone(), avs_postal: pass }));
    assert_eq!(report.capture_before, Some(Timestamp(1_772_971_200_123)));
}

#[test]
fn a_charge_with_the_least() {
    let recorded = Recorded::new(&[]);
    let ask = Authorize { method: Method::Ideal, capture: CaptureMode::Automatic, ..ask(None) };
    let _ = now(adapter().authorize(&recorded.call(), &ask));
    assert!(recorded.seen()[0].ends_with(
        r#"{"amount":1050,"currency":"EUR","method":"ideal","capture":"automatic","reference":"01970000000070008000000000000001","country":"NL"}"#
    ));
}

#[test]
fn what_follows_a_charge() {
    let recorded = Recorded::new(&["capture_approved", "void_approved", "refund_approved"]);
    let (adapter, call) = (adapter(), recorded.call());
    let operation = id(OperationKind::Capture);
    now(adapter.capture(&call, &Capture { operation, charge: charge(), amount: euro(1050), last: true })).unwrap();
    let operation = id(OperationKind::Void);
    now(adapter.void(&call, &Void { operation, charge: charge(), amount: euro(1050) })).unwrap();
    let operation = id(OperationKind::Refund);
    now(adapter.refund(&call, &Refund { operation, charge: charge(), amount: euro(500), reason: None })).unwrap();
    let expected = [
        ("captures", 2, r#"{"amount":1050,"final":true,"reference":"01970000000070008000000000000002"}"#),
        ("voids", 3, r#"{"reference":"01970000000070008000000000000003"}"#),
        ("refunds", 4, r#"{"amount":500,"reference":"01970000000070008000000000000004"}"#),
    ]
    .map(|(objects, last, body)| {
        format!(
            "Post http://127.0.0.1:8082/v1/charges/ch_5f0c2d7e000000000001/{objects}\n\
             authorization: (Bearer sim_test_acme_0123456789)\ncontent-type: application/json\n\
             idempotency-key: 0197000000007000800000000000000{last}\n{body}"
        )
    });
    assert_eq!(recorded.seen(), expected);
}

#[test]
fn look_ups_ask_for_the_right_object() {
    let recorded = Recorded::new(&["find_refund_approved", "get_capture_approved"]);
    let (adapter, call) = (adapter(), recorded.call());
    let by_ours = Reference {
        kind: OperationKind::Refund,
        operation: id(OperationKind::Refund),
        provider_reference: None,
        charge: charge(),
        amount: euro(500),
    };
    let by_theirs = Reference {
        kind: OperationKind::Capture,
        operation: id(OperationKind::Capture),
        provider_reference: Some("cap_5f0c2d7e000000000002".into()),
        ..by_ours.clone()
    };
    for reference in [by_ours, by_theirs] {
        assert!(matches!(now(adapter.look_up(&call, &reference)), Ok(Found::Known(_))));
    }
    let firsts: Vec<String> = recorded.seen().iter().map(|seen| seen.lines().next().unwrap().into()).collect();
    let refund = "Get http://127.0.0.1:8082/v1/refunds?reference=01970000000070008000000000000004";
    assert_eq!(firsts, [refund, "Get http://127.0.0.1:8082/v1/captures/cap_5f0c2d7e000000000002"]);
}

#[test]
fn a_refused_connection_is_a_real_one() {
    let recorded = Recorded::new(&[]);
    let _ = now(adapter().authorize(&recorded.call(), &ask(Some("tok_refused_connection"))));
    assert!(recorded.seen()[0].starts_with("Post http://127.0.0.1:9/v1/charges\n"));
}

#[test]
fn a_charge_whose_id_is_unknown_is_looked_up_first() {
    let capture = Capture {
        operation: id(OperationKind::Capture),
        charge: ChargeRef { provider_reference: None, ..charge() },
        amount: euro(1050),
        last: true,
    };
    let recorded = Recorded::new(&["find_authorize_approved", "capture_approved"]);
    let report = now(adapter().capture(&recorded.call(), &capture)).unwrap();
    assert_eq!((report.news, recorded.seen().len()), (News::Approved(euro(1050)), 2));
    // Whatever goes wrong before the capture itself, the capture has not left.
    for name in ["find_authorize_missing", "server_error", "unauthorized"] {
        let recorded = Recorded::new(&[name]);
        let result = now(adapter().capture(&recorded.call(), &capture));
        assert!(matches!(result, Err(ProviderError::NeverLeft(_))), "{name}: {result:?}");
        assert_eq!(recorded.seen().len(), 1);
    }
}

#[test]
fn an_id_cannot_change_the_path() {
    for id in ["", "../ledger", "ch_1/voids", "ch_1?x", "ch 1"] {
        let recorded = Recorded::new(&[]);
        let charge = ChargeRef { provider_reference: Some(id.into()), ..charge() };
        let void = Void { operation: charge.operation, charge, amount: euro(1050) };
        assert!(matches!(now(adapter().void(&recorded.call(), &void)), Err(ProviderError::NeverLeft(_))));
        assert!(recorded.seen().is_empty());
    }
}

#[test]
fn an_answer_about_something_else_is_unreadable() {
    let other = OperationId::from_uuid(uuid::Uuid::from_u128(9));
    let recorded = Recorded::new(&["authorize_approved", "capture_approved", "capture_approved"]);
    let (adapter, call) = (adapter(), recorded.call());
    let charged = now(adapter.authorize(&call, &Authorize { operation: other, ..ask(None) }));
    assert!(matches!(charged, Err(ProviderError::Unreadable(_))));
    let right = Capture { operation: id(OperationKind::Capture), charge: charge(), amount: euro(1050), last: true };
    let of_another_charge = ChargeRef { provider_reference: Some("ch_other".into()), ..charge() };
    for capture in [Capture { operation: other, ..right.clone() }, Capture { charge: of_another_charge, ..right }] {
        assert!(matches!(now(adapter.capture(&call, &capture)), Err(ProviderError::Unreadable(_))));
    }
}

#[test]
fn a_partial_approval_is_told_as_it_is() {
    let recorded = Recorded::new(&["partially_approved", "undocumented_refusal"]);
    let (adapter, call) = (adapter(), recorded.call());
    assert_eq!(now(adapter.authorize(&call, &ask(None))).unwrap().news, News::Approved(euro(525)));
    assert!(matches!(now(adapter.authorize(&call, &ask(None))), Err(ProviderError::Unreadable(_))));
}

#[test]
fn accounts_are_told_apart_without_their_keys() {
    let account = adapter().account().to_owned();
    assert_eq!(account.len(), 16);
    assert!(!format!("{:?}", adapter()).contains("acme"));
}
