//! Whole configurations: what is shipped, what is broken, what wins.

use super::*;
use std::time::Duration;

/// The directory that is shipped.
fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

fn sandbox() -> Wanted {
    Wanted { config: Some(shipped()), sandbox: true, strict: true, ..Wanted::default() }
}

/// The shipped files, some of them replaced.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in ["channels.toml", "merchants.toml", "routing.toml"] {
        std::fs::copy(shipped().join(name), directory.path().join(name)).unwrap();
    }
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn load_with(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Loaded, Faults> {
    let directory = directory(files);
    let wanted = Wanted { config: Some(directory.path().to_owned()), sandbox: true, ..Wanted::default() };
    load(&wanted, &environment(variables))
}

/// Each fault as `file:line message; hint`.
fn told(result: Result<Loaded, Faults>) -> Vec<String> {
    let short = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let line = |fault: Fault| {
        let place = match fault.at {
            Where::File(place) => format!("{}:{}", short(&place.file), place.line),
            Where::Variable { name, .. } => name,
            Where::Path(path) => short(&path),
        };
        let hint = fault.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{place} {}{hint}", fault.message)
    };
    match result {
        Ok(loaded) => loaded.warnings.into_iter().map(line).collect(),
        Err(faults) => faults.0.into_iter().map(line).collect(),
    }
}

#[test]
fn what_is_shipped_loads_without_a_fault() {
    let loaded = load(&sandbox(), &Environment::default()).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(loaded.warnings, []);
    let names: Vec<&str> = loaded.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["simulator_eu", "simulator_us", "simulator_local"]);
    assert_eq!(loaded.settings.store.url, settings::StoreUrl::Sqlite("data/switchyard.db".into()));
    assert_eq!(loaded.settings.simulator.ledger, Path::new("data/simulator.db"));
    let local = &loaded.channels[2];
    assert_eq!((local.timeout, loaded.channels[0].timeout), (Duration::from_secs(45), Duration::from_secs(30)));
    assert!(local.spec.bare_token);
    let mut built_in = sandbox();
    built_in.config = None;
    assert!(load(&built_in, &Environment::default()).unwrap().directory.is_none());
}

#[test]
fn serving_wants_a_public_address_and_a_simulator() {
    let mut wanted = sandbox();
    wanted.sandbox = false;
    let missing = load(&wanted, &Environment::default());
    let told = told(missing);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("`api.public_url` is not set"), "{told:?}");
    assert!(told[1].contains("channel `simulator_eu` speaks to the simulated provider, and there is none"), "{told:?}");
    let variables = [
        ("SWITCHYARD__API__PUBLIC_URL", "https://pay.example.com/"),
        ("SWITCHYARD__SIMULATOR__URL", "http://127.0.0.1:8090"),
    ];
    let loaded = load(&wanted, &environment(&variables)).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(loaded.settings.api.public_url.as_ref().unwrap().as_str(), "https://pay.example.com");
    let account = loaded.channels[0].account(Mode::Test).unwrap();
    assert_eq!(loaded.base(account, None).unwrap(), "http://127.0.0.1:8090");
    assert!(loaded.channels[0].account(Mode::Live).is_none());
}

#[test]
fn the_production_example_loads_once_its_secrets_are_there() {
    let example = std::fs::read_to_string(shipped().join("production.example.toml")).unwrap();
    let directory = directory(&[("switchyard.toml", &example)]);
    let wanted = Wanted { config: Some(directory.path().to_owned()), ..Wanted::default() };
    let pepper = "0b".repeat(32);
    let variables = [
        ("SWITCHYARD_OPS_TOKEN", "operators only"),
        ("SWITCHYARD__KEYS__PEPPER", &pepper),
        ("SWITCHYARD__SIMULATOR__URL", "http://127.0.0.1:8090"),
    ];
    let loaded = load(&wanted, &environment(&variables)).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(loaded.settings.store.url, settings::StoreUrl::Sqlite("/var/lib/switchyard/switchyard.db".into()));
    let missing = told(load(&wanted, &environment(&variables[1..])));
    assert_eq!(missing, ["switchyard.toml:19 environment variable SWITCHYARD_OPS_TOKEN is not set"]);
}

