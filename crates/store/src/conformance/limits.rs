//! The limits of a commit, at their edges.

use super::{Rig, must_commit, put};
use crate::{Commit, Key, Lane, LaneEntry, MAX_BYTES, MAX_MUST, MAX_OPS, Must, Revision, Store, StoreError};

async fn error(store: &impl Store, commit: Commit) -> StoreError {
    let before = store.revision().await.expect("a revision");
    let error = store.commit(commit).await.expect_err("a commit over a limit");
    assert!(error.surely_not_done());
    assert_eq!(store.revision().await, Ok(before), "a commit over a limit changed something");
    error
}

fn of_conditions(count: usize) -> Commit {
    let commit = Commit::new().put("edge/done", "");
    (0..count).fold(commit, |commit, i| commit.must(Must::Absent(Key::from(format!("edge/no/{i}")))))
}

fn of_operations(count: usize) -> Commit {
    (0..count).fold(Commit::new(), |commit, i| commit.put(format!("edge/{i}"), "v"))
}

/// A commit that weighs exactly `bytes`, spread over everything that counts.
fn of_bytes(bytes: usize) -> Commit {
    let commit = Commit::new().must(Must::Absent(Key::from("big/never"))).put("big", "").delete("big/gone");
    let commit = commit.lane(LaneEntry { lane: Lane::from("big"), body: vec![b'l'; 1000].into() });
    let rest = bytes - commit.bytes() + "big".len();
    let mut ops = commit.ops;
    ops.remove(0);
    let commit = Commit { ops, ..commit };
    let commit = commit.put("big", vec![b'v'; rest - "big".len()]);
    assert_eq!(commit.bytes(), bytes);
    commit
}

/// 16 conditions, 16 operations and 256 KiB are accepted; one more of each is refused, and nothing happens.
pub async fn limits_hold_at_their_edges<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    must_commit(&store, of_conditions(MAX_MUST)).await;
    assert!(matches!(error(&store, of_conditions(MAX_MUST + 1)).await, StoreError::TooLarge(_)));
    must_commit(&store, of_operations(MAX_OPS)).await;
    assert!(matches!(error(&store, of_operations(MAX_OPS + 1)).await, StoreError::TooLarge(_)));
    let at = must_commit(&store, of_bytes(MAX_BYTES)).await;
    assert_eq!(at.lane_seq, Some(1));
    let entry = super::entry(&store, "big").await.expect("the largest commit");
    assert!(entry.value.len() > MAX_BYTES - 2000);
    assert!(matches!(error(&store, of_bytes(MAX_BYTES + 1)).await, StoreError::TooLarge(_)));
}

/// No key twice in the conditions or in the operations, no empty key, no lane without a name; a key in a
/// condition and in an operation is the usual case.
pub async fn no_key_comes_twice<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let at = put(&store, "k", "v").await;
    let k = || Key::from("k");
    for bad in [
        Commit::new().put("k", "1").put("k", "2"),
        Commit::new().put("k", "1").delete("k"),
        Commit::new().must(Must::Present(k())).must(Must::Unchanged(k(), at)).put("x", ""),
        Commit::new().put("", "v"),
        Commit::new().must(Must::Absent(Key::everything())).put("x", ""),
        Commit::new().put("x", "").lane(LaneEntry { lane: Lane::from(""), body: "b".into() }),
    ] {
        assert!(matches!(error(&store, bad).await, StoreError::Invalid(_)));
    }
    let after = must_commit(&store, Commit::new().must(Must::Unchanged(k(), at)).put("k", "2")).await;
    assert!(after.revision > at && at > Revision::ZERO);
}
