//! Fleets: the instances of each service as the world knows them, and what the layers over them come to.
//!
//! The lowest weight wins; a drain is 0. A layer on one instance is bound to one life of it. A layer on a
//! zone covers whoever is there and whoever joins, except those that it spares because too few were left
//! when they came. Nobody is ever undrained by arithmetic but at a deadline.

use crate::change::{Change, ChangeError, Guards, MAX_LAYERS};
use crate::foreign::Shares;
use crate::health::{Health, State, Why};
use crate::instance::{Registration, Weight};
use crate::leg::{InstanceLeg, Leg, Which};
use crate::name::{ChangeId, Incarnation, InstanceName, ServiceName, ZoneName};
use crate::service::{Count, Counts, Floor, Service, Shortfall};
use crate::time::Timestamp;
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One instance: what it said, and how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// As it registered.
    pub said: Arc<Registration>,
    /// How it is.
    pub health: Health,
}

/// A service: its declaration, if there is one, and its instances.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    /// As declared.
    pub declared: Option<Service>,
    /// Its instances, by name.
    pub instances: BTreeMap<InstanceName, Instance>,
}

impl Fleet {
    /// How many must be left.
    pub fn floor(&self) -> Floor {
        self.declared.as_ref().and_then(|s| s.floor).map_or(Floor::Usual, Floor::Declared)
    }

    /// Zones in which instances stand.
    pub fn zones(&self) -> BTreeSet<&ZoneName> {
        self.instances.values().filter_map(|i| i.said.zone.as_ref()).collect()
    }
}

/// What the layers over one instance come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    /// Its share of the traffic now.
    pub weight: Weight,
    /// The changes that cover it, oldest first.
    pub by: Vec<ChangeId>,
}

/// Which instances, as they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// One; in this life, or in the one it has now.
    One(InstanceName, Option<Incarnation>),
    /// All in a zone.
    Zone(ZoneName),
}

/// How a leg stands to the instance it was laid on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bond {
    /// It lies over somebody.
    Bound,
    /// Whom it was laid on is gone, or came back as somebody else.
    Moot,
}

impl InstanceLeg {
    /// Does this leg of a change cover the instance?
    pub fn covers(&self, change: &ChangeId, said: &Registration) -> bool {
        match &self.which {
            Which::One { id, incarnation, cell: None } => {
                said.cell.is_none() && *id == said.id && *incarnation == said.incarnation
            }
            // What it is called may alter with who else is there; its cell is one life of it.
            Which::One { cell, .. } => *cell == said.cell,
            Which::Zone(zone) => said.zone.as_ref() == Some(zone) && !said.spared.contains(change),
        }
    }
}

impl World {
    /// The instances of a service.
    pub fn fleet(&self, name: &ServiceName) -> Option<&Fleet> {
        self.fleets.get(name)
    }

    /// All services that are declared or have instances, by name.
    pub fn fleets(&self) -> impl Iterator<Item = (&ServiceName, &Fleet)> {
        self.fleets.iter()
    }

    /// One instance.
    pub fn instance(&self, service: &ServiceName, id: &InstanceName) -> Option<&Instance> {
        self.fleets.get(service)?.instances.get(id)
    }

    /// Puts a declaration in place.
    pub fn put_service(&mut self, service: Service) {
        let fleet = self.fleets.entry(service.name.clone()).or_default();
        fleet.declared = Some(service);
    }

    /// Takes one away; instances stay.
    pub fn remove_service(&mut self, name: &ServiceName) {
        if let Some(fleet) = self.fleets.get_mut(name) {
            fleet.declared = None;
        }
        self.drop_if_empty(name);
    }

    /// Puts an instance in place. The health of the life it had before is not that of this one.
    pub fn put_instance(&mut self, said: Registration, fresh: Health) {
        self.make_room(&said.service, &said.id);
        let fleet = self.fleets.entry(said.service.clone()).or_default();
        let health = match fleet.instances.get(&said.id) {
            Some(known) if known.said.incarnation == said.incarnation => known.health.clone(),
            _ => fresh,
        };
        fleet.instances.insert(said.id.clone(), Instance { said: Arc::new(said), health });
    }

    /// Takes an instance away.
    pub fn remove_instance(&mut self, service: &ServiceName, id: &InstanceName) {
        if let Some(fleet) = self.fleets.get_mut(service)
            && fleet.instances.get(id).is_some_and(|found| found.said.cell.is_none())
        {
            fleet.instances.remove(id);
        }
        self.drop_if_empty(service);
    }

    pub(crate) fn drop_if_empty(&mut self, name: &ServiceName) {
        if self.fleets.get(name).is_some_and(|fleet| *fleet == Fleet::default()) {
            self.fleets.remove(name);
        }
    }

    /// Notes how an instance is, if it is still in that life. Says whether anything altered.
    pub fn put_health(
        &mut self,
        (service, id): (&ServiceName, &InstanceName),
        life: &Incarnation,
        health: Health,
    ) -> bool {
        let found = self.fleets.get_mut(service).and_then(|fleet| fleet.instances.get_mut(id));
        match found.filter(|instance| instance.said.incarnation == *life) {
            Some(instance) if instance.health != health => {
                instance.health = health;
                true
            }
            _ => false,
        }
    }

