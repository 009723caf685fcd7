//! A service in this process, over the public crate `open-feature-flagd`: somebody who hears of
//! switches, where it does not matter who, and no other toolchain is wanted.

use crate::kit::server::Server;
use open_feature::{EvaluationContext, OpenFeature};
use open_feature_flagd::{CacheSettings, CacheType, FlagdOptions, FlagdProvider, ResolverType};
use tokio::runtime::Runtime;

/// One instance of the service `order`.
pub(crate) struct Service {
    runtime: Runtime,
    api: OpenFeature,
}

impl Service {
    /// Connects as `order/INSTANCE`.
    pub(crate) fn start(server: &Server, instance: &str) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = FlagdOptions {
            resolver_type: ResolverType::InProcess,
            host: server.grpc.ip().to_string(),
            port: server.grpc.port(),
            target_uri: Some(format!("http://{}", server.grpc)),
            provider_id: Some(format!("order/{instance}")),
            selector: Some("flagSetId=order".into()),
            cache_settings: Some(CacheSettings { cache_type: CacheType::Disabled, max_size: 1, ttl: None }),
            ..FlagdOptions::default()
        };
        let api = runtime.block_on(async {
            let mut api = OpenFeature::default();
            api.set_provider(FlagdProvider::new(options).await.unwrap()).await;
            api
        });
        Self { runtime, api }
    }

    /// Is the feature on?
    pub(crate) fn on(&self, flag: &str) -> bool {
        let client = self.api.create_client();
        let context = EvaluationContext::default().with_targeting_key("user-1");
        self.runtime.block_on(client.get_bool_value(flag, Some(&context), None)).unwrap()
    }
}
