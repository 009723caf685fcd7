//! Refusals: why a change cannot be, in words a person can act on.

use crate::change::{MAX_LAYERS, MAX_LEGS};
use crate::incident::IncidentError;
use crate::instance::Weight;
use crate::name::{ActorName, BackendName, ChangeId, InstanceName, ServiceName, SwitchName, ZoneName};
use crate::service::Shortfall;
use crate::switch::{MAX_TEXT, Setting};
use std::collections::BTreeSet;
use std::time::Duration;

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// No such switch.
    #[error("there is no switch {name}")]
    UnknownSwitch {
        /// The name asked for.
        name: SwitchName,
        /// The nearest names that exist.
        near: Vec<SwitchName>,
    },
    /// The switch does not run in that zone.
    #[error("{switch} is not declared in zone {zone}; its zones: {}", list(known))]
    UnknownZone {
        /// The switch.
        switch: SwitchName,
        /// The zone asked for.
        zone: ZoneName,
        /// The zones it declares.
        known: BTreeSet<ZoneName>,
    },
    /// No such change.
    #[error("there is no change {0}")]
    UnknownChange(String),
    /// No leg, or too many.
    #[error("a change has 1 to {MAX_LEGS} targets, this one has {0}")]
    Legs(usize),
    /// The same target twice in one change.
    #[error("{0} is named twice in one change")]
    TwiceNamed(String),
    /// No such backend.
    #[error("there is no backend {0}")]
    UnknownBackend(BackendName),
    /// No such service, or nobody of it has registered.
    #[error("no instance of a service {name} is registered")]
    UnknownService {
        /// The name asked for.
        name: ServiceName,
        /// The nearest names that exist.
        near: Vec<ServiceName>,
    },
    /// No such instance.
    #[error("{service} has no instance {id}")]
    UnknownInstance {
        /// The service.
        service: ServiceName,
        /// The name asked for.
        id: InstanceName,
        /// The nearest names that exist.
        near: Vec<InstanceName>,
    },
    /// The instance was meant in a life that is over.
    #[error("{service}/{id} is not the one it was: it has registered anew since")]
    AnotherLife {
        /// The service.
        service: ServiceName,
        /// The instance.
        id: InstanceName,
    },
    /// The service has nobody in that zone.
    #[error("{service} has no instance in zone {zone}; its zones: {}", list(known))]
    NobodyThere {
        /// The service.
        service: ServiceName,
        /// The zone asked for.
        zone: ZoneName,
        /// The zones in which it stands.
        known: BTreeSet<ZoneName>,
    },
    /// A layer can only lower a weight.
    #[error(
        "a layer only lowers a weight, and {base} is what {service} has by itself there: {asked} lowers nothing"
    )]
    NotLower {
        /// The service.
        service: ServiceName,
        /// The weight asked for.
        asked: Weight,
        /// The weight that the instance registered with.
        base: Weight,
    },
    /// Too little would be left of the service.
    #[error("this would leave {service} {short}")]
    BelowFloor {
        /// The service.
        service: ServiceName,
        /// What would be left, and what must be.
        short: Shortfall,
    },
    /// A registry cannot give a share of the traffic.
    #[error("{0} gives an instance all of its traffic or none: it knows no weights")]
    AllOrNothing(BackendName),
    /// Too many layers over the instances of one service.
    #[error("{0} already has {MAX_LAYERS} active layers; end some first")]
    TooManyOver(ServiceName),
    /// The matchers of a silence leave nothing out.
    #[error("these matchers take in every alert of {0}")]
    SilencesAll(BackendName),
    /// A silence would take in alerts that are never to be silenced.
    #[error("these matchers can take in alerts that {backend} never silences: {never}")]
    NeverSilenced {
        /// The backend.
        backend: BackendName,
        /// The alerts, as matchers.
        never: String,
    },
    /// Zero, or a deadline behind now.
    #[error("the deadline would lie in the past")]
    DeadlinePast,
    /// Beyond what policy allows.
    #[error("it would last until {} from now; policy allows at most {}", span(*asked), span(*max))]
    TooLong {
        /// Asked for, from now.
        asked: Duration,
        /// Allowed, from now.
        max: Duration,
    },
    /// A reason longer than [`MAX_TEXT`].
    #[error("the reason is {0} bytes long; at most {MAX_TEXT}")]
    ReasonTooLong(usize),
    /// A percentage is the share that loses the feature; giving a share back is a smaller percentage.
    #[error("a percentage is the share that loses {0}, so it goes with `{1}` only")]
    RelaxingPercent(SwitchName, Setting),
    /// Protecting layers hold the switch where it should be relaxed.
    #[error("{switch} is held {protects} by {}", ids(holding))]
    Held {
        /// The switch.
        switch: SwitchName,
        /// The setting it is held in.
        protects: Setting,
        /// The changes that hold it.
        holding: Vec<ChangeId>,
    },
    /// `--supersede` names a change that does not hold the switch.
    #[error("{id} does not hold any of the named switches")]
    NotHolding {
        /// The change named.
        id: ChangeId,
    },
    /// A fallback would be missing.
    #[error("{switch} needs {needs}, which is {state} now: {lost}")]
    Needs {
        /// The switch asked for.
        switch: SwitchName,
        /// The fallback it needs.
        needs: SwitchName,
        /// The setting the fallback is in.
        state: Setting,
        /// What is lost with the fallback.
        lost: String,
    },
    /// Another switch relies on this one as its fallback.
    #[error("{other} is {state} now and needs {switch} as its fallback")]
    NeededBy {
        /// The switch asked for.
        switch: SwitchName,
        /// The one that relies on it.
        other: SwitchName,
        /// The setting that one is in.
        state: Setting,
    },
    /// Two switches that must not be shed together.
    #[error("{switch} and {other} exclude each other, and {other} is {state} now")]
    Excluded {
        /// The switch asked for.
        switch: SwitchName,
        /// The other one.
        other: SwitchName,
        /// The setting that one is in.
        state: Setting,
    },
    /// Too many layers over one switch.
    #[error("{0} already has {MAX_LAYERS} active layers; end some first")]
    TooManyLayers(SwitchName),
    /// It is over.
    #[error("{id} is over: {how}")]
    Over {
        /// The change.
        id: ChangeId,
        /// How it ended.
        how: String,
    },
    /// Nothing to undo.
    #[error("{0} has done nothing in the past hour that can be undone")]
    NothingToUndo(ActorName),
    /// The incident refuses it.
    #[error(transparent)]
    Incident(#[from] IncidentError),
}

fn list(zones: &BTreeSet<ZoneName>) -> String {
    zones.iter().map(ZoneName::as_str).collect::<Vec<_>>().join(", ")
}

fn ids(ids: &[ChangeId]) -> String {
    ids.iter().map(ChangeId::as_str).collect::<Vec<_>>().join(", ")
}

fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match (seconds / 86_400, seconds % 86_400 / 3600, seconds % 3600 / 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
