//! Over TCP, with TLS where the URL says `https`.

use crate::transport::{BodyStream, SendError, Transport};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Long enough for a packet to be resent once, short enough for somebody who waits at 3 am.
const CONNECT: Duration = Duration::from_secs(3);

/// Whose certificates are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those the operating system believes.
    #[default]
    System,
    /// Only those that chain to a certificate in this PEM file.
    File(PathBuf),
}

/// Why no connection can even be attempted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TcpError {
    /// Not a URL of a server.
    #[error("`{}` is not a server's URL; write http://HOST:PORT or https://HOST:PORT", rein_domain::text::clean(.0))]
    Url(String),
    /// The file with certificates cannot be used.
    #[error("{path}: {why}")]
    Certificates {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The HTTP library refuses its settings.
    #[error("cannot set up a connection: {0}")]
    Setup(String),
}

/// A connection pool to one server.
#[derive(Debug, Clone)]
pub struct Tcp {
    client: reqwest::Client,
    base: String,
}

impl Tcp {
    /// A pool for `server`, such as `http://127.0.0.1:7070`. Nothing is connected yet.
    pub fn new(server: &str, trust: &Trust) -> Result<Self, TcpError> {
        let url = reqwest::Url::parse(server).map_err(|_| TcpError::Url(server.to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(TcpError::Url(server.to_owned()));
        }
        // A bearer token must not travel through a proxy that some environment variable names,
        // nor to another host that an answer points to.
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .user_agent(concat!("rein/", env!("CARGO_PKG_VERSION")));
        builder = match (url.scheme(), trust) {
            // Reading the system's certificates takes longer than the whole command: not without need.
            ("http", _) => builder.tls_backend_preconfigured(tls(RootCertStore::empty())?),
            (_, Trust::File(path)) => builder.tls_backend_preconfigured(tls(roots(path)?)?),
            (_, Trust::System) => {
                // Fails only if a provider is installed already, and then that one is ring as well.
                let _ = rustls::crypto::ring::default_provider().install_default();
                builder
            }
        };
        let client = builder.build().map_err(|e| TcpError::Setup(chain(&e)))?;
        Ok(Self { client, base: server.trim_end_matches('/').to_owned() })
    }
}

fn tls(roots: RootCertStore) -> Result<ClientConfig, TcpError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| TcpError::Setup(e.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn roots(path: &PathBuf) -> Result<RootCertStore, TcpError> {
    let bad = |why: String| TcpError::Certificates { path: path.display().to_string(), why };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| bad(e.to_string()))? {
        let certificate = certificate.map_err(|e| bad(e.to_string()))?;
        roots.add(certificate).map_err(|e| bad(e.to_string()))?;
    }
    if roots.is_empty() { Err(bad("holds no certificate in PEM form".to_owned())) } else { Ok(roots) }
}

/// An error with its causes: reqwest's own text says little without them.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}

/// The innermost cause alone: `Connection refused (os error 111)`.
fn root(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}

impl Transport for Tcp {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, SendError>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = format!("{}{}", self.base, parts.uri);
            let sent = self.client.request(parts.method, url).headers(parts.headers).body(body).send().await;
            let answer = sent.map_err(|e| match e.is_connect() || e.is_builder() {
                true => SendError::Connect(root(&e)),
                false => SendError::Lost(root(&e)),
            })?;
            let mut out = http::Response::new(());
            *out.status_mut() = answer.status();
            *out.headers_mut() = answer.headers().clone();
            let body = answer.bytes_stream().map_err(|e| root(&e)).boxed();
            Ok(out.map(|()| body))
        })
    }

    fn server(&self) -> &str {
        &self.base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_url_is_refused_before_anything_is_sent() {
        for bad in ["", "localhost:7070", "ftp://x", "127.0.0.1:7070", "http://"] {
            assert!(matches!(Tcp::new(bad, &Trust::System), Err(TcpError::Url(_))), "{bad}");
        }
        assert!(Tcp::new("http://127.0.0.1:7070/", &Trust::System).unwrap().base.ends_with(":7070"));
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let error = Tcp::new("https://x", &Trust::File("/dev/null".into())).unwrap_err();
        assert_eq!(error.to_string(), "/dev/null: holds no certificate in PEM form");
    }
}
