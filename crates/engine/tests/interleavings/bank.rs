//! A provider with books of its own. Each call has three edges: before its first byte, on its way, and with its answer.

use super::world::World;
use crate::bench::{capabilities, money};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchyard_core::capabilities::Capabilities;
use switchyard_core::clock::Uptime;
use switchyard_core::payment::{CaptureMode, News, Release};
use switchyard_core::provider::{Authorize, Call, Capture, Found, Provider, ProviderError, Reference, Refund, Void};
use switchyard_core::settle::Report;
use switchyard_core::{Failure, FailureCode, OperationId, OperationKind};

/// A charge as the provider has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Charge {
    pub(crate) authorized: i64,
    pub(crate) captured: i64,
    pub(crate) released: i64,
    pub(crate) refunded: i64,
}

impl Charge {
    fn capturable(self) -> i64 {
        self.authorized - self.captured - self.released
    }
}

/// What somebody asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    kind: OperationKind,
    operation: OperationId,
    charge: OperationId,
    amount: i64,
    last: bool,
}

/// The provider's own books.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    pub(crate) charges: BTreeMap<OperationId, Charge>,
    /// What was booked: for which charge, and how much.
    pub(crate) booked: BTreeMap<OperationId, (OperationKind, OperationId, i64)>,
    /// Every request that came in, booked or not.
    pub(crate) asked: Vec<OperationId>,
    /// Requests that have left and not come in.
    pub(crate) flying: BTreeMap<OperationId, Asked>,
}

impl Books {
    /// Does what was asked, or refuses it.
    fn act(&mut self, asked: Asked) -> Result<i64, ()> {
        let Asked { kind, operation, charge, amount, last } = asked;
        self.asked.push(operation);
        if self.booked.contains_key(&operation) {
            return Ok(amount);
        }
        if kind.creates_the_charge() {
            let captured = if kind == OperationKind::Sale { amount } else { 0 };
            self.charges.insert(operation, Charge { authorized: amount, captured, ..Charge::default() });
        }
        let books = self.charges.get_mut(&charge).ok_or(())?;
        let left = books.capturable();
        let (fits, done) = match kind {
            OperationKind::Authorize | OperationKind::Sale => (true, amount),
            OperationKind::Capture => (amount <= left, amount),
            OperationKind::Void => (left > 0, left),
            OperationKind::Refund => (amount <= books.captured - books.refunded, amount),
        };
        if !fits {
            return Err(());
        }
        match kind {
            OperationKind::Authorize | OperationKind::Sale => {}
            OperationKind::Capture => {
                books.captured += amount;
                books.released += if last { left - amount } else { 0 };
            }
            OperationKind::Void => books.released += left,
            OperationKind::Refund => books.refunded += amount,
        }
        self.booked.insert(operation, (kind, charge, done));
        Ok(done)
    }

    /// What was on its way when the gateway died comes in after all.
    pub(crate) fn land(&mut self) {
        for asked in std::mem::take(&mut self.flying).into_values() {
            let _ = self.act(asked);
        }
    }

    fn report(&self, reference: &Reference) -> Option<Report> {
        let &(kind, charge, amount) = self.booked.get(&reference.operation)?;
        let charge = self.charges.get(&charge).copied().unwrap_or_default();
        let approved = |minor| Report::bare(News::Approved(money(minor)));
        Some(match kind {
            OperationKind::Authorize if charge.capturable() > 0 => approved(charge.authorized),
            OperationKind::Authorize if charge.captured > 0 => {
                Report { released: Some(Release::Expired), ..approved(charge.authorized) }
            }
            OperationKind::Authorize => Report::bare(News::Released(Release::Voided)),
            OperationKind::Sale | OperationKind::Capture | OperationKind::Void | OperationKind::Refund => {
                approved(amount)
            }
        })
    }
}

