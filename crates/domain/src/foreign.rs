//! Instances of foreign registries among those that registered here: one service, wherever its instances
//! are registered. What a registry listed last stands until it lists anew, or is no longer declared.

use crate::change::Change;
use crate::fleet::Instance;
use crate::health::Health;
use crate::hold::Cell;
use crate::instance::Registration;
use crate::leg::{InstanceLeg, Which};
use crate::name::{BackendName, InstanceName, MAX_NAME, ServiceName};
use crate::time::Timestamp;
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Which shares of the traffic a registry can give.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shares {
    /// All or nothing.
    #[default]
    AllOrNothing,
    /// Any.
    Any,
}

/// What is known of one foreign registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreign {
    /// Which shares it can give; `None`: it has not been listed yet.
    shares: Option<Shares>,
    /// Where each of its cells stands.
    placed: BTreeMap<String, (ServiceName, InstanceName)>,
}

impl World {
    /// Puts in place what a foreign registry lists, instead of what it listed before. `shares`: which it can
    /// give; `None`: it could not be asked yet, and only whom Rein holds there is known. Answers which
    /// services altered.
    pub fn put_foreign(
        &mut self,
        backend: &BackendName,
        shares: Option<Shares>,
        listed: Vec<(Registration, Health)>,
    ) -> BTreeSet<ServiceName> {
        let known = self.foreign.remove(backend).unwrap_or_default();
        let mut old = known.placed;
        let mut next = Foreign { shares: shares.or(known.shares), placed: BTreeMap::new() };
        let mut altered = BTreeSet::new();
        let (mut fresh, mut told) = (Vec::new(), BTreeSet::new());
        for (said, health) in listed {
            let Some(key) = said.cell.as_ref().map(|cell| cell.key.clone()) else { continue };
            if !told.insert(key.clone()) {
                continue;
            }
            match old.remove(&key) {
                Some(place) if place.0 == said.service => {
                    if self.renew_foreign(&place, said, health) {
                        altered.insert(place.0.clone());
                    }
                    next.placed.insert(key, place);
                }
                gone => {
                    old.extend(gone.map(|place| (key.clone(), place)));
                    fresh.push((key, said, health));
                }
            }
        }
        for (service, id) in old.into_values() {
            self.take_foreign(&service, &id);
            altered.insert(service);
        }
        for (key, said, health) in fresh {
            altered.insert(said.service.clone());
            let place = (said.service.clone(), self.place_foreign(said, health));
            next.placed.insert(key, place);
        }
        self.foreign.insert(backend.clone(), next);
        altered
    }

    /// A registry that is not declared any more. Answers which services altered.
    pub(crate) fn remove_foreign(&mut self, backend: &BackendName) -> BTreeSet<ServiceName> {
        let known = self.foreign.remove(backend).unwrap_or_default();
        let places = known.placed.into_values();
        places
            .map(|(service, id)| {
                self.take_foreign(&service, &id);
                service
            })
            .collect()
    }

    /// Takes over what foreign registries listed, from a world that this one replaces.
    pub fn keep_foreign(&mut self, old: &Self) {
        for (backend, foreign) in &old.foreign {
            let of = |(service, id): &(ServiceName, InstanceName)| {
                let found = old.instance(service, id)?;
                Some(((*found.said).clone(), found.health.clone()))
            };
            let listed = foreign.placed.values().filter_map(of).collect();
            self.put_foreign(backend, foreign.shares, listed);
        }
    }

    /// Which shares of the traffic a registry can give.
    pub(crate) fn shares(&self, backend: &BackendName) -> Shares {
        self.foreign.get(backend).and_then(|known| known.shares).unwrap_or_default()
    }

    /// Has a registry been listed yet?
    pub fn has_listed(&self, backend: &BackendName) -> bool {
        self.foreign.get(backend).is_some_and(|known| known.shares.is_some())
    }

    /// How many instances of a foreign registry are known.
    pub fn foreign_count(&self, backend: &BackendName) -> usize {
        self.foreign.get(backend).map_or(0, |known| known.placed.len())
    }

    /// Is the life that a cell stands for there, as far as anybody knows?
    pub(crate) fn may_hold(&self, cell: &Cell) -> bool {
        match self.foreign.get(&cell.backend) {
            Some(known) if known.shares.is_some() => known.placed.contains_key(&cell.key),
            // Nobody could look yet: it is not known to be gone.
            _ => self.backend(&cell.backend).is_some(),
        }
    }

    /// The instance in a cell.
    pub fn in_cell(&self, cell: &Cell) -> Option<&Instance> {
        let (service, id) = self.foreign.get(&cell.backend)?.placed.get(&cell.key)?;
        self.instance(service, id)
    }

    /// Foreign registries that hold instances of a service.
    pub fn registries_of(&self, service: &ServiceName) -> BTreeSet<&BackendName> {
        let instances = self.fleets.get(service).into_iter().flat_map(|fleet| fleet.instances.values());
        instances.filter_map(|found| found.said.cell.as_ref()).map(|cell| &cell.backend).collect()
    }

