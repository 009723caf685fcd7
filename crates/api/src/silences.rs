//! Silences and the alerts they hush.

use crate::time::At;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// One matcher; a silence hushes the alerts that satisfy all of its matchers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatcherView {
    /// The label.
    pub name: String,
    /// `=`, `!=`, `=~` or `!~`. Expressions are RE2 and anchored at both ends.
    #[serde(default = "equal")]
    pub op: String,
    /// The value or expression.
    pub value: String,
}

fn equal() -> String {
    "=".to_owned()
}

/// A silence to be laid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceRequest {
    /// Where; absent: on every backend that hushes alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// What it hushes, 1 to 32 matchers.
    pub matchers: Vec<MatcherView>,
}

/// A silence that somebody else made, to be taken away until its own end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftRequest {
    /// Where.
    pub backend: String,
    /// The backend's own id of it.
    pub id: String,
}

/// What a silence would hush on one backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SilencePreview {
    /// The backend.
    pub backend: String,
    /// What is done: `silence {…}`, or `lift {…} by bob`.
    pub summary: String,
    /// Alerts that fire now and match.
    pub firing: u32,
    /// Alerts that fire in all.
    pub firing_in_all: u32,
    /// How many more matched in the last 7 days; absent: the backend does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lately: Option<u32>,
    /// Some of them, firing first.
    pub alerts: Vec<AlertView>,
    /// Silences that hush some of the same alerts already: ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub already: Vec<String>,
    /// Peers that did not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_peers: Vec<String>,
    /// Why the backend could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Who keeps the deadline: `backend` or `rein`.
    pub keeps_deadline: String,
    /// What happens to it when Rein dies.
    pub when_rein_dies: String,
}

/// A silence as its backend shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SilenceView {
    /// The change, if Rein made it; else the backend's own id.
    pub id: String,
    /// The backend.
    pub backend: String,
    /// The backend's own id.
    pub object: String,
    /// The change that laid it; absent: foreign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// What it hushes.
    pub matchers: Vec<MatcherView>,
    /// The same, in words.
    pub summary: String,
    /// Since when.
    pub starts: At,
    /// Until when.
    pub ends: At,
    /// Who made it, as it says itself.
    pub author: String,
    /// Why.
    pub comment: String,
    /// `active`, `pending` or `expired`.
    pub state: String,
    /// Alerts it hushes now, where the backend says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hushes: Option<u32>,
    /// Peers that do not show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_peers: Vec<String>,
}

/// Silences, those that end first first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SilenceList {
    /// The silences.
    pub silences: Vec<SilenceView>,
    /// Backends that could not be asked, and why. Their silences are missing above.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<String, String>,
}

/// Which silences to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct SilenceQuery {
    /// Only those of this backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// `true`: also those that are over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired: Option<bool>,
}

/// An alert as its backend shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertView {
    /// The backend's own id: a fingerprint.
    pub id: String,
    /// The backend.
    pub backend: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// A short text, where there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Since when; for an alert that is over: when it fired last.
    pub since: At,
    /// `active`, `suppressed` or `resolved`.
    pub state: String,
    /// Ids of silences that hush it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silenced_by: Vec<String>,
    /// Ids of alerts that inhibit it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inhibited_by: Vec<String>,
}

/// Alerts that fire now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertList {
    /// The alerts.
    pub alerts: Vec<AlertView>,
    /// Backends that could not be asked, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<String, String>,
}

/// Which alerts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    /// Only those of this backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Only those whose id begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}
