//! `/v1/payments`.

use super::call::{BodyRule, Call, Command, Reply, serve};
use super::faults::Faults;
use super::json::Json;
use super::payment_view::PaymentView;
use super::problem::Problem;
use super::view::{ListView, json};
use super::{filters, payment_body, webhook_endpoints};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use switchyard_core::PaymentId;
use switchyard_engine::{Caller, NewPayment};
use switchyard_store::Scope;

/// Where payments are made and listed.
pub(super) const PAYMENTS: &str = "/v1/payments";

/// Where one payment is read.
pub(super) const PAYMENT: &str = "/v1/payments/{id}";

/// Routes and authorizes a payment, and captures it unless `"capture": "manual"`: 201 where the outcome is known, a
/// decline included; 202 while it is open or in doubt.
pub(super) async fn create(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    serve(request, PAYMENTS, async |call| {
        let caller = call.allow(Scope::PaymentsWrite)?;
        let order_types = call.order_types();
        let read = |body: Json<'_>, faults: &mut Faults| payment_body::read(body, &order_types, faults);
        let answered = match call.command(&caller, &mut payload, BodyRule::Required, read).await? {
            Command::Do(key, ask) => match named(call, &caller, &ask).await {
                Ok(()) => call.engine().create_payment(caller, key, ask).await?,
                // The endpoint may have been removed since the key was used.
                Err(refused) => call.engine().already(key).await?.ok_or(refused)?,
            },
            Command::Done(answered) => answered,
        };
        call.about_created(&answered);
        Ok(answered.into())
    })
    .await
}

/// That the endpoint which the payment names, if it does, is the caller's.
async fn named(call: &Call<'_>, caller: &Caller, ask: &NewPayment) -> Result<(), Problem> {
    match ask.webhook_endpoint {
        Some(endpoint) => webhook_endpoints::check_named(call, caller, endpoint).await,
        None => Ok(()),
    }
}

/// One payment. `?refresh=true` asks the provider first, `?expand=operations` shows its operations.
pub(super) async fn read(request: HttpRequest) -> HttpResponse {
    serve(request, PAYMENT, async |call| {
        let caller = call.allow(Scope::PaymentsRead)?;
        let id = call.payment_id()?;
        let mut query = call.query()?;
        let refresh = query.boolean("refresh").unwrap_or(false);
        let expand = query.choice("expand", "operations", ["operations"], |text| (text == "operations").then_some(()));
        query.finish()?;
        let (payment, refreshed) = if refresh {
            let refreshed = call.engine().refresh(&caller, id).await?;
            (refreshed.payment, Some(refreshed.not_refreshed))
        } else {
            (call.engine().payment(&caller, id).await?, None)
        };
        let operations = match expand {
            Some(()) => Some(call.engine().operations(&payment).await?),
            None => None,
        };
        let mut view = PaymentView::of(&payment);
        if let Some(operations) = &operations {
            view = view.with_operations(&payment, operations);
        }
        if let Some(not_refreshed) = &refreshed {
            view = view.with_refresh(not_refreshed.as_deref());
        }
        Ok(Reply::read(json(&view)))
    })
    .await
}

/// Payments, newest first.
pub(super) async fn list(request: HttpRequest) -> HttpResponse {
    serve(request, PAYMENTS, async |call| {
        let caller = call.allow(Scope::PaymentsRead)?;
        let mut query = call.query()?;
        let filter = filters::of_payments(&mut query, &caller);
        let slice = filters::slice(&mut query);
        query.finish()?;
        let page = call.engine().list_payments(filter, slice.before.map(PaymentId::from_uuid), slice.limit).await?;
        let data = page.data.iter().map(PaymentView::of).collect();
        Ok(Reply::read(json(&ListView::new(data, page.next))))
    })
    .await
}
