//! A rule set compiled again from what was kept of it, and what was known under one rule set taken over to another.

use crate::offer::{ChannelSet, Offer};
use crate::region::Regions;
use crate::rule_set::RuleSet;
use crate::snapshot::{Snapshot, Status};
use crate::source::Source;
use crate::vocabulary::{ChannelSpec, MerchantSpec, OrderTypeSpec, Service, Vocabulary};
use std::collections::BTreeMap;
use std::str::Split;
use switchyard_core::capabilities::{AmountRange, Which};
use switchyard_core::method::Direction;
use switchyard_core::{ChannelName, Country, Currency, MerchantName, Method, Mode, OrderType};

/// Why rules that were kept are not to be had again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAgain {
    /// What they were compiled against does not read back.
    #[error("the vocabulary kept with them is not understood")]
    Vocabulary,
    /// They do not compile any more.
    #[error("they do not compile any more: {0}")]
    Faults(String),
    /// They compile, to something else.
    #[error("they are not what their hash says: compiled again, they are {0}")]
    OtherHash(String),
}

impl RuleSet {
    /// Compiles what was kept of a rule set: the text of its file ([`Source::text`]) and [`RuleSet::canonical`]. What comes
    /// back is the very same: its hash is checked.
    ///
    /// # Errors
    /// [`NotAgain`] where one of the three is not what it was.
    pub fn again(hash: &str, text: &str, vocabulary: &str) -> Result<Self, NotAgain> {
        let (read, regions) = read(vocabulary).ok_or(NotAgain::Vocabulary)?;
        let source = Source::new("the rules kept", text);
        let compiled = Self::compile_with(&source, &read, Some(regions), vocabulary.to_owned());
        let rules = compiled.map_err(|faults| {
            NotAgain::Faults(faults.first().map_or_else(String::new, |fault| fault.message.clone()))
        })?;
        if rules.hash() == hash { Ok(rules) } else { Err(NotAgain::OtherHash(rules.hash().to_owned())) }
    }
}

/// Reads [`RuleSet::canonical`] back; `None` for anything that it would not have written.
fn read(text: &str) -> Option<(Vocabulary, Regions)> {
    let mut vocabulary = Vocabulary::default();
    let mut regions = BTreeMap::new();
    let mut services: Vec<(ChannelName, Service)> = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        match words.next()? {
            "order_type" => vocabulary
                .order_types
                .push(OrderTypeSpec { name: OrderType::new(words.next()?)?, direction: direction(words.next()?)? }),
            "merchant" => vocabulary.merchants.push(MerchantSpec {
                name: MerchantName::new(words.next()?)?,
                order_types: which(field("order_types", &mut words)?, OrderType::new)?,
                channels: which(field("channels", &mut words)?, ChannelName::new)?,
            }),
            "channel" => {
                let name = ChannelName::new(words.next()?)?;
                if line.split(' ').nth(2) == Some("serves") {
                    words.next();
                    services.push((name, service(&mut words)?));
                } else {
                    vocabulary.channels.push(channel(name, &mut words)?);
                }
            }
            "region" => {
                let name = words.next()?.to_owned();
                let countries: Option<Vec<Country>> = words.next()?.split(',').map(Country::from_code).collect();
                regions.insert(name, countries?);
            }
            _ => return None,
        }
        if words.next().is_some() {
            return None;
        }
    }
    for (name, service) in services {
        vocabulary.channels.iter_mut().find(|channel| channel.name == name)?.services.push(service);
    }
    let regions = Regions(regions);
    let written = vocabulary.canonical() + &regions.canonical();
    (written == text).then_some((vocabulary, regions))
}

fn channel(name: ChannelName, words: &mut Split<'_, char>) -> Option<ChannelSpec> {
    Some(ChannelSpec {
        name,
        provider: field("provider", words)?.to_owned(),
        retired: flag(field("retired", words)?)?,
        modes: match field("modes", words)? {
            "" => Vec::new(),
            modes => modes.split(',').map(mode).collect::<Option<_>>()?,
        },
        order_types: which(field("order_types", words)?, OrderType::new)?,
        acquiring_country: match field("acquiring", words)? {
            "-" => None,
            code => Some(Country::from_code(code)?),
        },
        bare_token: flag(field("bare_token", words)?)?,
        services: Vec::new(),
    })
}

fn service(words: &mut Split<'_, char>) -> Option<Service> {
    Some(Service {
        direction: direction(words.next()?)?,
        method: Method::from_name(words.next()?)?,
        currencies: which(field("currencies", words)?, Currency::from_code)?,
        countries: which(field("countries", words)?, Country::from_code)?,
        hosted: flag(field("hosted", words)?)?,
        manual_capture: flag(field("manual_capture", words)?)?,
        sale: flag(field("sale", words)?)?,
        amounts: words.map(amounts).collect::<Option<_>>()?,
    })
}

