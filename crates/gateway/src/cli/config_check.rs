//! `switchyard config check`.

use super::{Failed, environment};
use crate::config::{self, Fault, Faults, Loaded, Wanted};
use serde_json::json;

/// Prints all that is wrong, or what the configuration comes to.
pub(super) fn run(wanted: &Wanted, json: bool) -> Result<(), Failed> {
    let result = config::load(wanted, &environment());
    if json {
        let found: &[Fault] = match &result {
            Ok(loaded) => &loaded.warnings,
            Err(Faults(faults)) => faults,
        };
        println!("{:#}", json!({"ok": result.is_ok(), "faults": found}));
        return result.map(|_| ()).map_err(|_| Failed(String::new()));
    }
    let loaded = result?;
    for warning in &loaded.warnings {
        eprintln!("{warning}\n");
    }
    print!("{}", summary(&loaded));
    Ok(())
}

fn summary(loaded: &Loaded) -> String {
    let from = match &loaded.directory {
        Some(directory) => directory.display().to_string(),
        None => "built in".to_owned(),
    };
    let mut text = format!("The configuration is sound ({from}).\n\n");
    let mut line = |what: &str, value: String| text.push_str(&format!("  {what:<12}{value}\n"));
    line("channels", names(loaded.channels.iter().map(|channel| channel.name.as_str())));
    line("order types", names(loaded.order_types.iter().map(|spec| spec.name.as_str())));
    line("merchants", names(loaded.merchants.iter().map(|spec| spec.name.as_str())));
    line("rules", format!("{} ({})", loaded.rules.rule_names().count(), loaded.rules.hash()));
    line("API", loaded.settings.api.listen.to_string());
    line("operations", loaded.settings.ops.listen.to_string());
    line("data", loaded.settings.store.data.display().to_string());
    text
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_configuration_is_summed_up() {
        let loaded = config::load(&Wanted { sandbox: true, ..Wanted::default() }, &Default::default()).unwrap();
        let text = summary(&loaded);
        assert!(text.contains("  channels    simulator_eu, simulator_us, simulator_local\n"), "{text}");
        assert!(text.contains("  rules       12 (sha256:"), "{text}");
    }
}
