//! Backups: everything a store holds, as sealed lines of JSON (`rein_domain::seal`).
//!
//! The first line is the [`Header`], then come records in key order, then lanes, entry by entry. `take.rs`
//! writes, `read.rs` checks, `restore.rs` brings a checked file into an empty store. What belongs to a
//! running server (sessions, who leads) is not in it; neither is any key or secret, since none is in a store.

mod read;
mod restore;
mod take;

pub use read::{BackupError, examine};
pub use restore::{RestoreError, Restored, restore};
pub use take::stream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rein_domain::audit::Head;
use rein_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format this version writes, and the newest it reads.
pub const FORMAT: u32 = 1;

/// What a backup is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The format.
    pub format: u32,
    /// The version of Rein that wrote it.
    pub rein: String,
    /// The store's epoch.
    pub epoch: String,
    /// The revision of all of it.
    pub revision: i64,
    /// When it was taken.
    pub at: Timestamp,
    /// The least writer that the store takes.
    pub min_writer: u32,
    /// How many records.
    pub records: u64,
    /// Where each lane ends.
    pub lanes: BTreeMap<String, Head>,
}

impl Header {
    /// How many audit entries.
    pub fn entries(&self) -> u64 {
        self.lanes.values().map(|head| head.seq).sum()
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Backup(Header),
    Record(Record),
    Entry(Link),
}

/// A record: its key, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    key: Spelled,
    value: Spelled,
}

/// An entry of a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Link {
    lane: String,
    seq: u64,
    hash: String,
    body: Spelled,
}

/// Bytes: as text where they are text, else in base 64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Spelled {
    Text(String),
    Bytes { base64: String },
}

impl From<&[u8]> for Spelled {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes { base64: STANDARD.encode(bytes) },
        }
    }
}

impl Spelled {
    fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.into_bytes()),
            Self::Bytes { base64 } => STANDARD.decode(base64).ok(),
        }
    }
}
