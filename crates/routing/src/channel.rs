//! Channels, compiled: may this one serve this payment, and if not, why not.

use crate::area::Area;
use crate::bits;
use crate::domain::{AMOUNT_LAST, CAPTURE_MODES, Dim, Domain, Point, method};
use crate::money_set::{MoneySet, start_of};
use crate::offer::Offer;
use crate::offered::Steps;
use crate::refusal::Refusal;
use crate::vocabulary::{ChannelSpec, Service, Vocabulary};
use switchyard_core::capabilities::Which;
use switchyard_core::method::Direction;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{ChannelName, Method, Mode};

/// Limits of one currency at one service.
#[derive(Clone, Copy, Debug)]
struct Limits {
    min: u64,
    max: u64,
    step: u64,
}

const NO_LIMITS: Limits = Limits { min: 0, max: u64::MAX, step: 1 };

/// Stands in [`Line::limits_of`] for a currency that is not served.
const NOT_SERVED: u16 = u16::MAX;

/// One service of a channel.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    direction: Direction,
    /// By currency number: which of `limits`.
    limits_of: Vec<u16>,
    limits: Vec<Limits>,
    countries: Vec<u64>,
    pub(crate) hosted: bool,
    manual_capture: bool,
    sale: bool,
}

/// A channel as decisions need it.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) name: ChannelName,
    pub(crate) provider: String,
    retired: bool,
    test: bool,
    live: bool,
    /// By order type's number.
    order_types: Vec<u64>,
    /// By merchant's number.
    merchants: Vec<u64>,
    acquiring_country: Option<u16>,
    bare_token: bool,
    /// By method's number.
    lines: Vec<Vec<Line>>,
    pub(crate) name_hash: u64,
}

/// What a channel serves: `money` is within limits; `step` is what amounts must be a multiple of.
pub(crate) struct Served {
    pub(crate) area: Area,
    pub(crate) step: u64,
}

impl Channel {
    pub(crate) fn new(spec: &ChannelSpec, vocabulary: &Vocabulary, domain: &Domain) -> Self {
        let mut order_types = vec![0; bits::words_for(domain.size(Dim::OrderType))];
        for (at, name) in domain.order_types.iter().enumerate() {
            if holds_name(&spec.order_types, name, |known| known.as_str()) {
                bits::set(&mut order_types, at);
            }
        }
        let mut merchants = vec![0; bits::words_for(domain.size(Dim::Merchant))];
        // Any other merchant is one without a narrowing.
        bits::set(&mut merchants, domain.merchants.other());
        for merchant in &vocabulary.merchants {
            if let Some(at) = domain.merchants.get(merchant.name.as_str())
                && merchant.channels.holds(&spec.name)
            {
                bits::set(&mut merchants, at);
            }
        }
        let mut lines = vec![Vec::new(); Method::ALL.len()];
        for service in &spec.services {
            if let Some(of_method) = lines.get_mut(usize::from(method(service.method))) {
                of_method.push(Line::new(service, domain));
            }
        }
        Self {
            name: spec.name.clone(),
            provider: spec.provider.clone(),
            retired: spec.retired,
            test: spec.modes.contains(&Mode::Test),
            live: spec.modes.contains(&Mode::Live),
            order_types,
            merchants,
            acquiring_country: spec.acquiring_country.map(|country| domain.country(country)),
            bare_token: spec.bare_token,
            lines,
            name_hash: crate::split::name_hash(spec.name.as_str()),
        }
    }

    /// Whether its acquirer is in the payment's country or the issuer's.
    pub(crate) fn is_local(&self, point: &Point) -> bool {
        self.acquiring_country.is_some_and(|home| {
            let home = usize::from(home);
            point.value(Dim::Country) == home || point.value(Dim::Issuer) == home
        })
    }

    pub(crate) fn acquiring_country(&self) -> Option<usize> {
        self.acquiring_country.map(usize::from)
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.retired
    }

