//! `/v1/api_keys`: a merchant's keys, by another of its keys.

use super::api_key_body::{self, NewApiKey};
use super::api_key_view::ApiKeyView;
use super::call::{Call, Reply, serve};
use super::faults::Faults;
use super::filters;
use super::json::Json;
use super::problem::{Code, Problem};
use super::view::{ListView, json};
use crate::cli::admin::{AdminError, Office};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use switchyard_core::id::KeyId;
use switchyard_engine::Caller;
use switchyard_store::{ApiKey, Scope};

/// Where keys are issued and listed.
pub(super) const API_KEYS: &str = "/v1/api_keys";

/// Where one key is read and revoked.
pub(super) const API_KEY: &str = "/v1/api_keys/{id}";

/// Keys of one merchant and mode that work at once, at most: each has a rate limit of its own.
const KEYS_MAX: usize = 100;

/// Issues a key, which works at once: 201 with its secret, which is kept nowhere. It needs no idempotency key: a repeat
/// could not show the secret again, and a key whose secret was lost on its way is revoked by its id.
pub(super) async fn create(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    serve(request, API_KEYS, async |call| {
        let caller = call.allow(Scope::KeysManage)?;
        let now = call.clock().now();
        let read = |body: Json<'_>, faults: &mut Faults| -> Option<NewApiKey> { api_key_body::read(body, now, faults) };
        let asked = call.body(&mut payload, read).await?;
        let issuer = call.key().ok_or_else(|| Problem::not_found("key"))?;
        let key = api_key_body::under(&issuer, asked, now)?;
        let works =
            |key: &&std::sync::Arc<ApiKey>| key.revoked_at.is_none() && key.expires_at.is_none_or(|end| end > now);
        if theirs(call, &caller).iter().filter(works).count() >= KEYS_MAX {
            let detail = format!("{KEYS_MAX} keys work at once at most; revoke one that is not needed");
            return Err(Problem::new(Code::TooManyKeys, detail));
        }
        let actor = issuer.id.to_string();
        let (secret, key) = office(call, &actor).issue(key, call.pepper()).await?;
        let body = json(&ApiKeyView::with_secret(&key, &secret));
        call.keys().learn(key);
        Ok(Reply::made(body))
    })
    .await
}

/// One key, revoked or not.
pub(super) async fn read(request: HttpRequest) -> HttpResponse {
    serve(request, API_KEY, async |call| {
        let caller = call.allow(Scope::KeysManage)?;
        call.no_query()?;
        let key = find(call, &caller)?;
        Ok(Reply::read(json(&ApiKeyView::of(&key))))
    })
    .await
}

/// The keys, newest first, revoked ones included.
pub(super) async fn list(request: HttpRequest) -> HttpResponse {
    serve(request, API_KEYS, async |call| {
        let caller = call.allow(Scope::KeysManage)?;
        let mut query = call.query()?;
        let slice = filters::slice(&mut query);
        query.finish()?;
        let mut keys = theirs(call, &caller);
        keys.sort_unstable_by_key(|key| std::cmp::Reverse(key.id));
        keys.retain(|key| slice.before.is_none_or(|before| key.id.uuid() < before));
        let limit = usize::try_from(slice.limit).unwrap_or(usize::MAX);
        let more = keys.len() > limit;
        keys.truncate(limit);
        let next = keys.last().filter(|_| more).map(|key| key.id.uuid());
        Ok(Reply::read(json(&ListView::new(keys.iter().map(|key| ApiKeyView::of(key)).collect(), next))))
    })
    .await
}

/// Takes a key back: 200 with the key, also where it was revoked before. From the answer on it is refused.
pub(super) async fn revoke(request: HttpRequest) -> HttpResponse {
    serve(request, API_KEY, async |call| {
        let caller = call.allow(Scope::KeysManage)?;
        call.no_query()?;
        let key = find(call, &caller)?;
        if key.revoked_at.is_some() {
            return Ok(Reply::read(json(&ApiKeyView::of(&key))));
        }
        let issuer = call.key().ok_or_else(|| Problem::not_found("key"))?;
        let revoked_at = office(call, &issuer.id.to_string()).revoke(key.id).await?;
        let revoked = match revoked_at {
            Some(at) => ApiKey { revoked_at: Some(at), ..ApiKey::clone(&key) },
            // Somebody else was faster.
            None => {
                call.ledger().keys().await?.into_iter().find(|it| it.id == key.id).unwrap_or_else(|| (*key).clone())
            }
        };
        let body = json(&ApiKeyView::of(&revoked));
        call.keys().learn(revoked);
        Ok(Reply::read(body))
    })
    .await
}

fn office<'a>(call: &Call<'a>, actor: &'a str) -> Office<'a> {
    Office { store: call.ledger(), clock: call.clock(), actor }
}

/// The keys of the caller's merchant and mode.
fn theirs(call: &Call<'_>, caller: &Caller) -> Vec<std::sync::Arc<ApiKey>> {
    call.keys().filtered(|key| key.merchant == caller.merchant && key.mode == caller.mode)
}

/// The one that the path names.
fn find(call: &Call<'_>, caller: &Caller) -> Result<std::sync::Arc<ApiKey>, Problem> {
    let id = call.id("key", KeyId::parse)?;
    theirs(call, caller).into_iter().find(|key| key.id == id).ok_or_else(|| Problem::not_found("key"))
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Store(error) => error.into(),
            AdminError::NotFound(_) => Self::not_found("key"),
            AdminError::Invalid(reasons) => Self::new(Code::InvalidRequest, reasons.join("; ")),
        }
    }
}
