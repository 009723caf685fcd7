//! What cells hold: what the catalog says of a service, as its leader knows it now. That is also what clients and
//! Consul's DNS go by; an agent may be ahead of it by a moment.

use crate::Backend;
use crate::catalog::{Check, Entry, maintenance_of, names};
use crate::entry::{Cell, Value};
use crate::http::Path;
use futures::{StreamExt, TryStreamExt};
use rein_plugin::registry::shown;
use rein_plugin::{CellKey, Fault, Seen, TargetName};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Services looked at at once.
const AT_ONCE: usize = 8;

/// What the catalog has of one service.
pub(crate) struct Service {
    pub(crate) entries: Vec<Entry>,
    checks: Vec<Check>,
}

/// One registration, as it was found.
pub(crate) struct Found {
    pub(crate) entry: Entry,
    pub(crate) maintenance: Option<Check>,
    pub(crate) value: Value,
    pub(crate) life: u64,
}

impl Found {
    /// What alters when the cell does, and not when anything else of the service does.
    pub(crate) fn version(&self) -> String {
        let at = self.maintenance.as_ref().map_or(0, |check| check.modify_index);
        let Value { passing, warning, weighed, .. } = &self.value;
        format!("{at}.{passing}.{warning}.{}", u8::from(*weighed))
    }
}

impl Service {
    fn find(&self, cell: &Cell) -> Option<Found> {
        let is_it = |entry: &&Entry| {
            entry.node == cell.node && entry.service_id == cell.id && entry.service_name == cell.service
        };
        self.entries.iter().find(is_it).map(|entry| self.found(entry))
    }

    fn found(&self, entry: &Entry) -> Found {
        let id = maintenance_of(&entry.service_id);
        let is_it =
            |check: &&Check| check.node == entry.node && check.check_id == id && check.status == "critical";
        let maintenance = self.checks.iter().find(is_it).cloned();
        let value = entry.value(maintenance.as_ref());
        let life = entry.cell(value.maintenance.as_deref()).life;
        Found { entry: entry.clone(), maintenance, value, life }
    }
}

impl Backend {
    /// The cells of instances by name: of the life they have now, or, where nobody is, of one that Rein would
    /// make, at the agent that is asked.
    pub(crate) async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        let mut known: HashMap<&str, Service> = HashMap::new();
        let mut cells = Vec::with_capacity(targets.len());
        for target in targets {
            let wrong = || Fault::Invalid(format!("`{}` is no SERVICE/ID", shown(&target.name)));
            let (service, id) = target.name.split_once('/').ok_or_else(wrong)?;
            if service.is_empty() || id.is_empty() {
                return Err(wrong());
            }
            if !known.contains_key(service) {
                known.insert(service, self.service(service).await?);
            }
            let found = known.get(service).and_then(|service| {
                let at = names(&service.entries).iter().position(|name| name == id)?;
                service.entries.get(at).map(|entry| (service.found(entry), entry))
            });
            let cell = match found {
                Some((found, entry)) => entry.cell(found.value.maintenance.as_deref()),
                None => {
                    Cell { service: service.into(), node: self.own_node().await?, id: id.into(), life: 0 }
                }
            };
            if !cell.fits() {
                return Err(wrong());
            }
            cells.push(CellKey(cell.text()));
        }
        Ok(cells)
    }

    pub(crate) async fn observe(&self, cells: &[Cell]) -> Result<Vec<Seen>, Fault> {
        let names: BTreeSet<&str> = cells.iter().map(|cell| cell.service.as_str()).collect();
        let one = |name: String| async move {
            let service = self.service(&name).await?;
            Ok::<_, Fault>((name, service))
        };
        let looks: Vec<_> = names.into_iter().map(|name| one(name.to_owned())).collect();
        let services: BTreeMap<String, Service> =
            futures::stream::iter(looks).buffer_unordered(AT_ONCE).try_collect().await?;
        let seen =
            |cell: &Cell| seen(cell, services.get(&cell.service).and_then(|service| service.find(cell)));
        Ok(cells.iter().map(seen).collect())
    }

    /// One registration, if it is there.
    pub(crate) async fn find(&self, cell: &Cell) -> Result<Option<Found>, Fault> {
        Ok(self.service(&cell.service).await?.find(cell))
    }

    async fn service(&self, name: &str) -> Result<Service, Fault> {
        let entries = self.http.read(Path::new(&["catalog", "service", name]).with("consistent", ""));
        let checks = self.http.read(Path::new(&["health", "checks", name]).with("consistent", ""));
        let (entries, checks) = tokio::try_join!(entries, checks)?;
        Ok(Service { entries: entries.value, checks: checks.value })
    }
}

fn seen(cell: &Cell, found: Option<Found>) -> Seen {
    let mut seen = Seen {
        cell: CellKey(cell.text()),
        value: None,
        version: String::new(),
        incarnation: String::new(),
        missing_peers: Vec::new(),
        copies: 0,
        object: format!("{} on node {}", shown(&cell.id), shown(&cell.node)),
        effect: String::new(),
        peers: 1,
        over: false,
    };
    match found {
        Some(found) if found.life == cell.life => {
            seen.version = found.version();
            // An agent that was set up anew is another, also where its node is called as before.
            seen.incarnation = found.entry.node_id;
            if found.maintenance.is_some() {
                seen.effect = "registered, and in maintenance".to_owned();
            }
            seen.value = Some(found.value.text());
            seen.copies = 1;
        }
        // Whoever is there now is somebody else.
        Some(found) => {
            seen.over = true;
            seen.effect = format!("registered anew, at index {}", found.life);
        }
        // A drain leaves the registration where it is: who is not there is gone.
        None => {
            seen.over = cell.life != 0;
            seen.effect = "not registered".to_owned();
        }
    }
    seen
}
