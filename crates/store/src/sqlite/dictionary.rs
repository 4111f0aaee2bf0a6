//! Repeated values, kept once and named by a small number.
//!
//! The numbers are shared by every thread, and only those that are durable. The writer's [`Interner`] holds back the ones
//! of its open transaction until that is committed; a reader that meets a number it does not know yet finds it in the
//! ledger itself.

use super::fault::Fault;
use super::pack::{Packer, Unpacker};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use switchyard_core::operation::Target;
use switchyard_core::{ChannelName, MerchantName, OrderType};

/// As many words that operators do not choose themselves are kept here, so that memory is bounded; the next ones stand in
/// their rows as they are.
const WORDS_MAX: usize = 16_384;

/// Longer ones stand in their rows as they are, in bytes.
const WORD_BYTES_MAX: usize = 1_024;

/// A repeated value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Word {
    Merchant(MerchantName),
    OrderType(OrderType),
    Channel(ChannelName),
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
    Target(Arc<Target>),
}

impl Word {
    /// Numbers in the ledger: never change one.
    const fn kind(&self) -> i64 {
        match self {
            Self::Merchant(_) => 1,
            Self::OrderType(_) => 2,
            Self::Channel(_) => 3,
            Self::Text(_) => 4,
            Self::Bytes(_) => 5,
            Self::Target(_) => 6,
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Merchant(name) => name.as_str().into(),
            Self::OrderType(name) => name.as_str().into(),
            Self::Channel(name) => name.as_str().into(),
            Self::Text(text) => text.as_bytes().into(),
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Target(target) => {
                let mut packer = Packer::new();
                packer.text(target.channel.as_str());
                packer.text(&target.base);
                packer.text(&target.account);
                packer.finish()
            }
        }
    }

    fn from_bytes(kind: i64, bytes: &[u8]) -> Option<Self> {
        let text = || std::str::from_utf8(bytes).ok();
        match kind {
            1 => MerchantName::new(text()?).map(Self::Merchant),
            2 => OrderType::new(text()?).map(Self::OrderType),
            3 => ChannelName::new(text()?).map(Self::Channel),
            4 => Some(Self::Text(text()?.into())),
            5 => Some(Self::Bytes(bytes.into())),
            6 => Unpacker::whole(bytes, |unpacker| {
                let channel = ChannelName::new(unpacker.text()?)?;
                let base = unpacker.text()?.to_owned();
                let account = unpacker.text()?.to_owned();
                Some(Self::Target(Arc::new(Target { channel, base, account })))
            }),
            _ => None,
        }
    }

    /// As it stands in a row by itself. What operators choose never does: lists filter by its number.
    fn alone(&self) -> Option<(usize, Cell)> {
        match self {
            Self::Text(text) => Some((text.len(), Cell::Text(Arc::clone(text)))),
            Self::Bytes(bytes) => Some((bytes.len(), Cell::Bytes(Arc::clone(bytes)))),
            Self::Merchant(_) | Self::OrderType(_) | Self::Channel(_) | Self::Target(_) => None,
        }
    }
}

/// What stands in a row for a [`Word`].
#[derive(Debug)]
pub(super) enum Cell {
    Number(i64),
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Number(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
            Self::Bytes(bytes) => bytes.to_sql(),
        }
    }
}

/// The durable words, by number and back.
#[derive(Default)]
pub(super) struct Dictionary {
    words: RwLock<Words>,
}

#[derive(Default)]
struct Words {
    by_number: HashMap<i64, Word>,
    numbers: HashMap<Word, i64>,
}

