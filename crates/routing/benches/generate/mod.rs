//! Rule sets as a large operator has them: 40 channels of 12 providers, 60 currencies, 200 countries, 20 methods, 10 order
//! types, 50 merchants, amounts that overlap. Over 10^8 kinds of payment before amounts.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "made for benchmarks and tests"
)]

use std::fmt::Write as _;
use switchyard_core::capabilities::{AmountRange, Which};
use switchyard_core::method::Direction;
use switchyard_core::{ChannelName, Country, Currency, MerchantName, Method, Mode, Money, OrderType};
use switchyard_routing::{ChannelSpec, Facts, MerchantSpec, OrderTypeSpec, Service, Vocabulary};

pub const CHANNELS: usize = 40;
pub const CURRENCIES: usize = 60;
pub const COUNTRIES: usize = 200;
pub const METHODS: usize = 20;
pub const ORDER_TYPES: usize = 10;
pub const MERCHANTS: usize = 50;

/// SplitMix64.
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
    pub fn in_100(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
    pub fn some<T: Clone>(&mut self, from: &[T], most: usize) -> Vec<T> {
        let mut left = from.to_vec();
        let count = 1 + self.below(most.min(left.len()));
        (0..count).map(|_| left.swap_remove(self.below(left.len()))).collect()
    }
}

/// Sixty currencies that payments are made in.
const CODES: &str = "EUR USD GBP CHF JPY SEK NOK DKK PLN CZK HUF RON BGN ISK TRY ILS AED SAR QAR KWD BHD OMR JOD EGP MAD TND \
                     ZAR NGN KES GHS UGX TZS XOF XAF INR PKR BDT LKR IDR MYR SGD THB VND PHP HKD TWD CNY KRW AUD NZD CAD MXN \
                     BRL ARS CLP COP PEN UYU CRC DOP";

pub fn currencies() -> Vec<Currency> {
    CODES.split_whitespace().map(|code| Currency::from_code(code).unwrap()).take(CURRENCIES).collect()
}

pub fn countries() -> Vec<Country> {
    let mut all: Vec<Country> = Country::all().collect();
    all.sort_unstable();
    let common: Vec<Country> =
        "DE AT CH FR NL BE ES IT GB US BR IN JP SG".split(' ').map(|code| Country::from_code(code).unwrap()).collect();
    all.retain(|country| !common.contains(country));
    common.into_iter().chain(all).take(COUNTRIES).collect()
}

/// Twenty methods, payout destinations among them.
pub fn methods(direction: Direction) -> Vec<Method> {
    let of = |method: &Method| method.directions().contains(&direction);
    let (first, rest): (usize, Direction) = (16, Direction::Payin);
    match direction == rest {
        true => Method::ALL.iter().copied().filter(of).take(first).collect(),
        false => Method::ALL
            .iter()
            .copied()
            .filter(|method| *method != Method::Card)
            .filter(of)
            .take(METHODS - first)
            .collect(),
    }
}

pub fn order_types() -> Vec<(OrderType, Direction)> {
    let direction = |n| if n < 8 { Direction::Payin } else { Direction::Payout };
    (0..ORDER_TYPES).map(|n| (OrderType::new(&format!("kind_{n}")).unwrap(), direction(n))).collect()
}

pub fn vocabulary(chance: &mut Chance) -> Vocabulary {
    let (currencies, countries) = (currencies(), countries());
    let channels = (0..CHANNELS)
        .map(|n| ChannelSpec {
            name: ChannelName::new(&format!("channel_{n:02}")).unwrap(),
            provider: format!("provider_{}", n % 12),
            retired: false,
            modes: vec![Mode::Test, Mode::Live],
            order_types: Which::All,
            acquiring_country: Some(countries[chance.below(20)]),
            bare_token: false,
            services: services(chance, &currencies, &countries),
        })
        .collect();
    let merchants = (0..MERCHANTS)
        .map(|n| MerchantSpec {
            name: MerchantName::new(&format!("merchant_{n:02}")).unwrap(),
            order_types: Which::All,
            channels: Which::All,
        })
        .collect();
    let order_types = order_types().into_iter().map(|(name, direction)| OrderTypeSpec { name, direction }).collect();
    Vocabulary { order_types, merchants, channels }
}

fn services(chance: &mut Chance, currencies: &[Currency], countries: &[Country]) -> Vec<Service> {
    let mut services = Vec::new();
    for direction in [Direction::Payin, Direction::Payout] {
        for method in chance.some(&methods(direction), 8) {
            let of = chance.some(currencies, CURRENCIES);
            let amounts =
                of.iter().map(|&currency| AmountRange { currency, min: 50, max: Some(99_999_999), step: 1 }).collect();
            services.push(Service {
                method,
                direction,
                currencies: Which::Only(of),
                countries: if chance.in_100(50) { Which::All } else { Which::Only(chance.some(countries, COUNTRIES)) },
                amounts,
                hosted: chance.in_100(50),
                manual_capture: chance.in_100(70),
                sale: true,
            });
        }
    }
    services
}

/// `count` rules as text, the last without conditions.
pub fn rules(chance: &mut Chance, vocabulary: &Vocabulary, count: usize) -> String {
    let mut text =
        String::from("[regions]\nhome = [\"DE\", \"AT\", \"CH\"]\nnear = [\"home\", \"BENELUX\", \"FR\"]\n\n");
    for n in 1..count {
        rule(chance, vocabulary, n, &mut text);
    }
    text.push_str("[[rules]]\nname = \"rest\"\nreject = \"no channel for this payment\"\n");
    text
}

