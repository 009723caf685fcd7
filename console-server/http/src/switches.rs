//! Switches.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Caller, Path};
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::switches::{SwitchList, SwitchView};

/// All switches
#[utoipa::path(get, path = "/v1/switches", tag = "switches", responses(
    (status = 200, body = SwitchList), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, Caller(actor): Caller) -> Answer<SwitchList> {
    app.house.gather_all().await;
    Ok(Json(app.house.switches(&actor)?))
}

/// One switch, its layers and its proof
#[utoipa::path(get, path = "/v1/switches/{service}/{switch}", tag = "switches",
    params(("service" = String, Path), ("switch" = String, Path)), responses(
    (status = 200, body = SwitchView), (status = "default", body = ErrorBody)))]
pub(crate) async fn show(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((service, switch)): Path<(String, String)>,
) -> Answer<SwitchView> {
    let name = format!("{service}/{switch}");
    app.house.gather(name.parse().ok()).await;
    Ok(Json(app.house.switch(&actor, &name)?))
}
