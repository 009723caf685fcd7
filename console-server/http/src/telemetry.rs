//! What backends measure.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Caller, Query};
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::telemetry::{EdgeList, EdgesQuery, MeasureQuery, MeasuredList};

/// How services, or the instances of one, are, by all backends that measure
#[utoipa::path(get, path = "/v1/telemetry/services", tag = "telemetry", params(MeasureQuery), responses(
    (status = 200, body = MeasuredList), (status = "default", body = ErrorBody)))]
pub(crate) async fn services(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(query): Query<MeasureQuery>,
) -> Answer<MeasuredList> {
    Ok(Json(app.house.measured(&actor, &query).await?))
}

/// Who calls whom and how that goes, by all backends that measure
#[utoipa::path(get, path = "/v1/telemetry/edges", tag = "telemetry", params(EdgesQuery), responses(
    (status = 200, body = EdgeList), (status = "default", body = ErrorBody)))]
pub(crate) async fn edges(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(query): Query<EdgesQuery>,
) -> Answer<EdgeList> {
    Ok(Json(app.house.edges(&actor, &query).await?))
}
