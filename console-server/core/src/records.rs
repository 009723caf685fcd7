//! Records: how nouns lie in the store. Keys sort by kind; values are JSON.

use crate::error::AppError;
use crate::rest::Rest;
use bytes::Bytes;
use rein_api::ErrorCode;
use rein_api::changes::EffectView;
use rein_domain::access::{Actor, Pattern, Role};
use rein_domain::hold::Cell;
use rein_domain::name::{
    ActorName, BackendName, ChangeId, IncidentName, InstanceName, MarkerId, ServiceName, SwitchName,
};
use rein_domain::time::Timestamp;
use rein_store::Key;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) const SWITCH: &str = "def/switch/";
pub(crate) const BACKEND: &str = "def/backend/";
/// What Rein has put into a cell of a foreign backend; written before the backend hears of it.
pub(crate) const HOLD: &str = "hold/";
pub(crate) const SERVICE: &str = "def/service/";
/// What decides about alerts.
pub(crate) const ALERT_RULES: &str = "def/alert-rules/";
/// Instances as they registered.
pub(crate) const INSTANCE: &str = "instance/";
/// Where changes are made that Rein did not make.
pub(crate) const SOURCE: &str = "def/source/";
/// Changes made elsewhere, as somebody recorded them.
pub(crate) const MARKER: &str = "marker/";
/// What services run as the metrics of a backend show it.
pub(crate) const RAN: &str = "ran/";
/// Touched by every change over instances of a service, so that two drains know of each other.
pub(crate) const SERVICE_TARGET: &str = "target/service/";
pub(crate) const TOMB: &str = "tomb/switch/";
pub(crate) const TARGET: &str = "target/switch/";
pub(crate) const CHANGE: &str = "change/";
pub(crate) const INCIDENT: &str = "incident/";
/// Touched by every change that names the incident, so that closing it notices a newcomer.
pub(crate) const USE: &str = "use/incident/";
pub(crate) const TOKEN: &str = "token/";
pub(crate) const IDEM: &str = "idem/";
pub(crate) const CHECKPOINT: &str = "checkpoint/";
pub(crate) const EPOCH: &str = "meta/epoch";
/// The public half of the key that signs checkpoints.
pub(crate) const AUDIT_KEY: &str = "meta/audit-key";
/// The least generation of writers that this store takes; absent: the first.
pub(crate) const MIN_WRITER: &str = "meta/min_writer";
/// Why nothing is written, and nothing new served, until somebody accepts what came back.
pub(crate) const HELD: &str = "meta/held";
/// Shipped checkpoints that somebody accepted to be behind, by digest.
pub(crate) const ACCEPTED: &str = "meta/accepted";
/// There while a backup is being brought in; no server runs on such a store.
pub(crate) const RESTORING: &str = "meta/restoring";
/// Which run of a server reconciles; vanishes with its lease.
pub(crate) const LEADER: &str = "meta/leader";
/// Runs of servers; each vanishes with its lease.
pub(crate) const SESSION: &str = "session/";

/// The generation of this version's records: one more when an older version could no longer write them
/// without harm. A store that asks for more is only read. See [`MIN_WRITER`].
pub(crate) const WRITER: u32 = 1;

/// Reads [`MIN_WRITER`]. What cannot be read is from a version that is newer than any known.
pub(crate) fn writer(stored: Option<&str>) -> u32 {
    stored.map_or(1, |text| text.trim().parse().unwrap_or(u32::MAX))
}

/// A server must not begin on a store that is half restored.
pub(crate) fn unfinished() -> AppError {
    AppError::new(ErrorCode::Unavailable, "a restore into this store was not finished")
        .hint("throw away what is in it, then restore again: rein server restore FILE")
}

pub(crate) fn switch(name: &SwitchName) -> Key {
    format!("{SWITCH}{name}").into()
}

pub(crate) fn backend(name: &BackendName) -> Key {
    format!("{BACKEND}{name}").into()
}

pub(crate) fn service(name: &ServiceName) -> Key {
    format!("{SERVICE}{name}").into()
}

/// There is one set.
pub(crate) fn alert_rules() -> Key {
    format!("{ALERT_RULES}{}", rein_domain::alert::THE_RULES).into()
}

pub(crate) fn source(name: &ActorName) -> Key {
    format!("{SOURCE}{name}").into()
}

pub(crate) fn marker(id: &MarkerId) -> Key {
    format!("{MARKER}{id}").into()
}

pub(crate) fn instance(service: &ServiceName, id: &InstanceName) -> Key {
    format!("{INSTANCE}{service}/{id}").into()
}

pub(crate) fn service_target(name: &ServiceName) -> Key {
    format!("{SERVICE_TARGET}{name}").into()
}

pub(crate) fn hold(cell: &Cell) -> Key {
    format!("{HOLD}{}/{}", cell.backend, cell.key).into()
}

pub(crate) fn ran(backend: &BackendName, service: &ServiceName) -> Key {
    format!("{RAN}{backend}/{service}").into()
}

