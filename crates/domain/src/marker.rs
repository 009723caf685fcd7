//! Markers: changes that were made elsewhere, as somebody recorded them. Rein neither made nor undoes them;
//! they are there to be suspected. What may not live here: what Rein changed itself.

use crate::name::{ActorName, MarkerId, MarkerKind, ServiceName, VersionName};
use crate::switch::MAX_TEXT;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a marker is kept after it was recorded.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Most markers kept of one source; the oldest gives way.
pub const MAX_OF_SOURCE: usize = 1000;
/// Most markers kept of one token's holder, under whatever names: names cost nothing.
pub const MAX_OF_ACTOR: usize = 5000;
/// How far ahead of Rein's clock a marker's time may be: clocks differ.
pub const MAX_AHEAD: Duration = Duration::from_secs(60);

/// A change that was made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// Its identity.
    pub id: MarkerId,
    /// What kind of change it was.
    pub kind: MarkerKind,
    /// What was changed.
    pub service: ServiceName,
    /// What it runs since, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionName>,
    /// What it ran before, where nobody recorded the change: a backend's metrics showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<VersionName>,
    /// Who made the change, as whoever recorded it claims; of one that metrics showed, whose metrics.
    pub by: ActorName,
    /// Whose token recorded it.
    pub actor: ActorName,
    /// When it was made, as claimed; never later than `recorded`.
    pub at: Timestamp,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// Anything else worth knowing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Why a marker is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkerError {
    /// It has not happened yet.
    #[error("the change lies {} s ahead; only what was done can be recorded", .0.as_secs())]
    Ahead(Duration),
    /// It would be forgotten at once.
    #[error("the change was made more than 7 days ago; markers are kept that long")]
    TooOld,
    /// A note that no record takes.
    #[error("the note is {0} bytes long; at most {MAX_TEXT}")]
    NoteTooLong(usize),
}

impl Marker {
    /// The same, if it can be recorded at `now`. A clock that is a little ahead is forgiven.
    pub fn record(mut self, now: Timestamp) -> Result<Self, MarkerError> {
        let ahead = self.at.since(now);
        if ahead > MAX_AHEAD {
            return Err(MarkerError::Ahead(ahead));
        }
        if now.since(self.at) > KEPT {
            return Err(MarkerError::TooOld);
        }
        if self.note.len() > MAX_TEXT {
            return Err(MarkerError::NoteTooLong(self.note.len()));
        }
        self.at = self.at.min(now);
        self.recorded = now;
        Ok(self)
    }

    /// What was done, in words: `deploy v2.4`, or `v2.3 → v2.4`.
    pub fn what(&self) -> String {
        match (&self.before, &self.version) {
            (Some(before), Some(version)) => format!("{before} → {version}"),
            (_, Some(version)) => format!("{} {version}", self.kind),
            (_, None) => self.kind.to_string(),
        }
    }
}

/// All markers that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markers {
    all: BTreeMap<MarkerId, Marker>,
    /// By when they were recorded: the oldest gives way first.
    by_source: BTreeMap<ActorName, BTreeSet<(Timestamp, MarkerId)>>,
    by_actor: BTreeMap<ActorName, BTreeSet<(Timestamp, MarkerId)>>,
}

impl Markers {
    /// One of them.
    pub fn get(&self, id: &MarkerId) -> Option<&Marker> {
        self.all.get(id)
    }

    /// Takes one in, in place of one with the same id.
    pub fn put(&mut self, marker: Marker) {
        self.remove(&marker.id.clone());
        let place = (marker.recorded, marker.id.clone());
        self.by_source.entry(marker.by.clone()).or_default().insert(place.clone());
        self.by_actor.entry(marker.actor.clone()).or_default().insert(place);
        self.all.insert(marker.id.clone(), marker);
    }

    /// Drops one.
    pub fn remove(&mut self, id: &MarkerId) {
        let Some(marker) = self.all.remove(id) else { return };
        let place = (marker.recorded, marker.id);
        for (index, name) in [(&mut self.by_source, marker.by), (&mut self.by_actor, marker.actor)] {
            if let Some(places) = index.get_mut(&name) {
                places.remove(&place);
                if places.is_empty() {
                    index.remove(&name);
                }
            }
        }
    }

    /// Changes made since, newest first.
    pub fn since(&self, since: Timestamp) -> Vec<&Marker> {
        let mut found: Vec<&Marker> = self.all.values().filter(|marker| marker.at >= since).collect();
        found.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        found
    }

    /// When each source was last heard. A backend whose metrics showed something is none of these.
    pub fn heard(&self) -> BTreeMap<&ActorName, Timestamp> {
        let said = |(_, id): &&(Timestamp, MarkerId)| self.get(id).is_some_and(|it| it.before.is_none());
        let last =
            |places: &BTreeSet<(Timestamp, MarkerId)>| places.iter().rev().find(said).map(|(at, _)| *at);
        self.by_source.iter().filter_map(|(source, places)| Some((source, last(places)?))).collect()
    }

    /// When anything was last recorded.
    pub fn newest(&self) -> Option<Timestamp> {
        self.by_source.values().filter_map(|places| places.last().map(|(at, _)| *at)).max()
    }

    /// Which ones give way so that one more of this source and holder has room.
    pub fn gives_way(&self, by: &ActorName, actor: &ActorName) -> BTreeSet<MarkerId> {
        let over = |places: Option<&BTreeSet<(Timestamp, MarkerId)>>, most: usize| {
            let places = places.into_iter().flatten();
            let count = places.clone().count();
            places.take((count + 1).saturating_sub(most)).map(|(_, id)| id.clone()).collect::<Vec<_>>()
        };
        let mut gone = over(self.by_source.get(by), MAX_OF_SOURCE);
        gone.extend(over(self.by_actor.get(actor), MAX_OF_ACTOR));
        gone.into_iter().collect()
    }

