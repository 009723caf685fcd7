//! Legs: the targets of a change and what it does there.
//!
//! A leg over a switch lies over a base that Rein owns, and is evaluated wherever somebody asks. A leg
//! over a foreign backend is written into one of its cells: see [`crate::hold`].

use crate::access::Pattern;
use crate::change::Guards;
use crate::hold::Cell;
use crate::instance::Weight;
use crate::layer::Stance;
use crate::matchers::{MatchOp, Matchers};
use crate::name::{BackendName, ChangeId, Incarnation, InstanceName, ServiceName, SwitchName, ZoneName};
use crate::scope::Scope;
use crate::switch::Setting;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One target of a change and what to do there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "noun", rename_all = "lowercase")]
pub enum Leg {
    /// Sets a switch.
    Switch(SwitchLeg),
    /// Hushes alerts, or lets them be heard again.
    Silence(SilenceLeg),
    /// Lowers the traffic of instances.
    Instance(InstanceLeg),
}

/// Instances of a service, and the weight they are held at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceLeg {
    /// The service.
    pub service: ServiceName,
    /// Which of its instances.
    pub which: Which,
    /// The most that they get; 0 drains them.
    pub weight: Weight,
    /// Whether it was laid within the floor, or in spite of it.
    #[serde(default)]
    pub guards: Guards,
}

/// Which instances of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// One, in one life.
    One {
        /// Its name.
        id: InstanceName,
        /// Its life: whoever comes back under the name is somebody else.
        incarnation: Incarnation,
        /// The cell of a foreign registry that holds this life; absent: it registered here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cell: Option<Cell>,
    },
    /// All in a zone, also those that join.
    Zone(ZoneName),
}

/// A switch, and what it is set to within a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchLeg {
    /// The switch.
    pub switch: SwitchName,
    /// What it is set to within the scope.
    pub setting: Setting,
    /// Where.
    #[serde(default)]
    pub scope: Scope,
    /// Which way it pulls; decided by the switch's polarity when proposed.
    pub stance: Stance,
}

/// A backend that hushes alerts, and what is done there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceLeg {
    /// The backend.
    pub backend: BackendName,
    /// What is done.
    pub hush: Hush,
}

/// What is done to the silences of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hush {
    /// A silence of Rein's own is laid: it protects people, and no one else's is touched.
    Lay(Matchers),
    /// A silence that somebody else made is taken away until its own end.
    Lift(Lifted),
}

/// A silence that somebody else made, as it was when Rein was asked to take it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifted {
    /// The backend's own id of it.
    pub id: String,
    /// What it hushes, in words.
    pub what: String,
    /// Who made it, as it says itself.
    pub author: String,
    /// When it ends by itself.
    pub ends: Timestamp,
}

impl Leg {
    /// The leg over a switch, if it is one.
    pub fn as_switch(&self) -> Option<&SwitchLeg> {
        match self {
            Self::Switch(leg) => Some(leg),
            Self::Silence(_) | Self::Instance(_) => None,
        }
    }

    /// The leg over a backend's silences, if it is one.
    pub fn as_silence(&self) -> Option<&SilenceLeg> {
        match self {
            Self::Silence(leg) => Some(leg),
            Self::Switch(_) | Self::Instance(_) => None,
        }
    }

    /// The leg over instances, if it is one.
    pub fn as_instance(&self) -> Option<&InstanceLeg> {
        match self {
            Self::Instance(leg) => Some(leg),
            Self::Switch(_) | Self::Silence(_) => None,
        }
    }

    /// The noun, as it names commands and types.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Switch(_) => "switch",
            Self::Silence(_) => "silence",
            Self::Instance(_) => "instance",
        }
    }

    /// What people call the target: a switch, a backend, an instance, or a service of which a zone is meant.
    pub fn target(&self) -> String {
        match self {
            Self::Switch(leg) => leg.switch.to_string(),
            Self::Silence(leg) => leg.backend.to_string(),
            Self::Instance(leg) => match &leg.which {
                Which::One { id, .. } => format!("{}/{id}", leg.service),
                Which::Zone(_) => leg.service.to_string(),
            },
        }
    }

    /// Which way it pulls.
    pub fn stance(&self) -> Stance {
        match self {
            Self::Switch(leg) => leg.stance,
            Self::Instance(_) => Stance::Protects,
            Self::Silence(SilenceLeg { hush: Hush::Lay(_), .. }) => Stance::Protects,
            Self::Silence(SilenceLeg { hush: Hush::Lift(_), .. }) => Stance::Relaxes,
        }
    }

    /// What one must have a grant for. A silence belongs to the service it names by equality; one that
    /// names none, or takes a silence of somebody else away, concerns everything.
    pub fn pattern(&self) -> Pattern {
        match self {
            Self::Switch(leg) => Pattern::Switch(leg.switch.clone()),
            Self::Instance(leg) => Pattern::Service(leg.service.clone()),
            Self::Silence(SilenceLeg { hush: Hush::Lay(matchers), .. }) => {
                let named = matchers.iter().find(|m| m.name() == "service" && m.op() == MatchOp::Equal);
                named.and_then(|m| m.value().parse().ok()).map_or(Pattern::All, Pattern::Service)
            }
            Self::Silence(_) => Pattern::All,
        }
    }

    /// The cell it is written into, if it lies over a foreign backend. `nth`: how many legs of the change
    /// before it lie over the same one.
    pub(crate) fn cell(&self, change: &ChangeId, nth: usize) -> Option<Cell> {
        let leg = self.as_silence()?;
        let key = match &leg.hush {
            Hush::Lay(_) if nth == 0 => change.to_string(),
            Hush::Lay(_) => format!("{change}.{nth}"),
            Hush::Lift(lifted) => format!("foreign:{}", lifted.id),
        };
        Some(Cell { backend: leg.backend.clone(), key })
    }
}
