//! Asking a plugin over its socket.

use super::{
    EdgeMeasured, EdgesAsk, Lines, LinesAsk, MeasureAsk, Measured, NOUN, Reading, Running, Series, SeriesAsk,
    Telemetry, VersionsAsk, convert, lines,
};
use crate::remote::{Remote, broken, none};
use crate::status::Call;
use crate::types::Fault;
use crate::wire::telemetry_client::TelemetryClient;
use crate::{MAX_REPLY, wire};
use async_trait::async_trait;
use tonic::transport::Channel;

impl Remote {
    fn measuring(&self) -> TelemetryClient<Channel> {
        TelemetryClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_REPLY)
            .max_encoding_message_size(MAX_REPLY)
    }

    pub(crate) fn as_telemetry(&self) -> Option<&dyn Telemetry> {
        self.described()?.nouns.iter().any(|noun| noun == NOUN).then_some(self)
    }
}

#[async_trait]
impl Telemetry for Remote {
    async fn measure(&self, ask: &MeasureAsk) -> Result<Reading<Measured>, Fault> {
        const RPC: &str = "Telemetry.Measure";
        let mut client = self.measuring();
        let message: wire::MeasureRequest = ask.clone().into();
        let reply = self.call(Call::Read, RPC, client.measure(self.request(message))).await?;
        none(reply.fault.clone())?;
        reply.try_into().map_err(|e| broken(RPC, &e))
    }

    async fn edges(&self, ask: &EdgesAsk) -> Result<Reading<EdgeMeasured>, Fault> {
        const RPC: &str = "Telemetry.Edges";
        let mut client = self.measuring();
        let message: wire::EdgesRequest = ask.clone().into();
        let reply = self.call(Call::Read, RPC, client.edges(self.request(message))).await?;
        none(reply.fault.clone())?;
        reply.try_into().map_err(|e| broken(RPC, &e))
    }

    async fn series(&self, ask: &SeriesAsk) -> Result<Series, Fault> {
        const RPC: &str = "Telemetry.Series";
        let mut client = self.measuring();
        let message: wire::SeriesRequest = ask.clone().checked()?.into();
        let reply = self.call(Call::Read, RPC, client.series(self.request(message))).await?;
        none(reply.fault.clone())?;
        convert::series(ask, reply).map_err(|e| broken(RPC, &e))
    }

    async fn lines(&self, ask: &LinesAsk) -> Result<Lines, Fault> {
        const RPC: &str = "Telemetry.Lines";
        let mut client = self.measuring();
        let message: wire::LinesRequest = ask.clone().checked()?.into();
        let reply = self.call(Call::Read, RPC, client.lines(self.request(message))).await?;
        none(reply.fault.clone())?;
        lines::lines(ask, reply).map_err(|e| broken(RPC, &e))
    }
    async fn versions(&self, ask: &VersionsAsk) -> Result<Reading<Running>, Fault> {
        const RPC: &str = "Telemetry.Versions";
        let mut client = self.measuring();
        let message: wire::VersionsRequest = ask.clone().into();
        let reply = self.call(Call::Read, RPC, client.versions(self.request(message))).await?;
        none(reply.fault.clone())?;
        reply.try_into().map_err(|e| broken(RPC, &e))
    }
}