    /// Those kept for long enough.
    pub fn old(&self, now: Timestamp) -> Vec<MarkerId> {
        let old = |marker: &&Marker| now.since(marker.recorded) > KEPT;
        self.all.values().filter(old).map(|marker| marker.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_795_392_000_000);

    fn marker(n: u64, by: &str, recorded: Timestamp) -> Marker {
        Marker {
            id: MarkerId::from_random(n),
            kind: "deploy".parse().unwrap(),
            service: "order".parse().unwrap(),
            version: Some("v2.4".parse().unwrap()),
            before: None,
            by: by.parse().unwrap(),
            actor: "robot".parse().unwrap(),
            at: recorded,
            recorded,
            note: String::new(),
        }
    }

    #[test]
    fn only_what_was_done_lately_is_recorded() {
        let at = |at: Timestamp| Marker { at, ..marker(1, "ci", NOW) }.record(NOW);
        assert_eq!(at(NOW).unwrap().at, NOW);
        assert_eq!(at(NOW.minus(Duration::from_secs(90))).unwrap().at, NOW.minus(Duration::from_secs(90)));
        // A clock that is ahead makes no change of tomorrow.
        assert_eq!(at(NOW.plus(MAX_AHEAD)).unwrap().at, NOW);
        let far = NOW.plus(MAX_AHEAD).plus(Duration::from_secs(1));
        assert_eq!(at(far), Err(MarkerError::Ahead(Duration::from_secs(61))));
        assert!(at(NOW.minus(KEPT)).is_ok());
        assert_eq!(at(NOW.minus(KEPT).minus(Duration::from_millis(1))), Err(MarkerError::TooOld));
        let note = "x".repeat(MAX_TEXT + 1);
        let long = Marker { note, ..marker(1, "ci", NOW) }.record(NOW);
        assert_eq!(long, Err(MarkerError::NoteTooLong(MAX_TEXT + 1)));
    }

    #[test]
    fn the_oldest_of_a_source_gives_way_and_so_does_that_of_a_holder_of_many_names() {
        let mut markers = Markers::default();
        for n in 0..MAX_OF_SOURCE as u64 {
            let way = markers.gives_way(&"ci".parse().unwrap(), &"robot".parse().unwrap());
            assert!(way.is_empty(), "{n}");
            markers.put(marker(n, "ci", Timestamp(NOW.0 + n as i64)));
        }
        let way = markers.gives_way(&"ci".parse().unwrap(), &"robot".parse().unwrap());
        assert_eq!(way, BTreeSet::from([MarkerId::from_random(0)]));
        for n in MAX_OF_SOURCE as u64..MAX_OF_ACTOR as u64 {
            markers.put(marker(n, &format!("ci-{}", n % 40), Timestamp(NOW.0 + n as i64)));
        }
        let way = markers.gives_way(&"fresh".parse().unwrap(), &"robot".parse().unwrap());
        assert_eq!(way, BTreeSet::from([MarkerId::from_random(0)]));
        assert!(markers.gives_way(&"fresh".parse().unwrap(), &"other".parse().unwrap()).is_empty());
    }

    #[test]
    fn what_was_made_earlier_and_recorded_later_stands_where_it_was_made() {
        let mut markers = Markers::default();
        let early = Timestamp(NOW.0 - 60_000);
        markers.put(Marker { at: early, ..marker(1, "ci", NOW) });
        markers.put(marker(2, "argo", Timestamp(NOW.0 - 30_000)));
        let order: Vec<&str> = markers.since(early).iter().map(|m| m.by.as_str()).collect();
        assert_eq!(order, ["argo", "ci"]);
        assert!(markers.since(NOW).is_empty());
        assert_eq!(markers.heard()[&"ci".parse::<ActorName>().unwrap()], NOW);
        assert_eq!(markers.old(NOW.plus(KEPT)), [MarkerId::from_random(2)]);
    }

    #[test]
    fn what_metrics_showed_is_told_with_what_was_before_and_makes_nobody_heard() {
        let mut markers = Markers::default();
        markers.put(marker(1, "metrics", NOW));
        let shown = Marker { before: Some("v2.3".parse().unwrap()), ..marker(2, "metrics", NOW.plus(KEPT)) };
        assert_eq!(shown.what(), "v2.3 → v2.4");
        markers.put(shown);
        assert_eq!(markers.heard()[&"metrics".parse::<ActorName>().unwrap()], NOW);
        assert_eq!(markers.newest(), Some(NOW.plus(KEPT)));
    }

    proptest! {
        #[test]
        fn whatever_is_put_and_removed_the_indexes_know_the_same(
            acts in proptest::collection::vec((0u64..12, 0usize..3, 0i64..50, any::<bool>()), 0..60)
        ) {
            let mut markers = Markers::default();
            for (id, by, at, put) in acts {
                match put {
                    true => markers.put(marker(id, ["a", "b", "c"][by], Timestamp(at))),
                    false => markers.remove(&MarkerId::from_random(id)),
                }
            }
            let counted: usize = markers.by_source.values().map(BTreeSet::len).sum();
            prop_assert_eq!(counted, markers.all.len());
            let counted: usize = markers.by_actor.values().map(BTreeSet::len).sum();
            prop_assert_eq!(counted, markers.all.len());
            for (source, at) in markers.heard() {
                let newest = markers.all.values().filter(|m| m.by == *source).map(|m| m.recorded).max();
                prop_assert_eq!(Some(at), newest);
            }
        }
    }
}
