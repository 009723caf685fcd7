//! What was changed lately, by Rein and elsewhere, and where that is known from: for the list that people read,
//! and for the suspects of a diagnosis.

use crate::app::audit::Wanted;
use crate::app::versions::marked;
use crate::error::AppError;
use crate::house::House;
use crate::image::Image;
use crate::views::{leg_words, marker_view};
use rein_api::markers::{HappenedView, SourceView};
use rein_domain::change::{Change, Ending, Leg};
use rein_domain::name::ServiceName;
use rein_domain::source::{Standing, standings};
use rein_domain::time::Timestamp;
use rein_domain::versions;

/// Entries of the audit trail looked at.
const MOST: usize = 200;

/// A change that may have caused something.
pub(crate) struct Changed {
    pub(crate) service: ServiceName,
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    pub(crate) what: String,
}

impl House {
    /// What was changed since, newest first, as people read it. The trail may not be readable: what else is
    /// known is told all the same.
    pub(crate) async fn happened(&self, since: Timestamp) -> (Vec<HappenedView>, Option<AppError>) {
        let (entries, unread) = match self.recent(since, MOST, Wanted::People).await {
            Ok(entries) => (entries, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        // A marker stands for itself, at the time at which the change was made.
        let own = entries.into_iter().filter(|entry| entry.verb != "marker:write");
        let mut happened: Vec<HappenedView> = own
            .map(|entry| HappenedView {
                at: entry.at,
                source: "rein".into(),
                by: entry.actor,
                what: entry.verb,
                targets: entry.targets,
                incident: entry.incident,
                reason: entry.reason,
            })
            .collect();
        let image = self.image.read();
        happened.extend(marked(&image, since).into_iter().map(|marker| {
            let view = marker_view(marker);
            HappenedView {
                at: view.at,
                source: view.by,
                by: view.actor,
                what: marker.what(),
                targets: vec![view.service],
                incident: None,
                reason: view.note,
            }
        }));
        for (name, fleet) in image.world.fleets() {
            happened.extend(versions::changes(name, fleet, since).into_iter().map(|change| HappenedView {
                at: change.at.into(),
                source: "registry".into(),
                by: "registry".into(),
                what: version_words(&change),
                targets: vec![change.service.to_string()],
                incident: None,
                reason: String::new(),
            }));
        }
        // Stable: what the trail has in one moment stays in its order.
        happened.sort_by_key(|one| std::cmp::Reverse(one.at));
        (happened, unread)
    }

    /// Where changes are known from. `trail`: whether Rein's own could be read.
    pub(crate) fn sources(&self, image: &Image, trail: Trail) -> Vec<SourceView> {
        let now = self.clock.now();
        let plain = |name: &str, state: &str| SourceView {
            name: name.into(),
            state: state.into(),
            last: None,
            every_seconds: None,
            plugin: None,
        };
        let mut all = vec![match trail {
            Trail::Read => plain("rein", "heard"),
            Trail::Unreadable => plain("rein", "unreadable"),
        }];
        let versioned = |fleet: &rein_domain::fleet::Fleet| {
            fleet.instances.values().any(|found| found.said.version.is_some())
        };
        if image.world.fleets().any(|(_, fleet)| versioned(fleet)) {
            all.push(plain("registry", "heard"));
        }
        all.extend(self.measuring_sources(image, now));
        let heard = image.markers.heard();
        for (name, standing) in standings(image.sources.values(), &heard, now) {
            let (state, last) = match standing {
                Standing::Heard(at) => ("heard", Some(at)),
                Standing::Silent(at) => ("silent", Some(at)),
                Standing::Never => ("never", None),
            };
            all.push(SourceView {
                name: name.to_string(),
                state: state.into(),
                last: last.map(Into::into),
                every_seconds: image.sources.get(name).and_then(|source| source.every),
                plugin: None,
            });
        }
        all
    }
}

/// Whether Rein's own changes could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trail {
    Read,
    Unreadable,
}

/// Everything that was changed since and may have caused something, in no order. From memory.
pub(crate) fn changed(image: &Image, (since, now): (Timestamp, Timestamp)) -> Vec<Changed> {
    let mut all: Vec<Changed> = Vec::new();
    for change in image.world.changes() {
        let (laid, over) = ((change.created, change.actor.to_string()), over(image, change, now));
        let moments = [(Some(laid), ""), (over, " ended")];
        for (moment, ended) in moments {
            let Some((at, by)) = moment.filter(|(at, _)| *at >= since) else { continue };
            for leg in &change.legs {
                let Some(service) = service(leg) else { continue };
                let what = format!("{} {}{ended} ({})", leg.target(), leg_words(leg), change.id);
                all.push(Changed { service: service.clone(), at, by: by.clone(), what });
            }
        }
    }
    all.extend(marked(image, since).into_iter().map(|marker| Changed {
        service: marker.service.clone(),
        at: marker.at,
        by: marker.by.to_string(),
        what: marker.what(),
    }));
    for (name, fleet) in image.world.fleets() {
        all.extend(versions::changes(name, fleet, since).into_iter().map(|change| Changed {
            what: version_words(&change),
            service: change.service,
            at: change.at,
            by: "registry".into(),
        }));
    }
    all
}

/// When a change stopped counting, and by whose hand. That its time is over may not be recorded yet.
pub(crate) fn over(image: &Image, change: &Change, now: Timestamp) -> Option<(Timestamp, String)> {
    let rein = || "rein".to_owned();
    if let Some(ended) = &change.ended {
        let at = if ended.how == Ending::Expired { change.deadline } else { ended.at };
        return Some((at, ended.by.as_ref().map_or_else(rein, ToString::to_string)));
    }
    let incident = change.incident.as_ref().and_then(|name| image.world.incident(name));
    let closed = incident.filter(|incident| !incident.lets(&change.id)).and_then(|it| it.closed.as_ref());
    let closed = closed.map(|closed| (closed.at, closed.by.to_string()));
    closed.or_else(|| (change.deadline <= now).then(|| (change.deadline, rein())))
}

/// The service that a leg touches; a silence touches none.
pub(crate) fn service(leg: &Leg) -> Option<&ServiceName> {
    match leg {
        Leg::Switch(leg) => Some(leg.switch.service()),
        Leg::Instance(leg) => Some(&leg.service),
        Leg::Silence(_) => None,
    }
}

pub(crate) fn version_words(change: &versions::VersionChange) -> String {
    format!("{} → {} on {} of {}", change.from, change.to, change.instances, change.all)
}
