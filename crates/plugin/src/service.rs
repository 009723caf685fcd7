//! The contract's gRPC services over any [`Adapter`]: decode, call, encode.

use crate::convert::{Malformed, cells, matchers, targets};
use crate::status::to_status;
use crate::types::{CellKey, Fault, MAX_ALERTS};
use crate::wire::cells_server::{Cells, CellsServer};
use crate::wire::plugin_server::{Plugin, PluginServer};
use crate::wire::silences_server::{Silences, SilencesServer};
use crate::{Adapter, MAX_REPLY, wire};
use futures::StreamExt;
use futures::stream::BoxStream;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response, Status, async_trait};

/// An adapter as gRPC services. Which adapter is not in the type, or every plugin would compile a gRPC
/// server of its own.
#[derive(Clone)]
pub(crate) struct Served(pub(crate) Arc<dyn Adapter>);

impl Served {
    pub(crate) fn new(adapter: impl Adapter) -> Self {
        Self(Arc::new(adapter))
    }

    pub(crate) fn plugin(&self) -> PluginServer<Self> {
        PluginServer::new(self.clone())
            .max_decoding_message_size(MAX_REPLY)
            .max_encoding_message_size(MAX_REPLY)
    }

    pub(crate) fn cells(&self) -> CellsServer<Self> {
        CellsServer::new(self.clone())
            .max_decoding_message_size(MAX_REPLY)
            .max_encoding_message_size(MAX_REPLY)
    }

    pub(crate) fn silences(&self) -> SilencesServer<Self> {
        SilencesServer::new(self.clone())
            .max_decoding_message_size(MAX_REPLY)
            .max_encoding_message_size(MAX_REPLY)
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Invalid(malformed.to_string())
    }
}

pub(crate) fn invalid(malformed: Malformed) -> Status {
    Status::invalid_argument(malformed.to_string())
}

/// The first half of a pair where all went well, the fault where it did not.
fn split<T: Default>(result: Result<T, Fault>) -> (T, Option<wire::Fault>) {
    match result {
        Ok(value) => (value, None),
        Err(fault) => (T::default(), Some(fault.into())),
    }
}

fn keys(cells: Vec<CellKey>) -> Vec<String> {
    cells.into_iter().map(|cell| cell.0).collect()
}

#[async_trait]
impl Plugin for Served {
    async fn describe(
        &self,
        _: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeReply>, Status> {
        let description = self.0.describe().await.map_err(to_status)?;
        Ok(Response::new(description.into()))
    }

    async fn configure(
        &self,
        request: Request<wire::ConfigureRequest>,
    ) -> Result<Response<wire::ConfigureReply>, Status> {
        let configuration = request.into_inner().try_into().map_err(invalid)?;
        let errors = self.0.configure(configuration).await.map_err(to_status)?;
        Ok(Response::new(wire::ConfigureReply { errors: errors.into_iter().map(Into::into).collect() }))
    }

    async fn check(&self, _: Request<wire::CheckRequest>) -> Result<Response<wire::CheckReply>, Status> {
        let findings = self.0.check().await.map_err(to_status)?;
        Ok(Response::new(wire::CheckReply { findings: findings.into_iter().map(Into::into).collect() }))
    }
}

#[async_trait]
impl Cells for Served {
    async fn resolve(
        &self,
        request: Request<wire::ResolveRequest>,
    ) -> Result<Response<wire::ResolveReply>, Status> {
        let targets = targets(request.into_inner().targets).map_err(invalid)?;
        let (cells, fault) = split(self.0.resolve(&targets).await.map(keys));
        Ok(Response::new(wire::ResolveReply { cells, fault }))
    }

    async fn observe(
        &self,
        request: Request<wire::ObserveRequest>,
    ) -> Result<Response<wire::ObserveReply>, Status> {
        let cells = cells(request.into_inner().cells).map_err(invalid)?;
        let (seen, fault) = split(self.0.observe(&cells).await);
        Ok(Response::new(wire::ObserveReply { seen: seen.into_iter().map(Into::into).collect(), fault }))
    }

    async fn apply(
        &self,
        request: Request<wire::ApplyRequest>,
    ) -> Result<Response<wire::ApplyReply>, Status> {
        let write = request.into_inner().try_into().map_err(invalid)?;
        let ((), fault) = split(self.0.apply(write).await);
        Ok(Response::new(wire::ApplyReply { fault }))
    }

    type WatchStream = BoxStream<'static, Result<wire::WatchHint, Status>>;

    async fn watch(&self, _: Request<wire::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let hints = self.0.watch().await.map_err(to_status)?;
        let hints = hints.map(|cell| Ok(wire::WatchHint { cell: cell.map(|c| c.0).unwrap_or_default() }));
        Ok(Response::new(hints.boxed()))
    }
}

#[async_trait]
impl Silences for Served {
    async fn list_silences(
        &self,
        request: Request<wire::ListSilencesRequest>,
    ) -> Result<Response<wire::ListSilencesReply>, Status> {
        let silences = self.0.silences().ok_or_else(no_silences)?;
        let wire::ListSilencesRequest { expired, page } = request.into_inner();
        let page = (!page.is_empty()).then_some(page);
        let reply = match silences.list(expired, page).await {
            Ok(page) => wire::ListSilencesReply {
                silences: page.items.into_iter().map(Into::into).collect(),
                next: page.next.unwrap_or_default(),
                fault: None,
            },
            Err(fault) => wire::ListSilencesReply { fault: Some(fault.into()), ..Default::default() },
        };
        Ok(Response::new(reply))
    }

    async fn match_alerts(
        &self,
        request: Request<wire::MatchAlertsRequest>,
    ) -> Result<Response<wire::MatchAlertsReply>, Status> {
        let silences = self.0.silences().ok_or_else(no_silences)?;
        let request = request.into_inner();
        let matchers = matchers(request.matchers).map_err(invalid)?;
        if !(1..=MAX_ALERTS).contains(&request.limit) {
            let message = format!("limit is {}, not 1 to {MAX_ALERTS}", request.limit);
            return Err(Status::invalid_argument(message));
        }
        let back = Duration::from_secs(request.back_seconds);
        let reply = match silences.matched(&matchers, back, request.limit).await {
            Ok(matched) => matched.into(),
            Err(fault) => wire::MatchAlertsReply { fault: Some(fault.into()), ..Default::default() },
        };
        Ok(Response::new(reply))
    }
}

fn no_silences() -> Status {
    Status::unimplemented("this backend has no silences")
}
