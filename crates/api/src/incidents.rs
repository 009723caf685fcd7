//! Incidents.

use crate::changes::{ChangeView, EffectView};
use crate::time::At;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An incident and its changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentView {
    /// Its name.
    pub name: String,
    /// When the first change named it.
    pub opened: At,
    /// Who laid that change.
    pub by: String,
    /// When and by whom it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<ClosedView>,
    /// Its changes, newest first.
    pub changes: Vec<ChangeView>,
}

/// How an incident was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClosedView {
    /// When.
    pub at: At,
    /// By whom.
    pub by: String,
    /// Changes that stay until their own deadline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
}

/// All incidents, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentList {
    /// The incidents.
    pub incidents: Vec<IncidentView>,
}

/// Closes an incident: one record ends all its changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// Changes to leave in force until their own deadline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<String>,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// What closing did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClosedIncidentView {
    /// The incident.
    pub incident: IncidentView,
    /// Changes that end with it, newest first.
    pub ends: Vec<String>,
    /// What that does, by switch.
    pub effects: Vec<EffectView>,
}
