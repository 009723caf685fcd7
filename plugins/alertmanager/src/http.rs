//! One request to one server: bounded in time and size, never redirected, never through a proxy.

use crate::address::Guarded;
use crate::settings::Settings;
use crate::split::Splitter;
use rein_plugin::Fault;
use reqwest::header::{AUTHORIZATION, DATE, HeaderValue};
use reqwest::{Client, Method, Response};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// Most bytes of an answer that is kept whole.
pub(crate) const MAX_WHOLE: usize = 8 * 1024 * 1024;
/// Most bytes of a list that is read piece by piece.
const MAX_LIST: usize = 256 * 1024 * 1024;
/// Most bytes of an error's text.
const MAX_ERROR: usize = 1024;

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It was certainly not carried out: nobody was reached.
    NotSent(String),
    /// It was sent, and no whole answer came.
    Lost(String),
    /// The answer is not what Alertmanager answers.
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
    pub(crate) fn of_write(&self, peer: &str) -> Fault {
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

/// The client for one backend.
pub(crate) struct Http {
    client: Client,
    auth: Option<HeaderValue>,
}

impl Http {
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        // A token must not travel through a proxy that some variable names, nor where an answer points to.
        let mut builder = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(Guarded))
            // Less than the whole, so that nobody there is told from nobody answering.
            .connect_timeout(settings.timeout / 2)
            .pool_idle_timeout(Duration::from_secs(20))
            .user_agent(concat!("rein/", env!("CARGO_PKG_VERSION")));
        let urls = settings.peers.iter().chain(&settings.history);
        if urls.into_iter().any(|url| url.starts_with("https:")) {
            // Fails only if a provider is installed already, and then that one is ring as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        } else {
            // Reading the system's certificates takes time and memory: not without need.
            builder = builder.tls_backend_preconfigured(no_tls()?);
        }
        let client = builder.build().map_err(|error| format!("cannot set up HTTP: {}", root(&error)))?;
        Ok(Self { client, auth: settings.auth.clone() })
    }

    /// The same without credentials.
    pub(crate) fn anonymous(&self) -> Self {
        Self { client: self.client.clone(), auth: None }
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        body: Option<String>,
        limit: Duration,
    ) -> Result<Response, Failure> {
        let mut request = self.client.request(method, url).timeout(limit);
        if let Some(auth) = &self.auth {
            request = request.header(AUTHORIZATION, auth);
        }
        if let Some(body) = body {
            request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| failed(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = whole(response, MAX_ERROR).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        // Alertmanager answers with a JSON string, or with an object that has a message.
        let said = match serde_json::from_str(&text) {
            Ok(serde_json::Value::String(said)) => said,
            Ok(serde_json::Value::Object(object)) => {
                object.get("message").and_then(|message| message.as_str()).unwrap_or(&text).to_owned()
            }
            _ => text.trim().to_owned(),
        };
        Err(Failure::Refused(status.as_u16(), said))
    }

    /// The whole answer, parsed, and the server's date.
    pub(crate) async fn get<T: serde::de::DeserializeOwned>(
        &self,
        url: &str,
        limit: Duration,
    ) -> Result<(T, Option<String>), Failure> {
        let response = self.send(Method::GET, url, None, limit).await?;
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok()).map(str::to_owned);
        let body = whole(response, MAX_WHOLE).await?;
        let parsed = serde_json::from_slice(&body).map_err(|error| Failure::Garbage(error.to_string()))?;
        Ok((parsed, date))
    }

    /// Hands every element of a list to `each`, as it arrives.
    pub(crate) async fn each(
        &self,
        url: &str,
        limit: Duration,
        mut each: impl FnMut(&[u8]) -> Result<(), String> + Send,
    ) -> Result<(), Failure> {
        let mut response = self.send(Method::GET, url, None, limit).await?;
        let mut splitter = Splitter::default();
        let mut read = 0;
        while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
            read += piece.len();
            if read > MAX_LIST {
                return Err(Failure::Garbage(format!("its list has more than {MAX_LIST} bytes")));
            }
            splitter.feed(&piece, &mut each).map_err(Failure::Garbage)?;
        }
        splitter.finish().map_err(Failure::Garbage)
    }

    /// Writes.
    pub(crate) async fn post<T: serde::de::DeserializeOwned>(
        &self,
        url: &str,
        body: String,
        limit: Duration,
    ) -> Result<T, Failure> {
        let response = self.send(Method::POST, url, Some(body), limit).await?;
        let body = whole(response, MAX_ERROR).await?;
        serde_json::from_slice(&body).map_err(|error| Failure::Garbage(error.to_string()))
    }

    /// Ends.
    pub(crate) async fn delete(&self, url: &str, limit: Duration) -> Result<(), Failure> {
        self.send(Method::DELETE, url, None, limit).await.map(|_| ())
    }
}

/// At most so many bytes of an answer.
async fn whole(mut response: Response, most: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + piece.len() > most {
            return Err(Failure::Garbage(format!("it has more than {most} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn failed(error: &reqwest::Error) -> Failure {
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
