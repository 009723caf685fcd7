//! What backends should hold: active layers, turned into values of cells; for entries of registries, into
//! weights, which their plugin spells. Pure.

use crate::app::pieces::rfc3339;
use crate::image::Image;
use rein_domain::change::{Change, Hush, Leg, SilenceLeg};
use rein_domain::hold::{Cell, Origin, Value, Want};
use rein_domain::instance::{Registration, Weight};
use rein_domain::name::{BackendName, ChangeId};
use rein_domain::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What each cell of a backend should hold now, by key.
pub(crate) fn wanted(image: &Image, backend: &BackendName, now: Timestamp) -> BTreeMap<String, Want> {
    let mut wanted = BTreeMap::new();
    for change in image.world.written_into(backend, now) {
        for (cell, leg) in change.cells().filter(|(cell, _)| cell.backend == *backend) {
            // Two changes that take the same silence away want the same; the older speaks for both.
            wanted.entry(cell.key).or_insert_with(|| want(change, leg));
        }
    }
    wanted
}

/// What one cell should hold now. A cell named after its change is found without looking at all others.
pub(crate) fn wanted_in(image: &Image, cell: &Cell, now: Timestamp) -> Option<Want> {
    let of = |change: &Change| {
        let leg = change.cells().find(|(own, _)| own == cell).map(|(_, leg)| leg)?;
        image.world.active(change, now).then(|| want(change, leg))
    };
    let named = cell.key.split('.').next().and_then(|id| id.parse().ok());
    match named.and_then(|id| image.world.change(&id)) {
        Some(change) => of(change),
        None => image.world.written_into(&cell.backend, now).into_iter().find_map(of),
    }
}

/// What the layers over an instance of a foreign registry leave of it.
#[derive(Debug, Clone)]
pub(crate) struct Weighs {
    /// The change that leaves the least.
    pub(crate) change: ChangeId,
    /// Its share of the traffic.
    pub(crate) weight: Weight,
    /// The instance.
    pub(crate) said: Arc<Registration>,
}

/// The same for each of a registry's cells that something lies over, by key. Whom Rein holds is judged by its
/// hold where nobody lists it: a registry that could not be read yet is no reason to put anybody back.
pub(crate) fn weights(image: &Image, backend: &BackendName, now: Timestamp) -> BTreeMap<String, Weighs> {
    let under = image.world.foreign_under(backend, now).into_iter().map(|found| Arc::clone(&found.said));
    let listed =
        |said: &&Registration| said.cell.as_ref().is_some_and(|cell| image.world.in_cell(cell).is_some());
    let held = image.held_instances(backend).filter(|said| !listed(said)).map(|said| Arc::new(said.clone()));
    under
        .chain(held)
        .filter_map(|said| Some((said.cell.as_ref()?.key.clone(), weighs(image, &said, now)?)))
        .collect()
}

/// The same for one cell.
pub(crate) fn weighs_in(image: &Image, cell: &Cell, now: Timestamp) -> Option<Weighs> {
    if let Some(found) = image.world.in_cell(cell) {
        return weighs(image, &found.said, now);
    }
    let (hold, _) = image.hold(cell)?;
    weighs(image, &Arc::new(hold.said.as_deref()?.clone()), now)
}

fn weighs(image: &Image, said: &Arc<Registration>, now: Timestamp) -> Option<Weighs> {
    let weighed = image.world.weighed(said, now);
    let leaves = |id: &&ChangeId| {
        let change = image.world.change(id)?;
        let legs = change.instance_legs().filter(|leg| leg.service == said.service && leg.covers(id, said));
        legs.map(|leg| leg.weight).min()
    };
    // The oldest of those that leave the least speaks for all: it does not alter when others come and go.
    let change = weighed.by.iter().min_by_key(leaves)?.clone();
    Some(Weighs { change, weight: weighed.weight, said: Arc::clone(said) })
}

/// What one leg wants in its cell.
fn want(change: &Change, leg: &Leg) -> Want {
    let (value, origin, lapses) = match leg {
        Leg::Silence(SilenceLeg { hush: Hush::Lay(matchers), .. }) => {
            (silence(change, matchers), Origin::Own, Some(change.deadline))
        }
        Leg::Silence(SilenceLeg { hush: Hush::Lift(_), .. }) | Leg::Switch(_) | Leg::Instance(_) => {
            (Value::ABSENT, Origin::Foreign, None)
        }
    };
    Want { change: change.id.clone(), value, origin, lapses }
}

/// A silence in the canonical spelling of the contract: sorted matchers, whole seconds, fields in order.
fn silence(change: &Change, matchers: &rein_domain::matchers::Matchers) -> Value {
    #[derive(serde::Serialize)]
    struct Silence<'a> {
        matchers: Vec<(&'a str, &'a str, &'a str)>,
        ends: String,
        author: &'a str,
        comment: String,
    }
    let silence = Silence {
        matchers: matchers.iter().map(|m| (m.name(), m.op().as_str(), m.value())).collect(),
        ends: rfc3339(change.deadline),
        author: change.actor.as_str(),
        comment: comment(change),
    };
    Value(serde_json::to_string(&silence).ok())
}

/// What people read in the backend's own console.
fn comment(change: &Change) -> String {
    let incident = change.incident.as_ref().map(|name| name.as_str());
    match (change.reason.is_empty(), incident) {
        (false, Some(incident)) => format!("{} ({incident})", change.reason),
        (false, None) => change.reason.clone(),
        (true, Some(incident)) => incident.to_owned(),
        (true, None) => "silenced through Rein".to_owned(),
    }
}
