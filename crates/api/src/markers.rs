//! Markers: changes that were made elsewhere; and the sources they come from.

use crate::time::At;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Records a change that was made elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkerRequest {
    /// What kind of change: a lower-case word, such as `deploy`, `config` or `migration`.
    pub kind: String,
    /// What was changed.
    pub service: String,
    /// What it runs since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who made the change, such as `ci`; absent: the holder of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it was made; absent: now. Not with `ago_seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    /// How long ago it was made, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ago_seconds: Option<u64>,
    /// Anything else worth knowing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A change that was made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarkerView {
    /// Its identity.
    pub id: String,
    /// What kind of change.
    pub kind: String,
    /// What was changed.
    pub service: String,
    /// What it runs since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it ran before, where nobody recorded the change: the metrics of the backend that `by` names showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Who made it, as whoever recorded it claims.
    pub by: String,
    /// Whose token recorded it.
    pub actor: String,
    /// When it was made.
    pub at: At,
    /// When it was recorded.
    pub recorded: At,
    /// Anything else worth knowing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarkedView {
    /// The marker.
    #[serde(flatten)]
    pub marker: MarkerView,
    /// Has the service registered, or is it declared? One that is only measured is not known here.
    pub known: bool,
    /// If not: names like it that are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<String>,
}

/// Which markers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct MarkerQuery {
    /// Only of this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Made not longer ago than so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_seconds: Option<u64>,
    /// At most this many, newest first; 1 to 1000, default 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Markers, the newest change first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarkerList {
    /// The markers.
    pub markers: Vec<MarkerView>,
}

/// A declared source of changes, as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceDocument {
    /// Always `source`.
    pub kind: String,
    /// As its markers name it: `ci`.
    pub name: String,
    /// Team that answers for it.
    pub owner: String,
    /// It is heard of at least every so many seconds, 60 to 604800, or else called silent. Absent: it may be
    /// silent for as long as it likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u32>,
}

/// Where changes are known from, and whether what came from there is all there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceView {
    /// `rein`, `registry` (versions, as instances register), a backend (versions, as its metrics show them), or as
    /// markers name it.
    pub name: String,
    /// `heard`; `silent` (it should have been heard since), `never` (it is declared, and was not heard),
    /// `versionless` (a backend that measures and tells no versions), or `unreadable` (the store could not be read).
    pub state: String,
    /// When it was last heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<At>,
    /// How often it is to be heard, where that was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u32>,
    /// Of a backend: the plugin that looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
}

impl SourceView {
    /// Is what was changed there known?
    pub fn is_heard(&self) -> bool {
        self.state == "heard"
    }

    /// Does somebody say so who makes changes himself, and not merely what can be seen of them?
    pub fn is_elsewhere(&self) -> bool {
        self.plugin.is_none() && !matches!(self.name.as_str(), "rein" | "registry")
    }
}

/// Something that was changed, by Rein or elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HappenedView {
    /// When.
    pub at: At,
    /// Where it is known from: `rein`, `registry`, a backend, or the source of a marker.
    pub source: String,
    /// Who did it; of a marker, whose token recorded it; of what metrics show, `rein`.
    pub by: String,
    /// What was done: an audit verb such as `switch:off`, `deploy v2.4`, `v1 → v2 on 3 of 4`, or `v1 → v2`.
    pub what: String,
    /// On what.
    pub targets: Vec<String>,
    /// The incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Why, or anything else worth knowing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}
