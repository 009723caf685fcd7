//! Conditions, reads, and that what was acknowledged stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Rig, entry, keys, must_commit, put, refused, within};
use crate::{Commit, Key, Lane, LaneEntry, MIN_TTL, Must, Outcome, Revision, Store};

/// Each kind of condition holds and fails as it says, and the first that fails is the one named.
pub async fn conditions_are_judged_and_the_first_failing_one_is_named<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let first = put(&store, "a", "1").await;
    let second = put(&store, "a", "2").await;
    assert!(second > first);
    let [a, b] = ["a", "b"].map(Key::from);
    let good = [Must::Present(a.clone()), Must::Unchanged(a.clone(), second), Must::Absent(b.clone())];
    for must in good.clone() {
        must_commit(&store, Commit::new().must(must).put("other", "x")).await;
    }
    let bad = [
        Must::Absent(a.clone()),
        Must::Present(b.clone()),
        Must::Unchanged(a.clone(), first),
        Must::Unchanged(b.clone(), second),
        Must::Unchanged(b.clone(), Revision::ZERO),
    ];
    for must in bad.clone() {
        assert_eq!(refused(&store, Commit::new().must(must.clone()).put("c", "x")).await, must);
    }
    // Two fail: the one that stands first is named.
    let [absent, present, ..] = bad;
    for (one, two) in [(absent.clone(), present.clone()), (present, absent)] {
        let commit =
            Commit::new().must(Must::Absent(Key::from("z"))).must(one.clone()).must(two).put("c", "x");
        assert_eq!(refused(&store, commit).await, one);
    }
    assert_eq!(keys(&store, "").await, ["a", "other"]);
}

/// `Created` holds over every put of the key, and never for the key that comes after a delete or a lease's
/// end: whoever made the key before is told so.
pub async fn a_key_made_anew_is_another<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let leads = |at| Must::Created(Key::from("lead"), at);
    let act = |at| Commit::new().must(leads(at)).put("act", "x");
    for nothing in [Revision::ZERO, Revision(1)] {
        assert_eq!(refused(&store, act(nothing)).await, leads(nothing), "there is no such key");
    }
    let lease = within("a lease", store.lease(MIN_TTL * 10)).await.expect("a lease");
    let absent = Must::Absent(Key::from("lead"));
    let first = must_commit(&store, Commit::new().must(absent.clone()).put_leased("lead", "a", lease)).await;
    let again =
        must_commit(&store, Commit::new().must(leads(first.revision)).put_leased("lead", "b", lease)).await;
    must_commit(&store, act(first.revision)).await;
    assert_eq!(
        refused(&store, act(again.revision)).await,
        leads(again.revision),
        "that was a put, not the making"
    );
    within("the end", store.revoke(lease)).await.expect("a revocation");
    assert_eq!(refused(&store, act(first.revision)).await, leads(first.revision), "the key is gone");
    let second = must_commit(&store, Commit::new().must(absent).put("lead", "c")).await;
    assert_eq!(refused(&store, act(first.revision)).await, leads(first.revision), "another made it");
    must_commit(&store, act(second.revision)).await;
}

/// Neither entries nor history nor lanes show a refused commit.
pub async fn a_refused_commit_changes_nothing<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    put(&store, "a", "1").await;
    let before = within("a list", store.list(&Key::everything())).await;
    let commit = Commit::new()
        .must(Must::Absent(Key::from("a")))
        .put("a", "2")
        .put("b", "2")
        .lane(LaneEntry { lane: Lane::from("l"), body: "x".into() });
    refused(&store, commit).await;
    assert_eq!(within("a list", store.list(&Key::everything())).await, before);
    assert_eq!(store.lanes().await, Ok(vec![]));
}

/// `created` stays over puts and is new after a delete; `modified` is the revision of the commit.
pub async fn deletes_and_puts_make_created_and_modified<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let first = put(&store, "k", "1").await;
    let second = put(&store, "k", "").await;
    let found = entry(&store, "k").await.expect("the entry");
    assert_eq!((found.created, found.modified, found.value.as_ref()), (first, second, b"".as_ref()));
    must_commit(&store, Commit::new().delete("k").delete("never")).await;
    assert_eq!(entry(&store, "k").await, None);
    let third = put(&store, "k", "3").await;
    let found = entry(&store, "k").await.expect("the entry");
    assert_eq!((found.created, found.modified), (third, third));
    assert!(first < second && second < third);
}

