//! What is configured, and what is wrong with it.

use crate::pattern::Pattern;
use rein_plugin::config::{self, wrong};
use rein_plugin::registry::Fields;
use rein_plugin::{Configuration, FieldError};
use reqwest::header::HeaderValue;
use schemars::JsonSchema;
use serde::Deserialize;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Secrets it takes: the token for Consul's ACLs.
pub(crate) const SECRETS: [&str; 1] = ["token"];
/// Most addresses that are asked for the catalog.
const MAX_ADDRESSES: usize = 16;
/// Most ways to agents.
const MAX_AGENTS: usize = 500;
/// Longest prefix and datacenter, in bytes.
const MAX_TEXT: usize = 128;
/// Bounds of `timeout_ms`: a call of the server ends after 2 seconds.
const TIMEOUT_MS: RangeInclusive<u64> = 50..=5000;
/// Bounds of `usual_weight`: what Consul takes.
const USUAL: RangeInclusive<u16> = 1..=65_535;

/// One datacenter of Consul in which services find each other.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "consul")]
struct Config {
    /// HTTP addresses of agents of one datacenter, servers or not, such as "http://127.0.0.1:8500". One that does
    /// not answer is passed over.
    #[schemars(length(min = 1, max = 16))]
    addresses: Vec<String>,
    /// How the agents of other nodes are reached, which is needed to drain there: their HTTP addresses, or patterns
    /// with {node} or {address}, such as "http://{address}:8500".
    #[serde(default)]
    #[schemars(length(max = 500))]
    agents: Vec<String>,
    /// The datacenter; that of the agent asked, if none is named.
    #[serde(default)]
    datacenter: String,
    /// Only services whose names begin so.
    #[serde(default)]
    prefix: String,
    /// The key in a service's metadata, in a tag KEY=VALUE or in its node's metadata that says what an instance
    /// fails together with.
    #[serde(default = "zone")]
    zone: String,
    /// The key in a service's metadata or in a tag KEY=VALUE that says what an instance runs.
    #[serde(default = "version")]
    version: String,
    /// Consul's weight of an instance that takes its full share. Without it nobody's weight is altered.
    #[serde(default)]
    #[schemars(range(min = 1, max = 65535))]
    usual_weight: Option<u16>,
    /// How long one agent may take to answer one request, in milliseconds.
    #[serde(default = "timeout")]
    #[schemars(range(min = 50, max = 5000))]
    timeout_ms: u64,
}

fn zone() -> String {
    "zone".to_owned()
}

fn version() -> String {
    "version".to_owned()
}

fn timeout() -> u64 {
    1000
}

/// The JSON Schema of the configuration.
pub(crate) fn schema() -> String {
    config::schema::<Config>()
}

/// A configuration that can be used.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Who is asked for the catalog, without a slash at the end.
    pub(crate) addresses: Vec<String>,
    /// Agents named one by one.
    pub(crate) agents: Vec<String>,
    /// Where agents are that nobody named.
    pub(crate) patterns: Vec<Pattern>,
    /// Empty: the agent's own.
    pub(crate) datacenter: String,
    pub(crate) prefix: String,
    pub(crate) fields: Fields,
    /// Consul's weight of who takes a full share.
    pub(crate) usual: Option<u16>,
    /// For one request.
    pub(crate) timeout: Duration,
    pub(crate) token: Option<HeaderValue>,
}

impl Settings {
    pub(crate) fn read(configuration: &Configuration) -> Result<Self, Vec<FieldError>> {
        let config: Config = config::read(configuration)?;
        let mut errors = Vec::new();
        let addresses = ("/addresses", "agent", MAX_ADDRESSES);
        let addresses = config::addresses(addresses, &config.addresses, rein_plugin_http::base, &mut errors);
        let ways = if config.agents.is_empty() {
            Vec::new()
        } else {
            config::addresses(("/agents", "agent", MAX_AGENTS), &config.agents, Way::read, &mut errors)
        };
        for (field, text) in [("/datacenter", &config.datacenter), ("/prefix", &config.prefix)] {
            if text.len() > MAX_TEXT || text.chars().any(char::is_control) {
                errors.push(wrong(field, format!("has control characters, or more than {MAX_TEXT} bytes")));
            }
        }
        config::within("/timeout_ms", &config.timeout_ms, &TIMEOUT_MS, &mut errors);
        if let Some(usual) = &config.usual_weight {
            config::within("/usual_weight", usual, &USUAL, &mut errors);
        }
        let (mut agents, mut patterns) = (Vec::new(), Vec::new());
        for way in ways {
            match way {
                Way::One(url) => agents.push(url),
                Way::Many(pattern) => patterns.push(pattern),
            }
        }
        let settings = Self {
            addresses,
            agents,
            patterns,
            datacenter: config.datacenter,
            prefix: config.prefix,
            fields: Fields { zone: config.zone, version: config.version },
            usual: config.usual_weight,
            timeout: Duration::from_millis(config.timeout_ms),
            token: token(configuration, &mut errors),
        };
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }
}

/// Where an agent is, or many are.
#[derive(PartialEq)]
enum Way {
    One(String),
    Many(Pattern),
}

impl Way {
    fn read(text: &str) -> Result<Self, String> {
        if text.contains('{') {
            Pattern::read(text).map(Self::Many)
        } else {
            rein_plugin_http::base(text).map(Self::One)
        }
    }
}

fn token(configuration: &Configuration, errors: &mut Vec<FieldError>) -> Option<HeaderValue> {
    let text = configuration.secrets.get("token")?.trim();
    match HeaderValue::from_str(text) {
        Ok(mut value) if !text.is_empty() => {
            value.set_sensitive(true);
            Some(value)
        }
        _ => {
            errors.push(wrong("", "the secret token is empty, or holds what HTTP cannot carry"));
            None
        }
    }
}
