//! One keep-alive connection to the API, as light as can be: what the client spends, a server on
//! the same cores does not have.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than a healthy server ever takes.
const LIMIT: Duration = Duration::from_secs(15);

/// Where the API is, and by which token.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Api {
    /// The same server by another token.
    pub(crate) fn by(&self, token: &str) -> Self {
        Self { address: self.address, token: token.to_owned() }
    }

    /// A connection, not yet made.
    pub(crate) fn conn(&self) -> Conn {
        Conn { api: self.clone(), sender: None }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Was it a success?
    pub(crate) fn good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, or what went wrong in words.
    pub(crate) fn want(&self, what: &str) -> Result<Value, String> {
        match self.good() {
            true => Ok(self.json()),
            false => Err(format!("{what}: {} {}", self.status, String::from_utf8_lossy(&self.body))),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) key: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Ask {
    /// A read.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// A write under a fresh idempotency key (UUIDv7).
    pub(crate) fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let key = Some(uuid::Uuid::now_v7().to_string());
        Self { method: Method::POST, path: path.into(), key, headers: Vec::new(), body: body.into() }
    }

    /// A definition put in place.
    pub(crate) fn put(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { method: Method::PUT, ..Self::post(path, body) }
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// One connection; made again when it was lost.
pub(crate) struct Conn {
    api: Api,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Conn {
    /// Sends a request and reads the answer to its end. After an error it is not known whether the
    /// server got it; the next call connects anew.
    pub(crate) async fn send(&mut self, ask: &Ask) -> Result<Answer, String> {
        let answer = timeout(LIMIT, self.exchange(ask)).await.unwrap_or_else(|_| Err("no answer".into()));
        if answer.is_err() {
            self.sender = None;
        }
        answer
    }

    async fn exchange(&mut self, ask: &Ask) -> Result<Answer, String> {
        let (parts, body) = self.open(ask).await?.into_parts();
        let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// Sends a request; the body of the answer is the caller's to read.
    pub(crate) async fn open(&mut self, ask: &Ask) -> Result<http::Response<Incoming>, String> {
        if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
            let socket = TcpStream::connect(self.api.address).await.map_err(|e| e.to_string())?;
            socket.set_nodelay(true).map_err(|e| e.to_string())?;
            let (sender, connection) = handshake(TokioIo::new(socket)).await.map_err(|e| e.to_string())?;
            tokio::spawn(connection);
            self.sender = Some(sender);
        }
        let sender = self.sender.as_mut().ok_or("no connection")?;
        sender.ready().await.map_err(|e| e.to_string())?;
        sender.send_request(request(&self.api, ask)?).await.map_err(|e| e.to_string())
    }
}

fn request(api: &Api, ask: &Ask) -> Result<Request<Full<Bytes>>, String> {
    let mut request = Request::builder()
        .method(&ask.method)
        .uri(&ask.path)
        .header("host", api.address.to_string())
        .header("authorization", format!("Bearer {}", api.token))
        .header("content-type", "application/json");
    if let Some(key) = &ask.key {
        request = request.header("idempotency-key", key);
    }
    for (name, value) in &ask.headers {
        request = request.header(*name, value);
    }
    request.body(Full::new(ask.body.clone())).map_err(|e| e.to_string())
}
