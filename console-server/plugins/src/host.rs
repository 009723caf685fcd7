//! The host: all backends' plugins, by name.

use crate::backend::{Backend, Inner};
use crate::bundled::image;
use crate::directory::Directory;
use crate::keeper::{Kept, try_out};
use crate::logs::{LogLine, Logs};
use crate::options::{Options, Trust};
use crate::pin::Copies;
use crate::process::{Failure, Ground, Starter};
use crate::state::{PluginStatus, State};
use parking_lot::Mutex;
use rein_plugin::{Configuration, Fault, FieldError};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Why there is no host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The directory for sockets is not fit.
    #[error("plugin_dir: {path} is not fit for the sockets of plugins: {why}", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The program that plugins are started from.
    #[error("cannot start plugins from {path}: {source}", path = path.display())]
    Itself {
        /// The program.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// All plugins of a server. Shared, and cheap to clone; needs a tokio runtime.
#[derive(Clone)]
pub struct Host(Arc<Rooms>);

struct Rooms {
    ground: Arc<Ground>,
    backends: Mutex<BTreeMap<String, Backend>>,
    end: CancellationToken,
}

impl Host {
    /// Takes the directory over. No plugin is started before it is needed.
    pub fn new(options: Options) -> Result<Self, HostError> {
        let failed = |source| HostError::Itself { path: options.itself.clone(), source };
        let image = image(&options.itself).map_err(failed)?;
        let starter = Starter::new().map_err(failed)?;
        let directory = Directory::open(&options.directory)?;
        let (copies, tasks) = (Copies::default(), TaskTracker::new());
        let ground = Arc::new(Ground { options, directory, copies, starter, image, tasks });
        Ok(Self(Arc::new(Rooms { ground, backends: Mutex::default(), end: CancellationToken::new() })))
    }

    /// The backend of this configuration. The same configuration gives the same one; another ends the
    /// plugin of the former, and its handle with it.
    ///
    /// `Err`: no such plugin is known to this server.
    pub fn adapter(&self, plugin: &str, configuration: Configuration) -> Result<Backend, Fault> {
        let trust = self.trust(plugin)?;
        let mut backends = self.0.backends.lock();
        let former = backends.get(&configuration.backend);
        if let Some(former) = former {
            let kept = &former.0.kept;
            if kept.plugin == plugin && kept.configuration == configuration {
                return Ok(former.clone());
            }
            kept.end.cancel();
        }
        let backend = self.make(plugin, trust, configuration);
        backends.insert(backend.name().to_owned(), backend.clone());
        Ok(backend)
    }

    fn make(&self, plugin: &str, trust: Trust, configuration: Configuration) -> Backend {
        let calls = self.0.ground.options.calls;
        let kept = Kept {
            ground: Arc::clone(&self.0.ground),
            plugin: plugin.to_owned(),
            trust,
            configuration,
            logs: Arc::new(Logs::default()),
            state: watch::Sender::new(State::Idle),
            description: OnceLock::new(),
            restarts: AtomicU64::new(0),
            end: self.0.end.child_token(),
        };
        Backend(Arc::new(Inner {
            kept: Arc::new(kept),
            begun: AtomicBool::new(false),
            calls: Semaphore::new(calls),
        }))
    }

    fn trust(&self, plugin: &str) -> Result<Trust, Fault> {
        let options = &self.0.ground.options;
        options.trust(plugin).ok_or_else(|| {
            let known: Vec<_> = options.bundled.iter().chain(options.programs.keys()).cloned().collect();
            Fault::Invalid(format!(
                "no plugin is called `{plugin}`; this server knows {}. Others are named in its configuration, \
                 under [plugins]",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            ))
        })
    }

    /// The backend that was last configured under this name.
    pub fn named(&self, backend: &str) -> Option<Backend> {
        self.0.backends.lock().get(backend).cloned()
    }

    /// What is wrong with a configuration, found out with a process of its own that is ended again.
    pub async fn try_out(
        &self,
        plugin: &str,
        configuration: Configuration,
    ) -> Result<Vec<FieldError>, Fault> {
        let trust = self.trust(plugin)?;
        try_out(&self.0.ground, &trust, plugin, configuration).await.map_err(|failure| match failure {
            Failure::Invalid(why) => Fault::Invalid(why),
            Failure::Passing(why) | Failure::Lasting(why) => {
                Fault::Unreachable(format!("the plugin {plugin} cannot be asked: {why}"))
            }
        })
    }

    /// Starts anew what was refused, for whoever mended what was wrong outside of the configuration.
    pub fn retry(&self, backend: &str) -> Option<Backend> {
        let mut backends = self.0.backends.lock();
        let former = backends.get(backend)?.clone();
        if !matches!(*former.0.kept.state.borrow(), State::Refused { .. }) {
            return Some(former);
        }
        let Kept { plugin, trust, configuration, .. } = &*former.0.kept;
        let anew = self.make(plugin, trust.clone(), configuration.clone());
        backends.insert(backend.to_owned(), anew.clone());
        Some(anew)
    }

    /// Ends the plugin of a backend that is no more.
    pub fn forget(&self, backend: &str) {
        if let Some(former) = self.0.backends.lock().remove(backend) {
            former.0.kept.end.cancel();
        }
    }

    /// Every backend's plugin, as it stands.
    pub fn status(&self) -> Vec<PluginStatus> {
        let backends = self.0.backends.lock();
        let status = |backend: &Backend| PluginStatus {
            backend: backend.name().to_owned(),
            plugin: backend.plugin().to_owned(),
            state: backend.0.kept.state.borrow().shown(),
            restarts: backend.0.kept.restarts.load(Ordering::Relaxed),
            description: backend.described().cloned(),
        };
        backends.values().map(status).collect()
    }

    /// What a backend's plugin said on standard error, oldest first; `None`: there is no such backend.
    pub fn logs(&self, backend: &str) -> Option<Vec<LogLine>> {
        self.0.backends.lock().get(backend).map(|backend| backend.0.kept.logs.lines())
    }

    /// Ends all plugins, and returns when they are gone.
    pub async fn shutdown(&self) {
        self.0.end.cancel();
        self.0.ground.tasks.close();
        self.0.ground.tasks.wait().await;
    }
}

impl Drop for Rooms {
    fn drop(&mut self) {
        self.end.cancel();
    }
}
