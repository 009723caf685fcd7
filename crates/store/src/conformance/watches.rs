//! Watches (ordered, unique, atomic, resumable, complete with deletions), also while history is compacted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;

use super::{PATIENCE, Rig, keys, must_commit, next, next_of_any, put, watch, watch_error, within};
use crate::{Batch, Commit, Event, Key, Lane, LaneEntry, Revision, Store, StoreError};

/// A copy of part of the store, as a watcher builds it.
#[derive(Default, PartialEq, Debug)]
struct Copy(BTreeMap<Key, (Bytes, Revision)>);

impl Copy {
    async fn list(store: &impl Store, prefix: &Key) -> (Self, Revision) {
        let (entries, at) = within("a list", store.list(prefix)).await.expect("a list");
        (Self(entries.into_iter().map(|e| (e.key, (e.value, e.modified))).collect()), at)
    }

    fn apply(&mut self, batch: Batch) {
        for event in batch.events {
            match event {
                Event::Put(entry) => {
                    assert_eq!(
                        entry.modified, batch.at,
                        "an event of another revision in batch {}",
                        batch.at
                    );
                    let before = self.0.insert(entry.key.clone(), (entry.value, entry.modified));
                    let known = before.is_none() || entry.created < batch.at;
                    assert!(known, "{} was made twice: a deletion was not seen", entry.key);
                }
                Event::Delete(key) => {
                    assert!(self.0.remove(&key).is_some(), "{key} vanished although it was never seen");
                }
            }
        }
    }
}

fn names(batch: &Batch) -> Vec<String> {
    let names = batch.events.iter().map(|event| match event {
        Event::Put(entry) => format!("+{}", entry.key),
        Event::Delete(key) => format!("-{key}"),
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// One batch per revision, with every event of the prefix and no other; deletes of nothing are no events.
pub async fn a_watch_sees_whole_revisions_in_order<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let start = store.revision().await.expect("a revision");
    let mut some = watch(&store, "a/", start).await;
    let mut all = watch(&store, "", start).await;
    let first = must_commit(&store, Commit::new().put("a/1", "x").put("b/1", "x").put("a/2", "x")).await;
    let second = put(&store, "b/2", "x").await;
    let third = must_commit(&store, Commit::new().delete("a/1").delete("a/none").put("a/2", "y")).await;
    let batch = next(&mut some).await;
    assert_eq!((batch.at, names(&batch)), (first.revision, vec!["+a/1".into(), "+a/2".into()]));
    let batch = next(&mut some).await;
    assert_eq!((batch.at, names(&batch)), (third.revision, vec!["+a/2".into(), "-a/1".into()]));
    let seen = [next(&mut all).await, next(&mut all).await, next(&mut all).await];
    assert_eq!(seen.each_ref().map(|b| b.at), [first.revision, second, third.revision]);
    assert_eq!(names(&seen[0]), ["+a/1", "+a/2", "+b/1"]);
    let Some(Event::Put(again)) = seen[2].events.iter().find(|e| e.key() == &Key::from("a/2")) else {
        panic!("the second put of a/2 is missing");
    };
    assert_eq!((again.created, again.modified), (first.revision, third.revision));
    assert_eq!(again.value, "y");
}

/// A watch from any revision that was handed out brings exactly the rest.
pub async fn a_watch_starts_in_the_past_and_resumes_anywhere<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let mut made = vec![store.revision().await.expect("a revision")];
    for turn in 0..30 {
        made.push(put(&store, format!("k/{}", turn % 7), turn.to_string()).await);
    }
    for (skip, after) in made.iter().enumerate() {
        let mut batches = watch(&store, "k/", *after).await;
        for expected in &made[skip + 1..] {
            assert_eq!(next(&mut batches).await.at, *expected);
        }
        let more = tokio::time::timeout(Duration::from_millis(2), next(&mut batches)).await;
        assert!(more.is_err(), "a batch from nowhere: {more:?}");
    }
    // Past and present join without a seam.
    let mut batches = watch(&store, "k/", made[10]).await;
    let last = put(&store, "k/last", "").await;
    for expected in made[11..].iter().chain([&last]) {
        assert_eq!(next(&mut batches).await.at, *expected);
    }
}

/// A reader learns that nothing happened for it: after anything was done elsewhere, and whoever asked for the
/// revision need not wait for a batch that never comes. What is said so is no lie.
pub async fn a_quiet_watch_says_how_far_it_has_come<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let start = put(&store, "a/1", "x").await;
    let mut quiet = watch(&store, "a/", start).await;
    let lane = || LaneEntry { lane: Lane::from("l"), body: "b".into() };
    let elsewhere = [Commit::new().put("b/1", "x"), Commit::new().lane(lane()), Commit::new().delete("b/1")];
    let mut come = start;
    for commit in elsewhere {
        let done = must_commit(&store, commit).await.revision;
        let now = within("a revision", store.revision()).await.expect("a revision");
        assert!(now >= done);
        let asked = Instant::now();
        while come < now {
            let batch = next_of_any(&mut quiet).await;
            assert!(batch.events.is_empty() && batch.at > come, "{batch:?} after {come}");
            come = batch.at;
        }
        assert!(asked.elapsed() < Duration::from_secs(2), "it took {:?} to say so", asked.elapsed());
    }
    let next_one = must_commit(&store, Commit::new().put("a/2", "x").put("b/2", "x")).await.revision;
    let batch = next(&mut quiet).await;
    assert_eq!((batch.at, names(&batch)), (next_one, vec!["+a/2".into()]));
    // Who resumes where a quiet watch had come misses nothing.
    let batch = next(&mut watch(&store, "a/", come).await).await;
    assert_eq!((batch.at, names(&batch)), (next_one, vec!["+a/2".into()]));
}

