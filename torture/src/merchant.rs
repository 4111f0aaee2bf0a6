//! Merchants under way: everything that the API offers, asked well and badly, and written down.

use crate::book::{Ask, Attempt};
use crate::chance::Chance;
use crate::wire::{Answer, Manner, Wire, request};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

/// The sandbox's key.
const AUTHORIZATION: (&str, &str) = ("Authorization", "Bearer sy_test_sandbox");

/// Between two tries of one request.
const PAUSE: Duration = Duration::from_millis(20);

/// Tries of one request, before a merchant gives up and leaves it to the ledger.
const TRIES_MAX: usize = 400;

/// What merchants find where they look: the gateway lives at another address after each start.
#[derive(Debug, Default)]
pub struct Market {
    /// The API's host and port; empty while there is none.
    pub address: RwLock<String>,
    /// The merchants' book.
    pub told: Mutex<Vec<Attempt>>,
    /// Payments begun so far.
    pub begun: AtomicU64,
    closing: AtomicBool,
    serial: AtomicU64,
}

impl Market {
    fn closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    fn address(&self) -> String {
        self.address.read().expect("no merchant panics with it").clone()
    }

    fn write_down(&self, key: &str, ask: &Ask, (path, body): (&str, &str), answer: Option<Answer>) {
        let (key, path, body) = (key.to_owned(), path.to_owned(), body.to_owned());
        let attempt = Attempt { key, ask: ask.clone(), path, body, answer };
        self.told.lock().expect("no merchant panics with it").push(attempt);
    }

    fn serial(&self, what: &str) -> String {
        format!("{what}-{}", self.serial.fetch_add(1, Ordering::Relaxed))
    }

    /// Asks once, patiently, and writes down what came.
    pub fn ask_once(&self, wire: &mut Wire, key: &str, ask: &Ask, path: &str, body: &str) -> Option<Answer> {
        let answer = send(wire, &self.address(), "POST", path, key, Some(body), Manner::Patient);
        self.write_down(key, ask, (path, body), answer.clone());
        answer
    }
}

/// What merchants do, in percent or weights.
#[derive(Clone, Debug)]
pub struct Habits {
    /// Merchants at once.
    pub merchants: u64,
    /// Tokens, with their weights.
    pub tokens: Vec<(u64, &'static str)>,
    /// How often somebody behaves badly, in percent.
    pub rude: u64,
    /// How often an amount asks the provider for a fault, in percent.
    pub odd_amounts: u64,
    /// How many payments to begin; merchants stop by themselves then.
    pub payments_max: u64,
}

impl Habits {
    /// Everything the provider can do, mostly good.
    #[must_use]
    pub fn mixed(merchants: u64) -> Self {
        Self { merchants, tokens: every_token(), rude: 12, odd_amounts: 6, payments_max: u64::MAX }
    }
}

/// Every outcome of the simulated provider. Those that hold a caller for its whole patience are rare.
fn every_token() -> Vec<(u64, &'static str)> {
    let mut tokens = vec![
        (300, "tok_approved"),
        (20, "tok_visa"),
        (20, "tok_mastercard"),
        (20, "tok_amex"),
        (10, "tok_disputed"),
        (12, "tok_partial"),
        (10, "tok_3ds"),
        (10, "tok_redirect"),
        (12, "tok_pending"),
        (10, "tok_pending_declined"),
        (3, "tok_slow"),
        (3, "tok_timeout_before"),
        (3, "tok_timeout_after"),
        (15, "tok_cut_before"),
        (15, "tok_cut_after"),
        (12, "tok_error_before"),
        (15, "tok_error_after"),
        (12, "tok_garbage"),
        (12, "tok_proxy_page"),
        (12, "tok_rate_limited"),
        (6, "tok_refused_connection"),
        (4, "tok_of_nobody"),
    ];
    let declines = [
        "insufficient_funds",
        "limit_exceeded",
        "do_not_honor",
        "generic_decline",
        "processing_error",
        "issuer_unavailable",
        "authentication_required",
        "authentication_failed",
        "incorrect_cvc",
        "incorrect_pin",
        "incorrect_address",
        "invalid_card",
        "invalid_data",
        "invalid_account",
        "expired",
        "configuration",
        "account_closed",
        "expired_card",
        "lost_or_stolen",
        "fraud_suspected",
        "risk_blocked",
        "card_restricted",
        "card_not_supported",
        "currency_not_supported",
        "transaction_not_allowed",
        "amount_invalid",
        "duplicate",
        "mandate_invalid",
        "canceled_by_payer",
        "payer_timeout",
        "rate_limited",
    ];
    tokens.extend(declines.map(|code| (2, &*format!("tok_declined_{code}").leak())));
    tokens
}

/// Merchants at work.
#[derive(Debug)]
pub struct Load {
    market: Arc<Market>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Lets them in.
    #[must_use]
    pub fn start(market: &Arc<Market>, habits: &Habits, chance: &Chance) -> Self {
        market.closing.store(false, Ordering::Relaxed);
        let start = |number| {
            let shop = Shop {
                market: Arc::clone(market),
                habits: habits.clone(),
                chance: chance.child(number),
                wire: Wire::default(),
                known: Vec::new(),
            };
            std::thread::spawn(move || shop.trade())
        };
        Self { market: Arc::clone(market), threads: (0..habits.merchants).map(start).collect() }
    }

