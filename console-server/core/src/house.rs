//! The house: what one server holds in memory, and how it is opened and kept current.

use crate::clock::{Clock, Sources};
use crate::cluster::{Member, Standing};
use crate::doorway::{DoorFacts, Doorway, Keys, Served, Witnesses};
use crate::error::AppError;
use crate::image::Image;
use crate::peers::Peers;
use crate::plugins::Plugins;
use crate::reconcile::{self, Looks, Watches, until};
use crate::records;
use crate::registry::Registry;
use crate::signing::Signer;
use futures::StreamExt;
use parking_lot::{Mutex, RwLock};
use rein_api::ErrorCode;
use rein_domain::access::Actor;
use rein_domain::change::Policy;
use rein_domain::name::ActorName;
use rein_domain::time::Timestamp;
use rein_store::{Batch, Event, Lane, Revision, Store, StoreError};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a read or an acknowledged write waits for the image to catch up.
const CATCH_UP: Duration = Duration::from_secs(2);

/// How often the store is asked whether it is there.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How often the image is compared with the store.
const COMPARE_EVERY: Duration = Duration::from_secs(600);

/// What a server is told when it starts.
#[derive(Clone)]
pub struct HouseOptions {
    /// How long changes may last.
    pub policy: Policy,
    /// How long a change lasts when nobody says.
    pub default_lasts: Duration,
    /// Writes a second that one token may make; as many again at once.
    pub writes_per_second: u32,
    /// Where the signing key of the audit trail lies; made if absent.
    pub audit_key: PathBuf,
    /// Go on with a new signing key although checkpoints by a lost one are there: they are dropped.
    pub accept_new_audit_key: bool,
    /// Files to which signed checkpoints are appended.
    pub ship_heads_to: Vec<PathBuf>,
    /// Write into no backend: only look.
    pub observe: bool,
    /// One of several servers over the store; `None`: the only one.
    pub member: Option<Member>,
    /// How long ended changes are kept for listing; the audit trail keeps them for ever.
    pub keep_ended: Duration,
}

/// Everything the verbs act on.
pub struct House {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) image: RwLock<Image>,
    pub(crate) revision: watch::Sender<Revision>,
    pub(crate) served: watch::Sender<Arc<Served>>,
    pub(crate) witnesses: Arc<Witnesses>,
    pub(crate) clock: Clock,
    pub(crate) options: HouseOptions,
    pub(crate) lane: Lane,
    pub(crate) epoch: String,
    pub(crate) rates: Rates,
    pub(crate) signer: Signer,
    pub(crate) plugins: Arc<dyn Plugins>,
    pub(crate) looks: Looks,
    pub(crate) watches: Watches,
    pub(crate) standing: Standing,
    pub(crate) peers: Peers,
    pub(crate) registry: Registry,
    doors: RwLock<Vec<DoorFacts>>,
    /// Why the image no longer follows the store, if so.
    broken: RwLock<Option<(String, std::time::Instant)>>,
    started: std::time::Instant,
}

impl House {
    /// Reads the store into memory. Nothing runs yet: see [`House::run`].
    pub async fn open(
        store: Arc<dyn Store>,
        plugins: Arc<dyn Plugins>,
        sources: Box<dyn Sources>,
        options: HouseOptions,
    ) -> Result<Arc<Self>, AppError> {
        let epoch = reconcile::epoch(store.as_ref()).await?;
        let mut image = Image::default();
        image.world.policy = options.policy;
        image.listening = Timestamp(i64::MAX);
        fill(&mut image, store.as_ref()).await?;
        let clock = Clock::new(sources, image.newest());
        image.listen_from(clock.now());
        let signer = match image.min_writer {
            // A server that only reads writes nothing here either; it signs nothing.
            Some(needs) if needs > records::WRITER => Signer::open(&options.audit_key)?,
            _ => reconcile::signer(store.as_ref(), &options).await?,
        };
        let standing = Standing::new(options.member.clone());
        let house = Self {
            revision: watch::Sender::new(image.revision),
            served: watch::Sender::new(Arc::new(Served::nothing())),
            witnesses: Arc::default(),
            clock,
            // Alone, one process at a time holds the store, so one lane goes on from run to run; a restored
            // store has another epoch, and so begins another. Among others each run writes its own.
            lane: match standing.member {
                None => Lane(format!("lane-{epoch}")),
                Some(_) => Lane(format!("lane-{epoch}-{}", standing.run)),
            },
            standing,
            peers: Peers::default(),
            registry: Registry::default(),
            epoch,
            rates: Rates::new(options.writes_per_second),
            signer,
            plugins,
            looks: Looks::default(),
            watches: Watches::default(),
            doors: RwLock::default(),
            broken: RwLock::default(),
            started: std::time::Instant::now(),
            image: RwLock::new(image),
            options,
            store,
        };
        house.compare_with_shipped().await?;
        house.publish();
        house.enroll_once();
        Ok(Arc::new(house))
    }

