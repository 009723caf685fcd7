//! TLS of listeners: rustls with ring, TLS 1.2 and 1.3.

use crate::config::Tls;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::Path;
use std::sync::Arc;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct TlsError {
    what: String,
}

fn broken(path: &Path, why: impl std::fmt::Display) -> TlsError {
    TlsError { what: format!("{}: {why}", path.display()) }
}

/// A listener's TLS, without ALPN.
pub(crate) fn server(tls: &Tls) -> Result<ServerConfig, TlsError> {
    let certs = certificates(&tls.cert)?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|e| broken(&tls.key, e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| broken(&tls.cert, e))?;
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for cert in certificates(path)? {
                roots.add(cert).map_err(|e| broken(path, e))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|e| broken(path, e))?)
        }
    };
    builder.with_single_cert(certs, key).map_err(|e| broken(&tls.cert, e))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).map_err(|e| broken(path, e))?;
    let certs: Vec<_> = read.collect::<Result<_, _>>().map_err(|e| broken(path, e))?;
    if certs.is_empty() { Err(broken(path, "no certificate in it")) } else { Ok(certs) }
}

/// The same with ALPN.
pub(crate) fn with_alpn(mut config: ServerConfig, protocols: &[&str]) -> Arc<ServerConfig> {
    config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
    Arc::new(config)
}
