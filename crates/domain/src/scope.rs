//! Where a layer applies: zones, instances and a sticky share of the traffic.

use crate::name::{InstanceName, ZoneName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A share of the traffic that loses the feature, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

/// A share outside 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a percentage; give 1 to 100, the share that loses the feature")]
pub struct PercentError(pub i64);

impl Percent {
    /// Everybody.
    pub const ALL: Self = Self(100);

    /// The share as a number from 1 to 100.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = PercentError;
    fn try_from(share: u8) -> Result<Self, PercentError> {
        if (1..=100).contains(&share) { Ok(Self(share)) } else { Err(PercentError(i64::from(share))) }
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

/// Where a layer applies. An empty set of zones or instances means all of them.
/// Evaluated live: instances that join later are covered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Zones covered; empty: all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub zones: BTreeSet<ZoneName>,
    /// Instances covered; empty: all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub instances: BTreeSet<InstanceName>,
    /// Share of the targeting keys covered. All percentages of one switch use one hash
    /// per door, so 20 and 50 together make 50.
    #[serde(default = "everybody")]
    pub percent: Percent,
}

fn everybody() -> Percent {
    Percent::ALL
}

impl Default for Scope {
    fn default() -> Self {
        Self { zones: BTreeSet::new(), instances: BTreeSet::new(), percent: Percent::ALL }
    }
}

/// One asker: what its client told about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Context attribute `zone`, as given.
    pub zone: Option<String>,
    /// Context attribute `instance`, as given.
    pub instance: Option<String>,
    /// Where the targeting key falls, 0 to 99; without a key no percentage below 100 covers it.
    pub bucket: Option<u8>,
}

impl Scope {
    /// Everything, everywhere.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Does the scope, percentage aside, cover this place?
    pub fn covers_site(&self, place: &Place) -> bool {
        let within = |set: &[&str], value: &Option<String>| {
            set.is_empty() || value.as_deref().is_some_and(|v| set.contains(&v))
        };
        let zones: Vec<&str> = self.zones.iter().map(ZoneName::as_str).collect();
        let instances: Vec<&str> = self.instances.iter().map(InstanceName::as_str).collect();
        within(&zones, &place.zone) && within(&instances, &place.instance)
    }

    /// Does the scope cover this place?
    pub fn covers(&self, place: &Place) -> bool {
        self.covers_site(place)
            && (self.percent == Percent::ALL || place.bucket.is_some_and(|b| b < self.percent.get()))
    }

    /// Can some place be in both scopes?
    pub fn meets(&self, other: &Self) -> bool {
        fn touch<T: Ord>(mine: &BTreeSet<T>, theirs: &BTreeSet<T>) -> bool {
            mine.is_empty() || theirs.is_empty() || !mine.is_disjoint(theirs)
        }
        touch(&self.zones, &other.zones) && touch(&self.instances, &other.instances)
    }

    /// Does this scope cover every place the other one covers?
    pub fn contains(&self, other: &Self) -> bool {
        fn wider<T: Ord>(mine: &BTreeSet<T>, theirs: &BTreeSet<T>) -> bool {
            mine.is_empty() || (!theirs.is_empty() && theirs.is_subset(mine))
        }
        self.percent >= other.percent
            && wider(&self.zones, &other.zones)
            && wider(&self.instances, &other.instances)
    }
}

/// `20 % in sh`, `100 %`, `100 % of i-1, i-2 in sh`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent.get())?;
        let join = |names: Vec<&str>| names.join(", ");
        if !self.instances.is_empty() {
            write!(f, " of {}", join(self.instances.iter().map(InstanceName::as_str).collect()))?;
        }
        if !self.zones.is_empty() {
            write!(f, " in {}", join(self.zones.iter().map(ZoneName::as_str).collect()))?;
        }
        Ok(())
    }
}
