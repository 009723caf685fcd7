//! Versions that the metrics of backends show. Every server looks for itself, so that each knows how its backends stand;
//! the one that reconciles keeps what a service runs, and records when that becomes another. Bounded: in services, in
//! versions of each, in commits of one look. What is not kept in one look is in the next.

use crate::app::telemetry::pages;
use crate::error::AppError;
use crate::house::House;
use crate::image::Image;
use crate::reconcile::rein;
use crate::records;
use crate::registry::version_named;
use futures::future::join_all;
use parking_lot::{Mutex, RwLock};
use rein_domain::marker::{KEPT, Marker};
use rein_domain::name::{ActorName, BackendName, MarkerId, ServiceName, VersionName};
use rein_domain::ran::{Missed, Ran, Shift, Step};
use rein_domain::time::Timestamp;
use rein_plugin::telemetry::{NOUN, Reading, Running, VersionsAsk};
use rein_plugin::{Adapter, Fault};
use rein_store::{Commit, Key, Must, Op, Outcome};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How often a backend that measures is looked at.
pub(crate) const VERSIONS_EVERY: Duration = Duration::from_secs(15);
/// How often it is looked which of them are due.
const TICK: Duration = Duration::from_secs(1);
/// How long one may take for all of its pages.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to say since when a version runs.
const SINCE_PATIENCE: Duration = Duration::from_secs(2);
/// Most services of one backend that are followed.
const MOST: usize = 5_000;
/// Most commits of one look.
const MOST_COMMITS: usize = 40;
/// Records of one commit, with room for the condition that this server leads.
const AT_ONCE: usize = 15;
/// Of markers that have to give way, at most so many at once.
const GIVE_WAY: usize = 8;
/// A service of which nothing is shown for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 3600);

/// How the last looks at backends went.
#[derive(Default)]
pub(crate) struct Watches {
    known: RwLock<HashMap<BackendName, Watch>>,
    /// Backends that somebody wants to be looked at now.
    wanted: Mutex<BTreeSet<BackendName>>,
    bell: Notify,
}

/// How the last look at one backend went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    /// When it last showed any version.
    pub(crate) at: Option<Timestamp>,
    /// What the last look gave.
    pub(crate) last: Watched,
    /// Services left out: too many, or of a name that is none.
    pub(crate) left_out: usize,
}

/// What a look gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Watched {
    /// Nobody has looked yet.
    #[default]
    Not,
    /// Versions.
    Versions,
    /// None at all.
    Nothing,
    /// The plugin does not serve it.
    Unserved,
    /// It failed.
    Fault,
}

impl Watches {
    /// What is known of a backend.
    pub(crate) fn of(&self, backend: &BackendName) -> Watch {
        self.known.read().get(backend).cloned().unwrap_or_default()
    }

    /// Has a backend looked at now.
    pub(crate) fn want(&self, backend: &BackendName) {
        self.wanted.lock().insert(backend.clone());
        self.bell.notify_one();
    }

    fn note(&self, backend: &BackendName, note: impl FnOnce(&mut Watch)) {
        note(self.known.write().entry(backend.clone()).or_default());
    }

    fn keep(&self, declared: &BTreeSet<BackendName>) {
        self.known.write().retain(|name, _| declared.contains(name));
    }
}

/// What whoever looks remembers of one backend. A new leader begins anew.
#[derive(Default)]
struct Memory {
    due: Option<Instant>,
    missed: BTreeMap<ServiceName, Missed>,
    /// Services kept of which nothing is shown, and since when.
    unshown: BTreeMap<ServiceName, Timestamp>,
}

/// What one service runs: its name there, and how many instances run each version.
#[derive(Default)]
struct Shown {
    called: String,
    versions: BTreeMap<VersionName, u32>,
    /// Versions as they are called there.
    named: BTreeMap<VersionName, String>,
}

