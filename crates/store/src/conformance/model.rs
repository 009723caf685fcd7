//! Random commits against a naive map: whatever is asked, the store answers and holds what the map does.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::Rig;
use crate::{Commit, Entry, Event, Key, Lane, LaneEntry, Must, Op, Outcome, Revision, Store, verify};

const KEYS: u8 = 5;

/// A condition as the generator thinks of it: revisions by how many puts of the key ago.
#[derive(Clone, Debug)]
enum Wish {
    Absent(u8),
    Present(u8),
    /// Unchanged since the put that is `0` for the newest; older ones are stale.
    Unchanged(u8, usize),
    /// Made by the making that is `0` for the newest.
    Created(u8, usize),
}

#[derive(Clone, Debug)]
struct Step {
    wishes: Vec<Wish>,
    /// `None` deletes.
    ops: Vec<(u8, Option<u8>)>,
    lane: Option<u8>,
}

fn step() -> impl Strategy<Value = Step> {
    let wish = prop_oneof![
        2 => (0..KEYS).prop_map(Wish::Absent),
        2 => (0..KEYS).prop_map(Wish::Present),
        5 => (0..KEYS, 0..3_usize).prop_map(|(key, ago)| Wish::Unchanged(key, ago)),
        2 => (0..KEYS, 0..2_usize).prop_map(|(key, ago)| Wish::Created(key, ago)),
    ];
    let ops = prop::collection::btree_map(0..KEYS, prop::option::weighted(0.75, any::<u8>()), 0..4);
    (prop::collection::vec(wish, 0..3), ops, prop::option::of(any::<u8>()))
        .prop_map(|(wishes, ops, lane)| Step { wishes, ops: ops.into_iter().collect(), lane })
}

/// The naive store: what each key holds, and every revision it ever had.
#[derive(Default)]
struct Model {
    now: BTreeMap<Key, Entry>,
    puts: BTreeMap<Key, Vec<Revision>>,
    makings: BTreeMap<Key, Vec<Revision>>,
    lane: Vec<u8>,
    newest: Revision,
    seen: Vec<(Revision, BTreeMap<Key, Option<Entry>>)>,
}

impl Model {
    fn condition(&self, key: Key, wish: &Wish) -> Must {
        let ago = |of: &BTreeMap<Key, Vec<Revision>>, ago: usize| {
            let all = of.get(&key).map_or(&[][..], Vec::as_slice);
            all.iter().rev().nth(ago).copied().unwrap_or(Revision::ZERO)
        };
        match wish {
            Wish::Absent(_) => Must::Absent(key),
            Wish::Present(_) => Must::Present(key),
            Wish::Unchanged(_, n) => Must::Unchanged(key.clone(), ago(&self.puts, *n)),
            Wish::Created(_, n) => Must::Created(key.clone(), ago(&self.makings, *n)),
        }
    }

    fn first_failing(&self, musts: &[Must]) -> Option<Must> {
        let holds = |must: &&Must| match (must, self.now.get(must.key())) {
            (Must::Absent(_), now) => now.is_none(),
            (_, None) => false,
            (Must::Present(_), _) => true,
            (Must::Unchanged(_, at), Some(now)) => now.modified == *at,
            (Must::Created(_, at), Some(now)) => now.created == *at,
        };
        musts.iter().find(|must| !holds(must)).cloned()
    }

    fn apply(&mut self, commit: &Commit, at: Revision) {
        let mut events = BTreeMap::new();
        for op in &commit.ops {
            match op {
                Op::Put(key, value, _) => {
                    let created = self.now.get(key).map_or(at, |entry| entry.created);
                    let entry = Entry { key: key.clone(), value: value.clone(), created, modified: at };
                    self.now.insert(key.clone(), entry.clone());
                    self.puts.entry(key.clone()).or_default().push(at);
                    if created == at {
                        self.makings.entry(key.clone()).or_default().push(at);
                    }
                    events.insert(key.clone(), Some(entry));
                }
                Op::Delete(key) => {
                    if self.now.remove(key).is_some() {
                        events.insert(key.clone(), None);
                    }
                }
            }
        }
        if !events.is_empty() {
            self.seen.push((at, events));
        }
    }
}

