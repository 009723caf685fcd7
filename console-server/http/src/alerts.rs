//! Alerts in the order in which they are worth looking at, and the rules that decide.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Body, Caller, Key, Path, Query};
use crate::definitions::PutQuery;
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::alerts::{AlertExplained, AlertRulesDocument, JudgedAlerts, JudgedQuery};
use rein_api::definitions::DefinedView;

/// Alerts that fire, by priority, symptoms folded under their likely cause
#[utoipa::path(get, path = "/v1/alerts/judged", tag = "alerts", params(JudgedQuery), responses(
    (status = 200, body = JudgedAlerts), (status = "default", body = ErrorBody)))]
pub(crate) async fn judged(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(query): Query<JudgedQuery>,
) -> Answer<JudgedAlerts> {
    Ok(Json(app.house.judged_alerts_of(&actor, &query).await?))
}

/// Why an alert stands where it stands, by its id or the unique beginning of one
#[utoipa::path(get, path = "/v1/alerts/{id}", tag = "alerts", params(("id" = String, Path)), responses(
    (status = 200, body = AlertExplained), (status = "default", body = ErrorBody)))]
pub(crate) async fn explain(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Answer<AlertExplained> {
    Ok(Json(app.house.explained_alert(&actor, &id).await?))
}

/// Declare what decides about alerts, or alter the declaration
#[utoipa::path(put, path = "/v1/definitions/alert-rules/{name}", tag = "definitions",
    request_body = AlertRulesDocument, params(("name" = String, Path), PutQuery,
    ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = DefinedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn put(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    place: (Path<String>, Query<PutQuery>),
    Body(document): Body<AlertRulesDocument>,
) -> Answer<DefinedView> {
    let (Path(name), Query(query)) = place;
    Ok(Json(app.house.define_alert_rules(&actor, key, (&name, &document), query.mode()).await?))
}

/// Take the declaration away; the usual rules hold again
#[utoipa::path(delete, path = "/v1/definitions/alert-rules/{name}", tag = "definitions",
    params(("name" = String, Path), ("idempotency-key" = Option<String>, Header, description = "UUIDv7")),
    responses((status = 200, body = DefinedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Path(name): Path<String>,
) -> Answer<DefinedView> {
    Ok(Json(app.house.undefine_alert_rules(&actor, key, &name).await?))
}
