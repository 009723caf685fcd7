//! Markers, and the sources they come from.

use crate::App;
use crate::answer::{Answer, Refusal};
use crate::caller::{Body, Caller, Key, Query};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rein_api::ErrorBody;
use rein_api::markers::{MarkedView, MarkerList, MarkerQuery, MarkerRequest};

/// Record a change that was made elsewhere
#[utoipa::path(post, path = "/v1/markers", tag = "markers", request_body = MarkerRequest,
    params(("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 201, body = MarkedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn mark(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Body(request): Body<MarkerRequest>,
) -> Result<(StatusCode, Json<MarkedView>), Refusal> {
    Ok((StatusCode::CREATED, Json(app.house.mark(&actor, key, &request).await?)))
}

/// Changes made elsewhere, newest first
#[utoipa::path(get, path = "/v1/markers", tag = "markers", params(MarkerQuery), responses(
    (status = 200, body = MarkerList), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(query): Query<MarkerQuery>,
) -> Answer<MarkerList> {
    Ok(Json(app.house.markers(&actor, &query)?))
}
