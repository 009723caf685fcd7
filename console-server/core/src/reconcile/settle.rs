//! Settling: what backends hold is brought in line with the layers over them, one task a backend.
//!
//! Observe, decide (`rein_domain::hold`), record, write, observe again. A hold is in the store before the
//! backend hears of anything. What an observation showed is soft state and lies in [`Looks`].

use crate::cluster::MOST_APPLY;
use crate::error::AppError;
use crate::house::House;
use crate::image::Image;
use crate::reconcile::cells::{Weighs, wanted, weights};
use crate::reconcile::echoes::Echoes;
use crate::reconcile::entries::{Listing, remembering};
use crate::records;
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, StreamExt};
use parking_lot::RwLock;
use rein_domain::audit;
use rein_domain::backend::Backend;
use rein_domain::hold::{Cell, Found, Heard, Hold, HoldState, Life, Origin, Step, Value, Want, decide};
use rein_domain::name::{BackendName, ChangeId};
use rein_domain::time::Timestamp;
use rein_plugin::{Adapter, CellKey, Description, Fault, Repeat, Seen, Write};
use rein_store::{Commit, LaneEntry, Must, Op, Outcome, Revision};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often a backend with nothing amiss is looked at.
const POLL: Duration = Duration::from_secs(5);
/// How often one is looked at while something is under way there.
const SOON: Duration = Duration::from_secs(1);
/// How long a backend that does not answer is left alone.
const RETRY: Duration = Duration::from_secs(2);
/// How often a backend is searched for late writes.
const SWEEP: Duration = Duration::from_secs(30);
/// How often at most, where a backend hints at a cell that Rein does not hold.
const HINTED: Duration = Duration::from_secs(2);
/// Most cells in one observation.
const MOST_CELLS: usize = 500;
/// Writes to one backend at once.
const AT_ONCE: usize = 16;
/// Rounds of observing and writing before others get their turn.
const ROUNDS: usize = 4;

/// What the last looks at backends gave.
#[derive(Default)]
pub(crate) struct Looks(RwLock<HashMap<BackendName, Arc<Look>>>);

/// What the last look at one backend gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Look {
    /// When the last good one was.
    pub(crate) at: Option<Timestamp>,
    /// Why the last one failed, if it did.
    pub(crate) fault: Option<String>,
    /// What was seen, by cell.
    pub(crate) seen: HashMap<String, Seen>,
    /// Why the last write of a cell failed, if it did.
    pub(crate) refused: HashMap<String, String>,
    /// What the plugin said of itself.
    pub(crate) description: Option<Description>,
}

impl Looks {
    /// What is known of a backend. Shared: there may be thousands of cells, and as many views of them.
    pub(crate) fn of(&self, backend: &BackendName) -> Arc<Look> {
        self.0.read().get(backend).cloned().unwrap_or_default()
    }

    /// What is known of all backends.
    pub(crate) fn all(&self) -> Vec<(BackendName, Arc<Look>)> {
        self.0.read().iter().map(|(name, look)| (name.clone(), Arc::clone(look))).collect()
    }

    /// Replaces what is known of a backend.
    pub(crate) fn take(&self, backend: &BackendName, with: impl FnOnce(&Look) -> Look) {
        let known = self.of(backend);
        self.0.write().insert(backend.clone(), Arc::new(with(&known)));
    }

    /// Whoever still reads what was known before keeps that.
    pub(super) fn note(&self, backend: &BackendName, note: impl FnOnce(&mut Look)) {
        note(Arc::make_mut(self.0.write().entry(backend.clone()).or_default()));
    }

    /// Notes that a backend answered, where no cell was looked at.
    pub(crate) fn seen_well(&self, backend: &BackendName, at: Timestamp) {
        self.note(backend, |look| (look.at, look.fault) = (Some(at), None));
    }

    /// Notes that it did not.
    pub(crate) fn fault(&self, backend: &BackendName, why: &str) {
        self.note(backend, |look| look.fault = Some(why.to_owned()));
    }