    /// Starts what keeps the house current until `stop`: the feed, the served set, expiry,
    /// checkpoints and pruning.
    pub fn run(self: &Arc<Self>, stop: &CancellationToken) -> TaskTracker {
        let tasks = TaskTracker::new();
        let house = || Arc::clone(self);
        tasks.spawn(until(stop.clone(), house().feed()));
        tasks.spawn(until(stop.clone(), house().serve()));
        tasks.spawn(until(stop.clone(), house().enroll()));
        tasks.spawn(until(stop.clone(), house().listen()));
        tasks.spawn(until(stop.clone(), house().look_around()));
        tasks.spawn(until(stop.clone(), house().expire()));
        tasks.spawn(until(stop.clone(), house().sign()));
        tasks.spawn(until(stop.clone(), house().prune()));
        tasks.spawn(until(stop.clone(), house().forget_the_silent()));
        tasks.spawn(until(stop.clone(), house().watch_versions()));
        tasks.spawn(house().tend_all(stop.clone()));
        tasks.spawn(until(stop.clone(), house().stand()));
        tasks.spawn(until(stop.clone(), house().pulse()));
        tasks.spawn(until(stop.clone(), house().check_store()));
        tasks.close();
        tasks
    }

    /// A door's side of the house.
    pub fn doorway(self: &Arc<Self>) -> Doorway {
        let keys: Arc<dyn Keys> = Arc::clone(self) as Arc<dyn Keys>;
        Doorway { served: self.served.subscribe(), witnesses: Arc::clone(&self.witnesses), keys }
    }

    /// Notes an open door, for previews and status.
    pub fn open_door(&self, facts: DoorFacts) {
        self.doors.write().push(facts);
    }

    pub(crate) fn doors(&self) -> Vec<DoorFacts> {
        self.doors.read().clone()
    }

    /// The store's epoch: revisions of different epochs do not compare.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The image's revision.
    pub fn revision(&self) -> Revision {
        *self.revision.borrow()
    }

    /// Rein's time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Why nothing can be written now, and what to do; `None` when all is well.
    pub fn trouble(&self) -> Option<String> {
        self.fault().or_else(|| self.held_words())
    }

    /// The same, but for a store that is only held.
    pub(crate) fn fault(&self) -> Option<String> {
        if let Some(by) = self.clock.trouble() {
            return Some(format!(
                "the wall clock was set by {} s while the server ran: nothing is written and nothing expires; \
                 set it right, or restart the server to accept the new time",
                by.as_secs()
            ));
        }
        if let Some(needs) = self.too_old() {
            return Some(format!(
                "the store takes writers of generation {needs} or newer, and this server is of {}: it only \
                 reads and serves; run the newer version",
                records::WRITER
            ));
        }
        let broken = self.broken.read().as_ref().map(|(why, _)| why.clone());
        broken.or_else(|| self.peers.trouble())
    }

    /// How old the image is: zero while it follows the store.
    pub fn age(&self) -> Duration {
        self.broken.read().as_ref().map_or(Duration::ZERO, |(_, since)| since.elapsed())
    }

    /// Waits until the image holds everything acknowledged before this call.
    pub async fn consistent(&self) -> Result<(), AppError> {
        let now = self.store.revision().await?;
        self.caught_up(now).await
    }

