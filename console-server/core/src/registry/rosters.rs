//! Rosters: who gets traffic of each service. Made anew whenever a record, a deadline or somebody's health
//! alters it; what watchers see, and what discovery answers, is the same roster.

use crate::house::House;
use crate::registry::Registry;
use parking_lot::{Mutex, RwLock};
use rein_domain::fleet::first_health;
use rein_domain::instance::{Registration, Weight};
use rein_domain::name::ServiceName;
use rein_domain::proof::Tally;
use rein_store::Revision;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// Between two rounds: many alterations at once make one roster.
const REST: Duration = Duration::from_millis(5);
/// The longest sleep before the clock is looked at again.
const LOOK: Duration = Duration::from_millis(250);

/// Who gets traffic of one service now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// Grows with every alteration.
    pub serial: u64,
    /// Those who get some, by name.
    pub entries: Vec<Entry>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As it registered.
    pub said: Arc<Registration>,
    /// Its share, whatever lies over it taken into account.
    pub weight: Weight,
}

/// All rosters.
#[derive(Default)]
pub(super) struct Rosters {
    by_service: RwLock<HashMap<ServiceName, watch::Sender<Arc<Roster>>>>,
    serial: AtomicU64,
    /// The image's revision up to which all is served.
    served: AtomicI64,
    watchers: Mutex<BTreeMap<u64, Watching>>,
}

/// Somebody who watches, and what was sent to them last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watching {
    /// What it calls itself.
    pub name: String,
    /// The service.
    pub service: ServiceName,
    /// The newest roster sent.
    pub sent: u64,
}

/// One watcher while it is there.
pub struct Watcher {
    id: u64,
    house: Arc<House>,
    rosters: watch::Receiver<Arc<Roster>>,
    first: bool,
}

impl Watcher {
    /// The roster now, and then each newer one. `None` when the server ends.
    pub async fn next(&mut self) -> Option<Arc<Roster>> {
        if !std::mem::take(&mut self.first) {
            self.rosters.changed().await.ok()?;
        }
        Some(self.rosters.borrow_and_update().clone())
    }

    /// The roster of this number was handed to the network.
    pub fn sent(&self, serial: u64) {
        if let Some(watching) = self.house.registry.rosters.watchers.lock().get_mut(&self.id) {
            watching.sent = watching.sent.max(serial);
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.house.registry.rosters.watchers.lock().remove(&self.id);
    }
}

impl Rosters {
    fn sender(&self, service: &ServiceName) -> watch::Sender<Arc<Roster>> {
        if let Some(sender) = self.by_service.read().get(service) {
            return sender.clone();
        }
        self.by_service.write().entry(service.clone()).or_default().clone()
    }
}

impl Registry {
    /// The roster of a service now.
    pub(crate) fn roster(&self, service: &ServiceName) -> Arc<Roster> {
        let all = self.rosters.by_service.read();
        all.get(service).map(|sender| sender.borrow().clone()).unwrap_or_default()
    }

    /// How far what the layers over a service come to has got. `altered`: the revision that altered it.
    pub(crate) fn tally(&self, service: &ServiceName, altered: Revision) -> Tally {
        let served = self.rosters.served.load(Ordering::Acquire) >= altered.0;
        let serial = self.roster(service).serial;
        let watchers = self.rosters.watchers.lock();
        let mut tally = Tally::default();
        for watching in watchers.values().filter(|watching| watching.service == *service) {
            tally.connected += 1;
            if served && watching.sent >= serial {
                tally.sent += 1;
            } else {
                tally.waiting.push(watching.name.clone());
            }
        }
        if !served {
            tally.waiting.push("this server's own list".to_owned());
        }
        tally.waiting.sort();
        tally
    }
}

impl House {
    /// Watches a service, which need not exist yet.
    pub fn watch_service(self: &Arc<Self>, name: String, service: &ServiceName) -> Watcher {
        let rosters = &self.registry.rosters;
        let receiver = rosters.sender(service).subscribe();
        let id = rosters.serial.fetch_add(1, Ordering::Relaxed);
        let watching = Watching { name, service: service.clone(), sent: 0 };
        rosters.watchers.lock().insert(id, watching);
        Watcher { id, house: Arc::clone(self), rosters: receiver, first: true }
    }

    /// Makes rosters whenever some are due.
    pub(crate) async fn enroll(self: Arc<Self>) {
        let mut revision = self.revision.subscribe();
        loop {
            revision.borrow_and_update();
            self.enroll_once();
            tokio::time::sleep(REST).await;
            let now = self.clock.now();
            let edge = self.image.read().world.next_edge(now);
            let nap = edge.map_or(LOOK, |at| at.since(now).min(LOOK));
            tokio::select! {
                changed = revision.changed() => if changed.is_err() { return },
                () = self.registry.altered.notified() => {}
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    /// Serves what altered since the last time.
    pub(crate) fn enroll_once(&self) {
        let now = self.clock.now();
        let (dirty, revision) = {
            let mut image = self.image.write();
            if image.held.is_some() {
                // What was served before goes on; nothing comes back before somebody has accepted it.
                return;
            }
            let passed: Vec<ServiceName> = image
                .world
                .expired(now)
                .iter()
                .flat_map(|change| change.instance_legs())
                .map(|leg| leg.service.clone())
                .collect();
            passed.into_iter().for_each(|service| image.soil_service(service));
            (image.take_dirty_services(), image.revision)
        };
        for service in dirty {
            self.enroll_service(&service, now);
        }
        self.registry.rosters.served.fetch_max(revision.0, Ordering::AcqRel);
    }

    fn enroll_service(&self, service: &ServiceName, now: rein_domain::time::Timestamp) {
        let image = self.image.read();
        let weighed = image.world.weighed_all(service, now);
        let listening = image.listening;
        // Whoever is registered elsewhere is neither heard nor looked at by Rein.
        let here = weighed.iter().map(|(found, _)| &found.said).filter(|said| said.cell.is_none());
        let there = here.map(|said| (said, first_health(said, listening).state));
        let boot = self.boot();
        let fresh = self.registry.follow(service, there, boot);
        self.registry.watch_over(fresh, boot);
        let gets = weighed
            .into_iter()
            .filter(|(found, w)| found.health.state.serves() && w.weight != Weight::DRAINED);
        let entries: Vec<Entry> =
            gets.map(|(found, w)| Entry { said: Arc::clone(&found.said), weight: w.weight }).collect();
        let short = image.world.shortfall(service, now);
        drop(image);
        if let Some(short) = short {
            tracing::warn!(%service, %short, "below its floor while something of it is drained");
        }
        let rosters = &self.registry.rosters;
        rosters.sender(service).send_if_modified(|current| {
            let altered = current.entries != entries;
            if altered {
                let serial = rosters.serial.fetch_add(1, Ordering::Relaxed) + 1;
                *current = Arc::new(Roster { serial, entries });
            }
            altered
        });
    }
}
