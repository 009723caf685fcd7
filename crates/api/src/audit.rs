//! The audit trail.

use crate::time::At;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    /// The lane it stands in.
    pub lane: String,
    /// Its number there, from 1.
    pub seq: u64,
    /// When.
    pub at: At,
    /// Who.
    pub actor: String,
    /// What.
    pub verb: String,
    /// On what.
    pub targets: Vec<String>,
    /// The change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Before → after, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Not older than this many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_seconds: Option<u64>,
    /// At most this many, newest first; 1 to 1000, default 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `true`: also what instances did by themselves: that they registered, and went. They are in the trail
    /// in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrations: Option<bool>,
}

/// Entries, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditList {
    /// The entries.
    pub entries: Vec<AuditView>,
}

/// What is needed to verify the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditHeads {
    /// The server's public key (Ed25519), in hex. Pin it outside.
    pub key: String,
    /// Signed checkpoints, oldest first, at most the newest 1000.
    pub checkpoints: Vec<CheckpointView>,
    /// Lanes and how many entries each has.
    pub lanes: BTreeMap<String, u64>,
}

/// All lane heads at one moment, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckpointView {
    /// Milliseconds since the Unix epoch.
    pub at: i64,
    /// Heads by lane.
    pub heads: BTreeMap<String, HeadView>,
    /// Hash of the checkpoint before, in hex.
    pub previous: String,
    /// Ed25519, in hex.
    pub signature: String,
}

/// A lane's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeadView {
    /// How many entries.
    pub seq: u64,
    /// Hash up to there, in hex.
    pub hash: String,
}

/// Which part of a lane.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct LaneQuery {
    /// Only entries after this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// At most this many; 1 to 1000, default 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Raw entries of a lane with their hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LaneView {
    /// In order.
    pub links: Vec<LinkView>,
}

/// One raw entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkView {
    /// Its number.
    pub seq: u64,
    /// Hash of the chain up to here, in hex.
    pub hash: String,
    /// The entry's bytes, which the chain covers: JSON as text.
    pub body: String,
}
