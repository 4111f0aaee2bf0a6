//! Rules compiled for speed: for every value of every fact, the set of rules it meets, as bits; the rules a payment meets
//! are the sets of its values, ANDed. Whatever the rules say, a decision costs a look-up per fact and a few words per 512
//! rules.

use crate::bits;
use crate::domain::{DIMS, Dim, Domain, Point};
use crate::money_set::{split, start_of};
use crate::rule::Rule;
use std::collections::{BTreeSet, HashMap};

/// Bits of 512 rules: one line of cache, and as much as a loop of vector instructions likes.
pub(crate) type Lane = [u64; 8];

/// Rules in a lane.
const LANE_RULES: usize = 512;

/// Most memory that amounts may take, in bytes. Ten thousand rules, each with a range that no other has, take 25 MB.
const MONEY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The compiled rules.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Lanes of a row.
    lanes: usize,
    /// All rules, so that no bit past the last is ever found.
    every: Vec<Lane>,
    /// Of the facts that rules ask about; others meet them all.
    columns: Vec<Column>,
    money: Option<MoneyColumn>,
}

/// One fact's values and their rows.
#[derive(Clone, Debug)]
struct Column {
    dim: Dim,
    rows: Rows,
}

/// Amounts: cut where any rule starts or ends; between two cuts all amounts meet the same rules.
#[derive(Clone, Debug)]
struct MoneyColumn {
    /// Positions in order; the first of each currency is where it starts.
    cuts: Vec<u64>,
    /// By currency, its first cut; and one more for the end.
    first_cut: Vec<u32>,
    rows: Rows,
}

/// Rows by number, equal ones kept once.
#[derive(Clone, Debug)]
struct Rows {
    lanes: usize,
    /// By value: where its row starts in `kept`.
    starts: Vec<u32>,
    kept: Vec<Lane>,
}

impl Rows {
    fn row(&self, value: usize) -> &[Lane] {
        let start = self.starts.get(value).map_or(usize::MAX, |&start| usize::try_from(start).unwrap_or(usize::MAX));
        self.kept.get(start..start.saturating_add(self.lanes)).unwrap_or_default()
    }
}

/// Collects rows, each kept once.
struct RowsMaker {
    rows: Rows,
    known: HashMap<Vec<Lane>, u32>,
}

impl RowsMaker {
    fn new(lanes: usize) -> Self {
        Self { rows: Rows { lanes, starts: Vec::new(), kept: Vec::new() }, known: HashMap::new() }
    }

    fn push(&mut self, row: &[Lane]) {
        let start = match self.known.get(row) {
            Some(&start) => start,
            None => {
                let start = u32::try_from(self.rows.kept.len()).unwrap_or(u32::MAX);
                self.rows.kept.extend_from_slice(row);
                self.known.insert(row.to_vec(), start);
                start
            }
        };
        self.rows.starts.push(start);
    }

    fn bytes(&self) -> usize {
        self.rows.kept.len().saturating_mul(size_of::<Lane>())
    }
}

impl Table {
    /// Compiles the rules; `None` where their amounts differ so much that the table would not fit its bound.
    pub(crate) fn new(rules: &[Rule], domain: &Domain) -> Option<Self> {
        let lanes = rules.len().div_ceil(LANE_RULES).max(1);
        let mut every = vec![[0; 8]; lanes];
        (0..rules.len()).for_each(|rule| bits::set(every.as_flattened_mut(), rule));
        let columns = Dim::ALL.into_iter().filter_map(|dim| Column::new(dim, rules, domain, &every)).collect();
        let money = MoneyColumn::new(rules, domain, &every)?;
        let money = (money.rows.kept != every).then_some(money);
        Some(Self { lanes, every, columns, money })
    }

