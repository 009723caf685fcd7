//! The contract's values.

use std::collections::BTreeMap;

/// The key of a cell: what a backend writes as one piece. The plugin gives it its meaning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellKey(pub String);

/// What a person names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetName {
    /// `silence`.
    pub noun: String,
    /// The name within the noun.
    pub name: String,
}

/// What a plugin is and can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name: `alertmanager`.
    pub name: String,
    /// Its version, for people.
    pub version: String,
    /// JSON Schema (draft 2020-12) of the configuration.
    pub config_schema: String,
    /// Names of secrets it wants.
    pub secrets: Vec<String>,
    /// How a write that may have happened is repeated.
    pub repeat: Repeat,
    /// Nouns it serves: `silence`, `telemetry`, `registry`.
    pub nouns: Vec<String>,
    /// Whether [`crate::Adapter::watch`] gives hints.
    pub watches: bool,
    /// What the backend cannot do, for people.
    pub cannot: Vec<String>,
    /// Whether the backend itself ends what has a deadline.
    pub keeps_deadline: bool,
    /// What happens to what Rein wrote when Rein is gone, for people.
    pub when_rein_dies: String,
}

/// How a write whose answer was lost can be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The backend writes conditionally on a version.
    Cas,
    /// The change's id lies inside the object: look on every peer, keep the oldest, end the others.
    Marker,
    /// Neither: written again, and compared by value.
    None,
}

/// A backend, as a plugin is told of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The backend's name.
    pub backend: String,
    /// JSON that satisfies [`Description::config_schema`].
    pub config: String,
    /// The secrets the plugin asked for and the server was given.
    pub secrets: BTreeMap<String, String>,
}

impl std::fmt::Debug for Configuration {
    /// Names of secrets only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Configuration")
            .field("backend", &self.backend)
            .field("config", &self.config)
            .field("secrets", &self.secrets.keys())
            .finish()
    }
}

/// A field of a configuration that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901): `/peers/0`.
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What a look at the backend found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub grade: Grade,
    /// What was looked at.
    pub subject: String,
    /// What was found, for people.
    pub message: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It works, but somebody should look.
    Warning,
    /// It does not work.
    Error,
}

/// What a backend holds in one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The cell.
    pub cell: CellKey,
    /// Canonical JSON; `None`: nothing is there.
    pub value: Option<String>,
    /// The backend's own version of the cell; empty when it has none.
    pub version: String,
    /// The same as long as the backend keeps what it was told; another after it forgot.
    pub incarnation: String,
    /// Peers that did not answer, or do not show this value yet: it is written again a few times, unless writes
    /// cannot be ([`Repeat::None`]).
    pub missing_peers: Vec<String>,
    /// Objects that carry this cell's marker. More than one is mended by [`crate::Adapter::apply`].
    pub copies: u32,
    /// The object's own name in the backend.
    pub object: String,
    /// What the backend itself says of the effect, for people.
    pub effect: String,
    /// How many peers were asked; 1 for a backend that has none.
    pub peers: u32,
    /// What the cell stands for is over for good: nothing is there, and nothing can be put back.
    pub over: bool,
}

/// A write of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The cell.
    pub cell: CellKey,
    /// What is to be there; `None`: nothing.
    pub want: Option<String>,
    /// [`Seen::version`] of the observation this follows.
    pub expected_version: String,
    /// The change that asks for it: the same for every repetition.
    pub change: String,
    /// [`Seen::object`] of the observation this follows, or empty.
    pub object: String,
}

/// Why a call did not do what it was asked. The text is for people: what, where, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Certainly nothing happened.
    #[error("{0}")]
    NotDone(String),
    /// It may have happened.
    #[error("{0}")]
    Unknown(String),
    /// The cell's version is another than expected; nothing happened.
    #[error("{0}")]
    Moved(String),
    /// This backend cannot do this, ever.
    #[error("{0}")]
    Unsupported(String),
    /// The backend, or the plugin, could not be reached; nothing happened.
    #[error("{0}")]
    Unreachable(String),
    /// What was asked for is wrong; nothing happened.
    #[error("{0}")]
    Invalid(String),
}

/// One matcher of a silence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matcher {
    /// The label.
    pub name: String,
    /// `=`, `!=`, `=~` or `!~`. Expressions are RE2 and anchored at both ends.
    pub op: String,
    /// The value or expression.
    pub value: String,
}

/// A silence as a backend shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilenceSeen {
    /// The backend's own id.
    pub id: String,
    /// An alert that satisfies all of them is hushed.
    pub matchers: Vec<Matcher>,
    /// RFC 3339.
    pub starts: String,
    /// RFC 3339.
    pub ends: String,
    /// Who made it, as it says itself.
    pub author: String,
    /// Why.
    pub comment: String,
    /// `active`, `pending` or `expired`.
    pub state: String,
    /// The cell whose marker it carries; `None` when Rein did not make it.
    pub cell: Option<CellKey>,
    /// Alerts it hushes now, where the backend says.
    pub hushes: Option<u32>,
    /// Peers that do not show it.
    pub missing_peers: Vec<String>,
}

/// Most alerts that can be asked for at once.
pub const MAX_ALERTS: u32 = 5000;

/// An alert as a backend shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSeen {
    /// The backend's own id: a fingerprint.
    pub id: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// A short text from its annotations, where there is one.
    pub summary: String,
    /// RFC 3339; for an alert that is over: when it fired last.
    pub since: String,
    /// `active`, `suppressed` or `resolved`.
    pub state: String,
    /// Ids of silences that hush it.
    pub silenced_by: Vec<String>,
    /// Ids of alerts that inhibit it.
    pub inhibited_by: Vec<String>,
}

/// What a set of matchers takes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Those that match, firing first.
    pub alerts: Vec<AlertSeen>,
    /// How many firing alerts match.
    pub firing: u32,
    /// How many alerts fire in all.
    pub firing_in_all: u32,
    /// How many more matched lately but do not fire now; `None`: the backend does not know.
    pub lately: Option<u32>,
    /// Peers that did not answer.
    pub missing_peers: Vec<String>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Asks for what follows; `None`: that was all.
    pub next: Option<String>,
}
