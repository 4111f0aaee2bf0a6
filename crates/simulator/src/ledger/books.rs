//! What can be booked. Each function is one job, or a part of one, inside the batch's transaction.

use rusqlite::{Connection, OptionalExtension as _, Result};

use super::rows::{self, Entry};
use crate::account::Account;
use crate::charge::{Charge, Verdict};
use crate::clock::Millis;
use crate::decline::{Decline, GENERIC};
use crate::error::Refusal;
use crate::fault::Fault;
use crate::id::Object;
use crate::limits::DUE_MAX;
use crate::operation::{Kind, Operation, OperationStatus};
use crate::request::{ChargeRequest, OperationRequest};
use crate::token::{Plan, Special};

/// The ledger, inside its thread.
pub(crate) struct Books {
    pub(super) connection: Connection,
    /// The time of the batch.
    now: Millis,
    /// When the next row falls due.
    next_due: Option<Millis>,
    /// Books already looked up: few accounts are in use at a time.
    known: Vec<(Account, i64)>,
}

/// Whose request, under which key, and what was set for it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) account: Account,
    pub(crate) key: String,
    /// Set by control; goes before what token and amount say of the answer.
    pub(crate) fault: Option<Fault>,
    /// How long what is pending stays so.
    pub(crate) pending_ms: i64,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Made<T> {
    /// Booked now; the answer may have to go wrong.
    New(T, Option<Fault>),
    /// Booked by an earlier request with the same key.
    Again(T),
    /// The key belongs to another request.
    Mismatch,
    /// There is no such charge in these books.
    NoSuchCharge,
    Refused(Refusal),
    /// Left out on purpose.
    Unbooked(Fault),
}

/// A capture, void or refund, and its charge as it stands after it.
pub(crate) type OnCharge = (Operation, Charge);

