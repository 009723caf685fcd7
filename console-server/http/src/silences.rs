//! Silences and alerts.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Caller, Query};
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::silences::{AlertList, AlertQuery, SilenceList, SilenceQuery};

/// Silences of all backends that hush alerts, those of others included
#[utoipa::path(get, path = "/v1/silences", tag = "silences", params(SilenceQuery), responses(
    (status = 200, body = SilenceList), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(query): Query<SilenceQuery>,
) -> Answer<SilenceList> {
    Ok(Json(app.house.silences(&actor, &query).await?))
}

/// Alerts that fire now
#[utoipa::path(get, path = "/v1/alerts", tag = "silences", params(AlertQuery), responses(
    (status = 200, body = AlertList), (status = "default", body = ErrorBody)))]
pub(crate) async fn alerts(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(query): Query<AlertQuery>,
) -> Answer<AlertList> {
    Ok(Json(app.house.alerts(&actor, &query).await?))
}
