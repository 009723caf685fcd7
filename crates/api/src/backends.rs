//! Backends and the plugins that adapt them.

use crate::time::At;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A declared backend, as it stands in a file. Programs and secrets are not declared here: they come
/// from the server's own configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackendDocument {
    /// Always `backend`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The plugin that adapts it: one that is bundled, or named in the server's configuration.
    pub plugin: String,
    /// Team that answers for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// What the plugin wants to know; its JSON Schema says what that is.
    #[serde(default)]
    pub config: serde_json::Map<String, serde_json::Value>,
    /// Whether a foreign hand over a layer is overruled: `never`, or `limited` to three times in ten
    /// minutes.
    #[serde(default, skip_serializing_if = "ReassertRequest::is_never")]
    pub reassert: ReassertRequest,
    /// No silence may take in alerts with these labels, unless forced: `alertname="Watchdog"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub never_silence: Vec<String>,
}

/// Whether a foreign hand is overruled without asking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReassertRequest {
    /// A person decides.
    #[default]
    Never,
    /// At most three times in ten minutes.
    Limited,
}

impl ReassertRequest {
    /// Is it the default?
    pub fn is_never(&self) -> bool {
        *self == Self::Never
    }
}

/// A backend, and how its plugin is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackendView {
    /// Its declaration.
    pub definition: BackendDocument,
    /// How its plugin is.
    pub plugin: PluginView,
    /// What it does: `silence`.
    pub nouns: Vec<String>,
    /// How a write that may have happened is repeated: `cas`, `marker` or `none`.
    pub repeat: String,
    /// Who keeps a deadline: `backend` or `rein`.
    pub keeps_deadline: String,
    /// What happens to what Rein wrote when Rein dies.
    pub when_rein_dies: String,
    /// What it cannot do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cannot: Vec<String>,
    /// Cells that Rein has put something into.
    pub cells: Vec<CellView>,
    /// When it was last looked at, and that worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<At>,
    /// Why the last look failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// All backends, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackendList {
    /// The backends.
    pub backends: Vec<BackendView>,
}

/// What Rein has put into one cell of a backend, and what it does next there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellView {
    /// The backend.
    pub backend: String,
    /// The cell's key.
    pub key: String,
    /// The change it is held for.
    pub change: String,
    /// `intended`, `held` or `conflict`.
    pub state: String,
    /// Since when.
    pub since: At,
    /// The object's own name in the backend.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub object: String,
    /// What was there before; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<String>,
    /// What Rein wants there; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub want: Option<String>,
    /// What was found there last; absent: nothing, or not looked yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// When it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<At>,
    /// What the backend says of the effect: `hushes 3 alerts`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub effect: String,
    /// Peers that do not show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_peers: Vec<String>,
    /// How often a foreign hand was overruled in the last ten minutes.
    pub reasserted: u32,
    /// What happens next, and why, in words.
    pub next: String,
}

/// What a look at a backend found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckView {
    /// The backend.
    pub backend: String,
    /// `ok`, `warning` or `error`: the worst of the findings.
    pub grade: String,
    /// The findings.
    pub findings: Vec<FindingView>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    /// `ok`, `warning` or `error`.
    pub grade: String,
    /// What was looked at.
    pub subject: String,
    /// What was found.
    pub message: String,
}

/// A plugin: a program that runs for one backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PluginView {
    /// The plugin's name.
    pub name: String,
    /// Its version, once it has said so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// `bundled`, or `program` for one that the server's configuration names.
    pub kind: String,
    /// The backend it runs for; empty: it runs for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub backend: String,
    /// `idle`, `starting`, `running`, `backing off` or `refused`.
    pub state: String,
    /// Why, and when it is tried next.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Its process, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// Seconds since it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
}

/// All plugins: those that run, and those that could.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PluginList {
    /// The plugins.
    pub plugins: Vec<PluginView>,
}

/// What a plugin wrote to its standard error, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PluginLogs {
    /// The lines.
    pub lines: Vec<LogLine>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// When it came.
    pub at: At,
    /// What it says, without control characters.
    pub text: String,
}
