//! Foreign registries: each is listed now and then, and whenever its plugin hints that something altered.
//! What it listed last stands while it does not answer, and says how old it is. Every server looks for
//! itself; into a registry only the one that reconciles writes.

use crate::house::House;
use crate::registry::named::registration;
use crate::views::tidy;
use parking_lot::RwLock;
use rein_domain::foreign::Shares;
use rein_domain::health::{Health, State, Why};
use rein_domain::hold::Cell;
use rein_domain::instance::Registration;
use rein_domain::name::{BackendName, ServiceName};
use rein_domain::time::Timestamp;
use rein_plugin::registry::{InstanceListed, Listing, NOUN, Shares as Given, StateListed};
use rein_plugin::{Adapter, Fault, Registry as Listed};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

/// How often a registry without hints is listed.
pub(crate) const LIST_EVERY: Duration = Duration::from_secs(5);
/// The least time between two listings, however often it hints.
pub(crate) const LIST_LEAST: Duration = Duration::from_millis(200);
/// How long a registry that does not answer is left alone.
pub(crate) const LIST_AGAIN: Duration = Duration::from_secs(2);
/// How long one registry may take for all of its pages.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most instances of one registry.
const MOST: usize = 200_000;

/// What the last listings of registries gave.
#[derive(Default)]
pub(crate) struct Surveys(RwLock<HashMap<BackendName, Survey>>);

/// What the last listing of one registry gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Survey {
    /// When the last good one was.
    pub(crate) at: Option<Timestamp>,
    /// The same by the boot clock.
    pub(crate) boot: Option<i64>,
    /// Why the last one failed, if it did.
    pub(crate) fault: Option<String>,
    /// Entries that could not be read, or were told twice.
    pub(crate) unread: u32,
    /// Peers of the backend that did not answer.
    pub(crate) missing_peers: Vec<String>,
}

/// What a survey came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surveyed {
    /// Nobody registers in this backend.
    Never,
    /// It was listed.
    Listed,
    /// It could not be.
    Failed,
}

impl Surveys {
    /// What is known of a registry; `None`: it is none, or nobody has asked yet.
    pub(crate) fn of(&self, backend: &BackendName) -> Option<Survey> {
        self.0.read().get(backend).cloned()
    }

    /// Drops what is known of a backend that is not declared any more.
    pub(crate) fn forget(&self, backend: &BackendName) {
        self.0.write().remove(backend);
    }

    fn note(&self, backend: &BackendName, note: impl FnOnce(&mut Survey)) {
        note(self.0.write().entry(backend.clone()).or_default());
    }
}

/// All that a registry listed.
struct Whole {
    items: Vec<InstanceListed>,
    shares: Shares,
    unread: u32,
    missing_peers: Vec<String>,
}

impl House {
    /// Lists a backend, if services find each other there, and puts its instances among those known.
    pub(crate) async fn survey(&self, name: &BackendName) -> Surveyed {
        let Some(adapter) = self.plugins.adapter(name) else { return Surveyed::Failed };
        let described = self.looks.of(name).description.clone();
        let description = match described {
            Some(known) => known,
            None => match adapter.describe().await {
                Ok(description) => {
                    self.looks.describe(name, description.clone());
                    description
                }
                Err(_) => return Surveyed::Failed,
            },
        };
        if !description.nouns.iter().any(|noun| noun == NOUN) {
            return Surveyed::Never;
        }
        match tokio::time::timeout(PATIENCE, whole(adapter.as_ref())).await {
            Ok(Ok(listed)) => {
                self.take_listing(name, listed);
                Surveyed::Listed
            }
            Ok(Err(fault)) => self.not_listed(name, &fault.to_string()),
            Err(_) => {
                self.not_listed(name, &format!("it did not give all pages within {} s", PATIENCE.as_secs()))
            }
        }
    }

    /// What was known stays. Whom Rein holds there is known from the holds, also by a server that was just
    /// started.
    fn not_listed(&self, name: &BackendName, why: &str) -> Surveyed {
        let why = tidy(why);
        self.looks.fault(name, &why);
        self.registry.surveys.note(name, |survey| survey.fault = Some(why));
        let now = self.clock.now();
        let mut image = self.image.write();
        if !image.world.has_listed(name) {
            let held = image.held_instances(name).map(|said| (said.clone(), held_out(now))).collect();
            let altered = image.world.put_foreign(name, None, held);
            self.soil(&mut image, altered);
        }
        Surveyed::Failed
    }

