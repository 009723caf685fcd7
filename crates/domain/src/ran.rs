//! What a service runs as metrics show it, and when that is a change of version. Metrics have gaps, show what is gone
//! for a while longer, and may lie: nothing that is missing is a change at once, and nobody changes without end.

use crate::name::VersionName;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A version that is not shown for so long while others are runs no more. A restart takes less, and Prometheus itself
/// shows a series that is gone for so long.
pub const GONE: Duration = Duration::from_secs(5 * 60);
/// Versions of one service at once; a label that has more says something else.
pub const MAX_VERSIONS: usize = 16;
/// Changes of one service within an hour; further ones wait.
pub const MAX_CHANGES: usize = 6;

const HOUR: Duration = Duration::from_secs(3600);

/// What a service is known to run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// All versions that it runs.
    pub versions: BTreeSet<VersionName>,
    /// The one that came last, if any came since it is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<VersionName>,
    /// When it last changed, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<Timestamp>,
}

/// Another version than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// What ran before.
    pub from: VersionName,
    /// What runs since.
    pub to: VersionName,
    /// Since when, as far as looking tells.
    pub at: Timestamp,
}

/// What a look comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// All is as it was known.
    Rest,
    /// It is to be known from now on, and is no change: the first sight, or a version that others followed.
    Keep(Ran),
    /// A version came.
    Came(Ran, Shift),
    /// The version that came last is gone again, and those of before are left.
    Left(Ran, Shift),
}

/// Versions known to run that are not shown, and since when. Soft: whoever starts to look waits anew.
pub type Missed = BTreeMap<VersionName, Timestamp>;

impl Ran {
    /// What a look at one service comes to. `shows`: how many instances run each version; 0 where that is not known.
    pub fn look(
        known: Option<&Self>,
        shows: &BTreeMap<VersionName, u32>,
        missed: &mut Missed,
        now: Timestamp,
    ) -> Step {
        if shows.is_empty() || shows.len() > MAX_VERSIONS {
            // A gap tells nothing, nor does a label that is no version's.
            missed.clear();
            return Step::Rest;
        }
        let Some(known) = known.filter(|known| !known.versions.is_empty()) else {
            return Step::Keep(Self { versions: shows.keys().cloned().collect(), ..Self::default() });
        };
        missed.retain(|version, _| known.versions.contains(version) && !shows.contains_key(version));
        let absent: Vec<&VersionName> =
            known.versions.iter().filter(|version| !shows.contains_key(*version)).collect();
        for version in &absent {
            missed.entry((*version).clone()).or_insert(now);
        }
        if let Some(to) = most(shows, |version| !known.versions.contains(version)) {
            let from = most(shows, |version| known.versions.contains(version)).or_else(|| known.last());
            let Some(from) = from.filter(|_| known.may_change(now)) else { return Step::Rest };
            let shift = Shift { from: from.clone(), to: to.clone(), at: now };
            let mut ran = known.changing(now);
            ran.versions.insert(to.clone());
            ran.newest = Some(to.clone());
            return Step::Came(ran, shift);
        }
        let gone = |version: &&VersionName| missed.get(*version).is_some_and(|at| now.since(*at) >= GONE);
        let Some(gone) = absent.into_iter().find(gone) else { return Step::Rest };
        let mut ran = known.clone();
        ran.versions.remove(gone);
        if known.newest.as_ref() != Some(gone) {
            missed.remove(gone);
            return Step::Keep(ran);
        }
        let left = most(shows, |version| ran.versions.contains(version)).filter(|_| known.may_change(now));
        let Some(to) = left else { return Step::Rest };
        let at = missed.remove(gone).unwrap_or(now);
        let shift = Shift { from: gone.clone(), to: to.clone(), at };
        let mut ran = Self { changed: known.changing(now).changed, ..ran };
        ran.newest = Some(to.clone());
        Step::Left(ran, shift)
    }

    /// The version to name where none of those known is shown any more.
    fn last(&self) -> Option<&VersionName> {
        self.newest.as_ref().filter(|newest| self.versions.contains(newest)).or(self.versions.last())
    }

    fn may_change(&self, now: Timestamp) -> bool {
        self.changed.iter().filter(|at| now.since(**at) < HOUR).count() < MAX_CHANGES
    }

    /// The same with one more change.
    fn changing(&self, now: Timestamp) -> Self {
        let mut ran = self.clone();
        ran.changed.push(now);
        let over = ran.changed.len().saturating_sub(MAX_CHANGES);
        ran.changed.drain(..over);
        ran
    }
}

