//! Backups and held stores.

use crate::App;
use crate::answer::{Answer, Refusal};
use crate::caller::{Body, Caller, Key};
use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use rein_api::ErrorBody;
use rein_api::held::{AcceptRequest, AcceptedView, HeldView};

/// Everything the store holds, as of now: sealed lines of JSON. Without its last line it is no backup
#[utoipa::path(get, path = "/v1/backup", tag = "server", responses(
    (status = 200, body = String, content_type = "application/jsonl"), (status = "default", body = ErrorBody)))]
pub(crate) async fn backup(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Refusal> {
    let pieces = app.house.backup(&actor).await?;
    Ok(([(CONTENT_TYPE, "application/jsonl")], axum::body::Body::from_stream(pieces)).into_response())
}

/// Whether the store is held, and what would come back if it were accepted
#[utoipa::path(get, path = "/v1/held", tag = "server", responses(
    (status = 200, body = HeldView), (status = "default", body = ErrorBody)))]
pub(crate) async fn show(State(app): State<App>, Caller(actor): Caller) -> Answer<HeldView> {
    Ok(Json(app.house.held(&actor)?))
}

/// Let a held store go on
#[utoipa::path(post, path = "/v1/held/accept", tag = "server", request_body = AcceptRequest, responses(
    (status = 200, body = AcceptedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn accept(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Body(request): Body<AcceptRequest>,
) -> Answer<AcceptedView> {
    Ok(Json(app.house.accept(&actor, key, &request).await?))
}
