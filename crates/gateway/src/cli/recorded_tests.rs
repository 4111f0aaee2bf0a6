use super::*;
use crate::config::Loaded;
use crate::records::keep;
use crate::records::replay::Replayed;
use switchyard_core::{ChannelName, Country, Method};
use switchyard_engine::{End, Inputs};
use switchyard_routing::source::Source;
use switchyard_routing::{Offer, Status};
use switchyard_store::suite::sample::{Sample, begun, money};
use tempfile::TempDir;

/// A ledger with payments that the built-in rules decided.
struct Bench {
    directory: TempDir,
    loaded: Loaded,
    store: Arc<Sqlite>,
    sample: Sample,
}

impl Bench {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let wanted = Wanted { data: Some(directory.path().to_owned()), sandbox: true, ..Wanted::default() };
        let loaded = config::load(&wanted, &Default::default()).unwrap();
        let StoreUrl::Sqlite(path) = &loaded.settings.store.url;
        let settings = sqlite::Settings::new(path, Arc::new(|reason: &str| panic!("{reason}"))).unsynced();
        let store = Sqlite::open_inline(&settings).unwrap();
        block_on(keep(&*store, &loaded.rules, Timestamp(1))).unwrap().unwrap();
        Self { directory, loaded, store, sample: Sample::new() }
    }

    /// Routed by the rules, with these channels down.
    fn pay(&mut self, country: &str, amount: i64, currency: &str, method: Method, down: &[&str]) -> PaymentId {
        let rules = &self.loaded.rules;
        let mut payment = self.sample.payment();
        (payment.country, payment.method) = (Country::from_code(country).unwrap(), method);
        (payment.amount, payment.capture) = (money(amount, currency), switchyard_core::payment::CaptureMode::Automatic);
        let status = |name: &ChannelName| if down.contains(&name.as_str()) { Status::Down } else { Status::Up };
        payment.decided.snapshot = rules.snapshot(status).as_bytes().into();
        payment.decided.offer = Offer::Bare.to_bytes().into();
        let Inputs { facts, offer, snapshot, seed } = Inputs::of(&payment).unwrap();
        let decision = rules.decide(&facts, &offer, &snapshot, seed);
        payment.decided.rule = decision.rule.unwrap().into();
        payment.decided.rules_version = rules.hash().into();
        payment.decided.channel = decision.channel().cloned();
        payment.decided.reason = decision.reason.as_str().into();
        block_on(begun(&*self.store, self.sample.begin_of(payment))).unwrap().0.id
    }

    fn sql(&self, sql: &str) {
        block_on(self.store.sql(sql)).unwrap().unwrap();
    }

    /// What verifying says, and the lines it prints.
    fn verify(&self) -> (Result<String, Failed>, Vec<String>) {
        let mut lines = Vec::new();
        let found = verified(&*open(&self.loaded.settings).unwrap(), Period::default(), |line| lines.push(line));
        (found, lines)
    }

    fn replay(&self, from: &str, to: &str, examples: usize) -> Replayed {
        let text = self.loaded.rules.source().text();
        assert!(text.contains(from), "{from}");
        let source = Source::new("other.toml", text.replace(from, to));
        let rules = RuleSet::compile(&source, &self.loaded.vocabulary()).unwrap();
        block_on(replay(&*open(&self.loaded.settings).unwrap(), Period::default(), &rules, examples)).unwrap().unwrap()
    }
}

fn channel(name: &str) -> End {
    End::Channel(ChannelName::new(name).unwrap())
}

const EU_CARDS: &str = "use  = [\"simulator_eu\", \"simulator_us\"]";
const US_FIRST: &str = "use  = [\"simulator_us\", \"simulator_eu\"]";

#[test]
fn decisions_come_out_again_and_whatever_was_changed_is_found() {
    let mut bench = Bench::new();
    bench.pay("US", 4_990, "USD", Method::Card, &[]);
    bench.pay("KP", 4_990, "EUR", Method::Card, &[]);
    bench.pay("SE", 4_990, "SEK", Method::Card, &["simulator_eu"]);
    let id = bench.pay("DE", 4_990, "EUR", Method::Card, &["simulator_eu"]);
    assert_eq!(bench.verify(), (Ok("4 decisions of 1 rule sets come out again as they are recorded".into()), vec![]));
    let row = format!("WHERE id = x'{}'", id.uuid().simple());
    for (change, told) in [
        ("channel = NULL", "channel recorded `none`, evaluated again `simulator_us`"),
        ("rule = 'rest'", "rule recorded `rest`, evaluated again `eu-cards`"),
        ("reason = 'a whim'", "reason recorded `a whim`, evaluated again `first channel up`"),
        // All three up: the first of the rule would have got it.
        ("snapshot = x'757575'", "channel recorded `simulator_us`, evaluated again `simulator_eu`"),
        ("snapshot = x'7575'", "snapshot recorded `2 channels`, evaluated again `3 channels`"),
        // No token at all.
        ("offer = x'6e'", "channel recorded `simulator_us`, evaluated again `none`"),
        ("offer = x'7a'", "offer recorded `z`, evaluated again `no offer`"),
        ("country = 'BR'", "rule recorded `eu-cards`, evaluated again `world-cards`"),
        ("rules_version = 'sha256:0'", "the ledger does not have the rules that decided"),
    ] {
        bench.sql(&format!("CREATE TABLE aside AS SELECT * FROM payments {row}; UPDATE payments SET {change} {row}"));
        let (found, lines) = bench.verify();
        assert_eq!(
            found,
            Err(Failed("1 of 4 decisions do not come out again as they are recorded".into())),
            "{change}"
        );
        assert!(lines.len() == 1 && lines[0].starts_with(&format!("{id}: ")) && lines[0].contains(told), "{lines:?}");
        bench.sql(&format!("DELETE FROM payments {row}; INSERT INTO payments SELECT * FROM aside; DROP TABLE aside"));
    }
    bench.sql("UPDATE rules SET source = replace(source, 'embargo', 'embargos')");
    let (found, lines) = bench.verify();
    assert!(found.is_err() && lines.len() == 4 && lines[0].contains("not what their hash says"), "{lines:?}");
    assert!(bench.directory.path().join("switchyard.db").exists());
}