/// The provider, as an adapter speaks to it.
pub(crate) struct Bank {
    pub(crate) world: Arc<World>,
    pub(crate) books: Mutex<Books>,
    /// Tasks whose answers are lost.
    pub(crate) deaf: Mutex<BTreeSet<String>>,
    /// Tasks whose requests are lost.
    pub(crate) mute: Mutex<BTreeSet<String>>,
}

impl Bank {
    pub(crate) fn new(world: &Arc<World>, books: Books) -> Arc<Self> {
        let (books, deaf, mute) = (Mutex::new(books), Mutex::default(), Mutex::default());
        Arc::new(Self { world: Arc::clone(world), books, deaf, mute })
    }

    fn is(&self, tasks: &Mutex<BTreeSet<String>>) -> bool {
        let current = self.world.current();
        tasks.lock().unwrap().iter().any(|name| current == *name || current.starts_with(&format!("{name}.")))
    }

    async fn call(&self, call: &Call<'_>, asked: Asked) -> Result<Report, ProviderError> {
        self.world.step("before the first byte").await;
        if Uptime(Duration::from_millis(self.world.millis())) > call.bounds.send_by {
            self.world.saw("too late");
            return Err(ProviderError::NeverLeft("too late".into()));
        }
        self.books.lock().unwrap().flying.insert(asked.operation, asked);
        self.world.step("on its way").await;
        let mute = self.is(&self.mute);
        let done = {
            let mut books = self.books.lock().unwrap();
            books.flying.remove(&asked.operation);
            if mute { Err(()) } else { books.act(asked) }
        };
        self.world.saw(&format!("{done:?}"));
        self.world.step("its answer").await;
        if mute || self.is(&self.deaf) {
            return Err(ProviderError::NoAnswer("it is lost".into()));
        }
        match done {
            Ok(minor) => Ok(Report::bare(News::Approved(money(minor)))),
            Err(()) => Err(ProviderError::Refused(Box::new(Failure::new(FailureCode::TransactionNotAllowed)))),
        }
    }
}

#[async_trait]
impl Provider for Bank {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(capabilities())
    }

    fn base(&self) -> &str {
        "https://provider.example"
    }

    fn account(&self) -> &str {
        "one"
    }

    async fn authorize(&self, call: &Call<'_>, ask: &Authorize) -> Result<Report, ProviderError> {
        let kind = match ask.capture {
            CaptureMode::Automatic => OperationKind::Sale,
            CaptureMode::Manual => OperationKind::Authorize,
        };
        let (operation, amount) = (ask.operation, ask.amount.minor());
        self.call(call, Asked { kind, operation, charge: operation, amount, last: false }).await
    }

    async fn look_up(&self, _: &Call<'_>, reference: &Reference) -> Result<Found, ProviderError> {
        self.world.step("look-up").await;
        let report = self.books.lock().unwrap().report(reference);
        self.world.saw(&format!("{report:?}"));
        self.world.step("what it found").await;
        Ok(report.map_or(Found::NotFound, |report| Found::Known(Box::new(report))))
    }

    async fn capture(&self, call: &Call<'_>, ask: &Capture) -> Result<Report, ProviderError> {
        let (operation, charge, amount) = (ask.operation, ask.charge.operation, ask.amount.minor());
        self.call(call, Asked { kind: OperationKind::Capture, operation, charge, amount, last: ask.last }).await
    }

    async fn void(&self, call: &Call<'_>, ask: &Void) -> Result<Report, ProviderError> {
        let (operation, charge, amount) = (ask.operation, ask.charge.operation, ask.amount.minor());
        self.call(call, Asked { kind: OperationKind::Void, operation, charge, amount, last: false }).await
    }

    async fn refund(&self, call: &Call<'_>, ask: &Refund) -> Result<Report, ProviderError> {
        let (operation, charge, amount) = (ask.operation, ask.charge.operation, ask.amount.minor());
        self.call(call, Asked { kind: OperationKind::Refund, operation, charge, amount, last: false }).await
    }
}
