//! `/v1/events`: what happened, in order.

use super::call::{Call, Reply, serve};
use super::event_view::{EventView, event_json};
use super::filters::time;
use super::problem::Problem;
use super::query::Query;
use super::view::json;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use switchyard_core::limits::{LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX};
use switchyard_core::settle::EventKind;
use switchyard_core::{EndpointId, EventId, OperationKind, PaymentId};
use switchyard_engine::Caller;
use switchyard_store::Scope;
use switchyard_store::feed::{Event, EventFilter, Order, position_of};
use uuid::Uuid;

/// Where events are listed.
pub(super) const EVENTS: &str = "/v1/events";

/// Where one event is read.
pub(super) const EVENT: &str = "/v1/events/{id}";

/// One event.
pub(super) async fn read(request: HttpRequest) -> HttpResponse {
    serve(request, EVENT, async |call| {
        let caller = call.allow(Scope::PaymentsRead)?;
        let id = call.id("event", EventId::parse)?;
        call.no_query()?;
        let event = find(call, &caller, id).await?;
        Ok(Reply::read(event_json(&event)))
    })
    .await
}

/// An event of the caller's.
pub(super) async fn find(call: &Call<'_>, caller: &Caller, id: EventId) -> Result<Event, Problem> {
    let event = call.feed().event(position_of(id)).await?;
    let theirs = |event: &Event| {
        let recorded = &event.recorded;
        recorded.id() == id && recorded.merchant == caller.merchant && recorded.mode == caller.mode
    };
    event.filter(theirs).ok_or_else(|| Problem::not_found("event"))
}

/// Events, newest first; `?order=asc` lists them as they happened, and always says where to go on.
pub(super) async fn list(request: HttpRequest) -> HttpResponse {
    serve(request, EVENTS, async |call| {
        let caller = call.allow(Scope::PaymentsRead)?;
        let mut query = call.query()?;
        let filter = filter(&mut query, &caller);
        let asked = slice(&mut query);
        query.finish()?;
        let page = call.feed().list_events(filter, asked.order, asked.from, asked.limit).await?;
        let view = FeedView {
            object: "list",
            data: page.data.iter().map(EventView::of).collect(),
            has_more: page.more,
            next_cursor: page.next.map(cursor),
        };
        Ok(Reply::read(json(&view)))
    })
    .await
}

/// Which part of the feed is asked for.
struct Slice {
    order: Order,
    from: Option<i64>,
    limit: u32,
}

fn slice(query: &mut Query) -> Slice {
    let limit = query.parsed("limit", format_args!("an integer from 1 to {LIST_LIMIT_MAX}"), |text| {
        text.parse().ok().filter(|limit| (1..=LIST_LIMIT_MAX).contains(limit))
    });
    let order = query.choice("order", "asc or desc", ["asc", "desc"], |text| match text {
        "asc" => Some(Order::OldestFirst),
        "desc" => Some(Order::NewestFirst),
        _ => None,
    });
    let order = order.unwrap_or(Order::NewestFirst);
    if query.has("after") && query.has("cursor") {
        query.fault("after", "conflicting_field", "cannot go with cursor: both say where to go on");
    }
    if query.has("after") && order == Order::NewestFirst {
        query.fault("after", "conflicting_field", "needs order=asc: newest first there is nothing after an event");
    }
    let after = query.parsed("after", "the id of an event", EventId::parse).map(position_of);
    let from = query.parsed("cursor", "the `next_cursor` of the page before", read_cursor);
    Slice { order, from: from.or(after), limit: limit.unwrap_or(LIST_LIMIT_DEFAULT) }
}

/// Opaque to merchants: a place in the feed, which may be one between their events.
pub(super) fn cursor(position: i64) -> String {
    format!("{position:016x}")
}

pub(super) fn read_cursor(text: &str) -> Option<i64> {
    i64::from_str_radix(text, 16).ok().filter(|position| cursor(*position) == text)
}

fn filter(query: &mut Query, caller: &Caller) -> EventFilter {
    let expected = "types of events or patterns such as payment.*, with commas between them";
    let filter = EventFilter {
        merchant: caller.merchant.clone(),
        mode: caller.mode,
        kinds: query.parsed("type", expected, kinds).unwrap_or_default(),
        payment: query.parsed("payment", "the id of a payment", PaymentId::parse),
        object: query.parsed("object", "the id of a payment, capture, void, refund or webhook endpoint", object_id),
        created_from: time(query, "created_from"),
        created_to: time(query, "created_to"),
    };
    if let (Some(from), Some(to)) = (filter.created_from, filter.created_to)
        && from > to
    {
        query.fault("created_to", "invalid_value", "must not be before created_from");
    }
    filter
}

fn kinds(text: &str) -> Option<Vec<EventKind>> {
    let mut kinds = Vec::new();
    for part in text.split(',') {
        let matching = matching(part);
        if matching.is_empty() {
            return None;
        }
        kinds.extend(matching);
    }
    Some(kinds)
}

/// The types that a name or a pattern stands for: `payment.captured`, `payment.*`, `*`; none where it is neither.
pub(crate) fn matching(pattern: &str) -> Vec<EventKind> {
    let matches = |kind: &EventKind| match pattern.strip_suffix('*') {
        Some("") => true,
        Some(start) => start.ends_with('.') && kind.as_str().starts_with(start),
        None => kind.as_str() == pattern,
    };
    EventKind::ALL.iter().copied().filter(matches).collect()
}

fn object_id(text: &str) -> Option<Uuid> {
    let operation = |kind: &OperationKind| kind.parse_id(text).map(switchyard_core::OperationId::uuid);
    PaymentId::parse(text)
        .map(PaymentId::uuid)
        .or_else(|| EndpointId::parse(text).map(EndpointId::uuid))
        .or_else(|| OperationKind::ALL.iter().find_map(operation))
}

#[derive(Serialize)]
struct FeedView<'a> {
    object: &'static str,
    data: Vec<EventView<'a>>,
    has_more: bool,
    next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_the_types_they_match() {
        assert_eq!(matching("payment.captured"), [EventKind::PaymentCaptured]);
        assert_eq!(matching("void.*"), [EventKind::VoidCreated, EventKind::VoidSucceeded, EventKind::VoidFailed]);
        assert_eq!(matching("*"), EventKind::ALL);
        for nothing in ["", "payment", "payment*", "payment.", "*.captured", "payment.captured.*", "Payment.*"] {
            assert_eq!(matching(nothing), [], "{nothing}");
        }
        assert_eq!(kinds("void.failed,refund.failed").unwrap().len(), 2);
        assert_eq!(kinds("void.failed,"), None);
    }

    #[test]
    fn a_cursor_reads_back() {
        for position in [0, 1, i64::MAX] {
            assert_eq!(read_cursor(&cursor(position)), Some(position));
        }
        for bad in ["", "1", "-000000000000001", "00000000000000000", "000000000000000G"] {
            assert_eq!(read_cursor(bad), None, "{bad}");
        }
    }
}
