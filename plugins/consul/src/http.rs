//! Requests to agents: bounded in time and size, never redirected, never through a proxy, and none to an address
//! that is refused.

use crate::settings::Settings;
use rein_plugin::Fault;
pub(crate) use rein_plugin_http::Failure;
use rein_plugin_http::{failed, whole};
use reqwest::{Client, Method, Response, Url};
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Most bytes of one answer.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// Most bytes of an error's text.
const MAX_ERROR: usize = 1024;
/// For all addresses together: a call of Rein ends after 2 seconds, and its own words say more than that.
pub(crate) const MOST: Duration = Duration::from_millis(1800);
/// How long Consul keeps a question open until something alters. It adds up to a sixteenth.
pub(crate) const WAIT: Duration = Duration::from_secs(30);

/// Where a question goes, and what goes with it.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    parts: Vec<String>,
    query: Vec<(&'static str, String)>,
}

impl Path {
    /// Beneath `/v1`. Each part is one, whatever characters it has.
    pub(crate) fn new(parts: &[&str]) -> Self {
        Self { parts: parts.iter().map(|part| (*part).to_owned()).collect(), query: Vec::new() }
    }

    pub(crate) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    fn url(&self, base: &str) -> Option<Url> {
        // They would be taken for steps.
        if self.parts.iter().any(|part| matches!(part.as_str(), "" | "." | "..")) {
            return None;
        }
        let mut url = Url::parse(base).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().push("v1").extend(&self.parts);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Some(url)
    }
}

/// An answer, and the index it stands at; 0 where none was told.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) index: u64,
    /// Whether the server denies what no token allows.
    pub(crate) denies: bool,
}

/// The client for one datacenter.
pub(crate) struct Http {
    client: Client,
    settings: Settings,
    /// Who is asked now.
    current: AtomicUsize,
}

impl Http {
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        // A pattern's own text is no URL, and says whether TLS is needed all the same.
        let patterns: Vec<String> =
            settings.patterns.iter().filter_map(|one| one.url("node", "10.0.0.7")).collect();
        let urls = settings.addresses.iter().chain(&settings.agents).chain(&patterns);
        let client = rein_plugin_http::client(urls, settings.timeout)?;
        Ok(Self { client, settings: settings.clone(), current: AtomicUsize::new(0) })
    }

    async fn send(
        &self,
        method: Method,
        base: &str,
        path: &Path,
        body: Option<String>,
        limit: Duration,
    ) -> Result<Response, Failure> {
        let url = path
            .url(base)
            .ok_or_else(|| Failure::Refused(400, "Consul cannot be asked for this name".to_owned()))?;
        let mut request = self.client.request(method, url).timeout(limit);
        if let Some(token) = &self.settings.token {
            request = request.header("X-Consul-Token", token);
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
        let said = String::from_utf8_lossy(&text).trim().to_owned();
        let said =
            if said.is_empty() { "it takes no such name, or no such request".to_owned() } else { said };
        Err(Failure::Refused(status.as_u16(), said))
    }

    /// Asks one agent once.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        base: &str,
        path: &Path,
        limit: Duration,
    ) -> Result<Answer<T>, Failure> {
        let response = self.send(Method::GET, base, path, None, limit).await?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let index = header("x-consul-index").and_then(|text| text.parse().ok()).unwrap_or(0);
        let denies = header("x-consul-default-acl-policy") == Some("deny");
        let body = whole(response, MAX_ANSWER).await?;
        let value = serde_json::from_slice(&body).map_err(|error| Failure::Garbage(error.to_string()))?;
        Ok(Answer { value, index, denies })
    }

    /// Tells one agent something, once.
    pub(crate) async fn put(&self, base: &str, path: &Path, body: Option<String>) -> Result<(), Failure> {
        self.send(Method::PUT, base, path, body, self.settings.timeout).await.map(drop)
    }

    /// Asks one address after the other for the datacenter, until one answers.
    pub(crate) async fn read<T: DeserializeOwned>(&self, path: Path) -> Result<Answer<T>, Fault> {
        let path = self.of_datacenter(path);
        let end = Instant::now() + MOST.max(self.settings.timeout);
        let mut last = Fault::Unreachable("there is no agent to ask".into());
        for _ in 0..self.settings.addresses.len() {
            let address = self.address();
            let limit = self.settings.timeout.min(end.saturating_duration_since(Instant::now()));
            if limit.is_zero() {
                break;
            }
            match self.get(&address, &path, limit).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => {
                    last = of_read(&failure, &address);
                    if !matches!(last, Fault::Unreachable(_)) {
                        return Err(last);
                    }
                    self.turn_away(&address);
                }
            }
        }
        Err(last)
    }

    /// Waits until the answer stands at another index than this one.
    pub(crate) async fn block<T: DeserializeOwned>(
        &self,
        path: Path,
        index: u64,
    ) -> Result<Answer<T>, Fault> {
        let path = self.of_datacenter(path);
        let (path, limit) = match index {
            0 => (path, self.settings.timeout),
            index => {
                let path = path.with("index", index.to_string()).with("wait", format!("{}s", WAIT.as_secs()));
                (path, WAIT + WAIT / 16 + self.settings.timeout)
            }
        };
        let address = self.address();
        self.get(&address, &path, limit).await.map_err(|failure| {
            self.turn_away(&address);
            of_read(&failure, &address)
        })
    }

    pub(crate) fn of_datacenter(&self, path: Path) -> Path {
        match self.settings.datacenter.as_str() {
            "" => path,
            name => path.with("dc", name),
        }
    }

    /// Whom to ask now.
    pub(crate) fn address(&self) -> String {
        let at = self.current.load(Ordering::Relaxed);
        self.settings.addresses.get(at).cloned().unwrap_or_default()
    }

    /// One did not serve. Of many calls that notice so at the same time one moves on.
    fn turn_away(&self, address: &str) {
        let Some(at) = self.settings.addresses.iter().position(|one| one == address) else { return };
        let next = (at + 1) % self.settings.addresses.len().max(1);
        let _ = self.current.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// What a failed question comes to.
pub(crate) fn of_read(failure: &Failure, address: &str) -> Fault {
    let text = said(failure, address);
    match failure {
        // Without a leader, without servers, or asked too often.
        Failure::NotSent(_) | Failure::Lost(_) | Failure::Refused(429 | 500.., _) => Fault::Unreachable(text),
        _ => Fault::NotDone(text),
    }
}

/// What a failed write comes to. What an agent refuses was not done.
pub(crate) fn of_write(failure: &Failure, address: &str) -> Fault {
    match failure {
        Failure::Refused(..=499, _) => Fault::NotDone(said(failure, address)),
        other => other.of_write(address),
    }
}

fn said(failure: &Failure, address: &str) -> String {
    match failure {
        Failure::Refused(401 | 403, why) => {
            format!("{address} refuses the token, or the lack of one: {why}; the secret is called token")
        }
        other => format!("{address} {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_path_stays_one() {
        let url =
            |part: &str| Path::new(&["agent", "service", part]).url("http://x:1/base").map(String::from);
        assert_eq!(
            url("a/../b?c#d %").as_deref(),
            Some("http://x:1/base/v1/agent/service/a%2F..%2Fb%3Fc%23d%20%25")
        );
        for step in ["", ".", ".."] {
            assert_eq!(url(step), None);
        }
        let asked = Path::new(&["a"]).with("reason", "b&c=d").url("http://x:1").map(String::from);
        assert_eq!(asked.as_deref(), Some("http://x:1/v1/a?reason=b%26c%3Dd"));
    }
}