/// 32 tasks change one key by compare and set: nobody's change is lost, no revision has two winners.
pub async fn one_of_many_racers_wins_each_revision<R: Rig>(rig: &R) {
    const RACERS: usize = 32;
    const WINS: usize = 4;
    let store = Arc::new(rig.fresh().await);
    put(&*store, "n", "0").await;
    let racers: Vec<_> = (0..RACERS)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut won = Vec::new();
                while won.len() < WINS {
                    let now = entry(&*store, "n").await.expect("the number");
                    let value: u64 =
                        std::str::from_utf8(&now.value).expect("text").parse().expect("a number");
                    let commit = Commit::new()
                        .must(Must::Unchanged(Key::from("n"), now.modified))
                        .put("n", (value + 1).to_string());
                    match within("a commit", store.commit(commit)).await.expect("an outcome") {
                        Outcome::At(at) => won.push((now.modified, at.revision)),
                        Outcome::Refused(must) => {
                            assert_eq!(must, Must::Unchanged(Key::from("n"), now.modified));
                        }
                    }
                }
                won
            })
        })
        .collect();
    let mut winners = BTreeMap::new();
    for racer in racers {
        for (from, to) in within("a racer's end", racer).await.expect("a racer") {
            assert!(to > from);
            assert_eq!(winners.insert(from, to), None, "two winners over revision {from}");
        }
    }
    let sum = entry(&*store, "n").await.expect("the number").value;
    assert_eq!(sum, (RACERS * WINS).to_string());
}

/// Keys at the edges of prefixes, walked page by page and listed.
pub async fn a_page_walk_sees_every_key_once<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let mut all: Vec<Key> = (0..40).map(|i| Key::from(format!("p/{i:02}"))).collect();
    all.extend([Key::from("p"), Key::from("p/"), Key::from("p0"), Key::from("o"), Key::from("q")]);
    all.extend([
        Key::from(vec![b'p', b'/', 0]),
        Key::from(vec![b'p', b'/', 0xFF, 0xFF]),
        Key::from(vec![0xFF]),
    ]);
    for keys in all.chunks(16) {
        let commit = keys.iter().fold(Commit::new(), |commit, key| commit.put(key.clone(), "v"));
        must_commit(&store, commit).await;
    }
    all.sort();
    for prefix in
        [Key::from("p/"), Key::from("p"), Key::everything(), Key::from(vec![0xFF]), Key::from("none")]
    {
        let expected: Vec<_> = all.iter().filter(|key| key.has_prefix(&prefix)).cloned().collect();
        let (listed, _) = within("a list", store.list(&prefix)).await.expect("a list");
        assert_eq!(listed.iter().map(|e| e.key.clone()).collect::<Vec<_>>(), expected);
        for limit in [1, 7, 100] {
            let mut walked: Vec<Key> = Vec::new();
            loop {
                let page = store.range(&prefix, walked.last(), limit).await.expect("a page").0;
                assert!(page.len() <= limit);
                walked.extend(page.iter().map(|e| e.key.clone()));
                if page.len() < limit {
                    break;
                }
            }
            assert_eq!(walked, expected);
        }
    }
    let (before_all, _) = store.range(&Key::from("p/"), Some(&Key::from("a")), 1).await.expect("a page");
    assert_eq!(before_all[0].key, Key::from("p/"), "a cursor before the prefix starts at the prefix");
    let (after_all, _) = store.range(&Key::from("p/"), Some(&Key::from("z")), 9).await.expect("a page");
    assert_eq!(after_all, []);
}

/// While a writer keeps two keys equal, no list sees them differ, and no entry is newer than the list.
pub async fn a_list_is_one_snapshot<R: Rig>(rig: &R) {
    let store = Arc::new(rig.fresh().await);
    must_commit(&*store, Commit::new().put("pair/a", "0").put("pair/b", "0")).await;
    let writer = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for turn in 1..=200 {
                let value = turn.to_string();
                must_commit(&*store, Commit::new().put("pair/a", value.clone()).put("pair/b", value)).await;
            }
        }
    });
    let mut last = Revision::ZERO;
    while !writer.is_finished() {
        let (entries, at) = within("a list", store.list(&Key::from("pair/"))).await.expect("a list");
        assert_eq!(entries[0].value, entries[1].value, "torn at {at}");
        assert!(entries.iter().all(|e| e.modified <= at), "an entry from after {at}");
        assert!(at >= last, "the list went back from {last} to {at}");
        last = at;
    }
    writer.await.expect("the writer");
}

/// Entries with their revisions are the same after a restart, and the store's own revision does not go back.
/// It may have moved: a store may keep notes of its own among its history.
pub async fn what_was_acknowledged_survives_a_restart<R: Rig>(rig: &R) {
    let store = Arc::new(rig.fresh().await);
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for turn in 0..25 {
                    put(&*store, format!("w/{writer}/{turn}"), vec![writer; 100 * usize::from(writer)]).await;
                }
                must_commit(&*store, Commit::new().delete(format!("w/{writer}/0"))).await;
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer");
    }
    let before = store.list(&Key::everything()).await.expect("a list");
    assert_eq!(before.0.len(), 8 * 24);
    let store = Arc::into_inner(store).expect("the only owner");
    let store = rig.reopen(store).await;
    let after = store.list(&Key::everything()).await.expect("a list");
    assert_eq!(after.0, before.0);
    assert!(after.1 >= before.1, "the revision went back over a restart");
    assert!(store.revision().await.expect("a revision") >= after.1);
    assert!(put(&store, "next", "").await > after.1);
}
