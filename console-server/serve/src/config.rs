//! Configuration: a TOML file, over it the environment, over it the command line.
//!
//! An environment variable names a field by its path: `REIN__HTTP`, `REIN__DOORS__FLAGD__TOKENS`.
//! Its value is read as TOML, or taken as text.

use ipnet::IpNet;
use rein_domain::name::{BackendName, PluginName};
use rein_doors::access::{self, Access};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Prefix of environment variables; also what stands between the parts of a path.
const ENV: &str = "REIN__";

/// A server's configuration. Every field has a default that works on one machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the store, the audit key and the first token lie.
    pub data_dir: PathBuf,
    /// Where the HTTP API listens, and the doors that speak HTTP.
    pub http: SocketAddr,
    /// Where the flagd sync door listens.
    pub grpc: SocketAddr,
    /// `text` or `json`.
    pub log_format: LogFormat,
    /// Host names under which the server may be addressed, beside loopback's.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may call the API.
    pub allowed_origins: Vec<String>,
    /// TLS of the HTTP API.
    pub tls: Option<Tls>,
    /// Say that a proxy in front speaks TLS: the API may then listen off loopback without.
    pub behind_tls_proxy: bool,
    /// Write into no backend: only look.
    pub observe: bool,
    /// A store that several servers share.
    pub cluster: Cluster,
    /// Where sockets of plugins lie [default: `plugins` in the data directory]. Its path must be short.
    pub plugin_dir: Option<PathBuf>,
    /// Programs that adapt backends, beside the bundled ones, by name.
    pub plugins: BTreeMap<PluginName, Program>,
    /// What backends need that no definition may say, by name.
    pub backends: BTreeMap<BackendName, Private>,
    /// Changes.
    pub changes: Changes,
    /// Limits.
    pub limits: Limits,
    /// The audit trail.
    pub audit: Audit,
    /// Doors.
    pub doors: Doors,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Certificate and key, PEM files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Ask clients for a certificate that this CA signed (mTLS).
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}

/// How long changes last.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Changes {
    /// When nobody says, in seconds.
    pub default_seconds: u64,
    /// At most, in seconds.
    pub max_seconds: u64,
    /// How many days ended changes stay in lists. The audit trail keeps them for ever.
    pub keep_ended_days: u64,
}

/// Limits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Writes a second in one actor's name.
    pub writes_per_second: u32,
}

/// The audit trail.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// Files to which signed checkpoints are appended. Put one on another machine's disk.
    pub ship_heads_to: Vec<PathBuf>,
    /// Go on with a new signing key although the old one is lost. The checkpoints it signed are dropped.
    pub accept_new_key: bool,
}

/// Doors.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Doors {
    /// flagd sync.
    pub flagd: Flagd,
}

/// The flagd sync door. Off loopback it needs one of mTLS, tokens or networks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flagd {
    /// TLS; with `client_ca` it is mTLS.
    pub tls: Option<Tls>,
    /// Ask for a token.
    pub tokens: bool,
    /// Networks that may come, such as `10.0.0.0/8`.
    pub networks: Vec<IpNet>,
}

/// Several servers over one etcd.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    /// `etcd://HOST:PORT,HOST:PORT[/PREFIX]`; absent: a file in the data directory, for one server.
    pub store: Option<String>,
    /// What the others call this server [default: its address].
    pub name: Option<String>,
    /// Where the others reach its API, such as `https://rein-1.example:7070` [default: where it listens].
    pub advertise: Option<String>,
    /// PEM file: who signed the certificates of etcd's members.
    pub ca: Option<PathBuf>,
    /// PEM file: the certificate by which etcd knows this server.
    pub certificate: Option<PathBuf>,
    /// PEM file: its key.
    pub key: Option<PathBuf>,
    /// etcd's user.
    pub user: Option<String>,
    /// A file that holds the user's password.
    pub password_file: Option<PathBuf>,
    /// PEM file: who signed the certificates of the other servers.
    pub peer_ca: Option<PathBuf>,
}

/// A program that adapts a kind of backend.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Where it lies; absolute.
    pub program: PathBuf,
    /// SHA-256 of the file, in hexadecimal: anything else is not run.
    pub sha256: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
}

/// What a backend needs that no definition may say.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Private {
    /// Files that hold secrets, by the name its plugin knows them under.
    pub secret_files: BTreeMap<String, PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("rein-data"),
            http: SocketAddr::from(([127, 0, 0, 1], 7070)),
            grpc: SocketAddr::from(([127, 0, 0, 1], 8015)),
            log_format: LogFormat::Text,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            tls: None,
            behind_tls_proxy: false,
            observe: false,
            cluster: Cluster::default(),
            plugin_dir: None,
            plugins: BTreeMap::new(),
            backends: BTreeMap::new(),
            changes: Changes::default(),
            limits: Limits::default(),
            audit: Audit::default(),
            doors: Doors::default(),
        }
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self { default_seconds: 3600, max_seconds: 7 * 24 * 3600, keep_ended_days: 30 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { writes_per_second: 10_000 }
    }
}

