//! How one server asks another for its soft state: one POST, over TLS where the other speaks it.

use async_trait::async_trait;
use rein_api::cluster::{PeerAnswer, PeerQuestion};
use rein_core::cluster::PeerCalls;
use std::path::Path;
use std::time::Duration;

/// The longest one question may take; the asker gives up sooner.
const LONGEST: Duration = Duration::from_secs(2);
/// Most bytes of an answer.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Calls over HTTP.
pub(crate) struct Calls(reqwest::Client);

impl Calls {
    /// `ca`: who signed the certificates of the other servers; without it only public authorities count.
    pub(crate) fn new(ca: Option<&Path>) -> Result<Self, String> {
        let roots = match ca {
            Some(path) => {
                let pem = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| format!("{}: {e}", path.display()))?
            }
            None => Vec::new(),
        };
        // Fails only if a provider is installed already, and then that one is ring as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Peers are named in the store by the servers themselves; nobody is followed elsewhere.
        let client = reqwest::Client::builder()
            .timeout(LONGEST)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_certs_merge(roots)
            .build();
        client.map(Self).map_err(|e| e.to_string())
    }
}

#[async_trait]
impl PeerCalls for Calls {
    async fn ask(&self, address: &str, token: &str, question: &PeerQuestion) -> Result<PeerAnswer, String> {
        let path = format!("{}/v1/peer", address.trim_end_matches('/'));
        let sent = self.0.post(path).bearer_auth(token).json(question).send().await;
        let mut answer = sent.and_then(reqwest::Response::error_for_status).map_err(|e| e.to_string())?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| e.to_string())? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(format!("more than {MAX_ANSWER} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|e| e.to_string())
    }
}
