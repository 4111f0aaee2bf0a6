//! Maintenance windows: when a channel takes no new payments because its provider said so beforehand.
//!
//! What holds at a moment is a pure function of the windows and that moment. Time zones come from the database built into
//! the binary, so that every machine gives the same answer.
//!
//! Where clocks are changed, a window is rather too long than too short. A start that the clock skips is the moment of
//! the change, an end that it skips comes as long after the change as it was to come after the hour; of an hour that
//! comes twice, a start takes the first and an end the second.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::sync::Arc;
use switchyard_core::Timestamp;

/// A window, as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// When it is.
    pub schedule: Schedule,
    /// Why, for people.
    pub reason: Arc<str>,
}

/// When a window is.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Once.
    Once {
        /// Included.
        from: Timestamp,
        /// Excluded.
        to: Timestamp,
    },
    /// Each week.
    Weekly {
        /// On which days it begins.
        days: Vec<Weekday>,
        /// The clock's time at which it begins.
        from: Time,
        /// The clock's time at which it ends: on the day after, where that is not later than `from`.
        to: Time,
        /// Whose clock.
        zone: TimeZone,
    },
}

/// A stretch of maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Included.
    pub from: Timestamp,
    /// Excluded.
    pub to: Timestamp,
    /// Why, for people.
    pub reason: Arc<str>,
}

/// What a channel's windows come to at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// What is under way, windows that touch or overlap taken as one.
    pub current: Option<Period>,
    /// What comes after it.
    pub next: Option<Period>,
}

/// Days looked back on: a window that began the day before may be under way, and clocks differ by up to a day.
const DAYS_BACK: i64 = 2;
/// Days looked ahead: each day of the week, and as many as clocks differ by.
const DAYS_AHEAD: i64 = 8;

impl Window {
    /// Its occurrences around `now`, the next one among them.
    fn periods(&self, now: Timestamp) -> Vec<Period> {
        match &self.schedule {
            Schedule::Once { from, to } => vec![self.period(*from, *to)],
            Schedule::Weekly { days, from, to, zone } => self.weekly(now, days, (*from, *to), zone),
        }
    }

    fn weekly(&self, now: Timestamp, days: &[Weekday], (from, to): (Time, Time), zone: &TimeZone) -> Vec<Period> {
        let Ok(now) = jiff::Timestamp::from_millisecond(now.0) else { return Vec::new() };
        let today = zone.to_datetime(now).date();
        let occurrence = |offset: i64| {
            let day = today.checked_add(jiff::Span::new().try_days(offset).ok()?).ok()?;
            let last = if to > from { day } else { day.tomorrow().ok()? };
            let period = self.period(first(day.to_datetime(from), zone)?, past(last.to_datetime(to), zone)?);
            days.contains(&day.weekday()).then_some(period)
        };
        (-DAYS_BACK..=DAYS_AHEAD).filter_map(occurrence).collect()
    }

    fn period(&self, from: Timestamp, to: Timestamp) -> Period {
        Period { from, to, reason: Arc::clone(&self.reason) }
    }
}

/// The moment at which a clock first shows a time, or skips it.
fn first(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let local = zone.to_ambiguous_timestamp(at);
    let moment = match local.offset() {
        AmbiguousOffset::Gap { .. } => zone.following(local.earlier().ok()?).next()?.timestamp(),
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => local.earlier().ok()?,
    };
    Some(Timestamp(moment.as_millisecond()))
}

/// The moment at which a clock last shows a time, or would.
fn past(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let moment = zone.to_ambiguous_timestamp(at).later().ok()?;
    Some(Timestamp(moment.as_millisecond()))
}

