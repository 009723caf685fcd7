//! The gRPC service over any adapter that measures: decode, call, encode.

use crate::service::{Served, invalid};
use crate::types::Fault;
use crate::wire::telemetry_server::{Telemetry, TelemetryServer};
use crate::{Adapter, MAX_REPLY, wire};
use tonic::{Request, Response, Status, async_trait};

impl Served {
    pub(crate) fn telemetry(&self) -> TelemetryServer<Self> {
        TelemetryServer::new(self.clone())
            .max_decoding_message_size(MAX_REPLY)
            .max_encoding_message_size(MAX_REPLY)
    }

    fn measuring(&self) -> Result<&dyn super::Telemetry, Status> {
        self.0.telemetry().ok_or_else(|| Status::unimplemented("this backend measures nothing"))
    }
}

fn failed<R: Default>(fault: Fault, place: impl FnOnce(&mut R, Option<wire::Fault>)) -> R {
    let mut reply = R::default();
    place(&mut reply, Some(fault.into()));
    reply
}

#[async_trait]
impl Telemetry for Served {
    async fn measure(
        &self,
        request: Request<wire::MeasureRequest>,
    ) -> Result<Response<wire::MeasureReply>, Status> {
        let ask = request.into_inner().try_into().map_err(invalid)?;
        let reply = match self.measuring()?.measure(&ask).await {
            Ok(reading) => reading.into(),
            Err(fault) => failed(fault, |reply: &mut wire::MeasureReply, fault| reply.fault = fault),
        };
        Ok(Response::new(reply))
    }

    async fn edges(
        &self,
        request: Request<wire::EdgesRequest>,
    ) -> Result<Response<wire::EdgesReply>, Status> {
        let ask = request.into_inner().try_into().map_err(invalid)?;
        let reply = match self.measuring()?.edges(&ask).await {
            Ok(reading) => reading.into(),
            Err(fault) => failed(fault, |reply: &mut wire::EdgesReply, fault| reply.fault = fault),
        };
        Ok(Response::new(reply))
    }

    async fn series(
        &self,
        request: Request<wire::SeriesRequest>,
    ) -> Result<Response<wire::SeriesReply>, Status> {
        let ask = request.into_inner().try_into().map_err(invalid)?;
        let reply = match self.measuring()?.series(&ask).await {
            Ok(series) => series.into(),
            Err(fault) => failed(fault, |reply: &mut wire::SeriesReply, fault| reply.fault = fault),
        };
        Ok(Response::new(reply))
    }

    async fn lines(
        &self,
        request: Request<wire::LinesRequest>,
    ) -> Result<Response<wire::LinesReply>, Status> {
        let ask = request.into_inner().try_into().map_err(invalid)?;
        let reply = match self.measuring()?.lines(&ask).await {
            Ok(lines) => super::lines::reply(&ask, lines),
            Err(fault) => failed(fault, |reply: &mut wire::LinesReply, fault| reply.fault = fault),
        };
        Ok(Response::new(reply))
    }
    async fn versions(
        &self,
        request: Request<wire::VersionsRequest>,
    ) -> Result<Response<wire::VersionsReply>, Status> {
        let ask = request.into_inner().try_into().map_err(invalid)?;
        let reply = match self.measuring()?.versions(&ask).await {
            Ok(reading) => reading.into(),
            Err(fault) => failed(fault, |reply: &mut wire::VersionsReply, fault| reply.fault = fault),
        };
        Ok(Response::new(reply))
    }
}