#[test]
fn the_list_of_settings_is_that_of_the_file() {
    let text = std::fs::read_to_string(shipped().join("sandbox.toml")).unwrap();
    let mut section = String::new();
    let mut listed = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.to_owned();
        }
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some((name, _)) = line.split_once(" = ")
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        {
            listed.push(format!("{section}.{name}"));
        }
    }
    let known: Vec<String> = settings::KEYS.iter().map(|key| format!("{}.{}", key.section, key.name)).collect();
    assert_eq!(listed, known);
}

#[test]
fn every_default_can_be_given_again_by_its_variable() {
    let text = std::fs::read_to_string(shipped().join("sandbox.toml")).unwrap();
    let defaults: toml::Table = text.parse().unwrap();
    let mut variables = Vec::new();
    for key in settings::KEYS {
        let value = defaults.get(key.section).and_then(|section| section.get(key.name));
        if let Some(value) = value {
            variables.push((key.variable(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
    }
    assert!(variables.len() > 20);
    let environment = Environment::new(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
    let again = load(&sandbox(), &environment).unwrap_or_else(|faults| panic!("{faults}"));
    let plain = load(&sandbox(), &Environment::default()).unwrap();
    assert_eq!(format!("{:?}", again.settings), format!("{:?}", plain.settings));
}

#[test]
fn the_environment_wins_over_files_and_the_command_line_over_both() {
    let directory =
        directory(&[("switchyard.toml", "[api]\nlisten = \"127.0.0.1:1\"\nworkers = 3\n[store]\ndata = \"/file\"\n")]);
    let variables = [
        ("SWITCHYARD__API__LISTEN", "127.0.0.1:2"),
        ("SWITCHYARD__PROVIDER__TIMEOUT", "7s"),
        ("SWITCHYARD__STORE__DATA", "/env"),
        ("OTHER", "of no interest"),
    ];
    let mut wanted = Wanted { config: Some(directory.path().to_owned()), sandbox: true, ..Wanted::default() };
    let settings = load(&wanted, &environment(&variables)).unwrap().settings;
    assert_eq!(settings.api.listen, "127.0.0.1:2".parse().unwrap());
    assert_eq!(settings.api.workers, Some(3));
    assert_eq!(settings.provider.timeout, Duration::from_secs(7));
    assert_eq!(settings.store.data, Path::new("/env"));
    wanted.data = Some("/option".into());
    let settings = load(&wanted, &environment(&variables)).unwrap().settings;
    assert_eq!(settings.store.url, settings::StoreUrl::Sqlite("/option/switchyard.db".into()));
}

#[test]
fn faults_of_the_environment_name_their_variables_all_at_once() {
    let variables = [
        ("SWITCHYARD__API__LISTEN", "8080"),
        ("SWITCHYARD__API__LISTN", "127.0.0.1:1"),
        ("SWITCHYARD__API__WORKERS", "many"),
        ("SWITCHYARD__OPS__TOKEN", ""),
        ("SWITCHYARD__RECOVERY__CONCURRENCY", "-1"),
        ("SWITCHYARD__WEATHER", "sunny"),
    ];
    assert_eq!(
        told(load_with(&[], &variables)),
        [
            "SWITCHYARD__API__LISTN unknown setting SWITCHYARD__API__LISTN; did you mean `SWITCHYARD__API__LISTEN`?",
            "SWITCHYARD__WEATHER unknown setting SWITCHYARD__WEATHER; variables that start with SWITCHYARD__ are settings; \
             sandbox.toml lists them all",
            "SWITCHYARD__API__LISTEN `listen` is `8080`, where an address such as `127.0.0.1:8080` is wanted",
            "SWITCHYARD__API__WORKERS `workers` is a text, where an integer is wanted",
            "SWITCHYARD__RECOVERY__CONCURRENCY `concurrency` is -1, where 1 to 1024 is wanted",
        ]
    );
    assert_eq!(told(load_with(&[], &variables[3..4])), ["SWITCHYARD__OPS__TOKEN the secret is empty"]);
}

#[test]
fn faults_of_settings_are_told_with_line_and_nearest_name() {
    let settings = "[api]\nlistn = \"127.0.0.1:1\"\nhead_timeout = \"0s\"\npublic_url = \"pay.example.com\"\n\n[apis]\n\n[log]\nlevel = \"inof\"\n\
                    format = \"jsn\"\n[ops]\ntoken = \"hunter2\"\n[store]\nurl = \"postgres://u:hunter2@h/db\"\n\
                    [coordination]\nurl = \"redis://h\"\n[provider]\nidle_timeout = \"60s\"\n[keys]\npepper = { env = \"A\", file = \"B\" }\n";
    let result = load_with(&[("switchyard.toml", settings)], &[]);
    let report = result.as_ref().unwrap_err().to_string();
    assert!(!report.contains("hunter2"), "{report}");
    assert!(report.ends_with("11 faults in the configuration"), "{report}");
    assert_eq!(
        told(result),
        [
            "switchyard.toml:2 unknown key `listn` in [api]; did you mean `listen`?",
            "switchyard.toml:3 `head_timeout` is 0s, where more than 0s and at most 10m is wanted",
            "switchyard.toml:4 `public_url` is `pay.example.com`, where an address such as `https://api.example.com` is wanted",
            "switchyard.toml:6 unknown key `apis`; did you mean `api`?",
            "switchyard.toml:9 `level` is `inof`, where `info` or directives such as `info,switchyard_engine=debug` are wanted; did you mean `info`?",
            "switchyard.toml:10 `format` is `jsn`, where one of `json`, `text` is wanted; did you mean `json`?",
            "switchyard.toml:12 `token` is a text, where a reference such as { env = \"NAME\" } is wanted",
            "switchyard.toml:14 `url` is no ledger that can be used, where `sqlite:` and a path is wanted",
            "switchyard.toml:16 `url` is nothing that can be used, where `local` is wanted",
            "switchyard.toml:18 `idle_timeout` is 1m, where more than 0s and at most 15s is wanted",
            "switchyard.toml:20 `pepper` wants one of `env`, `file` and `value`",
        ]
    );
}

#[test]
fn settings_are_compared_with_each_other_at_the_place_that_set_them() {
    let settings = "[provider]\ntimeout = \"2s\"\n";
    let pepper = [("SWITCHYARD__KEYS__PEPPER", "hunter2"), ("SWITCHYARD__PROVIDER__CONNECT_TIMEOUT", "2s")];
    let told = told(load_with(&[("switchyard.toml", settings)], &pepper));
    assert_eq!(told[0], "SWITCHYARD__KEYS__PEPPER `keys.pepper` is not 64 hexadecimal digits");
    assert!(
        told[1].starts_with("SWITCHYARD__PROVIDER__CONNECT_TIMEOUT `provider.connect_timeout` is not below"),
        "{told:?}"
    );
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn faults_of_channels_are_told_with_line_and_nearest_name() {
    let channels = r#"
[channels.simulator_eu]
provider = "simulater"
[channels.simulator_us]
provider = "simulator"
test = { api_key = { value = "sim_test_us" }, base = "ftp://x" }
methods = ["crad", "iban"]
currencies = ["EUT", "usd"]
countries = ["DE", "EAA", "UK"]
order_types = ["ecomerce"]
limits = { EUR = { min = "1.005" }, USD = { min = "5", max = "4" }, GBP = {}, JPY = { mni = "1" } }
acquiring_country = "us"
timeout = "1s"
retirde = true
[channels.Simulator]
provider = "simulator"
test = { api_key = "sk_live_hunter2" }
[channels.simulator_local]
provider = "simulator"
live = { api_key = { env = "KEY" }, base = "http://10.0.0.1" }
currencies = []
"#;
    let result = load_with(&[("channels.toml", channels)], &[("KEY", "hunter2")]);
    let report = result.as_ref().unwrap_err().to_string();
    assert!(!report.contains("hunter2"), "{report}");
    let told = told(result);
    let expected = [
        "channels.toml:3 channel `simulator_eu` is off: unknown provider `simulater`; did you mean `simulator`?",
        "channels.toml:6 channel `simulator_us` is off for test payments: `base` is `ftp://x`, where an address such as `https://api.example.com` is wanted",
        "channels.toml:7 unknown method `crad`; did you mean `card`?",
        "channels.toml:7 `simulator` has no method `iban`",
        "channels.toml:8 unknown currency `EUT`; did you mean `",
        "channels.toml:8 unknown currency `usd`; did you mean `USD`?",
        "channels.toml:9 unknown country or region `EAA`; did you mean `EEA`?",
        "channels.toml:9 unknown country or region `UK`",
        "channels.toml:10 unknown order type `ecomerce`; did you mean `ecommerce`?",
        "channels.toml:11 `1.005` is no amount of EUR: EUR has 2 decimals",
        "channels.toml:11 the limits of USD leave nothing: `min` is above `max`",
        "channels.toml:11 the limits of GBP have neither `min` nor `max`",
        "channels.toml:11 unknown key `mni` in [channels.simulator_us.limits.JPY]",
        "channels.toml:12 unknown country `us`; did you mean `US`?",
        "channels.toml:13 `timeout` is 1s, where more than `provider.connect_timeout`, 3s, and at most 10m is wanted",
        "channels.toml:14 unknown key `retirde` in [channels.simulator_us]; did you mean `retired`?",
        "channels.toml:15 `Simulator` is no name",
        "channels.toml:17 `api_key` is a text, where a reference such as { env = \"NAME\" } is wanted",
        "channels.toml:20 channel `simulator_local` is off for live payments: live credentials go over `https` only, outside this machine",
        "channels.toml:21 `currencies` names none; leave it out for all that the provider has",
    ];
    for wanted in expected {
        assert!(told.iter().any(|line| line.starts_with(wanted)), "{wanted}\n{told:#?}");
    }
    // Rules that name a broken channel are no further fault.
    assert!(told.iter().all(|line| line.starts_with("channels.toml")), "{told:#?}");
}

#[test]
fn a_channel_does_no_more_than_its_provider() {
    let channels = std::fs::read_to_string(shipped().join("channels.toml")).unwrap();
    let broken = channels.replace("EUR = { min = \"1.00\"", "SEK = { min = \"1\" }, EUR = { min = \"1.00\"");
    let told = told(load_with(&[("channels.toml", &broken)], &[]));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("there are limits for SEK, which this channel does not serve"), "{told:?}");
    let loaded = load(&sandbox(), &Environment::default()).unwrap();
    let eu = &loaded.channels[0].spec.services;
    assert!(eu.iter().all(|service| service.method == switchyard_core::Method::Card));
    let euro = switchyard_core::Currency::from_code("EUR").unwrap();
    let limits = eu[0].amounts.iter().find(|range| range.currency == euro).unwrap();
    assert_eq!((limits.min, limits.max), (50, Some(25_000_000)));
}

#[test]
fn faults_of_merchants_and_rules_come_together() {
    let merchants = "[order_types]\necommerce = \"payinn\"\nsubscription = \"payin\"\n[merchants.demo-shop]\nchannels = [\"simulator_ue\"]\n\
                     order_types = [\"subscriptions\"]\nname = \"Demo\"\n[merchants.Sandbox]\n";
    let rules = "[[rules]]\nname = \"a\"\nuse = [\"simulator_locl\"]\n";
    let told =
        told(load_with(&[("merchants.toml", merchants), ("routing.toml", rules), ("switchyard.toml", "[api")], &[]));
    let expected = [
        "switchyard.toml:1 not TOML",
        "merchants.toml:2 `ecommerce` is `payinn`, where one of `payin`, `payout` is wanted; did you mean `payin`?",
        "merchants.toml:5 unknown channel `simulator_ue`; did you mean `simulator_eu`?",
        "merchants.toml:6 unknown order type `subscriptions`; did you mean `subscription`?",
        "merchants.toml:7 unknown key `name` in [merchants.demo-shop]",
        "merchants.toml:8 `Sandbox` is no name",
        "routing.toml:3 unknown channel `simulator_locl`; did you mean `simulator_local`?",
    ];
    for wanted in expected {
        assert!(told.iter().any(|line| line.starts_with(wanted)), "{wanted}\n{told:#?}");
    }
    assert_eq!(told.len(), expected.len(), "{told:#?}");
}

#[test]
fn a_missing_credential_switches_its_channel_off_and_strictness_refuses_it() {
    let channels = std::fs::read_to_string(shipped().join("channels.toml")).unwrap();
    let channels = channels.replace("{ value = \"sim_test_us\" }", "{ env = \"US_KEYS\" }");
    let directory = directory(&[("channels.toml", &channels)]);
    let mut wanted = Wanted { config: Some(directory.path().to_owned()), sandbox: true, ..Wanted::default() };
    let variables = [("US_KEY", "hunter2")];
    let loaded = load(&wanted, &environment(&variables)).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(loaded.channels[1].accounts.is_empty() && loaded.channels[1].spec.modes.is_empty());
    assert_eq!(loaded.channels[1].broken, loaded.warnings);
    let message = "channel `simulator_us` is off for test payments: environment variable US_KEYS is not set; did you mean `US_KEY`?";
    assert!(told(Ok(loaded))[0].ends_with(message));
    wanted.strict = true;
    assert!(told(load(&wanted, &environment(&variables)))[0].ends_with(message));
}

#[test]
fn an_unknown_provider_or_a_bad_address_switches_its_channel_off_and_nothing_else() {
    let shipped = std::fs::read_to_string(shipped().join("channels.toml")).unwrap();
    let first = "provider          = \"simulator\"";
    let unknown = shipped.replacen(first, "provider          = \"simulater\"", 1);
    let address = shipped
        .replace("{ value = \"sim_test_us\" } }", "{ value = \"sim_test_us\" }, base = \"http://u:hunter2@host\" }")
        .replace(
            "test        = { api_key = { value = \"sim_test_local\" } }",
            "live = { api_key = { value = \"sim_live_x\" }, base = \"http://10.0.0.1\" }",
        );
    for (channels, off) in [
        (unknown, vec!["channel `simulator_eu` is off: unknown provider `simulater`; did you mean `simulator`?"]),
        (
            address,
            vec![
                "channel `simulator_us` is off for test payments: `base` is not an address that can be used, where an address without user and password is wanted",
                "channel `simulator_local` is off for live payments: live credentials go over `https` only, outside this machine",
            ],
        ),
    ] {
        let directory = directory(&[("channels.toml", &channels)]);
        let mut wanted = Wanted { config: Some(directory.path().to_owned()), sandbox: true, ..Wanted::default() };
        let loaded = load(&wanted, &Environment::default()).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(loaded.channels.len(), 3);
        assert_eq!(loaded.channels.iter().filter(|channel| channel.spec.modes.is_empty()).count(), off.len());
        let told_of = told(Ok(loaded));
        for off in off {
            assert!(told_of.iter().any(|line| line.ends_with(off)), "{off}\n{told_of:#?}");
        }
        wanted.strict = true;
        assert!(load(&wanted, &Environment::default()).is_err());
    }
}

#[test]
fn secrets_show_nowhere() {
    let variables = [("SWITCHYARD__OPS__TOKEN", "hunter2"), ("SWITCHYARD__KEYS__PEPPER", &"ab".repeat(32))];
    let loaded = load(&sandbox(), &environment(&variables)).unwrap();
    assert!(loaded.settings.ops.token.is_some());
    let shown = format!("{:?} {:?}", loaded.settings, loaded.channels);
    for secret in ["hunter2", "abab", "sim_test_"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_directory_that_is_not_whole_is_told() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("sandbox.toml"), "# changed\n").unwrap();
    let mut wanted = Wanted { config: Some(directory.path().to_owned()), sandbox: true, ..Wanted::default() };
    let told_of = told(load(&wanted, &Environment::default()));
    assert_eq!(told_of.len(), 4, "{told_of:?}");
    assert!(told_of[0].starts_with("sandbox.toml this file differs from the defaults"), "{told_of:?}");
    assert_eq!(told_of[1..].iter().filter(|line| line.ends_with("there is no such file")).count(), 3);
    wanted.config = Some(directory.path().join("nowhere"));
    let both = told(load(&wanted, &environment(&[("SWITCHYARD__API__WORKERS", "many")])));
    assert!(
        both[0].contains("there is no such directory") && both[1].starts_with("SWITCHYARD__API__WORKERS"),
        "{both:?}"
    );
}

#[test]
fn health_is_judged_by_the_settings_and_by_a_channel_its_own_way() {
    let settings = "[health]\nwindow = \"90s\"\nminimum_sample = 40\n";
    let channels = std::fs::read_to_string(shipped().join("channels.toml")).unwrap()
        + "\n[channels.simulator_local.health]\nslow_after = \"8s\"\n";
    let files = [("switchyard.toml", settings), ("channels.toml", &*channels)];
    let loaded =
        load_with(&files, &[("SWITCHYARD__HEALTH__COOL_DOWN", "5s")]).unwrap_or_else(|faults| panic!("{faults}"));
    let health = |at: usize| loaded.channels[at].health.settings();
    let seconds = Duration::from_secs;
    assert_eq!((health(0).window, health(0).minimum_sample, health(0).cool_down), (seconds(90), 40, seconds(5)));
    assert_eq!((health(0).slow_after, health(2).slow_after, health(2).window), (seconds(5), seconds(8), seconds(90)));
    let plain = load(&sandbox(), &Environment::default()).unwrap();
    assert_eq!(plain.settings.health, switchyard_coordination::HealthSettings::default(), "one set of defaults");
}

#[test]
fn faults_of_health_are_told_at_their_lines_all_at_once() {
    let settings = "[health]\nwindow = \"2 minutes\"\nminimum_sampel = 20\nprobes_good = -1\n";
    let channels = "[channels.simulator_eu]\nprovider = \"simulator\"\ntest = { api_key = { value = \"sim_test_eu\" } }\n\
                    [channels.simulator_eu.health]\nrecovered_faults_permille = 140\nprobe_share_permille = 900\nslow = \"1s\"\n\
                    stalled_after = \"1s\"\n";
    let found = told(load_with(&[("switchyard.toml", settings), ("channels.toml", channels)], &[]));
    let expected = [
        "switchyard.toml:2 `window` is `2 minutes`, where a span such as",
        "switchyard.toml:3 unknown key `minimum_sampel` in [health]; did you mean `minimum_sample`?",
        "switchyard.toml:4 `probes_good` is -1, where 0 to 10000 is wanted",
        "channels.toml:5 `recovered_faults_permille` must be at least 100 below degraded_faults_permille",
        "channels.toml:6 `probe_share_permille` is 900; it must be 1 to 500",
        "channels.toml:7 unknown key `slow` in [channels.simulator_eu.health]",
        "channels.toml:8 `stalled_after` must be longer than slow_after",
    ];
    for wanted in expected {
        assert!(found.iter().any(|line| line.starts_with(wanted)), "{wanted}\n{found:#?}");
    }
    // What only shows in the whole is told at the layer that set it.
    let settings = "[health]\ndown_faults_permille = 100\n";
    let found = told(load_with(&[("switchyard.toml", settings)], &[("SWITCHYARD__HEALTH__MINIMUM_SAMPLE", "3")]));
    for wanted in [
        "SWITCHYARD__HEALTH__MINIMUM_SAMPLE `health.minimum_sample` is 3; it must be 5 to 10000",
        "switchyard.toml:2 `health.down_faults_permille` must be above degraded_faults_permille",
    ] {
        assert!(found.iter().any(|line| line.starts_with(wanted)), "{wanted}\n{found:#?}");
    }
}

/// The shipped channels with maintenance of the first of them.
fn maintained(windows: &str) -> String {
    let shipped = std::fs::read_to_string(shipped().join("channels.toml")).unwrap();
    windows.split("--\n").fold(shipped, |text, window| text + "[[channels.simulator_eu.maintenance]]\n" + window)
}

#[test]
fn maintenance_windows_are_read_and_a_past_one_is_remarked_on() {
    let channels = maintained(
        "from = \"2099-01-31T02:00:00+01:00\"\nto = 2099-01-31T02:00:00Z\nreason = \"upgrade\"\n--\n\
         days = [\"sunday\", \"monday\"]\nfrom = \"23:00\"\nto = \"24:00\"\ntime_zone = \"Europe/Berlin\"\nreason = \"batch\"\n--\n\
         days = [\"friday\"]\nfrom = \"00:00\"\nto = \"24:00\"\ntime_zone = \"UTC\"\nreason = \"closed\"\n",
    );
    let loaded = load_with(&[("channels.toml", &channels)], &[]).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((loaded.channels[0].maintenance.len(), loaded.channels[1].maintenance.len()), (3, 0));
    assert_eq!(loaded.warnings, []);

    let channels = maintained("from = \"2020-01-31T02:00:00Z\"\nto = \"2020-01-31T03:00:00Z\"\nreason = \"upgrade\"\n");
    let directory = directory(&[("channels.toml", &channels)]);
    // Time alone brought it about, so that no restart fails for it.
    let wanted = Wanted { config: Some(directory.path().to_owned()), sandbox: true, strict: true, ..Wanted::default() };
    let loaded = load(&wanted, &Environment::default()).unwrap_or_else(|faults| panic!("{faults}"));
    let shown = loaded.warnings[0].to_string();
    assert!(shown.starts_with("warning: this maintenance window has passed"), "{shown}");
    assert!(told(Ok(loaded))[0].ends_with("this maintenance window has passed; it can be removed"));
}

#[test]
fn bad_maintenance_windows_are_told_all_at_once() {
    let channels = maintained(
        "from = \"2099-01-31T03:00:00Z\"\nto = \"2099-01-31T02:00:00Z\"\nreason = \"a\"\n--\n\
         from = \"2099-01-31T02:00:00\"\nto = \"tomorrow\"\nreason = \" \"\n--\n\
         days = [\"sunda\"]\nfrom = \"2:00\"\nto = \"25:00\"\ntime_zone = \"Europe/Berlni\"\n--\n\
         days = []\nfrom = \"02:00\"\nto = \"02:00\"\ntime_zone = \"europe/berlin\"\nreason = \"b\"\n--\n\
         days = [\"friday\"]\nfrom = \"02:00\"\nto = \"02:00\"\ntime_zone = \"UTC\"\nreason = \"c\"\n--\n\
         days = [\"friday\"]\nform = \"02:00\"\nto = \"03:00\"\nreason = \"d\"\n",
    );
    let found = told(load_with(&[("channels.toml", &channels)], &[]));
    let expected = [
        "`to` is not later than `from`",
        "`from` is `2099-01-31T02:00:00`, where a date and time with its offset is wanted",
        "`to` is `tomorrow`, where a date and time with its offset is wanted",
        "a `reason` has 1 to 200 characters, on one line",
        "unknown day `sunda`; did you mean `sunday`?",
        "`from` is `2:00`, where a time of day such as `02:00` is wanted",
        "`to` is `25:00`, where a time of day such as `02:00` is wanted",
        "unknown time zone `Europe/Berlni`; did you mean `Europe/Berlin`?",
        "[channels.simulator_eu.maintenance] lacks `reason`",
        "`days` names none",
        "unknown time zone `europe/berlin`; did you mean `Europe/Berlin`?",
        "`to` is `from`, which would be no time or a whole day; a whole day is from 00:00 to 24:00",
        "[channels.simulator_eu.maintenance] lacks `from`",
        "[channels.simulator_eu.maintenance] lacks `time_zone`",
        "unknown key `form` in [channels.simulator_eu.maintenance]; did you mean `from`?",
    ];
    for wanted in expected {
        assert!(found.iter().any(|line| line.contains(wanted)), "{wanted}\n{found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}
