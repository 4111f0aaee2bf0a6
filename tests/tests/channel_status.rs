//! What makes a channel up, degraded, down or disabled; who hears of it; and what it never stops.

use serde_json::{Value, json};
use std::time::Duration;
use switchyard_tests::{Client, Options, Sandbox, authorization, card_payment, unique, until};

const PATIENCE: Duration = Duration::from_secs(60);
const EU: &str = "simulator_eu";
const US: &str = "simulator_us";

/// Health that is judged by five calls, and comes back soon.
fn quick() -> Options {
    let settings = [
        ("MINIMUM_SAMPLE", "5"),
        ("DEGRADED_FAULTS_PERMILLE", "500"),
        ("RECOVERED_FAULTS_PERMILLE", "100"),
        ("DOWN_FAULTS_PERMILLE", "800"),
        ("DEGRADED_SLOW_PERMILLE", "500"),
        ("RECOVERED_SLOW_PERMILLE", "100"),
        ("DOWN_STALLED_PERMILLE", "800"),
        ("DWELL", "1s"),
        ("COOL_DOWN", "1s"),
        ("PROBE_SHARE_PERMILLE", "500"),
        ("PROBES_GOOD", "2"),
    ];
    let quick = Options::impatient();
    settings.iter().fold(quick, |options, (name, value)| options.env(&format!("SWITCHYARD__HEALTH__{name}"), value))
}

/// The shipped configuration in a folder of its own.
fn shipped() -> tempfile::TempDir {
    let folder = tempfile::TempDir::new().unwrap();
    for name in ["channels.toml", "merchants.toml", "routing.toml"] {
        let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name);
        std::fs::copy(shipped, folder.path().join(name)).unwrap();
    }
    folder
}

fn with(mut options: Options, folder: &tempfile::TempDir) -> Options {
    options.config = Some(folder.path().to_owned());
    options
}

/// The channel as operators see it.
fn seen(sandbox: &Sandbox, channel: &str) -> Value {
    let all = sandbox.ops_client().get("/ops/channels").expect(200).json();
    all["channels"].as_array().unwrap().iter().find(|it| it["channel"] == channel).unwrap().clone()
}

fn standing(sandbox: &Sandbox, channel: &str) -> Value {
    seen(sandbox, channel)["modes"]["test"].clone()
}

/// Waits until the channel is this.
fn becomes(sandbox: &Sandbox, channel: &str, status: &str) -> Value {
    until(PATIENCE, || standing(sandbox, channel), |standing| standing["status"] == status)
}

fn events(sandbox: &Sandbox, after: i64) -> Vec<Value> {
    let page = sandbox.ops_client().get(&format!("/ops/events?after={after}")).expect(200).json();
    page["data"].as_array().unwrap().clone()
}

/// Waits until the feed tells these changes of a channel, each as `from to cause`, and no others.
fn told(sandbox: &Sandbox, channel: &str, wanted: &[&str]) -> Vec<Value> {
    let of_channel =
        || -> Vec<Value> { events(sandbox, 0).into_iter().filter(|event| event["channel"] == channel).collect() };
    let found = until(PATIENCE, of_channel, |events| events.len() >= wanted.len());
    let text = |event: &Value, member: &str| event[member].as_str().unwrap_or_default().to_owned();
    let lines: Vec<String> = found
        .iter()
        .map(|event| format!("{} {} {}", text(event, "from"), text(event, "to"), text(event, "cause")))
        .collect();
    assert_eq!(lines, wanted, "{found:#?}");
    found
}

fn audited(sandbox: &Sandbox, action: &str) -> Vec<Value> {
    let page = sandbox.ops_client().get("/ops/audit?limit=1000").expect(200).json();
    page["data"].as_array().unwrap().iter().filter(|line| line["action"] == action).cloned().collect()
}

/// How often a status was come to, as Prometheus reads it.
fn counted(sandbox: &Sandbox, channel: &str, status: &str) -> u64 {
    let text = Client { address: sandbox.ops.clone(), authorization: None }.get("/metrics").expect(200).text();
    let labels = format!("{{channel=\"{channel}\",mode=\"test\",status=\"{status}\"}}");
    let line = text.lines().find_map(|line| {
        line.strip_prefix("switchyard_channel_status_changes_total").and_then(|line| line.strip_prefix(&labels))
    });
    line.map_or(0, |count| count.trim().parse().unwrap())
}

