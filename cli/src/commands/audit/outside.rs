//! What is kept outside the server: a key, signed heads.

use crate::error::CliError;
use rein_api::audit::{AuditHeads, CheckpointView};
use rein_domain::audit::{Checkpoint, Head, unhex};
use rein_domain::time::Timestamp;
use std::path::Path;

/// A public key from hex, or from a file that holds hex.
pub(super) fn key(text: &str) -> Result<Vec<u8>, CliError> {
    let hex = match std::fs::read_to_string(text) {
        Ok(file) => file.trim().to_owned(),
        Err(_) => text.trim().to_owned(),
    };
    match unhex(&hex).filter(|key| key.len() == 32) {
        Some(key) => Ok(key),
        None => {
            Err(CliError::usage(format!("{text} is neither a key of 32 bytes in hex nor a file with one"))
                .hint("rein audit heads   # shows the server's key; pin it outside"))
        }
    }
}

/// Checkpoints from a file: the answer of `rein audit heads -o json`, checkpoints, or a list of
/// them; one after another or one a line.
pub(super) fn heads(path: &Path) -> Result<Vec<Checkpoint>, CliError> {
    let bad = |why: String| CliError::usage(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| bad(e.to_string()))?;
    let mut all = Vec::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>() {
        let value = value.map_err(|e| bad(e.to_string()))?;
        let read = if value.get("checkpoints").is_some() {
            serde_json::from_value::<AuditHeads>(value).map(|heads| heads.checkpoints)
        } else if value.is_array() {
            serde_json::from_value::<Vec<CheckpointView>>(value)
        } else {
            serde_json::from_value::<CheckpointView>(value).map(|one| vec![one])
        };
        all.extend(read.map_err(|e| bad(format!("is not a list of signed heads: {e}")))?);
    }
    if all.is_empty() {
        return Err(bad("holds no signed heads".to_owned()));
    }
    Ok(all.into_iter().map(checkpoint).collect())
}

/// As the domain knows it.
pub(super) fn checkpoint(view: CheckpointView) -> Checkpoint {
    let heads = view.heads.into_iter().map(|(lane, head)| (lane, Head { seq: head.seq, hash: head.hash }));
    Checkpoint {
        at: Timestamp(view.at),
        heads: heads.collect(),
        previous: view.previous,
        signature: view.signature,
    }
}
