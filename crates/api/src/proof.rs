//! Proof that a change is in force.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a switch's served state has got. Counts are of witnesses at that level or better.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofView {
    /// Handed to the network.
    pub sent: u32,
    /// A live process has got it (HTTP/2 PING answered after the message).
    pub received: u32,
    /// The client says it holds it.
    pub held: u32,
    /// Its evaluations show it.
    pub decided: u32,
    /// Witnesses connected now.
    pub connected: u32,
    /// Instances that should hear of it; absent when nobody declared how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u32>,
    /// Expected but not connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<u32>,
    /// Connected, but no sign yet that they have got it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
    /// Everybody expected has got it.
    pub complete: bool,
}

/// A door, and what holds there when things fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoorView {
    /// `flagd`, `ofrep` or `unleash`.
    pub name: String,
    /// Where it listens.
    pub address: String,
    /// Who keeps a deadline: `client` or `rein`.
    pub keeps_deadline: String,
    /// What clients do when Rein dies.
    pub when_rein_dies: String,
    /// The best proof it can give.
    pub best_proof: String,
    /// Clients connected now, or seen within their own poll interval.
    pub clients: u32,
}
