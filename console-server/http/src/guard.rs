//! Host and Origin lists: a page in a browser, or a name rebound to loopback, gets no answer.

use crate::App;
use crate::answer::Refusal;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{HOST, ORIGIN};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rein_api::ErrorCode;
use rein_core::AppError;
use std::collections::BTreeSet;

/// Names under which this server may be addressed, and pages that may address it.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// Host names without port.
    pub hosts: BTreeSet<String>,
    /// Whole origins, such as `https://rein.example.com`.
    pub origins: BTreeSet<String>,
}

impl Allowed {
    /// Loopback under its usual names, and those given.
    pub fn with(hosts: impl IntoIterator<Item = String>, origins: impl IntoIterator<Item = String>) -> Self {
        let loopback = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        let hosts = hosts.into_iter().map(|h| h.to_ascii_lowercase()).chain(loopback).collect();
        Self { hosts, origins: origins.into_iter().collect() }
    }

    fn host(&self, host: &str) -> bool {
        let name = match host.rfind(':') {
            Some(at) if !host.ends_with(']') => &host[..at],
            _ => host,
        };
        self.hosts.contains(&name.to_ascii_lowercase())
    }
}

pub(crate) async fn judge(State(app): State<App>, request: Request, next: Next) -> Response {
    match refusal(&app.allowed, &request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    }
}

fn refusal(allowed: &Allowed, request: &Request) -> Option<Response> {
    let header = |name| {
        let value: Option<&HeaderValue> = request.headers().get(name);
        value.map(|v| v.to_str().unwrap_or_default().to_owned())
    };
    // HTTP/2 carries the host in the request line.
    let host = header(HOST).or_else(|| request.uri().authority().map(ToString::to_string));
    if !host.as_deref().is_some_and(|host| allowed.host(host)) {
        return Some(refuse(
            "the Host header names a server this is not",
            "add the name to `allowed_hosts` in the server's configuration",
        ));
    }
    if header(ORIGIN).is_some_and(|origin| !allowed.origins.contains(&origin)) {
        return Some(refuse(
            "requests from that origin are not taken",
            "add it to `allowed_origins` in the server's configuration",
        ));
    }
    None
}

fn refuse(what: &str, hint: &str) -> Response {
    Refusal(AppError::new(ErrorCode::HostRefused, what).hint(hint)).into_response()
}
