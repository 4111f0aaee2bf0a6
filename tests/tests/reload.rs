//! Rules, channels and merchants replaced while the gateway serves: whole, or not at all.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use switchyard_tests::process::{binary, run};
use switchyard_tests::{Client, Options, Sandbox, authorization, card_payment, unique, until};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

const FILES: [&str; 3] = ["routing.toml", "channels.toml", "merchants.toml"];

const MERCHANTS: &str = "[order_types]\necommerce = \"payin\"\nsubscription = \"payin\"\n[merchants.sandbox]\n";

fn channel(name: &str, more: &str) -> String {
    format!(
        "[channels.{name}]\nprovider = \"simulator\"\ntest = {{ api_key = {{ value = \"sim_test_{name}\" }} }}\n{more}\n"
    )
}

/// Cards go to this channel, and everything else nowhere.
fn rules(channel: &str) -> String {
    format!(
        "[[rules]]\nname = \"cards\"\nwhen = {{ method = [\"card\"] }}\nuse = [\"{channel}\"]\n\n\
         [[rules]]\nname = \"rest\"\nreject = \"cards only\"\n"
    )
}

/// A directory with the three files.
fn write(folder: &Path, routing: &str, channels: &str, merchants: &str) {
    fs::create_dir_all(folder).unwrap();
    for (name, text) in FILES.iter().zip([routing, channels, merchants]) {
        fs::write(folder.join(name), text).unwrap();
    }
}

/// Puts one file in place at once, as it should be done.
fn put(folder: &Path, name: &str, text: &str) {
    let aside = folder.join(format!("{name}.next"));
    fs::write(&aside, text).unwrap();
    fs::rename(aside, folder.join(name)).unwrap();
}

fn start(folder: &Path) -> Sandbox {
    Sandbox::start_with(Options { config: Some(folder.to_owned()), ..Options::default() })
}

fn ready(sandbox: &Sandbox) -> Value {
    let ready = Client { address: sandbox.ops.clone(), authorization: None }.get("/readyz").expect(200).json();
    assert_eq!(ready["ready"], true, "{ready}");
    ready
}

fn until_refused(sandbox: &Sandbox, needle: &str) -> String {
    let told = |ready: &Value| ready["reload_refused"].as_str().is_some_and(|reason| reason.contains(needle));
    until(PATIENCE, || ready(sandbox), told)["reload_refused"].as_str().unwrap().to_owned()
}

/// Waits until the files as they stand are in force, which changes the version from `before`.
fn until_taken(sandbox: &Sandbox, before: &Value) -> Value {
    let taken = |ready: &Value| ready["reload_refused"].is_null() && ready["rules_version"] != before["rules_version"];
    until(PATIENCE, || ready(sandbox), taken)
}

fn pay(sandbox: &Sandbox) -> Value {
    sandbox.client().pay(&card_payment("tok_approved")).expect(201).json()
}

fn refund(sandbox: &Sandbox, payment: &Value) -> Value {
    let path = format!("/v1/payments/{}/refunds", payment["id"].as_str().unwrap());
    sandbox.client().post(&path, &unique("refund"), &json!({})).expect(201).json()
}

/// The hash that a directory's rules have.
fn version(folder: &Path) -> String {
    let (status, said, error) = run(&["rules", "check"], None, Some(folder));
    assert!(status.success(), "{said}{error}");
    let hash = said.split(['(', ')']).find(|word| word.starts_with("sha256:")).expect("a hash");
    hash.to_owned()
}

