//! What is configured, and what is wrong with it.

use rein_plugin::config::{self, wrong};
use rein_plugin::registry::Fields;
use rein_plugin::{Configuration, FieldError};
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Secrets it takes: `USER:PASSWORD` for ZooKeeper's own digest authentication.
pub(crate) const SECRETS: [&str; 1] = ["digest"];
/// Most servers.
const MAX_SERVERS: usize = 16;
/// Longest base path, in bytes.
const MAX_BASE: usize = 256;
/// Bounds of `timeout_ms`: a call of the server ends after 2 seconds.
const TIMEOUT_MS: RangeInclusive<u64> = 50..=5000;

/// One ZooKeeper ensemble in which services find each other by Curator's service discovery.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "zookeeper")]
struct Config {
    /// Host and client port of the servers of one ensemble, such as "zk-0:2181".
    #[schemars(length(min = 1, max = 16))]
    servers: Vec<String>,
    /// The path under which services lie: what Curator's ServiceDiscoveryBuilder calls "basePath".
    base: String,
    /// The field of an instance's payload that says what it fails together with.
    #[serde(default = "zone")]
    zone: String,
    /// The field of an instance's payload that says what it runs.
    #[serde(default = "version")]
    version: String,
    /// How long one server may take to answer one request, in milliseconds.
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
    /// Each with its port.
    pub(crate) servers: Vec<Server>,
    /// Absolute, without a slash at the end.
    pub(crate) base: String,
    pub(crate) fields: Fields,
    /// For one request.
    pub(crate) timeout: Duration,
    /// `USER:PASSWORD`.
    pub(crate) digest: Option<String>,
}

/// One server of the ensemble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// As it is written.
    pub(crate) name: String,
}

impl Settings {
    pub(crate) fn read(configuration: &Configuration) -> Result<Self, Vec<FieldError>> {
        let config: Config = config::read(configuration)?;
        let mut errors = Vec::new();
        let servers = ("/servers", "server", MAX_SERVERS);
        let servers = config::addresses(servers, &config.servers, server, &mut errors);
        if let Err(why) = base(&config.base) {
            errors.push(wrong("/base", why));
        }
        config::within("/timeout_ms", &config.timeout_ms, &TIMEOUT_MS, &mut errors);
        let digest = configuration.secrets.get("digest").map(|text| text.trim().to_owned());
        if digest.as_ref().is_some_and(|text| text.split_once(':').is_none_or(|(user, _)| user.is_empty())) {
            errors.push(wrong("", "the secret digest must be USER:PASSWORD"));
        }
        let timeout = Duration::from_millis(config.timeout_ms);
        let fields = Fields { zone: config.zone, version: config.version };
        let settings = Self { servers, base: config.base, fields, timeout, digest };
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }

    /// All servers, for messages.
    pub(crate) fn names(&self) -> String {
        self.servers.iter().map(|server| server.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Host and port, and nothing else.
fn server(text: &str) -> Result<Server, String> {
    let text = text.to_ascii_lowercase();
    let text = text.as_str();
    if text.contains('/') || text.contains(',') {
        return Err("must be HOST:PORT of one server; the path is the field base".to_owned());
    }
    let (host, port) = text.rsplit_once(':').ok_or("has no port; ZooKeeper's usual one is 2181")?;
    let port =
        port.parse().ok().filter(|port| *port != 0).ok_or("has no port; ZooKeeper's usual one is 2181")?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let literal = bare.parse::<IpAddr>();
    let named = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if !named && literal.is_err() {
        return Err("must be HOST:PORT; an IPv6 address stands in brackets".to_owned());
    }
    if let Some(why) = literal.ok().and_then(rein_plugin::address::refused) {
        return Err(format!("{host}: {why}"));
    }
    // Names of clouds' metadata services are judged by what they resolve to, at each connection.
    Ok(Server { host: bare.to_owned(), port, name: text.to_owned() })
}

fn base(text: &str) -> Result<(), String> {
    match text {
        "" | "/" => Err("would be all of ZooKeeper: name the path under which services lie".to_owned()),
        text if !text.starts_with('/') => Err("must begin with `/`".to_owned()),
        text if text.ends_with('/') => Err("must not end with `/`".to_owned()),
        text if text.len() > MAX_BASE => Err(format!("is longer than {MAX_BASE} bytes")),
        text if text.chars().any(char::is_control) => Err("has control characters".to_owned()),
        text if text[1..].split('/').any(|part| matches!(part, "" | "." | "..")) => {
            Err("has an empty or relative part".to_owned())
        }
        _ => Ok(()),
    }
}
