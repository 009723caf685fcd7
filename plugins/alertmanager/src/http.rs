//! One request to one server: bounded in time and size, never redirected, never through a proxy.

use crate::settings::Settings;
use crate::split::Splitter;
pub(crate) use rein_plugin_http::Failure;
use rein_plugin_http::{failed, whole};
use reqwest::header::{AUTHORIZATION, DATE, HeaderValue};
use reqwest::{Client, Method, Response};
use std::time::Duration;

/// Most bytes of an answer that is kept whole.
pub(crate) const MAX_WHOLE: usize = 8 * 1024 * 1024;
/// Most bytes of a list that is read piece by piece.
const MAX_LIST: usize = 256 * 1024 * 1024;
/// Most bytes of an error's text.
const MAX_ERROR: usize = 1024;

/// The client for one backend.
pub(crate) struct Http {
    client: Client,
    auth: Option<HeaderValue>,
}

impl Http {
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        let urls = settings.peers.iter().chain(&settings.history);
        let client = rein_plugin_http::client(urls, settings.timeout)?;
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