    /// Why the channel cannot serve the payment, whatever its status; `None` where it can. `at` is its own number.
    pub(crate) fn refusal(
        &self,
        at: usize,
        point: &Point,
        mode: Option<Mode>,
        offer: &Offer,
        domain: &Domain,
    ) -> Option<Refusal> {
        if let Some(closed) = self.closed_to(point, mode) {
            return Some(closed);
        }
        let direction = domain.directions.get(point.value(Dim::OrderType)).copied();
        let lines = self.lines.get(point.value(Dim::Method)).map(Vec::as_slice).unwrap_or_default();
        let token = offer.has(at, self.bare_token);
        let mut nearest = Refusal::Method;
        for line in lines {
            match line.refusal(point, direction, token) {
                None => return None,
                Some(refusal) if refusal.progress() > nearest.progress() => nearest = refusal,
                Some(_) => {}
            }
        }
        Some(nearest)
    }

    /// Why the channel takes nothing of this kind, whatever the method.
    fn closed_to(&self, point: &Point, mode: Option<Mode>) -> Option<Refusal> {
        if self.retired {
            return Some(Refusal::Retired);
        }
        match mode {
            Some(Mode::Test) if !self.test => return Some(Refusal::NoCredentials(Mode::Test)),
            Some(Mode::Live) if !self.live => return Some(Refusal::NoCredentials(Mode::Live)),
            Some(Mode::Test | Mode::Live) | None => {}
        }
        if !bits::has(&self.merchants, point.value(Dim::Merchant)) {
            return Some(Refusal::Merchant);
        }
        (!bits::has(&self.order_types, point.value(Dim::OrderType))).then_some(Refusal::OrderType)
    }

    /// The amounts from `low` to `high` that the channel serves of a payment like this one, whatever its own amount, with
    /// a token for it: as steps between two ends that both are served.
    pub(crate) fn amounts(
        &self,
        point: &Point,
        (low, high): (u64, u64),
        mode: Option<Mode>,
        domain: &Domain,
    ) -> Vec<Steps> {
        if self.closed_to(point, mode).is_some() {
            return Vec::new();
        }
        let direction = domain.directions.get(point.value(Dim::OrderType)).copied();
        let lines = self.lines.get(point.value(Dim::Method)).map(Vec::as_slice).unwrap_or_default();
        let of_line = |line: &Line| {
            let limits = line.limits(point.currency.into())?;
            let steps = Steps::within(low.max(limits.min), high.min(limits.max), limits.step)?;
            let at = Point { amount: steps.min, ..*point };
            line.refusal(&at, direction, true).is_none().then_some(steps)
        };
        lines.iter().filter_map(of_line).collect()
    }

    /// What the channel serves with a token for it, in any mode: areas that may overlap.
    pub(crate) fn serves(&self, domain: &Domain) -> Vec<Served> {
        if self.retired {
            return Vec::new();
        }
        let mut base = Area::all(domain);
        base.keep(domain, Dim::Merchant, &self.merchants);
        base.keep(domain, Dim::OrderType, &self.order_types);
        let of_method = |(at, lines): (usize, &Vec<Line>)| {
            let mut area = base.clone();
            area.keep(domain, Dim::Method, &single(at));
            lines.iter().flat_map(|line| line.serves(&area, domain)).collect::<Vec<_>>()
        };
        self.lines.iter().enumerate().flat_map(of_method).filter(|served| !served.area.is_empty(domain)).collect()
    }

    /// The currencies and methods of a direction that it serves, as (method, currency) numbers.
    pub(crate) fn offers(&self) -> impl Iterator<Item = (Direction, usize, usize)> + '_ {
        self.lines.iter().enumerate().flat_map(|(method, lines)| {
            lines.iter().flat_map(move |line| {
                let served = line.limits_of.iter().enumerate().filter(|&(_, &limits)| limits != NOT_SERVED);
                served.map(move |(currency, _)| (line.direction, method, currency))
            })
        })
    }
}

/// A set of one value.
pub(crate) fn single(value: usize) -> Vec<u64> {
    let mut words = vec![0; bits::words_for(value.saturating_add(1))];
    bits::set(&mut words, value);
    words
}

fn holds_name<T>(which: &Which<T>, name: &str, text: fn(&T) -> &str) -> bool {
    match which {
        Which::All => true,
        Which::Only(names) => names.iter().any(|known| text(known) == name),
    }
}

