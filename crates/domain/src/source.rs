//! Sources of changes: who makes changes that Rein did not make, and how often they are to be heard of.
//! A list of changes is worth as much as its sources: what is missing from it has to be said.

use crate::name::ActorName;
use crate::switch::MAX_TEXT;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The least that can be asked for, in seconds.
pub const MIN_EVERY: u32 = 60;
/// The most, in seconds: markers are not kept longer.
pub const MAX_EVERY: u32 = 7 * 24 * 3600;

/// A declared source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// As its markers name it.
    pub name: ActorName,
    /// Team that answers for it.
    pub owner: String,
    /// It is heard of at least every so many seconds. Absent: it may be silent for ever once it was heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
}

/// Why a source cannot be declared or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nobody declared it.
    #[error("there is no source {0}")]
    Unknown(ActorName),
    /// A field that does not fit.
    #[error("{field}: {what}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

impl Source {
    /// Checks what its types alone do not.
    pub fn check(&self) -> Result<(), SourceError> {
        let field = |field, what| Err(SourceError::Field { field, what });
        if self.name.as_str() == "rein" {
            return field("name", "rein's own changes are always known; name another source".to_owned());
        }
        if self.owner.is_empty() || self.owner.len() > MAX_TEXT {
            return field("owner", format!("has {} bytes; give 1 to {MAX_TEXT}", self.owner.len()));
        }
        match self.every {
            Some(every) if !(MIN_EVERY..=MAX_EVERY).contains(&every) => {
                field("every_seconds", format!("is {every}; give {MIN_EVERY} to {MAX_EVERY}"))
            }
            _ => Ok(()),
        }
    }
}

/// How a source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was heard, and lately enough.
    Heard(Timestamp),
    /// It was heard, but should have been since.
    Silent(Timestamp),
    /// It is declared, and was never heard, as far as markers are kept.
    Never,
}

impl Standing {
    /// Is what it does known?
    pub fn is_heard(self) -> bool {
        matches!(self, Self::Heard(_))
    }
}

/// How every source stands: those declared, and those heard without that.
pub fn standings<'a>(
    declared: impl Iterator<Item = &'a Source>,
    heard: &BTreeMap<&'a ActorName, Timestamp>,
    now: Timestamp,
) -> BTreeMap<&'a ActorName, Standing> {
    let mut all: BTreeMap<&ActorName, Standing> = BTreeMap::new();
    let mut known: BTreeSet<&ActorName> = BTreeSet::new();
    for source in declared {
        known.insert(&source.name);
        let standing = match heard.get(&source.name) {
            None => Standing::Never,
            Some(at) => {
                let within = source.every.map(|every| Duration::from_secs(every.into()));
                let late = within.is_some_and(|within| now.since(*at) > within);
                if late { Standing::Silent(*at) } else { Standing::Heard(*at) }
            }
        };
        all.insert(&source.name, standing);
    }
    // Nobody promised anything about the others.
    let others = heard.iter().filter(|(name, _)| !known.contains(*name));
    all.extend(others.map(|(name, at)| (*name, Standing::Heard(*at))));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, every: Option<u32>) -> Source {
        Source { name: name.parse().unwrap(), owner: "sre".into(), every }
    }

    #[test]
    fn a_source_is_silent_only_after_the_time_it_promised() {
        let declared = [source("ci", Some(3600)), source("argo", None), source("jenkins", Some(3600))];
        let (ci, argo, hand): (ActorName, ActorName, ActorName) =
            ("ci".parse().unwrap(), "argo".parse().unwrap(), "hand".parse().unwrap());
        let heard = BTreeMap::from([(&ci, Timestamp(0)), (&argo, Timestamp(0)), (&hand, Timestamp(0))]);
        for (now, of_ci) in [
            (3_600_000, Standing::Heard(Timestamp(0))),
            (3_600_001, Standing::Silent(Timestamp(0))),
            // Time that went back makes nobody silent.
            (-5, Standing::Heard(Timestamp(0))),
        ] {
            let all = standings(declared.iter(), &heard, Timestamp(now));
            assert_eq!(all[&ci], of_ci, "{now}");
            assert_eq!(all[&argo], Standing::Heard(Timestamp(0)));
            assert_eq!(all[&hand], Standing::Heard(Timestamp(0)));
            assert_eq!(all[&"jenkins".parse::<ActorName>().unwrap()], Standing::Never);
            assert_eq!(all.len(), 4);
        }
    }

    #[test]
    fn what_cannot_be_promised_is_refused() {
        assert!(source("ci", None).check().is_ok());
        assert!(source("ci", Some(60)).check().is_ok());
        for (bad, says) in [
            (source("ci", Some(59)), "every_seconds"),
            (source("ci", Some(MAX_EVERY + 1)), "every_seconds"),
            (source("rein", None), "name"),
            (Source { owner: String::new(), ..source("ci", None) }, "owner"),
        ] {
            assert!(bad.check().unwrap_err().to_string().starts_with(says), "{bad:?}");
        }
    }
}