    /// The rows of a payment's values, of the facts that rules ask about.
    fn rows<'t>(&'t self, point: &Point) -> ([&'t [Lane]; DIMS + 1], usize) {
        let mut rows: [&[Lane]; DIMS + 1] = [&[]; DIMS + 1];
        let mut count = 0_usize;
        let of_columns = self.columns.iter().map(|column| column.rows.row(point.value(column.dim)));
        let of_money = self.money.iter().map(|money| money.row(point));
        for (slot, row) in rows.iter_mut().zip(of_columns.chain(of_money)) {
            *slot = row;
            count = count.saturating_add(1);
        }
        (rows, count)
    }

    /// The first rule that the payment meets.
    pub(crate) fn first(&self, point: &Point) -> Option<usize> {
        let (rows, count) = self.rows(point);
        (0..self.lanes).find_map(|at| {
            let lane = self.lane(at, rows.get(..count).unwrap_or_default());
            let word = lane.iter().position(|&word| word != 0)?;
            let before = at.saturating_mul(8).saturating_add(word);
            lane.get(word).map(|&found| bits::first_in(before, found))
        })
    }

    /// Every rule below `limit` that the payment meets, as bits.
    pub(crate) fn matches(&self, point: &Point, limit: usize, found: &mut Vec<u64>) {
        let (rows, count) = self.rows(point);
        found.clear();
        for at in 0..limit.div_ceil(LANE_RULES).min(self.lanes) {
            found.extend_from_slice(&self.lane(at, rows.get(..count).unwrap_or_default()));
        }
        found.truncate(bits::words_for(limit));
        if let Some(last) = found.get_mut(bits::word_of(limit)) {
            *last &= bits::mask_of(limit).wrapping_sub(1);
        }
    }

    fn lane(&self, at: usize, rows: &[&[Lane]]) -> Lane {
        let mut lane = self.every.get(at).copied().unwrap_or_default();
        for row in rows {
            if let Some(words) = row.get(at) {
                lane.iter_mut().zip(words).for_each(|(word, other)| *word &= other);
            }
        }
        lane
    }
}

impl Column {
    /// `None` where every value meets every rule.
    fn new(dim: Dim, rules: &[Rule], domain: &Domain, every: &[Lane]) -> Option<Self> {
        let mut by_value = vec![vec![[0; 8]; every.len()]; domain.size(dim)];
        for (at, rule) in rules.iter().enumerate() {
            for value in bits::ones(rule.area.values(domain, dim)) {
                if let Some(row) = by_value.get_mut(value) {
                    bits::set(row.as_flattened_mut(), at);
                }
            }
        }
        let mut maker = RowsMaker::new(every.len());
        by_value.iter().for_each(|row| maker.push(row));
        (maker.rows.kept != every).then_some(Self { dim, rows: maker.rows })
    }
}

impl MoneyColumn {
    fn new(rules: &[Rule], domain: &Domain, every: &[Lane]) -> Option<Self> {
        // Where each rule starts and stops to be met.
        let mut turns: Vec<(u64, usize)> = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            turns.extend(rule.area.money.ranges().iter().flat_map(|&(start, end)| [(start, at), (end, at)]));
        }
        turns.sort_unstable();
        let end = start_of(domain.currencies.len());
        let starts = (0..domain.currencies.len()).map(start_of);
        let cuts: BTreeSet<u64> = turns.iter().map(|&(at, _)| at).filter(|&at| at < end).chain(starts).collect();
        let cuts: Vec<u64> = cuts.into_iter().collect();
        let mut maker = RowsMaker::new(every.len());
        let mut row = vec![[0; 8]; every.len()];
        let mut ahead = turns.iter().peekable();
        for &cut in &cuts {
            while let Some(&(_, rule)) = ahead.next_if(|(at, _)| *at <= cut) {
                let words = row.as_flattened_mut();
                if bits::has(words, rule) { bits::clear(words, rule) } else { bits::set(words, rule) }
            }
            maker.push(&row);
            if maker.bytes() > MONEY_BYTES_MAX {
                return None;
            }
        }
        let mut first_cut = vec![0; domain.currencies.len().saturating_add(1)];
        for (currency, first) in first_cut.iter_mut().enumerate() {
            *first = u32::try_from(cuts.partition_point(|&cut| split(cut).0 < currency)).unwrap_or(u32::MAX);
        }
        Some(Self { cuts, first_cut, rows: maker.rows })
    }

    fn row(&self, point: &Point) -> &[Lane] {
        let currency = usize::from(point.currency);
        let at = |currency: usize| self.first_cut.get(currency).map_or(0, |&cut| usize::try_from(cut).unwrap_or(0));
        let (first, end) = (at(currency), at(currency.saturating_add(1)));
        let position = point.position();
        let cuts = self.cuts.get(first..end).unwrap_or_default();
        let cell = first.saturating_add(cuts.partition_point(|&cut| cut <= position)).saturating_sub(1);
        self.rows.row(cell)
    }
}
