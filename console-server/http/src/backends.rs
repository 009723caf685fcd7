//! Backends and the plugins that adapt them.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Body, Caller, Key, Path, Query};
use crate::definitions::PutQuery;
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::backends::{BackendDocument, BackendList, BackendView, CheckView, PluginList, PluginLogs};
use rein_api::definitions::DefinedView;

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

/// Declare a backend, or alter its declaration
#[utoipa::path(put, path = "/v1/definitions/backend/{name}", tag = "definitions", request_body = BackendDocument,
    params(("name" = String, Path), PutQuery,
    ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = DefinedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn put(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    place: (Path<String>, Query<PutQuery>),
    Body(document): Body<BackendDocument>,
) -> Answer<DefinedView> {
    let (Path(name), Query(query)) = place;
    Ok(Json(app.house.define_backend(&actor, key, (&name, &document), query.mode()).await?))
}

/// Delete a backend that nothing lies over
#[utoipa::path(delete, path = "/v1/definitions/backend/{name}", tag = "definitions",
    params(("name" = String, Path), ("idempotency-key" = Option<String>, Header, description = "UUIDv7")),
    responses((status = 200, body = DefinedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Path(name): Path<String>,
) -> Answer<DefinedView> {
    Ok(Json(app.house.undefine_backend(&actor, key, &name).await?))
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
