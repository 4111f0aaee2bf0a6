//! The body of `POST /v1/payments`.

use super::faults::{Faults, cut};
use super::fields::{Fields, read_body, text_fault};
use super::json::Json;
use super::payer_body::{address, browser, customer, web_address};
use secrecy::SecretString;
use switchyard_core::limits::{
    DESCRIPTION_CHARS_MAX, METADATA_KEY_CHARS_MAX, METADATA_KEYS_MAX, METADATA_VALUE_CHARS_MAX, REFERENCE_CHARS_MAX,
    TOKEN_BYTES_MAX, URL_BYTES_MAX,
};
use switchyard_core::method::Direction;
use switchyard_core::name::NAME_BYTES_MAX;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{ChannelName, Country, Currency, EndpointId, Method, Money, OrderType, RouteId};
use switchyard_engine::{NewPayment, Tokens};

/// Channels or providers that one payment carries tokens for; more than any operator has.
pub(super) const TOKENS_MAX: usize = 64;

/// Reads a payment's request. `order_types` are those that the merchant may use.
pub(crate) fn read(body: Json<'_>, order_types: &[OrderType], faults: &mut Faults) -> Option<NewPayment> {
    read_body(body, faults, |fields| payment(fields, order_types))
}

fn payment(fields: &mut Fields<'_, '_>, order_types: &[OrderType]) -> Option<NewPayment> {
    for name in ["amount", "currency", "country", "order_type", "reference", "payment_method"] {
        fields.require(name);
    }
    let amount = fields.amount("amount");
    let currency = currency(fields);
    let country = country(fields);
    let order_type = order_type(fields, order_types);
    let reference = fields.text("reference", 1..=REFERENCE_CHARS_MAX);
    let method = fields.object("payment_method", method).flatten();
    let capture = fields.choice("capture", "automatic or manual", ["automatic", "manual"], CaptureMode::from_name);
    let return_url = web_address(fields, "return_url", URL_BYTES_MAX);
    let statement_descriptor = statement_descriptor(fields);
    let description = fields.text("description", 0..=DESCRIPTION_CHARS_MAX);
    let customer = fields.object("customer", customer);
    let billing_address = fields.object("billing_address", address);
    let shipping_address = fields.object("shipping_address", address);
    let browser = fields.object("browser", browser);
    let metadata = metadata(fields);
    let allow_duplicate_reference = fields.boolean("allow_duplicate_reference");
    let route = fields.parsed("route", 1..=usize::MAX, "the id of a route, `rt_` and 32 digits", RouteId::parse);
    let expected = "the id of a webhook endpoint, `we_` and 32 digits";
    let webhook_endpoint = fields.parsed("webhook_endpoint", 1..=usize::MAX, expected, EndpointId::parse);
    let (method, tokens) = method?;
    Some(NewPayment {
        amount: Money::new(amount?, currency?)?,
        country: country?,
        order_type: order_type?,
        reference: reference?.into_owned(),
        method,
        tokens,
        capture: capture.unwrap_or(CaptureMode::Automatic),
        return_url,
        statement_descriptor,
        description: description.map(Into::into),
        customer: customer.map(Box::new),
        billing_address: billing_address.map(Box::new),
        shipping_address: shipping_address.map(Box::new),
        browser: browser.map(Box::new),
        metadata,
        allow_duplicate_reference: allow_duplicate_reference.unwrap_or(false),
        webhook_endpoint,
        route,
    })
}

pub(super) fn currency(fields: &mut Fields<'_, '_>) -> Option<Currency> {
    let expected = "an ISO 4217 code in capitals, of a currency that has a minor unit";
    fields.parsed("currency", 1..=usize::MAX, expected, Currency::from_code)
}

pub(super) fn country(fields: &mut Fields<'_, '_>) -> Option<Country> {
    fields.parsed("country", 1..=usize::MAX, "an ISO 3166-1 alpha-2 code in capitals", Country::from_code)
}

pub(super) fn order_type(fields: &mut Fields<'_, '_>, known: &[OrderType]) -> Option<OrderType> {
    let names = known.iter().map(OrderType::as_str);
    fields.choice("order_type", "an order type that this merchant may use", names, |name| {
        known.iter().find(|known| known.as_str() == name).cloned()
    })
}

/// The `type` of a payment method, which is required.
pub(super) fn method_type(fields: &mut Fields<'_, '_>) -> Option<Method> {
    fields.require("type");
    let takes_money_in = |method: &Method| method.directions().contains(&Direction::Payin);
    let names = Method::ALL.iter().filter(|method| takes_money_in(method)).map(|method| method.name());
    fields.choice("type", "a payment method", names, |name| Method::from_name(name).filter(takes_money_in))
}