    /// Whether all have left by themselves.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Sends them home, after what they are about.
    pub fn stop(self) {
        self.market.closing.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a merchant panicked");
        }
    }
}

struct Shop {
    market: Arc<Market>,
    habits: Habits,
    chance: Chance,
    wire: Wire,
    /// Payments that it was told of, as it saw them last.
    known: Vec<Value>,
}

impl Shop {
    fn trade(mut self) {
        while !self.market.closing() {
            match self.chance.between(0, 100) {
                0..45 => {
                    if self.market.begun.fetch_add(1, Ordering::Relaxed) >= self.habits.payments_max {
                        return;
                    }
                    self.pay();
                }
                45..80 => self.follow_up(),
                80..90 => self.read(),
                90..94 => self.list(),
                _ => self.visit_page(),
            }
        }
    }

    fn manner(&mut self) -> Manner {
        if !self.chance.percent(self.habits.rude) {
            return Manner::Patient;
        }
        match self.chance.between(0, 4) {
            0 => Manner::Impatient(self.chance.between(1, 60)),
            1 => Manner::Reset,
            2 => Manner::HalfClose,
            _ => Manner::Cut(self.chance.between(1, 100)),
        }
    }

    fn amount(&mut self) -> u64 {
        let whole = self.chance.between(1, 20) * 10_000;
        if self.chance.percent(self.habits.odd_amounts) {
            // The provider acts on these, whatever the token says.
            return whole
                + *self.chance.one_of(&[7701, 7702, 7703, 7703, 7704, 7704, 7705, 7705, 7706, 7706, 7707, 7708, 7709]);
        }
        whole + self.chance.between(100, 7000)
    }

    fn pay(&mut self) {
        let order = self.market.serial("order");
        let mut token = *self.chance.weighted(&self.habits.tokens);
        let amount = self.amount();
        // A sale that is approved in part waits for a person, so it is asked for where money is held.
        let manual = self.chance.percent(55) || token == "tok_partial";
        // A merchant whose customer was told no may try again: the same order under a new key.
        for _ in 0..3 {
            let key = self.market.serial("pay");
            let body = json!({
                "amount": amount, "currency": "EUR", "country": "DE", "order_type": "ecommerce", "reference": order,
                "capture": if manual { "manual" } else { "automatic" }, "metadata": {"key": key},
                "payment_method": {"type": "card", "token": token}
            });
            let ask = Ask::Pay { order: order.clone() };
            let told = self.insist(&key, &ask, "/v1/payments", &body.to_string());
            let failed = told.is_some_and(|told| told["status"] == "failed");
            if !failed || self.chance.percent(60) {
                return;
            }
            token = if self.chance.percent(70) { "tok_approved" } else { "tok_declined_do_not_honor" };
        }
    }

    /// Asks until there is an answer, with the same key, as the guide says; or loses interest.
    fn insist(&mut self, key: &str, ask: &Ask, path: &str, body: &str) -> Option<Value> {
        if self.chance.percent(4) {
            self.twice_at_once(key, ask, path, body);
        }
        for _ in 0..TRIES_MAX {
            let (manner, address) = (self.manner(), self.market.address());
            if address.is_empty() && !self.market.closing() {
                std::thread::sleep(PAUSE);
                continue;
            }
            let answer = send(&mut self.wire, &address, "POST", path, key, Some(body), manner);
            self.market.write_down(key, ask, (path, body), answer.clone());
            match answer {
                Some(answer) if matches!(answer.status, 201 | 202) => {
                    let told = answer.json();
                    self.learn(if told["object"] == "payment" { &told } else { &told["payment"] });
                    if self.chance.percent(8) {
                        // Once more, as a merchant does who has lost the answer.
                        self.market.ask_once(&mut self.wire, key, ask, path, body);
                    }
                    return Some(told);
                }
                Some(answer) if answer.status == 503 => {}
                Some(answer) if answer.status == 409 && answer.json()["code"] == "idempotency_in_progress" => {}
                // What a cut request was answered with says nothing of a whole one.
                Some(answer) if matches!(answer.status, 400 | 408) && manner != Manner::Patient => {}
                Some(_) => return None,
                None if self.chance.percent(5) => return None,
                None => {}
            }
            if self.market.closing() {
                return None;
            }
            std::thread::sleep(PAUSE);
        }
        None
    }

