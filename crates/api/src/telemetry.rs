//! What backends measure: services, their instances, the calls between them.

use crate::time::At;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Figures over a window. A figure that is absent is not known: it is never zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FiguresView {
    /// Requests per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rps: Option<f64>,
    /// The share of requests that did not fail, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<f64>,
    /// Seconds within which half of the requests were answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// The same for nine tenths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<f64>,
    /// The same for 99 of 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// How much of what it can carry is used, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturation: Option<f64>,
}

/// How a service or one of its instances is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeasuredView {
    /// The service.
    pub service: String,
    /// The instance; absent: the service as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Where it stands, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The figures.
    pub figures: FiguresView,
    /// `no data`, `idle`, `good`, `degraded` or `failing`.
    pub health: String,
    /// Why it is unwell, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// The backend that measured it.
    pub backend: String,
    /// Whose figures these are: `istio+own`.
    pub source: String,
}

/// What one backend's figures are worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadingView {
    /// The backend.
    pub backend: String,
    /// When they were taken, by its clock.
    pub at: At,
    /// How old they are.
    pub age_seconds: u64,
    /// Over how long.
    pub window_seconds: u64,
    /// Replicas that did not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_peers: Vec<String>,
}

/// Services, or instances of one, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeasuredList {
    /// How they are.
    pub measured: Vec<MeasuredView>,
    /// What the figures are worth, backend by backend.
    pub readings: Vec<ReadingView>,
    /// Backends that could not be asked, and why. What they measure is missing above.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<String, String>,
}

/// How calls of one service to another go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EdgeView {
    /// Who calls.
    pub caller: String,
    /// Who is called.
    pub callee: String,
    /// The figures, as the caller sees them where the backend can tell.
    pub figures: FiguresView,
    /// `no data`, `idle`, `good`, `degraded` or `failing`.
    pub health: String,
    /// Why it is unwell, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// The backend that measured it.
    pub backend: String,
    /// Whose figures these are.
    pub source: String,
}

/// Calls between services, by caller and callee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EdgeList {
    /// How they go.
    pub edges: Vec<EdgeView>,
    /// What the figures are worth, backend by backend.
    pub readings: Vec<ReadingView>,
    /// Backends that could not be asked, and why. What they measure is missing above.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<String, String>,
}

/// What to measure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct MeasureQuery {
    /// Only this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// `true`: its instances; a service has to be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<bool>,
    /// Only by this backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Over how many seconds, 1 to 86400; absent: as each backend is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u32>,
}

/// Which calls to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct EdgesQuery {
    /// Only those that begin or end at this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Only by this backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Over how many seconds, 1 to 86400; absent: as each backend is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u32>,
}