    /// Notes what the plugin says of itself.
    pub(crate) fn describe(&self, backend: &BackendName, description: Description) {
        self.note(backend, |look| look.description = Some(description));
    }
}

/// What is done for one backend when all is calm there.
struct Calm {
    /// When late writes are looked for next.
    search: Instant,
    /// When they were last.
    searched: Instant,
    /// What was written again.
    echoes: Echoes,
}

impl Calm {
    fn new() -> Self {
        let now = Instant::now();
        Self { search: now, searched: now, echoes: Echoes::default() }
    }

    fn has_searched(&mut self) {
        self.searched = Instant::now();
        self.search = self.searched + SWEEP;
    }

    /// Something altered that may be a late write.
    fn search_soon(&mut self) {
        self.search = self.search.min(self.searched + HINTED);
    }
}

/// What a sweep found.
enum Swept {
    /// Something to be ended.
    Found,
    /// Nothing.
    Clean,
    /// There can be nothing.
    Never,
}

/// One cell, as a round finds it.
pub(super) struct Case {
    pub(super) cell: Cell,
    pub(super) want: Option<Want>,
    /// For an entry of a registry: what its instance is to get. Its plugin spells that.
    pub(super) weighs: Option<Weighs>,
    pub(super) hold: Option<(Hold, Revision)>,
}

