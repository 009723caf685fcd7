//! Services and their instances: what registers, what is found, and how it is.

use crate::changes::{ChangeView, EffectView};
use crate::proof::ProofView;
use crate::time::At;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An instance says where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    /// Its service.
    pub service: String,
    /// What it calls itself; unique within the service.
    pub id: String,
    /// `HOST:PORT`.
    pub address: String,
    /// What it fails together with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its share of the traffic, 0 to 1000; absent: 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
    /// Whatever else callers should know: at most 32 entries.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// How Rein is to look whether it is well. Absent: heartbeats alone say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckRequest>,
    /// Seconds between heartbeats, 1 to 300; 0: none are sent. Absent: 10, or none where there is a check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_seconds: Option<u32>,
    /// The life it already has: registering again with it and nothing else altered does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<String>,
}

/// How Rein looks whether an instance is well: at its own address, with a second to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// By what.
    pub kind: CheckKind,
    /// `http`: the path asked for, which is to answer 2xx. `grpc`: the name of the service asked about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Seconds between two looks, 1 to 300.
    #[serde(default = "ten")]
    pub every_seconds: u32,
    /// Good looks in a row that bring it up, 1 to 10.
    #[serde(default = "one")]
    pub rise: u8,
    /// Bad looks in a row that take it down, 1 to 10.
    #[serde(default = "three")]
    pub fall: u8,
}

/// What a check asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    /// `GET` of a path.
    Http,
    /// A connection.
    Tcp,
    /// `grpc.health.v1`.
    Grpc,
}

impl CheckRequest {
    /// The usual one of a kind: what is not said when it is asked for.
    pub fn usual(kind: CheckKind) -> Self {
        Self { kind, path: String::new(), every_seconds: ten(), rise: one(), fall: three() }
    }
}

fn ten() -> u32 {
    10
}

fn one() -> u8 {
    1
}

fn three() -> u8 {
    3
}

/// What a registration came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisteredView {
    /// The service.
    pub service: String,
    /// The instance.
    pub id: String,
    /// This life of it: heartbeats name it.
    pub incarnation: String,
    /// Seconds between heartbeats; absent: none are expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_seconds: Option<u32>,
    /// Seconds of silence after which it counts as lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_seconds: Option<u64>,
    /// `registered`, `replaced` (another life had the name) or `unchanged`.
    pub outcome: String,
}

/// Heartbeats of many instances at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeatsRequest {
    /// At most 1000.
    pub beats: Vec<BeatRequest>,
}

/// One heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeatRequest {
    /// The service.
    pub service: String,
    /// The instance.
    pub id: String,
    /// The life it got when it registered.
    pub incarnation: String,
}

/// Which heartbeats meant nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BeatsView {
    /// Taken.
    pub taken: u32,
    /// `SERVICE/ID` of those that are not registered, or are registered in another life: they have to
    /// register again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// Which life is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LifeQuery {
    /// The incarnation it got when it registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<String>,
}

/// All services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceList {
    /// By name.
    pub services: Vec<ServiceRow>,
    /// How the registry itself is.
    pub registry: RegistryView,
}

/// How the registry itself is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegistryView {
    /// Instances registered.
    pub instances: u32,
    /// Many fell silent at once, and nobody is taken down for it: what was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preserved: Option<PreservedView>,
    /// The server that looks does not answer: how old this view is, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_ms: Option<u64>,
    /// Foreign registries, each with when it was listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<ForeignRegistryView>,
}

/// A foreign registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForeignRegistryView {
    /// The backend.
    pub backend: String,
    /// Instances known of it.
    pub instances: u32,
    /// Entries that could not be read, or were told twice.
    #[serde(default)]
    pub unread: u32,
    /// When it was listed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<At>,
    /// It does not answer: how old what is known of it is, in milliseconds; how long it has not answered,
    /// where it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_ms: Option<u64>,
    /// Why it does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Peers of it that did not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_peers: Vec<String>,
}

/// A mass loss of heartbeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreservedView {
    /// Since when.
    pub since: At,
    /// Instances that are silent.
    pub silent: u32,
    /// Of how many that send heartbeats.
    pub of: u32,
}

/// One service in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceRow {
    /// Its name.
    pub name: String,
    /// Team that answers for it, where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How critical it is, where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<u8>,
    /// `up`, `degraded` (some are not), `down` (none is), `starting`, `empty` or `unknown`.
    pub health: String,
    /// Instances that are up, or not known to be down.
    pub up: u32,
    /// Instances registered.
    pub all: u32,
    /// Instances from which all traffic is taken.
    pub drained: u32,
    /// By zone.
    pub zones: Vec<ZoneView>,
    /// What they run.
    pub versions: Vec<VersionView>,
    /// Foreign registries in which some of them are registered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registries: Vec<String>,
    /// Active changes over its instances and switches.
    pub active_changes: u32,
    /// Below its floor while something of it is drained: in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
}

