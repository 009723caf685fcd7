//! Alerts in the order in which they are worth looking at, and the rules that decide.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Caller, Path, Query};
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::alerts::{AlertExplained, JudgedAlerts, JudgedQuery};

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
