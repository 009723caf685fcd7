//! The memory image: all records, kept current by the store's watch. Reads and decisions use it.

use crate::error::AppError;
use crate::records::{self, HeldRecord, SessionRecord, TokenRecord};
use crate::rest::Rest;
use bytes::Bytes;
use rein_domain::alert::AlertRules;
use rein_domain::change::{Change, Which};
use rein_domain::fleet::first_health;
use rein_domain::hold::{Cell, Hold};
use rein_domain::incident::Incident;
use rein_domain::instance::{Came, Registration};
use rein_domain::marker::Markers;
use rein_domain::name::{
    ActorName, BackendName, ChangeId, InstanceName, ServiceName, SwitchName, VersionName,
};
use rein_domain::ran::Ran;
use rein_domain::source::Source;
use rein_domain::switch::Switch;
use rein_domain::time::Timestamp;
use rein_domain::versions;
use rein_domain::world::World;
use rein_store::{Entry, Key, Must, Revision};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Everything the server knows, as of one revision.
#[derive(Debug, Default)]
pub(crate) struct Image {
    pub(crate) world: World,
    pub(crate) revision: Revision,
    pub(crate) tokens: HashMap<String, TokenRecord>,
    /// Servers over the same store, by run.
    pub(crate) sessions: BTreeMap<String, SessionRecord>,
    /// The run that reconciles.
    pub(crate) leader: Option<String>,
    /// Why the store is held, if it is.
    pub(crate) held: Option<HeldRecord>,
    /// The least generation of writers that the store takes.
    pub(crate) min_writer: Option<u32>,
    /// What decides about alerts, where that is declared.
    pub(crate) alert_rules: Option<AlertRules>,
    /// What records hold beside what this version knows.
    rest: HashMap<Key, Rest>,
    /// What lies in foreign backends.
    holds: BTreeMap<BackendName, BTreeMap<String, (Hold, Revision)>>,
    /// The revision at which something that concerns a backend last moved.
    moved: HashMap<BackendName, Revision>,
    /// Revisions of the keys that conditions name: targets, changes, incidents, definitions.
    revisions: BTreeMap<Key, Revision>,
    /// Switches whose served state may have altered since somebody last asked.
    dirty: BTreeSet<SwitchName>,
    /// The revision at which a record last altered what a switch comes to.
    altered: HashMap<SwitchName, Revision>,
    /// Since when this server hears heartbeats.
    pub(crate) listening: Timestamp,
    /// Services whose roster may have altered since somebody last asked.
    dirty_services: BTreeSet<ServiceName>,
    /// The revision at which a change over instances of a service last moved.
    altered_services: HashMap<ServiceName, Revision>,
    /// Changes made elsewhere.
    pub(crate) markers: Markers,
    /// Declared sources of such changes.
    pub(crate) sources: BTreeMap<ActorName, Source>,
    /// What services run as the metrics of backends show it.
    pub(crate) ran: BTreeMap<BackendName, BTreeMap<ServiceName, Ran>>,
    /// What the last instance ran that left its service, as far as this server has seen it: a hint for the
    /// next one that registers, whose record keeps it.
    left: HashMap<ServiceName, VersionName>,
}

