//! What is configured, and what is wrong with it.

use rein_plugin::config::{self, wrong};
use rein_plugin::{Configuration, FieldError};
pub(crate) use rein_plugin_http::SECRETS;
use rein_plugin_http::{auth, base};
use reqwest::header::HeaderValue;
use schemars::JsonSchema;
use serde::Deserialize;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Most peers.
const MAX_PEERS: usize = 16;
/// Bounds of `timeout_ms`. A call of the server ends after 2 seconds, and one has two phases.
const TIMEOUT_MS: RangeInclusive<u64> = 50..=5000;

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
    config::schema::<Config>()
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
        let config: Config = config::read(configuration)?;
        let mut errors = Vec::new();
        let peers = config::addresses(("/peers", "peer", MAX_PEERS), &config.peers, base, &mut errors);
        let history = config.history.as_deref().map(base).transpose().unwrap_or_else(|why| {
            errors.push(wrong("/history", why));
            None
        });
        config::within("/timeout_ms", &config.timeout_ms, &TIMEOUT_MS, &mut errors);
        let auth = auth(configuration).unwrap_or_else(|why| {
            errors.push(wrong("", why));
            None
        });
        let timeout = Duration::from_millis(config.timeout_ms);
        if errors.is_empty() { Ok(Self { peers, history, timeout, auth }) } else { Err(errors) }
    }
}
