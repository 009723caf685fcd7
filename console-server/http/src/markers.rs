//! Markers, and the sources they come from.

use crate::App;
use crate::answer::{Answer, Refusal};
use crate::caller::{Body, Caller, Key, Path, Query};
use crate::definitions::PutQuery;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rein_api::ErrorBody;
use rein_api::definitions::DefinedView;
use rein_api::markers::{MarkedView, MarkerList, MarkerQuery, MarkerRequest, SourceDocument};

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

/// Declare a source of changes, or alter its declaration
#[utoipa::path(put, path = "/v1/definitions/source/{name}", tag = "definitions",
    request_body = SourceDocument, params(("name" = String, Path), PutQuery,
    ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = DefinedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn put(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    place: (Path<String>, Query<PutQuery>),
    Body(document): Body<SourceDocument>,
) -> Answer<DefinedView> {
    let (Path(name), Query(query)) = place;
    Ok(Json(app.house.define_source(&actor, key, (&name, &document), query.mode()).await?))
}

/// Take a source's declaration away; its markers stay
#[utoipa::path(delete, path = "/v1/definitions/source/{name}", tag = "definitions",
    params(("name" = String, Path), ("idempotency-key" = Option<String>, Header, description = "UUIDv7")),
    responses((status = 200, body = DefinedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Path(name): Path<String>,
) -> Answer<DefinedView> {
    Ok(Json(app.house.undefine_source(&actor, key, &name).await?))
}