    /// Sets the gauges that nobody else keeps.
    pub fn gauge(&self) {
        let image = self.image.read();
        let now = self.clock.now();
        let active = image.world.not_ended().filter(|c| image.world.active(c, now)).count();
        metrics::gauge!("rein_changes_active").set(active as f64);
        metrics::gauge!("rein_switches").set(image.world.switches().count() as f64);
        metrics::gauge!("rein_revision").set(image.revision.0 as f64);
        drop(image);
        metrics::gauge!("rein_reconciles").set(if self.leads() { 1.0 } else { 0.0 });
        metrics::gauge!("rein_ready").set(if self.trouble().is_none() { 1.0 } else { 0.0 });
        for door in self.doors() {
            metrics::gauge!("rein_door_clients", "door" => door.name)
                .set(f64::from(self.witnesses.clients(door.name)));
        }
    }

    /// Waits until the image is at least at `revision`: one's own writes are read, and reads never go back.
    pub async fn caught_up(&self, revision: Revision) -> Result<(), AppError> {
        let mut at = self.revision.subscribe();
        let wait = at.wait_for(|now| *now >= revision);
        match tokio::time::timeout(CATCH_UP, wait).await {
            Ok(Ok(_)) => Ok(()),
            _ => {
                Err(AppError::new(ErrorCode::Unavailable, "this server has not yet seen what you have seen")
                    .hint("try again; or ask the server that answered before"))
            }
        }
    }

