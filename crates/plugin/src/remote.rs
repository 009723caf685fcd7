//! Calling a plugin over its socket: the same traits, with a deadline and a size on everything.
//!
//! Nothing a plugin answers is believed further than the contract goes: replies are counted against
//! what was asked, sizes are capped, and an answer that breaks the contract is a fault that says so.

use crate::convert::{Malformed, cell_keys, silences};
use crate::serve::{HEALTH, check_peer};
use crate::status::{Call, to_fault};
use crate::types::{
    CellKey, Configuration, Description, Fault, FieldError, Finding, Matched, Matcher, Page, Seen,
    SilenceSeen, TargetName, Write,
};
use crate::wire::cells_client::CellsClient;
use crate::wire::plugin_client::PluginClient;
use crate::wire::silences_client::SilencesClient;
use crate::{Adapter, MAX_REPLY, Registry, Silences, Telemetry, wire};
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use hyper_util::rt::TokioIo;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

/// Largest hint, in bytes: a key and little else.
const MAX_HINT: usize = 16 * 1024;
/// Most bytes of headers in one answer.
const MAX_HEADERS: u32 = 16 * 1024;

/// A plugin at the other end of a socket.
///
/// It connects when first called and again after the connection broke.
#[derive(Debug, Clone)]
pub struct Remote {
    pub(crate) channel: Channel,
    deadline: Duration,
    described: Arc<OnceLock<Description>>,
}

impl Remote {
    /// A plugin that listens on `socket`; each call may take `deadline`, a watch excepted.
    pub fn new(socket: &Path, deadline: Duration) -> Self {
        let socket: Arc<Path> = socket.into();
        // The address is only for the `:authority` header, which a unix socket has no use for.
        let channel = Endpoint::from_static("http://plugin")
            .http2_max_header_list_size(MAX_HEADERS)
            .connect_timeout(deadline)
            .connect_with_connector_lazy(tower::service_fn(move |_| {
                let socket = Arc::clone(&socket);
                async move {
                    let stream = tokio::net::UnixStream::connect(&socket).await?;
                    check_peer(&stream)?;
                    Ok::<_, std::io::Error>(TokioIo::new(stream))
                }
            }));
        Self { channel, deadline, described: Arc::default() }
    }

    /// The same plugin, with another deadline for calls.
    pub fn within(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// What it said of itself when first asked.
    pub fn described(&self) -> Option<&Description> {
        self.described.get()
    }

    /// Whether it says of itself that it serves.
    pub async fn healthy(&self) -> Result<(), Fault> {
        use tonic_health::pb::health_check_response::ServingStatus;
        use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
        let mut client = HealthClient::new(self.channel.clone()).max_decoding_message_size(MAX_HINT);
        let request = self.request(HealthCheckRequest { service: HEALTH.into() });
        let reply = self.call(Call::Read, "Health.Check", client.check(request)).await?;
        match reply.status() {
            ServingStatus::Serving => Ok(()),
            other => Err(Fault::Unreachable(format!(
                "the plugin calls itself {} (service \"{HEALTH}\" of grpc.health.v1)",
                other.as_str_name()
            ))),
        }
    }

    fn plugin(&self) -> PluginClient<Channel> {
        PluginClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_REPLY)
            .max_encoding_message_size(MAX_REPLY)
    }

    fn cells(&self) -> CellsClient<Channel> {
        CellsClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_REPLY)
            .max_encoding_message_size(MAX_REPLY)
    }

    fn silencing(&self) -> SilencesClient<Channel> {
        SilencesClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_REPLY)
            .max_encoding_message_size(MAX_REPLY)
    }

    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline);
        request
    }

    pub(crate) async fn call<T>(
        &self,
        call: Call,
        rpc: &str,
        answer: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Fault> {
        let status = match tokio::time::timeout(self.deadline, answer).await {
            Ok(Ok(response)) => return Ok(response.into_inner()),
            Ok(Err(status)) => status,
            Err(_) => Status::deadline_exceeded(""),
        };
        Err(to_fault(call, rpc, &status))
    }
}

/// An answer that breaks the contract. Only of calls that write nothing.
pub(crate) fn broken(rpc: &str, problem: &Malformed) -> Fault {
    Fault::NotDone(format!("the plugin's answer to {rpc} breaks the contract: {problem}"))
}

pub(crate) fn counted<T>(rpc: &str, asked: usize, answered: Vec<T>) -> Result<Vec<T>, Fault> {
    if answered.len() == asked {
        return Ok(answered);
    }
    let answered = answered.len();
    Err(Fault::NotDone(format!(
        "the plugin's answer to {rpc} breaks the contract: {asked} were asked for, {answered} answered"
    )))
}

pub(crate) fn none(fault: Option<wire::Fault>) -> Result<(), Fault> {
    fault.map_or(Ok(()), |fault| Err(fault.into()))
}

#[async_trait]
impl Adapter for Remote {
    async fn describe(&self) -> Result<Description, Fault> {
        let mut client = self.plugin();
        let request = self.request(wire::DescribeRequest {});
        let reply = self.call(Call::Read, "Plugin.Describe", client.describe(request)).await?;
        let description = Description::try_from(reply).map_err(|e| broken("Plugin.Describe", &e))?;
        Ok(self.described.get_or_init(|| description.clone()).clone()).map(|first| {
            if first != description {
                tracing::warn!(plugin = first.name, "the plugin describes itself in another way than before");
            }
            description
        })
    }

