//! A channel's maintenance windows.

use super::fault::{Fault, Severity};
use jiff::civil::{Time, Weekday};
use jiff::tz::{self, TimeZone};
use std::cell::RefCell;
use switchyard_core::Timestamp;
use switchyard_engine::maintenance::{Schedule, Window};
use switchyard_routing::reader::{Table, Value};

/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 200;

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// Reads `[[channels.NAME.maintenance]]`. A window that has passed is remarked on.
pub(crate) fn read(channel: &Table<'_>, now: Timestamp, remarks: &RefCell<Vec<Fault>>) -> Vec<Window> {
    channel.tables("maintenance").into_iter().filter_map(|table| window(table, now, remarks)).collect()
}

fn window(table: Table<'_>, now: Timestamp, remarks: &RefCell<Vec<Fault>>) -> Option<Window> {
    let reason = table.required("reason").and_then(|value| reason(&value));
    let weekly = table.has("days") || table.has("time_zone");
    let schedule = if weekly { self::weekly(&table) } else { once(&table, now, remarks) };
    // Known where it stands, though not looked at.
    if !weekly {
        let _ = (table.get("days"), table.get("time_zone"));
    }
    table.finish();
    Some(Window { schedule: schedule?, reason: reason?.into() })
}

fn reason(value: &Value<'_>) -> Option<String> {
    let text = value.text()?.text.trim();
    if text.is_empty() || text.chars().count() > REASON_CHARS_MAX || text.chars().any(char::is_control) {
        value.fault(format!("a `reason` has 1 to {REASON_CHARS_MAX} characters, on one line"));
        return None;
    }
    Some(text.to_owned())
}

fn once(table: &Table<'_>, now: Timestamp, remarks: &RefCell<Vec<Fault>>) -> Option<Schedule> {
    let from = table.required("from").and_then(|value| moment(&value));
    let end = table.required("to");
    let to = end.as_ref().and_then(moment);
    let (from, end, to) = (from?, end?, to?);
    if to <= from {
        end.fault("`to` is not later than `from`");
        return None;
    }
    if to <= now {
        let fault = table.faults().source().fault(&end.span(), "this maintenance window has passed");
        let fault = Fault { severity: Severity::Reminder, ..Fault::from(fault) };
        remarks.borrow_mut().push(fault.with_hint("it can be removed"));
    }
    Some(Schedule::Once { from, to })
}

/// A date and time with an offset, as a text or as TOML writes it.
fn moment(value: &Value<'_>) -> Option<Timestamp> {
    let text = if value.is_text() { value.text()?.text.to_owned() } else { value.datetime()?.to_string() };
    let moment: Option<jiff::Timestamp> = text.parse().ok();
    if moment.is_none() {
        value.fault(format!(
            "`{}` is `{text}`, where a date and time with its offset is wanted, such as `2027-01-31T02:00:00Z`; or `from`, \
             `to`, `days` and `time_zone` for each week",
            value.name().text
        ));
    }
    moment.map(|moment| Timestamp(moment.as_millisecond()))
}

fn weekly(table: &Table<'_>) -> Option<Schedule> {
    let days = table.required("days").and_then(|value| days(&value, table));
    let from = table.required("from").and_then(|value| time(&value, false));
    let end = table.required("to");
    let to = end.as_ref().and_then(|value| time(value, true));
    let zone = table.required("time_zone").and_then(|value| zone(&value, table));
    let (days, from, end, to, zone) = (days?, from?, end?, to?, zone?);
    if from == to && !(from == Time::midnight() && end.is_text() && end.text()?.text == MIDNIGHT) {
        end.fault("`to` is `from`, which would be no time or a whole day; a whole day is from 00:00 to 24:00");
        return None;
    }
    Some(Schedule::Weekly { days, from, to, zone })
}

fn days(value: &Value<'_>, table: &Table<'_>) -> Option<Vec<Weekday>> {
    let texts = value.texts();
    let whole = texts.len();
    if value.is_list() && value.list().is_some_and(|values| values.is_empty()) {
        value.fault("`days` names none");
    }
    let mut days = Vec::new();
    for text in texts {
        match DAYS.iter().find(|(name, _)| *name == text.text) {
            Some((_, day)) => days.push(*day),
            None => table.faults().unknown(text, "day", DAYS.iter().map(|(name, _)| *name)),
        }
    }
    (!days.is_empty() && days.len() == whole).then_some(days)
}

/// The end of a day.
const MIDNIGHT: &str = "24:00";

fn time(value: &Value<'_>, may_be_midnight: bool) -> Option<Time> {
    let text = value.text()?.text;
    if may_be_midnight && text == MIDNIGHT {
        return Some(Time::midnight());
    }
    let plain = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let time = text.parse().ok().filter(|_| plain);
    if time.is_none() {
        value.fault(format!("`{}` is `{text}`, where a time of day such as `02:00` is wanted", value.name().text));
    }
    time
}

fn zone(value: &Value<'_>, table: &Table<'_>) -> Option<TimeZone> {
    let name = value.text()?;
    // Looked up by its very name: what the database would forgive, people would mistake.
    let known: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
    let zone = known.iter().any(|known| known == name.text).then(|| TimeZone::get(name.text).ok()).flatten();
    if zone.is_none() {
        table.faults().unknown(name, "time zone", known.iter().map(String::as_str));
    }
    zone
}
