//! What servers over one store ask each other: soft state that lies in no store.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What one server wants to know of another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerQuestion {
    /// Switches whose clients are asked for, with the revision that last altered each.
    #[serde(default)]
    pub switches: BTreeMap<String, i64>,
    /// Heartbeats heard after this moment of the asked server's boot clock are told too; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beats_after: Option<i64>,
}

/// What it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerAnswer {
    /// Its time, in milliseconds since 1970.
    pub now: i64,
    /// Whether it reconciles.
    pub leads: bool,
    /// Its clients, by switch.
    pub tallies: BTreeMap<String, PeerTally>,
    /// What it saw in backends, if it reconciles.
    pub looks: BTreeMap<String, PeerLook>,
    /// Its boot clock, in milliseconds.
    #[serde(default)]
    pub boot: i64,
    /// Heartbeats it heard, by service: instance, incarnation, milliseconds ago.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub beats: BTreeMap<String, Vec<(String, String, i64)>>,
    /// Instances that are not up, by service, if it reconciles.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unwell: BTreeMap<String, Vec<PeerHealth>>,
}

/// An instance that is not up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerHealth {
    /// The instance.
    pub id: String,
    /// Its life.
    pub incarnation: String,
    /// Its state.
    pub state: String,
    /// Why.
    pub why: String,
}

/// How far a switch has got among the clients of one server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerTally {
    /// Clients to which it was sent, or better.
    pub sent: u32,
    /// Clients that have received it, or better.
    pub received: u32,
    /// Clients that hold it, or better.
    pub held: u32,
    /// Clients that decided by it.
    pub decided: u32,
    /// Clients connected.
    pub connected: u32,
    /// Connected, but no sign yet that they have got it.
    pub waiting: Vec<String>,
}

/// What was seen in one backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerLook {
    /// When, in milliseconds since 1970.
    pub at: Option<i64>,
    /// Why the last look failed.
    pub fault: Option<String>,
    /// Cells, by key.
    pub seen: BTreeMap<String, PeerSeen>,
    /// Why the last write of a cell failed.
    pub refused: BTreeMap<String, String>,
}

/// What was seen in one cell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerSeen {
    /// Its value; absent: nothing is there.
    pub value: Option<String>,
    /// The backend's incarnation.
    pub incarnation: String,
    /// Peers of the backend that do not show it.
    pub missing_peers: Vec<String>,
    /// Objects with the cell's marker.
    pub copies: u32,
    /// The object's own name.
    pub object: String,
    /// What the backend says of the effect.
    pub effect: String,
    /// Peers asked.
    pub peers: u32,
    /// What the cell stood for is over for good.
    #[serde(default)]
    pub over: bool,
}
