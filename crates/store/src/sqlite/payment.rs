//! The row of a payment.

use super::columns::{Columns, View};
use super::dictionary::{Cell, Interner, Word};
use super::fault::Fault;
use super::number;
use super::operation::{pack_failure, unpack_failure};
use super::pack::{Packer, Unpacker};
use rusqlite::{Connection, OptionalExtension as _, params};
use switchyard_core::payment::{CaptureMode, CardFacts, Checks, Decided, NextAction, Pending};
use switchyard_core::{
    Country, Currency, EndpointId, Method, Money, OperationId, Payment, PaymentId, RouteId, Timestamp,
};

const SELECT: &str = "SELECT id, merchant, mode, status, open, in_doubt, amount, currency, \
    authorized, captured, released, refunded, pending, operations, country, order_type, reference, method, capture, \
    card, checks, capture_before, next_action, failure, last_failure, \
    rule, rules_version, channel, reason, snapshot, offer, route, \
    provider, provider_reference, observed_at, observed_from, contradiction, \
    statement_descriptor, description, customer, metadata, allow_duplicate_reference, \
    created_at, updated_at, events, version, webhook_endpoint FROM payments WHERE id = ?1";

const INSERT: &str = "INSERT INTO payments (id, merchant, mode, status, open, in_doubt, amount, currency, \
    authorized, captured, released, refunded, pending, operations, country, order_type, reference, method, capture, \
    card, checks, capture_before, next_action, failure, last_failure, \
    rule, rules_version, channel, reason, snapshot, offer, route, \
    provider, provider_reference, observed_at, observed_from, contradiction, \
    statement_descriptor, description, customer, metadata, allow_duplicate_reference, \
    created_at, updated_at, events, version, last_event, webhook_endpoint) VALUES (\
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, \
    ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48)";

/// Only what moves: all else was fixed when the payment was made.
const UPDATE: &str = "UPDATE payments SET status = ?2, open = ?3, in_doubt = ?4, \
    authorized = ?5, captured = ?6, released = ?7, refunded = ?8, pending = ?9, operations = ?10, \
    card = ?11, checks = ?12, capture_before = ?13, next_action = ?14, failure = ?15, last_failure = ?16, \
    provider = ?17, provider_reference = ?18, observed_at = ?19, observed_from = ?20, contradiction = ?21, \
    updated_at = ?22, events = ?23, version = ?24, last_event = coalesce(?25, last_event) WHERE id = ?1";

/// Whether the guard on references holds it: more is to come, nobody knows, or the provider says otherwise.
fn open(payment: &Payment) -> bool {
    payment.status.open() || payment.in_doubt() || payment.contradiction.is_some()
}

/// What no payment may be, whether it is about to be written or was just read.
pub(super) fn check(payment: &Payment) -> Result<(), Fault> {
    let sums = [payment.amount.minor(), payment.authorized, payment.captured, payment.released, payment.refunded];
    let held = payment.captured.checked_add(payment.released).is_some_and(|used| used <= payment.authorized);
    let pending = payment.pending.iter().all(|pending| pending.amount >= 0);
    if sums.iter().all(|sum| *sum >= 0) && held && pending {
        return Ok(());
    }
    Err(Fault::Corrupt(format!("the sums of {} cannot be: {sums:?}", payment.id)))
}