    /// Follows the store. A cursor that fell behind what the store keeps reads everything anew.
    async fn feed(self: Arc<Self>) {
        loop {
            let from = self.image.read().revision;
            let outcome = self.follow(from).await;
            match outcome {
                Ok(()) => {}
                Err(StoreError::Compacted { .. }) => self.relist().await,
                Err(error) => {
                    tracing::error!(%error, "the image no longer follows the store");
                    self.note_broken(format!("the image no longer follows the store: {error}"));
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn follow(&self, from: Revision) -> Result<(), StoreError> {
        let mut batches = self.store.watch(&rein_store::Key::everything(), from).await?;
        *self.broken.write() = None;
        while let Some(batch) = batches.next().await {
            self.take(&batch?);
        }
        Ok(())
    }

    fn take(&self, batch: &Batch) {
        let mut image = self.image.write();
        absorb(&mut image, batch);
        let revision = image.revision;
        drop(image);
        self.revision.send_replace(revision);
    }

    /// Asks the store now and then. Its watch heals by itself and says nothing meanwhile; how old the image
    /// is must be known all the same. Every ten minutes the image is compared with what the store holds.
    async fn check_store(self: Arc<Self>) {
        let mut compared = std::time::Instant::now();
        loop {
            tokio::time::sleep(CHECK_EVERY).await;
            match self.store.revision().await {
                Ok(revision) => {
                    // A watch that does not come as far as that within the time is broken too.
                    if self.caught_up(revision).await.is_ok() {
                        *self.broken.write() = None;
                    } else {
                        self.note_broken("the image does not follow the store".to_owned());
                    }
                }
                Err(error) => self.note_broken(format!("the store does not answer: {error}")),
            }
            if compared.elapsed() > COMPARE_EVERY {
                compared = std::time::Instant::now();
                self.compare().await;
            }
        }
    }

    fn note_broken(&self, why: String) {
        let mut broken = self.broken.write();
        let since = broken.as_ref().map(|(_, since)| *since);
        if since.is_none() {
            tracing::error!(%why, "reads are stale from now on, and writes are refused");
        }
        *broken = Some((why, since.unwrap_or_else(std::time::Instant::now)));
    }

    /// The image against the store, at one revision; a difference is a bug, and is mended.
    async fn compare(&self) {
        let mut fresh = Image::default();
        fresh.world.policy = self.options.policy;
        if fill(&mut fresh, self.store.as_ref()).await.is_err()
            || self.caught_up(fresh.revision).await.is_err()
        {
            return;
        }
        let same = {
            let image = self.image.read();
            image.revision != fresh.revision || image.agrees_with(&fresh)
        };
        if !same {
            tracing::error!("the image differs from the store: a bug; it is read anew");
            self.relist().await;
        }
    }

    async fn relist(&self) {
        let mut fresh = Image::default();
        fresh.world.policy = self.options.policy;
        match fill(&mut fresh, self.store.as_ref()).await {
            Ok(()) => {
                let revision = fresh.revision;
                let mut image = self.image.write();
                fresh.keep_health(&image);
                // What was deleted meanwhile must leave the served set too.
                fresh.soil(image.world.switches().map(|s| s.name.clone()).collect::<Vec<_>>());
                *image = fresh;
                drop(image);
                self.revision.send_replace(revision);
            }
            Err(error) => tracing::error!(%error, "the store cannot be listed"),
        }
    }
}

/// Puts what happened at one revision into an image.
fn absorb(image: &mut Image, batch: &Batch) {
    for event in &batch.events {
        let (key, entry) = match event {
            Event::Put(entry) => (&entry.key, Some(entry)),
            Event::Delete(key) => (key, None),
        };
        if let Err(error) = image.apply(key, entry, batch.at) {
            tracing::error!(%key, %error, "a record is left out");
        }
    }
    image.revision = image.revision.max(batch.at);
}

/// Reads every record that the image keeps, as all of it was at one revision.
async fn fill(image: &mut Image, store: &dyn Store) -> Result<(), AppError> {
    let (mut first, mut last) = (None, Revision::ZERO);
    for prefix in [
        records::SWITCH,
        records::BACKEND,
        records::SERVICE,
        records::ALERT_RULES,
        records::SOURCE,
        records::INSTANCE,
        records::MARKER,
        records::RAN,
        records::TOMB,
        records::TARGET,
        records::SERVICE_TARGET,
        records::INCIDENT,
        records::CHANGE,
        records::HOLD,
        records::TOKEN,
        records::SESSION,
        records::LEADER,
        records::HELD,
        records::MIN_WRITER,
    ] {
        let (entries, at) = store.list(&prefix.into()).await?;
        first.get_or_insert(at);
        last = last.max(at);
        for entry in &entries {
            image.apply(&entry.key, Some(entry), entry.modified)?;
        }
    }
    image.revision = first.unwrap_or_default();
    let whole = tokio::time::timeout(CATCH_UP, make_whole(image, store, last)).await;
    whole.map_err(|_| AppError::new(ErrorCode::Unavailable, "the store does not show what it has"))??;
    image.soil_all();
    Ok(())
}

/// Lists are of one revision each. What altered between the first and the last is gone through again, before
/// anybody sees a change beside a target that does not know it yet.
async fn make_whole(image: &mut Image, store: &dyn Store, last: Revision) -> Result<(), StoreError> {
    if image.revision >= last {
        return Ok(());
    }
    let mut batches = store.watch(&rein_store::Key::everything(), image.revision).await?;
    // A watch soon comes as far as the store was asked for.
    store.revision().await?;
    while image.revision < last {
        match batches.next().await {
            Some(batch) => absorb(image, &batch?),
            None => return Err(StoreError::Unavailable("its watch ended".into())),
        }
    }
    Ok(())
}

impl Keys for House {
    fn actor(&self, token: &str) -> Option<Actor> {
        let hash = crate::app::tokens::hash(token);
        let actor = self.image.read().tokens.get(&hash).map(records::TokenRecord::actor)?;
        (self.clock.now() < actor.expires).then_some(actor)
    }
}

/// A token bucket for each actor.
pub(crate) struct Rates {
    per_second: u32,
    left: Mutex<HashMap<ActorName, (f64, Timestamp)>>,
}

impl Rates {
    fn new(per_second: u32) -> Self {
        Self { per_second, left: Mutex::default() }
    }

    pub(crate) fn take(&self, actor: &ActorName, now: Timestamp) -> bool {
        let full = f64::from(self.per_second);
        let mut left = self.left.lock();
        let (tokens, at) = left.entry(actor.clone()).or_insert((full, now));
        *tokens = (*tokens + now.since(*at).as_secs_f64() * full).min(full);
        *at = now;
        let enough = *tokens >= 1.0;
        *tokens -= if enough { 1.0 } else { 0.0 };
        enough
    }
}