impl Dictionary {
    /// Everything the ledger holds.
    pub(super) fn load(connection: &Connection) -> Result<Self, Fault> {
        let mut words = Words::default();
        let mut statement = connection.prepare("SELECT number, kind, value FROM dictionary")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            let word = read(number, row.get(1)?, row.get_ref(2)?)?;
            words.by_number.insert(number, word.clone());
            words.numbers.insert(word, number);
        }
        Ok(Self { words: RwLock::new(words) })
    }

    /// The number of a word that some durable row may carry.
    pub(super) fn number(&self, word: &Word) -> Option<i64> {
        self.words.read().unwrap_or_else(PoisonError::into_inner).numbers.get(word).copied()
    }

    /// Every account that a durable row may carry.
    pub(super) fn targets(&self) -> Vec<Arc<Target>> {
        let words = self.words.read().unwrap_or_else(PoisonError::into_inner);
        let mut numbered: Vec<(i64, Arc<Target>)> = words.by_number.iter().filter_map(target_of).collect();
        drop(words);
        numbered.sort_unstable_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, target)| target).collect()
    }

    fn word(&self, number: i64) -> Option<Word> {
        self.words.read().unwrap_or_else(PoisonError::into_inner).by_number.get(&number).cloned()
    }

    fn len(&self) -> usize {
        self.words.read().unwrap_or_else(PoisonError::into_inner).numbers.len()
    }

    fn publish(&self, fresh: &mut Vec<(i64, Word)>) {
        let mut words = self.words.write().unwrap_or_else(PoisonError::into_inner);
        for (number, word) in fresh.drain(..) {
            words.by_number.insert(number, word.clone());
            words.numbers.insert(word, number);
        }
    }

    /// The word of a number: from memory, or where it is too new for that from the ledger.
    pub(super) fn resolve(&self, connection: &Connection, number: i64) -> Result<Word, Fault> {
        if let Some(word) = self.word(number) {
            return Ok(word);
        }
        let mut statement = connection.prepare_cached("SELECT kind, value FROM dictionary WHERE number = ?1")?;
        let found = statement.query_row([number], |row| Ok(read(number, row.get(0)?, row.get_ref(1)?))).optional()?;
        found.unwrap_or_else(|| Err(Fault::Corrupt(format!("dictionary has no number {number}"))))
    }
}

fn target_of((number, word): (&i64, &Word)) -> Option<(i64, Arc<Target>)> {
    match word {
        Word::Target(target) => Some((*number, Arc::clone(target))),
        Word::Merchant(_) | Word::OrderType(_) | Word::Channel(_) | Word::Text(_) | Word::Bytes(_) => None,
    }
}

fn read(number: i64, kind: i64, value: ValueRef<'_>) -> Result<Word, Fault> {
    let bytes = value.as_blob_or_null().ok().flatten();
    bytes
        .and_then(|bytes| Word::from_bytes(kind, bytes))
        .ok_or_else(|| Fault::Corrupt(format!("dictionary number {number} is no word of kind {kind}")))
}

/// Gives numbers to words, for the writer.
pub(super) struct Interner {
    durable: Arc<Dictionary>,
    /// Written by the open transaction; a handful at most.
    fresh: Vec<(i64, Word)>,
    next: i64,
}

impl Interner {
    pub(super) fn new(connection: &Connection, durable: Arc<Dictionary>) -> rusqlite::Result<Self> {
        let next = connection.query_row("SELECT coalesce(max(number), 0) + 1 FROM dictionary", [], |row| row.get(0))?;
        Ok(Self { durable, fresh: Vec::new(), next })
    }

    /// The durable words, for reading rows.
    pub(super) fn durable(&self) -> &Dictionary {
        &self.durable
    }

    /// The number of a word that some row may carry, those of the open transaction included.
    pub(super) fn number(&self, word: &Word) -> Option<i64> {
        self.durable
            .number(word)
            .or_else(|| self.fresh.iter().find(|(_, fresh)| fresh == word).map(|&(number, _)| number))
    }

    /// What stands for the word in a row; a new word is written.
    pub(super) fn cell(&mut self, connection: &Connection, word: Word) -> rusqlite::Result<Cell> {
        if let Some(number) = self.number(&word) {
            return Ok(Cell::Number(number));
        }
        let full = || self.durable.len().saturating_add(self.fresh.len()) >= WORDS_MAX;
        if let Some((len, cell)) = word.alone()
            && (len > WORD_BYTES_MAX || full())
        {
            return Ok(cell);
        }
        let number = self.next;
        connection
            .prepare_cached("INSERT INTO dictionary (number, kind, value) VALUES (?1, ?2, ?3)")?
            .execute(params![number, word.kind(), word.to_bytes()])?;
        self.next = number.saturating_add(1);
        self.fresh.push((number, word));
        Ok(Cell::Number(number))
    }

    pub(super) fn committed(&mut self) {
        if !self.fresh.is_empty() {
            self.durable.publish(&mut self.fresh);
        }
    }

    /// The numbers were never seen by anybody, so they may be given again.
    pub(super) fn rolled_back(&mut self) {
        if let Some(&(first, _)) = self.fresh.first() {
            self.next = first;
        }
        self.fresh.clear();
    }
}
