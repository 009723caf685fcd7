//! The builtin registry over gRPC: `rein.registry.v1`, on the port of the API. The same calls as in `services`;
//! what differs is the spelling.

use crate::App;
use crate::services::HEARTBEAT;
use axum::Router;
use futures::stream::{self, BoxStream, StreamExt};
use pb::registry_server::{Registry, RegistryServer};
use rein_api::ErrorCode;
use rein_api::paths::IDEMPOTENCY_KEY;
use rein_api::services::{
    BeatRequest, BeatsRequest, CheckKind, CheckRequest, LifeQuery, RegisterRequest as InstanceRequest,
    RosterEntry, RosterView,
};
use rein_core::app::services::roster_view;
use rein_core::{AppError, IdempotencyKey};
use rein_domain::access::Actor;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Request, Response, Status};

#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
mod pb {
    tonic::include_proto!("rein.registry.v1");
}

/// Carries the code that HTTP would have given.
const ERROR: &str = "rein-error";

/// The routes of the service.
pub(crate) fn routes(app: App) -> Router {
    let server = RegistryServer::new(Registrar(app)).max_decoding_message_size(crate::MAX_BEATS_BODY);
    Router::new().route_service("/rein.registry.v1.Registry/{*method}", server)
}

struct Registrar(App);

impl Registrar {
    fn actor(&self, metadata: &MetadataMap) -> Result<Actor, Status> {
        let secret = secret(metadata).ok_or_else(|| {
            status(
                &AppError::new(ErrorCode::Unauthenticated, "no token")
                    .hint("send the metadata authorization: Bearer TOKEN"),
            )
        })?;
        self.0.house.authenticate(secret).map_err(|error| status(&error))
    }
}

#[tonic::async_trait]
impl Registry for Registrar {
    async fn register(
        &self,
        request: Request<pb::RegisterRequest>,
    ) -> Result<Response<pb::RegisterReply>, Status> {
        let actor = self.actor(request.metadata())?;
        let key = key(request.metadata())?;
        let wanted = wanted(request.into_inner()).map_err(|error| status(&error))?;
        let view = self.0.house.register(&actor, key, &wanted).await.map_err(|error| status(&error))?;
        Ok(Response::new(pb::RegisterReply {
            incarnation: view.incarnation,
            heartbeat_seconds: view.heartbeat_seconds,
            lease_seconds: view.lease_seconds,
            outcome: view.outcome,
        }))
    }

    async fn deregister(
        &self,
        request: Request<pb::DeregisterRequest>,
    ) -> Result<Response<pb::DeregisterReply>, Status> {
        let actor = self.actor(request.metadata())?;
        let key = key(request.metadata())?;
        let pb::DeregisterRequest { service, id, incarnation } = request.into_inner();
        let life = LifeQuery { incarnation };
        let done = self.0.house.deregister(&actor, key, (&service, &id), &life).await;
        done.map(|_| Response::new(pb::DeregisterReply {})).map_err(|error| status(&error))
    }

    async fn heartbeat(
        &self,
        request: Request<pb::HeartbeatRequest>,
    ) -> Result<Response<pb::HeartbeatReply>, Status> {
        let actor = self.actor(request.metadata())?;
        let beats = request.into_inner().beats.into_iter();
        let beats =
            beats.map(|pb::Beat { service, id, incarnation }| BeatRequest { service, id, incarnation });
        let view = self.0.house.heartbeats_of(&actor, &BeatsRequest { beats: beats.collect() });
        let view = view.map_err(|error| status(&error))?;
        Ok(Response::new(pb::HeartbeatReply { taken: view.taken, unknown: view.unknown }))
    }

