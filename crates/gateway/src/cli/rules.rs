//! `switchyard rules`.

use super::arguments::{Deny, Explain, RulesCommand};
use super::{Failed, environment, recorded};
use crate::config::{self, Loaded, Wanted};
use crate::records::explained::Explained;
use serde_json::json;
use std::path::Path;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{Clock, Country, Currency, MerchantName, Method, Money, OrderType, PaymentId};
use switchyard_routing::nearest::did_you_mean;
use switchyard_routing::source::Source;
use switchyard_routing::vocabulary::Vocabulary;
use switchyard_routing::{Facts, Offer, Report, RuleSet, Severity, Status};

/// Stands for any merchant that nothing is narrowed for; no file can declare it.
const ANY_MERCHANT: &str = "any-merchant";

/// Runs the command and prints what came of it.
pub(super) fn run(command: &RulesCommand, wanted: &Wanted, clock: &dyn Clock) -> Result<(), Failed> {
    match command {
        RulesCommand::Check { json, deny } => check(*json, *deny, wanted),
        RulesCommand::Explain(Explain { payment: Some(payment), .. }) => {
            print!("{}", recorded::explain(payment, wanted)?);
            Ok(())
        }
        RulesCommand::Explain(asked) => {
            let loaded = config::load(wanted, &environment())?;
            print!("{}", explain(asked, &loaded)?);
            Ok(())
        }
        RulesCommand::Verify(asked) => recorded::run_verify(asked, wanted, clock),
        RulesCommand::Replay(asked) => recorded::run_replay(asked, wanted, clock),
        RulesCommand::Diff { old, new, ranges, json } => {
            let vocabulary = config::load(wanted, &environment())?.vocabulary();
            let (old, new) = (compiled(old, &vocabulary)?, compiled(new, &vocabulary)?);
            let diff = switchyard_routing::diff::diff(&old, &new, *ranges);
            if *json {
                println!("{}", serde_json::to_string_pretty(&diff)?)
            } else {
                println!("{diff}")
            }
            Ok(())
        }
        RulesCommand::Fmt { file, check } => {
            let source = read(file)?;
            let formatted = switchyard_routing::format::format(&source).map_err(|faults| told(&faults))?;
            match (formatted == source.text(), check) {
                (true, _) => Ok(()),
                (false, true) => Err(Failed(format!("{} is not in its canonical form", file.display()))),
                (false, false) => Ok(std::fs::write(file, formatted)?),
            }
        }
    }
}

fn check(json: bool, deny: Option<Deny>, wanted: &Wanted) -> Result<(), Failed> {
    let result = config::load(wanted, &environment());
    let denied = |report: &Report| match deny {
        Some(Deny::Warnings) => report.count(Severity::Warning),
        None => 0,
    };
    if json {
        let (ok, found) = match &result {
            Ok(loaded) => {
                let (report, denied) = (&loaded.report, denied(&loaded.report));
                let ok = denied == 0;
                (ok, json!({"ok": ok, "denied": denied, "faults": loaded.warnings, "report": report}))
            }
            Err(faults) => (false, json!({"ok": false, "faults": faults})),
        };
        println!("{found:#}");
        return if ok { Ok(()) } else { Err(Failed(String::new())) };
    }
    let loaded = result?;
    println!("{}", loaded.report);
    match denied(&loaded.report) {
        0 => {
            let count = match loaded.rules.rule_names().count() {
                1 => "1 rule is".to_owned(),
                count => format!("{count} rules are"),
            };
            println!("{count} sound ({})", loaded.rules.hash());
            Ok(())
        }
        denied => Err(Failed(format!("{denied} warnings, which are denied"))),
    }
}

fn read(file: &Path) -> Result<Source, Failed> {
    let text = config::read_text(file).map_err(|error| Failed(format!("{}: {error}", file.display())))?;
    Ok(Source::new(file.display().to_string(), text))
}

pub(super) fn compiled(file: &Path, vocabulary: &Vocabulary) -> Result<RuleSet, Failed> {
    RuleSet::compile(&read(file)?, vocabulary).map_err(|faults| told(&faults))
}

