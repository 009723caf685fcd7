//! What tests of this plugin share: a configured one, and waiting.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part")]

pub(crate) use rein_parts::Page;
use rein_plugin::telemetry::{
    EdgeMeasured, EdgesAsk, Level, MeasureAsk, Measured, Running, Telemetry, VersionsAsk,
};
use rein_plugin::{Adapter, Configuration, Fault, FieldError};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(crate) fn configuration(config: &Value) -> Configuration {
    let secrets = BTreeMap::new();
    Configuration { backend: "metrics".into(), config: config.to_string(), secrets }
}

/// What is wrong with a configuration.
pub(crate) async fn judged(config: &Value) -> Vec<FieldError> {
    rein_plugin_prometheus::adapter().configure(configuration(config)).await.expect("it is judged")
}

/// A plugin with this configuration.
pub(crate) async fn configured(config: Value) -> impl Adapter {
    let adapter = rein_plugin_prometheus::adapter();
    let errors = adapter.configure(configuration(&config)).await.expect("it is configured");
    assert!(errors.is_empty(), "{errors:?}");
    adapter
}

pub(crate) fn telemetry(adapter: &impl Adapter) -> &dyn Telemetry {
    adapter.telemetry().expect("it measures")
}

pub(crate) async fn measured(adapter: &impl Adapter, level: Level) -> Result<Vec<Measured>, Fault> {
    let ask = MeasureAsk { level, service: None, window: None, page: None };
    Ok(telemetry(adapter).measure(&ask).await?.items)
}

pub(crate) async fn edges(adapter: &impl Adapter) -> Result<Vec<EdgeMeasured>, Fault> {
    let ask = EdgesAsk { service: None, window: None, page: None };
    Ok(telemetry(adapter).edges(&ask).await?.items)
}

/// `order v1 2 istio`, for each service and version: how many instances, by whose word.
pub(crate) async fn versions(adapter: &impl Adapter, service: Option<&str>) -> Result<Vec<String>, Fault> {
    let ask = VersionsAsk { service: service.map(str::to_owned), page: None };
    let running = telemetry(adapter).versions(&ask).await?.items;
    let words = |Running { service, version, instances, source, .. }: Running| {
        let instances = instances.map_or_else(|| "?".to_owned(), |count| count.to_string());
        format!("{service} {version} {instances} {source}")
    };
    Ok(running.into_iter().map(words).collect())
}

/// Looks until what is looked at is as it should be.
pub(crate) async fn until<T: std::fmt::Debug>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, Fault>,
    fits: impl Fn(&T) -> bool,
) -> T {
    let end = Instant::now() + Duration::from_secs(40);
    loop {
        let seen = look().await;
        match seen {
            Ok(seen) if fits(&seen) => return seen,
            seen => assert!(Instant::now() < end, "waited in vain: {what}: {seen:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