    type WatchStream = BoxStream<'static, Result<pb::Roster, Status>>;

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let actor = self.actor(request.metadata())?;
        let secret = secret(request.metadata()).unwrap_or_default().to_owned();
        let name = request.into_inner().service;
        let App { house, stop, .. } = self.0.clone();
        let (service, watcher) = house.watch_roster(&actor, &name).map_err(|error| status(&error))?;
        let begun = Some((watcher, None));
        let told = stream::unfold(begun, move |state| {
            let (house, stop, service, secret) =
                (house.clone(), stop.clone(), service.clone(), secret.clone());
            async move {
                let (mut watcher, before): (_, Option<u64>) = state?;
                // To be asked for the next one is to have handed the last one on.
                if let Some(serial) = before {
                    watcher.sent(serial);
                }
                let next = loop {
                    let roster = tokio::select! {
                        () = stop.cancelled() => break Err("the server stops"),
                        () = tokio::time::sleep(HEARTBEAT) => None,
                        roster = watcher.next() => Some(roster.ok_or("the server stops")),
                    };
                    // Rights are looked at again with every roster, and where there is none for a while.
                    if let Err(error) = house.authenticate(&secret) {
                        return Some((Err(status(&error)), None));
                    }
                    if let Some(roster) = roster {
                        break roster;
                    }
                };
                Some(match next {
                    Ok(roster) => {
                        (Ok(spell(roster_view(&service, &roster))), Some((watcher, Some(roster.serial))))
                    }
                    Err(why) => (Err(status(&AppError::new(ErrorCode::Unavailable, why))), None),
                })
            }
        });
        Ok(Response::new(told.boxed()))
    }
}

fn secret(metadata: &MetadataMap) -> Option<&str> {
    crate::caller::bearer(metadata.get("authorization")?.to_str().ok()?)
}

fn key(metadata: &MetadataMap) -> Result<Option<IdempotencyKey>, Status> {
    let Some(text) = metadata.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = IdempotencyKey::parse(text.to_str().unwrap_or_default());
    key.map(Some).map_err(|error| status(&error))
}

/// What is registered, as the house takes it.
fn wanted(request: pb::RegisterRequest) -> Result<InstanceRequest, AppError> {
    Ok(InstanceRequest {
        service: request.service,
        id: request.id,
        address: request.address,
        zone: request.zone,
        version: request.version,
        weight: request.weight.map(i64::from),
        metadata: request.metadata,
        check: request.check.map(look).transpose()?,
        heartbeat_seconds: request.heartbeat_seconds,
        incarnation: request.incarnation,
    })
}

fn look(check: pb::Check) -> Result<CheckRequest, AppError> {
    let kind = match check.kind() {
        pb::check::Kind::Http => CheckKind::Http,
        pb::check::Kind::Tcp => CheckKind::Tcp,
        pb::check::Kind::Grpc => CheckKind::Grpc,
        pb::check::Kind::Unspecified => {
            let message = "check.kind is none of KIND_HTTP, KIND_TCP, KIND_GRPC";
            return Err(AppError::new(ErrorCode::Invalid, message));
        }
    };
    // What does not fit is out of range in any case, and is refused as that.
    let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    let usual = CheckRequest::usual(kind);
    Ok(CheckRequest {
        path: check.path,
        every_seconds: check.every_seconds.unwrap_or(usual.every_seconds),
        rise: check.rise.map_or(usual.rise, small),
        fall: check.fall.map_or(usual.fall, small),
        ..usual
    })
}

fn spell(view: RosterView) -> pb::Roster {
    let instance = |entry: RosterEntry| pb::Instance {
        id: entry.id,
        address: entry.address,
        zone: entry.zone,
        version: entry.version,
        weight: entry.weight.into(),
        metadata: entry.metadata,
    };
    pb::Roster { serial: view.serial, instances: view.instances.into_iter().map(instance).collect() }
}

/// A refusal in gRPC's words.
fn status(error: &AppError) -> Status {
    let body = &error.0;
    let message = match &body.hint {
        Some(hint) => format!("{}; {hint}", body.message),
        None => body.message.clone(),
    };
    let code = match body.code.status() {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 | 410 => Code::NotFound,
        409 => Code::FailedPrecondition,
        400..=499 if body.code == ErrorCode::TooLarge => Code::ResourceExhausted,
        429 => Code::ResourceExhausted,
        400..=499 => Code::InvalidArgument,
        500 => Code::Internal,
        _ => Code::Unavailable,
    };
    let mut status = Status::new(code, message);
    status.metadata_mut().insert(ERROR, AsciiMetadataValue::from_static(body.code.as_str()));
    status
}