/// A cursor from before a restart is as good as one from after it; the old stream ends with an error.
pub async fn a_watch_resumes_across_a_restart<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    put(&store, "k", "1").await;
    let mut before = watch(&store, "", Revision::ZERO).await;
    let cursor = next(&mut before).await.at;
    let second = put(&store, "k", "2").await;
    let third = must_commit(&store, Commit::new().delete("k")).await.revision;
    let store = rig.reopen(store).await;
    let fourth = put(&store, "k", "4").await;
    let mut after = watch(&store, "", cursor).await;
    for expected in [second, third, fourth] {
        assert_eq!(next(&mut after).await.at, expected);
    }
    // What it still had may come; then an error or its end, never silence.
    loop {
        match within("the end of the old stream", before.next()).await {
            Some(Ok(batch)) => assert!(batch.at > cursor),
            Some(Err(StoreError::Unavailable(_))) | None => break,
            Some(Err(error)) => panic!("{error}"),
        }
    }
}

/// Older cursors are refused with the oldest that works; that one, entries and running watches are whole.
pub async fn compacted_history_is_refused_and_the_rest_served<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let mut made = Vec::new();
    for turn in 0..20 {
        made.push(put(&store, format!("k/{turn:02}"), "v").await);
    }
    let mut running = watch(&store, "k/", made[15]).await;
    within("a compaction", store.compact(made[9])).await.expect("a compaction");
    within("a compaction", store.compact(made[3])).await.expect("going back is no error");
    for old in [Revision::ZERO, made[0], made[8]] {
        assert_eq!(watch_error(&store, "k/", old).await, StoreError::Compacted { oldest: made[9] });
    }
    let mut rest = watch(&store, "k/", made[9]).await;
    for expected in &made[10..] {
        assert_eq!(next(&mut rest).await.at, *expected);
    }
    assert_eq!(next(&mut running).await.at, made[16]);
    assert_eq!(keys(&store, "k/").await.len(), 20, "compaction took entries");
    let store = rig.reopen(store).await;
    assert_eq!(watch_error(&store, "", made[8]).await, StoreError::Compacted { oldest: made[9] });
    assert_eq!(next(&mut watch(&store, "", made[9]).await).await.at, made[10]);
    let newest = *made.last().expect("a revision");
    within("a compaction", store.compact(newest)).await.expect("all history may go");
    let after = put(&store, "k/new", "v").await;
    assert_eq!(next(&mut watch(&store, "", newest).await).await.at, after);
}

