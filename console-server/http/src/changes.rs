//! Changes: the one way to intervene.

use crate::App;
use crate::answer::{Answer, Refusal};
use crate::caller::{Body, Caller, Key, Path, Query};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rein_api::ErrorBody;
use rein_api::changes::{
    ChangeList, ChangeQuery, ChangeRequest, ChangeView, ChangedView, EndRequest, ExtendRequest, PreviewView,
    ResolveRequest, UndoRequest, UndoView,
};

/// Changes, newest first
#[utoipa::path(get, path = "/v1/changes", tag = "changes", params(ChangeQuery), responses(
    (status = 200, body = ChangeList), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(query): Query<ChangeQuery>,
) -> Answer<ChangeList> {
    app.house.gather_layered().await;
    Ok(Json(app.house.changes(&actor, &query).await?))
}

/// Lay a change
#[utoipa::path(post, path = "/v1/changes", tag = "changes", request_body = ChangeRequest,
    params(("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 201, body = ChangedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn lay(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Body(request): Body<ChangeRequest>,
) -> Result<(StatusCode, Json<ChangedView>), Refusal> {
    Ok((StatusCode::CREATED, Json(app.house.lay(&actor, key, &request).await?)))
}

/// Say what a change would do
#[utoipa::path(post, path = "/v1/changes/preview", tag = "changes", request_body = ChangeRequest, responses(
    (status = 200, body = PreviewView), (status = "default", body = ErrorBody)))]
pub(crate) async fn preview(
    State(app): State<App>,
    Caller(actor): Caller,
    Body(request): Body<ChangeRequest>,
) -> Answer<PreviewView> {
    Ok(Json(app.house.preview(&actor, &request).await?))
}

/// One change, by its id or a prefix that only it has
#[utoipa::path(get, path = "/v1/changes/{id}", tag = "changes", params(("id" = String, Path)), responses(
    (status = 200, body = ChangeView), (status = "default", body = ErrorBody)))]
pub(crate) async fn show(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Answer<ChangeView> {
    app.house.gather_layered().await;
    Ok(Json(app.house.change(&actor, &id)?))
}

/// End a change
#[utoipa::path(post, path = "/v1/changes/{id}/end", tag = "changes", request_body = EndRequest,
    params(("id" = String, Path), ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = ChangedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn end(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Path(id): Path<String>,
    Body(request): Body<EndRequest>,
) -> Answer<ChangedView> {
    Ok(Json(app.house.end(&actor, key, &id, &request).await?))
}

/// Move a change's deadline later
#[utoipa::path(post, path = "/v1/changes/{id}/extend", tag = "changes", request_body = ExtendRequest,
    params(("id" = String, Path), ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = ChangedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn extend(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Path(id): Path<String>,
    Body(request): Body<ExtendRequest>,
) -> Answer<ChangedView> {
    Ok(Json(app.house.extend(&actor, key, &id, &request).await?))
}

/// Settle a conflict with what a backend holds
#[utoipa::path(post, path = "/v1/changes/{id}/resolve", tag = "changes", request_body = ResolveRequest,
    params(("id" = String, Path), ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = ChangedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn resolve(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Path(id): Path<String>,
    Body(request): Body<ResolveRequest>,
) -> Answer<ChangedView> {
    Ok(Json(app.house.resolve(&actor, key, &id, &request).await?))
}

/// Reverse the caller's last act of the past hour
#[utoipa::path(post, path = "/v1/undo", tag = "changes", request_body = UndoRequest,
    params(("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = UndoView), (status = "default", body = ErrorBody)))]
pub(crate) async fn undo(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Body(request): Body<UndoRequest>,
) -> Answer<UndoView> {
    Ok(Json(app.house.undo(&actor, key, &request).await?))
}
