//! The builtin registry's soft state: heartbeats, looks, and what is served to callers. Registrations are
//! records; nothing here is ever stored.
//!
//! ```text
//!  heartbeat ──▶ pulses ──▶ sweep ─┐
//!  wheel ──▶ probes ──▶ judge ─────┴─▶ health in the image ──▶ rosters ──▶ watchers
//! ```
//!
//! One sweep and one wheel serve all instances: none has a task or a timer of its own. Instances of foreign
//! registries come from `survey`, and stand beside those that registered here.

mod checks;
mod named;
mod news;
mod pulses;
mod rosters;
mod shared;
mod survey;

pub use checks::Probes;
pub(crate) use named::{service as service_named, version as version_named};
pub(crate) use pulses::Beaten;
pub use rosters::{Entry, Roster, Watcher, Watching};
pub(crate) use survey::{LIST_AGAIN, LIST_EVERY, LIST_LEAST, Surveyed};

use checks::Wheel;
use news::News;
use parking_lot::{Mutex, RwLock};
use pulses::{Preserving, Pulses};
use rosters::Rosters;
use std::sync::{Arc, OnceLock};
use survey::Surveys;
use tokio::sync::Notify;

/// All of it, of one server.
#[derive(Default)]
pub(crate) struct Registry {
    /// What was heard and seen of each instance.
    pulses: RwLock<Pulses>,
    /// Whether many fell silent at once.
    preserving: Mutex<Preserving>,
    /// When each instance is looked at next.
    wheel: Mutex<Wheel>,
    /// How it is looked at; without this nobody is.
    probes: OnceLock<Arc<dyn Probes>>,
    /// What is served.
    rosters: Rosters,
    /// Wakes whoever makes rosters, when health altered.
    altered: Notify,
    /// Tells whoever listens when the health of an instance altered.
    pub(crate) news: News,
    /// What foreign registries listed last.
    pub(crate) surveys: Surveys,
    /// What the server that looks said last, when this one does not.
    told: Mutex<shared::Told>,
}
