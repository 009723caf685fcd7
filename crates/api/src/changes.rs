//! Changes: the one way to intervene.

use crate::backends::CellView;
use crate::proof::{DoorView, ProofView};
use crate::services::{InstanceLegRequest, InstancePreview};
use crate::silences::{LiftRequest, SilencePreview, SilenceRequest};
use crate::switches::ScopeView;
use crate::time::At;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Lays a change, or previews one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// Targets, 1 to 8.
    pub legs: Vec<LegRequest>,
    /// How long it is to last, in seconds. Absent: the server's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts_seconds: Option<u64>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The incident it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Protecting changes that a relaxing one lays an exception over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersede: Vec<String>,
    /// `pass` leaves out `needs` and `excludes`; the caller needs the right `switch:force`.
    #[serde(default)]
    pub guards: GuardsRequest,
    /// Revisions of targets as the caller saw them. A target that moved since refuses the change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<String, i64>,
}

/// Whether guards apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardsRequest {
    /// They do.
    #[default]
    Check,
    /// They are passed, and the audit says so.
    Pass,
}

/// One target: a switch to set, a silence to lay, one of somebody else to take away, or instances to
/// take traffic from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum LegRequest {
    /// A switch.
    Switch(SwitchLegRequest),
    /// A silence.
    Silence(SilenceLegRequest),
    /// A silence of somebody else.
    Lift(LiftLegRequest),
    /// Instances.
    Instance(InstanceLegRequest),
}

/// A switch to set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchLegRequest {
    /// `SERVICE/SWITCH`.
    pub switch: String,
    /// `on` or `off`.
    pub setting: String,
    /// Where; absent: everywhere.
    #[serde(default)]
    pub scope: ScopeView,
}

/// A silence to lay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceLegRequest {
    /// What and where.
    pub silence: SilenceRequest,
}

/// A silence of somebody else to take away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftLegRequest {
    /// Which.
    pub lift: LiftRequest,
}

impl LegRequest {
    /// The switch, if it is about one.
    pub fn as_switch(&self) -> Option<&SwitchLegRequest> {
        match self {
            Self::Switch(leg) => Some(leg),
            Self::Silence(_) | Self::Lift(_) | Self::Instance(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for LegRequest {
    /// By the field that names the noun, so that an error is about the target meant.
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let fields = serde_json::Map::deserialize(input)?;
        let (silence, lift) = (fields.contains_key("silence"), fields.contains_key("lift"));
        let instance = fields.contains_key("instance");
        let fields = serde_json::Value::Object(fields);
        let leg = match (silence, lift) {
            (true, _) => serde_json::from_value(fields).map(Self::Silence),
            (_, true) => serde_json::from_value(fields).map(Self::Lift),
            _ if instance => serde_json::from_value(fields).map(Self::Instance),
            _ => serde_json::from_value(fields).map(Self::Switch),
        };
        leg.map_err(|error| D::Error::custom(error.to_string()))
    }
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangeView {
    /// Its id.
    pub id: String,
    /// Who laid it.
    pub actor: String,
    /// Its targets.
    pub legs: Vec<LegView>,
    /// Why.
    pub reason: String,
    /// Its incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Changes it lays an exception over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excepts: Vec<String>,
    /// When it was recorded.
    pub created: At,
    /// Until when.
    pub deadline: At,
    /// Is it counted now?
    pub active: bool,
    /// `pending`, `in force`, `excepted`, `moot`, `conflict`, `expired`, `ended`, `undone` or `closed`.
    pub state: String,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<EndedView>,
    /// What people did to it, oldest first.
    pub acts: Vec<ActView>,
    /// Revision of the record.
    pub revision: i64,
}

/// One target of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LegView {
    /// `switch`, `silence` or `instance`.
    pub noun: String,
    /// The switch, the backend, the instance, or the service of which a zone is meant.
    pub target: String,
    /// `on` or `off`; of a silence `silenced`, or `lifted` for one that somebody else made; of instances
    /// `drained` or `weighed`.
    pub setting: String,
    /// `protects` or `relaxes`.
    pub stance: String,
    /// Where.
    pub scope: ScopeView,
    /// In words: `20 % off in sh`.
    pub summary: String,
    /// `pending`, `in force`, `excepted`, `moot`, `conflict` or `over`.
    pub state: String,
    /// Who has got it.
    pub proof: ProofView,
    /// What was put into a foreign backend for it, and what happens next there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<CellView>,
}

/// How a change ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndedView {
    /// When.
    pub at: At,
    /// By whom; absent when its time ran out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// `ended`, `undone`, `expired` or `closed`.
    pub how: String,
}

/// What somebody did to a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActView {
    /// When.
    pub at: At,
    /// Who.
    pub by: String,
    /// `laid`, `extended` or `ended`.
    pub did: String,
    /// In words: `04:00 → 05:00` and the like, with times in RFC 3339.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What an act would do, or did, to one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EffectView {
    /// The switch, or the backend.
    pub target: String,
    /// What it came to before, in words.
    pub before: String,
    /// What it comes to after, in words.
    pub after: String,
    /// Does anything visible alter?
    pub visible: bool,
    /// Layers that still hold it: `INC-41 (bob) holds until …`. RFC 3339 times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub still_held: Vec<HolderView>,
}

/// A layer that holds a switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderView {
    /// The change.
    pub change: String,
    /// Who laid it.
    pub actor: String,
    /// Its incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// In words: `20 % off in sh`.
    pub summary: String,
    /// Until when.
    pub deadline: At,
    /// Is it the caller's own?
    pub own: bool,
}

