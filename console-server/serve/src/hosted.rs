//! The host of plugins, as the verbs see it: declarations in, adapters out. Secrets and programs come
//! from the server's own configuration here, and from nowhere else.

use crate::config::{Config, Private};
use async_trait::async_trait;
use rein_core::plugins::{PluginState, Plugins};
use rein_domain::backend::Backend;
use rein_domain::name::BackendName;
use rein_domain::time::Timestamp;
use rein_plugin::{Adapter, Configuration, Fault, FieldError};
use rein_plugins::{Host, HostError, Options, Program};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// Longest secret, in bytes.
const MAX_SECRET: u64 = 64 * 1024;

/// Plugins as processes.
pub(crate) struct Hosted {
    host: Host,
    bundled: BTreeSet<String>,
    programs: BTreeSet<String>,
    private: BTreeMap<BackendName, Private>,
}

impl Hosted {
    pub(crate) fn new(config: &Config, bundled: BTreeSet<String>) -> Result<Self, HostError> {
        let directory = config.plugin_dir.clone().unwrap_or_else(|| config.data_dir.join("plugins"));
        let program = |program: &crate::config::Program| Program {
            path: program.program.clone(),
            sha256: program.sha256.clone(),
            args: program.args.iter().map(Into::into).collect(),
        };
        let mut options = Options::new(directory);
        options.bundled.clone_from(&bundled);
        options.programs = config.plugins.iter().map(|(name, p)| (name.to_string(), program(p))).collect();
        let programs = options.programs.keys().cloned().collect();
        Ok(Self { host: Host::new(options)?, bundled, programs, private: config.backends.clone() })
    }

    pub(crate) async fn shutdown(&self) {
        self.host.shutdown().await;
    }

    fn configuration(&self, backend: &Backend) -> Result<Configuration, Fault> {
        let mut secrets = BTreeMap::new();
        for (name, path) in self.private.get(&backend.name).iter().flat_map(|p| &p.secret_files) {
            let secret = secret(path).map_err(|why| {
                Fault::Invalid(format!("secret {name} of {}: {}: {why}", backend.name, path.display()))
            })?;
            secrets.insert(name.clone(), secret);
        }
        Ok(Configuration { backend: backend.name.to_string(), config: backend.config.clone(), secrets })
    }
}

fn secret(path: &Path) -> std::io::Result<String> {
    if std::fs::metadata(path)?.len() > MAX_SECRET {
        return Err(std::io::Error::other(format!("more than {MAX_SECRET} bytes")));
    }
    Ok(std::fs::read_to_string(path)?.trim_end_matches(['\n', '\r']).to_owned())
}

#[async_trait]
impl Plugins for Hosted {
    fn declare(&self, backend: &Backend) {
        let made = self.configuration(backend).and_then(|c| self.host.adapter(backend.plugin.as_str(), c));
        if let Err(fault) = made {
            tracing::error!(backend = %backend.name, %fault, "this backend cannot be used");
        }
    }

    fn forget(&self, name: &BackendName) {
        self.host.forget(name.as_str());
    }

    fn adapter(&self, name: &BackendName) -> Option<Arc<dyn Adapter>> {
        self.host.named(name.as_str()).map(|backend| Arc::new(backend) as _)
    }

    async fn judge(&self, backend: &Backend) -> Result<Vec<FieldError>, Fault> {
        self.host.try_out(backend.plugin.as_str(), self.configuration(backend)?).await
    }

    fn states(&self) -> Vec<PluginState> {
        let status = self.host.status();
        let used: BTreeSet<&str> = status.iter().map(|s| s.plugin.as_str()).collect();
        let kind = |name: &str| if self.bundled.contains(name) { "bundled" } else { "program" };
        let idle = self.bundled.iter().chain(&self.programs).filter(|name| !used.contains(name.as_str()));
        let idle = idle.map(|name| PluginState {
            name: name.clone(),
            kind: kind(name),
            state: "idle",
            ..PluginState::default()
        });
        let mut states: Vec<PluginState> = idle.collect();
        for one in &status {
            let (why, pid, uptime) = match &one.state {
                rein_plugins::PluginState::Running { pid, uptime } => {
                    (String::new(), Some(*pid), Some(*uptime))
                }
                rein_plugins::PluginState::BackingOff { why, next_try } => {
                    (format!("{why}; next try in {:.1} s", next_try.as_secs_f64()), None, None)
                }
                rein_plugins::PluginState::Refused { why } => (why.clone(), None, None),
                _ => (String::new(), None, None),
            };
            states.push(PluginState {
                name: one.plugin.clone(),
                version: one.description.as_ref().map(|d| d.version.clone()).unwrap_or_default(),
                kind: kind(&one.plugin),
                backend: one.backend.parse().ok(),
                state: one.state.word(),
                why,
                pid,
                restarts: u32::try_from(one.restarts).unwrap_or(u32::MAX),
                uptime_seconds: uptime.map(|span| span.as_secs()),
            });
        }
        states
    }

    fn logs(&self, name: &BackendName) -> Vec<(Timestamp, String)> {
        let lines = self.host.logs(name.as_str()).unwrap_or_default();
        let at = |line: &rein_plugins::LogLine| {
            let since = line.at.duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        };
        lines.into_iter().map(|line| (at(&line), line.text)).collect()
    }
}
