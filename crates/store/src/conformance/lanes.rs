//! Lanes: gapless, chained, in the same commit as what they record.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Rig, entry, must_commit, refused};
use crate::{Commit, Key, Lane, LaneEntry, LaneHash, LaneHead, LaneItem, Must, Store, chain, verify};

fn says(lane: &str, body: &str) -> LaneEntry {
    LaneEntry { lane: Lane::from(lane), body: body.to_owned().into() }
}

async fn head(store: &impl Store, lane: &str) -> LaneHead {
    let heads = store.lanes().await.expect("the heads");
    heads.into_iter().find(|head| head.lane == Lane::from(lane)).expect("a head of the lane")
}

/// The whole lane, read in small pages and verified against its head.
async fn verified(store: &impl Store, lane: &str) -> Vec<LaneItem> {
    let mut items = Vec::new();
    let mut at = (0, LaneHash::START);
    loop {
        let page = store.lane(&Lane::from(lane), at.0, 7).await.expect("a page");
        assert!(page.len() <= 7);
        at = verify(at, &page).expect("a whole chain");
        if page.is_empty() {
            break;
        }
        items.extend(page);
    }
    assert_eq!(head(store, lane).await, LaneHead { lane: Lane::from(lane), seq: at.0, hash: at.1 });
    items
}

/// Seqs count from 1, hashes follow the formula, and refusals leave no gap.
pub async fn a_lane_is_chained_and_refused_commits_append_nothing<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    assert_eq!(store.lanes().await, Ok(vec![]));
    assert_eq!(store.lane(&Lane::from("run"), 0, 10).await, Ok(vec![]));
    let at = must_commit(&store, Commit::new().put("k", "v").lane(says("run", "one"))).await;
    assert_eq!(at.lane_seq, Some(1));
    let no = Commit::new().must(Must::Absent(Key::from("k"))).put("k", "w").lane(says("run", "no"));
    refused(&store, no).await;
    let at = must_commit(&store, Commit::new().lane(says("run", ""))).await;
    assert_eq!(at.lane_seq, Some(2), "an entry without operations counts like any");
    assert_eq!(must_commit(&store, Commit::new().put("k", "x")).await.lane_seq, None);
    let first = chain(&LaneHash::START, 1, b"one");
    let expected = vec![
        LaneItem { seq: 1, hash: first, body: "one".into() },
        LaneItem { seq: 2, hash: chain(&first, 2, b""), body: "".into() },
    ];
    assert_eq!(verified(&store, "run").await, expected);
    assert_eq!(store.lane(&Lane::from("run"), 1, 1).await, Ok(expected[1..].to_vec()));
    assert_eq!(store.lane(&Lane::from("run"), 2, 9).await, Ok(vec![]));
}

/// Many at once, some of them refused: one entry for each that was acknowledged, at the seq it was told.
pub async fn concurrent_entries_make_one_gapless_chain<R: Rig>(rig: &R) {
    const WRITERS: u64 = 32;
    const TURNS: u64 = 8;
    let store = Arc::new(rig.fresh().await);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut told = BTreeSet::new();
                for turn in 0..TURNS {
                    // Two writers want each key: one of them is refused.
                    let key = Key::from(format!("k/{}/{turn}", writer / 2));
                    let body = format!("{writer}/{turn}");
                    let commit = Commit::new().must(Must::Absent(key.clone())).put(key, body.clone());
                    let outcome = store.commit(commit.lane(says("run", &body))).await.expect("an outcome");
                    told.extend(outcome.committed().map(|at| (at.lane_seq.expect("a seq"), body)));
                }
                told
            })
        })
        .collect();
    let mut told = BTreeSet::new();
    for writer in writers {
        told.append(&mut writer.await.expect("a writer"));
    }
    let items = verified(&*store, "run").await;
    assert_eq!(items.len() as u64, WRITERS / 2 * TURNS);
    let kept: BTreeSet<_> =
        items.iter().map(|item| (item.seq, String::from_utf8_lossy(&item.body).into_owned())).collect();
    assert_eq!(kept, told);
    for (_, body) in told {
        let (writer, turn) = body.split_once('/').expect("writer/turn");
        let key = format!("k/{}/{turn}", writer.parse::<u64>().expect("a number") / 2);
        let found = entry(&*store, key).await.expect("what the entry records");
        assert_eq!(found.value, body, "the entry and the key name different winners");
    }
}

/// Lanes do not see each other, and go on where they were after a restart.
pub async fn lanes_are_separate_and_survive_a_restart<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    for turn in 0..20 {
        let lane = if turn % 3 == 0 { "a" } else { "b" };
        must_commit(&store, Commit::new().put("k", "v").lane(says(lane, &turn.to_string()))).await;
    }
    let before = (verified(&store, "a").await, verified(&store, "b").await, store.lanes().await);
    assert_eq!((before.0.len(), before.1.len()), (7, 13));
    let store = rig.reopen(store).await;
    assert_eq!((verified(&store, "a").await, verified(&store, "b").await, store.lanes().await), before);
    let at = must_commit(&store, Commit::new().lane(says("a", "after"))).await;
    assert_eq!(at.lane_seq, Some(8));
    assert_eq!(verified(&store, "a").await.len(), 8);
}

/// Names that are the beginning of others, or hold what a store might divide by, or are as long as may be.
pub async fn any_name_is_a_lane_of_its_own<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let long = "é/".repeat(crate::MAX_LANE_NAME / 3) + "x";
    let mut names = ["a", "a/", "a/1", "a/00000000000000000001", "%", "a%2F", "\u{0}", "\u{10FFFF}", &long];
    for turn in 0..3 {
        for name in names {
            let at = must_commit(&store, Commit::new().lane(says(name, &format!("{turn}/{name}")))).await;
            assert_eq!(at.lane_seq, Some(turn + 1), "{name:?}");
        }
    }
    for name in names {
        let bodies: Vec<_> = verified(&store, name).await.into_iter().map(|item| item.body).collect();
        let expected: Vec<_> = (0..3).map(|turn| bytes::Bytes::from(format!("{turn}/{name}"))).collect();
        assert_eq!(bodies, expected, "{name:?}");
    }
    names.sort_unstable();
    let heads = store.lanes().await.expect("the heads");
    assert_eq!(heads.iter().map(|head| head.lane.as_str()).collect::<Vec<_>>(), names);
}

/// Taken while others write, a snapshot holds a lane's entry exactly when it holds what the entry records.
pub async fn a_snapshot_has_each_commit_whole_or_not_at_all<R: Rig>(rig: &R) {
    const COMMITS: u64 = 60;
    let store = Arc::new(rig.fresh().await);
    let writer = Arc::clone(&store);
    let writing = tokio::spawn(async move {
        for n in 1..=COMMITS {
            let commit = Commit::new().put(format!("k/{n:04}"), "v").lane(says("run", &n.to_string()));
            must_commit(writer.as_ref(), commit).await;
        }
    });
    loop {
        let done = writing.is_finished();
        let snapshot = store.snapshot().await.expect("a snapshot");
        let seen = snapshot.lanes.first().map_or(0, |head| head.seq);
        assert_eq!(seen, snapshot.entries.len() as u64, "at {}", snapshot.revision);
        let (entries, revision) = store.list(&Key::everything()).await.expect("a list");
        assert!(revision >= snapshot.revision);
        assert!(revision > snapshot.revision || entries == snapshot.entries);
        if done {
            break;
        }
    }
    writing.await.expect("the writer ends");
    assert_eq!(store.snapshot().await.expect("a snapshot").lanes, vec![head(store.as_ref(), "run").await]);
}
