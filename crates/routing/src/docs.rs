//! The tables of `docs/routing.md` are what the code says.

use crate::facts::{Brand, Funding, Initiator};
use crate::region;
use crate::rule::Key;
use crate::split::{cost, hash, name_hash};
use crate::{Kind, Reason, Refusal, Severity};
use std::fmt::Write as _;
use std::path::Path;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{Country, Method, Mode, PaymentId};

/// Ties a list to its type: a value that is not in it does not compile.
macro_rules! all {
    ($name:ident, $type:ty, $($pattern:pat => $value:expr, $text:expr;)*) => {
        fn $name() -> Vec<($type, String)> {
            let text = |value: &$type| -> String { match value { $($pattern => $text.to_owned(),)* } };
            [$($value,)*].into_iter().map(|value| { let text = text(&value); (value, text) }).collect()
        }
    };
}

all! { keys, Key,
    Key::OrderType => Key::OrderType, "an order type of `merchants.toml`";
    Key::Region => Key::Region, "a region: built in, or of `[regions]`; of the payer's country";
    Key::Country => Key::Country, "ISO 3166-1, such as `DE`: the payer's, or a payout's destination";
    Key::Currency => Key::Currency, "ISO 4217, such as `EUR`";
    Key::Method => Key::Method, listed(Method::ALL.iter().map(|method| method.name()));
    Key::Merchant => Key::Merchant, "a merchant of `merchants.toml`; one that is added later meets `not_merchant` alone";
    Key::Amount => Key::Amount, "`{ EUR = \"500.00..1000.00\" }`: major units, the start included and the end excluded; or a list of ranges";
    Key::CardBrand => Key::CardBrand, listed(Brand::ALL.iter().map(|brand| brand.as_str()).chain(["absent"]));
    Key::Funding => Key::Funding, listed(Funding::ALL.iter().map(|funding| funding.as_str()).chain(["absent"]));
    Key::IssuerCountry => Key::IssuerCountry, "ISO 3166-1, or `absent`";
    Key::Initiator => Key::Initiator, listed(Initiator::ALL.iter().map(|initiator| initiator.as_str()));
    Key::Capture => Key::Capture, listed([CaptureMode::Automatic, CaptureMode::Manual].iter().map(|mode| mode.as_str()));
}

all! { kinds, Kind,
    Kind::Gap => Kind::Gap, "a payment that no rule decides";
    Kind::Impossible => Kind::Impossible, "a rule whose conditions no payment can meet";
    Kind::Shadowed => Kind::Shadowed, "a rule that decides nothing, since rules before it take all it would";
    Kind::Unservable => Kind::Unservable, "a rule none of whose channels can serve anything it decides";
    Kind::NotOffered => Kind::NotOffered, "a currency or method that no channel has, named by a rule that uses channels";
    Kind::FailedTest => Kind::FailedTest, "a `[[tests]]` that comes out otherwise";
    Kind::TooComplex => Kind::TooComplex, "rules that hang together in so many ways that the proof was given up; it names them";
    Kind::PartlyShadowed => Kind::PartlyShadowed, "a name or bound of a rule that decides nothing, since rules before it take all it would";
    Kind::PartlyImpossible => Kind::PartlyImpossible, "a name or bound that no payment can meet together with the rule's other conditions";
    Kind::PartlyUnservable => Kind::PartlyUnservable, "payments a rule decides that none of its channels can serve";
    Kind::SinglePoint => Kind::SinglePoint, "payments that lose every channel when one channel, or one provider, is down";
}

all! { refusals, Refusal,
    Refusal::Retired => Refusal::Retired, "`retired = true`";
    Refusal::NoCredentials(_) => Refusal::NoCredentials(Mode::Live), "`test`, `live`";
    Refusal::Merchant => Refusal::Merchant, "the merchant's `channels`";
    Refusal::OrderType => Refusal::OrderType, "`order_types`";
    Refusal::Method => Refusal::Method, "`methods`";
    Refusal::Direction => Refusal::Direction, "what the provider can do";
    Refusal::Currency => Refusal::Currency, "`currencies`";
    Refusal::Country => Refusal::Country, "`countries`";
    Refusal::ManualCapture => Refusal::ManualCapture, "what the provider can do";
    Refusal::AutomaticCapture => Refusal::AutomaticCapture, "what the provider can do";
    Refusal::AmountBelow(_) => Refusal::AmountBelow(50), "`limits`, and the provider's own";
    Refusal::AmountAbove(_) => Refusal::AmountAbove(500_000), "`limits`, and the provider's own";
    Refusal::AmountStep(_) => Refusal::AmountStep(100), "what the provider can carry";
    Refusal::NoToken => Refusal::NoToken, "the payment's `tokens`";
}

