//! Diagnosis.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Caller, Path, Query};
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::diagnosis::{DiagnosisQuery, DiagnosisView};

/// Where a symptom of a service comes from, by what backends measure and what was changed
#[utoipa::path(get, path = "/v1/services/{name}/diagnosis", tag = "services",
    params(("name" = String, Path), DiagnosisQuery), responses(
    (status = 200, body = DiagnosisView), (status = "default", body = ErrorBody)))]
pub(crate) async fn diagnose(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<DiagnosisQuery>,
) -> Answer<DiagnosisView> {
    Ok(Json(app.house.diagnosis(&actor, &name, &query).await?))
}