/// Instances of one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneView {
    /// The zone; empty: those that name none.
    pub zone: String,
    /// Up.
    pub up: u32,
    /// Registered.
    pub all: u32,
}

/// Instances of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionView {
    /// The version; empty: those that name none.
    pub version: String,
    /// Instances.
    pub instances: u32,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceView {
    /// As in a list.
    #[serde(flatten)]
    pub row: ServiceRow,
    /// Its floor, in words.
    pub floor: String,
    /// Its instances, by zone and name.
    pub instances: Vec<InstanceView>,
    /// Its switches: name and what each comes to.
    pub switches: Vec<SwitchBrief>,
    /// Changes over its instances and switches, active ones first, then those of the past day.
    pub changes: Vec<ChangeView>,
    /// Who watches it.
    pub proof: ProofView,
    /// How the registry itself is.
    pub registry: RegistryView,
    /// Revision of the target, for preconditions.
    pub revision: i64,
}

/// A switch in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SwitchBrief {
    /// Its name.
    pub name: String,
    /// What it comes to, in words.
    pub summary: String,
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceView {
    /// Its name.
    pub id: String,
    /// This life of it.
    pub incarnation: String,
    /// Its zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it serves.
    pub address: String,
    /// The weight it registered with.
    pub weight: u16,
    /// What the layers over it leave of that.
    pub effective: u16,
    /// The changes that cover it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// Drains of its zone that do not cover it, because too few were left when it joined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spared: Vec<String>,
    /// `up`, `unknown`, `starting` or `down`.
    pub state: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub since: At,
    /// Whether callers get it.
    pub served: bool,
    /// Age of the last heartbeat, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beat_age_ms: Option<u64>,
    /// The check, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Whatever else it said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// When it registered.
    pub registered: At,
    /// By whose token; of a foreign registry: its name.
    pub by: String,
    /// The foreign registry in which it is registered; absent: in Rein's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// That registry does not answer: how old what is known of it is, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_ms: Option<u64>,
}

/// Who gets traffic of one service now: what watchers see, whole each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterView {
    /// The service.
    pub service: String,
    /// Grows with every change of the roster, as long as the server runs.
    pub serial: u64,
    /// Those with traffic, by name.
    pub instances: Vec<RosterEntry>,
}

/// One instance that gets traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterEntry {
    /// Its name.
    pub id: String,
    /// Where it serves.
    pub address: String,
    /// Its zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its share of the traffic.
    pub weight: u16,
    /// Whatever else it said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// Targets with equal labels, as Prometheus takes them over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetGroup {
    /// `HOST:PORT`.
    pub targets: Vec<String>,
    /// Labels: `service`, `instance`'s zone and version, and the rest under `__meta_rein_`.
    pub labels: BTreeMap<String, String>,
}

/// Which targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TargetQuery {
    /// Only this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// `true`: also those that get no traffic, because they are drained or down.
    #[serde(default)]
    pub all: bool,
}

/// Instances of a service, and the most that they are to get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceLegRequest {
    /// Which.
    pub instance: PickRequest,
    /// 0 drains them.
    pub weight: i64,
}

/// Which instances of a service: one by its id, or all in a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PickRequest {
    /// The service.
    pub service: String,
    /// One.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The life of it that is meant; absent: the one it has now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<String>,
    /// All in this zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// What a change would do to instances of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstancePreview {
    /// Before and after.
    pub effect: EffectView,
    /// What the leg says, in words.
    pub summary: String,
    /// Who would be left with traffic, by zone: in words.
    pub left: Vec<String>,
    /// The floor, in words.
    pub floor: String,
    /// Who watches.
    pub reach: ProofView,
    /// What is written into foreign registries: in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registries: Vec<String>,
}

/// Says that those who are silent are really gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptLossRequest {
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What that came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AcceptedLossView {
    /// Instances that count as lost now.
    pub lost: u32,
}

/// A declared service, as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceDocument {
    /// Always `service`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Team that answers for it.
    pub owner: String,
    /// 1 (most critical) to 4.
    pub tier: u8,
    /// Instances that must be left with traffic. Absent: half of the healthy ones in each zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<u32>,
}
