//! Rigs for the suite: a plugin behind a socket in this process, and a plugin that is a program.

use super::{Rig, Subject};
use crate::handshake::{self, MAX_LINE};
use crate::serve::{COOKIE, COOKIE_VALUE, SOCKET_DIR, VERSION, VERSIONS, serve_on};
use crate::{
    Adapter, CellKey, Configuration, Description, Fault, FieldError, Finding, Remote, Seen, Silences,
    TargetName, Telemetry, Write,
};
use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::Deserialize;
use std::any::Any;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixListener;

/// What each call of the suite may take; generous, since test machines are busy.
const DEADLINE: Duration = Duration::from_secs(10);

/// A remote plugin together with what keeps it running.
pub struct Kept {
    remote: Remote,
    #[allow(dead_code, reason = "held, so that it is dropped with the remote and not before")]
    keep: Box<dyn Any + Send + Sync>,
}

/// Puts a socket between an adapter of this process and its caller.
pub async fn over_socket(adapter: impl Adapter) -> Result<Arc<dyn Adapter>, String> {
    let directory = tempfile::tempdir().map_err(|e| e.to_string())?;
    let path = directory.path().join("plugin.sock");
    let listener = UnixListener::bind(&path).map_err(|e| e.to_string())?;
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(serve_on(listener, adapter, async {
        let _ = ended.await;
    }));
    Ok(Arc::new(Kept { remote: Remote::new(&path, DEADLINE), keep: Box::new((directory, end)) }))
}

/// A plugin that is a program, and the backends it is tried on, as a file next to it says.
#[derive(Debug, Clone)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What it is tried on.
    pub sample: Sample,
}

/// A backend that comes into being with its configuration. `{dir}` in it stands for an empty directory
/// of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The configuration.
    pub config: serde_json::Value,
    /// Values of secrets.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Configurations that must be refused.
    pub wrong: Vec<Wrong>,
    /// A noun that is served.
    pub noun: String,
    /// Values in canonical form, at least two; none for a plugin that only measures.
    #[serde(default)]
    pub values: Vec<String>,
    /// Pairs: what is written, and the canonical form that is then observed.
    #[serde(default)]
    pub spellings: Vec<(String, String)>,
}

/// A configuration that must be refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// The configuration.
    pub config: serde_json::Value,
    /// JSON Pointer of the field that is wrong.
    pub field: String,
}

impl Sample {
    /// A new backend.
    pub fn subject(&self) -> Result<Subject, String> {
        let directory = tempfile::tempdir().map_err(|e| e.to_string())?;
        let here = directory.path().to_string_lossy();
        let placed = |config: &serde_json::Value| config.to_string().replace("{dir}", &here);
        Ok(Subject {
            configuration: Configuration {
                backend: "conformance".into(),
                config: placed(&self.config),
                secrets: self.secrets.clone(),
            },
            wrong: self.wrong.iter().map(|wrong| (placed(&wrong.config), wrong.field.clone())).collect(),
            noun: self.noun.clone(),
            values: self.values.clone(),
            spellings: self.spellings.clone(),
            keep: Box::new(directory),
        })
    }
}

#[async_trait]
impl Rig for Program {
    async fn plugin(&self) -> Result<Arc<dyn Adapter>, String> {
        let directory = tempfile::tempdir().map_err(|e| e.to_string())?;
        let mut child = tokio::process::Command::new(&self.path)
            .args(&self.args)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", directory.path())
            .env(COOKIE, COOKIE_VALUE)
            .env(VERSIONS, VERSION.to_string())
            .env(SOCKET_DIR, directory.path())
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| format!("{}: {e}", self.path.display()))?;
        let stdout = child.stdout.take().ok_or("there is no standard output")?;
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout.take(MAX_LINE as u64));
        tokio::time::timeout(DEADLINE, stdout.read_line(&mut line))
            .await
            .map_err(|_| format!("it said nothing on standard output within {DEADLINE:?}"))?
            .map_err(|e| format!("its standard output cannot be read: {e}"))?;
        let socket = handshake::parse(&line).map_err(|e| e.to_string())?;
        let remote = Remote::new(&socket, DEADLINE);
        remote.healthy().await.map_err(|e| e.to_string())?;
        Ok(Arc::new(Kept { remote, keep: Box::new((child, stdout, directory)) }))
    }

    async fn backend(&self) -> Result<Subject, String> {
        self.sample.subject()
    }
}

#[async_trait]
impl Adapter for Kept {
    async fn describe(&self) -> Result<Description, Fault> {
        self.remote.describe().await
    }

    async fn configure(&self, configuration: Configuration) -> Result<Vec<FieldError>, Fault> {
        self.remote.configure(configuration).await
    }

    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        self.remote.check().await
    }

    async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        self.remote.resolve(targets).await
    }

    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        self.remote.observe(cells).await
    }

    async fn apply(&self, write: Write) -> Result<(), Fault> {
        self.remote.apply(write).await
    }

    async fn watch(&self) -> Result<BoxStream<'static, Option<CellKey>>, Fault> {
        self.remote.watch().await
    }

    fn silences(&self) -> Option<&dyn Silences> {
        self.remote.silences()
    }

    fn telemetry(&self) -> Option<&dyn Telemetry> {
        self.remote.telemetry()
    }
}
