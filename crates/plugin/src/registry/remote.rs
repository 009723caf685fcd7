//! Asking a plugin over its socket.

use super::{Listing, NOUN, Registry, Weighed, Weighing, convert};
use crate::remote::{Remote, broken, counted, none};
use crate::status::Call;
use crate::types::Fault;
use crate::wire::registry_client::RegistryClient;
use crate::{MAX_REPLY, wire};
use async_trait::async_trait;
use tonic::transport::Channel;

impl Remote {
    fn registering(&self) -> RegistryClient<Channel> {
        RegistryClient::new(self.channel.clone())
            .max_decoding_message_size(MAX_REPLY)
            .max_encoding_message_size(MAX_REPLY)
    }

    pub(crate) fn as_registry(&self) -> Option<&dyn Registry> {
        self.described()?.nouns.iter().any(|noun| noun == NOUN).then_some(self)
    }
}

#[async_trait]
impl Registry for Remote {
    async fn list(&self, page: Option<String>) -> Result<Listing, Fault> {
        const RPC: &str = "Registry.ListInstances";
        let mut client = self.registering();
        let message = wire::ListInstancesRequest { page: page.unwrap_or_default() };
        let reply = self.call(Call::Read, RPC, client.list_instances(self.request(message))).await?;
        none(reply.fault.clone())?;
        reply.try_into().map_err(|e| broken(RPC, &e))
    }

    async fn weigh(&self, weighings: &[Weighing]) -> Result<Vec<Weighed>, Fault> {
        const RPC: &str = "Registry.Weigh";
        let mut client = self.registering();
        let message = wire::WeighRequest { weighings: weighings.iter().cloned().map(Into::into).collect() };
        let reply = self.call(Call::Read, RPC, client.weigh(self.request(message))).await?;
        none(reply.fault)?;
        let weighed = counted(RPC, weighings.len(), reply.weighed)?.into_iter().map(convert::weighed);
        weighed.collect::<Result<_, _>>().map_err(|e| broken(RPC, &e))
    }
}
