//! Which payments there can be at all.

use crate::area::Area;
use crate::bits;
use crate::channel::{Channel, single};
use crate::domain::{AMOUNTS, Dim, Domain, initiator, method};
use crate::facts::{Initiator, has_card_facts};
use crate::money_set::{MoneySet, start_of};
use crate::vocabulary::Vocabulary;
use std::collections::BTreeMap;
use switchyard_core::Method;
use switchyard_core::capabilities::Which;
use switchyard_core::method::Direction;

/// The payments that can be asked for, as areas that share none.
///
/// Facts go together in some ways only: a method moves money in its own directions, a merchant uses its own order types,
/// card facts belong to card methods, and a payout is initiated by the merchant and never captured.
#[derive(Clone, Debug)]
pub(crate) struct Possible {
    /// By every method and currency, whether a channel offers it or not: a rule that could decide one of these is not
    /// dead, since merchants can ask for what nobody offers.
    pub(crate) asked: Vec<Area>,
    /// By a method that some channel offers in the order type's direction, in a currency that some channel takes, of an
    /// amount that requests may state: each of these must have an outcome.
    pub(crate) declared: Vec<Area>,
}

impl Possible {
    pub(crate) fn new(vocabulary: &Vocabulary, channels: &[Channel], domain: &Domain) -> Self {
        let offers: Vec<(Direction, usize, usize)> =
            channels.iter().filter(|channel| !channel.is_retired()).flat_map(Channel::offers).collect();
        let money = |currency: usize| {
            let start = start_of(currency);
            (start.saturating_add(AMOUNTS.0), start.saturating_add(AMOUNTS.1))
        };
        let declared_money = MoneySet::from_ranges(offers.iter().map(|&(_, _, currency)| money(currency)).collect());
        let mut possible = Self { asked: Vec::new(), declared: Vec::new() };
        for (direction, order_types, merchants) in groups(vocabulary, domain) {
            for of_cards in [true, false] {
                let mut area = Area::all(domain);
                area.keep(domain, Dim::OrderType, &order_types);
                area.keep(domain, Dim::Merchant, &merchants);
                area.keep(domain, Dim::Method, &methods(direction, of_cards));
                if !of_cards {
                    area.keep(domain, Dim::Brand, &single(0));
                    area.keep(domain, Dim::Funding, &single(0));
                    area.keep(domain, Dim::Issuer, &single(domain.countries.len()));
                }
                if direction == Direction::Payout {
                    area.keep(domain, Dim::Initiator, &single(initiator(Initiator::Merchant).into()));
                    area.keep(domain, Dim::Capture, &single(0));
                }
                let mut offered = vec![0; bits::words_for(domain.size(Dim::Method))];
                let of_direction = offers.iter().filter(|(known, ..)| *known == direction);
                of_direction.for_each(|&(_, method, _)| bits::set(&mut offered, method));
                let mut declared = area.clone();
                declared.keep(domain, Dim::Method, &offered);
                declared.money = declared_money.clone();
                possible.asked.push(area);
                possible.declared.push(declared);
            }
        }
        possible.asked.retain(|area| !area.is_empty(domain));
        possible.declared.retain(|area| !area.is_empty(domain));
        possible
    }

    /// Whether a channel that is not retired offers the method or takes the currency; retired ones count as well, so that
    /// retiring one makes no name unknown.
    pub(crate) fn offered(channels: &[Channel]) -> (Vec<usize>, Vec<usize>) {
        let (mut methods, mut currencies): (Vec<usize>, Vec<usize>) =
            channels.iter().flat_map(Channel::offers).map(|(_, method, currency)| (method, currency)).unzip();
        for list in [&mut methods, &mut currencies] {
            list.sort_unstable();
            list.dedup();
        }
        (methods, currencies)
    }
}

/// Order types that have direction and merchants in common: direction, order types, merchants.
fn groups(vocabulary: &Vocabulary, domain: &Domain) -> Vec<(Direction, Vec<u64>, Vec<u64>)> {
    let mut groups: BTreeMap<(Direction, Vec<u64>), Vec<u64>> = BTreeMap::new();
    for (at, (name, direction)) in domain.order_types.iter().zip(&domain.directions).enumerate() {
        let mut merchants = vec![0; bits::words_for(domain.size(Dim::Merchant))];
        bits::set(&mut merchants, domain.merchants.other());
        for spec in &vocabulary.merchants {
            let may = match &spec.order_types {
                Which::All => true,
                Which::Only(order_types) => order_types.iter().any(|known| known.as_str() == name),
            };
            if let (true, Some(merchant)) = (may, domain.merchants.get(spec.name.as_str())) {
                bits::set(&mut merchants, merchant);
            }
        }
        let empty = || vec![0; bits::words_for(domain.size(Dim::OrderType))];
        bits::set(groups.entry((*direction, merchants)).or_insert_with(empty), at);
    }
    groups.into_iter().map(|((direction, merchants), order_types)| (direction, order_types, merchants)).collect()
}

fn methods(direction: Direction, of_cards: bool) -> Vec<u64> {
    let mut values = vec![0; bits::words_for(Method::ALL.len())];
    for &known in Method::ALL {
        if known.directions().contains(&direction) && has_card_facts(known) == of_cards {
            bits::set(&mut values, method(known).into());
        }
    }
    values
}