all! { reasons, Reason,
    Reason::FirstUp => Reason::FirstUp, "`use`";
    Reason::FirstDegraded => Reason::FirstDegraded, "`use`";
    Reason::SplitUp => Reason::SplitUp, "`split`";
    Reason::SplitDegraded => Reason::SplitDegraded, "`split`";
    Reason::Rejected => Reason::Rejected, "`reject`";
    Reason::NoneEligible => Reason::NoneEligible, "`use`, `split`: `failed`, `no_channel_available`";
    Reason::NoneAvailable => Reason::NoneAvailable, "`use`, `split`: `failed`, `no_channel_available`";
    Reason::NoRule => Reason::NoRule, "none: `failed`, `no_channel_available`; the check rules it out";
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn conditions() -> String {
    let mut table = "| condition | and its opposite | values |\n|---|---|---|\n".to_owned();
    let texts = keys();
    assert_eq!(texts.len(), Key::ALL.len());
    for (key, plain, not) in Key::ALL {
        let (_, text) = texts.iter().find(|(known, _)| *known == key).unwrap();
        writeln!(table, "| `{plain}` | `{not}` | {text} |").unwrap();
    }
    table
}

fn findings() -> String {
    let mut table = "| finding | | means |\n|---|---|---|\n".to_owned();
    for (kind, text) in kinds() {
        let severity = match kind.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        writeln!(table, "| `{}` | {severity} | {text} |", kind.as_str()).unwrap();
    }
    table
}

fn eligibility() -> String {
    let mut table = "| the channel ... | comes from |\n|---|---|\n".to_owned();
    for (refusal, text) in refusals() {
        writeln!(table, "| {refusal} | {text} |").unwrap();
    }
    table
}

fn decisions() -> String {
    let mut table = "| `route.reason` | of |\n|---|---|\n".to_owned();
    for (reason, text) in reasons() {
        writeln!(table, "| {} | {text} |", reason.as_str()).unwrap();
    }
    table
}

fn regions() -> String {
    let mut table = "| region | | countries |\n|---|---|---|\n".to_owned();
    for name in region::names() {
        let countries = region::countries(name).unwrap();
        let codes: Vec<&str> = countries.iter().map(Country::code).collect();
        writeln!(table, "| `{name}` | {} | {} |", codes.len(), codes.join(" ")).unwrap();
    }
    table
}

/// The vectors of `split`'s own documentation and some more: who carries a decision out elsewhere can check it with these.
fn vectors() -> String {
    let mut table = "| payment | channel | `h` | `cost` |\n|---|---|---|---|\n".to_owned();
    for (digits, channel) in [
        ("01970000000070008000000000000001", "adyen_eu"),
        ("01970000000070008000000000000001", "stripe_eu"),
        ("01970000000070008000000000000002", "adyen_eu"),
        ("01970000000070008000000000000002", "stripe_eu"),
        ("00000000000000000000000000000000", "eu_main"),
        ("00000000000000000000000000000000", "eu_second"),
        ("ffffffffffffffffffffffffffffffff", "a"),
    ] {
        let payment = PaymentId::parse(&format!("pay_{digits}")).unwrap();
        let h = hash(payment, name_hash(channel));
        writeln!(table, "| `pay_{digits}` | `{channel}` | {h} | {} |", cost(h)).unwrap();
    }
    table
}

/// The page with its tables as they should be.
fn page(stands: &str) -> String {
    let mut page = stands.to_owned();
    for (name, table) in [
        ("conditions", conditions()),
        ("findings", findings()),
        ("eligibility", eligibility()),
        ("reasons", decisions()),
        ("regions", regions()),
        ("vectors", vectors()),
    ] {
        let (start, end) = (format!("<!-- table of {name} -->\n"), "<!-- end of table -->\n");
        let (before, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no `{}`", start.trim()));
        let (_, after) = rest.split_once(end).expect("an end");
        page = format!("{before}{start}\n{table}\n{end}{after}");
    }
    page
}

#[test]
fn the_tables_of_the_guide_are_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/routing.md");
    let stands = std::fs::read_to_string(&path).unwrap();
    let page = page(&stands);
    if std::env::var_os("SWITCHYARD_WRITE_DOCS").is_some() {
        std::fs::write(&path, page).unwrap();
        return;
    }
    for ((stands, wanted), line) in stands.lines().zip(page.lines()).zip(1..) {
        assert_eq!(stands, wanted, "docs/routing.md:{line} is stale; run this test with SWITCHYARD_WRITE_DOCS=1");
    }
    assert_eq!(stands.len(), page.len(), "docs/routing.md is stale; run this test with SWITCHYARD_WRITE_DOCS=1");
}
