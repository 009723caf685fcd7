//! Leases: keys that vanish, and watchers who see it.

use std::time::{Duration, Instant};

use super::{Rig, entry, keys, must_commit, next, put, until, watch};
use crate::{Commit, Event, Key, LeaseId, MAX_TTL, MIN_TTL, Must, Store, StoreError};

/// The keys of an expired lease go in one revision, seen by watchers, not before its time.
pub async fn a_lease_that_expires_deletes_its_keys<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    for ttl in [Duration::ZERO, MIN_TTL - Duration::from_millis(1), MAX_TTL + Duration::from_millis(1)] {
        assert!(matches!(store.lease(ttl).await, Err(StoreError::Invalid(_))));
    }
    let start = Instant::now();
    let lease = store.lease(MIN_TTL).await.expect("a lease");
    let commit = Commit::new().put_leased("s/b", "2", lease).put_leased("s/a", "1", lease).put("s/c", "3");
    let at = must_commit(&store, commit).await.revision;
    let mut batches = watch(&store, "s/", at).await;
    let batch = next(&mut batches).await;
    assert!(start.elapsed() >= MIN_TTL, "the keys went {:?} after the grant", start.elapsed());
    assert!(batch.at > at);
    let mut gone: Vec<_> = batch.events;
    gone.sort_by(|a, b| a.key().cmp(b.key()));
    assert_eq!(gone, ["s/a", "s/b"].map(|key| Event::Delete(Key::from(key))));
    assert_eq!(keys(&store, "").await, ["s/c"]);
    assert_eq!(store.renew(lease).await, Err(StoreError::LeaseGone(lease)));
    let late = Commit::new().put("x", "1").put_leased("s/d", "4", lease);
    assert_eq!(store.commit(late).await, Err(StoreError::LeaseGone(lease)));
    assert_eq!(keys(&store, "").await, ["s/c"], "a commit with a dead lease left something");
}

/// Renewing keeps a lease; revoking ends it at once; what is unknown cannot be renewed.
pub async fn a_renewed_lease_lives_and_a_revoked_one_ends<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let lease = store.lease(MIN_TTL).await.expect("a lease");
    must_commit(&store, Commit::new().put_leased("k", "v", lease)).await;
    let start = Instant::now();
    while start.elapsed() < MIN_TTL * 2 {
        store.renew(lease).await.expect("a renewal in time");
        assert!(entry(&store, "k").await.is_some(), "a renewed lease ended");
        tokio::time::sleep(MIN_TTL / 10).await;
    }
    store.revoke(lease).await.expect("a revocation");
    assert_eq!(entry(&store, "k").await, None);
    store.revoke(lease).await.expect("a second revocation is no error");
    assert_eq!(store.renew(lease).await, Err(StoreError::LeaseGone(lease)));
    let never = LeaseId(i64::MAX - 1);
    assert_eq!(store.renew(never).await, Err(StoreError::LeaseGone(never)));
    store.revoke(never).await.expect("revoking the unknown is no error");
}

/// The last put counts: without a lease the key stays, with another it goes with that one.
pub async fn a_put_decides_which_lease_a_key_has<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let one = store.lease(MIN_TTL * 10).await.expect("a lease");
    let two = store.lease(MIN_TTL * 10).await.expect("a lease");
    assert_ne!(one, two);
    let commit = ["freed", "moved", "held"]
        .iter()
        .fold(Commit::new(), |commit, key| commit.put_leased(*key, "1", one));
    must_commit(&store, commit).await;
    must_commit(&store, Commit::new().put("freed", "2").put_leased("moved", "2", two)).await;
    store.revoke(one).await.expect("a revocation");
    assert_eq!(keys(&store, "").await, ["freed", "moved"]);
    store.revoke(two).await.expect("a revocation");
    assert_eq!(keys(&store, "").await, ["freed"]);
    let again = Commit::new().must(Must::Absent(Key::from("held"))).put("held", "3");
    must_commit(&store, again).await;
}

/// A restart shortens no lease, and forgets none.
pub async fn leases_survive_a_restart<R: Rig>(rig: &R) {
    let store = rig.fresh().await;
    let renewed = store.lease(MIN_TTL).await.expect("a lease");
    let left = store.lease(MIN_TTL).await.expect("a lease");
    must_commit(&store, Commit::new().put_leased("renewed", "", renewed).put_leased("left", "", left)).await;
    let at = put(&store, "other", "").await;
    let store = rig.reopen(store).await;
    store.renew(renewed).await.expect("a renewal after the restart");
    assert_eq!(keys(&store, "").await, ["left", "other", "renewed"]);
    until("the end of the lease nobody renews", || async {
        store.renew(renewed).await.expect("a renewal");
        entry(&store, "left").await.is_none()
    })
    .await;
    assert!(entry(&store, "renewed").await.is_some());
    let mut batches = watch(&store, "", at).await;
    assert_eq!(next(&mut batches).await.events, [Event::Delete(Key::from("left"))]);
    let fresh = store.lease(MIN_TTL).await.expect("a lease");
    assert!(fresh != renewed && fresh != left, "a lease's id was used again");
}