#[test]
fn every_payment_follows_one_whole_set_while_sets_are_swapped() {
    let folder = TempDir::new().unwrap();
    // Each set retires the channel of the other: half of one and half of the other would fail payments.
    let sets = ["eu", "us"].map(|serving| {
        let set = folder.path().join(serving);
        let retired = |name: &str| if name == serving { "" } else { "retired = true" };
        let channels: String = ["eu", "us"].iter().map(|name| channel(name, retired(name))).collect();
        write(&set, &rules(serving), &channels, MERCHANTS);
        (version(&set), serving)
    });
    let [(eu_version, _), (us_version, _)] = &sets;
    let broken = folder.path().join("broken");
    let half = rules("eu")[..60].to_owned();
    write(&broken, &half, &channel("eu", ""), MERCHANTS);
    // As Kubernetes mounts them: names that lead through one link, which is replaced.
    let (mount, data) = (folder.path().join("mount"), folder.path().join("data"));
    let lead_to = |set: &str| {
        let aside = folder.path().join("next");
        std::os::unix::fs::symlink(folder.path().join(set), &aside).unwrap();
        fs::rename(aside, &data).unwrap();
    };
    lead_to("eu");
    fs::create_dir(&mount).unwrap();
    for name in FILES {
        std::os::unix::fs::symlink(data.join(name), mount.join(name)).unwrap();
    }
    let sandbox = start(&mount);
    let (stop, seen) = (AtomicBool::new(false), Mutex::new(BTreeMap::<(String, String), u64>::new()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let payment = pay(&sandbox);
                    assert_eq!(payment["status"], "captured", "{payment}");
                    let text = |value: &Value| value.as_str().unwrap().to_owned();
                    let way = (text(&payment["route"]["rules_version"]), text(&payment["route"]["channel"]));
                    *seen.lock().unwrap().entry(way).or_default() += 1;
                }
            });
        }
        let wait_for = |wanted: &str| {
            until(
                PATIENCE,
                || ready(&sandbox),
                |ready| ready["rules_version"] == wanted && ready["reload_refused"].is_null(),
            );
        };
        for _ in 0..2 {
            lead_to("us");
            wait_for(us_version);
            lead_to("broken");
            until_refused(&sandbox, "routing.toml");
            lead_to("eu");
            wait_for(eu_version);
            sandbox.signal(rustix::process::Signal::HUP);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let seen = seen.into_inner().unwrap();
    let expected: BTreeMap<_, _> =
        sets.iter().map(|(version, channel)| ((version.clone(), (*channel).to_owned()), ())).collect();
    assert_eq!(seen.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{seen:?}");
    let payments: u64 = seen.values().sum();
    assert_eq!(u64::try_from(sandbox.ledger("charge").len()).unwrap(), payments);
    eprintln!("{payments} payments: {seen:?}");
}

#[test]
fn what_is_no_configuration_is_told_and_hurts_nobody() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let texts = [rules("eu"), channel("eu", ""), MERCHANTS.to_owned()];
    write(folder, &texts[0], &texts[1], &texts[2]);
    let sandbox = start(folder);
    let before = pay(&sandbox);
    type Break = (&'static str, fn(&Path));
    let breaks: [Break; 8] = [
        ("there is no such file", |path| fs::remove_file(path).unwrap()),
        ("it is a directory", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
        ("16 MiB", |path| fs::File::create(path).unwrap().set_len(100 * 1024 * 1024).unwrap()),
        ("line 2 is not UTF-8", |path| fs::write(path, b"# \n\xff\xfe\n").unwrap()),
        ("not TOML", |path| fs::write(path, b"\0\0\0\0").unwrap()),
        ("there is no such file", |path| {
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink("nowhere", path).unwrap();
        }),
        ("not TOML", |path| {
            let text = fs::read_to_string(path).unwrap();
            fs::write(path, &text[..text.find('"').unwrap() + 2]).unwrap();
        }),
        (".toml", |path| fs::write(path, "").unwrap()),
    ];
    for (at, (needle, break_it)) in breaks.into_iter().enumerate() {
        // Each file in turn; the three are read alike.
        let (name, text) = (FILES[at % 3], &texts[at % 3]);
        let path = folder.join(name);
        break_it(&path);
        let reason = until_refused(&sandbox, needle);
        assert!(reason.contains(name), "{reason}");
        let rules = sandbox.ops_client().get("/ops/rules").expect(200).json();
        assert_eq!(rules["refused"]["reason"], reason.as_str());
        assert!(rules["refused"]["at"].is_string() && rules["in_force_since"].is_string(), "{rules}");
        assert_eq!(pay(&sandbox)["route"]["rules_version"], before["route"]["rules_version"]);
        let (status, said, error) = sandbox.run(&["rules", "check"]);
        assert!(!status.success() && error.contains(needle) && error.contains(name), "{said}{error}");
        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        put(folder, name, text);
        until(PATIENCE, || ready(&sandbox), |ready| ready["reload_refused"].is_null());
    }
    assert!(sandbox.log().contains("the configuration was not taken"), "the log does not say so");
    // A good one is taken afterwards.
    put(folder, "routing.toml", &rules("eu").replace("cards only", "only cards"));
    let after = until_taken(&sandbox, &before["route"]);
    assert_eq!(pay(&sandbox)["route"]["rules_version"], after["rules_version"]);
}

#[test]
fn a_channel_comes_retires_and_goes_when_nothing_needs_it() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    write(folder, &rules("eu"), &channel("eu", ""), MERCHANTS);
    let sandbox = start(folder);
    let old = pay(&sandbox);
    let before = ready(&sandbox);
    let both = |eu: &str| channel("eu", eu) + &channel("us", "");
    put(folder, "channels.toml", &both(""));
    let before = until_taken(&sandbox, &before);
    put(folder, "routing.toml", &rules("us"));
    let before = until_taken(&sandbox, &before);
    assert_eq!(pay(&sandbox)["route"]["channel"], "us");
    put(folder, "channels.toml", &both("retired = true"));
    let before = until_taken(&sandbox, &before);
    // Neither removed nor given another account, while a payment there can be refunded.
    put(folder, "channels.toml", &channel("us", ""));
    let reason = until_refused(&sandbox, "channel `eu`");
    assert!(reason.contains(old["id"].as_str().unwrap()) && reason.contains("retired = true"), "{reason}");
    put(folder, "channels.toml", &both("").replace("sim_test_eu", "sim_test_other"));
    until_refused(&sandbox, "channel `eu`");
    let data = sandbox.data().to_owned();
    let mut sandbox = sandbox;
    sandbox.stop();
    let mut command = std::process::Command::new(binary());
    command.arg("sandbox").arg("--data").arg(&data).arg("--config").arg(folder);
    for listener in ["API", "OPS", "SIMULATOR"] {
        command.env(format!("SWITCHYARD__{listener}__LISTEN"), "127.0.0.1:0");
    }
    let refused = command.output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && told.contains("channel `eu`"), "{told}");
    put(folder, "channels.toml", &both("retired = true"));
    let sandbox = sandbox.start_again();
    assert_eq!(ready(&sandbox)["rules_version"], before["rules_version"]);
    // Retired, it still gives back; then nothing needs it.
    assert_eq!(refund(&sandbox, &old)["status"], "succeeded");
    put(folder, "channels.toml", &channel("us", ""));
    until_taken(&sandbox, &before);
    assert_eq!(pay(&sandbox)["route"]["channel"], "us");
}

