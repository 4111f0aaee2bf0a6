//! Payments that no rule decides.

use super::Checker;
use crate::area::Area;
use crate::bits;
use crate::describe;
use crate::domain::{Dim, Domain, Point};
use crate::prove::{Exhausted, Goal, Look};
use crate::report::Kind;

/// Gaps that are shown; more are only said to exist.
const GAPS_SHOWN_MAX: usize = 20;

impl Checker<'_> {
    pub(super) fn gaps(&mut self) -> Result<(), Exhausted> {
        let rules = self.rules;
        let everything = Area::all(&rules.domain);
        let mut open = self.goals(&rules.possible.declared, &everything);
        open.reverse();
        let mut gaps: Vec<(Area, Point)> = Vec::new();
        self.search.cut.clear();
        while let Some(goal) = open.pop() {
            match self.search.look(&goal, rules.rules.len(), &[])? {
                Look::Nothing => {}
                Look::Rest(pieces) => open.extend(pieces.into_iter().rev()),
                Look::Found(point) => {
                    let gap = self.around(&goal.area, &point);
                    open.extend(goal.minus(&rules.domain, &gap, 1).into_iter().rev());
                    gaps.push((gap, point));
                    if gaps.len() > GAPS_SHOWN_MAX {
                        break;
                    }
                }
            }
        }
        let span = rules.rules.last().map_or(0..0, |rule| rule.span.clone());
        let more = gaps.len() > GAPS_SHOWN_MAX;
        for (gap, point) in gaps.iter().take(GAPS_SHOWN_MAX) {
            let goals = [Goal::new(gap.clone())];
            let point = self.search.simplest(*point, &goals, rules.rules.len(), &[]);
            let witness = self.witness(&point);
            let message = "no rule decides payments such as this one".to_owned();
            let whole = describe::area(gap, &everything, &rules.domain);
            let rest = "end the rules with one without conditions, such as `reject = \"no channel for this payment\"`";
            let also = if more { "; there are more gaps than are shown" } else { "" };
            if let Some(finding) = self.add(Kind::Gap, None, &span, message) {
                finding.payment = witness;
                finding.hint = Some(format!("undecided are all with {{ {whole} }}; {rest}{also}"));
            }
        }
        Ok(())
    }

    /// Shrinks an area until no rule meets any of it but still `point` lies in it.
    fn around(&self, area: &Area, point: &Point) -> Area {
        let (rules, domain) = (self.rules, &self.rules.domain);
        let mut clear = area.clone();
        for rule in &rules.rules {
            if clear.is_apart_from(domain, &rule.area) {
                continue;
            }
            // The pieces lie in order of the facts; the first that holds the point narrows one fact only.
            if let Some(piece) = narrowed(&clear, &rule.area, domain, point) {
                clear = piece;
            }
        }
        clear
    }
}

/// The area without `other`, by narrowing the one fact in which `point` escapes it.
fn narrowed(area: &Area, other: &Area, domain: &Domain, point: &Point) -> Option<Area> {
    let escapes = Dim::ALL.into_iter().find(|&dim| !bits::has(other.values(domain, dim), point.value(dim)));
    let mut piece = area.clone();
    match escapes {
        Some(dim) => piece.drop(domain, dim, other.values(domain, dim)),
        None if !other.money.has(point.position()) => piece.money = piece.money.minus(&other.money),
        None => return None,
    }
    Some(piece)
}
