//! The HTTP API: decode, call, encode. One file per noun; rules live in `rein-core`.

mod access;
mod alerts;
mod answer;
mod audit;
mod backends;
mod caller;
mod changes;
mod definitions;
mod diagnosis;
mod events;
mod guard;
mod health;
mod held;
mod incidents;
mod markers;
mod openapi;
mod peer;
mod registry;
mod services;
mod silences;
mod status;
mod switches;
mod telemetry;

pub use guard::Allowed;
pub use openapi::document;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use metrics_exporter_prometheus::PrometheusHandle;
use rein_api::ErrorCode;
use rein_core::{AppError, House};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most bytes of a request body.
pub const MAX_BODY: usize = 64 * 1024;
/// Most bytes of one with heartbeats: as many as are taken at once, with names as long as names may be.
pub const MAX_BEATS_BODY: usize = rein_core::app::services::MAX_BEATS * 256;

/// What handlers act on.
#[derive(Clone)]
pub struct App {
    /// The house.
    pub house: Arc<House>,
    /// Which Host and Origin headers are taken.
    pub allowed: Arc<Allowed>,
    /// Metrics, rendered for Prometheus.
    pub metrics: PrometheusHandle,
    /// Ends event streams when the server stops.
    pub stop: CancellationToken,
}

/// The API alone, with its description. Doors that speak HTTP are merged by whoever serves both.
fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(status::status))
        .routes(routes!(switches::list))
        .routes(routes!(switches::show))
        .routes(routes!(services::list))
        .routes(routes!(services::show))
        .routes(routes!(services::roster))
        .routes(routes!(services::watch))
        .routes(routes!(services::targets))
        .routes(routes!(services::register))
        .routes(routes!(services::deregister))
        .routes(routes!(services::heartbeat))
        .routes(routes!(services::heartbeats))
        .routes(routes!(services::accept_loss))
        .routes(routes!(definitions::service::put, definitions::service::delete))
        .routes(routes!(changes::list, changes::lay))
        .routes(routes!(changes::preview))
        .routes(routes!(changes::show))
        .routes(routes!(changes::end))
        .routes(routes!(changes::extend))
        .routes(routes!(changes::resolve))
        .routes(routes!(changes::undo))
        .routes(routes!(silences::list))
        .routes(routes!(silences::alerts))
        .routes(routes!(alerts::judged))
        .routes(routes!(alerts::explain))
        .routes(routes!(definitions::alert_rules::put, definitions::alert_rules::delete))
        .routes(routes!(telemetry::services))
        .routes(routes!(telemetry::edges))
        .routes(routes!(diagnosis::diagnose))
        .routes(routes!(backends::list))
        .routes(routes!(backends::show))
        .routes(routes!(backends::check))
        .routes(routes!(backends::logs))
        .routes(routes!(backends::plugins))
        .routes(routes!(definitions::backend::put, definitions::backend::delete))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::show))
        .routes(routes!(incidents::close))
        .routes(routes!(markers::list, markers::mark))
        .routes(routes!(definitions::source::put, definitions::source::delete))
        .routes(routes!(definitions::list))
        .routes(routes!(definitions::put, definitions::delete))
        .routes(routes!(access::whoami))
        .routes(routes!(access::can_i))
        .routes(routes!(access::tokens, access::create))
        .routes(routes!(access::revoke))
        .routes(routes!(audit::list))
        .routes(routes!(audit::heads))
        .routes(routes!(audit::lane))
        .routes(routes!(events::events))
        .routes(routes!(held::backup))
        .routes(routes!(held::show))
        .routes(routes!(held::accept))
        .routes(routes!(peer::answer))
        .routes(routes!(health::metrics))
}

/// The whole router: API, health, description, and the doors given.
pub fn router(app: App, doors: Router) -> Router {
    let (api, _) = api().split_for_parts();
    let api = api.merge(openapi::routes()).layer(from_fn_with_state(app.clone(), answer::freshness));
    api.merge(health::open_routes())
        .fallback(|| async {
            answer::Refusal(
                AppError::new(ErrorCode::NotFound, "no such path").hint("GET /openapi.json lists them"),
            )
        })
        .method_not_allowed_fallback(|| async {
            answer::Refusal(AppError::new(ErrorCode::MethodRefused, "this path does not take that method"))
        })
        .with_state(app.clone())
        .merge(registry::routes(app.clone()))
        .merge(doors)
        .layer(from_fn_with_state(app, guard::judge))
        .layer(from_fn(answer::observe))
        .layer(CatchPanicLayer::custom(answer::panicked))
}