fn method(fields: &mut Fields<'_, '_>) -> Option<(Method, Tokens)> {
    let method = method_type(fields);
    if fields.has("provider") && !fields.has("token") {
        fields.fault("provider", "not_allowed", "says whose `token` it is, and there is none");
    }
    let bare = fields.text("token", 1..=TOKEN_BYTES_MAX);
    if bare.as_ref().is_some_and(|token| token.len() > TOKEN_BYTES_MAX) {
        fields.fault("token", "too_long", TOKEN_TOO_LONG);
    }
    let provider = fields.parsed("provider", 1..=NAME_BYTES_MAX, "a provider's name", |name| {
        ChannelName::new(name).map(|_| name.to_owned())
    });
    let tokens = Tokens { bare: bare.map(|token| token.into_owned().into()), provider, named: named_tokens(fields) };
    Some((method?, tokens))
}

const TOKEN_TOO_LONG: &str = "must have at most 16 KiB";

/// Tokens by channel or provider. Whether a name is one of those is for routing to say.
fn named_tokens(fields: &mut Fields<'_, '_>) -> Vec<(String, SecretString)> {
    let Some(members) = fields.members("tokens") else { return Vec::new() };
    if members.is_empty() || members.len() > TOKENS_MAX {
        fields.fault("tokens", "invalid_value", format!("must have 1 to {TOKENS_MAX} members"));
        return Vec::new();
    }
    let mut tokens = Vec::with_capacity(members.len());
    for (name, value) in members {
        match token_text(value) {
            _ if ChannelName::new(&name).is_none() => {
                fields.fault(
                    &format!("tokens.{}", cut(&name)),
                    "unknown_field",
                    "no channel or provider has such a name",
                );
            }
            Ok(token) => tokens.push((name.into_owned(), token)),
            Err((code, message)) => fields.fault(&format!("tokens.{}", cut(&name)), code, message),
        }
    }
    tokens
}

fn token_text(value: Json<'_>) -> Result<SecretString, (&'static str, String)> {
    let text = match value {
        Json::Text(text) => match text_fault(&text, &(1..=TOKEN_BYTES_MAX)) {
            Some((code, message)) => return Err((code, message.into_owned())),
            None => text.into_owned(),
        },
        object @ Json::Object(_) => object.to_text().ok_or_else(|| {
            ("invalid_value", "must not hold numbers with a fraction or an exponent; send them as texts".to_owned())
        })?,
        other @ (Json::Null
        | Json::Bool(_)
        | Json::Integer(_)
        | Json::LargeInteger(_)
        | Json::Decimal(_)
        | Json::Array(_)) => {
            return Err(("invalid_type", format!("must be a text or an object, not {}", other.kind())));
        }
    };
    if text.len() > TOKEN_BYTES_MAX {
        return Err(("too_long", TOKEN_TOO_LONG.to_owned()));
    }
    Ok(text.into())
}

/// Latin letters, digits and the signs that statements of every scheme can carry.
fn statement_descriptor(fields: &mut Fields<'_, '_>) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" .,-&/+#:!?()".contains(&byte);
    let expected = "Latin letters, at least one, digits, spaces and . , - & / + # : ! ? ( )";
    fields.parsed("statement_descriptor", 5..=22, expected, |text| {
        let right = text.bytes().all(allowed)
            && text.bytes().any(|byte| byte.is_ascii_alphabetic())
            && text.trim().len() == text.len();
        right.then(|| text.to_owned())
    })
}

fn metadata(fields: &mut Fields<'_, '_>) -> Vec<(String, String)> {
    let Some(members) = fields.members("metadata") else { return Vec::new() };
    if members.len() > METADATA_KEYS_MAX {
        fields.fault("metadata", "too_many", format!("must have at most {METADATA_KEYS_MAX} keys"));
        return Vec::new();
    }
    let mut metadata = Vec::with_capacity(members.len());
    for (name, value) in members {
        let path = || format!("metadata.{}", cut(&name));
        if let Some((code, message)) = text_fault(&name, &(1..=METADATA_KEY_CHARS_MAX)) {
            fields.fault(&path(), code, format!("the key {message}"));
            continue;
        }
        match value {
            Json::Text(text) if text.contains('\0') => fields.fault(&path(), "invalid_value", "must not hold U+0000"),
            Json::Text(text) if text.chars().count() > METADATA_VALUE_CHARS_MAX => {
                fields.fault(&path(), "too_long", format!("must have at most {METADATA_VALUE_CHARS_MAX} characters"));
            }
            Json::Text(text) => metadata.push((name.into_owned(), text.into_owned())),
            other @ (Json::Null
            | Json::Bool(_)
            | Json::Integer(_)
            | Json::LargeInteger(_)
            | Json::Decimal(_)
            | Json::Array(_)
            | Json::Object(_)) => {
                fields.fault(&path(), "invalid_type", format!("must be a text, not {}", other.kind()));
            }
        }
    }
    metadata
}
