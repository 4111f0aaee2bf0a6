//! `switchyard channels`.

use super::admin::{Office, OverrideView, SetOverride};
use super::arguments::{ChannelsCommand, Override};
use super::keys::expires;
use super::ledger::{Ledger, block_on};
use super::{Failed, client, environment};
use crate::config::{self, Loaded, Settings, Wanted};
use serde_json::{Value, json};
use switchyard_core::{ChannelName, Clock};

/// Runs the command and prints what came of it.
pub(super) fn run(command: &ChannelsCommand, wanted: &Wanted, clock: &dyn Clock) -> Result<(), Failed> {
    match command {
        ChannelsCommand::List { json } => {
            let loaded = config::load(wanted, &environment())?;
            let overrides = overrides(&loaded.settings, clock)?;
            if *json {
                println!("{:#}", as_json(&loaded, &overrides))
            } else {
                print!("{}", listed(&loaded, &overrides))
            }
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
            println!("{channel} is what its health says");
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

fn overrides(settings: &Settings, clock: &dyn Clock) -> Result<Vec<OverrideView>, Failed> {
    match Ledger::reach(settings)? {
        Ledger::Served(serving) => {
            let answer = client::call(&serving, "GET", "/ops/channels", None)?;
            let channels = answer.get("channels").and_then(Value::as_array).cloned().unwrap_or_default();
            let set = |channel: &Value| {
                let mut set = channel.get("override")?.as_object()?.clone();
                set.insert("channel".into(), channel.get("channel")?.clone());
                serde_json::from_value(Value::Object(set)).ok()
            };
            Ok(channels.iter().filter_map(set).collect())
        }
        Ledger::Own(own) => Ok(block_on(Office { store: &*own.store, clock, actor: "cli" }.overrides())??),
    }
}

fn as_json(loaded: &Loaded, overrides: &[OverrideView]) -> Value {
    let channels: Vec<Value> = loaded
        .channels
        .iter()
        .map(|channel| {
            json!({
                "channel": channel.name.as_str(),
                "provider": channel.provider.name,
                "modes": channel.spec.modes.iter().map(|mode| mode.as_str()).collect::<Vec<_>>(),
                "retired": channel.spec.retired,
                "override": overrides.iter().find(|set| set.channel == channel.name.as_str()),
            })
        })
        .collect();
    json!({"channels": channels})
}

fn listed(loaded: &Loaded, overrides: &[OverrideView]) -> String {
    let mut text = format!("{:<24}  {:<12}  {:<10}  {}\n", "CHANNEL", "PROVIDER", "MODES", "STATUS");
    for channel in &loaded.channels {
        let modes: Vec<&str> = channel.spec.modes.iter().map(|mode| mode.as_str()).collect();
        let modes = if modes.is_empty() { "none".to_owned() } else { modes.join(", ") };
        let status = match overrides.iter().find(|set| set.channel == channel.name.as_str()) {
            _ if channel.spec.retired => "retired".to_owned(),
            Some(set) => format!("{} by override: {}", set.status, set.reason),
            None => "by health".to_owned(),
        };
        text.push_str(&format!(
            "{:<24}  {:<12}  {modes:<10}  {status}\n",
            channel.name.as_str(),
            channel.provider.name
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
        let found = overrides(&loaded.settings, &clock).unwrap();
        assert!(listed(&loaded, &found).contains("down by override: maintenance"));
        assert_eq!(as_json(&loaded, &found)["channels"][0]["override"]["status"], "down");
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
    }
}
