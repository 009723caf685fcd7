//! Changes of version that metrics show, beside what others say of the same; and the backends that show them, among
//! the places where changes are known from.

use crate::house::House;
use crate::image::Image;
use crate::reconcile::{VERSIONS_EVERY, Watch, Watched};
use rein_api::markers::SourceView;
use rein_domain::backend::Backend;
use rein_domain::marker::Marker;
use rein_domain::name::{ServiceName, VersionName};
use rein_domain::time::Timestamp;
use rein_domain::versions::{self, VersionChange};
use rein_plugin::telemetry::NOUN;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Two that tell of the same version within so long tell of one change: scrapes and looks come later than instances.
const ONE: Duration = Duration::from_secs(600);
/// Whoever showed no version for so long is silent.
const SILENT: Duration = Duration::from_secs(60);

/// What two that tell of the same change have in common: service, what ran before, what runs since.
type Same<'a> = (&'a ServiceName, Option<&'a VersionName>, Option<&'a VersionName>);

/// Changes made elsewhere since, newest first. One that metrics show is left out where the registry tells of it, or
/// another backend did so before.
pub(crate) fn marked(image: &Image, since: Timestamp) -> Vec<&Marker> {
    let all = image.markers.since(since.minus(ONE));
    let mut shown: HashMap<Same<'_>, Vec<&Marker>> = HashMap::new();
    for marker in all.iter().filter(|marker| marker.before.is_some()) {
        shown.entry(same(marker)).or_default().push(marker);
    }
    let mut registered: BTreeMap<&ServiceName, Vec<VersionChange>> = BTreeMap::new();
    let mut fits = Vec::new();
    for marker in all.iter().copied().filter(|marker| marker.at >= since) {
        // Once for each service: it may have many instances.
        let changes = |service: &ServiceName| {
            let fleet = image.world.fleet(service);
            fleet.map_or_else(Vec::new, |fleet| versions::changes(service, fleet, Timestamp(i64::MIN)))
        };
        let told = marker.before.is_some() && {
            let service = &marker.service;
            let changes = registered.entry(service).or_insert_with(|| changes(service)).iter();
            let mut alike = changes.filter(|change| marker.version.as_ref() == Some(&change.to));
            let mut others = shown.get(&same(marker)).into_iter().flatten();
            alike.any(|change| near(change.at, marker.at)) || others.any(|other| before(other, marker))
        };
        if !told {
            fits.push(marker);
        }
    }
    fits
}

/// Did another backend show the same before?
fn before(other: &Marker, marker: &Marker) -> bool {
    other.by != marker.by && (other.at, &other.by) < (marker.at, &marker.by) && near(other.at, marker.at)
}

fn same(marker: &Marker) -> Same<'_> {
    (&marker.service, marker.before.as_ref(), marker.version.as_ref())
}

fn near(one: Timestamp, other: Timestamp) -> bool {
    one.since(other).max(other.since(one)) <= ONE
}

impl House {
    /// Backends that measure, as sources of changes of version.
    pub(crate) fn measuring_sources(&self, image: &Image, now: Timestamp) -> Vec<SourceView> {
        let view = |backend: &Backend| {
            let look = self.looks.of(&backend.name);
            let measures = look.description.as_ref().map(|it| it.nouns.iter().any(|noun| noun == NOUN));
            let told = image.ran.contains_key(&backend.name);
            let watch = self.watches.of(&backend.name);
            // Of one that cannot say what it is, it is known if it ever told anything; of one that was not looked
            // at yet, nothing is said.
            let is_source = measures.unwrap_or(told) && (told || watch.last != Watched::Not);
            is_source.then(|| {
                let state = standing(&watch, told, now);
                SourceView {
                    name: backend.name.to_string(),
                    state: state.into(),
                    last: watch.at.filter(|_| state != "never").map(Into::into),
                    every_seconds: (state == "silent")
                        .then(|| u32::try_from(VERSIONS_EVERY.as_secs()).unwrap_or(u32::MAX)),
                    plugin: Some(backend.plugin.to_string()),
                }
            })
        };
        image.world.backends().filter_map(view).collect()
    }
}

/// `told`: whether it ever showed a version.
fn standing(watch: &Watch, told: bool, now: Timestamp) -> &'static str {
    match (watch.at, watch.last) {
        (Some(at), _) if now.since(at) <= SILENT => "heard",
        (_, Watched::Unserved) => "versionless",
        (None, Watched::Nothing) if !told => "versionless",
        (Some(_), _) => "silent",
        (None, _) => "never",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shows_nothing_any_more_is_silent_and_who_never_did_tells_no_versions() {
        let watch = |at, last| Watch { at, last, ..Watch::default() };
        let now = Timestamp(100_000_000);
        let (fresh, old) = (Some(now.minus(SILENT)), Some(Timestamp(1)));
        for (watch, told, is) in [
            (watch(fresh, Watched::Versions), true, "heard"),
            // Prometheus was just restarted, or does not answer once.
            (watch(fresh, Watched::Nothing), true, "heard"),
            (watch(fresh, Watched::Fault), true, "heard"),
            (watch(old, Watched::Nothing), true, "silent"),
            (watch(old, Watched::Fault), true, "silent"),
            (watch(None, Watched::Nothing), false, "versionless"),
            (watch(old, Watched::Unserved), true, "versionless"),
            // It did before this server was started.
            (watch(None, Watched::Nothing), true, "never"),
            (watch(None, Watched::Fault), false, "never"),
        ] {
            assert_eq!(standing(&watch, told, now), is, "{watch:?}");
        }
    }
}
