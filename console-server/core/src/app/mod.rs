//! The verbs, one file per noun.

pub mod alerts;
pub mod audit;
pub mod backends;
pub mod changes;
pub mod definitions;
pub mod diagnosis;
pub mod events;
pub(crate) mod happened;
pub mod held;
pub mod incidents;
pub mod markers;
pub(crate) mod pieces;
pub mod services;
pub mod silences;
pub mod sources;
pub mod status;
pub mod switches;
pub mod telemetry;
pub mod tokens;
pub mod undo;
pub(crate) mod versions;