impl House {
    /// Looks at every backend that measures, now and then.
    pub(crate) async fn watch_versions(self: Arc<Self>) {
        let mut memories: BTreeMap<BackendName, Memory> = BTreeMap::new();
        loop {
            let declared: BTreeSet<BackendName> = self.declared_backends().into_iter().collect();
            memories.retain(|name, _| declared.contains(name));
            self.watches.keep(&declared);
            for name in declared {
                memories.entry(name).or_default();
            }
            let (now, wanted) = (Instant::now(), std::mem::take(&mut *self.watches.wanted.lock()));
            let due = memories
                .iter_mut()
                .filter(|(name, memory)| wanted.contains(*name) || memory.due.is_none_or(|due| due <= now));
            join_all(due.map(|(name, memory)| self.watch_one(name, memory))).await;
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                () = self.watches.bell.notified() => {}
            }
        }
    }

    async fn watch_one(&self, name: &BackendName, memory: &mut Memory) {
        memory.due = Some(Instant::now() + VERSIONS_EVERY);
        let asked = self.having(vec![name.clone()], Some(NOUN)).await;
        let Some((_, adapter)) = asked.into_iter().next() else { return };
        let all = pages(adapter.as_ref(), &|telemetry, page| {
            let ask = VersionsAsk { service: None, page };
            Box::pin(async move { telemetry.versions(&ask).await })
        });
        let reading = match tokio::time::timeout(PATIENCE, all).await {
            Ok(Ok(reading)) => reading,
            Ok(Err(Fault::Unsupported(_))) => {
                return self.watches.note(name, |it| it.last = Watched::Unserved);
            }
            Ok(Err(_)) | Err(_) => return self.watches.note(name, |it| it.last = Watched::Fault),
        };
        let (now, (shown, left_out)) = (self.clock.now(), shown(reading));
        self.watches.note(name, |it| {
            it.last = if shown.is_empty() { Watched::Nothing } else { Watched::Versions };
            it.at = if shown.is_empty() { it.at } else { Some(now) };
            if left_out > it.left_out {
                tracing::warn!(backend = %name, left_out, "services of metrics are too many, or have no name");
            }
            it.left_out = left_out;
        });
        if self.trouble().is_some() || !self.leads() {
            // Whoever leads looks; what was missed here says nothing of what was missed there.
            (memory.missed, memory.unshown) = (BTreeMap::new(), BTreeMap::new());
            return;
        }
        if let Err(error) = self.follow_versions((name, adapter.as_ref()), &shown, memory).await {
            tracing::warn!(backend = %name, %error, "what services run could not be recorded yet");
        }
    }

    /// Keeps what services run, and records what is a change.
    async fn follow_versions(
        &self,
        (name, adapter): (&BackendName, &dyn Adapter),
        shown: &BTreeMap<ServiceName, Shown>,
        memory: &mut Memory,
    ) -> Result<(), AppError> {
        let now = self.clock.now();
        let (mut kept, mut shifts) = (Vec::new(), Vec::new());
        {
            let image = self.image.read();
            let known = image.ran.get(name);
            let mut room = MOST.saturating_sub(known.map_or(0, BTreeMap::len));
            for (service, shows) in shown {
                let known = known.and_then(|known| known.get(service));
                if known.is_none() {
                    // What was followed before comes first.
                    let Some(left) = room.checked_sub(1) else { continue };
                    room = left;
                }
                let missed = memory.missed.entry(service.clone()).or_default();
                match Ran::look(known, &shows.versions, missed, now) {
                    Step::Rest => {}
                    Step::Keep(ran) => kept.push((service.clone(), Some(ran))),
                    Step::Came(ran, shift) => shifts.push((service, ran, shift, Some(shows))),
                    Step::Left(ran, shift) => shifts.push((service, ran, shift, None)),
                }
            }
            let gone = known.into_iter().flatten().filter(|(service, _)| !shown.contains_key(*service));
            memory.unshown.retain(|service, _| !shown.contains_key(service));
            for (service, _) in gone {
                memory.missed.remove(service);
                let since = *memory.unshown.entry(service.clone()).or_insert(now);
                if now.since(since) > FORGOTTEN {
                    kept.push((service.clone(), None));
                }
            }
        }
        let mut left = MOST_COMMITS;
        for (service, ran, mut shift, came) in shifts.into_iter().take(MOST_COMMITS) {
            if let Some(shows) = came {
                shift.at = self.since(adapter, shows, &shift, &ran).await;
            }
            left -= 1;
            self.record_shift(name, service, (&ran, shift)).await?;
        }
        for some in kept.chunks(AT_ONCE).take(left) {
            self.keep_ran(name, some).await?;
        }
        Ok(())
    }

    /// Since when a version that came runs, if its backend can tell; else since now. Never before the service last
    /// changed: whoever says so speaks of another time.
    async fn since(&self, adapter: &dyn Adapter, shows: &Shown, shift: &Shift, ran: &Ran) -> Timestamp {
        let now = shift.at;
        let (Some(telemetry), Some(version)) = (adapter.telemetry(), shows.named.get(&shift.to)) else {
            return now;
        };
        let ask = VersionsAsk { service: Some(shows.called.clone()), page: None };
        let asked = tokio::time::timeout(SINCE_PATIENCE, telemetry.versions(&ask)).await;
        let items = asked.ok().and_then(Result::ok).map(|reading| reading.items).unwrap_or_default();
        let told = items.iter().find(|one| one.service == shows.called && one.version == *version);
        let since = told.and_then(|one| one.since_ms).map(Timestamp);
        // The last of those is this one.
        let changed = ran.changed.iter().rev().nth(1).copied().unwrap_or(Timestamp(i64::MIN));
        since.filter(|at| *at <= now && now.since(*at) < KEPT).map_or(now, |at| at.max(changed))
    }

    async fn record_shift(
        &self,
        name: &BackendName,
        service: &ServiceName,
        (ran, shift): (&Ran, Shift),
    ) -> Result<(), AppError> {
        let id = MarkerId::from_random(rand::random());
        let by: ActorName = name.as_str().parse()?;
        let commit = {
            let image = self.image.read();
            let (key, marker) = (records::ran(name, service), records::marker(&id));
            let gives_way = image.markers.gives_way(&by, &rein());
            let mut ops = vec![Op::Put(key.clone(), image.spell(&key, ran)?, None)];
            ops.extend(gives_way.iter().take(GIVE_WAY).map(|id| Op::Delete(records::marker(id))));
            let mut must = vec![image.unmoved(key), Must::Absent(marker.clone())];
            must.extend(self.lead_must()?);
            let Shift { from, to, at } = shift;
            let told = Marker {
                id,
                kind: "version".parse()?,
                service: service.clone(),
                version: Some(to),
                before: Some(from),
                by,
                actor: rein(),
                at,
                recorded: self.clock.now(),
                note: String::new(),
            };
            ops.push(Op::Put(marker, records::encode(&told)?, None));
            Commit { must, ops, lane: None }
        };
        self.commit_ran(commit).await
    }

    async fn keep_ran(
        &self,
        name: &BackendName,
        kept: &[(ServiceName, Option<Ran>)],
    ) -> Result<(), AppError> {
        let commit = {
            let image = self.image.read();
            let (mut must, mut ops) = (Vec::new(), Vec::new());
            for (service, ran) in kept {
                let key = records::ran(name, service);
                must.push(image.unmoved(key.clone()));
                ops.push(match ran {
                    Some(ran) => Op::Put(key.clone(), image.spell(&key, ran)?, None),
                    None => Op::Delete(key),
                });
            }
            must.extend(self.lead_must()?);
            Commit { must, ops, lane: None }
        };
        self.commit_ran(commit).await
    }

    /// Refused: somebody else leads now, and looks for himself.
    async fn commit_ran(&self, commit: Commit) -> Result<(), AppError> {
        if let Outcome::At(at) = self.store.commit(commit).await? {
            self.caught_up(at.revision).await?;
        }
        Ok(())
    }
}

/// What services run, by names that are some; and how many are left out.
fn shown(reading: Reading<Running>) -> (BTreeMap<ServiceName, Shown>, usize) {
    let mut all: BTreeMap<ServiceName, Shown> = BTreeMap::new();
    let mut left_out = BTreeSet::new();
    for one in reading.items {
        let named = version_named(&one.service, &one.version);
        let Some((service, version)) = named.filter(|(name, _)| all.len() < MOST || all.contains_key(name))
        else {
            left_out.insert(one.service);
            continue;
        };
        let shows = all.entry(service).or_default();
        *shows.versions.entry(version.clone()).or_default() += one.instances.unwrap_or(0);
        shows.named.insert(version, one.version);
        shows.called = one.service;
    }
    (all, left_out.len())
}

/// Records of backends that nobody declares any more.
pub(super) fn of_nobody(image: &Image) -> Vec<Key> {
    let gone = image.ran.iter().filter(|(name, _)| image.world.backend(name).is_none());
    gone.flat_map(|(name, of_it)| of_it.keys().map(|service| records::ran(name, service))).collect()
}
