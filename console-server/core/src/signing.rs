//! The audit trail's key, and where signed checkpoints are shipped.

use crate::error::AppError;
use rein_api::ErrorCode;
use rein_domain::audit::{Checkpoint, hex};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Signs checkpoints (Ed25519, RFC 8032).
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
}

impl Signer {
    /// Reads the key, or makes one (mode 0600) with its public half beside it (`.pub`, hex).
    pub(crate) fn open(path: &Path) -> Result<Self, AppError> {
        let broken = |what: String| {
            AppError::new(ErrorCode::Unavailable, format!("audit key {}: {what}", path.display()))
        };
        let document = match std::fs::read(path) {
            Ok(document) => document,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let fresh = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                    .map_err(|_| broken("no randomness".into()))?;
                let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
                let written = file.and_then(|mut f| f.write_all(fresh.as_ref()).and_then(|()| f.sync_all()));
                written.map_err(|e| broken(e.to_string()))?;
                fresh.as_ref().to_vec()
            }
            Err(error) => return Err(broken(error.to_string())),
        };
        let pair = Ed25519KeyPair::from_pkcs8(&document).map_err(|e| broken(e.to_string()))?;
        let signer = Self { pair };
        let public = path.with_extension("pub");
        std::fs::write(&public, format!("{}\n", signer.public())).map_err(|e| broken(e.to_string()))?;
        Ok(signer)
    }

    /// The public key, in hex.
    pub(crate) fn public(&self) -> String {
        hex(self.pair.public_key().as_ref())
    }

    pub(crate) fn sign(&self, mut checkpoint: Checkpoint) -> Checkpoint {
        checkpoint.signature = hex(self.pair.sign(&checkpoint.signed_bytes()).as_ref());
        checkpoint
    }
}

/// Appends checkpoints to files elsewhere. A place that fails is tried again with the next
/// one; shipping never delays a change.
pub(crate) struct Ship {
    places: Vec<(PathBuf, Vec<String>)>,
}

impl Ship {
    pub(crate) fn new(places: Vec<PathBuf>) -> Self {
        Self { places: places.into_iter().map(|p| (p, Vec::new())).collect() }
    }

    pub(crate) fn send(&mut self, checkpoint: &Checkpoint) {
        let Ok(line) = serde_json::to_string(checkpoint) else { return };
        for (_, waiting) in &mut self.places {
            // A place that is gone for long costs bounded memory; a later head covers earlier ones.
            if waiting.len() >= 1000 {
                waiting.remove(0);
            }
            waiting.push(line.clone());
        }
        self.retry();
    }

    pub(crate) fn retry(&mut self) {
        for (path, waiting) in &mut self.places {
            if waiting.is_empty() {
                continue;
            }
            let append = || -> std::io::Result<()> {
                let mut file: File = OpenOptions::new().append(true).create(true).mode(0o600).open(&*path)?;
                file.write_all((waiting.join("\n") + "\n").as_bytes())?;
                file.sync_data()
            };
            match append() {
                Ok(()) => waiting.clear(),
                Err(error) => {
                    tracing::warn!(place = %path.display(), %error, "checkpoints wait to be shipped");
                }
            }
        }
    }
}