fn logged(sandbox: &Sandbox, channel: &str) -> usize {
    let of_channel = format!("\"channel\":\"{channel}\"");
    let log = sandbox.log();
    log.lines()
        .filter(|line| line.contains("the status of a channel has changed") && line.contains(&of_channel))
        .count()
}

/// A payment that either channel could serve, and which one did.
fn pay(sandbox: &Sandbox, token: &str) -> Value {
    sandbox.client().pay(&card_payment(token)).json()
}

fn channel_of(payment: &Value) -> &str {
    payment["route"]["channel"].as_str().unwrap_or_default()
}

/// Breaks the channel that payments go to first.
fn break_eu(sandbox: &Sandbox, calls: usize) {
    sandbox.control(&json!({"fail_next": calls, "as": "error_before", "on": "charges"}));
    for _ in 0..calls {
        let payment = pay(sandbox, "tok_approved");
        assert_eq!((channel_of(&payment), &payment["in_doubt"]), (EU, &json!(true)), "{payment}");
    }
}

/// As documented: the finalizer of MurmurHash3 over FNV-1a of `probe`, the channel and the payment's id.
fn probes(channel: &str, payment: &str, share_permille: u128) -> bool {
    let digits = payment.strip_prefix("pay_").expect("an id");
    let id: Vec<u8> = (0..16).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hex")).collect();
    let bytes = [b"probe\0", channel.as_bytes(), b"\0", &id].concat();
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (u128::from(hash ^ (hash >> 33)) * 1_000) >> 64 < share_permille
}

#[test]
fn a_channel_that_fails_is_left_and_comes_back_by_probes() {
    let sandbox = Sandbox::start_with(quick());
    let first = pay(&sandbox, "tok_approved");
    assert_eq!(channel_of(&first), EU);
    break_eu(&sandbox, 4);
    // The fault is over, but nobody knows until somebody tries.
    let moved = pay(&sandbox, "tok_approved");
    assert_eq!((channel_of(&moved), &moved["status"]), (US, &json!("captured")), "{moved}");
    let down = standing(&sandbox, EU);
    assert_eq!((&down["status"], &down["cause"]["type"]), (&json!("down"), &json!("health")), "{down}");
    assert_eq!((&down["health"]["calls"], &down["health"]["faults"]), (&json!(5), &json!(4)), "{down}");
    told(&sandbox, EU, &["up down health"]);

    // Who tries it out is settled by the payment's id, and by nothing else.
    let (mut tried, mut spared) = (0, 0);
    until(
        PATIENCE,
        || {
            let trial = standing(&sandbox, EU)["health"]["trial"].clone();
            let payment = pay(&sandbox, "tok_approved");
            assert_eq!(payment["status"], "captured", "{payment}");
            if trial.is_object() {
                let chosen = probes(EU, payment["id"].as_str().unwrap(), 500);
                assert_eq!(channel_of(&payment) == EU, chosen, "{payment}");
                if chosen { tried += 1 } else { spared += 1 }
            }
            standing(&sandbox, EU)
        },
        |standing| standing["status"] == "up",
    );
    assert!(tried >= 4, "{tried} tried it out, {spared} were spared");
    assert_eq!(channel_of(&pay(&sandbox, "tok_approved")), EU);

    // Each change was told once: in the feed, the log, the metrics, the audit log.
    let feed = told(&sandbox, EU, &["up down health", "down degraded health", "degraded up health"]);
    assert_eq!(feed[0]["type"], "channel.down");
    assert_eq!(feed[0]["reason"], "of 5 calls 4 were faults, 0 slow and 0 stalled");
    let after = feed[1]["position"].as_i64().unwrap();
    assert_eq!(events(&sandbox, after).len(), 1, "a cursor goes on where it stood");
    assert_eq!(logged(&sandbox, EU), 3);
    for status in ["up", "degraded", "down"] {
        assert_eq!(counted(&sandbox, EU, status), 1, "{status}");
        assert_eq!(audited(&sandbox, &format!("channel.{status}")).len(), 1, "{status}");
    }
    told(&sandbox, US, &[]);
    let (status, said, error) = sandbox.run(&["channels", "history", EU]);
    assert!(status.success(), "{error}");
    let lines: Vec<&str> = said.lines().skip(1).collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[2].contains("of 5 calls 4 were faults"), "latest first: {said}");
    let (_, said, _) = sandbox.run(&["channels", "history", "--limit", "2", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["data"].as_array().unwrap().len(), 2);
}

