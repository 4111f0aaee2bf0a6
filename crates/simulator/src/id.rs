//! The names of objects and pages. They hold the number of a ledger row, so that none of them needs an index.

use std::fmt::Write as _;

use ring::hmac;

use crate::operation::Kind;

/// Names objects of one ledger. Ids of another ledger are not understood.
#[derive(Debug)]
pub(crate) struct Names {
    /// Tells this ledger's ids from others'.
    salt: u32,
    /// Makes the names of pages unguessable.
    page_key: hmac::Key,
    public_url: String,
}

/// What an id or row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Charge,
    Operation(Kind),
}

impl Object {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Operation(kind) => kind.as_str(),
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        if word == "charge" { Some(Self::Charge) } else { Kind::parse(word).map(Self::Operation) }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Charge => "ch_",
            Self::Operation(Kind::Capture) => "cap_",
            Self::Operation(Kind::Void) => "void_",
            Self::Operation(Kind::Refund) => "re_",
        }
    }
}

impl Names {
    /// `secret` is the ledger's own and stays the same for ever; `public_url` has no slash at its end.
    pub(crate) fn new(secret: &[u8; 32], public_url: String) -> Self {
        let [a, b, c, d, ..] = *secret;
        // The first four bytes are shown in ids: the key is made of the others.
        let key = secret.get(4..).unwrap_or_default();
        Self { salt: u32::from_be_bytes([a, b, c, d]), page_key: hmac::Key::new(hmac::HMAC_SHA256, key), public_url }
    }

    pub(crate) fn id(&self, object: Object, number: i64) -> String {
        format!("{}{:08x}{number:012x}", object.prefix(), self.salt)
    }

    /// The row's number, if `id` is one of this ledger's ids for such an object.
    pub(crate) fn number(&self, object: Object, id: &str) -> Option<i64> {
        let digits = id.strip_prefix(object.prefix())?;
        let number = i64::from_str_radix(digits.get(8..)?, 16).ok()?;
        (self.id(object, number) == id).then_some(number)
    }

    pub(crate) fn page_url(&self, charge: i64) -> String {
        format!("{}/pages/{}", self.public_url, self.page(charge))
    }

    /// The number of the charge whose page this is.
    pub(crate) fn charge_of_page(&self, page: &str) -> Option<i64> {
        let number = i64::from_str_radix(page.strip_prefix("pg_")?.get(..12)?, 16).ok()?;
        (self.page(number) == page).then_some(number)
    }

    fn page(&self, charge: i64) -> String {
        let tag = hmac::sign(&self.page_key, &charge.to_be_bytes());
        let mut page = format!("pg_{charge:012x}");
        for byte in tag.as_ref().iter().take(12) {
            // Writing to a string does not fail.
            let _ = write!(page, "{byte:02x}");
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(salt: u8) -> Names {
        Names::new(&[salt; 32], "http://localhost".into())
    }

    #[test]
    fn an_id_is_read_back_as_what_it_is() {
        let names = names(0x5f);
        let id = names.id(Object::Operation(Kind::Capture), 258);
        assert_eq!(id, "cap_5f5f5f5f000000000102");
        assert_eq!(names.number(Object::Operation(Kind::Capture), &id), Some(258));
        assert_eq!(names.number(Object::Charge, &id), None);
        assert_eq!(names.number(Object::Charge, "ch_5f5f5f5f+00000000102"), None);
        assert_eq!(names.number(Object::Charge, "ch_5f5f5f5f"), None);
        assert_eq!(names.number(Object::Charge, "ch_é"), None);
    }

    #[test]
    fn another_ledger_does_not_know_it() {
        let id = names(1).id(Object::Charge, 7);
        assert_eq!(names(2).number(Object::Charge, &id), None);
    }

    #[test]
    fn a_page_cannot_be_guessed_from_its_charge() {
        let names = names(3);
        let page = names.page(7);
        assert_eq!(names.charge_of_page(&page), Some(7));
        assert_eq!(names.charge_of_page(&page.replace("pg_000000000007", "pg_000000000008")), None);
        assert_eq!(names.charge_of_page("pg_000000000007"), None);
    }
}
