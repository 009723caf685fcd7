//! The whole picture on one screen.

use crate::audit::AuditView;
use crate::proof::DoorView;
use crate::switches::SwitchView;
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
    /// Open incidents with active changes.
    pub incidents: Vec<OpenIncidentView>,
    /// What people did in the past hour, newest first, at most 20.
    pub recent: Vec<AuditView>,
    /// Doors.
    pub doors: Vec<DoorView>,
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