#[test]
fn an_account_is_given_up_once_its_channel_is_retired_and_never_half() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let at = |account: &str, more: &str| channel("eu", more).replace("sim_test_eu", account) + &channel("spare", "");
    let first = |name: &str| rules(&format!("{name}\", \"spare"));
    write(folder, &first("eu"), &at("sim_test_a", ""), MERCHANTS);
    let sandbox = start(folder);
    let before = ready(&sandbox);
    // Nothing needs the account yet, but what is on its way there could not be told from nothing.
    for other in [at("sim_test_b", ""), at("sim_test_b", "retired = true"), channel("us", "") + &channel("spare", "")] {
        put(folder, "routing.toml", &first(if other.contains("channels.us") { "us" } else { "eu" }));
        put(folder, "channels.toml", &other);
        let reason = until_refused(&sandbox, "takes new payments");
        assert!(reason.contains("channel `eu`") && reason.contains("retired = true"), "{reason}");
        assert_eq!(ready(&sandbox)["rules_version"], before["rules_version"]);
        put(folder, "routing.toml", &first("eu"));
        put(folder, "channels.toml", &at("sim_test_a", ""));
        until(PATIENCE, || ready(&sandbox), |ready| ready["reload_refused"].is_null());
    }
    // Payments come all the while; whatever reaches the first account keeps it until it is given back.
    let (stop, taken) = (AtomicBool::new(false), Mutex::new(Vec::<Value>::new()));
    let retired = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let payment = pay(&sandbox);
                    assert_eq!(payment["status"], "captured", "{payment}");
                    if payment["route"]["channel"] == "eu" {
                        taken.lock().unwrap().push(payment);
                    }
                }
            });
        }
        until(PATIENCE, || taken.lock().unwrap().len(), |&payments| payments > 10);
        put(folder, "channels.toml", &at("sim_test_a", "retired = true"));
        let retired = until_taken(&sandbox, &before);
        put(folder, "channels.toml", &at("sim_test_b", ""));
        until_refused(&sandbox, "is open, holds money or can be refunded");
        stop.store(true, Ordering::Relaxed);
        retired
    });
    assert_eq!(ready(&sandbox)["rules_version"], retired["rules_version"]);
    for payment in taken.into_inner().unwrap() {
        assert_eq!(refund(&sandbox, &payment)["status"], "succeeded");
    }
    sandbox.signal(rustix::process::Signal::HUP);
    let before = until_taken(&sandbox, &retired);
    let second = pay(&sandbox);
    assert_eq!(second["route"]["channel"], "eu");
    assert_eq!(refund(&sandbox, &second)["status"], "succeeded");
    // Back at the first account, which is not taken for free any more; also after a restart.
    put(folder, "channels.toml", &at("sim_test_b", "retired = true"));
    let before = until_taken(&sandbox, &before);
    put(folder, "channels.toml", &at("sim_test_a", ""));
    let before = until_taken(&sandbox, &before);
    let mut sandbox = sandbox;
    sandbox.stop();
    let sandbox = sandbox.start_again();
    let third = pay(&sandbox);
    put(folder, "channels.toml", &at("sim_test_a", "retired = true"));
    until_taken(&sandbox, &before);
    put(folder, "channels.toml", &at("sim_test_b", ""));
    let reason = until_refused(&sandbox, "channel `eu`");
    assert!(reason.contains(third["id"].as_str().unwrap()), "{reason}");
}

