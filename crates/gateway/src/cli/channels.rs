//! `switchyard channels`.

use super::admin::{ChannelEvent, Office, OverrideView, SetOverride};
use super::arguments::{ChannelsCommand, Override};
use super::expiry::shown;
use super::keys::expires;
use super::ledger::{Ledger, block_on};
use super::{Failed, client, environment};
use crate::config::{self, ChannelConfig, Loaded, Settings, Wanted};
use serde_json::{Map, Value, json};
use switchyard_core::{ChannelName, Clock, Timestamp};
use switchyard_engine::maintenance::{Period, maintenance};
use switchyard_store::Store as _;

/// Runs the command and prints what came of it.
pub(super) fn run(command: &ChannelsCommand, wanted: &Wanted, clock: &dyn Clock) -> Result<(), Failed> {
    match command {
        ChannelsCommand::List { json } => {
            let loaded = config::load(wanted, &environment())?;
            let states = states(&loaded, clock)?;
            if *json { println!("{:#}", as_json(&loaded, &states)) } else { print!("{}", listed(&loaded, &states)) }
        }
        ChannelsCommand::Override(asked) => {
            let loaded = config::load(wanted, &environment())?;
            let set = set(asked, &loaded, clock)?;
            let until = set.expires_at.map(|at| format!(" until {at}")).unwrap_or_default();
            println!("{} is {}{until}", set.channel, set.status);
        }
        ChannelsCommand::Clear { channel } => {
            let (settings, _) = config::load_settings(wanted, &environment())?;
            clear(channel, &settings, clock)?;
            println!("{channel} is what its health and its maintenance windows say");
        }
        ChannelsCommand::History { channel, limit, json } => {
            let loaded = config::load(wanted, &environment())?;
            let events = history(channel.as_deref(), *limit, &loaded, clock)?;
            if *json { println!("{:#}", json!({"data": events})) } else { print!("{}", told(&events)) }
        }
    }
    Ok(())
}

fn set(asked: &Override, loaded: &Loaded, clock: &dyn Clock) -> Result<OverrideView, Failed> {
    let request = SetOverride {
        status: asked.status.clone(),
        reason: asked.reason.clone(),
        expires_at: expires(asked.expires.as_deref(), clock)?,
    };
    match Ledger::reach(&loaded.settings)? {
        Ledger::Served(serving) => {
            let answer =
                client::call(&serving, "POST", &path(&asked.channel)?, Some(&serde_json::to_value(&request)?))?;
            Ok(serde_json::from_value(answer)?)
        }
        Ledger::Own(own) => {
            let names: Vec<ChannelName> = loaded.channels.iter().map(|channel| channel.name.clone()).collect();
            let office = Office { store: &*own.store, clock, actor: "cli" };
            Ok(block_on(office.set_override(&asked.channel, &request, &names))??)
        }
    }
}

fn clear(channel: &str, settings: &Settings, clock: &dyn Clock) -> Result<(), Failed> {
    match Ledger::reach(settings)? {
        Ledger::Served(serving) => client::call(&serving, "DELETE", &path(channel)?, None).map(|_| ()),
        Ledger::Own(own) => Ok(block_on(Office { store: &*own.store, clock, actor: "cli" }.clear_override(channel))??),
    }
}

/// Where a channel's override is. What is no name must not become part of a path.
fn path(channel: &str) -> Result<String, Failed> {
    let name = ChannelName::new(channel).ok_or_else(|| Failed(format!("`{channel}` is no channel's name")))?;
    Ok(format!("/ops/channels/{name}/override"))
}

/// What is known of the channels' statuses: by the process that serves, all of it; else what the ledger and the files say.
fn states(loaded: &Loaded, clock: &dyn Clock) -> Result<Vec<Value>, Failed> {
    match Ledger::reach(&loaded.settings)? {
        Ledger::Served(serving) => {
            let answer = client::call(&serving, "GET", "/ops/channels", None)?;
            Ok(answer.get("channels").and_then(Value::as_array).cloned().unwrap_or_default())
        }
        Ledger::Own(own) => {
            let now = clock.now();
            let overrides = block_on(own.store.overrides())??;
            let holding = overrides.iter().filter(|set| set.expires_at.is_none_or(|end| end > now));
            let holding: Vec<OverrideView> = holding.map(OverrideView::from).collect();
            Ok(loaded.channels.iter().map(|channel| at_rest(channel, &holding, now)).collect())
        }
    }
}

