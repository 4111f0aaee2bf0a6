//! Events as merchants read them, in the feed and in webhooks.

use super::endpoint_view::EndpointView;
use super::operation_view::OperationView;
use super::payment_view::PaymentView;
use super::versions::Version;
use super::view::{Shown, Time, json};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};
use switchyard_core::{EventId, Mode};
use switchyard_store::feed::{Event, Object};

/// The envelope of an event.
#[derive(Serialize)]
pub(super) struct EventView<'a> {
    id: Shown<EventId>,
    object: &'static str,
    r#type: &'static str,
    sequence: u32,
    created_at: Time,
    live: bool,
    version: &'static str,
    data: DataView<'a>,
}

#[derive(Serialize)]
struct DataView<'a> {
    object: ObjectView<'a>,
    /// The members that changed since the object's event before, as they were; null where this is the first.
    previous: Option<Map<String, Value>>,
}

impl<'a> EventView<'a> {
    pub(super) fn of(event: &'a Event) -> Self {
        let recorded = &event.recorded;
        let object = ObjectView::of(&event.object);
        let previous = event.before.as_ref().map(|before| changed(&ObjectView::of(before).value(), &object.value()));
        Self {
            id: Shown(recorded.id()),
            object: "event",
            r#type: recorded.kind.as_str(),
            sequence: recorded.sequence,
            created_at: Time(recorded.at),
            live: recorded.mode == Mode::Live,
            version: Version::NEWEST.name(),
            data: DataView { object, previous },
        }
    }
}

/// An event's bytes, in the feed as in a webhook.
pub(crate) fn event_json(event: &Event) -> Bytes {
    json(&EventView::of(event))
}

#[derive(Serialize)]
#[serde(untagged)]
enum ObjectView<'a> {
    Payment(Box<PaymentView<'a>>),
    Operation(Box<OperationView<'a>>),
    Endpoint(Box<EndpointView<'a>>),
}

impl<'a> ObjectView<'a> {
    fn of(object: &'a Object) -> Self {
        match object {
            Object::Payment(payment) => Self::Payment(Box::new(PaymentView::of(payment))),
            Object::Endpoint(endpoint) => Self::Endpoint(Box::new(EndpointView::of(endpoint, endpoint.updated_at))),
            Object::Operation(both) => Self::Operation(Box::new(OperationView::with_payment(&both.0, &both.1))),
        }
    }

    fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_else(|error| {
            tracing::error!(%error, "an object could not be shown");
            Value::Null
        })
    }
}

/// The members of `before` that read otherwise now. A payment inside shows its own changed members.
fn changed(before: &Value, now: &Value) -> Map<String, Value> {
    let (Value::Object(before), Value::Object(now)) = (before, now) else { return Map::new() };
    let differs = |(name, old): (&String, &Value)| match now.get(name) {
        Some(new) if new == old => None,
        Some(new) if name == "payment" => Some((name.clone(), Value::Object(changed(old, new)))),
        Some(_) | None => Some((name.clone(), old.clone())),
    };
    before.iter().filter_map(differs).collect()
}
