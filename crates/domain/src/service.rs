//! Services: declared by people, and the floor below which nobody may drain them.

use crate::name::{ServiceName, ZoneName};
use crate::switch::{Level, MAX_TEXT};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A declared service. Services that only registered have none of this, and the usual floor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// Team that answers for it.
    pub owner: String,
    /// 1 (most critical) to 4.
    pub tier: Level,
    /// Instances that must be left with traffic, wherever they are. Absent: see [`Floor::Usual`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<u32>,
}

/// Why a definition of a service is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// No such service.
    #[error("there is no service {name}")]
    Unknown {
        /// The name asked for.
        name: ServiceName,
        /// The nearest names that exist.
        near: Vec<ServiceName>,
    },
    /// A field is too long, or empty.
    #[error("service {name}: {field} {what}")]
    Field {
        /// The service.
        name: ServiceName,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

impl Service {
    /// Checks sizes.
    pub fn check(&self) -> Result<(), ServiceError> {
        let bad = |field, what: String| Err(ServiceError::Field { name: self.name.clone(), field, what });
        if self.owner.is_empty() || self.owner.len() > MAX_TEXT {
            return bad("owner", format!("has {} bytes; give 1 to {MAX_TEXT}", self.owner.len()));
        }
        match self.floor {
            Some(0) => bad("floor", "is 0; leave it out for the usual one, or give 1 or more".to_owned()),
            _ => Ok(()),
        }
    }
}

/// How many instances of a service must be left with traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// Half of the healthy ones in each zone, and never none at all.
    Usual,
    /// This many, wherever they are.
    Declared(u32),
}

/// Instances of one zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Healthy ones.
    pub healthy: u32,
    /// Healthy ones that carry traffic now.
    pub before: u32,
    /// Those that would be left.
    pub left: u32,
}

/// A floor that would be, or is, fallen below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// Where; absent: in the whole service.
    pub zone: Option<ZoneName>,
    /// How many carry traffic then.
    pub left: u32,
    /// Of how many healthy ones.
    pub healthy: u32,
    /// How many must.
    pub least: u32,
    /// Whether somebody declared that.
    pub floor: Floor,
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left, healthy, least, .. } = self;
        write!(f, "{left} of {healthy} healthy instances with traffic")?;
        if let Some(zone) = &self.zone {
            write!(f, " in {zone}")?;
        }
        match self.floor {
            Floor::Declared(_) => write!(f, ", and its floor is {least}"),
            Floor::Usual => write!(f, ", and at least {least} must be left where no floor is declared"),
        }
    }
}

/// Counts by zone; instances that name none are a zone of their own.
pub type Counts = BTreeMap<Option<ZoneName>, Count>;

impl Floor {
    /// Where what is left lies below it, if anywhere: the whole first.
    pub fn shortfall(self, counts: &Counts) -> Option<Shortfall> {
        self.short_where(counts, |_| true)
    }

    /// Does this floor forbid going from what is before to what is left? Only what takes something away is
    /// forbidden, and only where it takes it.
    pub fn forbids(self, counts: &Counts) -> Option<Shortfall> {
        let taken = |count: &Count| count.left < count.before;
        if !counts.values().any(taken) {
            return None;
        }
        self.short_where(counts, taken)
    }

    fn short_where(self, counts: &Counts, concerned: impl Fn(&Count) -> bool) -> Option<Shortfall> {
        let sum = |of: fn(&Count) -> u32| counts.values().map(of).sum::<u32>();
        let (healthy, left) = (sum(|c| c.healthy), sum(|c| c.left));
        let short = |zone, left, healthy, least| Shortfall { zone, left, healthy, least, floor: self };
        match self {
            Self::Declared(least) => (left < least).then(|| short(None, left, healthy, least)),
            Self::Usual if left == 0 => Some(short(None, left, healthy, healthy.div_ceil(2).max(1))),
            Self::Usual => {
                let half = |count: &Count| count.healthy.div_ceil(2);
                let mut zones = counts.iter().filter(|(_, count)| concerned(count));
                let found = zones.find(|(_, count)| count.left < half(count));
                found.map(|(zone, count)| short(zone.clone(), count.left, count.healthy, half(count)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts(zones: &[(&str, u32, u32, u32)]) -> Counts {
        let count = |(zone, healthy, before, left): &(&str, u32, u32, u32)| {
            let count = Count { healthy: *healthy, before: *before, left: *left };
            (Some(zone.parse().unwrap()), count)
        };
        zones.iter().map(count).collect()
    }

    #[test]
    fn the_usual_floor_is_half_of_each_zone_and_never_the_last() {
        for (zones, forbidden) in [
            (vec![("sh", 4, 4, 2), ("bj", 4, 4, 4)], false),
            (vec![("sh", 4, 4, 1), ("bj", 4, 4, 4)], true),
            (vec![("sh", 4, 4, 0), ("bj", 4, 4, 4)], true),
            (vec![("sh", 1, 1, 0)], true),
            (vec![("sh", 2, 2, 1)], false),
            (vec![("sh", 3, 3, 1)], true),
            // Somebody else's shortfall elsewhere is no reason against this.
            (vec![("sh", 4, 1, 1), ("bj", 4, 4, 3)], false),
            // Nothing is taken away: an instance that is down anyway.
            (vec![("sh", 4, 1, 1)], false),
            (vec![("sh", 0, 0, 0)], false),
        ] {
            assert_eq!(Floor::Usual.forbids(&counts(&zones)).is_some(), forbidden, "{zones:?}");
        }
    }

    #[test]
    fn a_declared_floor_counts_the_whole_service() {
        let all = counts(&[("sh", 4, 4, 0), ("bj", 4, 4, 4)]);
        assert_eq!(Floor::Declared(4).forbids(&all), None);
        let short = Floor::Declared(5).forbids(&all).unwrap();
        assert_eq!((short.left, short.healthy, short.least), (4, 8, 5));
        assert!(short.to_string().contains("floor is 5"));
    }

    proptest! {
        /// What is allowed leaves nobody without traffic who had some.
        #[test]
        fn what_is_allowed_leaves_somebody(
            zones in prop::collection::vec((0u32..6, 0u32..6, 0u32..6), 1..4), floor in prop::option::of(1u32..8),
        ) {
            let counts: Counts = zones.iter().enumerate().map(|(n, (healthy, before, left))| {
                let before = (*before).min(*healthy);
                let count = Count { healthy: *healthy, before, left: (*left).min(before) };
                (Some(format!("z{n}").parse().unwrap()), count)
            }).collect();
            let floor = floor.map_or(Floor::Usual, Floor::Declared);
            let sum = |of: fn(&Count) -> u32| counts.values().map(of).sum::<u32>();
            if floor.forbids(&counts).is_none() && sum(|c| c.before) > sum(|c| c.left) {
                prop_assert!(sum(|c| c.left) > 0);
                if let Floor::Declared(least) = floor {
                    prop_assert!(sum(|c| c.left) >= least);
                }
            }
        }
    }
}
