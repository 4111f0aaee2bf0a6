//! The operations that the cases ask for. Recordings hold these ids.

use switchyard_core::capabilities::{MethodCapability, Presentation, Which};
use switchyard_core::method::Direction;
use switchyard_core::payment::CaptureMode;
use switchyard_core::provider::{Authorize, Capture, ChargeRef, Customer, Reference, Refund, Void};
use switchyard_core::{Country, Money, OperationId, OperationKind};
use uuid::Uuid;

use crate::example::Example;
use crate::player::By;

/// The token of an authorization, unless [`Example::prepare`] names another.
pub const TOKEN: &str = "tok_sample_0123456789";
/// The payer's address.
pub const EMAIL: &str = "jan.jansen@example.com";
/// What is authorized, captured and voided, in minor units.
pub const AMOUNT: i64 = 1050;
/// What is refunded, in minor units.
pub const REFUND_AMOUNT: i64 = 500;

/// The id of the operation of that kind; an authorization and a sale have the same.
#[must_use]
pub const fn operation(kind: OperationKind) -> OperationId {
    let last = match kind {
        OperationKind::Authorize | OperationKind::Sale => 1,
        OperationKind::Capture => 2,
        OperationKind::Void => 3,
        OperationKind::Refund => 4,
    };
    OperationId::from_uuid(Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0000 | last))
}

pub(crate) fn money(example: &Example, minor: i64) -> Money {
    match Money::new(minor, example.currency()) {
        Some(money) => money,
        None => panic!("{minor} is no amount"),
    }
}

/// By the first method that can do it.
pub(crate) fn authorize(example: &Example, kind: OperationKind) -> Authorize {
    let capabilities = example.provider.capabilities();
    let fits = |row: &&MethodCapability| {
        let can = if kind == OperationKind::Sale { row.sale } else { row.manual_capture };
        can && row.direction == Direction::Payin && row.currencies.holds(&example.currency())
    };
    let Some(row) = capabilities.methods.iter().find(fits) else { panic!("no method can {}", kind.as_str()) };
    let country = match &row.countries {
        Which::All => Country::from_code("NL"),
        Which::Only(countries) => countries.first().copied(),
    };
    let Some(country) = country else { panic!("{} has no country", row.method) };
    let mut ask = Authorize {
        operation: operation(kind),
        amount: money(example, AMOUNT),
        capture: if kind == OperationKind::Sale { CaptureMode::Automatic } else { CaptureMode::Manual },
        method: row.method,
        token: (row.presentation == Presentation::Token).then(|| TOKEN.into()),
        country,
        return_url: Some("https://shop.example/return".into()),
        statement_descriptor: None,
        description: None,
        customer: Some(Box::new(Customer { email: Some(EMAIL.into()), ..Customer::default() })),
        billing_address: None,
        shipping_address: None,
        browser: None,
    };
    (example.prepare)(&mut ask);
    ask
}

pub(crate) fn capture(example: &Example) -> Capture {
    let amount = money(example, AMOUNT);
    Capture { operation: operation(OperationKind::Capture), charge: charge(example), amount, last: true }
}

pub(crate) fn void(example: &Example) -> Void {
    let amount = money(example, AMOUNT);
    Void { operation: operation(OperationKind::Void), charge: charge(example), amount }
}

pub(crate) fn refund(example: &Example) -> Refund {
    let amount = money(example, REFUND_AMOUNT);
    Refund { operation: operation(OperationKind::Refund), charge: charge(example), amount, reason: None }
}

pub(crate) fn reference(example: &Example, kind: OperationKind, by: By) -> Reference {
    let theirs = (example.reference)(kind).to_owned();
    let mut charge = charge(example);
    if kind.creates_the_charge() && by == By::Ours {
        charge.provider_reference = None;
    }
    Reference {
        kind,
        operation: operation(kind),
        provider_reference: (by == By::Theirs).then_some(theirs),
        charge,
        amount: amount(example, kind),
    }
}

pub(crate) fn amount(example: &Example, kind: OperationKind) -> Money {
    match kind {
        OperationKind::Refund => money(example, REFUND_AMOUNT),
        OperationKind::Authorize | OperationKind::Sale | OperationKind::Capture | OperationKind::Void => {
            money(example, AMOUNT)
        }
    }
}

fn charge(example: &Example) -> ChargeRef {
    let provider_reference = Some((example.reference)(OperationKind::Authorize).to_owned());
    ChargeRef { operation: operation(OperationKind::Authorize), provider_reference }
}