#[test]
fn an_account_of_both_modes_is_needed_by_each_alone() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let live_at = |account: &str, more: &str| {
        channel("eu", &format!("live = {{ api_key = {{ value = \"{account}\" }} }}\n{more}")) + &channel("spare", "")
    };
    write(folder, &rules("eu\", \"spare"), &live_at("sim_test_eu", ""), MERCHANTS);
    let sandbox = start(folder);
    let arguments = ["keys", "issue", "--merchant", "sandbox", "--mode", "live", "--scopes"];
    let (status, said, error) =
        sandbox.run(&[&arguments[..], &["payments:read,payments:write,refunds:write"]].concat());
    assert!(status.success(), "{said}{error}");
    let live = sandbox.client_with(said.lines().last().unwrap().trim());
    until(PATIENCE, || live.get("/v1/payments").status, |&status| status != 401);
    let payment = live.pay(&card_payment("tok_approved")).expect(201).json();
    assert_eq!((&payment["status"], &payment["live"]), (&json!("captured"), &json!(true)), "{payment}");
    let id = payment["id"].as_str().unwrap();
    let before = ready(&sandbox);
    put(folder, "channels.toml", &live_at("sim_live_eu", ""));
    until_refused(&sandbox, "for live payments");
    put(folder, "channels.toml", &live_at("sim_test_eu", "retired = true"));
    let before = until_taken(&sandbox, &before);
    // The test payments' account is still the same one.
    put(folder, "channels.toml", &live_at("sim_live_eu", ""));
    let reason = until_refused(&sandbox, "for live payments");
    assert!(reason.contains(id), "{reason}");
    let path = format!("/v1/payments/{id}/refunds");
    assert_eq!(live.post(&path, &unique("refund"), &json!({})).expect(201).json()["status"], "succeeded");
    sandbox.signal(rustix::process::Signal::HUP);
    until_taken(&sandbox, &before);
    assert_eq!(live.pay(&card_payment("tok_approved")).expect(201).json()["status"], "captured");
}