/// `EUR=50..99999/1`; without a limit above, `EUR=50../1`.
fn amounts(word: &str) -> Option<AmountRange> {
    let (currency, range) = word.split_once('=')?;
    let (min, rest) = range.split_once("..")?;
    let (max, step) = rest.split_once('/')?;
    Some(AmountRange {
        currency: Currency::from_code(currency)?,
        min: min.parse().ok()?,
        max: if max.is_empty() { None } else { Some(max.parse().ok()?) },
        step: step.parse().ok()?,
    })
}

fn field<'w>(name: &str, words: &mut Split<'w, char>) -> Option<&'w str> {
    words.next()?.strip_prefix(name)?.strip_prefix('=')
}

fn which<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Which<T>> {
    match text {
        "*" => Some(Which::All),
        "" => Some(Which::Only(Vec::new())),
        names => names.split(',').map(read).collect::<Option<_>>().map(Which::Only),
    }
}

fn flag(text: &str) -> Option<bool> {
    text.parse().ok()
}

fn direction(text: &str) -> Option<Direction> {
    [Direction::Payin, Direction::Payout].into_iter().find(|known| crate::facts::direction_name(*known) == text)
}

fn mode(text: &str) -> Option<Mode> {
    [Mode::Test, Mode::Live].into_iter().find(|known| known.as_str() == text)
}

/// Takes what a payment met under one rule set over to another, by the names of channels.
#[derive(Clone, Debug)]
pub struct Carry {
    /// By the new channels' numbers: the old ones; `None` for channels that the old rules did not know.
    known: Vec<Option<usize>>,
    /// By the new channels' numbers: those of the same provider among the old ones.
    siblings: Vec<Vec<usize>>,
    fresh: Vec<ChannelName>,
}

impl Carry {
    /// From one rule set to another.
    #[must_use]
    pub fn new(from: &RuleSet, to: &RuleSet) -> Self {
        let known: Vec<Option<usize>> =
            to.channels.iter().map(|new| from.channels.iter().position(|old| old.name == new.name)).collect();
        let of_provider = |provider: &str| {
            let numbered = from.channels.iter().enumerate();
            numbered.filter(|(_, old)| old.provider == provider).map(|(at, _)| at).collect()
        };
        let siblings = to.channels.iter().map(|new| of_provider(&new.provider)).collect();
        let fresh = to.channels.iter().zip(&known).filter(|(_, known)| known.is_none());
        Self { fresh: fresh.map(|(new, _)| new.name.clone()).collect(), known, siblings }
    }

    /// The channels that the old rules did not know.
    #[must_use]
    pub fn fresh(&self) -> &[ChannelName] {
        &self.fresh
    }

    /// Every channel as it was; one that was not known then is up.
    #[must_use]
    pub fn snapshot(&self, snapshot: &Snapshot) -> Snapshot {
        Snapshot::new(self.known.iter().map(|known| known.map_or(Status::Up, |at| snapshot.status(at))))
    }