/// What a change would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewView {
    /// One for each switch.
    pub legs: Vec<LegPreview>,
    /// One for each backend whose silences it touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<SilencePreview>,
    /// One for each target among instances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<InstancePreview>,
    /// When it would end.
    pub deadline: At,
    /// Doors through which it would reach clients.
    pub doors: Vec<DoorView>,
}

/// What a change would do to one switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LegPreview {
    /// Before and after.
    pub effect: EffectView,
    /// What the leg says, in words: `20 % off in sh`.
    pub summary: String,
    /// Team that answers for the switch.
    pub owner: String,
    /// How critical it is.
    pub level: u8,
    /// What users lose.
    pub lost: String,
    /// Who is there to hear of it.
    pub reach: ProofView,
    /// Layers that an exception would be laid over, and which bite again when it ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<HolderView>,
    /// The target's revision as previewed.
    pub revision: i64,
}

/// A change that was recorded or altered, and what that did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedView {
    /// The change.
    pub change: ChangeView,
    /// What it did, by switch.
    pub effects: Vec<EffectView>,
}

/// Which changes to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct ChangeQuery {
    /// `true`: only those counted now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Only those over this switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
    /// Only those over instances or switches of this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Only those that are written into this backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Only those of this incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Only those laid by this actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The one recorded under this idempotency key by the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// At most this many, newest first; 1 to 1000, default 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Changes, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangeList {
    /// The changes.
    pub changes: Vec<ChangeView>,
}

/// Ends a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndRequest {
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Refuse if the record's revision is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<i64>,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// Moves a change's deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendRequest {
    /// By how many seconds it moves later.
    pub by_seconds: u64,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Refuse if the record's revision is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<i64>,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// Settles a conflict: a cell of a backend that holds what is neither the prior nor ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    /// What to do.
    pub how: HowRequest,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// How a conflict is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HowRequest {
    /// Write ours over what is there.
    Reassert,
    /// Leave what is there, and end the change.
    Adopt,
    /// Put back what was there before, and end the change.
    Restore,
}

/// Reverses the caller's last act of the past hour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoRequest {
    /// Refuse if the act to be reversed is not on this change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// What was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UndoView {
    /// In words: `ended k7q2m9x4tf (order/recommendations off)`.
    pub what: String,
    /// The change on which the reversed act lies: send it back as [`UndoRequest::change`], so that
    /// what is undone is what was previewed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub of: String,
    /// The change as it is now; a new one where an end was undone.
    pub change: ChangeView,
    /// What it did, by switch.
    pub effects: Vec<EffectView>,
}