#[test]
fn a_recorded_payment_is_explained_as_it_was() {
    let mut bench = Bench::new();
    let id = bench.pay("DE", 4_990, "EUR", Method::Card, &["simulator_eu"]);
    let wanted = Wanted { data: Some(bench.directory.path().to_owned()), sandbox: true, ..Wanted::default() };
    let text = explain(&id.to_string(), &wanted).unwrap().to_string();
    assert!(text.contains("The payment goes to simulator_us (simulator).\n\n  rule    eu-cards\n"), "{text}");
    assert!(text.contains("simulator_eu is down\n  simulator_us chosen\n"), "{text}");
    assert!(text.contains("status  simulator_eu down, simulator_local up, simulator_us up\n"), "{text}");
    assert!(text.contains("amount 49.90, capture automatic, country DE, currency EUR"), "{text}");
    assert!(text.contains("  eu-cards-large: amount\n") && !text.contains("This is not what is recorded"), "{text}");
    bench.sql("UPDATE payments SET rule = 'rest'");
    let text = explain(&id.to_string(), &wanted).unwrap().to_string();
    assert!(
        text.ends_with("This is not what is recorded:\n  rule recorded `rest`, evaluated again `eu-cards`\n"),
        "{text}"
    );
    let unknown = format!("pay_{}", "0".repeat(32));
    assert_eq!(explain(&unknown, &wanted), Err(Failed("there is no such payment".into())));
    assert!(explain("../keys", &wanted).unwrap_err().0.contains("is not the id of a payment"));
}

#[test]
fn a_replay_counts_what_would_move_and_nothing_else() {
    let mut bench = Bench::new();
    // More than is read at once.
    let ids: Vec<PaymentId> = (1..=700).map(|number| bench.pay("DE", number, "EUR", Method::Card, &[])).collect();
    bench.pay("GB", 1_000, "GBP", Method::Card, &[]);
    // Down then: New York had it, and has it under the others.
    bench.pay("DE", 5_000, "EUR", Method::Card, &["simulator_eu"]);
    // Down then: Dublin has it under either.
    bench.pay("FR", 5_000, "EUR", Method::Card, &["simulator_us"]);
    bench.pay("SY", 7_000, "EUR", Method::Card, &[]);
    let same = bench.replay("is below what any channel takes", "is too small", 2);
    assert_eq!((same.payments, same.moved()), (704, 0));
    let found = bench.replay(&format!("\"PLN\"] }}\n{EU_CARDS}"), &format!("\"PLN\"] }}\n{US_FIRST}"), 2);
    // Those below half a euro are rejected by either.
    let moved = &found.moves[&(channel("simulator_eu"), channel("simulator_us"))];
    let (eur, gbp) = (money(0, "EUR").currency(), money(0, "GBP").currency());
    assert_eq!((found.payments, found.moved(), found.moves.len(), moved.count), (704, 652, 1, 652));
    assert_eq!(moved.value[&eur], (651, (50..=700).sum()));
    assert_eq!(moved.value[&gbp], (1, 1_000));
    assert_eq!(moved.examples, ids[49..51]);
    let text = found.to_string();
    assert!(text.starts_with("652 of 704 payments would end elsewhere.\n"), "{text}");
    assert!(text.contains("652  EUR 2441.25, GBP 10.00\n"), "{text}");
    let lifted = bench.replay("\"KP\", \"SY\"]", "\"KP\"]", 0);
    let moved = &lifted.moves[&(End::Rejected, channel("simulator_us"))];
    assert_eq!((lifted.moved(), moved.count, moved.examples.len()), (1, 1, 0));
    assert_eq!(lifted.json()["moves"][0]["amounts"][0]["amount"], 7_000);
    // Without the rules that decided, nobody knows which channel was which.
    bench.sql("DELETE FROM rules");
    let unkept = bench.replay("\"KP\", \"SY\"]", "\"KP\"]", 0);
    assert_eq!((unkept.moved(), unkept.not_evaluated.values().sum::<u64>()), (0, 704));
}

#[test]
fn periods_are_read_and_what_is_wrong_with_them_is_told_at_once() {
    let now = Timestamp(1_800_000_000_000);
    let week = 7 * 24 * 3_600_000;
    assert_eq!(period(None, None, now), Ok(Period::default()));
    let read = period(Some("7d"), Some("1d"), now).unwrap();
    assert_eq!((read.from, read.to), (Some(Timestamp(now.0 - week)), Some(Timestamp(now.0 - week / 7))));
    let wrong = period(Some("yesterday"), Some("7w"), now).unwrap_err().0;
    assert!(wrong.contains("--since yesterday: ") && wrong.contains("\n--until 7w: "), "{wrong}");
    assert!(period(Some("1d"), Some("7d"), now).is_err());
}