    /// A token for every channel that had one. A channel that was not known then has one where every channel of its
    /// provider had: the token was most likely the provider's.
    #[must_use]
    pub fn offer(&self, offer: &Offer) -> Offer {
        let set = match offer {
            Offer::Nothing | Offer::Bare | Offer::Any => return offer.clone(),
            Offer::Channels(set) => set,
        };
        let mut carried = ChannelSet::default();
        for (at, (known, siblings)) in self.known.iter().zip(&self.siblings).enumerate() {
            let has = match known {
                Some(old) => set.has(*old),
                None => !siblings.is_empty() && siblings.iter().all(|old| set.has(*old)),
            };
            if has {
                carried.insert(at);
            }
        }
        Offer::Channels(carried)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::facts::Facts;
    use switchyard_core::{Money, PaymentId};

    const RULES: &str = "[regions]\nhome = [\"EU\", \"CH\"]\n\
        [[rules]]\nname = \"cards\"\nwhen = { region = [\"home\"], method = [\"card\"] }\nuse = [\"a\", \"b\"]\n\
        [[rules]]\nname = \"rest\"\nreject = \"no\"\n";

    fn spec(name: &str, provider: &str) -> ChannelSpec {
        let eur = Currency::from_code("EUR").unwrap();
        ChannelSpec {
            name: ChannelName::new(name).unwrap(),
            provider: provider.into(),
            retired: false,
            modes: vec![Mode::Test, Mode::Live],
            order_types: Which::All,
            acquiring_country: Country::from_code("DE"),
            bare_token: true,
            services: vec![Service {
                method: Method::Card,
                direction: Direction::Payin,
                currencies: Which::Only(vec![eur, Currency::from_code("USD").unwrap()]),
                countries: Which::All,
                amounts: vec![AmountRange { currency: eur, min: 50, max: None, step: 1 }],
                hosted: false,
                manual_capture: true,
                sale: true,
            }],
        }
    }

    fn vocabulary(channels: Vec<ChannelSpec>) -> Vocabulary {
        let name = |text| OrderType::new(text).unwrap();
        Vocabulary {
            order_types: vec![OrderTypeSpec { name: name("ecommerce"), direction: Direction::Payin }],
            merchants: vec![MerchantSpec {
                name: MerchantName::new("shop").unwrap(),
                order_types: Which::Only(vec![]),
                channels: Which::All,
            }],
            channels,
        }
    }

    fn compiled(channels: Vec<ChannelSpec>) -> RuleSet {
        RuleSet::compile(&Source::new("routing.toml", RULES), &vocabulary(channels)).unwrap()
    }

    #[test]
    fn what_was_kept_compiles_to_the_very_same() {
        let rules = compiled(vec![spec("b", "two"), spec("a", "one")]);
        let again = RuleSet::again(rules.hash(), RULES, rules.canonical()).unwrap();
        assert_eq!((again.hash(), again.canonical()), (rules.hash(), rules.canonical()));
        assert_eq!(
            read(rules.canonical()).unwrap().0.canonical(),
            vocabulary(vec![spec("a", "one"), spec("b", "two")]).canonical()
        );
    }

    #[test]
    fn built_in_regions_stay_what_they_were() {
        // As a version wrote it that thought less of the union.
        let rules = compiled(vec![spec("a", "one"), spec("b", "two")]);
        let eu = rules.canonical().lines().find(|line| line.starts_with("region EU ")).unwrap();
        let older = rules.canonical().replace(eu, "region EU AT,DE");
        let NotAgain::OtherHash(hash) = RuleSet::again(rules.hash(), RULES, &older).unwrap_err() else { panic!() };
        let old = RuleSet::again(&hash, RULES, &older).unwrap();
        let decided = |rules: &RuleSet, country: &str| {
            let money = Money::new(100, Currency::from_code("EUR").unwrap()).unwrap();
            let (order_type, shop) = (OrderType::new("ecommerce").unwrap(), MerchantName::new("shop").unwrap());
            let facts = Facts::new(order_type, Method::Card, money, Country::from_code(country).unwrap(), shop);
            let id = PaymentId::from_uuid(Default::default());
            rules.decide(&facts, &Offer::Any, &rules.snapshot(|_| Status::Up), id).rule.map(str::to_owned)
        };
        assert_eq!(decided(&rules, "FR").as_deref(), Some("cards"));
        assert_eq!(decided(&old, "FR").as_deref(), Some("rest"));
        assert_eq!(decided(&old, "DE").as_deref(), Some("cards"));
    }

    #[test]
    fn what_is_not_as_it_was_is_refused() {
        let rules = compiled(vec![spec("a", "one"), spec("b", "two")]);
        let (hash, kept) = (rules.hash(), rules.canonical());
        let changed = RuleSet::again(hash, &RULES.replace("\"no\"", "\"on\""), kept);
        assert!(matches!(changed, Err(NotAgain::OtherHash(_))), "{changed:?}");
        let broken = RuleSet::again(hash, &RULES.replace("\"a\"", "\"c\""), kept);
        assert!(matches!(broken, Err(NotAgain::Faults(_))), "{broken:?}");
        for (from, to) in [
            ("retired=false", "retired=no"),
            (" payin", " sideways"),
            ("EUR=50../1", "EUR=50..x/1"),
            ("EUR=50../1", "EUR=50../1 more"),
            ("modes=live,test", "modes=test,live"),
            ("channel b serves", "channel c serves"),
            ("merchant shop", "mercant shop"),
        ] {
            assert!(kept.contains(from), "{from}");
            let read = RuleSet::again(hash, RULES, &kept.replace(from, to));
            assert!(matches!(read, Err(NotAgain::Vocabulary)), "{to}: {read:?}");
        }
    }

    #[test]
    fn status_and_tokens_are_carried_over_by_name() {
        let old = compiled(vec![spec("a", "one"), spec("b", "two"), spec("gone", "two")]);
        let new =
            compiled(vec![spec("a", "one"), spec("aa", "one"), spec("b", "two"), spec("c", "three"), spec("d", "two")]);
        let carry = Carry::new(&old, &new);
        let fresh: Vec<&str> = carry.fresh().iter().map(ChannelName::as_str).collect();
        assert_eq!(fresh, ["aa", "c", "d"]);
        let was = old.snapshot(|name| if name.as_str() == "b" { Status::Down } else { Status::Degraded });
        assert_eq!(carry.snapshot(&was).as_bytes(), b"gudu".iter().chain(b"u").copied().collect::<Vec<u8>>());
        // A token for the provider `one`, and for `b` but not for the other channel of its provider.
        let offer = carry.offer(&old.offer(["one", "b"]).unwrap());
        assert_eq!(offer, new.offer(["a", "aa", "b"]).unwrap());
        assert_eq!(carry.offer(&Offer::Bare), Offer::Bare);
        let money = Money::new(100, Currency::from_code("EUR").unwrap()).unwrap();
        let (order_type, shop) = (OrderType::new("ecommerce").unwrap(), MerchantName::new("shop").unwrap());
        let facts = Facts::new(order_type, Method::Card, money, Country::from_code("DE").unwrap(), shop);
        let decision = new.decide(&facts, &offer, &carry.snapshot(&was), PaymentId::from_uuid(Default::default()));
        assert!(
            matches!(decision.outcome, Outcome::Channel { channel, .. } if channel.as_str() == "a"),
            "{decision:?}"
        );
    }
}
