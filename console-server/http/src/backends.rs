//! Backends and the plugins that adapt them.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Caller, Path};
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::backends::{BackendList, BackendView, CheckView, PluginList, PluginLogs};

/// All backends
#[utoipa::path(get, path = "/v1/backends", tag = "backends", responses(
    (status = 200, body = BackendList), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, Caller(actor): Caller) -> Answer<BackendList> {
    Ok(Json(app.house.backends(&actor)?))
}

/// One backend, its plugin, and what Rein has put into it
#[utoipa::path(get, path = "/v1/backends/{name}", tag = "backends", params(("name" = String, Path)), responses(
    (status = 200, body = BackendView), (status = "default", body = ErrorBody)))]
pub(crate) async fn show(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(name): Path<String>,
) -> Answer<BackendView> {
    Ok(Json(app.house.backend(&actor, &name)?))
}

/// Look at a backend as a person would
#[utoipa::path(get, path = "/v1/backends/{name}/check", tag = "backends", params(("name" = String, Path)),
    responses((status = 200, body = CheckView), (status = "default", body = ErrorBody)))]
pub(crate) async fn check(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(name): Path<String>,
) -> Answer<CheckView> {
    Ok(Json(app.house.check_backend(&actor, &name).await?))
}

/// All plugins: those that run for a backend, and those that could
#[utoipa::path(get, path = "/v1/plugins", tag = "backends", responses(
    (status = 200, body = PluginList), (status = "default", body = ErrorBody)))]
pub(crate) async fn plugins(State(app): State<App>, Caller(actor): Caller) -> Answer<PluginList> {
    Ok(Json(app.house.plugins(&actor)?))
}

/// What the plugin of a backend wrote to its standard error
#[utoipa::path(get, path = "/v1/backends/{name}/logs", tag = "backends", params(("name" = String, Path)),
    responses((status = 200, body = PluginLogs), (status = "default", body = ErrorBody)))]
pub(crate) async fn logs(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(name): Path<String>,
) -> Answer<PluginLogs> {
    Ok(Json(app.house.plugin_logs(&actor, &name)?))
}
