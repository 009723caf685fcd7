//! The gRPC service over any adapter in which services find each other: decode, call, encode.

use super::convert::{weighed_wire, weighings};
use crate::service::{Served, invalid};
use crate::wire::registry_server::{Registry, RegistryServer};
use crate::{Adapter, MAX_REPLY, wire};
use tonic::{Request, Response, Status, async_trait};

impl Served {
    pub(crate) fn registry(&self) -> RegistryServer<Self> {
        RegistryServer::new(self.clone())
            .max_decoding_message_size(MAX_REPLY)
            .max_encoding_message_size(MAX_REPLY)
    }

    fn registering(&self) -> Result<&dyn super::Registry, Status> {
        self.0.registry().ok_or_else(|| Status::unimplemented("nobody registers in this backend"))
    }
}

#[async_trait]
impl Registry for Served {
    async fn list_instances(
        &self,
        request: Request<wire::ListInstancesRequest>,
    ) -> Result<Response<wire::ListInstancesReply>, Status> {
        let page = Some(request.into_inner().page).filter(|page| !page.is_empty());
        let reply = match self.registering()?.list(page).await {
            Ok(listing) => listing.into(),
            Err(fault) => wire::ListInstancesReply { fault: Some(fault.into()), ..Default::default() },
        };
        Ok(Response::new(reply))
    }

    async fn weigh(
        &self,
        request: Request<wire::WeighRequest>,
    ) -> Result<Response<wire::WeighReply>, Status> {
        let weighings = weighings(request.into_inner().weighings).map_err(invalid)?;
        let reply = match self.registering()?.weigh(&weighings).await {
            Ok(weighed) => {
                wire::WeighReply { weighed: weighed.into_iter().map(weighed_wire).collect(), fault: None }
            }
            Err(fault) => wire::WeighReply { weighed: Vec::new(), fault: Some(fault.into()) },
        };
        Ok(Response::new(reply))
    }
}
