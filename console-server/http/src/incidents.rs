//! Incidents.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Body, Caller, Key, Path};
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::incidents::{CloseRequest, ClosedIncidentView, IncidentList, IncidentView};

/// All incidents, newest first
#[utoipa::path(get, path = "/v1/incidents", tag = "incidents", responses(
    (status = 200, body = IncidentList), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, Caller(actor): Caller) -> Answer<IncidentList> {
    Ok(Json(app.house.incidents(&actor)?))
}

/// One incident and its changes
#[utoipa::path(get, path = "/v1/incidents/{name}", tag = "incidents", params(("name" = String, Path)), responses(
    (status = 200, body = IncidentView), (status = "default", body = ErrorBody)))]
pub(crate) async fn show(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(name): Path<String>,
) -> Answer<IncidentView> {
    Ok(Json(app.house.incident(&actor, &name)?))
}

/// Close an incident: one record, and its changes are over
#[utoipa::path(post, path = "/v1/incidents/{name}/close", tag = "incidents", request_body = CloseRequest,
    params(("name" = String, Path), ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = ClosedIncidentView), (status = "default", body = ErrorBody)))]
pub(crate) async fn close(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Path(name): Path<String>,
    Body(request): Body<CloseRequest>,
) -> Answer<ClosedIncidentView> {
    Ok(Json(app.house.close(&actor, key, &name, &request).await?))
}
