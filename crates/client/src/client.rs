//! One call: headers, time limit, retries, decoding.

use crate::calls::Answer;
use crate::error::ClientError;
use crate::transport::{BodyStream, SendError, Transport};
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, StreamExt};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rein_api::{ErrorBody, ErrorCode, paths};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// An answer larger than this is nobody's list of switches.
const MAX_ANSWER: usize = 64 << 20;
/// Pauses before a write is sent again under its key.
const AGAIN: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];

/// An idempotency key: a UUIDv7, the caller's to make, so that whoever loses the answer still has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// A key never used before.
    pub fn fresh() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Key {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match uuid::Uuid::try_parse(text) {
            Ok(id) if id.get_version_num() == 7 => Ok(Self(id.to_string())),
            _ => Err("an idempotency key is a UUID of version 7".to_owned()),
        }
    }
}

/// A server, and what this process has seen of it so far.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    token: Option<HeaderValue>,
    limit: Duration,
    seen: Arc<Mutex<Seen>>,
}

/// The highest revision seen; revisions of different epochs do not compare.
#[derive(Default)]
struct Seen {
    epoch: String,
    revision: i64,
}

/// What is to be sent.
pub(crate) struct Call {
    method: Method,
    path: String,
    body: Bytes,
    key: Option<Key>,
}

impl Call {
    pub(crate) fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: Bytes::new(), key: None }
    }
}

impl Client {
    /// A client that sends `token` with every request.
    pub fn new(transport: Arc<dyn Transport>, token: Option<&str>) -> Self {
        let token = token.and_then(|token| {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.trim())).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Self { transport, token, limit: Duration::from_secs(10), seen: Arc::default() }
    }

