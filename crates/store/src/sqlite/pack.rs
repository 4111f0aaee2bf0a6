//! Small values packed into one blob: what SQL never looks into.
//!
//! Numbers are LEB128, texts and lists carry their length in front, a missing text is a length of zero and a present one
//! is its length plus one.

use uuid::Uuid;

/// Writes values one after the other.
#[derive(Default)]
pub(super) struct Packer(Vec<u8>);

impl Packer {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn number(&mut self, mut number: u64) {
        loop {
            // Seven bits fit into a byte.
            let low = u8::try_from(number & 0x7f).unwrap_or_default();
            number >>= 7;
            if number == 0 {
                return self.0.push(low);
            }
            self.0.push(low | 0x80);
        }
    }

    pub(super) fn signed(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    pub(super) fn id(&mut self, id: Uuid) {
        self.0.extend_from_slice(id.as_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(u64::try_from(text.len()).unwrap_or(u64::MAX));
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(super) fn optional_text(&mut self, text: Option<&str>) {
        match text {
            None => self.number(0),
            Some(text) => {
                self.number(u64::try_from(text.len()).unwrap_or(u64::MAX).saturating_add(1));
                self.0.extend_from_slice(text.as_bytes());
            }
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.0.extend_from_slice(bytes);
    }

    /// A moment as its distance from another one, which lies near: small numbers either way take few bytes.
    pub(super) fn span(&mut self, to: i64, from: i64) {
        let span = to.wrapping_sub(from);
        self.number(u64::from_ne_bytes(((span << 1) ^ (span >> 63)).to_ne_bytes()));
    }

    pub(super) fn optional_number(&mut self, number: Option<u32>) {
        self.number(number.map_or(0, |number| u64::from(number).saturating_add(1)));
    }
}

/// Reads them back in the same order. Everything is `None` where the bytes end early or make no sense.
pub(super) struct Unpacker<'b>(&'b [u8]);

impl<'b> Unpacker<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    /// Reads the whole of `bytes` with `read`; bytes left over make no sense.
    pub(super) fn whole<T>(bytes: &'b [u8], read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut unpacker = Self::new(bytes);
        let value = read(&mut unpacker)?;
        unpacker.is_empty().then_some(value)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&byte, tail) = self.0.split_first()?;
        self.0 = tail;
        Some(byte)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64_u32).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let placed = bits.checked_shl(shift)?;
            if placed.checked_shr(shift)? != bits {
                return None;
            }
            number |= placed;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        Some(i64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(super) fn id(&mut self) -> Option<Uuid> {
        Uuid::from_slice(self.take(16)?).ok()
    }

    pub(super) fn text(&mut self) -> Option<&'b str> {
        let len = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(len)?).ok()
    }

    pub(super) fn bytes(&mut self) -> Option<&'b [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        self.take(len)
    }

    pub(super) fn span(&mut self, from: i64) -> Option<i64> {
        let number = self.number()?;
        let half = i64::try_from(number >> 1).ok()?;
        let span = if number & 1 == 0 { half } else { !half };
        Some(from.wrapping_add(span))
    }

    /// The outer `None` is nonsense, the inner one a text that is missing.
    #[expect(clippy::option_option, reason = "nonsense is not the same as nothing")]
    pub(super) fn optional_text(&mut self) -> Option<Option<String>> {
        let Some(len) = self.number()?.checked_sub(1) else { return Some(None) };
        let text = std::str::from_utf8(self.take(usize::try_from(len).ok()?)?).ok()?;
        Some(Some(text.to_owned()))
    }

    /// The outer `None` is nonsense, the inner one a number that is missing.
    #[expect(clippy::option_option, reason = "nonsense is not the same as nothing")]
    pub(super) fn optional_number(&mut self) -> Option<Option<u32>> {
        let Some(number) = self.number()?.checked_sub(1) else { return Some(None) };
        u32::try_from(number).ok().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_reads_back(number: u64, signed: i64, text: String, optional: Option<String>, small: Option<u32>) {
            let mut packer = Packer::new();
            packer.number(number);
            packer.signed(signed);
            packer.text(&text);
            packer.optional_text(optional.as_deref());
            packer.optional_number(small);
            packer.bytes(text.as_bytes());
            packer.span(signed, 1_770_000_000_000);
            let bytes = packer.finish();
            let read = Unpacker::whole(&bytes, |u| {
                let read = (u.number()?, u.signed()?, u.text()?.to_owned(), u.optional_text()?, u.optional_number()?);
                Some((read, u.bytes()?.to_vec(), u.span(1_770_000_000_000)?))
            });
            let bytes = text.clone().into_bytes();
            prop_assert_eq!(read, Some(((number, signed, text, optional, small), bytes, signed)));
        }

        #[test]
        fn nonsense_never_panics(bytes: Vec<u8>) {
            let mut unpacker = Unpacker::new(&bytes);
            let _ = (unpacker.number(), unpacker.text(), unpacker.optional_text(), unpacker.id());
        }
    }
}
