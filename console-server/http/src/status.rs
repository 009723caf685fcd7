//! Status.

use crate::App;
use crate::answer::Answer;
use crate::caller::Caller;
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::status::StatusView;

/// What is in force, what altered lately, and how the server is
#[utoipa::path(get, path = "/v1/status", tag = "status", responses(
    (status = 200, body = StatusView), (status = "default", body = ErrorBody)))]
pub(crate) async fn status(State(app): State<App>, Caller(actor): Caller) -> Answer<StatusView> {
    app.house.gather_layered().await;
    Ok(Json(app.house.status(&actor).await?))
}