    /// The same client, giving up on a request after `limit`.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Where requests go.
    pub fn server(&self) -> &str {
        self.transport.server()
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: String) -> Answer<'_, T> {
        self.answer(Ok(Call::get(path)))
    }

    pub(crate) fn ask<T: DeserializeOwned>(&self, path: String, body: &impl Serialize) -> Answer<'_, T> {
        let call = self.encode(body).map(|body| Call { method: Method::POST, path, body, key: None });
        self.answer(call)
    }

    pub(crate) fn write<T: DeserializeOwned>(
        &self,
        method: Method,
        path: String,
        body: &impl Serialize,
        key: &Key,
    ) -> Answer<'_, T> {
        let call = self.encode(body).map(|body| Call { method, path, body, key: Some(key.clone()) });
        self.answer(call)
    }

    pub(crate) fn delete<T: DeserializeOwned>(&self, path: String, key: &Key) -> Answer<'_, T> {
        let call = Call { method: Method::DELETE, path, body: Bytes::new(), key: Some(key.clone()) };
        self.answer(Ok(call))
    }

    /// The only part of a call that knows what is answered, so as little as can be.
    fn answer<T: DeserializeOwned>(&self, call: Result<Call, ClientError>) -> Answer<'_, T> {
        let answer = call.map(|call| self.call(call).boxed());
        Box::pin(async move {
            let body = answer?.await?;
            serde_json::from_slice(&body).map_err(|e| self.protocol(e.to_string()))
        })
    }

    fn encode(&self, body: &impl Serialize) -> Result<Bytes, ClientError> {
        serde_json::to_vec(body).map(Bytes::from).map_err(|e| self.protocol(e.to_string()))
    }

    pub(crate) fn protocol(&self, why: String) -> ClientError {
        ClientError::Protocol { server: self.server().to_owned(), why }
    }

    /// Sends a call. A write whose answer is lost is sent again under the same key: the server
    /// answers a key it knows with the answer it kept, so nothing can happen twice.
    async fn call(&self, call: Call) -> Result<Bytes, ClientError> {
        let mut lost: Option<String> = None;
        for attempt in 0..=AGAIN.len() {
            if attempt > 0 {
                tokio::time::sleep(AGAIN[attempt - 1]).await;
            }
            let why = match (self.once(&call).await, &call.key) {
                (Ok(answer), _) => return Ok(answer),
                (Err(Failed::Said(error)), _) if !is_unknown(&error) => return Err(error),
                (Err(Failed::Said(error)), None) => return Err(error),
                (Err(Failed::Said(error)), Some(_)) => error.to_string(),
                // Never left this machine. If an earlier attempt may have arrived, that one counts.
                (Err(Failed::Unsent(why)), _) if lost.is_none() => {
                    return Err(ClientError::Unreachable { server: self.server().to_owned(), why });
                }
                (Err(Failed::Unsent(_)), _) => continue,
                (Err(Failed::Lost(why)), None) => {
                    return Err(ClientError::Unreachable { server: self.server().to_owned(), why });
                }
                (Err(Failed::Lost(why)), Some(_)) => why,
                (Err(Failed::Silent), None) => {
                    let why = format!("no answer within {} s", self.limit.as_secs());
                    return Err(ClientError::Unreachable { server: self.server().to_owned(), why });
                }
                // Whoever waited this long for nothing is told so, instead of being kept twice longer.
                (Err(Failed::Silent), Some(_)) => {
                    lost = Some(format!("silence for {} s", self.limit.as_secs()));
                    break;
                }
            };
            lost = Some(why);
        }
        let (server, key) = (self.server().to_owned(), call.key.as_ref().map_or("", Key::as_str).to_owned());
        Err(ClientError::UnknownOutcome { server, why: lost.unwrap_or_default(), key })
    }

    async fn once(&self, call: &Call) -> Result<Bytes, Failed> {
        let whole = async {
            let answer = self.transport.send(self.request(call)).await?;
            let (parts, body) = answer.into_parts();
            Ok::<_, Failed>((parts, collect(body).await?))
        };
        let (parts, body) = tokio::time::timeout(self.limit, whole).await.map_err(|_| Failed::Silent)??;
        self.note(&parts.headers);
        self.accepted(parts.status, body).map_err(Failed::Said)
    }

    pub(crate) fn request(&self, call: &Call) -> http::Request<Bytes> {
        let mut request = http::Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        // Every path is made of constants and escaped parts.
        *request.uri_mut() = call.path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if !call.body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(token) = &self.token {
            headers.insert(header::AUTHORIZATION, token.clone());
        }
        if let Some(key) = call.key.as_ref().and_then(|key| HeaderValue::from_str(key.as_str()).ok()) {
            headers.insert(paths::IDEMPOTENCY_KEY, key);
        }
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.revision > 0 {
            headers.insert(paths::SEEN, HeaderValue::from(seen.revision));
        }
        if let Some(epoch) = HeaderValue::from_str(&seen.epoch).ok().filter(|epoch| !epoch.is_empty()) {
            headers.insert(paths::EPOCH, epoch);
        }
        drop(seen);
        request
    }

    /// Remembers how far the server was, so that the next answer is not older than this one.
    pub(crate) fn note(&self, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let (Some(epoch), Some(revision)) = (text(paths::EPOCH), text(paths::REVISION)) else { return };
        let Ok(revision) = revision.parse() else { return };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.epoch != epoch {
            *seen = Seen { epoch: epoch.to_owned(), revision };
        }
        seen.revision = seen.revision.max(revision);
    }

    /// A body that answers, or the error that one tells.
    fn accepted(&self, status: StatusCode, body: Bytes) -> Result<Bytes, ClientError> {
        if status.is_success() {
            return Ok(body);
        }
        match serde_json::from_slice::<ErrorBody>(&body) {
            Ok(body) => Err(ClientError::Refused { body, status: status.as_u16() }),
            Err(_) => Err(self.protocol(format!("status {status} without Rein's error body"))),
        }
    }

    pub(crate) async fn open(&self, call: Call) -> Result<BodyStream, ClientError> {
        let unreachable = |why| ClientError::Unreachable { server: self.server().to_owned(), why };
        let sent = tokio::time::timeout(self.limit, self.transport.send(self.request(&call))).await;
        let answer = sent.map_err(|_| unreachable("no answer".to_owned()))?;
        let (parts, body) = answer.map_err(|e| unreachable(e.to_string()))?.into_parts();
        self.note(&parts.headers);
        if parts.status.is_success() {
            return Ok(body);
        }
        let body = tokio::time::timeout(self.limit, collect(body)).await;
        let body = body.unwrap_or_else(|_| Err(Failed::Silent)).unwrap_or_default();
        self.accepted(parts.status, body).map(|_| futures::stream::empty().boxed())
    }
}

/// The server itself lost sight of a write: the same case as a lost answer.
fn is_unknown(error: &ClientError) -> bool {
    error.code() == Some(ErrorCode::UnknownOutcome)
}

/// One attempt that gave no answer.
enum Failed {
    Unsent(String),
    Lost(String),
    Silent,
    Said(ClientError),
}

impl From<SendError> for Failed {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Connect(why) => Self::Unsent(why),
            SendError::Lost(why) => Self::Lost(why),
        }
    }
}

async fn collect(mut body: BodyStream) -> Result<Bytes, Failed> {
    let mut whole = BytesMut::new();
    while let Some(part) = body.next().await {
        whole.extend_from_slice(&part.map_err(Failed::Lost)?);
        if whole.len() > MAX_ANSWER {
            return Err(Failed::Lost(format!("the answer is larger than {} MiB", MAX_ANSWER >> 20)));
        }
    }
    Ok(whole.freeze())
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
