//! What is declared: switches, and the kinds that have a name of one part.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Body, Caller, Key, Path, Query};
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::alerts::AlertRulesDocument;
use rein_api::backends::BackendDocument;
use rein_api::definitions::{DefinedView, DefinitionList, SwitchDocument};
use rein_api::markers::SourceDocument;
use rein_api::services::ServiceDocument;
use rein_core::app::definitions::Mode;
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PutQuery {
    /// Only check.
    #[serde(default)]
    dry_run: bool,
}

impl PutQuery {
    pub(crate) fn mode(&self) -> Mode {
        if self.dry_run { Mode::DryRun } else { Mode::Apply }
    }
}

/// All definitions
#[utoipa::path(get, path = "/v1/definitions", tag = "definitions", responses(
    (status = 200, body = DefinitionList), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, Caller(actor): Caller) -> Answer<DefinitionList> {
    Ok(Json(app.house.definitions(&actor)?))
}

/// Declare a switch, or alter its declaration
#[utoipa::path(put, path = "/v1/definitions/switch/{service}/{switch}", tag = "definitions",
    request_body = SwitchDocument, params(("service" = String, Path), ("switch" = String, Path), PutQuery,
    ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = DefinedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn put(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    place: (Path<(String, String)>, Query<PutQuery>),
    Body(document): Body<SwitchDocument>,
) -> Answer<DefinedView> {
    let (Path((service, switch)), Query(query)) = place;
    let name = format!("{service}/{switch}");
    Ok(Json(app.house.define(&actor, key, (&name, &document), query.mode()).await?))
}

/// Delete a switch; its name is never used again
#[utoipa::path(delete, path = "/v1/definitions/switch/{service}/{switch}", tag = "definitions",
    params(("service" = String, Path), ("switch" = String, Path),
    ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = DefinedView), (status = "default", body = ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Path((service, switch)): Path<(String, String)>,
) -> Answer<DefinedView> {
    Ok(Json(app.house.undefine(&actor, key, &format!("{service}/{switch}")).await?))
}

/// One kind of declaration whose name has one part: how it is declared and how that is taken back.
macro_rules! declared {
    ($kind:ident, $path:literal, $document:ty, $(#[$put:meta])* $define:ident, $(#[$delete:meta])* $undefine:ident) => {
        pub(crate) mod $kind {
            use super::*;

            $(#[$put])*
            #[utoipa::path(put, path = $path, tag = "definitions", request_body = $document,
                params(("name" = String, Path), PutQuery,
                ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
                (status = 200, body = DefinedView), (status = "default", body = ErrorBody)))]
            pub(crate) async fn put(
                State(app): State<App>,
                Caller(actor): Caller,
                Key(key): Key,
                place: (Path<String>, Query<PutQuery>),
                Body(document): Body<$document>,
            ) -> Answer<DefinedView> {
                let (Path(name), Query(query)) = place;
                Ok(Json(app.house.$define(&actor, key, (&name, &document), query.mode()).await?))
            }

            $(#[$delete])*
            #[utoipa::path(delete, path = $path, tag = "definitions", params(("name" = String, Path),
                ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
                (status = 200, body = DefinedView), (status = "default", body = ErrorBody)))]
            pub(crate) async fn delete(
                State(app): State<App>,
                Caller(actor): Caller,
                Key(key): Key,
                Path(name): Path<String>,
            ) -> Answer<DefinedView> {
                Ok(Json(app.house.$undefine(&actor, key, &name).await?))
            }
        }
    };
}

declared! {
    service, "/v1/definitions/service/{name}", ServiceDocument,
    /// Declare a service, or alter its declaration
    define_service,
    /// Take a service's declaration away; its instances stay
    undefine_service
}
declared! {
    alert_rules, "/v1/definitions/alert-rules/{name}", AlertRulesDocument,
    /// Declare what decides about alerts, or alter the declaration
    define_alert_rules,
    /// Take the declaration away; the usual rules hold again
    undefine_alert_rules
}
declared! {
    backend, "/v1/definitions/backend/{name}", BackendDocument,
    /// Declare a backend, or alter its declaration
    define_backend,
    /// Delete a backend that nothing lies over
    undefine_backend
}
declared! {
    source, "/v1/definitions/source/{name}", SourceDocument,
    /// Declare a source of changes, or alter its declaration
    define_source,
    /// Take a source's declaration away; its markers stay
    undefine_source
}
