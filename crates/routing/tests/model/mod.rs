//! Random vocabularies, rules and payments, and what the rules mean, straight from the definition: the reference that
//! the compiled table, the prover and the diff are measured against.
//!
//! Nothing here shares code with the crate but its public types.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub,
    reason = "test code"
)]

pub mod cells;

use std::fmt::Write as _;
use switchyard_core::capabilities::{AmountRange, Which};
use switchyard_core::method::Direction;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{ChannelName, Country, Currency, MerchantName, Method, Mode, Money, OrderType, PaymentId};
use switchyard_routing::{
    Brand, ChannelSpec, Facts, Funding, Initiator, MerchantSpec, Offer, OrderTypeSpec, Percent, RuleSet, Service,
    Snapshot, Status, Vocabulary,
};

/// How many random cases to try: so many, or as `PROPTEST_CASES` says.
pub fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// A small generator of chance: SplitMix64.
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
    /// True `percent` times of a hundred.
    pub fn in_100(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
    /// One to `most` different ones.
    pub fn some<T: Clone>(&mut self, from: &[T], most: usize) -> Vec<T> {
        let mut left = from.to_vec();
        let count = 1 + self.below(most.min(left.len()));
        (0..count).map(|_| left.remove(self.below(left.len()))).collect()
    }
}

pub fn country(code: &str) -> Country {
    Country::from_code(code).unwrap()
}
pub fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}
pub fn payment_id(chance: &mut Chance) -> PaymentId {
    PaymentId::parse(&format!("pay_{:016x}{:016x}", chance.next(), chance.next())).unwrap()
}

/// The countries that stand for all others, one for each class that the names below tell apart.
pub const COUNTRIES: &[&str] = &["DE", "AT", "FR", "US", "BR", "MX", "JP"];
pub const REGIONS_TOML: &str = "[regions]\ndach = [\"DE\", \"AT\"]\nwest = [\"US\", \"dach\"]\n\n";
pub const COUNTRY_NAMES: &[&str] = &["DE", "AT", "US", "BR"];
pub const CURRENCIES: &[&str] = &["EUR", "JPY", "KWD", "USD"];
pub const METHODS: &[Method] = &[
    Method::Card,
    Method::ApplePay,
    Method::GooglePay,
    Method::Pix,
    Method::PayPal,
    Method::PayoutIban,
    Method::PayoutWallet,
];
pub const MERCHANTS: &[&str] = &["shop_a", "shop_b"];
pub const ANY_OTHER_MERCHANT: &str = "somebody_else";
pub const BRANDS: &[Option<Brand>] = &[None, Some(Brand::Visa), Some(Brand::Jcb)];
pub const FUNDINGS: &[Option<Funding>] = &[None, Some(Funding::Credit), Some(Funding::Prepaid)];
pub const ISSUERS: &[Option<&str>] = &[None, Some("DE"), Some("US"), Some("JP")];
pub const INITIATORS: &[Initiator] = &[Initiator::Customer, Initiator::Merchant];
pub const CAPTURES: &[CaptureMode] = &[CaptureMode::Automatic, CaptureMode::Manual];
/// Amounts between which rules and channels draw their lines.
pub const LINES: &[i64] = &[0, 1, 10, 50, 100, 101, 500, 1_000, 5_000];
pub const AMOUNT_MAX: i64 = switchyard_core::limits::AMOUNT_MINOR_MAX;
pub const ORDER_TYPES: &[(&str, Direction)] =
    &[("ecommerce", Direction::Payin), ("moto", Direction::Payin), ("supplier", Direction::Payout)];

/// A range of minor units, the end excluded; `None` is open.
pub type Bounds = (Option<i64>, Option<i64>);

/// One condition of `when`.
#[derive(Clone, Debug)]
pub struct Condition {
    pub key: &'static str,
    pub negated: bool,
    pub test: Test,
}

