//! Switches: degradation toggles, declared once and flipped by layers.

use crate::name::{SwitchName, ZoneName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// On or off. To clients `On` is `true`: the feature runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Setting {
    /// The feature runs.
    On,
    /// The feature does not run.
    Off,
}

impl Setting {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::On => Self::Off,
            Self::Off => Self::On,
        }
    }

    /// What a client's boolean flag says.
    pub fn flag(self) -> bool {
        self == Self::On
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

/// How critical the feature is: 1 goes last, 4 goes first.
/// The scale of Meta's Defcon (OSDI '23): a smaller level is more critical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Level(u8);

/// A level outside 1 to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("level {0} does not exist; give 1 (most critical) to 4 (first to go)")]
pub struct LevelError(pub u8);

impl TryFrom<u8> for Level {
    type Error = LevelError;
    fn try_from(level: u8) -> Result<Self, LevelError> {
        if (1..=4).contains(&level) { Ok(Self(level)) } else { Err(LevelError(level)) }
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        level.0
    }
}

/// A declared switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// `SERVICE/SWITCH`; never reused after deletion.
    pub name: SwitchName,
    /// Team that answers for it.
    pub owner: String,
    /// How critical the feature is.
    pub level: Level,
    /// What users lose when the protecting setting is in force, in their words.
    pub lost: String,
    /// The base: what holds where no layer lies.
    pub default: Setting,
    /// The polarity: which setting protects the system. `off` for a feature that can be shed,
    /// `on` for a fallback that can be brought in.
    pub protects: Setting,
    /// Zones in which the service runs; empty: not declared.
    #[serde(default)]
    pub zones: BTreeSet<ZoneName>,
    /// How many instances should hear of it; the denominator of its proof.
    #[serde(default)]
    pub expects: Option<u32>,
    /// Switches that must not be in their protecting setting while this one is: its fallbacks.
    #[serde(default)]
    pub needs: BTreeSet<SwitchName>,
    /// Switches that must not be in their protecting setting at the same time.
    #[serde(default)]
    pub excludes: BTreeSet<SwitchName>,
}

/// Why a definition cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwitchError {
    /// The name was in use once and was deleted: an old client may still ask for it
    /// (Knight Capital, 2012, re-used a flag).
    #[error("the name {0} was used before and deleted; names are never reused")]
    NameUsed(SwitchName),
    /// A field is empty or too long.
    #[error("field `{field}`: {what}")]
    Field {
        /// Path of the field in the document.
        field: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The polarity is fixed while layers lie over the switch.
    #[error("{name}: `protects` cannot change while layers lie over it: {}", layers.join(", "))]
    PolarityHeld {
        /// The switch.
        name: SwitchName,
        /// Ids of the layers.
        layers: Vec<String>,
    },
    /// A needed or excluded switch is not declared.
    #[error("{name}: `{field}` names {missing}, which is not declared")]
    UnknownPartner {
        /// The switch being declared.
        name: SwitchName,
        /// `needs` or `excludes`.
        field: &'static str,
        /// The name that is not declared.
        missing: SwitchName,
    },
    /// Deleting a switch that layers lie over, or that others name.
    #[error("{name} cannot be deleted: {why}")]
    InUse {
        /// The switch.
        name: SwitchName,
        /// What still uses it.
        why: String,
    },
}

/// Longest owner, lost or reason text, in bytes.
pub const MAX_TEXT: usize = 1000;

impl Switch {
    /// Checks what can be checked without the world.
    pub fn check(&self) -> Result<(), SwitchError> {
        for (field, text) in [("owner", &self.owner), ("lost", &self.lost)] {
            if text.trim().is_empty() {
                return Err(SwitchError::Field { field, what: "must not be empty".into() });
            }
            if text.len() > MAX_TEXT {
                return Err(SwitchError::Field {
                    field,
                    what: format!("is {} bytes; at most {MAX_TEXT}", text.len()),
                });
            }
        }
        if self.needs.contains(&self.name) || self.excludes.contains(&self.name) {
            return Err(SwitchError::Field { field: "needs", what: "a switch cannot name itself".into() });
        }
        if self.expects == Some(0) {
            return Err(SwitchError::Field { field: "expects", what: "must be at least 1".into() });
        }
        Ok(())
    }
}
