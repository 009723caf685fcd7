//! Settling: what backends hold is brought in line with the layers over them.
//!
//! Observe, decide (`rein_domain::hold`), record, write, observe again. A hold is in the store before the
//! backend hears of anything. What an observation showed is soft state and lies in [`super::Looks`].

use crate::cluster::MOST_APPLY;
use crate::error::AppError;
use crate::house::House;
use crate::image::Image;
use crate::reconcile::cells::{Weighs, wanted, weights};
use crate::reconcile::entries::remembering;
use crate::reconcile::late::{SWEEP, Swept};
use crate::reconcile::tend::Calm;
use crate::records;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use rein_domain::audit;
use rein_domain::hold::{Cell, Found, Heard, Hold, Life, Step, Value, Want, decide};
use rein_domain::name::{BackendName, ChangeId};
use rein_domain::time::Timestamp;
use rein_plugin::{Adapter, CellKey, Fault, Seen, Write};
use rein_store::{Commit, LaneEntry, Must, Op, Outcome, Revision};
use std::collections::BTreeSet;
use std::time::Duration;

/// How often a backend with nothing amiss is looked at.
pub(super) const POLL: Duration = Duration::from_secs(5);
/// How often one is looked at while something is under way there.
pub(super) const SOON: Duration = Duration::from_secs(1);
/// How long a backend that does not answer is left alone.
pub(super) const RETRY: Duration = Duration::from_secs(2);
/// Most cells in one observation.
const MOST_CELLS: usize = 500;
/// Writes to one backend at once.
const AT_ONCE: usize = 16;
/// Rounds of observing and writing before others get their turn.
const ROUNDS: usize = 4;

/// One cell, as a round finds it.
pub(super) struct Case {
    pub(super) cell: Cell,
    pub(super) want: Option<Want>,
    /// For an entry of a registry: what its instance is to get. Its plugin spells that.
    pub(super) weighs: Option<Weighs>,
    pub(super) hold: Option<(Hold, Revision)>,
}

impl House {
    /// Brings a backend in line, and does what has its time when all is calm. Answers how long it may rest;
    /// `None`: until something moves.
    pub(super) async fn settle(&self, name: &BackendName, calm: &mut Calm) -> Option<Duration> {
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
                calm.search.done();
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
                if calm.search.is_due() {
                    calm.search.done();
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

    /// Writes a value that a hold names already. Answers how many writes were sent.
    pub(super) async fn write(
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
    pub(super) async fn record(&self, case: &Case, step: &Step) -> Result<bool, AppError> {
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
