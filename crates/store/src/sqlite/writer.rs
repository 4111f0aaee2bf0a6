//! The one connection that writes: groups of commands, each checked first and written after.

use super::checkpoint::write_back;
use super::columns::View;
use super::dictionary::{Interner, Word};
use super::doom::Doom;
use super::fault::{Fault, lost_sync, unavailable};
use super::settings::{Group, Observe, Settings};
use super::stats::Stats;
use super::{account, administration, event, operation, payment, records, reserved, retention, webhook};
use crate::webhooks::WebhookWrite;
use crate::{AccountUse, Administer, Audit, Begin, Begun, Conclude, KeptRules, Postpone, StoreError, Written};
use rusqlite::Connection;
use rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY;
use rusqlite::hooks::Wal;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use switchyard_core::id::KeyId;
use switchyard_core::{Route, Timestamp};

/// What a transaction may do.
pub(super) enum Command {
    Begin(Box<Begin>),
    Conclude(Box<Conclude>),
    Postpone(Postpone),
    Administer(Box<Administer>, Box<Audit>),
    /// Idempotency keys that have served their time.
    Forget(Vec<[u8; 16]>),
    /// A decision made before its payment.
    Reserve(Box<Route>),
    /// Those that expired before a moment, of the oldest.
    ForgetRoutes {
        before: Timestamp,
        limit: u32,
    },
    KeepRules(Box<KeptRules>),
    /// Webhook endpoints and deliveries.
    Webhook(Box<WebhookWrite>),
    /// When API keys were used last.
    NoteUses(Vec<(KeyId, Timestamp)>),
    /// Accounts that no payment needs.
    KeepFree(Vec<AccountUse>),
    /// Raw SQL, for tests that break things.
    #[cfg(feature = "suite")]
    Sql(String),
}

/// What became of it.
pub(super) enum Outcome {
    Begun(Begun),
    Written(Written),
}

pub(super) type Answered = Result<Outcome, StoreError>;

/// Why nothing of a group was written.
enum GroupFailed {
    /// A statement failed; the commands may still do one by one.
    Write(rusqlite::Error),
    /// It was not to be begun or committed.
    Whole(rusqlite::Error),
}

/// What a check brought.
enum Checked {
    /// It may be written; a conclusion's operation may have got its answer before.
    Fits { answered: bool },
    /// Nothing of it is written.
    Refused(Outcome),
}

impl Checked {
    const STALE: Self = Self::Refused(Outcome::Written(Written::Stale));
}

pub(super) struct Writer {
    connection: Connection,
    words: Interner,
    stats: Arc<Stats>,
    doom: Arc<Doom>,
    observe: Option<Observe>,
}

