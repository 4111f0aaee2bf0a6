//! What is printed once all is ready: where it listens, and something to paste.

use crate::api::SANDBOX_KEY;
use crate::config::Settings;
use crate::config::address::reachable;
use crate::config::settings::StoreUrl;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

/// What it tells.
pub(super) struct Facts<'a> {
    pub(super) sandbox: bool,
    pub(super) api: SocketAddr,
    pub(super) ops: SocketAddr,
    pub(super) simulator: Option<SocketAddr>,
    pub(super) settings: &'a Settings,
    /// `None` where the configuration is the built-in one.
    pub(super) directory: Option<&'a Path>,
    pub(super) sandbox_key: bool,
}

/// Prints it on standard output.
pub(super) fn print(facts: &Facts<'_>) {
    let mut text = format!("\nSwitchyard {}", env!("CARGO_PKG_VERSION"));
    if facts.sandbox {
        text.push_str(" sandbox: no money moves\n");
    }
    text.push('\n');
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!("\n  {name:<14}{value}"));
    };
    line("API", &format!("http://{}", reachable(facts.api)));
    line("Operations", &format!("http://{}", reachable(facts.ops)));
    match (facts.simulator, &facts.settings.simulator.url) {
        (Some(address), _) => line("Simulator", &format!("http://{}", reachable(address))),
        (None, Some(url)) => line("Simulator", url.as_str()),
        (None, None) => {}
    }
    let StoreUrl::Sqlite(path) = &facts.settings.store.url;
    line("Ledger", &path.display().to_string());
    line("Configuration", &facts.directory.map_or_else(|| "built in".into(), |path| path.display().to_string()));
    if facts.sandbox_key {
        line("Key", SANDBOX_KEY);
        text.push_str(&example(facts.api));
    }
    text.push_str("\nCtrl-C stops it; what is under way is finished first.\n");
    let mut out = std::io::stdout().lock();
    // Nobody may be reading, which is no reason not to serve.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Works as it stands, again and again: asked twice, the same payment is answered.
fn example(api: SocketAddr) -> String {
    let api = reachable(api);
    format!(
        "\n\nA payment to paste:\n
  curl -i http://{api}/v1/payments \\
    -H 'Authorization: Bearer {SANDBOX_KEY}' \\
    -H 'Content-Type: application/json' \\
    -H 'Idempotency-Key: \"order-1001-1\"' \\
    -d '{{\"amount\": 12500, \"currency\": \"EUR\", \"country\": \"DE\", \"order_type\": \"ecommerce\",
         \"reference\": \"order-1001\", \"capture\": \"manual\",
         \"payment_method\": {{\"type\": \"card\", \"token\": \"tok_approved\"}}}}'\n"
    )
}
