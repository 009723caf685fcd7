//! Plugins as a test makes them: an adapter for whatever name is declared.

use async_trait::async_trait;
use rein_core::plugins::{PluginState, Plugins};
use rein_domain::backend::Backend;
use rein_domain::name::BackendName;
use rein_domain::time::Timestamp;
use rein_plugin::{Adapter, Fault, FieldError};
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