impl Image {
    /// Takes in one entry, or its absence, as of `at`.
    pub(crate) fn apply(&mut self, key: &Key, entry: Option<&Entry>, at: Revision) -> Result<(), AppError> {
        let text = String::from_utf8_lossy(key.as_bytes()).into_owned();
        if let Some(name) = text.strip_prefix(records::SWITCH) {
            self.apply_switch(key, name, entry, at)?;
        } else if let Some(id) = text.strip_prefix(records::CHANGE) {
            self.apply_change(key, id, entry, at)?;
        } else if let Some(name) = text.strip_prefix(records::BACKEND) {
            let name: BackendName = name.parse()?;
            self.moved.insert(name.clone(), at);
            match entry {
                Some(entry) => {
                    let backend = self.read(key, entry)?;
                    self.world.put_backend(backend);
                }
                None => {
                    let gone = self.world.remove_backend(&name);
                    gone.into_iter().for_each(|service| self.soil_service(service));
                }
            }
        } else if let Some(id) = text.strip_prefix(records::MARKER) {
            match entry {
                Some(entry) => self.markers.put(records::decode(key, &entry.value)?),
                None => self.markers.remove(&id.parse()?),
            }
        } else if let Some(name) = text.strip_prefix(records::RAN) {
            self.apply_ran(key, name, entry)?;
        } else if let Some(name) = text.strip_prefix(records::SOURCE) {
            let name: ActorName = name.parse()?;
            match entry {
                Some(entry) => {
                    let source = self.read(key, entry)?;
                    self.sources.insert(name, source);
                }
                None => drop(self.sources.remove(&name)),
            }
        } else if let Some(name) = text.strip_prefix(records::INSTANCE) {
            self.apply_instance(key, name, entry)?;
        } else if let Some(name) = text.strip_prefix(records::SERVICE) {
            let name: ServiceName = name.parse()?;
            match entry {
                Some(entry) => {
                    let service = self.read(key, entry)?;
                    self.world.put_service(service);
                }
                None => self.world.remove_service(&name),
            }
            self.soil_service(name);
        } else if text.starts_with(records::ALERT_RULES) {
            self.alert_rules = entry.map(|entry| self.read(key, entry)).transpose()?;
        } else if let Some(cell) = records::held_cell(&text) {
            self.apply_hold(key, cell, entry, at)?;
        } else if text.starts_with(records::INCIDENT) {
            self.apply_incident(key, entry, at)?;
        } else if text == records::LEADER {
            self.leader = entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned());
        } else if text == records::HELD {
            self.held = entry.map(|entry| records::decode(key, &entry.value)).transpose()?;
        } else if text == records::MIN_WRITER {
            let text = entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned());
            self.min_writer = text.map(|text| records::writer(Some(&text)));
        } else if let Some(run) = text.strip_prefix(records::SESSION) {
            match entry {
                Some(entry) => self.sessions.insert(run.to_owned(), records::decode(key, &entry.value)?),
                None => self.sessions.remove(run),
            };
        } else if let Some(hash) = text.strip_prefix(records::TOKEN) {
            match entry {
                Some(entry) => self.tokens.insert(hash.to_owned(), records::decode(key, &entry.value)?),
                None => self.tokens.remove(hash),
            };
        } else if let Some(name) = text.strip_prefix(records::TOMB) {
            self.world.put_tomb(name.parse()?);
        } else if ![records::TARGET, records::SERVICE_TARGET, records::USE]
            .iter()
            .any(|p| text.starts_with(p))
        {
            return Ok(());
        }
        match entry {
            Some(entry) => self.revisions.insert(key.clone(), entry.modified),
            None => {
                self.rest.remove(key);
                self.revisions.remove(key)
            }
        };
        Ok(())
    }

    /// Reads a record that may be written anew, and keeps what it holds beside what this version knows.
    fn read<T: DeserializeOwned + Serialize>(&mut self, key: &Key, entry: &Entry) -> Result<T, AppError> {
        let known = records::decode(key, &entry.value)?;
        match records::rest(&entry.value, &known) {
            Some(rest) => self.rest.insert(key.clone(), rest),
            None => self.rest.remove(key),
        };
        Ok(known)
    }

    /// A record that replaces the one at `key`: what was there beside what this version knows stays.
    pub(crate) fn spell<T: Serialize>(&self, key: &Key, value: &T) -> Result<Bytes, AppError> {
        records::encode_over(self.rest.get(key), value)
    }

    fn apply_switch(
        &mut self,
        key: &Key,
        name: &str,
        entry: Option<&Entry>,
        at: Revision,
    ) -> Result<(), AppError> {
        let name: SwitchName = name.parse()?;
        match entry {
            Some(entry) => {
                let switch: Switch = self.read(key, entry)?;
                self.world.put_switch(switch);
            }
            None => self.world.remove_switch(&name),
        }
        self.mark([name], at);
        Ok(())
    }

    fn apply_instance(&mut self, key: &Key, name: &str, entry: Option<&Entry>) -> Result<(), AppError> {
        let no_name = || AppError::new(rein_api::ErrorCode::Internal, format!("{key} is no instance"));
        let (service, id) = name.split_once('/').ok_or_else(no_name)?;
        let (service, id): (ServiceName, InstanceName) = (service.parse()?, id.parse()?);
        match entry {
            Some(entry) => {
                let said: Registration = self.read(key, entry)?;
                let health = first_health(&said, self.listening);
                self.world.put_instance(said, health);
            }
            None => {
                let gone = self.world.instance(&service, &id).and_then(|it| it.said.version.clone());
                if let Some(version) = gone {
                    self.left.insert(service.clone(), version);
                }
                self.world.remove_instance(&service, &id);
            }
        }
        self.soil_service(service);
        Ok(())
    }

    fn apply_ran(&mut self, key: &Key, name: &str, entry: Option<&Entry>) -> Result<(), AppError> {
        let none = || AppError::new(rein_api::ErrorCode::Internal, format!("{key} names no service"));
        let (backend, service) = name.split_once('/').ok_or_else(none)?;
        let (backend, service): (BackendName, ServiceName) = (backend.parse()?, service.parse()?);
        let ran: Option<Ran> = entry.map(|entry| self.read(key, entry)).transpose()?;
        let of_it = self.ran.entry(backend.clone()).or_default();
        match ran {
            Some(ran) => drop(of_it.insert(service, ran)),
            None => drop(of_it.remove(&service)),
        }
        if of_it.is_empty() {
            self.ran.remove(&backend);
        }
        Ok(())
    }

    fn apply_hold(
        &mut self,
        key: &Key,
        cell: Cell,
        entry: Option<&Entry>,
        at: Revision,
    ) -> Result<(), AppError> {
        self.moved.insert(cell.backend.clone(), at);
        let hold = entry.map(|entry| Ok::<_, AppError>((self.read(key, entry)?, entry.modified)));
        let held = self.holds.entry(cell.backend).or_default();
        match hold.transpose()? {
            Some(hold) => held.insert(cell.key, hold),
            None => held.remove(&cell.key),
        };
        Ok(())
    }

    fn apply_change(
        &mut self,
        key: &Key,
        id: &str,
        entry: Option<&Entry>,
        at: Revision,
    ) -> Result<(), AppError> {
        match entry {
            Some(entry) => {
                let change: Change = self.read(key, entry)?;
                self.mark(change.switch_legs().map(|leg| leg.switch.clone()), at);
                self.moved.extend(change.cells().map(|(cell, _)| (cell.backend, at)));
                self.moved.extend(self.registries_under(&change).into_iter().map(|name| (name, at)));
                self.mark_services(&change, at);
                self.world.put_change(change);
            }
            None => self.world.remove_change(&id.parse::<ChangeId>()?),
        }
        Ok(())
    }

    fn apply_incident(&mut self, key: &Key, entry: Option<&Entry>, at: Revision) -> Result<(), AppError> {
        let Some(entry) = entry else { return Ok(()) };
        let incident: Incident = self.read(key, entry)?;
        let of_it = self.world.tied_to(&incident.name);
        let (mut names, mut services, mut registries) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for change in of_it {
            names.extend(change.switch_legs().map(|leg| leg.switch.clone()));
            services.extend(change.instance_legs().map(|leg| leg.service.clone()));
            registries.extend(self.registries_under(change));
            self.moved.extend(change.cells().map(|(cell, _)| (cell.backend, at)));
        }
        self.moved.extend(registries.into_iter().map(|name| (name, at)));
        self.mark(names, at);
        for service in services {
            self.altered_services.insert(service.clone(), at);
            self.soil_service(service);
        }
        self.world.put_incident(incident);
        Ok(())
    }

    /// How the version of an instance that registers came to its service.
    pub(crate) fn came(&self, said: &Registration, now: Timestamp) -> Option<Came> {
        let fleet = self.world.fleet(&said.service);
        versions::came(fleet, (&said.id, said.version.as_ref()), self.left.get(&said.service), now)
    }

    /// The revision of a key; absent if it does not exist.
    pub(crate) fn revision_of(&self, key: &Key) -> Option<Revision> {
        self.revisions.get(key).copied()
    }

    /// Do both know the same records at the same revisions?
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let recent = |revisions: &BTreeMap<Key, Revision>| {
            let kept = revisions.iter().filter(|(key, _)| !key.to_string().starts_with(records::USE));
            kept.map(|(key, at)| (key.clone(), *at)).collect::<BTreeMap<_, _>>()
        };
        recent(&self.revisions) == recent(&other.revisions)
    }

    /// The hold of a cell, and its record's revision.
    pub(crate) fn hold(&self, cell: &Cell) -> Option<(&Hold, Revision)> {
        self.holds.get(&cell.backend)?.get(&cell.key).map(|(hold, at)| (hold, *at))
    }

    /// All holds of a backend, by cell.
    pub(crate) fn holds(&self, backend: &BackendName) -> impl Iterator<Item = (&str, &Hold, Revision)> {
        let held = self.holds.get(backend).into_iter().flatten();
        held.map(|(key, (hold, at))| (key.as_str(), hold, *at))
    }

    /// Instances that Rein holds in a foreign registry, as they were before.
    pub(crate) fn held_instances(&self, backend: &BackendName) -> impl Iterator<Item = &Registration> {
        self.holds(backend).filter_map(|(_, hold, _)| hold.said.as_deref())
    }

    /// All cells that a change lies over: those named by it, and entries of instances in foreign registries.
    pub(crate) fn cells_under(&self, change: &Change) -> Vec<Cell> {
        let named = change.cells().map(|(cell, _)| cell);
        named.chain(change.instance_legs().flat_map(|leg| self.world.cells_of(change, leg))).collect()
    }

    /// Foreign registries that a change over instances concerns, or may.
    fn registries_under(&self, change: &Change) -> BTreeSet<BackendName> {
        let mut all = BTreeSet::new();
        for leg in change.instance_legs() {
            all.extend(self.world.registries_of(&leg.service).into_iter().cloned());
            if let Which::One { cell: Some(cell), .. } = &leg.which {
                all.insert(cell.backend.clone());
            }
        }
        all
    }

    /// The revision at which something that concerns a backend last moved.
    pub(crate) fn moved(&self, backend: &BackendName) -> Revision {
        self.moved.get(backend).copied().unwrap_or_default()
    }

    /// The condition that a key is still as it is here.
    pub(crate) fn unmoved(&self, key: Key) -> Must {
        match self.revision_of(&key) {
            Some(at) => Must::Unchanged(key, at),
            None => Must::Absent(key),
        }
    }

    fn mark(&mut self, names: impl IntoIterator<Item = SwitchName>, at: Revision) {
        for name in names {
            self.altered.insert(name.clone(), at);
            self.dirty.insert(name);
        }
    }

    /// The revision at which a record last altered what this switch comes to.
    pub(crate) fn altered_at(&self, name: &SwitchName) -> Revision {
        self.altered.get(name).copied().unwrap_or_default()
    }

    /// Marks every switch as possibly altered.
    pub(crate) fn soil_all(&mut self) {
        self.dirty.extend(self.world.switches().map(|s| s.name.clone()));
        self.dirty_services.extend(self.world.fleets().map(|(name, _)| name.clone()));
    }

    /// Marks some.
    pub(crate) fn soil(&mut self, names: impl IntoIterator<Item = SwitchName>) {
        self.dirty.extend(names);
    }

    /// Hands out the switches possibly altered since the last call.
    pub(crate) fn take_dirty(&mut self) -> BTreeSet<SwitchName> {
        std::mem::take(&mut self.dirty)
    }

    fn mark_services(&mut self, change: &Change, at: Revision) {
        for leg in change.instance_legs() {
            self.altered_services.insert(leg.service.clone(), at);
            self.soil_service(leg.service.clone());
        }
    }

    /// The revision at which a change over instances of a service last moved.
    pub(crate) fn service_altered_at(&self, name: &ServiceName) -> Revision {
        self.altered_services.get(name).copied().unwrap_or_default()
    }

    /// Marks a service's roster as possibly altered.
    pub(crate) fn soil_service(&mut self, name: ServiceName) {
        self.dirty_services.insert(name);
    }

    /// Hands out the services whose rosters may have altered since the last call.
    pub(crate) fn take_dirty_services(&mut self) -> BTreeSet<ServiceName> {
        std::mem::take(&mut self.dirty_services)
    }

    /// What was read before anybody listened is known from now on as not heard yet.
    pub(crate) fn listen_from(&mut self, now: Timestamp) {
        self.listening = now;
        self.world.begin_to_listen(now);
    }

    /// Takes over how instances are from the image that this one replaces.
    pub(crate) fn keep_health(&mut self, old: &Self) {
        self.left.clone_from(&old.left);
        self.listening = old.listening;
        self.world.keep_health(&old.world);
        self.world.keep_foreign(&old.world);
        let services: Vec<ServiceName> = old.world.fleets().map(|(name, _)| name.clone()).collect();
        self.dirty_services.extend(services);
    }

    /// The newest time any record carries: Rein's clock must not start behind it.
    pub(crate) fn newest(&self) -> Timestamp {
        let acts = self.world.changes().flat_map(|c| c.acts.iter().map(|a| a.at).chain([c.created]));
        let tokens = self.tokens.values().map(|t| t.created);
        acts.chain(tokens).chain(self.markers.newest()).max().unwrap_or_default()
    }
}
