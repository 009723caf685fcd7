//! Services: registration, discovery, and what people look at.

use crate::answer::{Answer, Refusal};
use crate::caller::{Body, Caller, Key, Path, Query};
use crate::events::Secret;
use crate::{App, MAX_BEATS_BODY};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::stream::{self, Stream, StreamExt};
use rein_api::ErrorBody;
use rein_api::services::{
    AcceptLossRequest, AcceptedLossView, BeatRequest, BeatsRequest, BeatsView, LifeQuery, RegisterRequest,
    RegisteredView, RosterView, ServiceList, ServiceView, TargetGroup, TargetQuery,
};
use rein_core::app::services::roster_view;
use std::convert::Infallible;
use std::time::Duration;

/// Between two signs of life of a watch.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);

/// Register an instance, or say what altered
#[utoipa::path(post, path = "/v1/registry/instances", tag = "services", request_body = RegisterRequest,
    params(("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 201, body = RegisteredView), (status = "default", body = ErrorBody)))]
pub(crate) async fn register(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Body(request): Body<RegisterRequest>,
) -> Result<(StatusCode, Json<RegisteredView>), Refusal> {
    Ok((StatusCode::CREATED, Json(app.house.register(&actor, key, &request).await?)))
}

/// Take an instance out of the registry
#[utoipa::path(delete, path = "/v1/registry/instances/{service}/{id}", tag = "services",
    params(("service" = String, Path), ("id" = String, Path), LifeQuery,
    ("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = BeatsView), (status = "default", body = ErrorBody)))]
pub(crate) async fn deregister(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Path((service, id)): Path<(String, String)>,
    Query(query): Query<LifeQuery>,
) -> Answer<BeatsView> {
    Ok(Json(app.house.deregister(&actor, key, (&service, &id), &query).await?))
}

/// Say that an instance is there
#[utoipa::path(put, path = "/v1/registry/instances/{service}/{id}/heartbeat", tag = "services",
    params(("service" = String, Path), ("id" = String, Path), LifeQuery), responses(
    (status = 200, body = BeatsView), (status = "default", body = ErrorBody)))]
pub(crate) async fn heartbeat(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((service, id)): Path<(String, String)>,
    Query(query): Query<LifeQuery>,
) -> Answer<BeatsView> {
    let beat = BeatRequest { service, id, incarnation: query.incarnation.unwrap_or_default() };
    Ok(Json(app.house.heartbeat(&actor, &beat)?))
}

/// Say that many instances are there
#[utoipa::path(post, path = "/v1/registry/heartbeats", tag = "services", request_body = BeatsRequest, responses(
    (status = 200, body = BeatsView), (status = "default", body = ErrorBody)))]
pub(crate) async fn heartbeats(
    State(app): State<App>,
    Caller(actor): Caller,
    Body(request): Body<BeatsRequest, MAX_BEATS_BODY>,
) -> Answer<BeatsView> {
    Ok(Json(app.house.heartbeats_of(&actor, &request)?))
}

/// Say that those who fell silent together are really gone
#[utoipa::path(post, path = "/v1/registry/accept-loss", tag = "services", request_body = AcceptLossRequest,
    params(("idempotency-key" = Option<String>, Header, description = "UUIDv7")), responses(
    (status = 200, body = AcceptedLossView), (status = "default", body = ErrorBody)))]
pub(crate) async fn accept_loss(
    State(app): State<App>,
    Caller(actor): Caller,
    Key(key): Key,
    Body(request): Body<AcceptLossRequest>,
) -> Answer<AcceptedLossView> {
    Ok(Json(app.house.accept_loss(&actor, key, &request).await?))
}

/// All services: health, instances by zone, versions
#[utoipa::path(get, path = "/v1/services", tag = "services", responses(
    (status = 200, body = ServiceList), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, Caller(actor): Caller) -> Answer<ServiceList> {
    Ok(Json(app.house.services(&actor)?))
}

/// One service, its instances, switches and changes
#[utoipa::path(get, path = "/v1/services/{name}", tag = "services", params(("name" = String, Path)), responses(
    (status = 200, body = ServiceView), (status = "default", body = ErrorBody)))]
pub(crate) async fn show(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(name): Path<String>,
) -> Answer<ServiceView> {
    Ok(Json(app.house.service(&actor, &name)?))
}

/// Who gets traffic of a service now
#[utoipa::path(get, path = "/v1/services/{name}/roster", tag = "services", params(("name" = String, Path)),
    responses((status = 200, body = RosterView), (status = "default", body = ErrorBody)))]
pub(crate) async fn roster(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(name): Path<String>,
) -> Answer<RosterView> {
    Ok(Json(app.house.roster(&actor, &name)?))
}

/// Who gets traffic of a service: now, and whole again with every change
#[utoipa::path(get, path = "/v1/services/{name}/watch", tag = "services", params(("name" = String, Path)), responses(
    (status = 200, body = String, content_type = "text/event-stream", description = "A stream of RosterView"),
    (status = "default", body = ErrorBody)))]
pub(crate) async fn watch(
    State(app): State<App>,
    Caller(actor): Caller,
    Secret(secret): Secret,
    Path(name): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let (service, watcher) = app.house.watch_roster(&actor, &name)?;
    let (house, stop) = (app.house.clone(), app.stop.clone());
    let good = move || house.authenticate(&secret).is_ok();
    let told = stream::unfold((watcher, None), move |(mut watcher, before): (_, Option<u64>)| {
        let service = service.clone();
        async move {
            // To be asked for the next one is to have handed the last one on.
            if let Some(serial) = before {
                watcher.sent(serial);
            }
            let roster = watcher.next().await?;
            let view = roster_view(&service, &roster);
            let event = Event::default().event("roster").id(roster.serial.to_string());
            let event = event.json_data(&view).unwrap_or_default();
            Some((Ok(event), (watcher, Some(roster.serial))))
        }
    });
    let revoked = {
        let good = good.clone();
        async move {
            while good() {
                tokio::time::sleep(HEARTBEAT).await;
            }
        }
    };
    let told = told.take_while(move |_| std::future::ready(good())).take_until(async move {
        tokio::select! { () = stop.cancelled() => {}, () = revoked => {} }
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// Targets, as Prometheus' HTTP service discovery takes them
#[utoipa::path(get, path = "/v1/sd/prometheus", tag = "services", params(TargetQuery), responses(
    (status = 200, body = [TargetGroup]), (status = "default", body = ErrorBody)))]
pub(crate) async fn targets(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(query): Query<TargetQuery>,
) -> Answer<Vec<TargetGroup>> {
    Ok(Json(app.house.targets(&actor, &query)?))
}
