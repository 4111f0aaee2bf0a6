//! What goes out.

use std::fmt::Write as _;

use secrecy::{ExposeSecret as _, SecretString};
use switchyard_core::capabilities::Idempotency;
use switchyard_core::provider::Call;
use switchyard_core::transport::{HeaderText, HttpRequest};
use switchyard_core::{Capabilities, Money, OperationKind, ProviderError};

use super::{Case, everybody};
use crate::example::{Example, claims, currency};
use crate::player::{BOUNDS, By, Player};
use crate::sample;

pub(super) const CASES: &[Case] = &[
    Case { name: "request: the same call sends the same bytes and key", asked_of: everybody, run: same_bytes },
    Case { name: "request: our operation id goes along", asked_of: keys, run: operation_id },
    Case { name: "request: goes to the base address", asked_of: everybody, run: base },
    Case { name: "request: amounts reach the wire right", asked_of: everybody, run: amounts },
    Case { name: "request: what is not supported sends nothing", asked_of: everybody, run: unsupported },
    Case { name: "request: no credential, token or name of the payer shows", asked_of: everybody, run: secrets },
];

fn keys(capabilities: &Capabilities) -> bool {
    match capabilities.idempotency {
        Idempotency::Key { .. } | Idempotency::Reference => true,
        Idempotency::None => false,
    }
}

/// What an operation of that kind sends, the answer being lost.
fn sent(example: &Example, kind: OperationKind) -> Vec<HttpRequest> {
    let player = Player::loses_answers();
    let _ = player.perform(example, kind);
    let seen = player.seen();
    assert_eq!(seen.len(), 1, "{} sends one request and no other after its answer was lost", kind.as_str());
    seen
}

fn same_bytes(example: &Example) {
    for kind in example.kinds() {
        let [one, two] = [(); 2].map(|()| sent(example, kind).iter().map(|request| whole(example, request)).collect());
        let (one, two): (Vec<_>, Vec<_>) = (one, two);
        assert_eq!(one, two, "{}", kind.as_str());
    }
}

/// All of a request, secrets included.
fn whole(example: &Example, request: &HttpRequest) -> String {
    let mut text = format!("{:?} {}\n", request.method, request.url);
    for (name, value) in &request.headers {
        if !example.volatile_headers.contains(name) {
            let _ = writeln!(text, "{name}: {}", exposed(value));
        }
    }
    text.push_str(&String::from_utf8_lossy(&request.body));
    text
}

fn exposed(text: &HeaderText) -> &str {
    match text {
        HeaderText::Plain(text) => text,
        HeaderText::Secret(text) => text.expose_secret(),
    }
}

fn operation_id(example: &Example) {
    for kind in example.kinds() {
        let id = sample::operation(kind).uuid();
        let (plain, hyphenated) = (id.simple().to_string(), id.hyphenated().to_string());
        for request in sent(example, kind) {
            let text = whole(example, &request);
            assert!(text.contains(&plain) || text.contains(&hyphenated), "{} does not name itself", kind.as_str());
        }
    }
}

fn base(example: &Example) {
    let base = example.provider.base();
    for kind in example.kinds() {
        let player = Player::loses_answers();
        let _ = player.perform(example, kind);
        let _ = player.look_up(example, kind, By::Ours);
        let _ = player.look_up(example, kind, By::Theirs);
        for request in player.seen() {
            let below = request.url.strip_prefix(base).is_some_and(|path| path.starts_with('/'));
            assert!(below, "{} is not below {base}", request.url);
        }
    }
}

fn amounts(example: &Example) {
    let capabilities = example.provider.capabilities();
    let takes = |code: &str| capabilities.methods.iter().any(|row| row.currencies.holds(&currency(code)));
    for code in ["JPY", "EUR", "KWD", "CLF"].into_iter().filter(|code| takes(code)) {
        assert!(example.amounts.iter().any(|amount| amount.currency == code), "no example of {code}");
    }
    let kind =
        if claims(&capabilities, OperationKind::Authorize) { OperationKind::Authorize } else { OperationKind::Sale };
    for amount in example.amounts {
        let Some(money) = Money::new(amount.minor, currency(amount.currency)) else {
            panic!("{amount:?} is no amount")
        };
        let mut ask = sample::authorize(example, kind);
        ask.amount = money;
        let player = Player::loses_answers();
        player.authorize(example, &ask);
        for request in player.seen() {
            assert!(whole(example, &request).contains(amount.text), "{money:?} is not sent as {}", amount.text);
        }
    }
}

fn unsupported(example: &Example) {
    let capabilities = example.provider.capabilities();
    for &kind in OperationKind::ALL.iter().filter(|kind| !kind.creates_the_charge() && !claims(&capabilities, **kind)) {
        let player = Player::loses_answers();
        let result = player.perform(example, kind);
        assert_eq!(result.err(), Some(ProviderError::Unsupported(kind)));
        assert!(player.seen().is_empty(), "{} is sent all the same", kind.as_str());
    }
}

fn secrets(example: &Example) {
    let token =
        |kind| sample::authorize(example, kind).token.map(|token: SecretString| token.expose_secret().to_owned());
    for kind in example.kinds() {
        let mut hidden: Vec<String> = example.secrets.iter().map(|&secret| secret.to_owned()).collect();
        hidden.push(sample::EMAIL.into());
        if kind.creates_the_charge() {
            hidden.extend(token(kind));
        }
        let mut players = vec![Player::loses_answers(), Player::sends_nothing()];
        let names = [format!("{}_approved", kind.as_str()), "unauthorized".into()];
        players.extend(names.iter().filter_map(|name| example.recording(name)).map(|it| Player::answers(it.0)));
        for player in players {
            let result = player.perform(example, kind);
            let shown = format!("{result:?} {:?}", player.seen());
            let message = result.err().map(|error| error.to_string()).unwrap_or_default();
            for secret in &hidden {
                assert!(!shown.contains(secret) && !message.contains(secret), "{} shows {secret}", kind.as_str());
            }
        }
    }
}

impl Player {
    fn authorize(&self, example: &Example, ask: &switchyard_core::provider::Authorize) {
        let call = Call { transport: self, bounds: BOUNDS };
        let _ = crate::player::now(example.provider.authorize(&call, ask));
    }
}