#[test]
fn declines_and_errors_of_the_caller_never_count() {
    let sandbox = Sandbox::start_with(quick());
    // What a wave of stolen cards looks like, and what a careless merchant sends.
    let declines = [
        "do_not_honor",
        "risk_blocked",
        "fraud_suspected",
        "lost_or_stolen",
        "card_not_supported",
        "duplicate",
        "invalid_card",
        "invalid_data",
        "amount_invalid",
        "authentication_failed",
        "currency_not_supported",
        "expired",
    ];
    for code in declines {
        let payment = pay(&sandbox, &format!("tok_declined_{code}"));
        assert_eq!((channel_of(&payment), &payment["status"]), (EU, &json!("failed")), "{payment}");
    }
    pay(&sandbox, "tok_unheard_of");
    let health = standing(&sandbox, EU)["health"].clone();
    assert_eq!(
        (&health["level"], &health["calls"], &health["faults"]),
        (&json!("up"), &json!(13), &json!(0)),
        "{health}"
    );
    assert_eq!(events(&sandbox, 0), [] as [Value; 0]);
}

#[test]
fn doubt_lost_connections_and_refused_credentials_count() {
    let folder = shipped();
    let channels = std::fs::read_to_string(folder.path().join("channels.toml")).unwrap();
    std::fs::write(folder.path().join("channels.toml"), channels.replace("sim_test_us", "sim_test_revoked")).unwrap();
    let sandbox = Sandbox::start_with(with(quick(), &folder));
    for (calls, token) in ["tok_timeout_after", "tok_cut_after", "tok_refused_connection", "tok_declined_configuration"]
        .iter()
        .enumerate()
    {
        pay(&sandbox, token);
        let health = standing(&sandbox, EU)["health"].clone();
        assert_eq!((&health["calls"], &health["faults"]), (&json!(calls + 1), &json!(calls + 1)), "{token}: {health}");
    }
    pay(&sandbox, "tok_rate_limited");
    becomes(&sandbox, EU, "down");
    // The other channel's key is refused: that is its fault, though nothing is in doubt.
    for faults in 1..=5 {
        let payment = pay(&sandbox, "tok_approved");
        assert_eq!((channel_of(&payment), &payment["failure"]["code"]), (US, &json!("configuration")), "{payment}");
        assert_eq!(standing(&sandbox, US)["health"]["faults"], json!(faults));
    }
    told(&sandbox, US, &["up down health"]);
    let nowhere = pay(&sandbox, "tok_approved");
    assert_eq!(nowhere["failure"]["code"], "no_channel_available", "{nowhere}");
}

/// What was begun while the channel was up.
struct Begun {
    capture: String,
    void: String,
    refund: String,
    /// Open: only a look-up tells how it ends.
    open: String,
}

fn begin(sandbox: &Sandbox, pending_ms: u32) -> Begun {
    sandbox.control(&json!({"pending_ms": pending_ms}));
    let new = |body: Value| {
        let payment = sandbox.client().pay(&body).json();
        assert_eq!(channel_of(&payment), EU, "{payment}");
        payment["id"].as_str().unwrap().to_owned()
    };
    Begun {
        capture: new(authorization("tok_approved")),
        void: new(authorization("tok_approved")),
        refund: new(card_payment("tok_approved")),
        open: new(card_payment("tok_pending")),
    }
}

/// New payments go elsewhere; all that was begun goes on where it was.
fn goes_on(sandbox: &Sandbox, begun: &Begun) {
    let elsewhere = pay(sandbox, "tok_approved");
    assert_eq!((channel_of(&elsewhere), &elsewhere["status"]), (US, &json!("captured")), "{elsewhere}");
    follows(sandbox, begun);
    assert_ne!(standing(sandbox, EU)["status"], "up");
}

/// All that was begun goes on where it was.
fn follows(sandbox: &Sandbox, begun: &Begun) {
    let client = sandbox.client();
    let follow = |id: &str, what: &str| {
        let done = client.post(&format!("/v1/payments/{id}/{what}"), &unique("k"), &json!({})).expect(201).json();
        assert_eq!(done["status"], "succeeded", "{what}: {done}");
    };
    follow(&begun.capture, "captures");
    follow(&begun.void, "voids");
    follow(&begun.refund, "refunds");
    let read = || client.get(&format!("/v1/payments/{}", begun.open)).expect(200).json();
    until(PATIENCE, read, |payment| payment["status"] == "captured");
    // Nothing of it was a new payment, so all of it is in the books of the channel's own account.
    for kind in ["capture", "void", "refund"] {
        let booked = sandbox.ledger(kind);
        assert!(booked.iter().all(|line| line["account"] == "eu"), "{booked:#?}");
    }
}