#[test]
fn credentials_are_replaced_without_a_restart_and_accounts_are_not() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let channels = channel("eu", "").replace("{ value = \"sim_test_eu\" }", "{ file = \"eu.key\" }");
    write(folder, &rules("eu"), &channels, MERCHANTS);
    fs::write(folder.join("eu.key"), "sim_test_eu.one\n").unwrap();
    let sandbox = start(folder);
    let old = pay(&sandbox);
    assert_eq!(old["status"], "captured");
    put(folder, "eu.key", "sim_test_eu.revoked\n");
    until(PATIENCE, || pay(&sandbox), |payment| payment["status"] == "failed");
    put(folder, "eu.key", "sim_test_eu.two\n");
    until(PATIENCE, || pay(&sandbox), |payment| payment["status"] == "captured");
    assert_eq!(refund(&sandbox, &old)["status"], "succeeded");
    put(folder, "eu.key", "sim_test_other\n");
    let reason = until_refused(&sandbox, "leads to another account");
    assert!(!reason.contains("sim_test_"), "{reason}");
    // Without its secret the channel is off, which is told; with it, it is on again.
    put(folder, "eu.key", "\n");
    let off = until(PATIENCE, || ready(&sandbox), |ready| ready["channels_off"] != json!([]));
    assert!(off["channels_off"][0].as_str().unwrap().contains("eu.key is empty"), "{off}");
    assert_eq!(pay(&sandbox)["failure"]["code"], "no_channel_available");
    put(folder, "eu.key", "sim_test_eu.three\n");
    until(PATIENCE, || pay(&sandbox), |payment| payment["status"] == "captured");
    assert_eq!(ready(&sandbox)["channels_off"], json!([]));
    assert!(!sandbox.log().contains("sim_test_"), "a secret in the log");
}

#[test]
fn a_broken_channel_is_off_and_the_others_go_on() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    write(folder, &rules("eu"), &channel("eu", ""), MERCHANTS);
    let sandbox = start(folder);
    let before = ready(&sandbox);
    let broken = channel("eu", "")
        + &channel("unset", "").replace("{ value = \"sim_test_unset\" }", "{ env = \"SURELY_NOT_SET\" }")
        + &channel("unknown", "").replace("\"simulator\"", "\"simulater\"")
        + &channel("address", "").replace("\" }", "\" }, base = \"ftp://x\"");
    put(folder, "channels.toml", &broken);
    until_taken(&sandbox, &before);
    let off = ready(&sandbox)["channels_off"].to_string();
    for needle in [
        "`unset` is off for test payments: environment variable SURELY_NOT_SET is not set",
        "`unknown` is off",
        "`address` is off",
    ] {
        assert!(off.contains(needle), "{needle} is not told: {off}");
    }
    assert_eq!(pay(&sandbox)["status"], "captured");
    let metrics = Client { address: sandbox.ops.clone(), authorization: None }.get("/metrics").expect(200).text();
    assert!(metrics.contains("switchyard_channels_off 3"), "{metrics}");
    let (status, said, error) = sandbox.run(&["config", "check", "--sandbox"]);
    assert!(status.success() && error.contains("SURELY_NOT_SET") && error.contains("simulater"), "{said}{error}");
    let (status, _, error) = sandbox.run(&["config", "check", "--sandbox", "--strict"]);
    assert!(!status.success() && error.contains("ftp://x"), "{error}");
}