/// The cell that a hold's key names.
pub(crate) fn held_cell(key: &str) -> Option<Cell> {
    let (backend, key) = key.strip_prefix(HOLD)?.split_once('/')?;
    Some(Cell { backend: backend.parse().ok()?, key: key.to_owned() })
}

pub(crate) fn tomb(name: &SwitchName) -> Key {
    format!("{TOMB}{name}").into()
}

/// Written with every commit that alters what a switch comes to, but for the closing of an incident,
/// which is one record however many switches it touches. Its revision is the target's.
pub(crate) fn target(name: &SwitchName) -> Key {
    format!("{TARGET}{name}").into()
}

pub(crate) fn change(id: &ChangeId) -> Key {
    format!("{CHANGE}{id}").into()
}

pub(crate) fn incident(name: &IncidentName) -> Key {
    format!("{INCIDENT}{name}").into()
}

pub(crate) fn incident_use(name: &IncidentName) -> Key {
    format!("{USE}{name}").into()
}

pub(crate) fn token(hash: &str) -> Key {
    format!("{TOKEN}{hash}").into()
}

/// By time first, so that the oldest are found without a search.
pub(crate) fn idem(key: &uuid::Uuid, actor: &ActorName) -> Key {
    format!("{IDEM}{key}/{actor}").into()
}

pub(crate) fn checkpoint(number: u64) -> Key {
    format!("{CHECKPOINT}{number:020}").into()
}

pub(crate) fn session(run: &str) -> Key {
    format!("{SESSION}{run}").into()
}

/// A run of a server, for the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    pub(crate) name: String,
    /// Where its API is reached.
    pub(crate) address: String,
    pub(crate) version: String,
    pub(crate) started: Timestamp,
    /// SHA-256 of what it shows to its peers.
    pub(crate) token: String,
}

/// Why a store is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldRecord {
    pub(crate) since: Timestamp,
    /// The store it was restored from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restored: Option<OriginRecord>,
    /// Lanes that a shipped checkpoint has seen go further, or go elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) behind: Vec<BehindRecord>,
}

/// What a restored store was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OriginRecord {
    pub(crate) epoch: String,
    pub(crate) revision: i64,
    pub(crate) at: Timestamp,
}

/// A lane that is not what a shipped checkpoint has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BehindRecord {
    /// The file it was shipped to.
    pub(crate) place: String,
    /// The checkpoint's digest.
    pub(crate) checkpoint: String,
    /// When it was signed.
    pub(crate) at: Timestamp,
    pub(crate) lane: String,
    /// Entries it has seen.
    pub(crate) shipped: u64,
    /// Entries that are here. As many or more: the one it has seen is another.
    pub(crate) here: u64,
}

/// A token at rest: its secret's SHA-256 is the key, the secret itself is nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenRecord {
    pub(crate) id: String,
    pub(crate) actor: ActorName,
    pub(crate) role: Role,
    pub(crate) pattern: Pattern,
    pub(crate) by: ActorName,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
}

impl TokenRecord {
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            name: self.actor.clone(),
            role: self.role,
            pattern: self.pattern.clone(),
            expires: self.expires,
        }
    }
}

/// What an idempotency key stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IdemRecord {
    /// SHA-256 of verb and request, in hex.
    pub(crate) body: String,
    pub(crate) answer: Answer,
}

/// What was answered, without what can be looked up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// What was made or altered: a change's id, an incident's or a definition's name, a token's id.
    pub(crate) subject: String,
    /// In words, where the verb has some.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ends: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) effects: Vec<EffectView>,
}

impl Answer {
    pub(crate) fn about(subject: impl ToString) -> Self {
        Self {
            subject: subject.to_string(),
            what: String::new(),
            note: None,
            ends: Vec::new(),
            effects: Vec::new(),
        }
    }
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Bytes, AppError> {
    let spelled = serde_json::to_vec(value);
    spelled
        .map(Bytes::from)
        .map_err(|e| AppError::new(ErrorCode::Internal, format!("a record cannot be written: {e}")))
}

/// The same, with what the stored record holds beside what this version knows.
pub(crate) fn encode_over<T: Serialize>(rest: Option<&Rest>, value: &T) -> Result<Bytes, AppError> {
    let Some(rest) = rest else { return encode(value) };
    let unwritten = |e| AppError::new(ErrorCode::Internal, format!("a record cannot be written: {e}"));
    let mut fresh = serde_json::to_value(value).map_err(unwritten)?;
    rest.add_to(&mut fresh);
    encode(&fresh)
}

/// What a stored record holds beside `known`.
pub(crate) fn rest<T: Serialize>(stored: &[u8], known: &T) -> Option<Rest> {
    // Most records hold nothing else, and then they are spelled alike.
    if serde_json::to_vec(known).is_ok_and(|spelled| spelled == stored) {
        return None;
    }
    let stored = serde_json::from_slice(stored).ok()?;
    Rest::of(&stored, &serde_json::to_value(known).ok()?)
}

pub(crate) fn decode<T: DeserializeOwned>(key: &Key, value: &[u8]) -> Result<T, AppError> {
    serde_json::from_slice(value)
        .map_err(|e| AppError::new(ErrorCode::Internal, format!("record {key} cannot be read: {e}")))
}
