//! What is configured, and what is wrong with it.

use rein_plugin::{Configuration, FieldError};
pub(crate) use rein_plugin_http::SECRETS;
use rein_plugin_http::{auth, base};
use reqwest::header::HeaderValue;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_path_to_error::Segment;
use std::time::Duration;

/// Most peers.
const MAX_PEERS: usize = 16;
/// Bounds of `timeout_ms`. A call of the server ends after 2 seconds, and one has two phases.
const TIMEOUT_MS: std::ops::RangeInclusive<u64> = 50..=5000;

/// One Alertmanager, or one cluster of them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "alertmanager")]
struct Config {
    /// The base URL of every peer of one cluster, such as "http://alertmanager-0:9093", with the path prefix
    /// if there is one. All of them: a silence counts as in force once each of these shows it.
    #[schemars(length(min = 1, max = 16))]
    peers: Vec<String>,
    /// The base URL of a Prometheus that evaluates the alerting rules, such as "http://prometheus:9090". With
    /// it a preview also knows alerts that fired lately but do not fire now. It is asked without credentials.
    #[serde(default)]
    history: Option<String>,
    /// How long one peer may take to answer one request, in milliseconds. A peer that takes longer is shown
    /// as missing.
    #[serde(default = "default_timeout")]
    #[schemars(range(min = 50, max = 5000))]
    timeout_ms: u64,
}

fn default_timeout() -> u64 {
    800
}

/// The JSON Schema of the configuration.
pub(crate) fn schema() -> String {
    schemars::schema_for!(Config).to_value().to_string()
}

/// A configuration that can be used.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Base URLs, without a slash at the end.
    pub(crate) peers: Vec<String>,
    /// Base URL of a Prometheus.
    pub(crate) history: Option<String>,
    /// For one request.
    pub(crate) timeout: Duration,
    /// `Authorization`, for the peers.
    pub(crate) auth: Option<HeaderValue>,
}

impl Settings {
    pub(crate) fn read(configuration: &Configuration) -> Result<Self, Vec<FieldError>> {
        let json = &mut serde_json::Deserializer::from_str(&configuration.config);
        let config: Config = serde_path_to_error::deserialize(json)
            .map_err(|error| vec![wrong(pointer(error.path()), error.inner())])?;
        let mut errors = Vec::new();
        let mut peers = Vec::new();
        for (n, peer) in config.peers.iter().enumerate() {
            match base(peer) {
                Ok(base) if peers.contains(&base) => {
                    errors.push(wrong(format!("/peers/{n}"), "is listed twice; name each peer once"));
                }
                Ok(base) => peers.push(base),
                Err(why) => errors.push(wrong(format!("/peers/{n}"), why)),
            }
        }
        if config.peers.is_empty() || config.peers.len() > MAX_PEERS {
            errors.push(wrong("/peers", format!("must name 1 to {MAX_PEERS} peers")));
        }
        let history = config.history.as_deref().map(base).transpose().unwrap_or_else(|why| {
            errors.push(wrong("/history", why));
            None
        });
        if !TIMEOUT_MS.contains(&config.timeout_ms) {
            let (least, most) = TIMEOUT_MS.into_inner();
            errors.push(wrong("/timeout_ms", format!("must be {least} to {most}")));
        }
        let auth = auth(configuration).unwrap_or_else(|why| {
            errors.push(wrong("", why));
            None
        });
        let timeout = Duration::from_millis(config.timeout_ms);
        if errors.is_empty() { Ok(Self { peers, history, timeout, auth }) } else { Err(errors) }
    }
}

fn wrong(field: impl Into<String>, message: impl ToString) -> FieldError {
    FieldError { field: field.into(), message: message.to_string() }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            _ => None,
        })
        .collect()
}
