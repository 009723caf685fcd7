//! Liveness, readiness, metrics.

use crate::App;
use crate::answer::Refusal;
use crate::caller::Caller;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use rein_api::ErrorBody;
use rein_domain::access::{Pattern, Verb};

/// Answered without a token: they say yes or no, and nothing else.
pub(crate) fn open_routes() -> Router<App> {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready))
}

async fn ready(State(app): State<App>) -> impl IntoResponse {
    match app.house.trouble() {
        None => (StatusCode::OK, "ready\n"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

/// Metrics of this server, in Prometheus text format
#[utoipa::path(get, path = "/metrics", tag = "server", responses(
    (status = 200, body = String, content_type = "text/plain"), (status = "default", body = ErrorBody)))]
pub(crate) async fn metrics(State(app): State<App>, Caller(actor): Caller) -> Result<String, Refusal> {
    actor.can(Verb::Read, &Pattern::All)?;
    app.house.gauge();
    app.metrics.run_upkeep();
    Ok(app.metrics.render())
}