fn told(faults: &[switchyard_routing::source::Fault]) -> Failed {
    Failed(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn explain(asked: &Explain, loaded: &Loaded) -> Result<String, Failed> {
    let facts = facts(asked, loaded)?;
    for name in asked.down.iter().chain(&asked.degraded) {
        let known = || loaded.channels.iter().map(|channel| channel.name.as_str());
        if !known().any(|channel| channel == name) {
            return Err(unknown("channel", name, known()));
        }
    }
    let named = |list: &[String], name: &str| list.iter().any(|listed| listed == name);
    let snapshot = loaded.rules.snapshot(|name| match name.as_str() {
        name if named(&asked.down, name) => Status::Down,
        name if named(&asked.degraded, name) => Status::Degraded,
        _ => Status::Up,
    });
    let id = PaymentId::from_uuid(uuid::Uuid::nil());
    Ok(Explained::from(&loaded.rules.explain(&facts, &Offer::Any, &snapshot, id)).to_string())
}

fn facts(asked: &Explain, loaded: &Loaded) -> Result<Facts, Failed> {
    let order_types = || loaded.order_types.iter().map(|spec| spec.name.as_str());
    let order_type = OrderType::new(&asked.order_type).filter(|name| order_types().any(|known| known == name.as_str()));
    let order_type = order_type.ok_or_else(|| unknown("order type", &asked.order_type, order_types()))?;
    let methods = || Method::ALL.iter().map(|method| method.name());
    let method = Method::from_name(&asked.method).ok_or_else(|| unknown("method", &asked.method, methods()))?;
    let (Some(currency), Some(amount), Some(country)) = (&asked.currency, &asked.amount, &asked.country) else {
        return Err(Failed("--amount, --currency and --country are wanted, or the id of a payment".into()));
    };
    let currency = Currency::from_code(currency).ok_or_else(|| unknown("currency", currency, []))?;
    let amount = Money::from_major(amount, currency)
        .map_err(|error| Failed(format!("`{amount}` is no amount of {currency}: {error}")))?;
    let country = Country::from_code(country).ok_or_else(|| unknown("country", country, []))?;
    let merchants = || loaded.merchants.iter().map(|spec| spec.name.as_str());
    let merchant = match &asked.merchant {
        Some(name) => MerchantName::new(name)
            .filter(|name| merchants().any(|known| known == name.as_str()))
            .ok_or_else(|| unknown("merchant", name, merchants()))?,
        None => MerchantName::new(ANY_MERCHANT).ok_or_else(|| Failed(ANY_MERCHANT.to_owned()))?,
    };
    let mut facts = Facts::new(order_type, method, amount, country, merchant);
    if asked.manual_capture {
        facts.capture = CaptureMode::Manual;
    }
    Ok(facts)
}

fn unknown<'k>(what: &str, name: &str, known: impl IntoIterator<Item = &'k str>) -> Failed {
    let hint = did_you_mean(name, known).map(|hint| format!(": {hint}")).unwrap_or_default();
    Failed(format!("unknown {what} `{name}`{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::{Cli, Command};
    use clap::Parser as _;

    fn explained(line: &str) -> Result<String, Failed> {
        let loaded = config::load(&Wanted { sandbox: true, ..Wanted::default() }, &Default::default()).unwrap();
        let arguments = ["switchyard", "rules", "explain"].into_iter().chain(line.split(' '));
        let Command::Rules { command: RulesCommand::Explain(asked) } = Cli::try_parse_from(arguments).unwrap().command
        else {
            panic!("another command")
        };
        explain(&asked, &loaded)
    }

    #[test]
    fn a_decision_is_explained_with_everything_passed_over() {
        let text = explained("--country DE --amount 125.00 --currency EUR --down simulator_eu").unwrap();
        assert!(text.starts_with("The payment goes to simulator_us (simulator).\n\n  rule    eu-cards\n"), "{text}");
        assert!(text.contains("simulator_eu") && text.contains("eu-cards-large: amount"), "{text}");
        let rejected = explained("--country DE --amount 1 --currency EUR --method pix").unwrap();
        assert!(rejected.starts_with("The payment is rejected: this method is not accepted"), "{rejected}");
    }

    #[test]
    fn names_that_nobody_knows_are_told() {
        let failed = explained("--country DE --amount 1 --currency EUR --down simulator_ue").unwrap_err();
        assert_eq!(failed.0, "unknown channel `simulator_ue`: did you mean `simulator_eu`?");
        let failed = explained("--country DE --amount 1.005 --currency EUR").unwrap_err();
        assert_eq!(failed.0, "`1.005` is no amount of EUR: EUR has 2 decimals");
    }
}
