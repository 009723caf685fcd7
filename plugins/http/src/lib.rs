//! What plugins that speak HTTP have in common: a client that is bounded in time and size, never redirected,
//! never goes through a proxy, and judges addresses when it dials them. What may not live here: any one
//! backend's API.

mod address;

use crate::address::Guarded;
use rein_plugin::address::check_url;
use rein_plugin::{Configuration, Fault};
use reqwest::header::HeaderValue;
use reqwest::{Client, Response};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// Secrets from which `Authorization` is made.
pub const SECRETS: [&str; 3] = ["bearer_token", "basic_user", "basic_password"];

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It was certainly not carried out: nobody was reached.
    NotSent(String),
    /// It was sent, and no whole answer came.
    Lost(String),
    /// The answer is not what this kind of server answers.
    Garbage(String),
    /// The server answered that it failed.
    Refused(u16, String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotSent(why) => write!(f, "cannot be reached: {why}"),
            Self::Lost(why) => write!(f, "gave no whole answer: {why}"),
            Self::Garbage(why) => write!(f, "gave an answer that cannot be used: {why}"),
            Self::Refused(status @ (401 | 403), _) => {
                write!(f, "refuses the credentials ({status}); look at the backend's secrets")
            }
            Self::Refused(status @ 300..=399, _) => {
                write!(f, "redirects ({status}), which is never followed; configure the URL it redirects to")
            }
            Self::Refused(status, why) => write!(f, "answers {status}: {why}"),
        }
    }
}

impl Failure {
    /// What a failed write comes to.
    pub fn of_write(&self, peer: &str) -> Fault {
        let text = format!("{peer} {self}");
        match self {
            Self::NotSent(_) => Fault::Unreachable(text),
            // A gateway may answer 5xx after the write has passed it.
            Self::Lost(_) | Self::Garbage(_) | Self::Refused(500.., _) => Fault::Unknown(text),
            Self::Refused(400 | 422, _) => Fault::Invalid(text),
            Self::Refused(..) => Fault::NotDone(text),
        }
    }
}

/// The client for these servers; `timeout` is what a whole request may take.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client<'a>(urls: impl IntoIterator<Item = &'a String>, timeout: Duration) -> Result<Client, String> {
    // A token must not travel through a proxy that some variable names, nor where an answer points to.
    let mut builder = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(Arc::new(Guarded))
        // Less than the whole, so that nobody there is told from nobody answering.
        .connect_timeout(timeout / 2)
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent(concat!("rein/", env!("CARGO_PKG_VERSION")));
    if urls.into_iter().any(|url| url.starts_with("https:")) {
        // Fails only if a provider is installed already, and then that one is ring as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    } else {
        // Reading the system's certificates takes time and memory: not without need.
        builder = builder.tls_backend_preconfigured(no_tls()?);
    }
    builder.build().map_err(|error| format!("cannot set up HTTP: {}", root(&error)))
}

/// At most so many bytes of an answer.
///
/// # Errors
/// When there are more, or the connection breaks.
pub async fn whole(mut response: Response, most: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + piece.len() > most {
            return Err(Failure::Garbage(format!("it has more than {most} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// What became of a request that has no answer.
pub fn failed(error: &reqwest::Error) -> Failure {
    let why = root(error);
    if error.is_connect() || error.is_builder() {
        Failure::NotSent(if error.is_timeout() { "connecting took too long".into() } else { why })
    } else if error.is_timeout() {
        Failure::Lost("it took too long".into())
    } else {
        Failure::Lost(why)
    }
}

/// The innermost cause alone: `Connection refused (os error 111)`.
fn root(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}

fn no_tls() -> Result<ClientConfig, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// A base URL without a slash at its end.
///
/// # Errors
/// When it is none, or must not be called.
pub fn base(text: &str) -> Result<String, String> {
    let url = check_url(text).map_err(|error| error.to_string())?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end with its path; leave ? and # away".into());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Does the URL name this machine?
pub fn is_loopback(url: &str) -> bool {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."))
}

/// `Authorization`, from [`SECRETS`].
///
/// # Errors
/// When they do not belong together, or HTTP cannot carry them.
pub fn auth(configuration: &Configuration) -> Result<Option<HeaderValue>, String> {
    let secret = |name: &str| configuration.secrets.get(name).map(String::as_str);
    let text = match SECRETS.map(secret) {
        [None, None, None] => return Ok(None),
        [Some(token), None, None] => format!("Bearer {token}"),
        [None, Some(user), Some(password)] if !user.contains(':') => {
            format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
        }
        [None, Some(_), Some(_)] => return Err("the secret basic_user must not hold a colon".into()),
        _ => return Err("give the secret bearer_token, or both basic_user and basic_password".into()),
    };
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| "a secret holds a line break or another character that HTTP cannot carry")?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
