//! Plugins as a test makes them: an adapter for whatever name is declared, and one that only measures.

use async_trait::async_trait;
use rein_core::plugins::{PluginState, Plugins};
use rein_domain::backend::Backend;
use rein_domain::name::BackendName;
use rein_domain::time::Timestamp;
use rein_plugin::telemetry::{NOUN, Telemetry};
use rein_plugin::{
    Adapter, CellKey, Configuration, Description, Fault, FieldError, Finding, Repeat, Seen, TargetName, Write,
};
use std::sync::Arc;

/// Makes an adapter of a backend's name.
pub(crate) struct Made<F>(pub(crate) F);

#[async_trait]
impl<F: Fn(&str) -> Arc<dyn Adapter> + Send + Sync> Plugins for Made<F> {
    fn declare(&self, _: &Backend) {}
    fn forget(&self, _: &BackendName) {}
    fn adapter(&self, name: &BackendName) -> Option<Arc<dyn Adapter>> {
        Some((self.0)(name.as_str()))
    }
    async fn judge(&self, _: &Backend) -> Result<Vec<FieldError>, Fault> {
        Ok(vec![])
    }
    fn states(&self) -> Vec<PluginState> {
        vec![]
    }
    fn logs(&self, _: &BackendName) -> Vec<(Timestamp, String)> {
        vec![]
    }
}

/// A backend that measures and has no cells.
pub(crate) struct Measuring<T>(pub(crate) T);

#[async_trait]
impl<T: Telemetry + 'static> Adapter for Measuring<T> {
    async fn describe(&self) -> Result<Description, Fault> {
        Ok(Description {
            name: "meter".into(),
            version: "1".into(),
            config_schema: "{}".into(),
            secrets: vec![],
            repeat: Repeat::None,
            nouns: vec![NOUN.into()],
            watches: false,
            cannot: vec![],
            keeps_deadline: false,
            when_rein_dies: "nothing".into(),
        })
    }
    async fn configure(&self, _: Configuration) -> Result<Vec<FieldError>, Fault> {
        Ok(vec![])
    }
    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        Ok(vec![])
    }
    async fn resolve(&self, _: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        Err(Fault::Unsupported("no cells".into()))
    }
    async fn observe(&self, _: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        Err(Fault::Unsupported("no cells".into()))
    }
    async fn apply(&self, _: Write) -> Result<(), Fault> {
        Err(Fault::Unsupported("no cells".into()))
    }
    fn telemetry(&self) -> Option<&dyn Telemetry> {
        Some(&self.0)
    }
}
