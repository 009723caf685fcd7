//! The programs that adapt backends, as the verbs and the reconciler see them. Who runs them, and how,
//! lives outside: this crate knows no process and no socket.

use async_trait::async_trait;
use rein_domain::backend::Backend;
use rein_domain::name::BackendName;
use rein_domain::time::Timestamp;
use rein_plugin::{Adapter, Fault, FieldError};
use std::sync::Arc;

/// One plugin for each declared backend.
#[async_trait]
pub trait Plugins: Send + Sync {
    /// Takes note of a declaration, new or altered. Starts nothing yet.
    fn declare(&self, backend: &Backend);

    /// Ends what runs for a backend, and forgets it.
    fn forget(&self, name: &BackendName);

    /// What is asked and told; `None` when nobody declared the backend here.
    fn adapter(&self, name: &BackendName) -> Option<Arc<dyn Adapter>>;

    /// Would this declaration do? The fields that are wrong, by their path.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] for a plugin that is neither bundled nor configured, and whatever kept the
    /// plugin from answering.
    async fn judge(&self, backend: &Backend) -> Result<Vec<FieldError>, Fault>;

    /// How every plugin is: one for each declared backend, and those that could be used.
    fn states(&self) -> Vec<PluginState>;

    /// What the plugin of a backend wrote to its standard error, oldest first.
    fn logs(&self, name: &BackendName) -> Vec<(Timestamp, String)>;
}

/// How a plugin is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginState {
    /// Its name.
    pub name: String,
    /// Its version, once it has said so.
    pub version: String,
    /// `bundled`, or `program` for one that the server's configuration names.
    pub kind: &'static str,
    /// The backend it runs for, if any.
    pub backend: Option<BackendName>,
    /// `idle`, `starting`, `running`, `backing off` or `refused`.
    pub state: &'static str,
    /// Why, and when it is tried next.
    pub why: String,
    /// Its process, while it runs.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// Seconds since it was started.
    pub uptime_seconds: Option<u64>,
}

/// No plugins at all.
pub struct NoPlugins;

#[async_trait]
impl Plugins for NoPlugins {
    fn declare(&self, _: &Backend) {}

    fn forget(&self, _: &BackendName) {}

    fn adapter(&self, _: &BackendName) -> Option<Arc<dyn Adapter>> {
        None
    }

    async fn judge(&self, _: &Backend) -> Result<Vec<FieldError>, Fault> {
        Err(Fault::Unsupported("this server runs no plugins".into()))
    }

    fn states(&self) -> Vec<PluginState> {
        Vec::new()
    }

    fn logs(&self, _: &BackendName) -> Vec<(Timestamp, String)> {
        Vec::new()
    }
}