/// Why a configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or a field is wrong.
    #[error("{from}: {what}")]
    Wrong {
        /// The file, or the environment.
        from: String,
        /// What, with line and field.
        what: String,
    },
}

/// Something in a configuration that would keep a server from starting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the field, such as `doors.flagd`.
    pub field: String,
    /// What is wrong, and what to do.
    pub what: String,
}

impl Config {
    /// Reads a file (or defaults) and lays the environment over it.
    pub fn read(
        path: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut from = "defaults".to_owned();
        let mut table = Table::new();
        if let Some(path) = path {
            from = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
            // Read once as it stands, so that an error names line and column.
            let wrong = |e: toml::de::Error| ConfigError::Wrong { from: from.clone(), what: e.to_string() };
            toml::from_str::<Self>(&text).map_err(wrong)?;
            table = toml::from_str(&text).map_err(wrong)?;
        }
        let mut named = Vec::new();
        for (name, value) in env {
            if let Some(path) = name.strip_prefix(ENV) {
                lay(&mut table, &path.to_ascii_lowercase(), &value);
                named.push(name);
            }
        }
        if !named.is_empty() {
            from = format!("{from} and {}", named.join(", "));
        }
        Value::Table(table)
            .try_into()
            .map_err(|e: toml::de::Error| ConfigError::Wrong { from, what: e.to_string() })
    }

    /// What the flagd door asks of those who come.
    pub fn flagd_access(&self) -> Access {
        let flagd = &self.doors.flagd;
        Access {
            mtls: flagd.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()),
            tokens: flagd.tokens,
            networks: flagd.networks.clone(),
        }
    }

    /// Everything that would keep a server from starting, as far as it can be known without starting.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut say = |field: &str, what: String| problems.push(Problem { field: field.into(), what });
        if let Err(error) = access::judge(self.grpc, &self.flagd_access()) {
            say("doors.flagd", error.to_string());
        }
        let plain = self.tls.is_none() && !self.behind_tls_proxy;
        if plain && !self.http.ip().is_loopback() {
            let what = format!(
                "{} can be reached from other machines and tokens would travel in the clear; \
                 give `tls`, set `behind_tls_proxy`, or listen on 127.0.0.1",
                self.http
            );
            say("http", what);
        }
        if let Some(url) = &self.cluster.store
            && let Err(what) = crate::state::etcd(url, &self.cluster)
        {
            say("cluster.store", what);
        }
        if self.http == self.grpc && self.http.port() != 0 {
            say("grpc", format!("{} is the address of `http` too", self.grpc));
        }
        if self.changes.default_seconds == 0 || self.changes.default_seconds > self.changes.max_seconds {
            say("changes.default_seconds", "must lie between 1 and max_seconds".into());
        }
        if self.limits.writes_per_second == 0 {
            say("limits.writes_per_second", "must be at least 1".into());
        }
        for (field, tls) in [("tls", &self.tls), ("doors.flagd.tls", &self.doors.flagd.tls)] {
            let Some(tls) = tls else { continue };
            if let Err(error) = crate::tls::server(tls) {
                say(field, error.to_string());
            }
        }
        problems
    }
}

fn lay(table: &mut Table, path: &str, value: &str) {
    let (head, rest) = path.split_once("__").map_or((path, None), |(head, rest)| (head, Some(rest)));
    match rest {
        None => {
            let read = toml::from_str::<Table>(&format!("v = {value}")).ok().and_then(|mut t| t.remove("v"));
            table.insert(head.to_owned(), read.unwrap_or_else(|| Value::String(value.to_owned())));
        }
        Some(rest) => {
            let inner = table.entry(head).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                lay(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn the_environment_lies_over_the_file() {
        let config = Config::read(
            None,
            env(&[
                ("REIN__HTTP", "127.0.0.1:1"),
                ("REIN__DOORS__FLAGD__TOKENS", "true"),
                ("REIN__CHANGES__MAX_SECONDS", "60"),
                ("REIN_TOKEN_FILE", "not ours"),
            ]),
        )
        .unwrap();
        assert_eq!(config.http.port(), 1);
        assert!(config.doors.flagd.tokens);
        assert_eq!(config.changes.max_seconds, 60);
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (name, value, says) in [
            ("REIN__HTPP", "x", "htpp"),
            ("REIN__HTTP", "nowhere", "nowhere"),
            ("REIN__DOORS__FLAGD__NETWORKS", "[\"10.0.0.0/99\"]", "networks"),
        ] {
            let error = Config::read(None, env(&[(name, value)])).unwrap_err().to_string();
            assert!(error.contains(says) || error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_door_is_never_open_by_accident() {
        let mut config = Config { http: "0.0.0.0:7070".parse().unwrap(), ..Config::default() };
        config.grpc = "0.0.0.0:8015".parse().unwrap();
        let fields: Vec<_> = config.problems().into_iter().map(|p| p.field).collect();
        assert_eq!(fields, ["doors.flagd", "http"]);
        config.doors.flagd.networks = vec!["10.0.0.0/8".parse().unwrap()];
        config.behind_tls_proxy = true;
        assert!(config.problems().is_empty());
    }
}