/// A channel while nobody serves: health is in no file.
fn at_rest(channel: &ChannelConfig, overrides: &[OverrideView], now: Timestamp) -> Value {
    let set = overrides.iter().find(|set| set.channel == channel.name.as_str());
    let maintenance = maintenance(&channel.maintenance, now);
    let (status, cause) = match (set, &maintenance.current) {
        (Some(set), _) => {
            let (reason, by, until) = (&set.reason, &set.set_by, &set.expires_at);
            (Some(&*set.status), json!({"type": "override", "reason": reason, "by": by, "until": until}))
        }
        (None, Some(period)) => {
            let until = shown(period.to);
            (Some("down"), json!({"type": "maintenance", "reason": &*period.reason, "by": null, "until": until}))
        }
        (None, None) => (None, json!({"type": "health", "reason": null, "by": null, "until": null})),
    };
    let modes = channel.spec.modes.iter().map(|mode| {
        let state = json!({"status": status, "since": null, "cause": cause, "health": null});
        (mode.as_str().to_owned(), state)
    });
    let period =
        |period: &Period| json!({"from": shown(period.from), "to": shown(period.to), "reason": &*period.reason});
    json!({
        "channel": channel.name.as_str(),
        "modes": modes.collect::<Map<String, Value>>(),
        "override": set,
        "maintenance": {
            "current": maintenance.current.as_ref().map(period), "next": maintenance.next.as_ref().map(period),
        },
    })
}

fn state_of<'s>(states: &'s [Value], channel: &ChannelConfig) -> Option<&'s Value> {
    states.iter().find(|state| state.get("channel").and_then(Value::as_str) == Some(channel.name.as_str()))
}

fn as_json(loaded: &Loaded, states: &[Value]) -> Value {
    let channels: Vec<Value> = loaded
        .channels
        .iter()
        .map(|channel| {
            let state = state_of(states, channel);
            let part = |key: &str| state.and_then(|state| state.get(key)).cloned().unwrap_or_default();
            json!({
                "channel": channel.name.as_str(),
                "provider": channel.provider.name,
                "modes": channel.spec.modes.iter().map(|mode| mode.as_str()).collect::<Vec<_>>(),
                "retired": channel.spec.retired,
                "state": part("modes"),
                "override": part("override"),
                "maintenance": part("maintenance"),
            })
        })
        .collect();
    json!({"channels": channels})
}

fn listed(loaded: &Loaded, states: &[Value]) -> String {
    let mut text = format!("{:<24}  {:<12}  {:<5}  {:<9}  {}\n", "CHANNEL", "PROVIDER", "MODE", "STATUS", "WHY");
    for channel in &loaded.channels {
        let state = state_of(states, channel).cloned().unwrap_or_default();
        let mut modes: Vec<(&str, Value)> = Vec::new();
        for mode in &channel.spec.modes {
            modes.push((
                mode.as_str(),
                state.pointer(&format!("/modes/{}", mode.as_str())).cloned().unwrap_or_default(),
            ));
        }
        if modes.is_empty() {
            modes.push(("none", Value::Null));
        }
        for (mode, standing) in modes {
            let word = |key: &str| standing.pointer(key).and_then(Value::as_str);
            let status = if channel.spec.retired { "retired" } else { word("/status").unwrap_or("-") };
            let why = if standing.is_null() || channel.spec.retired { String::new() } else { why(&standing) };
            text.push_str(&format!(
                "{:<24}  {:<12}  {mode:<5}  {status:<9}  {why}\n",
                channel.name.as_str(),
                channel.provider.name
            ));
        }
        if let Some(next) = state.pointer("/maintenance/next").filter(|next| next.is_object()) {
            let word = |key: &str| next.get(key).and_then(Value::as_str).unwrap_or_default();
            text.push_str(&format!("  next maintenance from {} to {}: {}\n", word("from"), word("to"), word("reason")));
        }
    }
    text
}