/// Writes a new payment, whose latest event stands at `last_event`.
pub(super) fn insert(
    connection: &Connection,
    words: &mut Interner,
    payment: &Payment,
    last_event: Option<i64>,
) -> rusqlite::Result<()> {
    let decided = &payment.decided;
    let mut cell = |word: Word| words.cell(connection, word);
    let merchant = cell(Word::Merchant(payment.merchant.clone()))?;
    let order_type = cell(Word::OrderType(payment.order_type.clone()))?;
    let rule = cell(Word::Text(decided.rule.clone()))?;
    let rules_version = cell(Word::Text(decided.rules_version.clone()))?;
    let channel = decided.channel.clone().map(|channel| cell(Word::Channel(channel))).transpose()?;
    let reason = cell(Word::Text(decided.reason.clone()))?;
    let snapshot = cell(Word::Bytes(decided.snapshot.clone()))?;
    let offer = cell(Word::Bytes(decided.offer.clone()))?;
    let provider = payment.provider.clone().map(|provider| cell(Word::Text(provider))).transpose()?;
    connection.prepare_cached(INSERT)?.execute(params![
        payment.id.uuid().as_bytes(),
        merchant,
        number::of_mode(payment.mode),
        number::of_status(payment.status),
        open(payment),
        payment.in_doubt(),
        payment.amount.minor(),
        payment.amount.currency().code(),
        payment.authorized,
        payment.captured,
        payment.released,
        payment.refunded,
        pack_pending(&payment.pending),
        pack_operations(&payment.operations),
        payment.country.code(),
        order_type,
        payment.reference,
        payment.method.name(),
        number::of_capture(payment.capture),
        payment.card.as_ref().map(pack_card),
        payment.checks.as_ref().map(pack_checks),
        payment.capture_before.map(|at| at.0),
        payment.next_action.as_ref().map(pack_next_action),
        payment.failure.as_ref().map(pack_failure),
        payment.last_failure.as_ref().map(pack_failure),
        rule,
        rules_version,
        channel,
        reason,
        snapshot,
        offer,
        decided.route.map(|route| route.uuid().into_bytes()),
        provider,
        payment.provider_reference,
        payment.observed.map(|(at, _)| at.0),
        payment.observed.map(|(_, from)| number::of_source(from)),
        payment.contradiction,
        payment.statement_descriptor,
        payment.description,
        payment.customer,
        pack_metadata(&payment.metadata),
        payment.allow_duplicate_reference,
        payment.created_at.0,
        payment.updated_at.0,
        payment.events,
        payment.version.saturating_add(1),
        last_event,
        payment.webhook_endpoint.map(|endpoint| endpoint.uuid().into_bytes()),
    ])?;
    Ok(())
}

/// Writes what moved of a payment that stands; `last_event` where there is a later one than before.
pub(super) fn update(
    connection: &Connection,
    words: &mut Interner,
    payment: &Payment,
    last_event: Option<i64>,
) -> rusqlite::Result<()> {
    let provider: Option<Cell> =
        payment.provider.clone().map(|provider| words.cell(connection, Word::Text(provider))).transpose()?;
    connection.prepare_cached(UPDATE)?.execute(params![
        payment.id.uuid().as_bytes(),
        number::of_status(payment.status),
        open(payment),
        payment.in_doubt(),
        payment.authorized,
        payment.captured,
        payment.released,
        payment.refunded,
        pack_pending(&payment.pending),
        pack_operations(&payment.operations),
        payment.card.as_ref().map(pack_card),
        payment.checks.as_ref().map(pack_checks),
        payment.capture_before.map(|at| at.0),
        payment.next_action.as_ref().map(pack_next_action),
        payment.failure.as_ref().map(pack_failure),
        payment.last_failure.as_ref().map(pack_failure),
        provider,
        payment.provider_reference,
        payment.observed.map(|(at, _)| at.0),
        payment.observed.map(|(_, from)| number::of_source(from)),
        payment.contradiction,
        payment.updated_at.0,
        payment.events,
        payment.version.saturating_add(1),
        last_event,
    ])?;
    Ok(())
}

/// The position of its latest event.
pub(super) fn last_event(connection: &Connection, id: PaymentId) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT last_event FROM payments WHERE id = ?1")?;
    Ok(statement.query_row([id.uuid().as_bytes()], |row| row.get(0)).optional()?.flatten())
}

/// The version the ledger holds.
pub(super) fn version(connection: &Connection, id: PaymentId) -> rusqlite::Result<Option<u32>> {
    connection
        .prepare_cached("SELECT version FROM payments WHERE id = ?1")?
        .query_row([id.uuid().as_bytes()], |row| row.get(0))
        .optional()
}

