//! Switches.

use crate::proof::ProofView;
use crate::time::At;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a layer applies. Empty lists mean: everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeView {
    /// Zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// Instances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<String>,
    /// Share of the targeting keys, 1 to 100: the share that loses the feature.
    #[serde(default = "everybody")]
    #[schema(minimum = 1, maximum = 100)]
    pub percent: u8,
}

fn everybody() -> u8 {
    100
}

impl Default for ScopeView {
    fn default() -> Self {
        Self { zones: Vec::new(), instances: Vec::new(), percent: 100 }
    }
}

/// A switch, its layers and what they come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SwitchView {
    /// `SERVICE/SWITCH`.
    pub name: String,
    /// The flag key clients ask for.
    pub flag: String,
    /// Team that answers for it.
    pub owner: String,
    /// 1 (most critical) to 4 (first to go).
    pub level: u8,
    /// What users lose.
    pub lost: String,
    /// The base: `on` or `off`.
    pub default: String,
    /// The setting that protects: `on` or `off`.
    pub protects: String,
    /// Zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// Instances that should hear of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<u32>,
    /// Its fallbacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Must not be shed together with these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<String>,
    /// `on`, `off` or `partly`.
    pub setting: String,
    /// What it comes to, in words: `on`, `off`, `20 % off in sh`.
    pub summary: String,
    /// The target's revision: send it back to say "if it has not moved".
    pub revision: i64,
    /// Active layers, oldest first.
    pub layers: Vec<LayerView>,
    /// Who has got what is served now.
    pub proof: ProofView,
}

/// One active layer over a switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LayerView {
    /// The change it belongs to.
    pub change: String,
    /// Who laid it.
    pub actor: String,
    /// `on` or `off`.
    pub setting: String,
    /// `protects` or `relaxes`.
    pub stance: String,
    /// Where.
    pub scope: ScopeView,
    /// In words: `20 % off in sh`.
    pub summary: String,
    /// Until when.
    pub deadline: At,
    /// Its incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Why.
    pub reason: String,
    /// `pending`, `in force` or `excepted`.
    pub state: String,
}

/// All switches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SwitchList {
    /// By name.
    pub switches: Vec<SwitchView>,
}
