//! The API's description, generated from the code (OpenAPI 3.1).

use crate::App;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, SecurityRequirement};

/// The description of every route.
pub fn document() -> OpenApi {
    let (_, mut document) = crate::api().split_for_parts();
    document.info = InfoBuilder::new()
        .title("Rein")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("One CLI and console over services, releases, limits, switches and silences."))
        .build();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    document
        .components
        .get_or_insert_with(Components::new)
        .add_security_scheme("token", SecurityScheme::Http(bearer));
    document.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    document
}

/// Served without a token: it says what exists, not what is.
pub(crate) fn routes() -> Router<App> {
    Router::new().route("/openapi.json", get(|| async { Json(document()) }))
}
