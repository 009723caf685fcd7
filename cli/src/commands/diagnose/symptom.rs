//! `target.json`, and the options that say the same: where, in what and when a symptom was noticed.

use super::place::{bytes, fault, moment};
use crate::error::CliError;
use rein_domain::diagnosis::Metric;
use rein_domain::time::Timestamp;
use serde::Deserialize;
use std::path::Path;

/// A symptom by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Noticed {
    pub(super) node: Option<String>,
    pub(super) metric: Option<Metric>,
    pub(super) statistic: Option<String>,
    pub(super) at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Document {
    target: Target,
}

#[derive(Deserialize)]
struct Target {
    node: String,
    metric: String,
    #[serde(alias = "statistic")]
    agg: Option<String>,
    #[serde(alias = "at")]
    timestamp: serde_json::Value,
}

impl Noticed {
    /// Reads a target.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let form = "it should read {\"target\": {\"node\": …, \"metric\": \"latency\", \"agg\": \"Average\", \"timestamp\": 1763866800}}";
        let document: Document =
            serde_json::from_slice(&bytes(path)?).map_err(|e| fault(path, e.to_string()).hint(form))?;
        let target = document.target;
        let metric = super::metric(&target.metric)
            .ok_or_else(|| fault(path, format!("metric: {}", super::no_metric(&target.metric))))?;
        let written = match &target.timestamp {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let at = moment(&written).ok_or_else(|| {
            fault(path, format!("timestamp: `{written}` is no moment; write seconds since 1970, or RFC 3339"))
        })?;
        Ok(Self { node: Some(target.node), metric: Some(metric), statistic: target.agg, at: Some(at) })
    }

    /// What is said here goes before what is said there.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            node: self.node.or(other.node),
            metric: self.metric.or(other.metric),
            statistic: self.statistic.or(other.statistic),
            at: self.at.or(other.at),
        }
    }
}