/// One rule, made from what its first channel serves.
fn rule(chance: &mut Chance, vocabulary: &Vocabulary, n: usize, text: &mut String) {
    let channel = &vocabulary.channels[chance.below(CHANNELS)];
    let service = &channel.services[chance.below(channel.services.len())];
    let Which::Only(served) = &service.currencies else { unreachable!() };
    let of_direction: Vec<String> =
        order_types().into_iter().filter(|row| row.1 == service.direction).map(|row| row.0.to_string()).collect();
    let mut when = Vec::new();
    let mut say = |key: &str, names: Vec<String>| {
        let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        when.push(format!("{key} = [{}]", names.join(", ")));
    };
    say("order_type", chance.some(&of_direction, 3));
    let mut methods: Vec<String> = channel
        .services
        .iter()
        .filter(|other| other.direction == service.direction)
        .map(|other| other.method.to_string())
        .collect();
    methods.sort();
    methods.dedup();
    methods.retain(|name| name != service.method.name());
    let mut named = vec![service.method.to_string()];
    if !methods.is_empty() && chance.in_100(50) {
        named.extend(chance.some(&methods, 2));
    }
    say("method", named);
    match chance.below(10) {
        0..=1 => say(
            "region",
            chance.some(&["EU", "home", "near", "LATAM", "SEA", "MENA", "NORDICS", "AFRICA"].map(str::to_owned), 2),
        ),
        2..=6 => {
            let of: Vec<String> = match &service.countries {
                Which::All => countries().iter().map(ToString::to_string).collect(),
                Which::Only(of) => of.iter().map(ToString::to_string).collect(),
            };
            say("country", chance.some(&of, 8));
        }
        7 => say("not_country", chance.some(&countries(), 5).iter().map(ToString::to_string).collect()),
        _ => {}
    }
    if chance.in_100(30) {
        say("merchant", chance.some(&vocabulary.merchants, 3).iter().map(|spec| spec.name.to_string()).collect());
    }
    if service.method == Method::Card && chance.in_100(30) {
        say("card_brand", chance.some(&["visa", "mastercard", "amex", "jcb", "absent"].map(str::to_owned), 2));
    }
    if service.method == Method::Card && chance.in_100(15) {
        say("not_funding", chance.some(&["prepaid", "credit"].map(str::to_owned), 1));
    }
    if chance.in_100(60) {
        let listed =
            chance.some(served, 3).into_iter().map(|currency| format!("{currency} = \"{}\"", range(chance, currency)));
        when.push(format!("amount = {{ {} }}", listed.collect::<Vec<_>>().join(", ")));
    } else {
        say("currency", chance.some(served, 6).iter().map(ToString::to_string).collect());
    }
    writeln!(text, "[[rules]]\nname = \"rule-{n}\"\nwhen = {{ {} }}", when.join(", ")).unwrap();
    let mut route = vec![channel.name.to_string()];
    let like = vocabulary.channels.iter().filter(|other| {
        other.services.iter().any(|one| one.method == service.method && one.direction == service.direction)
    });
    let like: Vec<String> = like.map(|other| other.name.to_string()).filter(|name| *name != route[0]).collect();
    if !like.is_empty() {
        route.extend(chance.some(&like, 3));
    }
    if chance.in_100(30) {
        let shares: Vec<String> = route.iter().map(|name| format!("{name} = {}", 1 + chance.below(90))).collect();
        writeln!(text, "split = {{ {} }}\n", shares.join(", ")).unwrap();
    } else {
        let names: Vec<String> = route.iter().map(|name| format!("\"{name}\"")).collect();
        let prefer = if chance.in_100(20) { "prefer = \"local\"\n" } else { "" };
        writeln!(text, "use = [{}]\n{prefer}", names.join(", ")).unwrap();
    }
}

/// Round bounds, as people choose them.
fn range(chance: &mut Chance, currency: Currency) -> String {
    const BOUNDS: [i64; 12] = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
    let unit = 10_i64.pow(currency.exponent().into());
    let major = |bound: i64| Money::new(bound * unit, currency).unwrap().to_major();
    let from = chance.below(BOUNDS.len());
    let to = from + 1 + chance.below(BOUNDS.len() - from);
    match chance.below(4) {
        0 => format!("{}..", major(BOUNDS[from])),
        1 => format!("..{}", major(BOUNDS[from])),
        _ => format!("{}..{}", major(BOUNDS[from]), BOUNDS.get(to).map_or_else(String::new, |bound| major(*bound))),
    }
}

/// Any payment.
pub fn facts(chance: &mut Chance) -> Facts {
    let kinds = order_types();
    let (kind, direction) = &kinds[chance.below(kinds.len())];
    let methods = methods(*direction);
    let currency = currencies()[chance.below(CURRENCIES)];
    let amount = Money::new(1 + chance.below(2_000_000) as i64, currency).unwrap();
    let merchant = MerchantName::new(&format!("merchant_{:02}", chance.below(MERCHANTS))).unwrap();
    let mut facts = Facts::new(
        kind.clone(),
        methods[chance.below(methods.len())],
        amount,
        countries()[chance.below(COUNTRIES)],
        merchant,
    );
    facts.mode = Some(Mode::Live);
    facts
}