#[test]
fn no_status_stops_what_was_begun() {
    let folder = shipped();
    let sandbox = Sandbox::start_with(with(quick(), &folder));
    for status in ["down", "disabled", "degraded"] {
        let begun = begin(&sandbox, 1_500);
        let (done, _, error) = sandbox.run(&["channels", "override", EU, status, "--reason", "planned work"]);
        assert!(done.success(), "{error}");
        becomes(&sandbox, EU, status);
        goes_on(&sandbox, &begun);
        assert!(sandbox.run(&["channels", "clear", EU]).0.success());
        becomes(&sandbox, EU, "up");
    }
    let begun = begin(&sandbox, 1_500);
    let channels = folder.path().join("channels.toml");
    let plain = std::fs::read_to_string(&channels).unwrap();
    std::fs::write(&channels, plain.clone() + ROUND_THE_CLOCK).unwrap();
    let standing = becomes(&sandbox, EU, "down");
    assert_eq!(standing["cause"]["type"], "maintenance", "{standing}");
    goes_on(&sandbox, &begun);
    std::fs::write(&channels, plain).unwrap();
    becomes(&sandbox, EU, "up");
}

#[test]
fn a_channel_down_by_its_own_faults_still_serves_what_was_begun() {
    let sandbox = Sandbox::start_with(quick().env("SWITCHYARD__HEALTH__WINDOW", "3s"));
    let begun = begin(&sandbox, 6_000);
    until(PATIENCE, || standing(&sandbox, EU), |standing| standing["health"]["calls"] == 0);
    sandbox.control(&json!({"fail_next": 1_000, "as": "error_before", "on": "charges"}));
    let fail = || {
        pay(&sandbox, "tok_approved");
        standing(&sandbox, EU)
    };
    until(PATIENCE, fail, |standing| standing["status"] == "down");
    sandbox.control(&json!({"fail_next": 0, "as": "error_before", "on": "charges"}));
    follows(&sandbox, &begun);
    assert_eq!(standing(&sandbox, EU)["status"], "down", "what was begun tries nothing out");
}

/// Each day, all day.
const ROUND_THE_CLOCK: &str = r#"
[[channels.simulator_eu.maintenance]]
days      = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
from      = "00:00"
to        = "24:00"
time_zone = "Europe/Berlin"
reason    = "the provider is rebuilt"
"#;

/// Around now, for a century or so.
const AROUND_NOW: &str = r#"
[[channels.simulator_eu.maintenance]]
from   = "2020-01-01T00:00:00Z"
to     = "2120-01-01T00:00:00Z"
reason = "the provider moves"

[[channels.simulator_us.maintenance]]
from   = "2120-01-01T00:00:00Z"
to     = "2120-01-01T02:00:00Z"
reason = "an upgrade"
"#;

#[test]
fn maintenance_moves_payments_and_an_operator_wins_over_it() {
    let folder = shipped();
    let channels = folder.path().join("channels.toml");
    let plain = std::fs::read_to_string(&channels).unwrap();
    std::fs::write(&channels, plain.clone() + AROUND_NOW).unwrap();
    let sandbox = Sandbox::start_with(with(quick(), &folder));
    assert_eq!(channel_of(&pay(&sandbox, "tok_approved")), US);
    let down = standing(&sandbox, EU);
    let wanted =
        json!({"type": "maintenance", "reason": "the provider moves", "by": null, "until": "2120-01-01T00:00:00.000Z"});
    assert_eq!((&down["status"], &down["cause"]), (&json!("down"), &wanted), "{down}");
    let next = seen(&sandbox, US)["maintenance"]["next"].clone();
    assert_eq!((&next["from"], &next["reason"]), (&json!("2120-01-01T00:00:00.000Z"), &json!("an upgrade")), "{next}");
    told(&sandbox, EU, &["up down maintenance"]);
    let (_, said, _) = sandbox.run(&["channels", "list"]);
    assert!(said.contains("the provider moves") && said.contains("next maintenance from 2120-01-01"), "{said}");

    // An operator knows better than the calendar.
    let (done, _, error) = sandbox.run(&["channels", "override", EU, "up", "--reason", "they were early"]);
    assert!(done.success(), "{error}");
    let up = becomes(&sandbox, EU, "up");
    assert_eq!((&up["cause"]["type"], &up["cause"]["by"]), (&json!("override"), &json!("operator")), "{up}");
    assert_eq!(channel_of(&pay(&sandbox, "tok_approved")), EU);
    assert!(sandbox.run(&["channels", "clear", EU]).0.success());
    becomes(&sandbox, EU, "down");
    // Without the window, payments come back.
    std::fs::write(&channels, plain).unwrap();
    becomes(&sandbox, EU, "up");
    assert_eq!(channel_of(&pay(&sandbox, "tok_approved")), EU);
    let wanted = ["up down maintenance", "down up override", "up down maintenance", "down up health"];
    let feed = told(&sandbox, EU, &wanted);
    assert_eq!((&feed[1]["by"], &feed[1]["reason"]), (&json!("operator"), &json!("they were early")));
    assert_eq!((logged(&sandbox, EU), counted(&sandbox, EU, "down")), (4, 2));
}