/// Four writers put and delete; every 200 ms history is cut behind the watchers; each watcher stops and
/// resumes at every tenth batch, relists when told so, and must end with what a list says.
pub async fn watches_stay_complete_under_compaction<R: Rig>(rig: &R) {
    let store = Arc::new(rig.fresh().await);
    let done = Arc::new(AtomicBool::new(false));
    let watchers: Vec<_> = ["", "w/1/", "w/"]
        .map(|prefix| tokio::spawn(follow(Arc::clone(&store), Key::from(prefix))))
        .into_iter()
        .collect();
    let compactor = tokio::spawn({
        let (store, done) = (Arc::clone(&store), Arc::clone(&done));
        async move {
            while !done.load(Ordering::Relaxed) {
                let now = store.revision().await.expect("a revision");
                tokio::time::sleep(Duration::from_millis(200)).await;
                within("a compaction", store.compact(now)).await.expect("a compaction");
            }
        }
    });
    let writers = (0..4).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for turn in 0..400 {
                let key = |n: i32| format!("w/{writer}/{}", n % 23);
                let commit = Commit::new().put(key(turn), turn.to_string()).delete(key(turn + 7));
                must_commit(&*store, commit).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        within("a writer's end", writer).await.expect("a writer");
    }
    done.store(true, Ordering::Relaxed);
    within("the compactor's end", compactor).await.expect("the compactor");
    put(&*store, "w/1/end", "").await;
    for (watcher, prefix) in watchers.into_iter().zip(["", "w/1/", "w/"]) {
        let copy = within("a watcher's end", watcher).await.expect("a watcher");
        assert_eq!(copy, Copy::list(&*store, &Key::from(prefix)).await.0);
    }
}

/// Copies what has `prefix` until the key `w/1/end` appears.
async fn follow(store: Arc<impl Store>, prefix: Key) -> Copy {
    let end = Key::from("w/1/end");
    let (mut copy, mut at) = Copy::list(&*store, &prefix).await;
    loop {
        let opened = store.watch(&prefix, at).await;
        let mut batches = match opened {
            Ok(batches) => batches.take(10),
            Err(StoreError::Compacted { oldest }) => {
                assert!(at < oldest);
                (copy, at) = Copy::list(&*store, &prefix).await;
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        while !copy.0.contains_key(&end) {
            match tokio::time::timeout(PATIENCE, batches.next()).await.expect("a batch in time") {
                Some(Ok(batch)) => {
                    assert!(batch.at > at, "batch {} after {at}", batch.at);
                    at = batch.at;
                    copy.apply(batch);
                }
                Some(Err(StoreError::Compacted { .. })) => {
                    (copy, at) = Copy::list(&*store, &prefix).await;
                    break;
                }
                Some(Err(error)) => panic!("{error}"),
                None => break,
            }
        }
        if copy.0.contains_key(&end) {
            return copy;
        }
    }
}

/// A watcher that reads nothing while much more is written than any queue holds gets all of it, once.
pub async fn a_slow_watcher_misses_nothing<R: Rig>(rig: &R) {
    const COMMITS: usize = 300;
    let store = Arc::new(rig.fresh().await);
    let start = store.revision().await.expect("a revision");
    let mut slow = watch(&*store, "big/", start).await;
    let mut made = vec![put(&*store, "big/first", "").await];
    assert_eq!(next(&mut slow).await.at, made[0]);
    let writers = (0..4).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut made = Vec::new();
            for turn in 0..COMMITS / 4 {
                made.push(put(&*store, format!("big/{writer}/{}", turn % 5), vec![b'x'; 100 << 10]).await);
            }
            made
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        made.extend(within("a writer's end", writer).await.expect("a writer"));
    }
    made.sort();
    // Commits may share a revision, and then come in one batch.
    made.dedup();
    for expected in &made[1..] {
        assert_eq!(next(&mut slow).await.at, *expected);
    }
    let last = put(&*store, "big/last", "").await;
    assert_eq!(next(&mut slow).await.at, last);
}

/// A watcher that compaction overtook is told so: it never goes on beyond a hole.
pub async fn an_overtaken_watcher_is_told_before_any_hole<R: Rig>(rig: &R) {
    const COMMITS: usize = 200;
    let store = rig.fresh().await;
    let start = store.revision().await.expect("a revision");
    let mut slow = watch(&store, "big/", start).await;
    let mut made = Vec::new();
    for turn in 0..COMMITS {
        made.push(put(&store, format!("big/{}", turn % 5), vec![b'x'; 100 << 10]).await);
    }
    within("a compaction", store.compact(made[COMMITS - 10])).await.expect("a compaction");
    for expected in made {
        let told = loop {
            match within("a batch", slow.next()).await {
                Some(Ok(quiet)) if quiet.events.is_empty() => assert!(quiet.at < expected),
                told => break told,
            }
        };
        match told {
            Some(Ok(batch)) => assert_eq!(batch.at, expected, "a hole before {}", batch.at),
            Some(Err(StoreError::Compacted { oldest })) => {
                assert!(oldest > start);
                assert!(within("the end", slow.next()).await.is_none(), "the stream goes on after its error");
                return;
            }
            other => panic!("{other:?}"),
        }
    }
}
