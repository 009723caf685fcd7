//! Backends: configured real systems, declared once. Programs and secrets are not declared here; they
//! come from the server's own configuration.

use crate::hold::Reassert;
use crate::matchers::Matchers;
use crate::name::{BackendName, PluginName};
use serde::{Deserialize, Serialize};

/// Longest configuration, in bytes of JSON.
pub const MAX_CONFIG: usize = 64 * 1024;
/// Most sets of matchers that silences may never cover.
pub const MAX_NEVER: usize = 32;

/// A declared backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// Its name.
    pub name: BackendName,
    /// The plugin that adapts it.
    pub plugin: PluginName,
    /// Team that answers for it.
    #[serde(default)]
    pub owner: String,
    /// Its configuration: a JSON object, whose fields the plugin describes.
    pub config: String,
    /// Whether a foreign hand is overruled without asking.
    #[serde(default)]
    pub reassert: Reassert,
    /// No silence may take in an alert with these labels, unless forced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub never_silence: Vec<Matchers>,
}

/// Why a definition of a backend is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// No such backend.
    #[error("there is no backend {0}")]
    Unknown(BackendName),
    /// A field is too long.
    #[error("backend {name}: {field} is too long; at most {most}")]
    TooLong {
        /// The backend.
        name: BackendName,
        /// The field.
        field: &'static str,
        /// The limit, with its unit.
        most: String,
    },
    /// Something still lies over it.
    #[error("backend {name} is in use: {why}")]
    InUse {
        /// The backend.
        name: BackendName,
        /// By what.
        why: String,
    },
}

impl Backend {
    /// Checks sizes. Whether the configuration is right, only the plugin can say.
    pub fn check(&self) -> Result<(), BackendError> {
        let too_long =
            |field, most: String| Err(BackendError::TooLong { name: self.name.clone(), field, most });
        if self.config.len() > MAX_CONFIG {
            return too_long("config", format!("{MAX_CONFIG} bytes"));
        }
        if self.owner.len() > crate::switch::MAX_TEXT {
            return too_long("owner", format!("{} bytes", crate::switch::MAX_TEXT));
        }
        if self.never_silence.len() > MAX_NEVER {
            return too_long("never_silence", format!("{MAX_NEVER} entries"));
        }
        Ok(())
    }
}