#[test]
fn an_override_wins_over_health_ends_in_time_and_outlives_a_restart() {
    let sandbox = Sandbox::start_with(quick());
    break_eu(&sandbox, 5);
    becomes(&sandbox, EU, "down");
    let (done, _, error) = sandbox.run(&["channels", "override", EU, "up", "--reason", "they fixed it"]);
    assert!(done.success(), "{error}");
    becomes(&sandbox, EU, "up");
    assert_eq!(channel_of(&pay(&sandbox, "tok_approved")), EU);
    assert_eq!(standing(&sandbox, EU)["health"]["level"], "down", "what health says is still shown");

    let set = ["channels", "override", US, "disabled", "--reason", "contract ended", "--expires", "3s"];
    assert!(sandbox.run(&set).0.success());
    let disabled = becomes(&sandbox, US, "disabled");
    assert!(disabled["cause"]["until"].is_string(), "{disabled}");
    becomes(&sandbox, US, "up");
    assert_eq!(seen(&sandbox, US)["override"], Value::Null);
    told(&sandbox, US, &["up disabled override", "disabled up health"]);
    assert_eq!(audited(&sandbox, "channel.override_set").len(), 2);
    let expired = until(PATIENCE, || audited(&sandbox, "channel.override_expired"), |lines| lines.len() == 1);
    assert_eq!((&expired[0]["actor"], &expired[0]["subject"]), (&json!("switchyard"), &json!(US)));
    assert_eq!(expired[0]["detail"], "disabled by operator: contract ended");

    // A start tells nothing that was told before.
    let before = events(&sandbox, 0);
    let sandbox = sandbox.restart();
    becomes(&sandbox, EU, "up");
    assert_eq!(events(&sandbox, 0), before);
    assert_eq!(logged(&sandbox, EU) + logged(&sandbox, US), before.len(), "the log is appended to");
    assert!(sandbox.run(&["channels", "clear", EU]).0.success());
    until(PATIENCE, || standing(&sandbox, EU), |it| it["cause"]["type"] == "health");
    // Up by its word, up by health: nothing changed for payments.
    assert_eq!(events(&sandbox, 0), before);
    assert_eq!(audited(&sandbox, "channel.override_cleared").len(), 1);
}

#[test]
fn overrides_that_make_no_sense_are_refused_with_what_was_perhaps_meant() {
    let sandbox = Sandbox::start();
    let ops = sandbox.ops_client();
    let set = |channel: &str, body: Value| {
        let answer = ops.post(&format!("/ops/channels/{channel}/override"), &unique("k"), &body);
        (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    let (status, error) = set(EU, json!({"status": "dwon", "reason": " ", "expires_at": "2020-01-01T00:00:00Z"}));
    assert_eq!(status, 422);
    for part in ["unknown status `dwon`: did you mean `down`?", "a reason is wanted", "2020-01-01T00:00:00Z has passed"]
    {
        assert!(error.contains(part), "{error}");
    }
    let (status, error) = set("simulator_ue", json!({"status": "down", "reason": "x"}));
    assert_eq!((status, error.as_str()), (404, "unknown channel `simulator_ue`: did you mean `simulator_eu`?"));
    assert_eq!(set(EU, json!({"status": "down"})).0, 400, "no reason at all");
    assert_eq!(events(&sandbox, 0), [] as [Value; 0]);
    assert_eq!(audited(&sandbox, "channel.override_set"), [] as [Value; 0]);
    ops.get("/ops/events?after=x").expect(400);
    let unknown = ops.get("/ops/channels/history?channel=simulator_ue").expect(404).text();
    assert!(unknown.contains("did you mean `simulator_eu`?"), "{unknown}");
    let (done, _, error) = sandbox.run(&["channels", "override", EU, "down"]);
    assert!(!done.success() && error.contains("--reason"), "{error}");
}