    /// Whatever was known of health before is not known any more: nobody listened.
    pub fn begin_to_listen(&mut self, now: Timestamp) {
        for instance in self.fleets.values_mut().flat_map(|fleet| fleet.instances.values_mut()) {
            instance.health = Health { state: State::Unknown, why: Why::NotHeard, since: now };
        }
    }

    /// Takes over how instances are, where they are the same lives, from a world that this one replaces.
    pub fn keep_health(&mut self, old: &Self) {
        for (service, fleet) in &mut self.fleets {
            let Some(known) = old.fleets.get(service) else { continue };
            for (id, instance) in &mut fleet.instances {
                if let Some(same) =
                    known.instances.get(id).filter(|i| i.said.incarnation == instance.said.incarnation)
                {
                    instance.health = same.health.clone();
                }
            }
        }
    }

    /// Active changes over instances of a service, oldest first.
    pub fn over_service(&self, name: &ServiceName, now: Timestamp) -> Vec<&Change> {
        let ids = self.upon.get(name).into_iter().flatten();
        let mut changes: Vec<&Change> =
            ids.filter_map(|id| self.change(id)).filter(|c| self.active(c, now)).collect();
        changes.sort_by_key(|c| (c.created, c.id.clone()));
        changes
    }

    /// Active changes over instances of any service. One over several services comes several times.
    pub fn over_instances(&self, now: Timestamp) -> impl Iterator<Item = &Change> {
        let changes = self.upon.values().flatten().filter_map(|id| self.change(id));
        changes.filter(move |change| self.active(change, now))
    }

    /// What the layers over one instance come to.
    pub fn weighed(&self, said: &Registration, now: Timestamp) -> Weighed {
        weighed(&self.over_service(&said.service, now), said)
    }

    /// The same for all instances of a service: each with what it comes to.
    pub fn weighed_all(&self, name: &ServiceName, now: Timestamp) -> Vec<(&Instance, Weighed)> {
        let over = self.over_service(name, now);
        let instances = self.fleets.get(name).into_iter().flat_map(|fleet| fleet.instances.values());
        instances.map(|instance| (instance, weighed(&over, &instance.said))).collect()
    }

    /// Is somebody there on whom this leg lies?
    pub fn bond(&self, leg: &InstanceLeg) -> Bond {
        let there = match &leg.which {
            Which::One { id, incarnation, cell: None } => {
                self.instance(&leg.service, id).is_some_and(|found| found.said.incarnation == *incarnation)
            }
            Which::One { cell: Some(cell), .. } => self.may_hold(cell),
            // It covers whoever joins.
            Which::Zone(_) => true,
        };
        if there { Bond::Bound } else { Bond::Moot }
    }

    /// Drains of its zone that do not cover an instance that joins now: so few are left that one more is
    /// welcome. What was laid in spite of the floor covers everybody.
    pub fn spares(&self, said: &Registration, now: Timestamp) -> BTreeSet<ChangeId> {
        let over = self.over_service(&said.service, now);
        let drains = over.iter().filter(|change| {
            change.instance_legs().any(|leg| {
                leg.service == said.service
                    && leg.guards == Guards::Check
                    && leg.weight.starves(said.weight)
                    && matches!(&leg.which, Which::Zone(zone) if said.zone.as_ref() == Some(zone))
            })
        });
        let drains: BTreeSet<ChangeId> = drains.map(|change| change.id.clone()).collect();
        if drains.is_empty() || self.shortfall(&said.service, now).is_none() {
            return BTreeSet::new();
        }
        drains
    }

    /// Where a service is below its floor now while something of it is drained.
    pub fn shortfall(&self, name: &ServiceName, now: Timestamp) -> Option<Shortfall> {
        let fleet = self.fleets.get(name)?;
        let counts = self.counts(name, &[], now);
        // What nobody drained is down by itself, and that is another alarm.
        counts.values().any(|c| c.left < c.healthy).then(|| fleet.floor().shortfall(&counts)).flatten()
    }

    /// Whom these legs, laid now, would leave.
    pub fn counts(&self, name: &ServiceName, legs: &[&InstanceLeg], now: Timestamp) -> Counts {
        let nobody = ChangeId::from_random(0);
        let mut counts = Counts::new();
        for (instance, weighed) in
            self.weighed_all(name, now).into_iter().filter(|(i, _)| i.health.state.serves())
        {
            let said = &instance.said;
            let laid = legs.iter().filter(|leg| leg.service == *name && leg.covers(&nobody, said));
            let after = laid.map(|leg| leg.weight).fold(weighed.weight, Weight::min);
            let count: &mut Count = counts.entry(said.zone.clone()).or_default();
            count.healthy += 1;
            count.before += u32::from(!weighed.weight.starves(said.weight));
            count.left += u32::from(!after.starves(said.weight));
        }
        counts
    }

