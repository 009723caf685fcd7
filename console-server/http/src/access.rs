//! Tokens and rights.

use crate::App;
use crate::answer::{Answer, Refusal};
use crate::caller::{Body, Caller, Key, Path, Query};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rein_api::ErrorBody;
use rein_api::access::{CanIQuery, CanIView, TokenCreated, TokenList, TokenRequest, TokenView, WhoAmI};

/// Who the caller is
#[utoipa::path(get, path = "/v1/whoami", tag = "access", responses(
    (status = 200, body = WhoAmI), (status = "default", body = ErrorBody)))]
pub(crate) async fn whoami(State(app): State<App>, Caller(actor): Caller) -> Answer<WhoAmI> {
    Ok(Json(app.house.whoami(&actor)))
}

/// May the caller?
#[utoipa::path(get, path = "/v1/can-i", tag = "access", params(CanIQuery), responses(
    (status = 200, body = CanIView), (status = "default", body = ErrorBody)))]
pub(crate) async fn can_i(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(query): Query<CanIQuery>,
) -> Answer<CanIView> {
    Ok(Json(app.house.can_i(&actor, &query)?))
}

/// All tokens, without their secrets
#[utoipa::path(get, path = "/v1/tokens", tag = "access", responses(
    (status = 200, body = TokenList), (status = "default", body = ErrorBody)))]
pub(crate) async fn tokens(State(app): State<App>, Caller(actor): Caller) -> Answer<TokenList> {
    Ok(Json(app.house.tokens(&actor)?))
}

/// Make a token; the only time its secret is shown
#[utoipa::path(post, path = "/v1/tokens", tag = "access", request_body = TokenRequest,
    params(("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 201, body = TokenCreated), (status = "default", body = ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Body(request): Body<TokenRequest>,
) -> Result<(StatusCode, Json<TokenCreated>), Refusal> {
    Ok((StatusCode::CREATED, Json(app.house.create_token(&actor, key, &request).await?)))
}

/// Revoke a token, at once
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "access",
    params(("id" = String, Path), ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = TokenView), (status = "default", body = ErrorBody)))]
pub(crate) async fn revoke(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Path(id): Path<String>,
) -> Answer<TokenView> {
    Ok(Json(app.house.revoke_token(&actor, key, &id).await?))
}
