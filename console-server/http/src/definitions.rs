//! Definitions.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Body, Caller, Key, Path, Query};
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::definitions::{DefinedView, DefinitionList, SwitchDocument};
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