/// Of the versions that fit, the one that most instances run.
fn most(shows: &BTreeMap<VersionName, u32>, fits: impl Fn(&VersionName) -> bool) -> Option<&VersionName> {
    shows.iter().filter(|(version, _)| fits(version)).max_by_key(|(_, count)| **count).map(|(v, _)| v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One service, looked at every 15 seconds.
    #[derive(Default)]
    struct Watched {
        known: Option<Ran>,
        missed: Missed,
        now: i64,
        writes: usize,
        told: Vec<String>,
    }

    impl Watched {
        fn shows(&mut self, shows: &[(&str, u32)]) {
            self.now += 15_000;
            let shows = shows.iter().map(|(version, count)| (version.parse().unwrap(), *count)).collect();
            let step = Ran::look(self.known.as_ref(), &shows, &mut self.missed, Timestamp(self.now));
            let (ran, shift) = match step {
                Step::Rest => return,
                Step::Keep(ran) => (ran, None),
                Step::Came(ran, shift) | Step::Left(ran, shift) => (ran, Some(shift)),
            };
            self.writes += 1;
            self.known = Some(ran);
            self.told.extend(shift.map(|s| format!("{}→{} at {}", s.from, s.to, s.at.0 / 1000)));
        }

        fn keeps_showing(&mut self, shows: &[(&str, u32)], seconds: i64) {
            let end = self.now + seconds * 1000;
            while self.now < end {
                self.shows(shows);
            }
        }
    }

    #[test]
    fn a_first_sight_a_gap_and_a_restart_are_no_change() {
        let mut order = Watched::default();
        order.keeps_showing(&[("v1", 3)], 60);
        // Prometheus is gone for an hour, or the service is.
        order.keeps_showing(&[], 3600);
        order.keeps_showing(&[("v1", 3)], 60);
        // The server was restarted.
        order.missed.clear();
        order.keeps_showing(&[("v1", 2)], 600);
        assert_eq!((order.told.len(), order.writes), (0, 1), "{:?}", order.told);
    }

    #[test]
    fn a_rollout_is_one_change_and_so_is_the_way_back() {
        let mut order = Watched::default();
        order.shows(&[("v1", 3)]);
        order.shows(&[("v1", 3), ("v2", 1)]);
        order.shows(&[("v1", 1), ("v2", 2)]);
        order.keeps_showing(&[("v2", 3)], 600);
        assert_eq!(order.told, ["v1→v2 at 30"]);
        assert_eq!(order.writes, 3, "the first sight, the change, and that v1 is gone");
        order.shows(&[("v2", 2), ("v1", 1)]);
        order.keeps_showing(&[("v1", 3)], 600);
        assert_eq!(order.told.len(), 2);
        assert!(order.told[1].starts_with("v2→v1 at "), "{:?}", order.told);
    }

    #[test]
    fn a_version_that_is_taken_back_at_once_is_seen_when_it_is_surely_gone() {
        let mut order = Watched::default();
        order.shows(&[("v1", 3)]);
        order.shows(&[("v1", 2), ("v2", 1)]);
        order.keeps_showing(&[("v1", 3)], 285);
        assert_eq!(order.told.len(), 1);
        // A restart of the only one that runs it.
        order.shows(&[("v1", 2), ("v2", 1)]);
        order.keeps_showing(&[("v1", 3)], 330);
        assert_eq!(order.told, ["v1→v2 at 30", "v2→v1 at 345"]);
    }

    #[test]
    fn after_a_gap_another_version_follows_the_one_that_came_last() {
        let mut order = Watched::default();
        order.shows(&[("v1", 1), ("v0", 1)]);
        order.shows(&[("v1", 1), ("v0", 1), ("v2", 1)]);
        order.keeps_showing(&[], 3600);
        order.shows(&[("v3", 3)]);
        assert_eq!(order.told.last().unwrap(), &format!("v2→v3 at {}", order.now / 1000));
    }

    #[test]
    fn two_versions_that_run_side_by_side_are_no_change() {
        let mut order = Watched::default();
        order.keeps_showing(&[("a", 3), ("b", 3)], 600);
        order.keeps_showing(&[("a", 6)], 600);
        assert!(order.told.is_empty(), "{:?}", order.told);
    }

    #[test]
    fn whatever_flaps_or_is_no_version_writes_seldom() {
        let mut order = Watched::default();
        for n in 0..4 * 60 {
            // Another one at every look: a build's time, or a process.
            order.shows(&[(format!("b{n}").as_str(), 1)]);
        }
        assert_eq!(order.told.len(), MAX_CHANGES);
        assert!(order.writes <= 2 * MAX_CHANGES + 1, "{}", order.writes);
        let mut payment = Watched::default();
        for n in 0..4 * 60 {
            payment.shows(&[(["v1", "v2"][n % 2], 1)]);
        }
        assert_eq!(payment.told, ["v1→v2 at 30"]);
        let many: Vec<String> = (0..=MAX_VERSIONS).map(|n| format!("v{n}")).collect();
        let many: Vec<(&str, u32)> = many.iter().map(|version| (version.as_str(), 1)).collect();
        let mut push = Watched::default();
        push.keeps_showing(&many, 60);
        assert_eq!(push.writes, 0);
    }

    proptest! {
        #[test]
        fn no_look_leaves_more_than_it_may_and_every_change_has_two_ends(
            looks in proptest::collection::vec(proptest::collection::btree_map(0u8..20, 0u32..4, 0..4), 0..300)
        ) {
            let mut order = Watched::default();
            for shows in looks {
                let before = order.told.len();
                let shows: Vec<(String, u32)> = shows.into_iter().map(|(v, n)| (format!("v{v}"), n)).collect();
                let shows: Vec<(&str, u32)> = shows.iter().map(|(v, n)| (v.as_str(), *n)).collect();
                order.shows(&shows);
                if let Some(told) = order.told.get(before) {
                    let (from, rest) = told.split_once('→').unwrap();
                    prop_assert_ne!(from, rest.split(' ').next().unwrap());
                }
                if let Some(known) = &order.known {
                    prop_assert!(!known.versions.is_empty() && known.changed.len() <= MAX_CHANGES);
                }
            }
            let hours = usize::try_from(order.now / 3_600_000 + 1).unwrap();
            prop_assert!(order.told.len() <= hours * MAX_CHANGES);
        }
    }
}