    fn take_listing(&self, name: &BackendName, listed: Whole) {
        let now = self.clock.now();
        let boot = self.boot();
        self.looks.seen_well(name, now);
        let (mut twice, mut known) = (0, HashSet::new());
        let mut image = self.image.write();
        let held: BTreeMap<String, Registration> = image
            .held_instances(name)
            .filter_map(|said| Some((said.cell.as_ref()?.key.clone(), said.clone())))
            .collect();
        let mut all: Vec<(Registration, Health)> = Vec::with_capacity(listed.items.len());
        for one in &listed.items {
            if !known.insert(one.cell.as_str()) {
                twice += 1;
                continue;
            }
            let Some(mut said) = registration(name, one, now) else {
                twice += 1;
                continue;
            };
            if let Some(before) = held.get(&one.cell) {
                // What Rein itself took is not what it has by itself.
                said.weight = before.weight;
            }
            all.push((said, health(one, now)));
        }
        let gone = held.into_iter().filter(|(key, _)| !known.contains(key.as_str()));
        let gone: Vec<Registration> = gone.map(|(_, said)| said).collect();
        let held: BTreeSet<String> =
            image.held_instances(name).filter_map(|said| Some(said.cell.as_ref()?.key.clone())).collect();
        all.extend(gone.into_iter().map(|said| (said, held_out(now))));
        let first = !image.world.has_listed(name);
        let joined: Vec<Cell> = all
            .iter()
            .filter_map(|(said, _)| said.cell.clone())
            .filter(|cell| !held.contains(&cell.key) && image.world.in_cell(cell).is_none())
            .collect();
        if !first {
            // Too few were left when they came: no drain of their zone takes them too.
            let joined: HashSet<&Cell> = joined.iter().collect();
            for (said, _) in
                all.iter_mut().filter(|(said, _)| said.cell.as_ref().is_some_and(|c| joined.contains(c)))
            {
                said.spared = image.world.spares(said, now);
            }
        }
        let mut altered = image.world.put_foreign(name, Some(listed.shares), all);
        if first {
            // Who came while nobody looked is judged once all are there.
            for cell in joined {
                altered.extend(image.world.spare_foreign(&cell, now));
            }
        }
        self.soil(&mut image, altered);
        drop(image);
        self.registry.surveys.note(name, |survey| {
            *survey = Survey {
                at: Some(now),
                boot: Some(boot),
                fault: None,
                unread: listed.unread + twice,
                missing_peers: listed.missing_peers,
            };
        });
    }

    fn soil(&self, image: &mut crate::image::Image, altered: BTreeSet<ServiceName>) {
        let any = !altered.is_empty();
        altered.into_iter().for_each(|service| image.soil_service(service));
        if any {
            self.registry.altered.notify_one();
        }
    }
}

async fn whole(adapter: &dyn Adapter) -> Result<Whole, Fault> {
    let none = || Fault::Unsupported("nobody registers in this backend".into());
    let registry: &dyn Listed = adapter.registry().ok_or_else(none)?;
    let mut all =
        Whole { items: Vec::new(), shares: Shares::AllOrNothing, unread: 0, missing_peers: Vec::new() };
    let mut page = None;
    loop {
        let Listing { page: part, missing_peers, unread, weighs } = registry.list(page).await?;
        if part.items.is_empty() && part.next.is_some() && unread == 0 {
            return Err(Fault::NotDone("it gives pages with nothing on them, and promises more".into()));
        }
        all.items.extend(part.items);
        all.unread = all.unread.saturating_add(unread);
        all.missing_peers = missing_peers;
        all.shares = if weighs == Given::Any { Shares::Any } else { Shares::AllOrNothing };
        page = part.next;
        if all.items.len() > MOST {
            return Err(Fault::NotDone(format!("it lists more than {MOST} instances")));
        }
        if page.is_none() {
            return Ok(all);
        }
    }
}

fn health(one: &InstanceListed, now: Timestamp) -> Health {
    let (state, words) = match one.state {
        StateListed::Unsaid => (State::Up, "listed"),
        StateListed::Up => (State::Up, "it is said to be up"),
        StateListed::Starting => (State::Starting, "it is said to start"),
        StateListed::Down => (State::Down, "it is said to be down"),
    };
    Health { state, why: Why::Told(words.into()), since: now }
}

/// Rein has taken it out; that it is over would be seen.
fn held_out(now: Timestamp) -> Health {
    Health { state: State::Up, why: Why::Told("taken out".into()), since: now }
}
