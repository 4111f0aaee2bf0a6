//! The capability record says something sensible about everything.

use std::time::Duration;

use switchyard_core::capabilities::{MethodCapability, Parts, Which};

use super::{Case, everybody};
use crate::example::{Example, currency};

pub(super) const CASES: &[Case] = &[
    Case { name: "record: provider, version, base and account have names", asked_of: everybody, run: names },
    Case { name: "record: each method once, with operations that go together", asked_of: everybody, run: methods },
    Case { name: "record: look-ups have a way, a schedule and an end", asked_of: everybody, run: look_ups },
];

fn names(example: &Example) {
    let capabilities = example.provider.capabilities();
    assert!(!capabilities.provider.is_empty() && !capabilities.api_version.is_empty());
    let base = example.provider.base();
    assert!(base.starts_with("https://") || base.starts_with("http://"), "{base}");
    assert!(!base.ends_with('/'), "{base}");
    let account = example.provider.account();
    assert!(!account.is_empty());
    for secret in example.secrets {
        assert!(!account.contains(secret) && !base.contains(secret), "the account's name is a secret");
        for (name, value) in example.provider.publishable() {
            assert!(!name.is_empty() && !value.is_empty() && !value.contains(secret), "{name} is a secret");
        }
    }
}

fn methods(example: &Example) {
    let capabilities = example.provider.capabilities();
    assert!(!capabilities.methods.is_empty());
    for row in &capabilities.methods {
        let same = |other: &&MethodCapability| (other.method, other.direction) == (row.method, row.direction);
        assert_eq!(capabilities.methods.iter().filter(same).count(), 1, "{} stands there twice", row.method);
        assert!(row.method.directions().contains(&row.direction), "{} does not go that way", row.method);
        assert!(row.manual_capture || row.sale, "{} can do nothing", row.method);
        assert_eq!(row.manual_capture, row.captures != Parts::No, "{}: what is held can be captured", row.method);
        assert!(row.manual_capture || !row.void, "{}: only what is held can be let go", row.method);
        assert!(!holds_nothing(&row.currencies) && !holds_nothing(&row.countries), "{}: an empty list", row.method);
        for range in &row.amounts {
            assert!(range.min >= 1 && range.step >= 1, "{}: {range:?}", row.method);
            assert!(range.max.is_none_or(|max| max >= range.min), "{}: {range:?}", row.method);
            assert!(row.currencies.holds(&range.currency), "{}: {range:?}", row.method);
            let same = row.amounts.iter().filter(|other| other.currency == range.currency);
            assert_eq!(same.count(), 1, "{}: {} has two ranges", row.method, range.currency);
        }
    }
    assert!(capabilities.methods.iter().any(|row| row.currencies.holds(&currency(example.currency))));
}

fn holds_nothing<T>(which: &Which<T>) -> bool {
    match which {
        Which::All => false,
        Which::Only(values) => values.is_empty(),
    }
}

fn look_ups(example: &Example) {
    let look_up = &example.provider.capabilities().look_up;
    assert!(look_up.by_our_reference || look_up.by_their_reference, "what is in doubt has to be looked up");
    assert!(look_up.by_our_reference || !look_up.complete, "only our own reference proves that there is nothing");
    assert!(look_up.schedule.first().is_some_and(|first| *first > Duration::ZERO), "it asks for ever at once");
    assert!(look_up.schedule.is_sorted(), "it asks more and more often");
    assert!(look_up.schedule.last().is_some_and(|last| look_up.longest_silence > *last));
}