/// An open payment of the merchant (by its number), mode and reference.
pub(super) fn open_reference(view: View<'_>, merchant: i64, payment: &Payment) -> Result<Option<PaymentId>, Fault> {
    let sql = "SELECT id FROM payments INDEXED BY payments_open \
               WHERE open = 1 AND reference = ?1 AND merchant = ?2 AND mode = ?3 LIMIT 1";
    let mut statement = view.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![payment.reference, merchant, number::of_mode(payment.mode)])?;
    match rows.next()? {
        Some(row) => Columns::new(row, view).id().map(PaymentId::from_uuid).map(Some),
        None => Ok(None),
    }
}

/// The payment as it stands.
pub(super) fn read(view: View<'_>, id: PaymentId) -> Result<Option<Payment>, Fault> {
    let mut statement = view.connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([id.uuid().as_bytes()])?;
    match rows.next()? {
        Some(row) => from_row(Columns::new(row, view)).map(Some),
        None => Ok(None),
    }
}

fn from_row(mut columns: Columns<'_>) -> Result<Payment, Fault> {
    let c = &mut columns;
    let id = PaymentId::from_uuid(c.id()?);
    let (merchant, mode) = (c.merchant()?, c.mode()?);
    let status = c.number(number::status)?;
    let (marked_open, marked_in_doubt) = (c.flag()?, c.flag()?);
    let minor = c.amount()?;
    let currency = c.named(Currency::from_code)?;
    let payment = Payment {
        id,
        merchant,
        mode,
        status,
        amount: Money::new(minor, currency).ok_or_else(|| c.nonsense("negative"))?,
        authorized: c.amount()?,
        captured: c.amount()?,
        released: c.amount()?,
        refunded: c.amount()?,
        pending: c.packed(unpack_pending)?.unwrap_or_default(),
        operations: c.packed(unpack_operations)?.unwrap_or_default(),
        country: c.named(Country::from_code)?,
        order_type: c.order_type()?,
        reference: c.text()?.to_owned(),
        method: c.named(Method::from_name)?,
        capture: c.number::<CaptureMode>(number::capture)?,
        card: c.packed(unpack_card)?,
        checks: c.packed(unpack_checks)?,
        capture_before: c.optional_timestamp()?,
        next_action: c.packed(unpack_next_action)?,
        failure: c.packed(unpack_failure)?,
        last_failure: c.packed(unpack_failure)?,
        decided: Decided {
            rule: c.shared_text()?,
            rules_version: c.shared_text()?,
            channel: c.optional_channel()?,
            reason: c.shared_text()?,
            snapshot: c.shared_bytes()?,
            offer: c.shared_bytes()?,
            route: c.optional_id()?.map(RouteId::from_uuid),
        },
        provider: c.optional_shared_text()?,
        provider_reference: c.optional_string()?,
        observed: match (c.optional_timestamp()?, c.optional_number(number::source)?) {
            (Some(at), Some(from)) => Some((at, from)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(c.nonsense("half of what was observed")),
        },
        contradiction: c.optional_string()?,
        statement_descriptor: c.optional_string()?,
        description: c.optional_string()?,
        customer: c.optional_string()?,
        metadata: c.packed(unpack_metadata)?.unwrap_or_default(),
        allow_duplicate_reference: c.flag()?,
        created_at: c.timestamp()?,
        updated_at: c.timestamp()?,
        events: c.small()?,
        version: c.small()?,
        webhook_endpoint: c.optional_id()?.map(EndpointId::from_uuid),
    };
    check(&payment)?;
    if (marked_open, marked_in_doubt) != (open(&payment), payment.in_doubt()) {
        return Err(Fault::Corrupt(format!("{id} is not as open as its row says")));
    }
    Ok(payment)
}

fn pack_pending(pending: &[Pending]) -> Option<Vec<u8>> {
    if pending.is_empty() {
        return None;
    }
    let mut packer = Packer::new();
    for one in pending {
        packer.id(one.operation.uuid());
        packer.byte(u8::try_from(number::of_kind(one.kind)).unwrap_or(u8::MAX));
        packer.byte(u8::from(one.in_doubt) | if one.last { 2 } else { 0 });
        packer.number(u64::try_from(one.amount).unwrap_or(u64::MAX));
    }
    Some(packer.finish())
}

fn unpack_pending(unpacker: &mut Unpacker<'_>) -> Option<Vec<Pending>> {
    let mut pending = Vec::new();
    while !unpacker.is_empty() {
        let operation = OperationId::from_uuid(unpacker.id()?);
        let kind = number::kind(unpacker.byte()?.into())?;
        let flags = unpacker.byte()?;
        let amount = i64::try_from(unpacker.number()?).ok()?;
        if flags > 3 {
            return None;
        }
        pending.push(Pending { operation, kind, amount, in_doubt: flags & 1 != 0, last: flags & 2 != 0 });
    }
    Some(pending)
}

fn pack_operations(operations: &[OperationId]) -> Option<Vec<u8>> {
    if operations.is_empty() {
        return None;
    }
    let mut packer = Packer::new();
    for operation in operations {
        packer.id(operation.uuid());
    }
    Some(packer.finish())
}

fn unpack_operations(unpacker: &mut Unpacker<'_>) -> Option<Vec<OperationId>> {
    let mut operations = Vec::new();
    while !unpacker.is_empty() {
        operations.push(OperationId::from_uuid(unpacker.id()?));
    }
    Some(operations)
}

pub(super) fn pack_card(card: &CardFacts) -> Vec<u8> {
    let mut packer = Packer::new();
    packer.optional_text(card.brand.as_deref());
    packer.optional_text(card.last4.as_deref());
    packer.finish()
}

pub(super) fn unpack_card(unpacker: &mut Unpacker<'_>) -> Option<CardFacts> {
    Some(CardFacts { brand: unpacker.optional_text()?, last4: unpacker.optional_text()? })
}

pub(super) fn pack_checks(checks: &Checks) -> Vec<u8> {
    let mut packer = Packer::new();
    packer.optional_text(checks.cvc.as_deref());
    packer.optional_text(checks.avs_line.as_deref());
    packer.optional_text(checks.avs_postal.as_deref());
    packer.finish()
}

pub(super) fn unpack_checks(unpacker: &mut Unpacker<'_>) -> Option<Checks> {
    Some(Checks {
        cvc: unpacker.optional_text()?,
        avs_line: unpacker.optional_text()?,
        avs_postal: unpacker.optional_text()?,
    })
}

pub(super) fn pack_next_action(action: &NextAction) -> Vec<u8> {
    let mut packer = Packer::new();
    match action {
        NextAction::Redirect { url, expires_at } => {
            packer.byte(0);
            packer.text(url);
            if let Some(at) = expires_at {
                packer.signed(at.0);
            }
        }
    }
    packer.finish()
}

pub(super) fn unpack_next_action(unpacker: &mut Unpacker<'_>) -> Option<NextAction> {
    match unpacker.byte()? {
        0 => {
            let url = unpacker.text()?.to_owned();
            let expires_at = if unpacker.is_empty() { None } else { Some(Timestamp(unpacker.signed()?)) };
            Some(NextAction::Redirect { url, expires_at })
        }
        _ => None,
    }
}

fn pack_metadata(metadata: &[(String, String)]) -> Option<Vec<u8>> {
    if metadata.is_empty() {
        return None;
    }
    let mut packer = Packer::new();
    for (key, value) in metadata {
        packer.text(key);
        packer.text(value);
    }
    Some(packer.finish())
}

fn unpack_metadata(unpacker: &mut Unpacker<'_>) -> Option<Vec<(String, String)>> {
    let mut metadata = Vec::new();
    while !unpacker.is_empty() {
        metadata.push((unpacker.text()?.to_owned(), unpacker.text()?.to_owned()));
    }
    Some(metadata)
}
