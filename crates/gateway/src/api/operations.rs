//! `/v1/captures`, `/v1/voids`, `/v1/refunds`, and the calls on a payment that make them.

use super::call::{BodyRule, Command, Reply, serve};
use super::faults::Faults;
use super::filters;
use super::follow_up_body::{read_capture, read_refund, read_void};
use super::json::Json;
use super::operation_view::OperationView;
use super::view::{ListView, json};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use switchyard_core::{OperationId, OperationKind};
use switchyard_engine::FollowUp;
use switchyard_store::Scope;

/// What there is to say of captures, voids or refunds as a kind of object.
pub(super) struct Noun {
    /// For people.
    name: &'static str,
    /// Where they are made.
    pub(super) made_at: &'static str,
    /// Where they are listed.
    pub(super) listed_at: &'static str,
    /// Where one is read.
    pub(super) read_at: &'static str,
    /// Operations shown as such objects. All of them print their ids alike.
    kinds: &'static [OperationKind],
    /// What making one takes.
    scope: Scope,
    read: fn(Json<'_>, &mut Faults) -> Option<FollowUp>,
}

/// Captures; a sale is one as well.
pub(super) const CAPTURES: Noun = Noun {
    name: "capture",
    made_at: "/v1/payments/{id}/captures",
    listed_at: "/v1/captures",
    read_at: "/v1/captures/{id}",
    kinds: &[OperationKind::Capture, OperationKind::Sale],
    scope: Scope::PaymentsWrite,
    read: read_capture,
};

/// Voids.
pub(super) const VOIDS: Noun = Noun {
    name: "void",
    made_at: "/v1/payments/{id}/voids",
    listed_at: "/v1/voids",
    read_at: "/v1/voids/{id}",
    kinds: &[OperationKind::Void],
    scope: Scope::PaymentsWrite,
    read: read_void,
};

/// Refunds.
pub(super) const REFUNDS: Noun = Noun {
    name: "refund",
    made_at: "/v1/payments/{id}/refunds",
    listed_at: "/v1/refunds",
    read_at: "/v1/refunds/{id}",
    kinds: &[OperationKind::Refund],
    scope: Scope::RefundsWrite,
    read: read_refund,
};

impl Noun {
    fn parse_id(&self, text: &str) -> Option<OperationId> {
        self.kinds.first().and_then(|kind| kind.parse_id(text))
    }
}

/// Captures, voids or refunds a payment: 201 with the object and the payment inside it, 202 while its outcome is open.
pub(super) async fn create(noun: &'static Noun, request: HttpRequest, mut payload: Payload) -> HttpResponse {
    serve(request, noun.made_at, async |call| {
        let caller = call.allow(noun.scope)?;
        let payment = call.payment_id()?;
        match call.command(&caller, &mut payload, BodyRule::MayBeLeftOut, noun.read).await? {
            Command::Do(key, ask) => Ok(call.engine().follow_up(caller, key, payment, ask).await?.into()),
            Command::Done(answered) => Ok(answered.into()),
        }
    })
    .await
}

/// One capture, void or refund.
pub(super) async fn read(noun: &'static Noun, request: HttpRequest) -> HttpResponse {
    serve(request, noun.read_at, async |call| {
        let caller = call.allow(Scope::PaymentsRead)?;
        let id = call.id(noun.name, |text| noun.parse_id(text))?;
        call.no_query()?;
        let (operation, payment) = call.engine().operation(&caller, noun.kinds, id).await?;
        call.about(payment.id);
        Ok(Reply::read(json(&OperationView::with_payment(&operation, &payment))))
    })
    .await
}

/// Captures, voids or refunds, newest first; `?payment=` keeps to those of one payment.
pub(super) async fn list(noun: &'static Noun, request: HttpRequest) -> HttpResponse {
    serve(request, noun.listed_at, async |call| {
        let caller = call.allow(Scope::PaymentsRead)?;
        let mut query = call.query()?;
        let payment = filters::of_payment(&mut query);
        let slice = filters::slice(&mut query);
        query.finish()?;
        let before = slice.before.map(OperationId::from_uuid);
        let page = call.engine().list_operations(&caller, noun.kinds, payment, before, slice.limit).await?;
        let data =
            page.data.iter().map(|(operation, payment)| OperationView::with_payment(operation, payment)).collect();
        Ok(Reply::read(json(&ListView::new(data, page.next))))
    })
    .await
}
