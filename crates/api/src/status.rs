//! The whole picture on one screen.

use crate::audit::AuditView;
use crate::changes::ChangeView;
use crate::proof::DoorView;
use crate::switches::SwitchView;
use crate::time::At;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is in force, what altered lately, and how the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    /// The server.
    pub server: ServerView,
    /// Switches that layers lie over.
    pub switches: Vec<SwitchView>,
    /// How many switches there are in all.
    pub switches_total: u32,
    /// Changes that are written into backends: those that count now, and those that left something behind
    /// that is not put back yet or in conflict. Conflicts first, then those that end first; at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<ChangeView>,
    /// How many of these there are in all.
    #[serde(default)]
    pub layers_total: u32,
    /// Backends, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<BackendStatusView>,
    /// Open incidents with active changes.
    pub incidents: Vec<OpenIncidentView>,
    /// What people did in the past hour, newest first, at most 20.
    pub recent: Vec<AuditView>,
    /// Doors.
    pub doors: Vec<DoorView>,
}

/// A backend, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackendStatusView {
    /// Its name.
    pub name: String,
    /// How its plugin is: `idle`, `starting`, `running`, `backing off` or `refused`.
    pub plugin: String,
    /// Cells that Rein has put something into.
    pub cells: u32,
    /// How many of them are in conflict.
    pub conflicts: u32,
    /// When it was last looked at, and that worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<At>,
    /// Why the last look failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// An open incident, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenIncidentView {
    /// Its name.
    pub name: String,
    /// Active changes.
    pub changes: u32,
}

/// How the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerView {
    /// Its version.
    pub version: String,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// Ready to write?
    pub ready: bool,
    /// If not, why, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The store's epoch.
    pub epoch: String,
    /// The newest revision.
    pub revision: i64,
}
