//! Held stores: what would come back, and the word that lets it.

use crate::changes::ChangeView;
use crate::time::At;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a store is held, and what would come back if it were accepted as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldView {
    /// Is it held?
    pub held: bool,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<At>,
    /// When the backup was taken: definitions, tokens and incidents are as they were then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<At>,
    /// The revision of this answer; name it when accepting.
    pub revision: i64,
    /// Lanes of the audit trail that are not what was shipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<BehindView>,
    /// Changes that would be in force again, those that end first first.
    pub changes: Vec<ChangeView>,
    /// What would be done in backends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<ComingWriteView>,
    /// How many switches and backends are declared.
    pub definitions: u32,
    /// How many tokens are good, also such as were revoked since.
    pub tokens: u32,
}

/// A lane that is not what a shipped checkpoint has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BehindView {
    /// The file it was shipped to.
    pub place: String,
    /// The lane.
    pub lane: String,
    /// Entries that the checkpoint has seen.
    pub shipped: u64,
    /// Entries that are here.
    pub here: u64,
    /// When the checkpoint was signed.
    pub at: At,
}

/// What would be done in a cell of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComingWriteView {
    /// The cell: `BACKEND/KEY`.
    pub cell: String,
    /// The change it is for.
    pub change: String,
    /// `kept`, `written` or `put back`.
    pub what: String,
}

/// Lets a held store go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptRequest {
    /// Changes that are ended first, so that they do not come back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub end: Vec<String>,
    /// The revision of the list that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<i64>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AcceptedView {
    /// Changes that were ended.
    pub ended: Vec<String>,
    /// Changes in force again.
    pub changes: Vec<String>,
}