#[test]
fn a_merchant_is_narrowed_and_taken_out_of_service() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    write(folder, &rules("eu"), &channel("eu", ""), MERCHANTS);
    let sandbox = start(folder);
    let client = sandbox.client();
    let (key, body) = (unique("key"), authorization("tok_approved"));
    let first = client.post("/v1/payments", &key, &body).expect(201);
    let before = ready(&sandbox);
    let narrowed = MERCHANTS.to_owned() + "order_types = [\"subscription\"]\n";
    put(folder, "merchants.toml", &narrowed);
    let before = until_taken(&sandbox, &before);
    let refused = client.pay(&card_payment("tok_approved")).expect(400).json();
    assert_eq!(refused["errors"][0]["field"], "order_type", "{refused}");
    // What was carried out is not refused when it is asked for again.
    let again = client.post("/v1/payments", &key, &body).expect(201);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    put(folder, "merchants.toml", &MERCHANTS.replace("merchants.sandbox", "merchants.other"));
    let before = until_taken(&sandbox, &before);
    let gone = client.get("/v1/payments").expect(403).json();
    assert_eq!(gone["code"], "merchant_not_configured");
    put(folder, "merchants.toml", MERCHANTS);
    until_taken(&sandbox, &before);
    let path = format!("/v1/payments/{}/captures", first.json()["id"].as_str().unwrap());
    client.post(&path, &unique("k"), &json!({})).expect(201);
    assert_eq!(sandbox.ledger("charge").len(), 1);
}

/// Everything that the guide warns of, as an operator meets it on the command line.
#[test]
fn faults_of_rules_are_told_with_file_line_and_caret() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let with = |rule: &str| rule.to_owned() + &rules("eu");
    let when =
        |condition: &str| with(&format!("[[rules]]\nname = \"a\"\nwhen = {{ {condition} }}\nreject = \"no\"\n\n"));
    let test = "\n[[tests]]\nname = \"t\"\npayment = { order_type = \"ecommerce\", country = \"DE\", method = \"card\", amount = \"5.00\", \
                currency = \"EUR\" }\nexpect = { rule = \"rest\" }\n";
    let twice = channel("eu", "") + &channel("eu", "");
    let narrow = channel("eu", "currencies = [\"EUR\"]");
    let cases: Vec<(String, String, &str, &str)> = vec![
        (String::new(), channel("eu", ""), "there are no [[rules]]", "routing.toml:1"),
        (
            with("[[rules]]\nname = \"cards\"\nreject = \"no\"\n\n"),
            channel("eu", ""),
            "a rule named `cards` stands in line",
            "routing.toml:6",
        ),
        (rules("eu"), twice, "duplicate key", "channels.toml:5"),
        (
            when("amount = { EUR = [\"0..10\", \"5..20\"] }"),
            channel("eu", ""),
            "overlaps a range before it",
            "routing.toml:3",
        ),
        (when("amount = { EUR = \"1.005..\" }"), channel("eu", ""), "EUR has 2 decimals", "routing.toml:3"),
        (when("amount = { JPY = \"0.5..\" }"), channel("eu", ""), "JPY has 0 decimals", "routing.toml:3"),
        (
            format!("[[rules]]\nname = \"yen\"\nwhen = {{ currency = [\"JPY\"] }}\nuse = [\"eu\"]\n\n{}", rules("eu")),
            narrow,
            "yen",
            "routing.toml:",
        ),
        (
            with("[regions]\na = [\"a\"]\n\n"),
            channel("eu", ""),
            "a region cannot hold itself: `a` -> `a`",
            "routing.toml:2",
        ),
        (
            with("[regions]\na = [\"b\"]\nb = [\"a\"]\n\n"),
            channel("eu", ""),
            "a region cannot hold itself: `a` -> `b` -> `a`",
            "routing.toml:3",
        ),
        (rules("eu") + test, channel("eu", ""), "test `t`", "routing.toml:1"),
    ];
    for (routing, channels, needle, place) in cases {
        write(folder, &routing, &channels, MERCHANTS);
        for arguments in [&["rules", "check"][..], &["config", "check", "--sandbox"]] {
            let (status, said, error) = run(arguments, None, Some(folder));
            assert!(!status.success(), "{needle}: {said}{error}");
            assert!(
                error.contains(needle) && error.contains(place) && error.contains('^'),
                "{needle} at {place}:\n{error}"
            );
        }
    }
    fs::File::create(folder.join("routing.toml")).unwrap().set_len(100 * 1024 * 1024).unwrap();
    let (status, _, error) = run(&["config", "check", "--sandbox"], None, Some(folder));
    assert!(!status.success() && error.contains("(16 MiB) that are read"), "{error}");
}