#[derive(Clone, Debug)]
pub enum Test {
    Names(Vec<String>),
    /// By currency.
    Amounts(Vec<(&'static str, Vec<Bounds>)>),
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub name: String,
    pub when: Vec<Condition>,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Use(Vec<String>, bool),
    Split(Vec<(String, u32)>),
    Reject(String),
}

impl Action {
    pub fn channels(&self) -> Vec<&str> {
        match self {
            Self::Use(names, _) => names.iter().map(String::as_str).collect(),
            Self::Split(shares) => shares.iter().map(|(name, _)| name.as_str()).collect(),
            Self::Reject(_) => Vec::new(),
        }
    }
}

/// Everything of one random case.
#[derive(Clone, Debug)]
pub struct Case {
    pub vocabulary: Vocabulary,
    /// The keys that rules may ask about; other facts have one value each.
    pub keys: Vec<&'static str>,
    pub rules: Vec<Rule>,
}

pub const ALL_KEYS: &[&str] = &[
    "order_type",
    "region",
    "country",
    "currency",
    "method",
    "merchant",
    "amount",
    "card_brand",
    "funding",
    "issuer_country",
    "initiator",
    "capture",
];

impl Case {
    /// `keys` of the twelve conditions are in play, and `rules` rules.
    pub fn random(chance: &mut Chance, keys: usize, rules: usize) -> Self {
        let mut left = ALL_KEYS.to_vec();
        let keys: Vec<&str> = (0..keys.min(left.len())).map(|_| left.remove(chance.below(left.len()))).collect();
        let vocabulary = vocabulary(chance);
        let mut case = Self { vocabulary, keys, rules: Vec::new() };
        case.rules = (0..rules).map(|at| case.rule(chance, at)).collect();
        if chance.in_100(40) {
            case.rules.push(Rule {
                name: "rest".into(),
                when: Vec::new(),
                action: Action::Reject("no channel".into()),
            });
        }
        case
    }

    pub fn rule(&self, chance: &mut Chance, at: usize) -> Rule {
        let when = self.keys.iter().filter(|_| chance.in_100(45)).copied().collect::<Vec<_>>();
        let when = when.into_iter().map(|key| condition(chance, key)).collect();
        let names: Vec<String> = self.vocabulary.channels.iter().map(|spec| spec.name.to_string()).collect();
        let action = match chance.below(10) {
            0..=4 => Action::Use(chance.some(&names, 4), chance.in_100(40)),
            5..=7 => Action::Split(
                chance.some(&names, 3).into_iter().map(|name| (name, 1 + chance.below(99) as u32)).collect(),
            ),
            _ => Action::Reject(format!("reason {}", chance.below(2))),
        };
        Rule { name: format!("rule-{at}"), when, action }
    }

    pub fn text(&self) -> String {
        let mut text = String::from(REGIONS_TOML);
        self.rules.iter().for_each(|rule| text.push_str(&rule.text()));
        text
    }

    pub fn compile(&self) -> RuleSet {
        let source = switchyard_routing::Source::new("routing.toml", self.text());
        RuleSet::compile(&source, &self.vocabulary).unwrap_or_else(|faults| {
            panic!("{}\n{}", self.text(), faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })
    }

    /// The first rule that the payment meets.
    pub fn first(&self, facts: &Facts) -> Option<usize> {
        self.rules.iter().position(|rule| rule.is_met(facts))
    }

    pub fn spec(&self, name: &str) -> &ChannelSpec {
        self.vocabulary.channels.iter().find(|spec| spec.name.as_str() == name).unwrap()
    }

    /// Whether the channel can serve the payment, token aside or not.
    pub fn is_eligible(&self, name: &str, facts: &Facts, offer: &RawOffer) -> bool {
        let spec = self.spec(name);
        let direction = self.direction(facts);
        let merchant = self.vocabulary.merchants.iter().find(|merchant| merchant.name == facts.merchant);
        let token = match offer {
            RawOffer::Any => true,
            RawOffer::Bare => spec.bare_token,
            RawOffer::Keys(keys) => {
                keys.iter().any(|key| key == name)
                    || keys.iter().any(|key| {
                        *key == spec.provider
                            && !self.vocabulary.channels.iter().any(|other| other.name.as_str() == key)
                    })
            }
        };
        !spec.retired
            && facts.mode.is_none_or(|mode| spec.modes.contains(&mode))
            && merchant.is_none_or(|merchant| merchant.channels.holds(&spec.name))
            && spec.order_types.holds(&facts.order_type)
            && spec.services.iter().any(|service| {
                let limits = service.amounts.iter().find(|range| range.currency == facts.amount.currency());
                service.method == facts.method
                    && Some(service.direction) == direction
                    && service.currencies.holds(&facts.amount.currency())
                    && service.countries.holds(&facts.country)
                    && (direction == Some(Direction::Payout)
                        || match facts.capture {
                            CaptureMode::Automatic => service.sale,
                            CaptureMode::Manual => service.manual_capture,
                        })
                    && limits.is_none_or(|range| {
                        facts.amount.minor() >= range.min
                            && range.max.is_none_or(|max| facts.amount.minor() <= max)
                            && facts.amount.minor() % range.step == 0
                    })
                    && (token || service.hosted)
            })
    }

    pub fn direction(&self, facts: &Facts) -> Option<Direction> {
        self.vocabulary.order_types.iter().find(|spec| spec.name == facts.order_type).map(|spec| spec.direction)
    }

    /// The channels of a rule that can serve the payment whatever their status, in the order it gives them.
    pub fn servable(&self, rule: &Rule, facts: &Facts, offer: &RawOffer) -> Vec<(String, u32)> {
        let mut listed: Vec<(String, u32)> = match &rule.action {
            Action::Use(names, _) => names.iter().map(|name| (name.clone(), 1)).collect(),
            Action::Split(shares) => shares.clone(),
            Action::Reject(_) => Vec::new(),
        };
        if let Action::Use(_, true) = rule.action {
            let is_far = |name: &str| {
                let home = self.spec(name).acquiring_country;
                !(home.is_some() && (home == Some(facts.country) || home == facts.issuer_country))
            };
            listed.sort_by_key(|(name, _)| is_far(name));
        }
        listed.retain(|(name, _)| self.is_eligible(name, facts, offer));
        listed
    }

    /// The decision, straight from the definition: rule, and channel.
    pub fn decide(
        &self,
        facts: &Facts,
        offer: &RawOffer,
        status: &dyn Fn(&str) -> Status,
        id: PaymentId,
    ) -> (Option<usize>, Answer) {
        let Some(at) = self.first(facts) else { return (None, Answer::NoChannel) };
        let rule = &self.rules[at];
        if let Action::Reject(message) = &rule.action {
            return (Some(at), Answer::Rejected(message.clone()));
        }
        let eligible = self.servable(rule, facts, offer);
        let stands = |name: &str, wanted: Status| match status(name) {
            Status::Probing(percent) => wanted == Status::Up && split::probes(id, name, percent.get()),
            Status::Up | Status::Degraded | Status::Down | Status::Disabled => status(name) == wanted,
        };
        for wanted in [Status::Up, Status::Degraded] {
            let fit: Vec<&(String, u32)> = eligible.iter().filter(|(name, _)| stands(name, wanted)).collect();
            if fit.is_empty() {
                continue;
            }
            let chosen = match rule.action {
                Action::Split(_) => split::choose(id, &fit),
                Action::Use(..) | Action::Reject(_) => fit[0].0.clone(),
            };
            return (Some(at), Answer::Channel(chosen));
        }
        (Some(at), Answer::NoChannel)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Channel(String),
    Rejected(String),
    NoChannel,
}

/// The keys of `tokens`.
#[derive(Clone, Debug)]
pub enum RawOffer {
    Any,
    Bare,
    Keys(Vec<String>),
}

impl RawOffer {
    pub fn random(chance: &mut Chance, vocabulary: &Vocabulary) -> Self {
        let mut keys: Vec<String> = vocabulary.channels.iter().map(|spec| spec.name.to_string()).collect();
        keys.extend(vocabulary.channels.iter().map(|spec| spec.provider.clone()));
        match chance.below(8) {
            0..=3 => Self::Any,
            4 => Self::Bare,
            5 => Self::Keys(Vec::new()),
            _ => Self::Keys(chance.some(&keys, 3)),
        }
    }

    pub fn resolve(&self, rules: &RuleSet) -> Offer {
        match self {
            Self::Any => Offer::Any,
            Self::Bare => Offer::Bare,
            Self::Keys(keys) => rules.offer(keys.iter().map(String::as_str)).unwrap(),
        }
    }
}

impl Rule {
    pub fn is_met(&self, facts: &Facts) -> bool {
        self.when.iter().all(|condition| condition.is_met(facts))
    }

    pub fn text(&self) -> String {
        let mut text = format!("[[rules]]\nname = \"{}\"\n", self.name);
        if !self.when.is_empty() {
            let lines: Vec<String> = self.when.iter().map(Condition::text).collect();
            writeln!(text, "when = {{ {} }}", lines.join(", ")).unwrap();
        }
        let quoted = |names: &[String]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        match &self.action {
            Action::Use(names, local) => {
                writeln!(text, "use = [{}]", quoted(names)).unwrap();
                if *local {
                    text.push_str("prefer = \"local\"\n");
                }
            }
            Action::Split(shares) => {
                let shares: Vec<String> = shares.iter().map(|(name, weight)| format!("{name} = {weight}")).collect();
                writeln!(text, "split = {{ {} }}", shares.join(", ")).unwrap();
            }
            Action::Reject(message) => writeln!(text, "reject = \"{message}\"").unwrap(),
        }
        text + "\n"
    }
}

impl Condition {
    pub fn is_met(&self, facts: &Facts) -> bool {
        let covered = match &self.test {
            Test::Names(names) => names.iter().any(|name| is_called(self.key, name, facts)),
            Test::Amounts(listed) => listed.iter().any(|(code, ranges)| {
                facts.amount.currency().code() == *code
                    && ranges.iter().any(|(from, to)| {
                        from.is_none_or(|from| facts.amount.minor() >= from)
                            && to.is_none_or(|to| facts.amount.minor() < to)
                    })
            }),
        };
        covered != self.negated
    }

    fn text(&self) -> String {
        let not = if self.negated { "not_" } else { "" };
        let value = match &self.test {
            Test::Names(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
                format!("[{}]", names.join(", "))
            }
            Test::Amounts(listed) => {
                let listed: Vec<String> = listed
                    .iter()
                    .map(|(code, ranges)| {
                        let major = |minor: Option<i64>| {
                            minor.map_or(String::new(), |minor| Money::new(minor, currency(code)).unwrap().to_major())
                        };
                        let ranges: Vec<String> =
                            ranges.iter().map(|&(from, to)| format!("\"{}..{}\"", major(from), major(to))).collect();
                        format!("{code} = [{}]", ranges.join(", "))
                    })
                    .collect();
                format!("{{ {} }}", listed.join(", "))
            }
        };
        format!("{not}{} = {value}", self.key)
    }
}

/// Whether the name stands for the payment's fact.
pub fn is_called(key: &str, name: &str, facts: &Facts) -> bool {
    match key {
        "order_type" => facts.order_type.as_str() == name,
        "region" => match name {
            "dach" => ["DE", "AT"].contains(&facts.country.code()),
            "west" => ["DE", "AT", "US"].contains(&facts.country.code()),
            builtin => switchyard_routing::region::countries(builtin).unwrap().contains(&facts.country),
        },
        "country" => facts.country.code() == name,
        "currency" => facts.amount.currency().code() == name,
        "method" => facts.method.name() == name,
        "merchant" => facts.merchant.as_str() == name,
        "card_brand" => facts.brand.map_or("absent", Brand::as_str) == name,
        "funding" => facts.funding.map_or("absent", Funding::as_str) == name,
        "issuer_country" => facts.issuer_country.as_ref().map_or("absent", |country| country.code()) == name,
        "initiator" => facts.initiator.as_str() == name,
        "capture" => facts.capture.as_str() == name,
        _ => unreachable!("{key}"),
    }
}

fn condition(chance: &mut Chance, key: &'static str) -> Condition {
    let negated = chance.in_100(25);
    let mut names = |from: &[&str]| Test::Names(chance.some(from, 3).into_iter().map(str::to_owned).collect());
    let test = match key {
        "order_type" => names(&["ecommerce", "moto", "supplier"]),
        "region" => names(&["EU", "dach", "LATAM", "west"]),
        "country" => names(COUNTRY_NAMES),
        "currency" => names(&["EUR", "JPY", "KWD"]),
        "method" => names(&["card", "apple_pay", "pix", "iban"]),
        "merchant" => names(MERCHANTS),
        "card_brand" => names(&["visa", "absent"]),
        "funding" => names(&["credit", "absent"]),
        "issuer_country" => names(&["DE", "US", "absent"]),
        "initiator" => names(&["customer", "merchant"]),
        "capture" => names(&["automatic", "manual"]),
        _ => amounts(chance),
    };
    Condition { key, negated, test }
}

fn amounts(chance: &mut Chance) -> Test {
    let listed = chance.some(&["EUR", "JPY", "KWD"], 2).into_iter().map(|code| {
        let mut cuts = chance.some(LINES, 4);
        cuts.sort_unstable();
        let ranges = match cuts.as_slice() {
            [only] if *only == 0 || chance.in_100(50) => vec![(Some(*only), None)],
            [only] => vec![(None, Some(*only))],
            [from, to] => vec![(Some(*from), Some(*to))],
            [a, b, c] if *a > 0 => vec![(None, Some(*a)), (Some(*b), Some(*c))],
            [_, b, c] => vec![(Some(*b), Some(*c))],
            [a, b, c, d] => vec![(Some(*a), Some(*b)), (Some(*c), Some(*d))],
            _ => unreachable!(),
        };
        (code, ranges)
    });
    Test::Amounts(listed.collect())
}

fn vocabulary(chance: &mut Chance) -> Vocabulary {
    let order_type = |name: &str| OrderType::new(name).unwrap();
    let names = ["alpha", "beta", "gamma", "delta", "acme"];
    let channels: Vec<ChannelSpec> = names[..3 + chance.below(3)]
        .iter()
        .map(|name| ChannelSpec {
            name: ChannelName::new(name).unwrap(),
            provider: chance.pick(&["acme", "globex", "initech"]).to_owned(),
            retired: chance.in_100(5),
            modes: chance.pick(&[vec![Mode::Test, Mode::Live], vec![Mode::Live], vec![Mode::Test]]),
            order_types: if chance.in_100(75) {
                Which::All
            } else {
                Which::Only(chance.some(&["ecommerce", "moto", "supplier"], 2).into_iter().map(order_type).collect())
            },
            acquiring_country: chance.pick(&[None, Some(country("DE")), Some(country("US")), Some(country("BR"))]),
            bare_token: chance.in_100(40),
            services: (0..2 + chance.below(5)).map(|_| service(chance)).collect(),
        })
        .collect();
    let merchants = MERCHANTS
        .iter()
        .map(|name| MerchantSpec {
            name: MerchantName::new(name).unwrap(),
            order_types: if chance.in_100(70) {
                Which::All
            } else {
                Which::Only(chance.some(&["ecommerce", "moto", "supplier"], 2).into_iter().map(order_type).collect())
            },
            channels: if chance.in_100(60) {
                Which::All
            } else {
                Which::Only(chance.some(&channels, 3).into_iter().map(|spec| spec.name).collect())
            },
        })
        .collect();
    let order_types =
        ORDER_TYPES.iter().map(|&(name, direction)| OrderTypeSpec { name: order_type(name), direction }).collect();
    Vocabulary { order_types, merchants, channels }
}

fn service(chance: &mut Chance) -> Service {
    let method =
        chance.pick(&[Method::Card, Method::Card, Method::Card, Method::ApplePay, Method::Pix, Method::PayoutIban]);
    let direction = chance.pick(method.directions());
    let codes = ["EUR", "JPY", "KWD"];
    Service {
        method,
        direction,
        currencies: if chance.in_100(15) {
            Which::All
        } else {
            Which::Only(chance.some(&codes, 3).into_iter().map(currency).collect())
        },
        countries: if chance.in_100(75) {
            Which::All
        } else {
            Which::Only(chance.some(&["DE", "AT", "FR", "US", "BR"], 4).into_iter().map(country).collect())
        },
        amounts: if chance.in_100(35) { Vec::new() } else { amount_ranges(chance, &codes) },
        hosted: chance.in_100(40),
        manual_capture: chance.in_100(75),
        sale: chance.in_100(95),
    }
}

fn amount_ranges(chance: &mut Chance, codes: &[&str]) -> Vec<AmountRange> {
    let codes = chance.some(codes, 3).into_iter();
    codes
        .map(|code| AmountRange {
            currency: currency(code),
            min: chance.pick(&[0, 0, 1, 10, 50, 101, 500]),
            max: chance.pick(&[None, None, Some(100), Some(999), Some(5_000)]),
            step: chance.pick(&[1, 1, 5, 10, 100]),
        })
        .collect()
}

/// A payment that any merchant might send, not only such as make sense.
pub fn facts(chance: &mut Chance) -> Facts {
    let minor = match chance.below(4) {
        0 | 1 => chance.pick(LINES) + chance.below(3) as i64 - 1,
        _ => chance.below(6_000) as i64,
    };
    let merchant = chance.pick(&["shop_a", "shop_b", ANY_OTHER_MERCHANT]);
    let amount = Money::new(minor.max(0), currency(chance.pick(CURRENCIES))).unwrap();
    Facts {
        order_type: OrderType::new(chance.pick(&["ecommerce", "ecommerce", "moto", "supplier", "undeclared"])).unwrap(),
        method: chance.pick(METHODS),
        amount,
        country: country(chance.pick(COUNTRIES)),
        merchant: MerchantName::new(merchant).unwrap(),
        brand: chance.pick(BRANDS),
        funding: chance.pick(FUNDINGS),
        issuer_country: chance.pick(ISSUERS).map(country),
        initiator: chance.pick(INITIATORS),
        capture: chance.pick(CAPTURES),
        mode: chance.pick(&[None, Some(Mode::Test), Some(Mode::Live)]),
    }
}

pub fn statuses(chance: &mut Chance, rules: &RuleSet) -> (std::collections::HashMap<String, Status>, Snapshot) {
    let probing = Status::Probing(Percent::new(1 + chance.below(100) as u8).unwrap());
    let all: Vec<Status> =
        vec![Status::Up, Status::Degraded, Status::Degraded, Status::Down, Status::Disabled, probing];
    let map: std::collections::HashMap<String, Status> =
        rules.channel_names().map(|name| (name.to_string(), chance.pick(&all))).collect();
    let snapshot = rules.snapshot(|name| map[name.as_str()]);
    (map, snapshot)
}

/// The split as the documentation of `switchyard_routing::split` describes it.
mod split {
    use switchyard_core::PaymentId;

    fn mix(z: u64) -> u64 {
        let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn fnv(name: &str) -> u64 {
        name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    fn h(id: PaymentId, seed: u64) -> u64 {
        let uuid = id.uuid().as_u128();
        mix(mix(mix(seed) ^ (uuid >> 64) as u64) ^ uuid as u64)
    }

    fn entry(i: u64) -> u64 {
        if i == 1024 {
            return 1 << 40;
        }
        let mut x: u128 = (1 << 62) + (u128::from(i) << 52);
        let mut log = 0;
        for _ in 0..40 {
            x = (x * x) >> 62;
            log <<= 1;
            if x >= 1 << 63 {
                log |= 1;
                x >>= 1;
            }
        }
        log
    }

    fn cost(h: u64) -> u64 {
        if h == u64::MAX {
            return 0;
        }
        let x = h + 1;
        let place = u64::from(x.ilog2());
        let behind = (u128::from(x) << (63 - place)) as u64 & ((1 << 63) - 1);
        let (low, high) = (entry(behind >> 53), entry((behind >> 53) + 1));
        let r = (behind >> 21) & 0xffff_ffff;
        (64 << 40) - ((place << 40) + low + (((high - low) * r) >> 32))
    }

    pub fn choose(id: PaymentId, channels: &[&(String, u32)]) -> String {
        let price = |row: &&&(String, u32)| (cost(h(id, fnv(&row.0))), u128::from(row.1), fnv(&row.0));
        let best = channels.iter().min_by(|a, b| {
            let (a, b) = (price(a), price(b));
            (u128::from(a.0) * b.1, a.2).cmp(&(u128::from(b.0) * a.1, b.2))
        });
        best.unwrap().0.clone()
    }

    pub fn probes(id: PaymentId, name: &str, percent: u8) -> bool {
        (u128::from(h(id, fnv(name) ^ 0x0070_726f_6265)) * 100) >> 64 < u128::from(percent)
    }
}
