//! How a store over etcd is found: addresses, prefix, TLS, user. Pure; nothing here connects.

use std::fmt;
use std::time::Duration;

/// etcd's usual port for clients.
const PORT: u16 = 2379;
const PREFIX: &str = "rein/";

/// How to reach a store over etcd; see [`EtcdOptions::parse`].
#[derive(Clone, PartialEq, Eq)]
pub struct EtcdOptions {
    /// The members as `host:port`; all of one cluster.
    pub endpoints: Vec<String>,
    /// What every key of the store begins with; ends with `/`.
    pub prefix: String,
    /// Encrypts, and proves who is who; plain text without it.
    pub tls: Option<EtcdTls>,
    /// Name and password, when etcd asks for them.
    pub user: Option<(String, String)>,
    /// How long one call may take, failover included. Default 2 s.
    pub timeout: Duration,
}

/// Certificates as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct EtcdTls {
    /// Who signed the members' certificates. No other roots are trusted.
    pub ca: Vec<u8>,
    /// Certificate and key by which the members know this client, when they ask for them.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// The name in the members' certificates when it is not the host in their address.
    pub domain: Option<String>,
}

/// What is wrong with an address of a store over etcd.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EtcdUrlError {
    /// It does not begin with `etcd://`.
    #[error("{0:?} is no etcd address: write etcd://HOST:PORT,HOST:PORT[/PREFIX]")]
    Scheme(String),
    /// A member has no host.
    #[error("a member without a host: write etcd://HOST:PORT,HOST:PORT[/PREFIX]")]
    Host,
    /// A port is none.
    #[error("{0:?} is no port: a number from 1 to 65535")]
    Port(String),
    /// The same member twice.
    #[error("{0} is named twice")]
    Twice(String),
    /// Secrets in an address end up in logs and process lists.
    #[error("an address holds no user and no password: they have options of their own")]
    Secret,
    /// A prefix with an empty part, or with what is not plain text.
    #[error("{0:?} is no prefix: letters, digits, `.`, `_` and `-`, in parts divided by one `/` each")]
    Prefix(String),
}

impl EtcdOptions {
    /// Reads `etcd://host:port,host:port[/prefix]`. Without a port it is 2379, without a prefix `rein/`; an
    /// IPv6 address stands in brackets.
    ///
    /// # Errors
    /// See [`EtcdUrlError`].
    pub fn parse(url: &str) -> Result<Self, EtcdUrlError> {
        if url.contains('@') {
            return Err(EtcdUrlError::Secret);
        }
        let rest = url.strip_prefix("etcd://").ok_or_else(|| EtcdUrlError::Scheme(url.to_owned()))?;
        let (members, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut endpoints: Vec<String> = Vec::new();
        for member in members.split(',') {
            let endpoint = endpoint(member)?;
            if endpoints.contains(&endpoint) {
                return Err(EtcdUrlError::Twice(endpoint));
            }
            endpoints.push(endpoint);
        }
        Ok(Self { endpoints, prefix: prefix(path)?, tls: None, user: None, timeout: Duration::from_secs(2) })
    }
}

fn endpoint(member: &str) -> Result<String, EtcdUrlError> {
    let (host, port) = match member.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inner, port)) => (&member[..inner.len() + 2], port.strip_prefix(':')),
        None => member.split_once(':').map_or((member, None), |(host, port)| (host, Some(port))),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_[]:".contains(c);
    if host.is_empty() || !host.chars().all(plain) || host == "[]" {
        return Err(EtcdUrlError::Host);
    }
    let port = match port {
        None => PORT,
        Some(text) => match text.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(EtcdUrlError::Port(text.to_owned())),
        },
    };
    Ok(format!("{host}:{port}"))
}

fn prefix(path: &str) -> Result<String, EtcdUrlError> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(PREFIX.to_owned());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if path.split('/').any(|part| part.is_empty() || !part.chars().all(plain)) {
        return Err(EtcdUrlError::Prefix(path.to_owned()));
    }
    Ok(format!("{path}/"))
}

impl fmt::Debug for EtcdOptions {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdOptions")
            .field("endpoints", &self.endpoints)
            .field("prefix", &self.prefix)
            .field("tls", &self.tls)
            .field("user", &self.user.as_ref().map(|(name, _)| name))
            .field("timeout", &self.timeout)
            .finish()
    }
}

impl fmt::Debug for EtcdTls {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdTls")
            .field("identity", &self.identity.is_some())
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_members_and_a_prefix() {
        for (url, endpoints, prefix) in [
            ("etcd://a:1,b.example:65535", vec!["a:1", "b.example:65535"], "rein/"),
            ("etcd://a", vec!["a:2379"], "rein/"),
            ("etcd://a/", vec!["a:2379"], "rein/"),
            ("etcd://a:1/shop/eu-1", vec!["a:1"], "shop/eu-1/"),
            ("etcd://a:1/shop/", vec!["a:1"], "shop/"),
            ("etcd://[::1]:7,[fe80::2]", vec!["[::1]:7", "[fe80::2]:2379"], "rein/"),
        ] {
            let options = EtcdOptions::parse(url).unwrap();
            assert_eq!(
                (options.endpoints, options.prefix.as_str()),
                (endpoints.iter().map(|e| (*e).into()).collect(), prefix),
                "{url}"
            );
        }
    }

    #[test]
    fn a_bad_address_is_refused_with_what_is_wrong() {
        use EtcdUrlError::{Host, Port, Prefix, Scheme, Secret, Twice};
        for (url, error) in [
            ("http://a:1", Scheme("http://a:1".into())),
            ("a:1", Scheme("a:1".into())),
            ("etcd://", Host),
            ("etcd://a:1,", Host),
            ("etcd://:1", Host),
            ("etcd://[]:1", Host),
            ("etcd://a b:1", Host),
            ("etcd://a:1,b:x", Port("x".into())),
            ("etcd://a:0", Port("0".into())),
            ("etcd://a:70000", Port("70000".into())),
            ("etcd://a:", Port(String::new())),
            ("etcd://a,a:2379", Twice("a:2379".into())),
            ("etcd://root:secret@a:1", Secret),
            ("etcd://a:1//x", Prefix("/x".into())),
            ("etcd://a:1/x?y=1", Prefix("x?y=1".into())),
        ] {
            assert_eq!(EtcdOptions::parse(url), Err(error), "{url}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let mut options = EtcdOptions::parse("etcd://a").unwrap();
        options.user = Some(("ada".into(), "hunter2".into()));
        options.tls = Some(EtcdTls { ca: vec![], identity: Some((vec![], b"-----".to_vec())), domain: None });
        let shown = format!("{options:?}");
        assert!(shown.contains("ada") && !shown.contains("hunter2") && !shown.contains("45"), "{shown}");
    }
}