    async fn configure(&self, configuration: Configuration) -> Result<Vec<FieldError>, Fault> {
        let mut client = self.plugin();
        let request = self.request(configuration.into());
        let reply = self.call(Call::Read, "Plugin.Configure", client.configure(request)).await?;
        let errors = reply.errors.into_iter().map(FieldError::try_from);
        errors.collect::<Result<_, _>>().map_err(|e| broken("Plugin.Configure", &e))
    }

    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        let mut client = self.plugin();
        let request = self.request(wire::CheckRequest {});
        let reply = self.call(Call::Read, "Plugin.Check", client.check(request)).await?;
        let findings = reply.findings.into_iter().map(Finding::try_from);
        findings.collect::<Result<_, _>>().map_err(|e| broken("Plugin.Check", &e))
    }

    async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        const RPC: &str = "Cells.Resolve";
        let mut client = self.cells();
        let message = wire::ResolveRequest { targets: targets.iter().cloned().map(Into::into).collect() };
        let reply = self.call(Call::Read, RPC, client.resolve(self.request(message))).await?;
        none(reply.fault)?;
        let cells = counted(RPC, targets.len(), reply.cells)?;
        cell_keys(cells).map_err(|e| broken(RPC, &e))
    }

    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        const RPC: &str = "Cells.Observe";
        let mut client = self.cells();
        let message = wire::ObserveRequest { cells: cells.iter().map(|cell| cell.0.clone()).collect() };
        let reply = self.call(Call::Read, RPC, client.observe(self.request(message))).await?;
        none(reply.fault)?;
        let seen = counted(RPC, cells.len(), reply.seen)?.into_iter().map(Seen::try_from);
        let seen: Vec<Seen> = seen.collect::<Result<_, _>>().map_err(|e| broken(RPC, &e))?;
        match cells.iter().zip(&seen).find(|(asked, seen)| **asked != seen.cell) {
            None => Ok(seen),
            Some((asked, seen)) => Err(Fault::NotDone(format!(
                "the plugin's answer to {RPC} breaks the contract: `{}` stands where `{}` was asked for",
                seen.cell.0, asked.0
            ))),
        }
    }

    async fn apply(&self, write: Write) -> Result<(), Fault> {
        let mut client = self.cells();
        let reply = self.call(Call::Write, "Cells.Apply", client.apply(self.request(write.into()))).await?;
        none(reply.fault)
    }

    async fn watch(&self) -> Result<BoxStream<'static, Option<CellKey>>, Fault> {
        if self.described().is_some_and(|description| !description.watches) {
            return Err(Fault::Unsupported("this backend gives no hints".into()));
        }
        let mut client = self.cells().max_decoding_message_size(MAX_HINT);
        let mut answer = Box::pin(async move { client.watch(wire::WatchRequest {}).await });
        let answered = match tokio::time::timeout(self.deadline, &mut answer).await {
            Ok(Ok(response)) => futures::stream::iter([response]).boxed(),
            Ok(Err(status)) => return Err(to_fault(Call::Read, "Cells.Watch", &status)),
            // Some libraries send no header before the first hint; it may be long in coming.
            Err(_) => futures::stream::once(answer).filter_map(|answer| async { answer.ok() }).boxed(),
        };
        let hints = answered.flat_map(Response::into_inner);
        // A broken stream ends; whoever watches asks again.
        let hints = hints.take_while(|hint| std::future::ready(hint.is_ok()));
        Ok(hints.filter_map(|hint| async { hint.ok().map(hinted) }).boxed())
    }

    fn silences(&self) -> Option<&dyn Silences> {
        self.described()?.nouns.iter().any(|noun| noun == "silence").then_some(self)
    }

    fn telemetry(&self) -> Option<&dyn Telemetry> {
        self.as_telemetry()
    }

    fn registry(&self) -> Option<&dyn Registry> {
        self.as_registry()
    }
}

fn hinted(hint: wire::WatchHint) -> Option<CellKey> {
    (!hint.cell.is_empty()).then_some(CellKey(hint.cell))
}

#[async_trait]
impl Silences for Remote {
    async fn list(&self, expired: bool, page: Option<String>) -> Result<Page<SilenceSeen>, Fault> {
        const RPC: &str = "Silences.ListSilences";
        let mut client = self.silencing();
        let message = wire::ListSilencesRequest { expired, page: page.unwrap_or_default() };
        let reply = self.call(Call::Read, RPC, client.list_silences(self.request(message))).await?;
        none(reply.fault)?;
        let items = silences(reply.silences).map_err(|e| broken(RPC, &e))?;
        Ok(Page { items, next: (!reply.next.is_empty()).then_some(reply.next) })
    }

    async fn matched(&self, matchers: &[Matcher], back: Duration, limit: u32) -> Result<Matched, Fault> {
        const RPC: &str = "Silences.MatchAlerts";
        let mut client = self.silencing();
        let message = wire::MatchAlertsRequest {
            matchers: matchers.iter().cloned().map(Into::into).collect(),
            back_seconds: back.as_secs(),
            limit,
        };
        let reply = self.call(Call::Read, RPC, client.match_alerts(self.request(message))).await?;
        none(reply.fault.clone())?;
        let matched = Matched::try_from(reply).map_err(|e| broken(RPC, &e))?;
        match matched.alerts.len() > limit as usize {
            false => Ok(matched),
            true => Err(Fault::NotDone(format!(
                "the plugin's answer to {RPC} breaks the contract: {} alerts where {limit} were the most",
                matched.alerts.len()
            ))),
        }
    }
}