/// Random steps of puts, deletes, conditions (many of them stale) and lane entries. After each the outcome,
/// at the end the entries, the watch and the lane agree with the model. `REIN_CASES` sets how many runs of
/// up to 24 steps are made; [`Rig::cases`] without it.
///
/// # Panics
/// On a disagreement, with the smallest run that shows it.
pub fn random_commits_agree_with_a_naive_map<R: Rig>(rig: &R) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let store = runtime.block_on(rig.fresh());
    let cases =
        std::env::var("REIN_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| rig.cases());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let run = std::cell::Cell::new(0);
    let result = runner.run(&prop::collection::vec(step(), 1..24), |steps| {
        run.set(run.get() + 1);
        runtime.block_on(play(&store, run.get(), &steps))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// One run, under keys and on a lane of its own, so that all runs share one store.
async fn play(store: &impl Store, run: u64, steps: &[Step]) -> Result<(), TestCaseError> {
    let key = |n: u8| Key::from(format!("run/{run}/{n}"));
    let lane = Lane(format!("run/{run}"));
    let fail = |error: crate::StoreError| TestCaseError::fail(error.to_string());
    let mut model = Model { newest: store.revision().await.map_err(fail)?, ..Model::default() };
    let start = model.newest;
    for step in steps {
        let mut wished = BTreeSet::new();
        let must: Vec<_> = step
            .wishes
            .iter()
            .filter_map(|wish| {
                let (Wish::Absent(n) | Wish::Present(n) | Wish::Unchanged(n, _) | Wish::Created(n, _)) = wish;
                wished.insert(*n).then(|| model.condition(key(*n), wish))
            })
            .collect();
        let ops = step.ops.iter().map(|(n, value)| match value {
            Some(value) => Op::Put(key(*n), vec![*value; usize::from(*value)].into(), None),
            None => Op::Delete(key(*n)),
        });
        let entry = step.lane.map(|body| LaneEntry { lane: lane.clone(), body: vec![body].into() });
        let commit = Commit { must, ops: ops.collect(), lane: entry };
        let outcome = store.commit(commit.clone()).await.map_err(fail)?;
        match (model.first_failing(&commit.must), outcome) {
            (Some(expected), Outcome::Refused(named)) => prop_assert_eq!(expected, named),
            (None, Outcome::At(at)) => {
                prop_assert!(at.revision >= model.newest, "the revision went back");
                model.newest = at.revision;
                model.lane.extend(step.lane);
                let seq = step.lane.map(|_| model.lane.len() as u64);
                prop_assert_eq!(at.lane_seq, seq);
                model.apply(&commit, at.revision);
            }
            (expected, outcome) => {
                return Err(TestCaseError::fail(format!("{outcome:?}, but {expected:?} in the model")));
            }
        }
    }
    compare(store, &model, &Key::from(format!("run/{run}/")), &lane, start).await
}

async fn compare(
    store: &impl Store,
    model: &Model,
    prefix: &Key,
    lane: &Lane,
    start: Revision,
) -> Result<(), TestCaseError> {
    let fail = |error: crate::StoreError| TestCaseError::fail(error.to_string());
    let (entries, _) = store.list(prefix).await.map_err(fail)?;
    prop_assert_eq!(entries, model.now.values().cloned().collect::<Vec<_>>());
    let mut batches = store.watch(prefix, start).await.map_err(fail)?;
    for (at, expected) in &model.seen {
        let batch = super::next(&mut batches).await;
        prop_assert_eq!(batch.at, *at);
        let events = batch.events.into_iter().map(|event| match event {
            Event::Put(entry) => (entry.key.clone(), Some(entry)),
            Event::Delete(key) => (key, None),
        });
        prop_assert_eq!(&events.collect::<BTreeMap<_, _>>(), expected);
    }
    let items = store.lane(lane, 0, usize::MAX).await.map_err(fail)?;
    let bodies: Vec<_> = items.iter().map(|item| item.body[0]).collect();
    prop_assert_eq!(&bodies, &model.lane);
    verify((0, crate::LaneHash::START), &items).map_err(|broken| TestCaseError::fail(broken.to_string()))?;
    Ok(())
}
