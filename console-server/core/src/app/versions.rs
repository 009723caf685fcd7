//! Changes of version that metrics show, beside what others say of the same; and the backends that show them, among
//! the places where changes are known from.

use crate::house::House;
use crate::image::Image;
use crate::reconcile::{VERSIONS_EVERY, Watch, Watched};
use rein_api::markers::SourceView;
use rein_domain::backend::Backend;
use rein_domain::marker::Marker;
use rein_domain::time::Timestamp;
use rein_domain::versions;
use rein_plugin::telemetry::NOUN;
use std::time::Duration;

/// Two that tell of the same version within so long tell of one change: scrapes and looks come later than instances.
const ONE: Duration = Duration::from_secs(600);
/// Whoever showed no version for so long is silent.
const SILENT: Duration = Duration::from_secs(60);

/// Changes made elsewhere since, newest first. One that metrics show is left out where the registry tells of it, or
/// another backend did so before.
pub(crate) fn marked(image: &Image, since: Timestamp) -> Vec<&Marker> {
    let all = image.markers.since(Timestamp(since.0.saturating_sub(millis(ONE))));
    let told = |marker: &Marker| registered(image, marker) || all.iter().any(|other| before(other, marker));
    let fits = |marker: &&&Marker| marker.at >= since && !(marker.before.is_some() && told(marker));
    all.iter().filter(fits).copied().collect()
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn near(one: Timestamp, other: Timestamp) -> bool {
    one.since(other).max(other.since(one)) <= ONE
}

/// Does the registry tell of the same?
fn registered(image: &Image, marker: &Marker) -> bool {
    let Some(fleet) = image.world.fleet(&marker.service) else { return false };
    let all = versions::changes(&marker.service, fleet, Timestamp(i64::MIN));
    all.iter().any(|change| marker.version.as_ref() == Some(&change.to) && near(change.at, marker.at))
}

/// Did another backend show the same before?
fn before(other: &Marker, marker: &Marker) -> bool {
    let same = |one: &Marker| (one.service.clone(), one.version.clone(), one.before.clone());
    other.by != marker.by
        && (other.at, &other.by) < (marker.at, &marker.by)
        && same(other) == same(marker)
        && near(other.at, marker.at)
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