    /// The cells that a leg of a change lies over, whether it is active or not.
    pub fn cells_of(&self, change: &Change, leg: &InstanceLeg) -> Vec<Cell> {
        if let Which::One { cell, .. } = &leg.which {
            return cell.iter().cloned().collect();
        }
        let instances = self.fleets.get(&leg.service).into_iter().flat_map(|fleet| fleet.instances.values());
        let covered = instances.filter(|found| leg.covers(&change.id, &found.said));
        covered.filter_map(|found| found.said.cell.clone()).collect()
    }

    /// Instances of a foreign registry that something lies over now.
    pub fn foreign_under(&self, backend: &BackendName, now: Timestamp) -> Vec<&Instance> {
        let Some(known) = self.foreign.get(backend) else { return Vec::new() };
        let laid: BTreeSet<&ServiceName> =
            self.upon.keys().filter(|service| !self.over_service(service, now).is_empty()).collect();
        let places = known.placed.values().filter(|(service, _)| laid.contains(service));
        places
            .filter_map(|(service, id)| self.instance(service, id))
            .filter(|found| !self.weighed(&found.said, now).by.is_empty())
            .collect()
    }

    /// Judges whom nobody saw joining: where too little is left, the drains of its zone do not take it too.
    /// Answers its service, if that altered anything.
    pub fn spare_foreign(&mut self, cell: &Cell, now: Timestamp) -> Option<ServiceName> {
        let spared = self.spares(&self.in_cell(cell)?.said, now);
        if spared.is_empty() {
            return None;
        }
        let (service, id) = self.foreign.get(&cell.backend)?.placed.get(&cell.key)?.clone();
        let found = self.fleets.get_mut(&service)?.instances.get_mut(&id)?;
        found.said = Arc::new(Registration { spared, ..(*found.said).clone() });
        Some(service)
    }

    /// Whoever registers here under a name gets it; somebody of a foreign registry gives way.
    pub(crate) fn make_room(&mut self, service: &ServiceName, id: &InstanceName) {
        let Some(fleet) = self.fleets.get_mut(service) else { return };
        if fleet.instances.get(id).is_none_or(|found| found.said.cell.is_none()) {
            return;
        }
        let Some(moved) = fleet.instances.remove(id) else { return };
        let name = free_name(&fleet.instances, id, moved.said.cell.as_ref(), Some(id));
        let said = Registration { id: name.clone(), ..(*moved.said).clone() };
        let cell = said.cell.clone();
        fleet.instances.insert(name.clone(), Instance { said: Arc::new(said), health: moved.health });
        if let Some(cell) = cell
            && let Some(known) = self.foreign.get_mut(&cell.backend)
        {
            known.placed.insert(cell.key, (service.clone(), name));
        }
    }

    fn place_foreign(&mut self, said: Registration, health: Health) -> InstanceName {
        let fleet = self.fleets.entry(said.service.clone()).or_default();
        let name = free_name(&fleet.instances, &said.id, said.cell.as_ref(), None);
        let said = Registration { id: name.clone(), ..said };
        fleet.instances.insert(name.clone(), Instance { said: Arc::new(said), health });
        name
    }

    /// Says whether anything altered. What was decided when it was first seen stays.
    fn renew_foreign(
        &mut self,
        (service, id): &(ServiceName, InstanceName),
        said: Registration,
        health: Health,
    ) -> bool {
        let found = self.fleets.get_mut(service).and_then(|fleet| fleet.instances.get_mut(id));
        let Some(found) = found else { return false };
        let known = &found.said;
        let said = Registration { id: id.clone(), at: known.at, spared: known.spared.clone(), ..said };
        let same = found.health.state == health.state;
        let health = if same { Health { since: found.health.since, ..health } } else { health };
        if said == **known && health == found.health {
            return false;
        }
        if said != **known {
            found.said = Arc::new(said);
        }
        found.health = health;
        true
    }

    fn take_foreign(&mut self, service: &ServiceName, id: &InstanceName) {
        if let Some(fleet) = self.fleets.get_mut(service)
            && fleet.instances.get(id).is_some_and(|found| found.said.cell.is_some())
        {
            fleet.instances.remove(id);
        }
        self.drop_if_empty(service);
    }
}

/// A name that nobody else of the service has: as asked for, else with the registry's, else with a number.
fn free_name(
    taken: &BTreeMap<InstanceName, Instance>,
    id: &InstanceName,
    cell: Option<&Cell>,
    never: Option<&InstanceName>,
) -> InstanceName {
    let free = |name: &InstanceName| !taken.contains_key(name) && never != Some(name);
    if free(id) {
        return id.clone();
    }
    let backend = cell.map_or("", |cell| cell.backend.as_str());
    let tails = std::iter::once(format!("@{backend}")).chain((2..).map(|n| format!("@{backend}:{n}")));
    let mut names = tails.filter_map(|tail| {
        let room = MAX_NAME.saturating_sub(tail.len());
        let head: String = id.as_str().chars().take(room.max(1)).collect();
        let name = format!("{head}{tail}");
        name.parse::<InstanceName>().ok().or_else(|| {
            // A backend's name may be nearly as long as a name can be.
            name.chars()
                .rev()
                .take(MAX_NAME)
                .collect::<String>()
                .chars()
                .rev()
                .collect::<String>()
                .parse()
                .ok()
        })
    });
    names.find(free).unwrap_or_else(|| id.clone())
}

#[cfg(test)]
#[path = "foreign_tests.rs"]
mod tests;
