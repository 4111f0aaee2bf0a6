//! The query of lists.

use super::query::Query;
use switchyard_core::limits::{AMOUNT_MINOR_MAX, LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX};
use switchyard_core::{ChannelName, Currency, Method, OrderType, PaymentId, PaymentStatus, Timestamp};
use switchyard_engine::Caller;
use switchyard_store::PaymentFilter;
use uuid::Uuid;

/// Where a list goes on, and how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    /// Objects before this one, which is excluded; `None` for the newest.
    pub(crate) before: Option<Uuid>,
    /// How many at most.
    pub(crate) limit: u32,
}

/// `limit` and `cursor`.
pub(crate) fn slice(query: &mut Query) -> Slice {
    let limit = query.parsed("limit", format_args!("an integer from 1 to {LIST_LIMIT_MAX}"), |text| {
        text.parse().ok().filter(|limit| (1..=LIST_LIMIT_MAX).contains(limit))
    });
    let before = query.parsed("cursor", "the `next_cursor` of the page before", |text| {
        Uuid::try_parse(text).ok().filter(|uuid| uuid.simple().to_string() == text)
    });
    Slice { before, limit: limit.unwrap_or(LIST_LIMIT_DEFAULT) }
}

/// `payment`.
pub(crate) fn of_payment(query: &mut Query) -> Option<PaymentId> {
    query.parsed("payment", "the id of a payment", PaymentId::parse)
}

/// The filters of payments.
pub(crate) fn of_payments(query: &mut Query, caller: &Caller) -> PaymentFilter {
    let amount = |text: &str| text.parse().ok().filter(|amount| (0..=AMOUNT_MINOR_MAX).contains(amount));
    let minor = format!("an integer from 0 to {AMOUNT_MINOR_MAX}, in minor units");
    let filter = PaymentFilter {
        merchant: caller.merchant.clone(),
        mode: caller.mode,
        status: query.choice(
            "status",
            "a payment's status",
            PaymentStatus::ALL.iter().map(|status| status.as_str()),
            PaymentStatus::from_name,
        ),
        in_doubt: query.boolean("in_doubt"),
        reference: query.text("reference"),
        order_type: query.parsed("order_type", "an order type", OrderType::new),
        channel: query.parsed("channel", "a channel's name", ChannelName::new),
        currency: query.parsed("currency", "an ISO 4217 code in capitals", Currency::from_code),
        method: query.choice(
            "method",
            "a payment method",
            Method::ALL.iter().map(|method| method.name()),
            Method::from_name,
        ),
        customer: query.text("customer"),
        provider_reference: query.text("provider_reference"),
        amount_min: query.parsed("amount_min", &minor, amount),
        amount_max: query.parsed("amount_max", &minor, amount),
        created_from: time(query, "created_from"),
        created_to: time(query, "created_to"),
    };
    if let (Some(min), Some(max)) = (filter.amount_min, filter.amount_max)
        && min > max
    {
        query.fault("amount_max", "invalid_value", "must not be below amount_min");
    }
    if let (Some(from), Some(to)) = (filter.created_from, filter.created_to)
        && from > to
    {
        query.fault("created_to", "invalid_value", "must not be before created_from");
    }
    filter
}

/// RFC 3339, in UTC or with an offset.
pub(crate) fn time(query: &mut Query, name: &'static str) -> Option<Timestamp> {
    query.parsed(name, "a time such as 2026-03-01T00:00:00Z (RFC 3339; write + as %2B)", |text| {
        text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchyard_core::{MerchantName, Mode};

    fn read(text: &str) -> Result<(PaymentFilter, Slice), Vec<String>> {
        let told = |problem: crate::api::problem::Problem| {
            problem.errors.iter().map(|fault| format!("{} {}", fault.field, fault.code)).collect::<Vec<_>>()
        };
        let mut query = Query::parse(text).map_err(told)?;
        let caller = Caller { merchant: MerchantName::new("shop").unwrap(), mode: Mode::Test };
        let read = (of_payments(&mut query, &caller), slice(&mut query));
        query.finish().map_err(told).map(|()| read)
    }

    #[test]
    fn every_filter_is_read() {
        let (filter, slice) = read(
            "status=captured&in_doubt=false&reference=a%20b&order_type=ecommerce&channel=eu&currency=EUR&method=card\
             &customer=c&provider_reference=ch_1&amount_min=1&amount_max=2&created_from=2026-01-01T00:00:00Z\
             &created_to=2026-01-01T01:00:00%2B01:00&limit=100&cursor=01970000000070008000000000000001",
        )
        .unwrap();
        assert_eq!(filter.status, Some(PaymentStatus::Captured));
        assert_eq!(filter.reference.as_deref(), Some("a b"));
        assert_eq!(filter.created_from, filter.created_to);
        assert_eq!((filter.amount_min, filter.amount_max, filter.in_doubt), (Some(1), Some(2), Some(false)));
        assert_eq!(slice.limit, 100);
        assert_eq!(slice.before, Some(Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0001)));
        assert_eq!(read("").unwrap().1, Slice { before: None, limit: LIST_LIMIT_DEFAULT });
    }

    #[test]
    fn every_fault_of_a_query_is_told_at_once() {
        let text = "status=capturd&in_doubt=1&reference=&currency=eur&method=crd&amount_min=-1&created_from=today\
                    &limit=0&cursor=pay_1&statuss=x&channel=eu&channel=us&amount_max=1e3";
        assert_eq!(
            read(text).unwrap_err(),
            [
                "channel duplicate_field",
                "status unknown_value",
                "in_doubt invalid_value",
                "reference invalid_value",
                "currency invalid_value",
                "method unknown_value",
                "amount_min invalid_value",
                "amount_max invalid_value",
                "created_from invalid_value",
                "limit invalid_value",
                "cursor invalid_value",
                "statuss unknown_field",
            ]
        );
        assert_eq!(read("amount_min=2&amount_max=1").unwrap_err(), ["amount_max invalid_value"]);
        assert!(read("reference=4242424242424242").is_err());
        assert!(read("reference=4242%204242+42424242").is_err());
        assert!(read("limit=101").is_err());
    }
}