impl House {
    /// Keeps one task for each declared backend.
    pub(crate) async fn tend_all(self: Arc<Self>, stop: CancellationToken) {
        let mut revision = self.revision.subscribe();
        let mut tended: BTreeMap<BackendName, (Backend, CancellationToken)> = BTreeMap::new();
        loop {
            revision.borrow_and_update();
            let declared: BTreeMap<BackendName, Backend> =
                self.image.read().world.backends().map(|b| (b.name.clone(), b.clone())).collect();
            tended.retain(|name, (backend, end)| {
                let same = declared.get(name) == Some(backend);
                if !same {
                    end.cancel();
                    if !declared.contains_key(name) {
                        self.plugins.forget(name);
                        self.registry.surveys.forget(name);
                    }
                }
                same
            });
            for (name, backend) in declared {
                let Entry::Vacant(place) = tended.entry(name) else { continue };
                self.plugins.declare(&backend);
                let end = stop.child_token();
                tokio::spawn(super::until(end.clone(), Arc::clone(&self).tend(backend.name.clone())));
                place.insert((backend, end));
            }
            tokio::select! {
                () = stop.cancelled() => return,
                changed = revision.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Settles one backend whenever something concerning it moved, and now and then.
    async fn tend(self: Arc<Self>, name: BackendName) {
        let mut revision = self.revision.subscribe();
        let mut hints = None;
        let mut listing = Listing::default();
        let mut calm = Calm::new();
        loop {
            revision.borrow_and_update();
            let handled = self.image.read().moved(&name);
            if listing.is_due() {
                listing.done(self.survey(&name).await);
            }
            let rest = self.settle(&name, &mut calm).await;
            if self.image.read().moved(&name) != handled {
                listing.soon();
            }
            let rest = listing.rest(rest);
            if hints.is_none() && rest.is_some() {
                hints = self.hints(&name).await;
            }
            let moved = async {
                while revision.changed().await.is_ok() {
                    if self.image.read().moved(&name) != handled {
                        return;
                    }
                }
                std::future::pending::<()>().await;
            };
            let hinted = async {
                match hints.as_mut() {
                    Some(stream) => stream.next().await,
                    None => std::future::pending().await,
                }
            };
            let slept = async {
                match rest {
                    Some(rest) => tokio::time::sleep(rest).await,
                    None => std::future::pending().await,
                }
            };
            let lost = tokio::select! {
                () = moved => false,
                () = slept => false,
                hint = hinted => {
                    listing.soon();
                    if hint.as_ref().and_then(Option::as_ref).is_some_and(|cell| !self.holds(&name, cell)) {
                        calm.search_soon();
                    }
                    hint.is_none()
                }
            };
            if lost {
                hints = None;
                tokio::time::sleep(SOON).await;
            }
        }
    }

    fn holds(&self, backend: &BackendName, cell: &CellKey) -> bool {
        self.image.read().hold(&Cell { backend: backend.clone(), key: cell.0.clone() }).is_some()
    }

    /// The plugin's hints, if it gives any.
    async fn hints(
        &self,
        name: &BackendName,
    ) -> Option<futures::stream::BoxStream<'static, Option<CellKey>>> {
        let watches = self.looks.of(name).description.as_ref().is_some_and(|d| d.watches);
        let adapter = self.plugins.adapter(name).filter(|_| watches)?;
        adapter.watch().await.ok()
    }

    /// Brings a backend in line, and does what has its time when all is calm. Answers how long it may rest;
    /// `None`: until something moves.
    async fn settle(&self, name: &BackendName, calm: &mut Calm) -> Option<Duration> {
        if self.trouble().is_some() || !self.leads() {
            return Some(SOON);
        }
        let mut under_way = false;
        for _ in 0..ROUNDS {
            let now = self.clock.now();
            let (policy, cases) = {
                let image = self.image.read();
                let policy = image.world.backend(name).map(|b| b.reassert).unwrap_or_default();
                (policy, cases(&image, name, now))
            };
            let Some(adapter) = self.plugins.adapter(name) else { return Some(RETRY) };
            if cases.is_empty() {
                self.looks.note(name, |look| look.seen.clear());
                // What was written late, after its cell was let go, is found and ended.
                calm.has_searched();
                return match self.sweep(name, adapter.as_ref()).await {
                    Swept::Found => Some(Duration::ZERO),
                    Swept::Clean => Some(SWEEP),
                    Swept::Never => None,
                };
            }
            let seen = match self.look(name, adapter.as_ref(), &cases).await {
                Ok(seen) => seen,
                Err(fault) => {
                    let fault = crate::views::tidy(&fault.to_string());
                    self.looks.note(name, |look| look.fault = Some(fault));
                    return Some(RETRY);
                }
            };
            let (cases, unspelled) = self.spell_entries(name, adapter.as_ref(), cases, &seen).await;
            let spelled: Vec<(&Case, &Seen)> = cases
                .iter()
                .zip(&seen)
                .filter(|(case, seen)| seen.over || !unspelled.contains(&case.cell.key))
                .collect();
            let steps: Vec<(&Case, &Seen, Step)> = spelled
                .iter()
                .map(|&(case, seen)| {
                    let value = Value(seen.value.clone());
                    let heard = if seen.missing_peers.is_empty() { Heard::All } else { Heard::Some };
                    let (incarnation, copies) = (seen.incarnation.as_str(), seen.copies);
                    let life = if seen.over { Life::Over } else { Life::There };
                    let found = Found { value: &value, incarnation, copies, heard, life };
                    let hold = case.hold.as_ref().map(|(hold, _)| hold);
                    let step = decide(hold, case.want.as_ref(), &found, policy, now);
                    (case, seen, remembering(step, case))
                })
                .filter(|(.., step)| *step != Step::Rest)
                .collect();
            under_way = seen.iter().any(|seen| !seen.missing_peers.is_empty());
            if steps.is_empty() {
                if !self.options.observe {
                    self.echo(name, adapter.as_ref(), &spelled, &mut calm.echoes).await;
                }
                // Also beside cells that are in order: their own looks see no other.
                if calm.search <= Instant::now() {
                    calm.has_searched();
                    if matches!(self.sweep(name, adapter.as_ref()).await, Swept::Found) {
                        continue;
                    }
                }
                break;
            }
            if self.options.observe {
                return Some(POLL);
            }
            let wrote = self.carry_out(name, adapter.as_ref(), &steps).await;
            under_way |= wrote > 0;
        }
        let edge = self.image.read().world.next_edge(self.clock.now());
        let rest = if under_way { SOON } else { POLL };
        Some(edge.map_or(rest, |at| at.since(self.clock.now()).min(rest).max(Duration::from_millis(50))))
    }

    /// Looks for objects of changes that are over and whose cells were let go: a write that was late. Each
    /// gets a hold again, and with it its end. Changes that this store does not know belong to somebody
    /// else's Rein, and are left alone.
    async fn sweep(&self, name: &BackendName, adapter: &dyn Adapter) -> Swept {
        let now = self.clock.now();
        let known =
            self.image.read().world.changes().any(|c| c.cells().any(|(cell, _)| cell.backend == *name));
        let Some(silences) = adapter.silences().filter(|_| known && !self.options.observe) else {
            return Swept::Never;
        };
        let Ok(found) = crate::app::silences::all_of(silences).await else { return Swept::Clean };
        let mut swept = Swept::Clean;
        for cell in found.into_iter().filter(|silence| silence.state != "expired").filter_map(|s| s.cell) {
            let cell = Cell { backend: name.clone(), key: cell.0 };
            let orphan = {
                let image = self.image.read();
                let id = cell.key.split('.').next().and_then(|id| id.parse::<ChangeId>().ok());
                let over =
                    id.filter(|id| image.world.change(id).is_some_and(|c| !image.world.active(c, now)));
                over.filter(|_| image.hold(&cell).is_none())
            };
            let Some(change) = orphan else { continue };
            let Ok(seen) = adapter.observe(&[CellKey(cell.key.clone())]).await else { continue };
            let Some(value) = seen.into_iter().next().map(|seen| Value(seen.value)) else { continue };
            // As if it had just been written: the next look sees what nobody wants any more, and ends it.
            let found =
                Found { value: &value, incarnation: "", copies: 1, heard: Heard::All, life: Life::There };
            let want = Want { change, value: value.clone(), origin: Origin::Own, lapses: None };
            let step = decide(None, Some(&want), &found, Default::default(), now);
            let case = Case { cell, want: None, weighs: None, hold: None };
            if let Ok(true) = self.record(&case, &step).await {
                tracing::warn!(cell = %case.cell, "a late write of a change that is over was found");
                swept = Swept::Found;
            }
        }
        swept
    }

    /// Observes all cells, and keeps what was seen.
    async fn look(
        &self,
        name: &BackendName,
        adapter: &dyn Adapter,
        cases: &[Case],
    ) -> Result<Vec<Seen>, Fault> {
        if self.looks.of(name).description.is_none() {
            let description = adapter.describe().await?;
            self.looks.describe(name, description);
        }
        let keys: Vec<CellKey> = cases.iter().map(|case| CellKey(case.cell.key.clone())).collect();
        let mut seen = Vec::with_capacity(keys.len());
        for some in keys.chunks(MOST_CELLS) {
            let answer = adapter.observe(some).await?;
            let right = answer.len() == some.len() && answer.iter().zip(some).all(|(s, key)| s.cell == *key);
            if !right {
                return Err(Fault::NotDone("the plugin answered for other cells than it was asked".into()));
            }
            seen.extend(answer);
        }
        let now = self.clock.now();
        self.looks.note(name, |look| {
            look.at = Some(now);
            look.fault = None;
            look.seen = seen.iter().map(|s| (s.cell.0.clone(), s.clone())).collect();
            look.refused.retain(|key, _| look.seen.contains_key(key));
        });
        Ok(seen)
    }

    /// Records every step, then writes. Answers how many writes were sent.
    async fn carry_out(
        &self,
        name: &BackendName,
        adapter: &dyn Adapter,
        steps: &[(&Case, &Seen, Step)],
    ) -> usize {
        let under_way: Vec<BoxFuture<'_, usize>> =
            steps.iter().map(|step| self.carry_one(name, adapter, step).boxed()).collect();
        futures::stream::iter(under_way)
            .buffer_unordered(AT_ONCE)
            .fold(0, |sum, n| async move { sum + n })
            .await
    }

    async fn carry_one(
        &self,
        name: &BackendName,
        adapter: &dyn Adapter,
        (case, seen, step): &(&Case, &Seen, Step),
    ) -> usize {
        match self.record(case, step).await {
            Ok(true) => {}
            // Somebody was faster; the next round sees what they did.
            Ok(false) => return 0,
            Err(error) => {
                tracing::warn!(cell = %case.cell, %error, "a hold could not be recorded");
                return 0;
            }
        }
        let Step::Write(hold, value) = step else { return 0 };
        self.write(name, adapter, case, seen, (value, &hold.change)).await
    }

    /// Writes again what peers of a backend do not show although others do: what was lost between them.
    async fn echo(
        &self,
        name: &BackendName,
        adapter: &dyn Adapter,
        cases: &[(&Case, &Seen)],
        echoes: &mut Echoes,
    ) {
        // Where a write cannot be repeated, another object would come of it.
        if self.looks.of(name).description.as_ref().is_none_or(|d| d.repeat == Repeat::None) {
            return;
        }
        let now = self.clock.now();
        let is_lapsing = |case: &Case| case.want.as_ref().is_some_and(|want| want.is_lapsing(now));
        let lacking: BTreeMap<&str, (&Case, &Seen)> = cases
            .iter()
            .filter(|(case, seen)| !seen.missing_peers.is_empty() && !is_lapsing(case))
            .map(|&(case, seen)| (case.cell.key.as_str(), (case, seen)))
            .collect();
        let due = echoes.due(lacking.keys().copied(), Instant::now());
        let writes = due.iter().filter_map(|key| {
            let (case, seen) = lacking.get(key.as_str())?;
            let (hold, _) = case.hold.as_ref()?;
            // Held, and as wanted; anything else is not for this to decide.
            let value = match &case.want {
                Some(want) if hold.state == HoldState::Held && want.value.0 == seen.value => &want.value,
                None if hold.prior.0 == seen.value => &hold.prior,
                _ => return None,
            };
            Some(self.write(name, adapter, case, seen, (value, &hold.change)))
        });
        join_all(writes).await;
    }

    /// Writes a value that a hold names already. Answers how many writes were sent.
    async fn write(
        &self,
        name: &BackendName,
        adapter: &dyn Adapter,
        case: &Case,
        seen: &Seen,
        (value, change): (&Value, &ChangeId),
    ) -> usize {
        // The lead must outlast the write, or another leader may be writing already.
        if !self.leads() {
            return 0;
        }
        let write = Write {
            cell: seen.cell.clone(),
            want: value.0.clone(),
            expected_version: seen.version.clone(),
            change: change.to_string(),
            object: seen.object.clone(),
        };
        // Cut off, it may have happened: the next look tells.
        let answer = tokio::time::timeout(MOST_APPLY, adapter.apply(write)).await;
        let refused = match answer {
            Ok(answer) => answer.err().map(|fault| fault.to_string()),
            Err(_) => Some(format!("no answer within {} s", MOST_APPLY.as_secs())),
        };
        self.looks.note(name, |look| {
            match refused {
                Some(why) => look.refused.insert(case.cell.key.clone(), why),
                None => look.refused.remove(&case.cell.key),
            };
        });
        1
    }

    /// Writes a step's hold; `false` when somebody altered it meanwhile.
    async fn record(&self, case: &Case, step: &Step) -> Result<bool, AppError> {
        let next = match step {
            Step::Rest => return Ok(true),
            Step::Write(hold, _) | Step::Proved(hold) | Step::Conflict(hold) => Some(hold),
            Step::Forget => None,
        };
        let before = case.hold.as_ref();
        if before.map(|(hold, _)| hold) == next {
            return Ok(true);
        }
        let key = records::hold(&case.cell);
        let mut must = match before {
            Some((_, at)) => vec![Must::Unchanged(key.clone(), *at)],
            None => vec![Must::Absent(key.clone())],
        };
        must.extend(self.lead_must()?);
        let op = match next {
            Some(hold) => Op::Put(key.clone(), self.image.read().spell(&key, hold)?, None),
            None => Op::Delete(key),
        };
        let lane = match self.noteworthy(case, step) {
            Some(entry) => Some(LaneEntry { lane: self.lane.clone(), body: records::encode(&entry)? }),
            None => None,
        };
        match self.store.commit(Commit { must, ops: vec![op], lane }).await? {
            Outcome::At(at) => self.caught_up(at.revision).await.map(|()| true),
            Outcome::Refused(_) => Ok(false),
        }
    }

    /// The audit entry of a step that people should find later: a conflict, or a hand overruled.
    fn noteworthy(&self, case: &Case, step: &Step) -> Option<audit::Entry> {
        let before = case.hold.as_ref().map(|(hold, _)| hold);
        let (verb, hold) = match step {
            Step::Conflict(hold) => ("cell:conflict", hold),
            Step::Write(hold, _) if hold.reasserted.len() > before.map_or(0, |b| b.reasserted.len()) => {
                ("cell:reassert", hold)
            }
            _ => return None,
        };
        let found = hold.found.as_ref().and_then(|value| value.0.clone());
        let incident = self.image.read().world.change(&hold.change).and_then(|c| c.incident.clone());
        Some(audit::Entry {
            at: self.clock.now(),
            actor: super::rein(),
            verb: verb.to_owned(),
            targets: vec![case.cell.to_string()],
            change: Some(hold.change.clone()),
            incident,
            reason: String::new(),
            detail: match step {
                Step::Conflict(_) => format!("found {}", found.as_deref().unwrap_or("nothing")),
                _ => String::new(),
            },
            key: None,
        })
    }
}

/// Every cell that is wanted or held, with both.
fn cases(image: &Image, backend: &BackendName, now: Timestamp) -> Vec<Case> {
    let mut wanted = wanted(image, backend, now);
    let mut weights = weights(image, backend, now);
    let held: BTreeSet<String> = image.holds(backend).map(|(key, ..)| key.to_owned()).collect();
    let keys: BTreeSet<String> = wanted.keys().cloned().chain(weights.keys().cloned()).chain(held).collect();
    keys.into_iter()
        .map(|key| {
            let cell = Cell { backend: backend.clone(), key };
            let hold = image.hold(&cell).map(|(hold, at)| (hold.clone(), at));
            Case { want: wanted.remove(&cell.key), weighs: weights.remove(&cell.key), hold, cell }
        })
        .collect()
}

/// What happens next in a cell, and why, in words.
pub(crate) fn next_words(
    hold: Option<&Hold>,
    want: Option<&Want>,
    look: &Look,
    key: &str,
    observe: bool,
) -> String {
    if observe {
        return "nothing: this server only observes".to_owned();
    }
    if let Some(fault) = &look.fault {
        return format!("it is tried again every {} s: {fault}", RETRY.as_secs());
    }
    let refused =
        look.refused.get(key).map(|why| format!("; the last write failed: {why}")).unwrap_or_default();
    let missing = look.seen.get(key).map(|seen| seen.missing_peers.join(", ")).unwrap_or_default();
    match (hold.map(|hold| hold.state), want) {
        (None, None) => "nothing".to_owned(),
        (None, Some(_)) => format!("it is written as soon as the backend answers{refused}"),
        (Some(HoldState::Conflict), _) => {
            "nothing until a person decides: rein change resolve ID --reassert, --adopt or --restore"
                .to_owned()
        }
        (Some(HoldState::Intended), Some(_)) => format!("it is being written{refused}"),
        (Some(_), None) => format!("what was there before is being put back{refused}"),
        (Some(HoldState::Held), Some(_)) if !missing.is_empty() => {
            let again = look.description.as_ref().is_some_and(|d| d.repeat != Repeat::None);
            let again = if again { ", and written again a few times" } else { "" };
            format!(
                "it is in force, but not seen yet on {missing}: looked at every {} s{again}",
                SOON.as_secs()
            )
        }
        (Some(HoldState::Held), Some(_)) => format!("looked at every {} s", POLL.as_secs()),
    }
}
