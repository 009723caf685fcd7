//! Incidents: what ties changes together.

use crate::name::{ActorName, ChangeId, IncidentName};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An incident. It comes into being with the first change that names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its name, such as `INC-42`.
    pub name: IncidentName,
    /// When the first change named it.
    pub opened: Timestamp,
    /// Who laid that change.
    pub by: ActorName,
    /// Set once; a closed incident stays closed.
    pub closed: Option<Closed>,
}

/// How an incident was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: ActorName,
    /// Changes that stay in force all the same, until their own deadline.
    #[serde(default)]
    pub kept: BTreeSet<ChangeId>,
}

/// Why an incident cannot be used as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IncidentError {
    /// It was closed; its changes are over and it takes no new ones.
    #[error("{name} was closed by {by}; it takes no new changes")]
    Closed {
        /// The incident.
        name: IncidentName,
        /// Who closed it.
        by: ActorName,
    },
    /// No change ever named it.
    #[error("there is no incident {0}")]
    Unknown(IncidentName),
}

impl Incident {
    /// A new, open incident.
    pub fn open(name: IncidentName, by: ActorName, now: Timestamp) -> Self {
        Self { name, opened: now, by, closed: None }
    }

    /// Is `change` still in force as far as this incident is concerned?
    pub fn lets(&self, change: &ChangeId) -> bool {
        self.closed.as_ref().is_none_or(|closed| closed.kept.contains(change))
    }

    /// Closes it, except for `kept`. One record ends all its other changes at once.
    pub fn close(
        &self,
        by: ActorName,
        kept: BTreeSet<ChangeId>,
        now: Timestamp,
    ) -> Result<Self, IncidentError> {
        self.takes_changes()?;
        Ok(Self { closed: Some(Closed { at: now, by, kept }), ..self.clone() })
    }

    /// May a new change name it?
    pub fn takes_changes(&self) -> Result<(), IncidentError> {
        match &self.closed {
            None => Ok(()),
            Some(closed) => Err(IncidentError::Closed { name: self.name.clone(), by: closed.by.clone() }),
        }
    }
}
