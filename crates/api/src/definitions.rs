//! Definitions: what people declare in files.

use crate::alerts::AlertRulesDocument;
use crate::backends::BackendDocument;
use crate::markers::SourceDocument;
use crate::services::ServiceDocument;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A declared switch, as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchDocument {
    /// Always `switch`.
    pub kind: String,
    /// `SERVICE/SWITCH`.
    pub name: String,
    /// Team that answers for it.
    pub owner: String,
    /// 1 (most critical) to 4 (first to go).
    pub level: u8,
    /// What users lose, in their words.
    pub lost: String,
    /// The base.
    #[serde(default = "on")]
    pub default: OnOff,
    /// The setting that protects: `off` for a feature that can be shed, `on` for a fallback
    /// that can be brought in.
    #[serde(default = "off", skip_serializing_if = "OnOff::is_off")]
    pub protects: OnOff,
    /// Zones in which the service runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// How many instances should hear of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<u32>,
    /// Its fallbacks: must run while this one is shed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Must not be shed together with these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<String>,
}

/// `on` or `off`. YAML 1.1 readers take a bare `on` for a boolean, so booleans are taken too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnOff {
    /// On.
    On,
    /// Off.
    Off,
}

impl OnOff {
    /// Is it off?
    pub fn is_off(&self) -> bool {
        *self == Self::Off
    }
}

impl<'de> Deserialize<'de> for OnOff {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Words;
        impl serde::de::Visitor<'_> for Words {
            type Value = OnOff;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`on` or `off`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OnOff, E> {
                match text {
                    "on" => Ok(OnOff::On),
                    "off" => Ok(OnOff::Off),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<OnOff, E> {
                Ok(if value { OnOff::On } else { OnOff::Off })
            }
        }
        input.deserialize_any(Words)
    }
}

fn on() -> OnOff {
    OnOff::On
}

fn off() -> OnOff {
    OnOff::Off
}

/// All definitions, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DefinitionList {
    /// The switches.
    pub switches: Vec<SwitchDocument>,
    /// The backends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<BackendDocument>,
    /// The services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceDocument>,
    /// What decides about alerts, where that is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_rules: Option<AlertRulesDocument>,
    /// The sources of changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceDocument>,
}

/// What putting a definition did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DefinedView {
    /// The definition's name.
    pub name: String,
    /// `created`, `altered`, `unchanged` or `deleted`.
    pub outcome: String,
    /// Where layers lie over it: `hidden until …` (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