impl Books {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, now: Millis::default(), next_due: None, known: Vec::new() }
    }

    /// Reads anew what is kept in memory.
    pub(super) fn recall(&mut self) -> Result<()> {
        self.known.clear();
        self.next_due = self.first_due()?;
        Ok(())
    }

    fn first_due(&self) -> Result<Option<Millis>> {
        let due: Option<i64> = self
            .connection
            .prepare_cached("SELECT MIN(due_at) FROM entries WHERE due_at IS NOT NULL")?
            .query_row([], |row| row.get(0))?;
        Ok(due.map(Millis))
    }

    pub(super) fn begin(&mut self, now: Millis) -> Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        self.now = now;
        while self.next_due.is_some_and(|due| due <= now) {
            self.settle_what_is_due()?;
        }
        Ok(())
    }

    pub(super) fn commit(&self) -> Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute([]).map(drop)
    }

    pub(super) fn roll_back(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "the ledger cannot roll back");
        }
        if let Err(error) = self.recall() {
            tracing::error!(%error, "the ledger cannot be read");
        }
    }

    /// Books a charge, once for each key.
    pub(crate) fn charge(&mut self, ask: Request, wanted: ChargeRequest, plan: &Plan) -> Result<Made<Charge>> {
        let book = self.book(&ask.account)?;
        let fault = ask.fault.or(plan.fault);
        if let Some(fault) = fault
            && !fault.books()
        {
            if let Some(entry) = rows::ask_again(&self.connection, book, &ask.key)? {
                return same_charge(entry, &wanted);
            }
            self.leave_out(Object::Charge, book, &ask.key, fault.as_str())?;
            return Ok(Made::Unbooked(fault));
        }
        let mut charge = Charge::open(book, ask.account.mode, ask.key, wanted, plan.outcome, self.now, ask.pending_ms);
        if let Some(number) = rows::insert_charge(&self.connection, &charge)? {
            charge.number = number;
            self.expect(charge.due_at);
            return Ok(Made::New(charge, fault));
        }
        match rows::ask_again(&self.connection, book, &charge.key)? {
            Some(entry) => same_charge(entry, &charge.request),
            None => Err(rusqlite::Error::QueryReturnedNoRows),
        }
    }

    /// Books a capture, void or refund of the charge with this number, once for each key.
    pub(crate) fn operate(
        &mut self,
        ask: Request,
        kind: Kind,
        charge: i64,
        wanted: OperationRequest,
    ) -> Result<Made<OnCharge>> {
        let book = self.book(&ask.account)?;
        if let Some(entry) = rows::ask_again(&self.connection, book, &ask.key)? {
            return self.same_operation(entry, kind, charge, &wanted);
        }
        let Some(mut charge) = self.charge_in(book, charge)? else {
            return Ok(Made::NoSuchCharge);
        };
        let authorized = charge.sums.authorized > 0;
        let held = match charge.reserve(kind, &wanted) {
            Ok(held) => held,
            Err(refusal) => {
                self.leave_out(Object::Operation(kind), book, &ask.key, refusal.as_str())?;
                return Ok(Made::Refused(refusal));
            }
        };
        let special = Special::of(if kind == Kind::Void { charge.request.amount } else { held.amount });
        let (status, failure, fault) = course(special, authorized);
        let fault = ask.fault.or(fault);
        if let Some(fault) = fault
            && !fault.books()
        {
            self.leave_out(Object::Operation(kind), book, &ask.key, fault.as_str())?;
            return Ok(Made::Unbooked(fault));
        }
        let mut operation = Operation {
            number: 0,
            book,
            mode: ask.account.mode,
            key: ask.key,
            kind,
            charge: charge.number,
            currency: charge.request.currency.clone(),
            request: wanted,
            status,
            held,
            failure,
            created_at: self.now,
            due_at: (status == OperationStatus::Pending).then(|| self.now.after(ask.pending_ms)),
        };
        match status {
            OperationStatus::Pending => {}
            OperationStatus::Succeeded => charge.conclude(kind, held, true),
            OperationStatus::Failed => charge.conclude(kind, held, false),
        }
        operation.number =
            rows::insert_operation(&self.connection, &operation)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        rows::update_charge(&self.connection, &charge)?;
        self.expect(operation.due_at);
        Ok(Made::New((operation, charge), fault))
    }

    /// Settles an open charge now.
    pub(crate) fn settle_charge(
        &mut self,
        number: i64,
        verdict: Verdict,
    ) -> Result<Option<std::result::Result<Charge, Refusal>>> {
        let Some(mut charge) = self.any_charge(number)? else {
            return Ok(None);
        };
        if let Err(refusal) = charge.settle(verdict, self.now) {
            return Ok(Some(Err(refusal)));
        }
        rows::update_charge(&self.connection, &charge)?;
        self.expect(charge.due_at);
        Ok(Some(Ok(charge)))
    }

    /// Settles a pending capture, void or refund now.
    pub(crate) fn settle_operation(
        &mut self,
        number: i64,
        succeeds: bool,
    ) -> Result<Option<std::result::Result<OnCharge, Refusal>>> {
        let Some(Entry::Operation(operation)) = rows::by_number(&self.connection, number)? else {
            return Ok(None);
        };
        if operation.status != OperationStatus::Pending {
            return Ok(Some(Err(Refusal::UnexpectedState)));
        }
        Ok(Some(Ok(self.conclude(*operation, succeeds)?)))
    }

    /// A charge of these books with all that belongs to it.
    pub(crate) fn find_charge(&mut self, account: &Account, number: i64) -> Result<Option<(Charge, Vec<Operation>)>> {
        let book = self.book(account)?;
        self.charge_in(book, number)?.map(|charge| self.with_operations(charge)).transpose()
    }

    pub(crate) fn find_operation(&mut self, account: &Account, number: i64) -> Result<Option<OnCharge>> {
        let book = self.book(account)?;
        match rows::by_number(&self.connection, number)? {
            Some(Entry::Operation(operation)) if operation.book == book => self.on_charge(*operation).map(Some),
            Some(Entry::Operation(_) | Entry::Charge(_)) | None => Ok(None),
        }
    }

    /// The numbers of these books' objects of this kind with this reference.
    pub(crate) fn referring(
        &mut self,
        account: &Account,
        object: Object,
        reference: &str,
        limit: u32,
    ) -> Result<Vec<i64>> {
        let book = self.book(account)?;
        rows::by_reference(&self.connection, book, object, reference, limit)
    }

    /// A charge of whatever books.
    pub(crate) fn any_charge(&self, number: i64) -> Result<Option<Charge>> {
        match rows::by_number(&self.connection, number)? {
            Some(Entry::Charge(charge)) => Ok(Some(*charge)),
            Some(Entry::Operation(_)) | None => Ok(None),
        }
    }

    fn charge_in(&self, book: i64, number: i64) -> Result<Option<Charge>> {
        Ok(self.any_charge(number)?.filter(|charge| charge.book == book))
    }

    fn with_operations(&self, charge: Charge) -> Result<(Charge, Vec<Operation>)> {
        let operations = rows::operations_of(&self.connection, charge.number)?;
        Ok((charge, operations))
    }

    fn on_charge(&self, operation: Operation) -> Result<OnCharge> {
        let charge = self.any_charge(operation.charge)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok((operation, charge))
    }

    fn same_operation(
        &self,
        entry: Entry,
        kind: Kind,
        charge: i64,
        wanted: &OperationRequest,
    ) -> Result<Made<OnCharge>> {
        match entry {
            Entry::Operation(operation)
                if operation.kind == kind
                    && operation.charge == charge
                    && rows::normal_form(&operation.request)? == rows::normal_form(wanted)? =>
            {
                self.on_charge(*operation).map(Made::Again)
            }
            Entry::Operation(_) | Entry::Charge(_) => Ok(Made::Mismatch),
        }
    }

    /// Notes a request that was understood and not booked.
    fn leave_out(&self, object: Object, book: i64, key: &str, reason: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO unbooked (object, book, key, reason, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (book, key) DO UPDATE SET asked = asked + 1, object = excluded.object, reason = excluded.reason",
            )?
            .execute((object.as_str(), book, key, reason, self.now.0))
            .map(drop)
    }

    fn conclude(&self, mut operation: Operation, succeeds: bool) -> Result<OnCharge> {
        let mut charge = self.any_charge(operation.charge)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        charge.conclude(operation.kind, operation.held, succeeds);
        (operation.status, operation.failure) = if succeeds {
            (OperationStatus::Succeeded, None)
        } else {
            (OperationStatus::Failed, Some(operation.failure.unwrap_or(GENERIC)))
        };
        operation.due_at = None;
        rows::update_operation(&self.connection, &operation)?;
        rows::update_charge(&self.connection, &charge)?;
        Ok((operation, charge))
    }

    fn settle_what_is_due(&mut self) -> Result<()> {
        let due: Vec<i64> = self
            .connection
            .prepare_cached("SELECT number FROM entries WHERE due_at <= ?1 ORDER BY due_at, number LIMIT ?2")?
            .query_map((self.now.0, DUE_MAX), |row| row.get(0))?
            .collect::<Result<_>>()?;
        for number in due {
            match rows::by_number(&self.connection, number)? {
                Some(Entry::Charge(mut charge)) => {
                    charge.fall_due(self.now);
                    rows::update_charge(&self.connection, &charge)?;
                }
                Some(Entry::Operation(operation)) => {
                    let succeeds = operation.failure.is_none();
                    self.conclude(*operation, succeeds)?;
                }
                None => {}
            }
        }
        self.next_due = self.first_due()?;
        Ok(())
    }

    /// Remembers when a row falls due. A time that is no longer true costs one look too many.
    fn expect(&mut self, due: Option<Millis>) {
        self.next_due = match (self.next_due, due) {
            (Some(next), Some(due)) => Some(next.min(due)),
            (next, due) => next.or(due),
        };
    }

    /// The number of an account's books, which are opened when it is first seen.
    fn book(&mut self, account: &Account) -> Result<i64> {
        if let Some((_, book)) = self.known.iter().find(|(known, _)| known == account) {
            return Ok(*book);
        }
        let found = self
            .connection
            .prepare_cached("SELECT number FROM books WHERE account = ?1 AND mode = ?2")?
            .query_row((&account.name, account.mode), |row| row.get(0))
            .optional()?;
        let book = match found {
            Some(book) => book,
            None => {
                self.connection
                    .prepare_cached("INSERT INTO books (account, mode) VALUES (?1, ?2)")?
                    .execute((&account.name, account.mode))?;
                self.connection.last_insert_rowid()
            }
        };
        self.known.push((account.clone(), book));
        Ok(book)
    }
}

fn same_charge(entry: Entry, wanted: &ChargeRequest) -> Result<Made<Charge>> {
    match entry {
        Entry::Charge(charge) if rows::normal_form(&charge.request)? == rows::normal_form(wanted)? => {
            Ok(Made::Again(*charge))
        }
        Entry::Charge(_) | Entry::Operation(_) => Ok(Made::Mismatch),
    }
}

/// What a special amount does. What is not authorized yet is voided at once.
fn course(special: Option<Special>, authorized: bool) -> (OperationStatus, Option<&'static Decline>, Option<Fault>) {
    match special {
        Some(Special::Fault(fault)) => (OperationStatus::Succeeded, None, Some(fault)),
        Some(Special::Wait) if authorized => (OperationStatus::Pending, None, None),
        Some(Special::WaitThenFail) if authorized => (OperationStatus::Pending, Some(GENERIC), None),
        Some(Special::Fail) if authorized => (OperationStatus::Failed, Some(GENERIC), None),
        Some(Special::Wait | Special::WaitThenFail | Special::Fail) | None => (OperationStatus::Succeeded, None, None),
    }
}

#[cfg(test)]
#[path = "books_tests.rs"]
mod tests;
