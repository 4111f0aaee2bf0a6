//! The channels that a rule routes to: can they serve what it decides, and what if one is down?

use super::Checker;
use crate::area::Area;
use crate::channel::{Channel, Served};
use crate::domain::Point;
use crate::offer::Offer;
use crate::prove::{Exhausted, Goal, common_multiple};
use crate::report::Kind;
use crate::rule::Rule;

impl Checker<'_> {
    pub(super) fn route(&mut self, at: usize, rule: &Rule, alive: &[Point]) -> Result<(), Exhausted> {
        let (rules, domain) = (self.rules, &self.rules.domain);
        let serves = std::mem::take(&mut self.serves);
        // What of the rule's payments each of its channels serves.
        let mut route: Vec<(usize, Vec<&Served>)> = Vec::new();
        for target in rule.action.targets() {
            let meets = |served: &&Served| !served.area.is_apart_from(domain, &rule.area);
            let of_channel = serves.get(target.channel).map(Vec::as_slice).unwrap_or_default();
            route.push((target.channel, of_channel.iter().filter(meets).collect()));
        }
        let all: Vec<&Served> = route.iter().flat_map(|(_, served)| served.iter().copied()).collect();
        let result = self.servable(at, rule, alive, &all).and_then(|servable| {
            if !servable {
                return Ok(());
            }
            let goals = self.goals(&rules.possible.declared, &rule.area);
            if let Some(point) = self.search.find(goals.clone(), at, &all)? {
                let point = self.search.simplest(point, &goals, at, &all);
                self.partly_unservable(rule, &point);
            }
            self.single_channels(at, rule, &route)?;
            self.single_providers(at, rule, &route)
        });
        self.serves = serves;
        result
    }

    /// Whether anything the rule decides can be served; adds a finding where nothing can.
    fn servable(&mut self, at: usize, rule: &Rule, alive: &[Point], all: &[&Served]) -> Result<bool, Exhausted> {
        let (rules, domain) = (self.rules, &self.rules.domain);
        if alive.iter().any(|point| all.iter().any(|served| served.has(domain, point))) {
            return Ok(true);
        }
        for served in all {
            let goals = self.goals(&rules.possible.asked, &rule.area.and(&served.area));
            let goals = goals.into_iter().map(|goal| Goal { multiple: served.step, ..goal }).collect();
            if self.search.find(goals, at, &[])?.is_some() {
                return Ok(true);
            }
        }
        let goals = self.goals(&rules.possible.asked, &rule.area);
        let point = alive.first().map(|point| self.search.simplest(*point, &goals, at, &[]));
        let (witness, hint) =
            (point.and_then(|point| self.witness(&point)), point.map(|point| self.refusals(rule, &point)));
        let message =
            format!("rule `{}` can never be served: none of its channels serves any payment it decides", rule.name);
        if let Some(finding) = self.add(Kind::Unservable, Some(&rule.name), &rule.action_span, message) {
            finding.payment = witness;
            finding.hint = hint;
        }
        Ok(false)
    }

    fn partly_unservable(&mut self, rule: &Rule, point: &Point) {
        let (witness, hint) = (self.witness(point), self.refusals(rule, point));
        let message = format!("rule `{}` decides payments that none of its channels can serve", rule.name);
        if let Some(finding) = self.add(Kind::PartlyUnservable, Some(&rule.name), &rule.action_span, message) {
            finding.payment = witness;
            finding.hint = Some(hint);
        }
    }

    /// Why each channel of the rule cannot serve the payment.
    fn refusals(&self, rule: &Rule, point: &Point) -> String {
        let rules = self.rules;
        let why = rule.action.targets().iter().filter_map(|target| {
            let channel = rules.channel(target.channel)?;
            let refusal = channel.refusal(target.channel, point, None, &Offer::Any, &rules.domain)?;
            Some(format!("`{}` {refusal}", channel.name))
        });
        why.collect::<Vec<_>>().join("; ")
    }

    /// Payments that one channel of the rule alone can serve.
    fn single_channels(&mut self, at: usize, rule: &Rule, route: &[(usize, Vec<&Served>)]) -> Result<(), Exhausted> {
        for (channel, of_channel) in route {
            let others: Vec<&Served> = route
                .iter()
                .filter(|(other, _)| other != channel)
                .flat_map(|(_, served)| served.iter().copied())
                .collect();
            let goals =
                of_channel.iter().map(|served| (&served.area, served.step)).map(|(area, step)| (area.clone(), step));
            let goals = goals.collect();
            let name = self.rules.channel(*channel).map(|channel| channel.name.to_string()).unwrap_or_default();
            self.single(at, rule, goals, &others, &name, "channel")?;
        }
        Ok(())
    }

    /// Payments that several channels of the rule can serve, all of one provider.
    fn single_providers(&mut self, at: usize, rule: &Rule, route: &[(usize, Vec<&Served>)]) -> Result<(), Exhausted> {
        let provider = |channel: usize| self.rules.channel(channel).map(|channel: &Channel| channel.provider.clone());
        let mut providers: Vec<(String, Vec<usize>)> = Vec::new();
        for (place, (channel, _)) in route.iter().enumerate() {
            let Some(name) = provider(*channel) else { continue };
            match providers.iter_mut().find(|(known, _)| *known == name) {
                Some((_, places)) => places.push(place),
                None => providers.push((name, vec![place])),
            }
        }
        for (name, places) in providers.into_iter().filter(|(_, places)| places.len() > 1) {
            let at_place = |place: &usize| route.get(*place).map(|(_, served)| served.as_slice()).unwrap_or_default();
            let elsewhere = (0..route.len()).filter(|place| !places.contains(place)).collect::<Vec<_>>();
            let others: Vec<&Served> = elsewhere.iter().flat_map(at_place).copied().collect();
            let mut goals: Vec<(Area, u64)> = Vec::new();
            for (n, a) in places.iter().enumerate() {
                for b in places.iter().skip(n.saturating_add(1)) {
                    for (one, two) in at_place(a).iter().flat_map(|one| at_place(b).iter().map(move |two| (one, two))) {
                        let both = one.area.and(&two.area);
                        if !both.is_empty(&self.rules.domain) {
                            goals.push((both, common_multiple(one.step, two.step)));
                        }
                    }
                }
            }
            self.single(at, rule, goals, &others, &name, "provider")?;
        }
        Ok(())
    }

    /// Adds a note where the rule decides a payment of the given areas that `others` do not serve.
    fn single(
        &mut self,
        at: usize,
        rule: &Rule,
        areas: Vec<(Area, u64)>,
        others: &[&Served],
        name: &str,
        what: &str,
    ) -> Result<(), Exhausted> {
        let possible = &self.rules.possible.declared;
        for (area, step) in areas {
            let goals = self.goals(possible, &rule.area.and(&area));
            let goals: Vec<Goal> = goals.into_iter().map(|goal| Goal { multiple: step, ..goal }).collect();
            let Some(point) = self.search.find(goals.clone(), at, others)? else { continue };
            let point = self.search.simplest(point, &goals, at, others);
            let witness = self.witness(&point);
            let message =
                format!("when {what} `{name}` is down, rule `{}` leaves payments without any channel", rule.name);
            if let Some(finding) = self.add(Kind::SinglePoint, Some(&rule.name), &rule.action_span, message) {
                finding.payment = witness;
                finding.single = Some(name.to_owned());
            }
            return Ok(());
        }
        Ok(())
    }
}
