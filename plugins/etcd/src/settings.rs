//! What is configured, and what is wrong with it.

use rein_plugin::config::{self, wrong};
use rein_plugin::registry::Fields;
use rein_plugin::{Configuration, FieldError};
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Secrets it takes: a user, and certificates as PEM.
pub(crate) const SECRETS: [&str; 5] = ["username", "password", "ca", "certificate", "key"];
/// Most members.
const MAX_ENDPOINTS: usize = 16;
/// Longest prefix, in bytes.
const MAX_PREFIX: usize = 256;
/// Bounds of `timeout_ms`: a call of the server ends after 2 seconds.
const TIMEOUT_MS: RangeInclusive<u64> = 50..=5000;

/// One etcd cluster in which services find each other by gRPC's etcd naming resolver.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "etcd")]
struct Config {
    /// The client URLs of the members of one cluster, such as "http://etcd-0:2379".
    #[schemars(length(min = 1, max = 16))]
    endpoints: Vec<String>,
    /// What stands before SERVICE/ADDRESS in the keys. A client that dials "etcd:///services/order" has the
    /// prefix "services/" and the service "order".
    prefix: String,
    /// The field of an endpoint's metadata that says what it fails together with.
    #[serde(default = "zone")]
    zone: String,
    /// The field of an endpoint's metadata that says what it runs.
    #[serde(default = "version")]
    version: String,
    /// How long one member may take to answer one request, in milliseconds.
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
    /// Client URLs, without a slash at the end; all `http` or all `https`.
    pub(crate) endpoints: Vec<String>,
    /// Ends with `/`.
    pub(crate) prefix: String,
    pub(crate) fields: Fields,
    /// For one request.
    pub(crate) timeout: Duration,
    /// Name and password.
    pub(crate) user: Option<(String, String)>,
    /// Who signed the members' certificates, as PEM.
    pub(crate) ca: Option<String>,
    /// Certificate and key of this client, as PEM.
    pub(crate) identity: Option<(String, String)>,
}

impl Settings {
    pub(crate) fn read(configuration: &Configuration) -> Result<Self, Vec<FieldError>> {
        let config: Config = config::read(configuration)?;
        let mut errors = Vec::new();
        let endpoints = ("/endpoints", "member", MAX_ENDPOINTS);
        let endpoints = config::addresses(endpoints, &config.endpoints, endpoint, &mut errors);
        if let Err(why) = prefix(&config.prefix) {
            errors.push(wrong("/prefix", why));
        }
        config::within("/timeout_ms", &config.timeout_ms, &TIMEOUT_MS, &mut errors);
        let secret = |name: &str| configuration.secrets.get(name).map(|text| text.trim().to_owned());
        let mut pair = |one: &str, other: &str| match (secret(one), secret(other)) {
            (Some(one), Some(other)) => Some((one, other)),
            (None, None) => None,
            _ => {
                errors.push(wrong("", format!("the secrets {one} and {other} go together")));
                None
            }
        };
        let (user, identity) = (pair("username", "password"), pair("certificate", "key"));
        let timeout = Duration::from_millis(config.timeout_ms);
        let fields = Fields { zone: config.zone, version: config.version };
        let settings =
            Self { endpoints, prefix: config.prefix, fields, timeout, user, ca: secret("ca"), identity };
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }
}

/// A client URL: scheme, host and port, and nothing else.
fn endpoint(text: &str) -> Result<String, String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let rest = rest.ok_or("is no client URL: it begins with http:// or https://")?;
    if rest.contains('@') {
        return Err("holds a user: name it in the secrets username and password".to_owned());
    }
    let uri: tonic::transport::Uri = text.parse().map_err(|error| format!("is no URL: {error}"))?;
    if uri.port().is_none() {
        return Err("has no port; etcd's usual one is 2379".to_owned());
    }
    if uri.path().len() > 1 || uri.query().is_some() {
        return Err("has a path: a member is named by host and port".to_owned());
    }
    let host = uri.host().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Some(why) = bare.parse::<IpAddr>().ok().and_then(rein_plugin::address::refused) {
        return Err(format!("{host}: {why}"));
    }
    Ok(text.to_owned())
}

fn prefix(text: &str) -> Result<(), String> {
    match text {
        "" | "/" => Err("would be all of etcd: name what stands before SERVICE/ADDRESS".to_owned()),
        text if !text.ends_with('/') => Err("must end with `/`".to_owned()),
        text if text.len() > MAX_PREFIX => Err(format!("is longer than {MAX_PREFIX} bytes")),
        text if text.chars().any(char::is_control) => Err("has control characters".to_owned()),
        _ => Ok(()),
    }
}