/// Why a channel is what it is, in a line.
fn why(standing: &Value) -> String {
    let word = |key: &str| standing.pointer(key).and_then(Value::as_str);
    let number = |key: &str| standing.pointer(key).and_then(Value::as_u64).unwrap_or_default();
    let mut why = word("/cause/type").unwrap_or("health").to_owned();
    for (key, before) in
        [("/cause/by", " by "), ("/since", " since "), ("/cause/until", " until "), ("/cause/reason", ": ")]
    {
        if let Some(word) = word(key) {
            why.push_str(before);
            why.push_str(word);
        }
    }
    if number("/health/calls") > 0 {
        why.push_str(&format!(
            "; of {} calls {} faults, {} slow",
            number("/health/calls"),
            number("/health/faults"),
            number("/health/slow")
        ));
    }
    why
}

fn history(channel: Option<&str>, limit: u32, loaded: &Loaded, clock: &dyn Clock) -> Result<Vec<ChannelEvent>, Failed> {
    match Ledger::reach(&loaded.settings)? {
        Ledger::Served(serving) => {
            let mut path = format!("/ops/channels/history?limit={limit}");
            if let Some(channel) = channel {
                let name =
                    ChannelName::new(channel).ok_or_else(|| Failed(format!("`{channel}` is no channel's name")))?;
                path.push_str(&format!("&channel={name}"));
            }
            let answer = client::call(&serving, "GET", &path, None)?;
            Ok(serde_json::from_value(answer.get("data").cloned().unwrap_or_default())?)
        }
        Ledger::Own(own) => {
            let names: Vec<ChannelName> = loaded.channels.iter().map(|channel| channel.name.clone()).collect();
            let office = Office { store: &*own.store, clock, actor: "cli" };
            Ok(block_on(office.history(channel, limit, &names))??)
        }
    }
}

fn told(events: &[ChannelEvent]) -> String {
    let mut text = format!("{:<24}  {:<24}  {:<4}  {:<9}  {:<9}  {}\n", "AT", "CHANNEL", "MODE", "FROM", "TO", "WHY");
    for event in events {
        let by = event.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let until = event.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
        let reason = if event.reason.is_empty() { String::new() } else { format!(": {}", event.reason) };
        text.push_str(&format!(
            "{:<24}  {:<24}  {:<4}  {:<9}  {:<9}  {}{by}{until}{reason}\n",
            event.at.as_deref().unwrap_or("-"),
            event.channel,
            event.mode,
            event.from,
            event.to,
            event.cause,
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn an_override_is_set_listed_and_cleared() {
        let data = tempfile::tempdir().unwrap();
        let wanted = Wanted { data: Some(data.path().to_owned()), sandbox: true, ..Wanted::default() };
        let loaded = config::load(&wanted, &Default::default()).unwrap();
        let clock = SystemClock::default();
        let mut asked = Override {
            channel: "simulator_eu".into(),
            status: "down".into(),
            reason: "maintenance".into(),
            expires: Some("2h".into()),
        };
        let set_view = set(&asked, &loaded, &clock).unwrap();
        assert!(set_view.expires_at.is_some());
        let found = states(&loaded, &clock).unwrap();
        let text = listed(&loaded, &found);
        assert!(text.contains("override by cli until ") && text.contains(": maintenance\n"), "{text}");
        let json = as_json(&loaded, &found);
        assert_eq!(json["channels"][0]["override"]["status"], "down");
        assert_eq!(json["channels"][0]["state"]["test"]["cause"]["by"], "cli");
        // Without a process that serves there is no health.
        assert_eq!(json["channels"][1]["state"]["test"]["status"], Value::Null);
        clear("simulator_eu", &loaded.settings, &clock).unwrap();
        assert_eq!(
            clear("simulator_eu", &loaded.settings, &clock),
            Err(Failed("channel `simulator_eu` has no override".into()))
        );
        asked.channel = "simulator_ue".into();
        assert!(set(&asked, &loaded, &clock).unwrap_err().0.contains("did you mean `simulator_eu`?"));
        (asked.channel, asked.status, asked.reason) = ("simulator_eu".into(), "dwn".into(), " ".into());
        let wrong = set(&asked, &loaded, &clock).unwrap_err().0;
        assert_eq!(wrong, "unknown status `dwn`: did you mean `down`?; a reason is wanted");
        assert!(path("../keys").is_err());
        assert_eq!(history(None, 10, &loaded, &clock), Ok(Vec::new()));
        let wrong = history(Some("simulator_ue"), 10, &loaded, &clock).unwrap_err().0;
        assert!(wrong.contains("did you mean `simulator_eu`?"), "{wrong}");
    }
}