/// What the windows come to at a moment.
#[must_use]
pub fn maintenance(windows: &[Window], now: Timestamp) -> Maintenance {
    let mut periods: Vec<Period> = windows.iter().flat_map(|window| window.periods(now)).collect();
    periods.retain(|period| period.to > now && period.from < period.to);
    periods.sort_by_key(|period| (period.from, period.to));
    let mut current: Option<Period> = None;
    for period in &periods {
        match &mut current {
            None if period.from <= now => current = Some(period.clone()),
            Some(current) if period.from <= current.to => {
                // Whoever reads it now wants to know why it is now.
                if period.from <= now && !current.reason.contains(&*period.reason) {
                    current.reason = format!("{}; {}", current.reason, period.reason).into();
                }
                current.to = current.to.max(period.to);
            }
            None | Some(_) => {}
        }
    }
    let after = current.as_ref().map_or(now, |current| current.to);
    let next = periods.into_iter().find(|period| period.from > after);
    Maintenance { current, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn weekly(days: &[Weekday], from: &str, to: &str, zone: &str) -> Window {
        let schedule = Schedule::Weekly {
            days: days.to_vec(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            zone: TimeZone::get(zone).unwrap(),
        };
        Window { schedule, reason: "weekly".into() }
    }

    fn once(from: &str, to: &str, reason: &str) -> Window {
        Window { schedule: Schedule::Once { from: at(from), to: at(to) }, reason: reason.into() }
    }

    fn shown(period: Option<Period>) -> Option<(String, String)> {
        let text = |at: Timestamp| jiff::Timestamp::from_millisecond(at.0).unwrap().to_string();
        period.map(|period| (text(period.from), text(period.to)))
    }

    /// The first stretch after `now`.
    fn after(window: &Window, now: &str) -> (String, String) {
        shown(maintenance(std::slice::from_ref(window), at(now)).next).unwrap()
    }

    fn pair(from: &str, to: &str) -> (String, String) {
        (from.into(), to.into())
    }

    #[test]
    fn a_window_holds_from_its_start_until_before_its_end() {
        let window = [once("2026-03-01T02:00:00Z", "2026-03-01T04:00:00Z", "upgrade")];
        let holds = |now: &str| maintenance(&window, at(now)).current.is_some();
        for (now, held) in [
            ("2026-03-01T01:59:59.999Z", false),
            ("2026-03-01T02:00:00Z", true),
            ("2026-03-01T03:59:59.999Z", true),
            ("2026-03-01T04:00:00Z", false),
        ] {
            assert_eq!(holds(now), held, "{now}");
        }
        assert_eq!(maintenance(&window, at("2026-03-01T04:00:00Z")), Maintenance::default());
        assert!(maintenance(&window, at("2026-02-01T00:00:00Z")).next.is_some());
    }

    #[test]
    fn a_week_comes_round_and_midnight_is_crossed() {
        // 1 March 2026 is a Sunday.
        let window = weekly(&[Weekday::Saturday], "23:30", "01:15", "Europe/Berlin");
        let now = at("2026-03-01T00:00:00Z");
        let found = maintenance(std::slice::from_ref(&window), now);
        assert_eq!(shown(found.current), Some(pair("2026-02-28T22:30:00Z", "2026-03-01T00:15:00Z")));
        assert_eq!(shown(found.next), Some(pair("2026-03-07T22:30:00Z", "2026-03-08T00:15:00Z")));
        assert_eq!(after(&window, "2026-03-01T00:15:00Z"), pair("2026-03-07T22:30:00Z", "2026-03-08T00:15:00Z"));
    }

    #[test]
    fn where_the_clock_is_put_forward_the_hour_is_not_there() {
        // Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00Z.
        let spring = |from: &str, to: &str| {
            after(&weekly(&[Weekday::Sunday], from, to, "Europe/Berlin"), "2026-03-28T12:00:00Z")
        };
        assert_eq!(spring("02:00", "04:00"), pair("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"));
        assert_eq!(spring("01:30", "02:30"), pair("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"));
        // All of it skipped: the stretch after the change, no shorter than it was to be.
        assert_eq!(spring("02:15", "02:45"), pair("2026-03-29T01:00:00Z", "2026-03-29T01:45:00Z"));
        // Its end stands before where its start would come to lie.
        assert_eq!(spring("02:30", "03:15"), pair("2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"));
        assert_eq!(spring("03:00", "04:00"), pair("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"));
    }

    #[test]
    fn where_the_clock_is_put_back_both_hours_count() {
        // Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00Z.
        let autumn = |from: &str, to: &str| {
            after(&weekly(&[Weekday::Sunday], from, to, "Europe/Berlin"), "2026-10-24T12:00:00Z")
        };
        assert_eq!(autumn("02:00", "04:00"), pair("2026-10-25T00:00:00Z", "2026-10-25T03:00:00Z"));
        assert_eq!(autumn("02:15", "02:45"), pair("2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z"));
        assert_eq!(autumn("00:30", "01:30"), pair("2026-10-24T22:30:00Z", "2026-10-24T23:30:00Z"));
    }

    #[test]
    fn zones_far_from_greenwich_have_days_of_their_own() {
        // Monday in Auckland begins while it is Sunday noon in Greenwich.
        let window = weekly(&[Weekday::Monday], "00:00", "06:00", "Pacific/Auckland");
        assert_eq!(after(&window, "2026-07-04T00:00:00Z"), pair("2026-07-05T12:00:00Z", "2026-07-05T18:00:00Z"));
        // Half an hour of change, on Lord Howe Island: 4 October 2026, 02:00 becomes 02:30.
        let window = weekly(&[Weekday::Sunday], "02:10", "03:00", "Australia/Lord_Howe");
        assert_eq!(after(&window, "2026-10-03T00:00:00Z"), pair("2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"));
    }

    #[test]
    fn windows_that_touch_or_overlap_are_one() {
        let windows = [
            once("2026-03-01T02:00:00Z", "2026-03-01T03:00:00Z", "a"),
            once("2026-03-01T02:30:00Z", "2026-03-01T04:00:00Z", "b"),
            once("2026-03-01T04:00:00Z", "2026-03-01T05:00:00Z", "c"),
            once("2026-03-01T06:00:00Z", "2026-03-01T07:00:00Z", "d"),
        ];
        let found = maintenance(&windows, at("2026-03-01T02:45:00Z"));
        assert_eq!(found.current.as_ref().map(|period| &*period.reason), Some("a; b"));
        assert_eq!(shown(found.current), Some(pair("2026-03-01T02:00:00Z", "2026-03-01T05:00:00Z")));
        assert_eq!(shown(found.next), Some(pair("2026-03-01T06:00:00Z", "2026-03-01T07:00:00Z")));
        // Nobody is told of the hour before it is there.
        let found = maintenance(&windows, at("2026-03-01T01:00:00Z"));
        assert_eq!(found.current, None);
        assert_eq!(shown(found.next), Some(pair("2026-03-01T02:00:00Z", "2026-03-01T03:00:00Z")));
    }

    #[test]
    fn every_moment_of_a_year_agrees_with_the_clock_on_the_wall() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let (days, from, to) = ([Weekday::Wednesday, Weekday::Sunday], "22:40", "03:20");
        let window = [weekly(&days, from, to, "Europe/Berlin")];
        let (from, to): (Time, Time) = (from.parse().unwrap(), to.parse().unwrap());
        let mut now = at("2026-01-01T00:07:00Z");
        while now < at("2027-01-01T00:00:00Z") {
            let wall = zone.to_datetime(jiff::Timestamp::from_millisecond(now.0).unwrap());
            let evening = days.contains(&wall.weekday()) && wall.time() >= from;
            let morning = days.contains(&wall.date().yesterday().unwrap().weekday()) && wall.time() < to;
            assert_eq!(maintenance(&window, now).current.is_some(), evening || morning, "{wall}");
            now = now.after(std::time::Duration::from_mins(23));
        }
        for nonsense in [i64::MIN, i64::MAX] {
            assert_eq!(maintenance(&window, Timestamp(nonsense)), Maintenance::default());
        }
    }
}
