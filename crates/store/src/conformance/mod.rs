//! What every store promises, as tests: one suite, run on each store.
//!
//! A store's tests implement [`Rig`] and call [`crate::conformance!`], which makes one test of each
//! function here. The functions panic on a broken promise.

mod commits;
mod lanes;
mod leases;
mod limits;
mod model;
mod watches;

use std::future::Future;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;

pub use self::commits::*;
pub use self::lanes::*;
pub use self::leases::*;
pub use self::limits::*;
pub use self::model::*;
pub use self::watches::*;
use crate::{Batch, Batches, Commit, Committed, Entry, Key, Outcome, Revision, Store, StoreError};

/// Makes stores to test.
#[async_trait]
pub trait Rig: Send + Sync {
    /// The store under test.
    type S: Store + 'static;

    /// A store without entries, lanes or history.
    async fn fresh(&self) -> Self::S;

    /// Closes the store and opens one on the same data, as a restart of the server does.
    async fn reopen(&self, store: Self::S) -> Self::S;

    /// How many random runs are played when `REIN_CASES` does not say; fewer where each takes a network.
    fn cases(&self) -> u32 {
        256
    }
}

/// Makes one test of each function of the suite: `rein_store::conformance!(MyRig::new());`
#[macro_export]
macro_rules! conformance {
    ($rig:expr) => {
        $crate::conformance!(@each $rig;
            conditions_are_judged_and_the_first_failing_one_is_named,
            a_refused_commit_changes_nothing,
            deletes_and_puts_make_created_and_modified,
            a_key_made_anew_is_another,
            one_of_many_racers_wins_each_revision,
            a_page_walk_sees_every_key_once,
            a_list_is_one_snapshot,
            what_was_acknowledged_survives_a_restart,
            limits_hold_at_their_edges,
            no_key_comes_twice,
            a_watch_sees_whole_revisions_in_order,
            a_watch_starts_in_the_past_and_resumes_anywhere,
            a_quiet_watch_says_how_far_it_has_come,
            a_watch_resumes_across_a_restart,
            compacted_history_is_refused_and_the_rest_served,
            watches_stay_complete_under_compaction,
            a_slow_watcher_misses_nothing,
            an_overtaken_watcher_is_told_before_any_hole,
            a_lease_that_expires_deletes_its_keys,
            a_renewed_lease_lives_and_a_revoked_one_ends,
            a_put_decides_which_lease_a_key_has,
            leases_survive_a_restart,
            a_lane_is_chained_and_refused_commits_append_nothing,
            concurrent_entries_make_one_gapless_chain,
            lanes_are_separate_and_survive_a_restart,
            any_name_is_a_lane_of_its_own,
            a_snapshot_has_each_commit_whole_or_not_at_all,
        );
        #[test]
        fn random_commits_agree_with_a_naive_map() {
            $crate::conformance::random_commits_agree_with_a_naive_map(&$rig);
        }
    };
    (@each $rig:expr; $($name:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::conformance::$name(&$rig).await;
            }
        )*
    };
}

/// Longest wait for something that has to happen; far above what it takes.
const PATIENCE: Duration = Duration::from_secs(20);

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen within {PATIENCE:?}"),
    }
}

async fn must_commit(store: &impl Store, commit: Commit) -> Committed {
    let outcome = within("a commit", store.commit(commit)).await.expect("a commit that is not refused");
    outcome.committed().unwrap_or_else(|| panic!("a commit that is not refused, not {outcome:?}"))
}

async fn refused(store: &impl Store, commit: Commit) -> crate::Must {
    match within("a commit", store.commit(commit)).await {
        Ok(Outcome::Refused(must)) => must,
        other => panic!("a refusal was expected, not {other:?}"),
    }
}

async fn put(store: &impl Store, key: impl Into<Key>, value: impl Into<bytes::Bytes>) -> Revision {
    must_commit(store, Commit::new().put(key, value)).await.revision
}

async fn entry(store: &impl Store, key: impl Into<Key>) -> Option<Entry> {
    within("a get", store.get(&key.into())).await.expect("a get")
}

async fn keys(store: &impl Store, prefix: impl Into<Key>) -> Vec<String> {
    let (entries, _) = within("a list", store.list(&prefix.into())).await.expect("a list");
    entries.into_iter().map(|entry| entry.key.to_string()).collect()
}

async fn watch(store: &impl Store, prefix: impl Into<Key>, after: Revision) -> Batches {
    within("a watch", store.watch(&prefix.into(), after)).await.expect("a watch")
}

/// The next batch, with or without events.
async fn next_of_any(batches: &mut Batches) -> Batch {
    let item = within("the next batch", batches.next()).await;
    item.expect("the stream goes on").expect("a batch")
}

/// The next batch with events; the others must not be ahead of it.
async fn next(batches: &mut Batches) -> Batch {
    let mut come = Revision::ZERO;
    loop {
        let batch = next_of_any(batches).await;
        assert!(batch.at > come, "batch {} after the watch had come to {come}", batch.at);
        if !batch.events.is_empty() {
            return batch;
        }
        come = batch.at;
    }
}

/// The error of a watch, whether the call or the stream brings it; batches before it are skipped.
async fn watch_error(store: &impl Store, prefix: impl Into<Key>, after: Revision) -> StoreError {
    match within("a watch", store.watch(&prefix.into(), after)).await {
        Err(error) => error,
        Ok(mut batches) => loop {
            match within("the watch's error", batches.next()).await {
                Some(Err(error)) => return error,
                Some(Ok(_)) => {}
                None => panic!("the stream ended without an error"),
            }
        },
    }
}

/// Polls until `done`, with a deadline.
async fn until<F: Future<Output = bool>>(what: &str, mut done: impl FnMut() -> F) {
    let end = Instant::now() + PATIENCE;
    while !done().await {
        assert!(Instant::now() < end, "{what} did not happen within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
