//! Reads a row column by column. Whatever cannot be is a [`Fault::Corrupt`] that names table row and column.

use super::dictionary::{Dictionary, Word};
use super::fault::Fault;
use super::pack::Unpacker;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::sync::Arc;
use switchyard_core::operation::Target;
use switchyard_core::{ChannelName, MerchantName, Mode, OrderType, Timestamp};
use uuid::Uuid;

/// Where rows are read from: a connection, and the dictionary that goes with it.
#[derive(Clone, Copy)]
pub(super) struct View<'c> {
    pub(super) connection: &'c Connection,
    pub(super) dictionary: &'c Dictionary,
}

/// The columns of one row, from the left.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    view: View<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn new(row: &'r Row<'r>, view: View<'r>) -> Self {
        Self { row, view, next: 0 }
    }

    fn value(&mut self) -> Result<ValueRef<'r>, Fault> {
        let value = self.row.get_ref(self.next)?;
        self.next = self.next.saturating_add(1);
        Ok(value)
    }

    /// Says that the column read last makes no sense.
    pub(super) fn nonsense(&self, why: &str) -> Fault {
        let column = self.next.saturating_sub(1);
        let name = self.row.as_ref().column_name(column).unwrap_or("?");
        let row = match self.row.get_ref(0) {
            Ok(ValueRef::Blob(id)) => Uuid::from_slice(id).map(|id| id.simple().to_string()).unwrap_or_default(),
            Ok(ValueRef::Integer(number)) => number.to_string(),
            Ok(ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_)) | Err(_) => String::new(),
        };
        Fault::Corrupt(format!("row {row}: {name}: {why}"))
    }

    pub(super) fn integer(&mut self) -> Result<i64, Fault> {
        self.optional_integer()?.ok_or_else(|| self.nonsense("missing"))
    }

    pub(super) fn optional_integer(&mut self) -> Result<Option<i64>, Fault> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => Err(self.nonsense("not an integer")),
        }
    }

    /// An integer that fits into `T`.
    pub(super) fn small<T: TryFrom<i64>>(&mut self) -> Result<T, Fault> {
        let number = self.integer()?;
        T::try_from(number).map_err(|_| self.nonsense("out of range"))
    }

    /// An amount in minor units, never negative.
    pub(super) fn amount(&mut self) -> Result<i64, Fault> {
        let amount = self.integer()?;
        if amount < 0 { Err(self.nonsense("negative")) } else { Ok(amount) }
    }

    pub(super) fn flag(&mut self) -> Result<bool, Fault> {
        match self.integer()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.nonsense("neither 0 nor 1")),
        }
    }

    /// One of ours, by its number.
    pub(super) fn number<T>(&mut self, read: impl FnOnce(i64) -> Option<T>) -> Result<T, Fault> {
        let number = self.integer()?;
        read(number).ok_or_else(|| self.nonsense(&format!("{number} is unknown")))
    }

    pub(super) fn optional_number<T>(&mut self, read: impl FnOnce(i64) -> Option<T>) -> Result<Option<T>, Fault> {
        let Some(number) = self.optional_integer()? else { return Ok(None) };
        read(number).map(Some).ok_or_else(|| self.nonsense(&format!("{number} is unknown")))
    }

    pub(super) fn mode(&mut self) -> Result<Mode, Fault> {
        self.number(super::number::mode)
    }

    pub(super) fn timestamp(&mut self) -> Result<Timestamp, Fault> {
        self.integer().map(Timestamp)
    }

    pub(super) fn optional_timestamp(&mut self) -> Result<Option<Timestamp>, Fault> {
        Ok(self.optional_integer()?.map(Timestamp))
    }

    pub(super) fn text(&mut self) -> Result<&'r str, Fault> {
        self.optional_text()?.ok_or_else(|| self.nonsense("missing"))
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<&'r str>, Fault> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).map(Some).map_err(|_| self.nonsense("not UTF-8")),
            ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => Err(self.nonsense("not a text")),
        }
    }

    pub(super) fn optional_string(&mut self) -> Result<Option<String>, Fault> {
        Ok(self.optional_text()?.map(str::to_owned))
    }

    /// A text that `read` knows.
    pub(super) fn named<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Fault> {
        let text = self.text()?;
        read(text).ok_or_else(|| self.nonsense(&format!("{text:?} is unknown")))
    }

    pub(super) fn blob(&mut self) -> Result<&'r [u8], Fault> {
        self.optional_blob()?.ok_or_else(|| self.nonsense("missing"))
    }

    pub(super) fn optional_blob(&mut self) -> Result<Option<&'r [u8]>, Fault> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => Err(self.nonsense("not a blob")),
        }
    }

    pub(super) fn bytes<const LEN: usize>(&mut self) -> Result<[u8; LEN], Fault> {
        let bytes = self.blob()?;
        bytes.try_into().map_err(|_| self.nonsense("of another length"))
    }

    pub(super) fn optional_bytes<const LEN: usize>(&mut self) -> Result<Option<[u8; LEN]>, Fault> {
        let Some(bytes) = self.optional_blob()? else { return Ok(None) };
        bytes.try_into().map(Some).map_err(|_| self.nonsense("of another length"))
    }

    pub(super) fn id(&mut self) -> Result<Uuid, Fault> {
        self.bytes().map(Uuid::from_bytes)
    }

    pub(super) fn optional_id(&mut self) -> Result<Option<Uuid>, Fault> {
        Ok(self.optional_bytes()?.map(Uuid::from_bytes))
    }

    /// A packed blob, read to its end; `None` where there is none.
    pub(super) fn packed<T>(&mut self, read: impl FnOnce(&mut Unpacker<'r>) -> Option<T>) -> Result<Option<T>, Fault> {
        let Some(bytes) = self.optional_blob()? else { return Ok(None) };
        Unpacker::whole(bytes, read).map(Some).ok_or_else(|| self.nonsense("does not unpack"))
    }

    fn word(&mut self) -> Result<Option<Word>, Fault> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => self.view.dictionary.resolve(self.view.connection, number).map(Some),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(Word::Text(text.into()))),
                Err(_) => Err(self.nonsense("not UTF-8")),
            },
            ValueRef::Blob(bytes) => Ok(Some(Word::Bytes(bytes.into()))),
            ValueRef::Real(_) => Err(self.nonsense("not a word")),
        }
    }

    fn required<T>(&mut self, read: impl FnOnce(Word) -> Option<T>) -> Result<T, Fault> {
        self.optional(read)?.ok_or_else(|| self.nonsense("missing"))
    }

    fn optional<T>(&mut self, read: impl FnOnce(Word) -> Option<T>) -> Result<Option<T>, Fault> {
        let Some(word) = self.word()? else { return Ok(None) };
        read(word).map(Some).ok_or_else(|| self.nonsense("a word of another kind"))
    }

    pub(super) fn merchant(&mut self) -> Result<MerchantName, Fault> {
        self.required(|word| if let Word::Merchant(name) = word { Some(name) } else { None })
    }

    pub(super) fn order_type(&mut self) -> Result<OrderType, Fault> {
        self.required(|word| if let Word::OrderType(name) = word { Some(name) } else { None })
    }

    pub(super) fn optional_channel(&mut self) -> Result<Option<ChannelName>, Fault> {
        self.optional(|word| if let Word::Channel(name) = word { Some(name) } else { None })
    }

    pub(super) fn optional_target(&mut self) -> Result<Option<Arc<Target>>, Fault> {
        self.optional(|word| if let Word::Target(target) = word { Some(target) } else { None })
    }

    pub(super) fn shared_text(&mut self) -> Result<Arc<str>, Fault> {
        self.optional_shared_text()?.ok_or_else(|| self.nonsense("missing"))
    }

    pub(super) fn optional_shared_text(&mut self) -> Result<Option<Arc<str>>, Fault> {
        self.optional(|word| if let Word::Text(text) = word { Some(text) } else { None })
    }

    pub(super) fn shared_bytes(&mut self) -> Result<Arc<[u8]>, Fault> {
        self.required(|word| if let Word::Bytes(bytes) = word { Some(bytes) } else { None })
    }
}
