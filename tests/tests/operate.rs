//! What operators see and do.

use std::time::Duration;
use switchyard_tests::{Client, Options, Sandbox, card_payment, unique, until};

const PATIENCE: Duration = Duration::from_secs(30);

fn metric(sandbox: &Sandbox, name: &str) -> f64 {
    let text = Client { address: sandbox.ops.clone(), authorization: None }.get("/metrics").expect(200).text();
    text.lines()
        .filter(|line| line.starts_with(name) && line[name.len()..].starts_with([' ', '{']))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().expect("a number"))
        .sum()
}

#[test]
fn health_readiness_and_metrics() {
    let sandbox = Sandbox::start_with(Options::impatient());
    let anybody = Client { address: sandbox.ops.clone(), authorization: None };
    anybody.get("/healthz").expect(200);
    anybody.get("/readyz").expect(200);
    let client = sandbox.client();
    let (key, body) = (unique("k"), card_payment("tok_approved"));
    client.post("/v1/payments", &key, &body).expect(201);
    client.post("/v1/payments", &key, &body).expect(201);
    client.pay(&card_payment("tok_declined_do_not_honor")).expect(201);
    client.pay(&card_payment("tok_timeout_before")).expect(202);
    assert_eq!(metric(&sandbox, "switchyard_http_requests_total"), 4.0);
    assert_eq!(metric(&sandbox, "switchyard_provider_calls_total"), 3.0);
    assert_eq!(metric(&sandbox, "switchyard_idempotent_replays_total"), 1.0);
    assert!(metric(&sandbox, "switchyard_store_commit_duration_seconds_count") >= 6.0);
    assert!(metric(&sandbox, "switchyard_store_batch_commands_count") >= 6.0);
    until(PATIENCE, || metric(&sandbox, "switchyard_in_doubt") as i64, |&count| count == 1);
    let text = anybody.get("/metrics").text();
    assert!(text.contains(r#"outcome="refused""#) && text.contains(r#"code="do_not_honor""#), "{text}");
    assert!(!text.contains("pay_"), "an id in a metric");
}

#[test]
fn the_operations_listener_asks_for_its_token() {
    let sandbox = Sandbox::start();
    for token in [None, Some("Bearer wrong".to_owned())] {
        let client = Client { address: sandbox.ops.clone(), authorization: token };
        client.get("/ops/channels").expect(401);
        client.get("/ops/keys").expect(401);
    }
    let channels = sandbox.ops_client().get("/ops/channels").expect(200).text();
    assert!(channels.contains("simulator_eu") && channels.contains("\"up\""), "{channels}");
    let rules = sandbox.ops_client().get("/ops/rules").expect(200).text();
    assert!(rules.contains("sha256:"), "{rules}");
}

#[test]
fn an_override_moves_new_payments_and_only_these() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let held = client.pay(&switchyard_tests::authorization("tok_approved")).expect(201).json();
    let first = held["route"]["channel"].as_str().unwrap().to_owned();
    let (status, _, error) = sandbox.run(&["channels", "override", &first, "down", "--reason", "planned work"]);
    assert!(status.success(), "{error}");
    let moved = until(
        PATIENCE,
        || client.pay(&card_payment("tok_approved")).expect(201).json(),
        |payment| payment["route"]["channel"] != held["route"]["channel"],
    );
    assert!(matches!(moved["status"].as_str(), Some("captured" | "failed")), "{moved}");
    // The object's own channel serves it, whatever its status.
    let path = format!("/v1/payments/{}/captures", held["id"].as_str().unwrap());
    client.post(&path, &unique("k"), &serde_json::json!({})).expect(201);
    // It is in the ledger, so a restart does not forget it.
    let sandbox = sandbox.restart();
    let after = sandbox.client().pay(&card_payment("tok_approved")).expect(201).json();
    assert_eq!(after["route"]["channel"], moved["route"]["channel"]);
    let (status, _, error) = sandbox.run(&["channels", "clear", &first]);
    assert!(status.success(), "{error}");
    let back = until(
        PATIENCE,
        || sandbox.client().pay(&card_payment("tok_approved")).expect(201).json(),
        |payment| payment["route"]["channel"] == held["route"]["channel"],
    );
    assert_eq!(back["status"], "captured");
}

#[test]
fn a_term_signal_lets_what_is_under_way_finish() {
    let mut sandbox = Sandbox::start();
    let client = sandbox.client();
    let body = card_payment("tok_slow");
    let reference = body["reference"].as_str().unwrap().to_owned();
    let asking = std::thread::spawn(move || client.pay(&body));
    until(PATIENCE, || metric(&sandbox, "switchyard_tasks") as i64, |&tasks| tasks == 1);
    sandbox.signal(rustix::process::Signal::TERM);
    let answer = asking.join().expect("an answer").expect(201).json();
    assert_eq!(answer["status"], "captured");
    assert!(sandbox.wait().success());
    let printed = sandbox.log();
    assert!(!printed.contains(&reference), "a merchant's reference in the log");
}

#[test]
fn configuration_faults_are_told_all_at_once() {
    let folder = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("channels.toml", "[channels.eu]\nprovider = \"simulater\"\ncurencies = [\"EUR\"]\n");
    write("merchants.toml", "[order_types]\necommerce = \"payin\"\n[merchants.shop]\norder_types = [\"ecomerce\"]\n");
    write("routing.toml", "[[rules]]\nname = \"all\"\nwhen = { currency = [\"EURO\"] }\nuse = [\"eu\"]\n");
    let (status, said, error) = switchyard_tests::process::run(&["config", "check"], None, Some(folder.path()));
    let told = format!("{said}{error}");
    assert!(!status.success(), "{told}");
    for needle in ["channels.toml:2", "simulator", "channels.toml:3", "currencies", "merchants.toml:4", "ecommerce"] {
        assert!(told.contains(needle), "{needle} is not told:\n{told}");
    }
    let sandbox = Sandbox::start();
    let (status, said, error) = sandbox.run(&["rules", "check"]);
    assert!(status.success(), "{said}{error}");
}

#[test]
fn a_channel_full_of_faults_is_left_for_another() {
    let sandbox = Sandbox::start_with(Options::impatient());
    let client = sandbox.client();
    let first = client.pay(&card_payment("tok_approved")).expect(201).json()["route"]["channel"].clone();
    // Declines are answers: they count for nothing.
    for _ in 0..30 {
        client.pay(&card_payment("tok_declined_do_not_honor")).expect(201);
    }
    assert_eq!(client.pay(&card_payment("tok_approved")).expect(201).json()["route"]["channel"], first);
    let moved = until(
        PATIENCE,
        || {
            client.pay(&card_payment("tok_error_after")).expect(202);
            client.pay(&card_payment("tok_approved")).expect(201).json()
        },
        |payment| payment["route"]["channel"] != first,
    );
    assert_eq!(moved["status"], "captured", "{moved}");
    let channels = sandbox.ops_client().get("/ops/channels").expect(200).json();
    let bad = channels["channels"].as_array().unwrap().iter().find(|it| it["channel"] == first).unwrap().clone();
    assert_ne!(bad["status"]["test"], "up", "{bad}");
    assert_eq!(bad["status"]["live"], "up", "{bad}");
}

#[test]
fn rule_files_are_compared_and_formatted() {
    let folder = tempfile::TempDir::new().unwrap();
    let shipped = include_str!("../../config/routing.toml");
    let (old, new) = (folder.path().join("old.toml"), folder.path().join("new.toml"));
    std::fs::write(&old, shipped).unwrap();
    std::fs::write(
        &new,
        shipped.replace("simulator_us = 90, simulator_eu = 10", "simulator_us = 50, simulator_eu = 50"),
    )
    .unwrap();
    let run = |arguments: &[&str]| switchyard_tests::process::run(arguments, Some(folder.path()), None);
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let (status, said, error) = run(&["rules", "diff", old, new]);
    assert!(status.success() && said.contains("us-cards") && said.contains("USD"), "{said}{error}");
    let (status, said, error) = run(&["rules", "diff", old, old, "--json"]);
    assert!(status.success() && said.contains("\"count\": 0"), "{said}{error}");
    // Whatever it looks like, formatting changes no result, and a second time nothing at all.
    std::fs::write(new, shipped.replace("    ", "  ").replace(" = ", "=")).unwrap();
    run(&["rules", "fmt", new]);
    let (status, _, error) = run(&["rules", "fmt", "--check", new]);
    assert!(status.success(), "{error}");
    let (_, said, _) = run(&["rules", "diff", old, new, "--json"]);
    assert!(said.contains("\"count\": 0"), "{said}");
}

#[test]
fn rules_are_reloaded_whole_or_not_at_all() {
    let folder = tempfile::TempDir::new().unwrap();
    for name in ["channels.toml", "merchants.toml", "routing.toml"] {
        let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name);
        std::fs::copy(shipped, folder.path().join(name)).unwrap();
    }
    let sandbox = Sandbox::start_with(Options { config: Some(folder.path().to_owned()), ..Options::default() });
    let client = sandbox.client();
    let before = client.pay(&card_payment("tok_approved")).expect(201).json();
    assert_eq!(before["status"], "captured");
    let routing = folder.path().join("routing.toml");
    let shipped = std::fs::read_to_string(&routing).unwrap();

    // A half-written file, and one that names a channel nobody knows: what was in force goes on, and it is told.
    let ready = || Client { address: sandbox.ops.clone(), authorization: None }.get("/readyz").expect(200).json();
    for broken in
        [shipped[..shipped.len() / 2].to_owned() + "\n[[rules", shipped.replace("simulator_us", "simulator_su")]
    {
        std::fs::write(&routing, broken).unwrap();
        until(PATIENCE, ready, |ready| ready["reload_refused"].is_string());
        let payment = client.pay(&card_payment("tok_approved")).expect(201).json();
        assert_eq!(payment["route"]["rules_version"], before["route"]["rules_version"]);
        std::fs::write(&routing, &shipped).unwrap();
        until(PATIENCE, ready, |ready| ready["reload_refused"].is_null());
    }
    // Others, put in place as Kubernetes does: by a rename.
    let everything_refused = "[[rules]]\nname = \"closed\"\nreject = \"we are closed\"\n";
    let aside = folder.path().join("next.toml");
    std::fs::write(&aside, everything_refused).unwrap();
    std::fs::rename(&aside, &routing).unwrap();
    let refused = until(
        PATIENCE,
        || client.pay(&card_payment("tok_approved")).expect(201).json(),
        |payment| payment["route"]["rules_version"] != before["route"]["rules_version"],
    );
    assert_eq!(refused["failure"]["code"], "rejected_by_rule", "{refused}");
    assert_eq!(refused["route"]["rule"], "closed");
    assert_eq!(metric(&sandbox, "switchyard_reloads_total"), 5.0);
    // SIGHUP reads them again, though nothing has changed.
    sandbox.signal(rustix::process::Signal::HUP);
    until(PATIENCE, || metric(&sandbox, "switchyard_reloads_total") as i64, |&reloads| reloads == 6);
}