    /// The known services nearest to a name, best first, at most three.
    pub fn near_service(&self, name: &ServiceName) -> Vec<ServiceName> {
        crate::world::nearest(name.as_str(), self.fleets.keys().map(|known| (known.as_str(), known)))
    }

    /// The instances of a service nearest to a name.
    pub fn near_instance(&self, service: &ServiceName, id: &InstanceName) -> Vec<InstanceName> {
        let known = self.fleets.get(service).into_iter().flat_map(|fleet| fleet.instances.keys());
        crate::world::nearest(id.as_str(), known.map(|known| (known.as_str(), known)))
    }
}

fn weighed(over: &[&Change], said: &Registration) -> Weighed {
    let mut all = Weighed { weight: said.weight, by: Vec::new() };
    for change in over {
        let legs = change.instance_legs().filter(|leg| leg.service == said.service);
        let mine: Vec<Weight> =
            legs.filter(|leg| leg.covers(&change.id, said)).map(|leg| leg.weight).collect();
        if let Some(lowest) = mine.into_iter().min() {
            all.weight = all.weight.min(lowest);
            all.by.push(change.id.clone());
        }
    }
    all
}

/// Somebody must be there, and the weight must be less than what they have by themselves: layers only
/// lower it.
pub(crate) fn which(
    service: &ServiceName,
    pick: Pick,
    weight: Weight,
    world: &World,
) -> Result<Which, ChangeError> {
    let Some(fleet) = world.fleet(service).filter(|fleet| !fleet.instances.is_empty()) else {
        let near = world.near_service(service);
        return Err(ChangeError::UnknownService { name: service.clone(), near });
    };
    if world.upon.get(service).map_or(0, BTreeSet::len) >= MAX_LAYERS {
        return Err(ChangeError::TooManyOver(service.clone()));
    }
    let not_lower =
        |base: Weight| Err(ChangeError::NotLower { service: service.clone(), asked: weight, base });
    match pick {
        Pick::One(id, life) => {
            let Some(found) = fleet.instances.get(&id) else {
                let near = world.near_instance(service, &id);
                return Err(ChangeError::UnknownInstance { service: service.clone(), id, near });
            };
            let incarnation = found.said.incarnation.clone();
            if life.is_some_and(|life| life != incarnation) {
                return Err(ChangeError::AnotherLife { service: service.clone(), id });
            }
            if weight >= found.said.weight && weight != Weight::DRAINED {
                return not_lower(found.said.weight);
            }
            let cell = found.said.cell.clone();
            shared(weight, world, [&*found.said])?;
            Ok(Which::One { id, incarnation, cell })
        }
        Pick::Zone(zone) => {
            let there = || fleet.instances.values().filter(|i| i.said.zone.as_ref() == Some(&zone));
            let Some(most) = there().map(|i| i.said.weight).max() else {
                let known = fleet.zones().into_iter().cloned().collect();
                return Err(ChangeError::NobodyThere { service: service.clone(), zone, known });
            };
            if weight >= most && weight != Weight::DRAINED {
                return not_lower(most);
            }
            shared(weight, world, there().map(|i| &*i.said))?;
            Ok(Which::Zone(zone))
        }
    }
}

/// A registry that gives all or nothing must not be asked for a share.
fn shared<'a>(
    weight: Weight,
    world: &World,
    all: impl IntoIterator<Item = &'a Registration>,
) -> Result<(), ChangeError> {
    let backends = all.into_iter().filter_map(|said| said.cell.as_ref()).map(|cell| &cell.backend);
    let mut stiff = backends.filter(|backend| world.shares(backend) == Shares::AllOrNothing);
    match stiff.next().filter(|_| weight != Weight::DRAINED) {
        Some(backend) => Err(ChangeError::AllOrNothing(backend.clone())),
        None => Ok(()),
    }
}

/// Too little must not be left of any service that these legs take from.
pub(crate) fn keep_floors(legs: &[Leg], world: &World, now: Timestamp) -> Result<(), ChangeError> {
    let legs: Vec<&InstanceLeg> = legs.iter().filter_map(Leg::as_instance).collect();
    let services: BTreeSet<&ServiceName> = legs.iter().map(|leg| &leg.service).collect();
    for service in services {
        let Some(fleet) = world.fleet(service) else { continue };
        if let Some(short) = fleet.floor().forbids(&world.counts(service, &legs, now)) {
            return Err(ChangeError::BelowFloor { service: service.clone(), short });
        }
    }
    Ok(())
}

/// The health of an instance that has just been read from its record. One that registered before this
/// server began to listen is served as it was; a new one has to show itself, if Rein looks at it.
pub fn first_health(said: &Registration, listening: Timestamp) -> Health {
    if said.at < listening {
        return Health { state: State::Unknown, why: Why::NotHeard, since: listening };
    }
    let state = if said.check.is_some() { State::Starting } else { State::Up };
    Health { state, why: Why::Registered, since: said.at }
}

#[cfg(test)]
#[path = "fleet_tests.rs"]
mod tests;
