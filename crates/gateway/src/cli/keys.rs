//! `switchyard keys`.

use super::admin::{IssueKey, IssuedKey, KeyView, NO_KEY_ID, Office};
use super::arguments::{Issue, KeysCommand};
use super::ledger::{Ledger, block_on};
use super::{Failed, client, environment, expiry};
use crate::api::Pepper;
use crate::config::{self, Settings, Wanted};
use serde_json::{Value, json};
use switchyard_core::id::KeyId;
use switchyard_core::{Clock, Timestamp};
use switchyard_routing::vocabulary::MerchantSpec;

/// Runs the command and prints what came of it.
pub(super) fn run(command: &KeysCommand, wanted: &Wanted, clock: &dyn Clock) -> Result<(), Failed> {
    let (settings, merchants) = config::load_settings(wanted, &environment())?;
    match command {
        KeysCommand::Issue(asked) => {
            let issued = issue(&request(asked, clock)?, &settings, &merchants, clock)?;
            if asked.json {
                println!("{}", serde_json::to_string_pretty(&issued)?)
            } else {
                print!("{}", told(&issued))
            }
        }
        KeysCommand::List { json: true } => println!("{:#}", json!({"data": list(&settings, clock)?})),
        KeysCommand::List { json: false } => print!("{}", listed(&list(&settings, clock)?, clock.now())),
        KeysCommand::Revoke { id } => {
            revoke(id, &settings, clock)?;
            println!("{id} is revoked; a process that serves refuses it within a second");
        }
    }
    Ok(())
}

fn request(asked: &Issue, clock: &dyn Clock) -> Result<IssueKey, Failed> {
    Ok(IssueKey {
        merchant: asked.merchant.clone(),
        mode: asked.mode.clone(),
        scopes: asked.scopes.clone(),
        label: asked.label.clone(),
        expires_at: expires(asked.expires.as_deref(), clock)?,
        addresses: asked.addresses.clone(),
        per_second: asked.per_second,
        burst: asked.burst,
    })
}

/// Reads `--expires`.
pub(super) fn expires(text: Option<&str>, clock: &dyn Clock) -> Result<Option<String>, Failed> {
    let Some(text) = text else { return Ok(None) };
    let at = expiry::at(text, clock.now()).and_then(expiry::shown);
    at.map(Some).ok_or_else(|| {
        Failed(format!("--expires {text}: a span such as 90d, a day such as 2027-01-31 or a time is wanted"))
    })
}

fn issue(
    asked: &IssueKey,
    settings: &Settings,
    merchants: &[MerchantSpec],
    clock: &dyn Clock,
) -> Result<IssuedKey, Failed> {
    match Ledger::reach(settings)? {
        Ledger::Served(serving) => {
            let answer = client::call(&serving, "POST", "/ops/keys", Some(&serde_json::to_value(asked)?))?;
            Ok(serde_json::from_value(answer)?)
        }
        Ledger::Own(own) => {
            let pepper = Pepper::open(settings.keys.pepper.as_ref(), &settings.store.data)?;
            let office = Office { store: &*own.store, clock, actor: "cli" };
            Ok(block_on(office.issue_key(asked, merchants, &pepper))??)
        }
    }
}

fn list(settings: &Settings, clock: &dyn Clock) -> Result<Vec<KeyView>, Failed> {
    match Ledger::reach(settings)? {
        Ledger::Served(serving) => {
            let mut answer = client::call(&serving, "GET", "/ops/keys", None)?;
            Ok(serde_json::from_value(answer.get_mut("data").map(Value::take).unwrap_or_default())?)
        }
        Ledger::Own(own) => Ok(block_on(Office { store: &*own.store, clock, actor: "cli" }.keys())??),
    }
}

