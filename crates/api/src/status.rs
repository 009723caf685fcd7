//! The whole picture on one screen.

use crate::alerts::{BreadthView, CountsView};
use crate::changes::ChangeView;
use crate::markers::{HappenedView, SourceView};
use crate::proof::DoorView;
use crate::services::PreservedView;
use crate::switches::SwitchView;
use crate::telemetry::FiguresView;
use crate::time::At;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What is in force, what altered lately, and how the server is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    /// The server.
    pub server: ServerView,
    /// Switches that layers lie over.
    pub switches: Vec<SwitchView>,
    /// How many switches there are in all.
    pub switches_total: u32,
    /// Changes over instances, and changes that are written into backends: those that count now, and those that left
    /// something behind that is not put back yet or in conflict. Conflicts first, then those that end first; at most 100.
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
    /// What was changed in the past hour, by Rein and elsewhere, newest first, at most 40.
    pub happened: Vec<HappenedView>,
    /// How much that was in all, as far as it was counted.
    #[serde(default)]
    pub happened_total: u32,
    /// Where changes are known from.
    #[serde(default)]
    pub sources: Vec<SourceView>,
    /// Alerts that people hear of, by priority: the lines at the top of `rein alert list`, at most 20.
    #[serde(default)]
    pub alerts: Vec<FiringView>,
    /// How many alerts there are in all.
    #[serde(default)]
    pub alert_counts: CountsView,
    /// Services that are unwell, the worst first, at most 50.
    #[serde(default)]
    pub unwell: Vec<UnwellView>,
    /// How many services are unwell in all.
    #[serde(default)]
    pub unwell_total: u32,
    /// How many services there are: registered, declared or measured.
    #[serde(default)]
    pub services_total: u32,
    /// Many instances fell silent at once, and nobody is taken down for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preserved: Option<PreservedView>,
    /// Backends that were asked for this and did not answer in time, and why: what they know is missing here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unanswered: BTreeMap<String, String>,
    /// What wants a person: `server`, `alerts`, `unwell`, `conflict`, `layers`, `backends`, `registry`, `sources`.
    /// Empty: all is well, as far as is known.
    #[serde(default)]
    pub attention: Vec<String>,
    /// Doors.
    pub doors: Vec<DoorView>,
}

/// What fires, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FiringView {
    /// The id of its first alert; of a change, the change's.
    pub id: String,
    /// `P1` to `P4`.
    pub priority: String,
    /// What it is called: an alert's name, or what a change does.
    pub name: String,
    /// Who laid the change, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The service, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Since when.
    pub since: At,
    /// How many instances it fires on; absent: its alerts name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breadth: Option<BreadthView>,
    /// How many alerts are folded under it.
    pub folds: u32,
}

/// A service that is unwell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UnwellView {
    /// Its name.
    pub name: String,
    /// `down`, `failing` or `degraded`: the worse of what the registry knows and what is measured.
    pub health: String,
    /// Why, in words.
    pub why: Vec<String>,
    /// Instances that are up; absent: it has not registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<u32>,
    /// Instances registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<u32>,
    /// What is measured of it; absent: nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<FiguresView>,
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