impl Line {
    fn new(service: &Service, domain: &Domain) -> Self {
        let mut limits = vec![NO_LIMITS];
        let mut limits_of: Vec<u16> = domain
            .currencies
            .iter()
            .map(|currency| if service.currencies.holds(currency) { 0 } else { NOT_SERVED })
            .collect();
        for range in &service.amounts {
            if let Some(slot) = limits_of.get_mut(usize::from(domain.currency(range.currency)))
                && *slot != NOT_SERVED
            {
                *slot = u16::try_from(limits.len()).unwrap_or(0);
                limits.push(Limits {
                    min: u64::try_from(range.min).unwrap_or(0),
                    max: range.max.map_or(u64::MAX, |max| u64::try_from(max).unwrap_or(0)),
                    step: u64::try_from(range.step).unwrap_or(1).max(1),
                });
            }
        }
        let mut countries = vec![0; bits::words_for(domain.size(Dim::Country))];
        for (at, country) in domain.countries.iter().enumerate() {
            if service.countries.holds(country) {
                bits::set(&mut countries, at);
            }
        }
        Self {
            direction: service.direction,
            limits_of,
            limits,
            countries,
            hosted: service.hosted,
            manual_capture: service.manual_capture,
            sale: service.sale,
        }
    }

    fn limits(&self, currency: usize) -> Option<&Limits> {
        self.limits.get(usize::from(*self.limits_of.get(currency)?))
    }

    fn refusal(&self, point: &Point, direction: Option<Direction>, token: bool) -> Option<Refusal> {
        if direction != Some(self.direction) {
            return Some(Refusal::Direction);
        }
        let Some(limits) = self.limits(point.currency.into()) else { return Some(Refusal::Currency) };
        if !bits::has(&self.countries, point.value(Dim::Country)) {
            return Some(Refusal::Country);
        }
        if self.direction == Direction::Payin {
            match CAPTURE_MODES.get(point.value(Dim::Capture)) {
                Some(CaptureMode::Manual) if !self.manual_capture => return Some(Refusal::ManualCapture),
                Some(CaptureMode::Automatic) if !self.sale => return Some(Refusal::AutomaticCapture),
                Some(CaptureMode::Manual | CaptureMode::Automatic) | None => {}
            }
        }
        if point.amount < limits.min {
            return Some(Refusal::AmountBelow(limits.min));
        }
        if point.amount > limits.max {
            return Some(Refusal::AmountAbove(limits.max));
        }
        if limits.step > 1 && !point.amount.is_multiple_of(limits.step) {
            return Some(Refusal::AmountStep(limits.step));
        }
        if !token && !self.hosted {
            return Some(Refusal::NoToken);
        }
        None
    }

    /// Within `base`, one area for the currencies of each step.
    fn serves(&self, base: &Area, domain: &Domain) -> Vec<Served> {
        let mut area = base.clone();
        area.keep(domain, Dim::Country, &self.countries);
        let mut directed = vec![0; bits::words_for(domain.size(Dim::OrderType))];
        for (at, direction) in domain.directions.iter().enumerate() {
            if *direction == self.direction {
                bits::set(&mut directed, at);
            }
        }
        area.keep(domain, Dim::OrderType, &directed);
        if self.direction == Direction::Payin {
            let captures = [u64::from(self.sale) | (u64::from(self.manual_capture) << 1)];
            area.keep(domain, Dim::Capture, &captures);
        }
        let mut by_step: std::collections::BTreeMap<u64, Vec<(u64, u64)>> = std::collections::BTreeMap::new();
        for currency in 0..self.limits_of.len() {
            if let Some(limits) = self.limits(currency) {
                let start = start_of(currency);
                let range =
                    (start | limits.min.min(AMOUNT_LAST), (start | limits.max.min(AMOUNT_LAST)).saturating_add(1));
                by_step.entry(limits.step).or_default().push(range);
            }
        }
        let served = |(step, ranges)| {
            let mut area = area.clone();
            area.money = area.money.and(&MoneySet::from_ranges(ranges));
            Served { area, step }
        };
        by_step.into_iter().map(served).collect()
    }
}