fn revoke(id: &str, settings: &Settings, clock: &dyn Clock) -> Result<(), Failed> {
    match Ledger::reach(settings)? {
        Ledger::Served(serving) => {
            // What is no id must not become part of a path.
            let id = KeyId::parse(id).ok_or_else(|| Failed(NO_KEY_ID.to_owned()))?;
            client::call(&serving, "DELETE", &format!("/ops/keys/{id}"), None).map(|_| ())
        }
        Ledger::Own(own) => Ok(block_on(Office { store: &*own.store, clock, actor: "cli" }.revoke_key(id))??),
    }
}

/// The secret stands on the last line, for scripts.
fn told(issued: &IssuedKey) -> String {
    let IssuedKey { secret, key } = issued;
    let expires = key.expires_at.as_deref().unwrap_or("never");
    let addresses = if key.addresses.is_empty() { "any".to_owned() } else { key.addresses.join(", ") };
    format!(
        "id         {}\nmerchant   {} ({})\nscopes     {}\nexpires    {expires}\naddresses  {addresses}\n\n\
         The secret is shown once and kept nowhere: store it now.\n\n{secret}\n",
        key.id,
        key.merchant,
        key.mode,
        key.scopes.join(", "),
    )
}

/// A line for each key, in columns.
fn listed(keys: &[KeyView], now: Timestamp) -> String {
    if keys.is_empty() {
        return "There are no keys yet: switchyard keys issue --help\n".to_owned();
    }
    let mut text = format!(
        "{:<36}  {:<4}  {:<8}  {:<16}  {:<24}  {:<24}  {}\n",
        "ID", "MODE", "STATE", "MERCHANT", "EXPIRES", "LAST USED", "LABEL"
    );
    for key in keys {
        let ended = key.expires_at.as_deref().and_then(expiry::parse).is_some_and(|end| end <= now);
        let state = match key.revoked_at {
            Some(_) => "revoked",
            None if ended => "expired",
            None => "valid",
        };
        let expires = key.expires_at.as_deref().unwrap_or("never");
        let used = key.last_used_at.as_deref().unwrap_or("never");
        text.push_str(&format!(
            "{:<36}  {:<4}  {state:<8}  {:<16}  {expires:<24}  {used:<24}  {}\n",
            key.id, key.mode, key.merchant, key.label
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_key_is_issued_listed_and_revoked_straight_in_the_ledger() {
        let data = tempfile::tempdir().unwrap();
        let wanted = Wanted { data: Some(data.path().to_owned()), sandbox: true, ..Wanted::default() };
        let (settings, merchants) = config::load_settings(&wanted, &Default::default()).unwrap();
        let clock = SystemClock::default();
        let asked = IssueKey {
            merchant: "demo-shop".into(),
            mode: "test".into(),
            scopes: vec!["payments:write".into()],
            label: "web shop".into(),
            ..IssueKey::default()
        };
        let issued = issue(&asked, &settings, &merchants, &clock).unwrap();
        let keys = list(&settings, &clock).unwrap();
        assert_eq!((keys.len(), &keys[0].id), (1, &issued.key.id));
        assert!(
            listed(&keys, clock.now()).contains("valid     demo-shop")
                && told(&issued).trim_end().ends_with(&issued.secret)
        );
        revoke(&issued.key.id, &settings, &clock).unwrap();
        assert!(list(&settings, &clock).unwrap()[0].revoked_at.is_some());
        assert!(revoke(&issued.key.id, &settings, &clock).unwrap_err().0.contains("revoked already"));
        let pasted = revoke(&issued.secret, &settings, &clock).unwrap_err().0;
        assert!(pasted == NO_KEY_ID && !pasted.contains(&issued.secret));
        // The ledger holds the keyed hash alone.
        let pepper = Pepper::open(None, data.path()).unwrap();
        let Ledger::Own(own) = Ledger::reach(&settings).unwrap() else { panic!("nobody serves") };
        let kept = block_on(switchyard_store::Store::keys(&*own.store)).unwrap().unwrap();
        assert_eq!(kept[0].hash, pepper.api_key_hash(&issued.secret));
        let second = Ledger::reach(&settings);
        assert!(second.is_err_and(|failed| failed.0.contains("in use")));
    }
}
