//! Writers that know what was acknowledged to them, watchers that copy, and what must be so afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use rein_store::{
    Commit, Event, Key, Lane, LaneEntry, LaneHash, Must, Outcome, Revision, Store, StoreError, verify,
};
use tokio::task::JoinHandle;

/// A change with its audit entry; the same id never happens twice.
pub(crate) fn change(lane: &str, id: &str) -> Commit {
    let key = Key::from(format!("change/{id}"));
    Commit::new()
        .must(Must::Absent(key.clone()))
        .put(key, id.to_owned())
        .put(format!("intent/{id}"), vec![b'i'; 300])
        .put(format!("target/{}", id.len() % 7), id.to_owned())
        .lane(LaneEntry { lane: Lane::from(lane), body: id.to_owned().into() })
}

/// What writers were told.
#[derive(Default)]
pub(crate) struct Told {
    /// Ids that happened, with their lane seq where it was told.
    pub(crate) happened: BTreeMap<String, Option<u64>>,
    pub(crate) unknown: usize,
    pub(crate) unavailable: usize,
    pub(crate) slowest: Duration,
}

/// Writers at work.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<Told>>,
}

impl Load {
    pub(crate) fn start<S: Store + 'static>(store: &Arc<S>, lane: &'static str, writers: usize) -> Self {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..writers).map(|writer| {
            let (store, stop, count) = (Arc::clone(store), Arc::clone(&stop), Arc::clone(&count));
            tokio::spawn(async move {
                let mut told = Told::default();
                for turn in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    write(&*store, lane, format!("{lane}-{writer}-{turn}"), &mut told).await;
                    count.fetch_add(1, Ordering::Relaxed);
                }
                told
            })
        });
        let tasks = tasks.collect();
        Self { stop, count, tasks }
    }

    /// How many changes happened so far.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits until `more` further changes happened.
    pub(crate) async fn goes_on(&self, more: usize, limit: Duration) {
        let (start, from) = (Instant::now(), self.count());
        while self.count() < from + more {
            let done = self.count() - from;
            assert!(start.elapsed() < limit, "{done} of {more} changes within {limit:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn end(self) -> Told {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Told::default();
        for task in self.tasks {
            let told = task.await.expect("a writer");
            all.happened.extend(told.happened);
            all.unknown += told.unknown;
            all.unavailable += told.unavailable;
            all.slowest = all.slowest.max(told.slowest);
        }
        all
    }
}

/// The same commit again until it happened: what a caller in doubt does.
async fn write(store: &impl Store, lane: &str, id: String, told: &mut Told) {
    let mut sent = false;
    loop {
        let start = Instant::now();
        let outcome = store.commit(change(lane, &id)).await;
        told.slowest = told.slowest.max(start.elapsed());
        match outcome {
            Ok(Outcome::At(at)) => {
                told.happened.insert(id, at.lane_seq);
                return;
            }
            Ok(Outcome::Refused(must)) => {
                assert!(sent, "{must}, although it was never in doubt");
                told.happened.insert(id, None);
                return;
            }
            Err(StoreError::Unknown) => {
                told.unknown += 1;
                sent = true;
            }
            Err(StoreError::Unavailable(_)) => told.unavailable += 1,
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Everything that was acknowledged is there, whole, once, at the seq it was told; nothing else is there by
/// half; the lane is whole. The number of changes.
pub(crate) async fn inspect(
    store: &impl Store,
    lane: &str,
    told: &BTreeMap<String, Option<u64>>,
) -> Result<usize, String> {
    let fail = |error: StoreError| error.to_string();
    // One moment: what a killed writer had sent may still be done while this looks.
    let snapshot = store.snapshot().await.map_err(fail)?;
    let ids = [format!("change/{lane}-"), format!("intent/{lane}-")].map(|prefix| {
        let keys = snapshot.entries.iter().map(|entry| entry.key.to_string());
        let names = keys.filter_map(|key| key.strip_prefix(&prefix).map(|rest| format!("{lane}-{rest}")));
        names.collect::<BTreeSet<_>>()
    });
    if ids[0] != ids[1] {
        return Err("a commit is there by half".into());
    }
    let head = snapshot.lanes.iter().find(|head| head.lane.as_str() == lane);
    let head = head.map_or((0, LaneHash::START), |head| (head.seq, head.hash));
    let length = usize::try_from(head.0).expect("a lane in memory");
    let items = store.lane(&Lane::from(lane), 0, length).await.map_err(fail)?;
    let tip = verify((0, LaneHash::START), &items).map_err(|broken| broken.to_string())?;
    if head != tip {
        return Err(format!("the head says {head:?}, the lane {tip:?}"));
    }
    let bodies: BTreeMap<_, _> =
        items.iter().map(|item| (String::from_utf8_lossy(&item.body).into_owned(), item.seq)).collect();
    if bodies.len() != items.len() {
        return Err("a commit has two lane entries".into());
    }
    if !bodies.keys().eq(ids[0].iter()) {
        return Err("lane entries and commits differ".into());
    }
    for (id, seq) in told {
        let found = bodies.get(id);
        if found.is_none() || seq.is_some_and(|seq| found != Some(&seq)) {
            return Err(format!("{id} was acknowledged with entry {seq:?}; found: {found:?}"));
        }
    }
    Ok(ids[0].len())
}

/// Copies what has `prefix` until `end` is there. Relists when compaction overtook it; how often.
pub(crate) async fn copy(store: Arc<impl Store>, prefix: Key, end: Key) -> (BTreeMap<Key, Revision>, usize) {
    let mut relists = 0;
    'list: loop {
        let (entries, mut at) = list(&*store, &prefix).await;
        let mut copy: BTreeMap<_, _> = entries.into_iter().map(|e| (e.key, e.modified)).collect();
        if copy.contains_key(&end) {
            return (copy, relists);
        }
        relists += 1;
        let Ok(mut batches) = store.watch(&prefix, at).await else { continue };
        while let Some(batch) = batches.next().await {
            let batch = match batch {
                Ok(batch) => batch,
                Err(StoreError::Compacted { .. }) => continue 'list,
                Err(error) => panic!("a watch that should have gone on by itself: {error}"),
            };
            assert!(batch.at > at, "batch {} after {at}", batch.at);
            at = batch.at;
            for event in batch.events {
                match event {
                    Event::Put(entry) => {
                        assert_eq!(entry.modified, at, "an event of another revision");
                        let known = copy.insert(entry.key.clone(), at).is_some();
                        assert_eq!(
                            known,
                            entry.created < at,
                            "{}: an event is missing or doubled",
                            entry.key
                        );
                    }
                    Event::Delete(key) => assert!(copy.remove(&key).is_some(), "{key} was never seen"),
                }
            }
            if copy.contains_key(&end) {
                return (copy, relists);
            }
        }
        panic!("the watch ended without an error");
    }
}

/// A list, as soon as there is one.
pub(crate) async fn list(store: &impl Store, prefix: &Key) -> (Vec<rein_store::Entry>, Revision) {
    for _ in 0..20 {
        if let Ok(list) = store.list(prefix).await {
            return list;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no list within many tries")
}