impl Writer {
    pub(super) fn new(
        mut connection: Connection,
        words: Interner,
        stats: Arc<Stats>,
        settings: &Settings,
    ) -> rusqlite::Result<Self> {
        let seen = Arc::clone(&stats);
        connection.wal_hook(Some(move |_: &mut Wal, pages: std::ffi::c_int| {
            seen.wal_pages.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let doom = Arc::new(Doom::new(Arc::clone(&settings.fatal)));
        Ok(Self { connection, words, stats, doom, observe: settings.observe.clone() })
    }

    /// Pages in the log after the latest commit.
    pub(super) fn log_pages(&self) -> u64 {
        self.stats.wal_pages.load(Ordering::Relaxed)
    }

    /// Writes the rest of the log back, so that it starts anew with the next commit unless somebody still reads it.
    pub(super) fn write_back(&self) {
        if write_back(&self.connection, &self.stats, &self.doom) == Some(0) {
            self.stats.wal_pages.store(0, Ordering::Relaxed);
        }
    }

    /// For all who may find out that nothing can be written any more.
    pub(super) fn doom(&self) -> Arc<Doom> {
        Arc::clone(&self.doom)
    }

    pub(super) fn view(&self) -> View<'_> {
        View { connection: &self.connection, dictionary: self.words.durable() }
    }

    /// Runs the commands in one transaction; where one of them breaks it, each in its own. One answer per command.
    /// `timed` measures the commit.
    pub(super) fn run(&mut self, commands: &[Command], timed: &dyn Fn() -> Duration) -> Vec<Answered> {
        if let Some(reason) = self.doom.reason() {
            return commands.iter().map(|_| Err(StoreError::Unavailable(reason.to_owned()))).collect();
        }
        match self.group(commands, timed) {
            Ok(answers) => answers,
            Err(GroupFailed::Write(error)) if commands.len() > 1 && self.doom.reason().is_none() => {
                tracing::warn!(%error, commands = commands.len(), "a group of commands failed, trying them one by one");
                let alone = |command| self.run(std::slice::from_ref(command), timed);
                commands.iter().flat_map(alone).collect()
            }
            Err(GroupFailed::Write(error)) if repeats_id(commands, &error) => {
                vec![Ok(Outcome::Begun(Begun::Stale))]
            }
            Err(GroupFailed::Write(error) | GroupFailed::Whole(error)) => {
                tracing::error!(%error, commands = commands.len(), "the ledger could not write");
                commands.iter().map(|_| Err(unavailable(&error))).collect()
            }
        }
    }

    fn group(&mut self, commands: &[Command], timed: &dyn Fn() -> Duration) -> Result<Vec<Answered>, GroupFailed> {
        let answers = self.transact(commands, timed);
        if let Err(GroupFailed::Write(error) | GroupFailed::Whole(error)) = &answers {
            self.words.rolled_back();
            if lost_sync(error) {
                self.doom.lost_sync(error);
            } else if !self.connection.is_autocommit()
                && let Err(error) = self.connection.execute_batch("ROLLBACK")
            {
                self.doom.tell(&format!("a transaction could not be rolled back: {error}"));
            }
        }
        answers
    }

    fn transact(&mut self, commands: &[Command], timed: &dyn Fn() -> Duration) -> Result<Vec<Answered>, GroupFailed> {
        #[cfg(feature = "crash-points")]
        if super::crash::answers_before_commit() && !self.connection.is_autocommit() {
            self.execute("COMMIT").map_err(GroupFailed::Whole)?;
        }
        self.execute("BEGIN IMMEDIATE").map_err(GroupFailed::Whole)?;
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands {
            answers.push(match self.check(command) {
                Ok(Checked::Fits { answered }) => Ok(self.write(command, answered).map_err(GroupFailed::Write)?),
                Ok(Checked::Refused(outcome)) => Ok(outcome),
                Err(Fault::Corrupt(what)) => Err(StoreError::Corrupt(what)),
                Err(Fault::Sql(error)) => return Err(GroupFailed::Write(error)),
            });
        }
        let start = timed();
        #[cfg(feature = "crash-points")]
        super::crash::before_commit(commands);
        #[cfg(feature = "crash-points")]
        if super::crash::answers_before_commit() {
            return Ok(answers);
        }
        self.execute("COMMIT").map_err(GroupFailed::Whole)?;
        #[cfg(feature = "crash-points")]
        super::crash::after_commit(commands);
        self.words.committed();
        let commit = timed().saturating_sub(start);
        self.stats.committed(commands.len(), commit);
        if let Some(observe) = &self.observe {
            observe(Group { commands: commands.len(), commit });
        }
        Ok(answers)
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Reads only.
    fn check(&self, command: &Command) -> Result<Checked, Fault> {
        let fits = match command {
            Command::Begin(begin) => {
                return Ok(match self.check_begin(begin)? {
                    Some(refused) => Checked::Refused(Outcome::Begun(refused)),
                    None => Checked::Fits { answered: false },
                });
            }
            Command::Conclude(conclude) => return self.check_conclude(conclude),
            Command::Postpone(postpone) => {
                let standing = operation::standing(self.view(), postpone.operation)?;
                standing.is_some_and(|standing| standing.version == postpone.version)
            }
            Command::Administer(command, _) => administration::fits(&self.connection, command)?,
            Command::Forget(_)
            | Command::Reserve(_)
            | Command::ForgetRoutes { .. }
            | Command::KeepRules(_)
            | Command::NoteUses(_)
            | Command::KeepFree(_) => true,
            Command::Webhook(write) => webhook::fits(&self.connection, write)?,
            #[cfg(feature = "suite")]
            Command::Sql(_) => true,
        };
        Ok(if fits { Checked::Fits { answered: false } } else { Checked::STALE })
    }

    fn check_begin(&self, begin: &Begin) -> Result<Option<Begun>, Fault> {
        let view = self.view();
        if let Some(claim) = &begin.claim
            && let Some(claimed) = operation::claimed(view, claim.key)?
        {
            return Ok(Some(Begun::KeyTaken(Box::new(claimed))));
        }
        payment::check(&begin.payment)?;
        operation::check(&begin.operation)?;
        if begin.operation.version != 0 {
            return Ok(Some(Begun::Stale));
        }
        if begin.payment.version != 0 {
            let seen = payment::version(&self.connection, begin.payment.id)?;
            return Ok((seen != Some(begin.payment.version)).then_some(Begun::Stale));
        }
        if !begin.payment.allow_duplicate_reference
            && let Some(merchant) = self.words.number(&Word::Merchant(begin.payment.merchant.clone()))
            && let Some(open) = payment::open_reference(view, merchant, &begin.payment)?
        {
            return Ok(Some(Begun::ReferenceOpen(open)));
        }
        Ok(None)
    }

    fn check_conclude(&self, conclude: &Conclude) -> Result<Checked, Fault> {
        payment::check(&conclude.payment)?;
        operation::check(&conclude.operation)?;
        let standing = operation::standing(self.view(), conclude.operation.id)?;
        let fits = standing.filter(|standing| {
            standing.version == conclude.operation.version
                && standing.payment == conclude.payment.id
                && standing.payment_version == conclude.payment.version
        });
        Ok(fits.map_or(Checked::STALE, |standing| Checked::Fits { answered: standing.answered }))
    }

    /// Writes only: every check has passed.
    fn write(&mut self, command: &Command, answered: bool) -> rusqlite::Result<Outcome> {
        match command {
            Command::Begin(begin) => self.write_begin(begin),
            Command::Conclude(conclude) => self.write_conclude(conclude, answered),
            Command::Postpone(command) => {
                operation::postpone(&self.connection, command)?;
                Ok(Outcome::Written(Written::Done))
            }
            Command::Administer(command, audit) => {
                administration::write(&self.connection, command, audit)?;
                Ok(Outcome::Written(Written::Done))
            }
            Command::Forget(keys) => {
                retention::forget(&self.connection, keys)?;
                Ok(Outcome::Written(Written::Done))
            }
            Command::Reserve(route) => {
                reserved::insert(&self.connection, &mut self.words, route)?;
                Ok(Outcome::Written(Written::Done))
            }
            Command::ForgetRoutes { before, limit } => {
                reserved::forget(&self.connection, *before, *limit)?;
                Ok(Outcome::Written(Written::Done))
            }
            Command::KeepRules(rules) => {
                records::keep(&self.connection, rules)?;
                Ok(Outcome::Written(Written::Done))
            }
            Command::Webhook(write) => {
                webhook::write(&self.connection, &mut self.words, write)?;
                Ok(Outcome::Written(Written::Done))
            }
            Command::NoteUses(uses) => {
                administration::used(&self.connection, uses)?;
                Ok(Outcome::Written(Written::Done))
            }
            Command::KeepFree(accounts) => {
                account::keep_free(&self.connection, accounts)?;
                Ok(Outcome::Written(Written::Done))
            }
            #[cfg(feature = "suite")]
            Command::Sql(sql) => {
                self.connection.execute_batch(sql)?;
                Ok(Outcome::Written(Written::Done))
            }
        }
    }

    fn write_begin(&mut self, begin: &Begin) -> rusqlite::Result<Outcome> {
        let (connection, words) = (&self.connection, &mut self.words);
        let last_event = event::insert(connection, words, (&begin.payment, &begin.operation), &begin.events)?;
        if begin.payment.version == 0 {
            payment::insert(connection, words, &begin.payment, last_event)?;
        } else {
            payment::update(connection, words, &begin.payment, last_event)?;
        }
        let answer = begin.answer.as_ref().map(|answer| operation::insert_answer(connection, answer)).transpose()?;
        operation::insert(connection, words, &begin.operation, begin.claim.as_ref(), answer)?;
        #[cfg(feature = "crash-points")]
        let begin = &super::crash::without_claim(begin);
        if let Some(claim) = &begin.claim {
            operation::insert_claim(connection, claim, begin.operation.id)?;
        }
        Ok(Outcome::Begun(Begun::Done))
    }

    fn write_conclude(&mut self, conclude: &Conclude, answered: bool) -> rusqlite::Result<Outcome> {
        let (connection, words) = (&self.connection, &mut self.words);
        let moved = (&conclude.payment, &conclude.operation);
        let events = conclude.events.as_slice();
        #[cfg(feature = "crash-points")]
        let events = super::crash::some_events(events);
        let last_event = event::insert(connection, words, moved, events)?;
        payment::update(connection, words, &conclude.payment, last_event)?;
        let answer = conclude.answer.as_ref().filter(|_| !answered);
        let answer = answer.map(|answer| operation::insert_answer(connection, answer)).transpose()?;
        operation::update(connection, &conclude.operation, answer)?;
        Ok(Outcome::Written(Written::Done))
    }
}

/// Whether a lone intent was refused because its payment or operation is there already. That ids are new is not checked
/// before: they always are, and looking for each would cost more than trying again costs once.
fn repeats_id(commands: &[Command], error: &rusqlite::Error) -> bool {
    let repeated = error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_CONSTRAINT_PRIMARYKEY);
    repeated && matches!(commands, [Command::Begin(_)])
}
