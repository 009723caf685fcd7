//! Alerts: which of them are worth waking for, and why they stand where they stand.
//!
//! Alerts become *lines*: one for each name and service ([`Line`]). A line's priority comes from how severe
//! it is, how critical its service is and how much of it fires. A line of a caller, the symptom, is folded
//! under a line of a service that it calls in the end, its likely cause; and one that began with a change of
//! Rein over its service is folded under that change. Silenced and inhibited alerts are lines apart.
//!
//! Nothing is lost: each alert is in exactly one line, and each line in exactly one [`Place`]. What is shown
//! is raised to the most urgent of what it hides. Every line carries its [`Reason`]s. Every constant is in
//! [`AlertRules`], which people may declare.

mod calls;
mod fold;
mod judge;
mod line;
mod reason;
mod rules;

pub use calls::CallGraph;
pub use judge::judge;
pub use line::{Breadth, Judged, Line, Place, What};
pub use reason::{Edge, Reason};
pub use rules::{
    AlertRules, BreadthRule, ChangeRule, FoldRule, PriorityRule, RulesError, SeverityRule, THE_RULES,
    TierRule,
};

use crate::name::BackendName;
use crate::switch::Level;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// An alert as one backend shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    /// The backend's own id: a fingerprint.
    pub id: String,
    /// The backend.
    pub backend: BackendName,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Since when.
    pub since: Timestamp,
    /// Whether anybody hears of it.
    pub state: State,
}

/// Whether anybody hears of an alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// People are told.
    Firing,
    /// Silences hush it, by id.
    Silenced(Vec<String>),
    /// Its backend holds it back: because of other alerts, by id, or without saying why.
    Inhibited(Vec<String>),
}

/// How urgent something is, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Priority {
    /// Worth waking for.
    P1,
    /// Soon.
    P2,
    /// In working hours.
    P3,
    /// When there is time.
    P4,
}

/// No such priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no priority; give P1, P2, P3 or P4", crate::text::clean(.0))]
pub struct PriorityError(pub String);

impl Priority {
    /// All, most urgent first.
    pub const ALL: [Self; 4] = [Self::P1, Self::P2, Self::P3, Self::P4];

    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Priority {
    type Err = PriorityError;

    fn from_str(text: &str) -> Result<Self, PriorityError> {
        let found = Self::ALL.into_iter().find(|priority| priority.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| PriorityError(text.to_owned()))
    }
}

/// What is known of a service that alerts may name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// How critical it is, where that is declared.
    pub tier: Option<Level>,
    /// How many instances it has, where a registry knows.
    pub instances: Option<u32>,
}

/// A change that lies over services, or did so lately.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flight {
    /// Its id.
    pub id: String,
    /// What it does, in words.
    pub what: String,
    /// Who laid it.
    pub by: String,
    /// The services that it concerns.
    pub services: BTreeSet<String>,
    /// When it began.
    pub began: Timestamp,
    /// When it was over; `None`: it still lies there.
    pub over: Option<Timestamp>,
    /// Whose word it is, and so what the id is.
    pub told: Told,
}

/// Whose word a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// Rein's own: the id is the change's.
    Rein,
    /// Of whoever recorded what somebody else made: the id is a marker's.
    Marker,
    /// The registry's, in which another version came: service and version are its id.
    Registry,
}

impl Told {
    /// What has that id.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Rein => "change",
            Self::Marker => "marker",
            Self::Registry => "version",
        }
    }
}

/// What alerts are judged by, beside the rules.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The alerts, in any order.
    pub alerts: &'a [Alert],
    /// Who calls whom.
    pub calls: &'a CallGraph,
    /// Services by name.
    pub services: &'a BTreeMap<String, Known>,
    /// Changes that lie over services, or did so lately.
    pub flights: &'a [Flight],
}

#[cfg(test)]
mod tests;
