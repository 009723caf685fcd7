//! The tables: what a convention calls its metrics and labels. One file each, read once.

use serde::Deserialize;
use std::sync::OnceLock;

/// What a convention emits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// As configurations name it.
    pub(crate) name: String,
    /// What it is, for people.
    pub(crate) about: String,
    /// What services say of requests they serve.
    pub(crate) server: Side,
    /// What callers say of their calls.
    pub(crate) client: Side,
}

/// One side of a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Side {
    /// The counter of requests; absent: the histogram's own.
    #[serde(default)]
    pub(crate) count: Option<String>,
    /// The base name of the histogram of durations: its buckets are `NAME_bucket`, a native one is `NAME`.
    pub(crate) histogram: String,
    /// Seconds in one unit of the histogram.
    #[serde(default = "one")]
    pub(crate) scale: f64,
    /// Matchers of the series that count at all.
    #[serde(default)]
    pub(crate) only: String,
    /// Which of them failed: disjoint sets.
    pub(crate) failed: Vec<Failed>,
    /// A whole query for the share of capacity in use.
    #[serde(default)]
    pub(crate) saturation: Option<String>,
    /// Labels, the first that is there.
    pub(crate) labels: Labels,
}

/// Requests that failed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failed {
    /// A counter of its own; absent: the same as all requests.
    #[serde(default)]
    pub(crate) of: Option<String>,
    /// Matchers.
    #[serde(default, rename = "where")]
    pub(crate) matching: String,
}

/// Labels that may say what; the first that is there does.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Labels {
    #[serde(default)]
    pub(crate) service: Vec<String>,
    #[serde(default)]
    pub(crate) instance: Vec<String>,
    #[serde(default)]
    pub(crate) zone: Vec<String>,
    #[serde(default)]
    pub(crate) caller: Vec<String>,
    #[serde(default)]
    pub(crate) callee: Vec<String>,
    /// What an instance runs; each that is there may say it.
    #[serde(default)]
    pub(crate) version: Vec<String>,
}

/// A metric whose labels say what a target is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Info {
    /// As answers name it.
    pub(crate) name: String,
    /// What it is, for people.
    pub(crate) about: String,
    /// Its name; empty: matchers say.
    #[serde(default)]
    pub(crate) metric: String,
    /// Matchers of the series that count.
    #[serde(default)]
    pub(crate) only: String,
    /// The label of the version.
    pub(crate) version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Infos {
    info: Vec<Info>,
}

fn one() -> f64 {
    1.0
}

const TABLES: [&str; 8] = [
    include_str!("../profiles/istio.toml"),
    include_str!("../profiles/linkerd.toml"),
    include_str!("../profiles/otel-http.toml"),
    include_str!("../profiles/otel-rpc.toml"),
    include_str!("../profiles/otel-rpc-ms.toml"),
    include_str!("../profiles/micrometer.toml"),
    include_str!("../profiles/service-graph.toml"),
    include_str!("../profiles/envoy.toml"),
];

/// All tables, in the order in which they are preferred where they know equally much.
pub(crate) fn all() -> &'static [Profile] {
    static ALL: OnceLock<Vec<Profile>> = OnceLock::new();
    // They are part of the program, and a test reads them all.
    ALL.get_or_init(|| TABLES.iter().filter_map(|table| toml::from_str(table).ok()).collect())
}

const INFO: &str = include_str!("../profiles/info.toml");

/// All metrics that say what a target is, the strongest first.
pub(crate) fn infos() -> &'static [Info] {
    static ALL: OnceLock<Vec<Info>> = OnceLock::new();
    ALL.get_or_init(|| toml::from_str(INFO).map(|all: Infos| all.info).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_read_and_complete() {
        for table in TABLES {
            let profile: Profile = toml::from_str(table).unwrap_or_else(|e| panic!("{e}\n{table}"));
            assert!(!profile.about.is_empty());
            assert!(!profile.server.labels.service.is_empty(), "{}", profile.name);
            assert!(!profile.server.labels.version.is_empty(), "{}", profile.name);
            let client = &profile.client.labels;
            assert!(!client.caller.is_empty() && !client.callee.is_empty(), "{}", profile.name);
            for side in [&profile.server, &profile.client] {
                assert!(side.scale == 1.0 || side.scale == 0.001, "{}", profile.name);
                assert!(!side.failed.is_empty(), "{}", profile.name);
            }
        }
        assert_eq!(all().len(), TABLES.len());
        let told: Infos = toml::from_str(INFO).unwrap();
        assert!(told.info.len() == infos().len() && infos().len() == 3);
        assert!(infos().iter().all(|info| info.metric.is_empty() != info.only.is_empty()));
    }
}