    /// The same request over several connections in the same moment.
    fn twice_at_once(&mut self, key: &str, ask: &Ask, path: &str, body: &str) {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| self.market.ask_once(&mut Wire::default(), key, ask, path, body));
            }
        });
    }

    fn learn(&mut self, payment: &Value) {
        let place = self.known.iter().position(|known| known["id"] == payment["id"]);
        match place {
            Some(place) => self.known[place] = payment.clone(),
            None => self.known.push(payment.clone()),
        }
        // The oldest are forgotten: shops look after what is new.
        if self.known.len() > 40 {
            self.known.remove(0);
        }
    }

    fn pick(&mut self) -> Option<Value> {
        if self.known.is_empty() {
            return None;
        }
        Some(self.chance.one_of(&self.known).clone())
    }

    fn follow_up(&mut self) {
        let Some(payment) = self.pick() else { return };
        let id = payment["id"].as_str().unwrap_or_default().to_owned();
        let left = |name: &str| payment[name].as_u64().unwrap_or(0);
        let key = self.market.serial("follow");
        let (ask, path, body) = match payment["status"].as_str() {
            Some("authorized") if self.chance.percent(25) => {
                (Ask::Void { payment: id.clone() }, "voids", json!({"reason": key}))
            }
            Some("authorized" | "processing") => {
                let amount = self.part_of(left("amount_capturable"));
                let body = json!({"amount": amount, "final": self.chance.percent(30)});
                (Ask::Capture { payment: id.clone() }, "captures", body)
            }
            Some("requires_action") => (Ask::Void { payment: id.clone() }, "voids", json!({"reason": key})),
            // Also where nothing can come of it: what is refused must leave no trace.
            _ => {
                let body = json!({"amount": self.part_of(left("amount_refundable")), "reason": key});
                (Ask::Refund { payment: id.clone() }, "refunds", body)
            }
        };
        self.insist(&key, &ask, &format!("/v1/payments/{id}/{path}"), &body.to_string());
    }

    /// All, a part, or more than there is.
    fn part_of(&mut self, left: u64) -> u64 {
        match self.chance.between(0, 10) {
            0..3 => left.max(1),
            3 => left + self.chance.between(1, 5_000),
            4 => left.min(17_700 + self.chance.between(1, 10)).max(1),
            _ => self.chance.between(1, left.max(2)),
        }
    }

    fn read(&mut self) {
        let Some(payment) = self.pick() else { return };
        let id = payment["id"].as_str().unwrap_or_default().to_owned();
        let query = *self.chance.one_of(&["", "", "?refresh=true", "?expand=operations"]);
        let manner = self.manner();
        let path = format!("/v1/payments/{id}{query}");
        let answer = send(&mut self.wire, &self.market.address(), "GET", &path, "", None, manner);
        if let Some(answer) = answer {
            if answer.status == 200 {
                self.learn(&answer.json());
            }
            self.market.write_down("", &Ask::Read { payment: id }, (&path, ""), Some(answer));
        } else {
            std::thread::sleep(PAUSE);
        }
    }

    fn list(&mut self) {
        let path = *self.chance.one_of(&[
            "/v1/payments?limit=100",
            "/v1/payments?in_doubt=true",
            "/v1/payments?status=captured&limit=50",
            "/v1/captures",
            "/v1/voids?limit=1",
            "/v1/refunds",
        ]);
        let manner = self.manner();
        if send(&mut self.wire, &self.market.address(), "GET", path, "", None, manner).is_none() {
            std::thread::sleep(PAUSE);
        }
    }

    /// The payer decides.
    fn visit_page(&mut self) {
        let waiting = self.known.iter().find_map(|payment| payment["next_action"]["url"].as_str());
        let Some((address, path)) = waiting.and_then(page) else { return };
        let decision = if self.chance.percent(70) { "approve" } else { "decline" };
        let bytes = request("POST", &format!("{path}/{decision}"), &address, &[], None);
        Wire::default().ask(&address, &bytes, Manner::Patient);
        std::thread::sleep(PAUSE);
    }
}

/// Host and path of a page.
#[must_use]
pub fn page(url: &str) -> Option<(String, String)> {
    let (address, path) = url.strip_prefix("http://")?.split_once('/')?;
    Some((address.to_owned(), format!("/{path}")))
}

/// Sends a request with the sandbox's key.
pub fn send(
    wire: &mut Wire,
    address: &str,
    method: &str,
    path: &str,
    key: &str,
    body: Option<&str>,
    manner: Manner,
) -> Option<Answer> {
    if address.is_empty() {
        return None;
    }
    let mut headers = vec![AUTHORIZATION];
    if !key.is_empty() {
        headers.push(("Idempotency-Key", key));
    }
    wire.ask(address, &request(method, path, address, &headers, body), manner)
}
