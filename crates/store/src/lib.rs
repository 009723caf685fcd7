//! Ordered bytes with revisions, commits, watches, leases and hash-chained lanes.
//!
//! Here lives what is durable and in which order it became so. It knows no noun of Rein: what the bytes
//! mean is decided by those who call. One [`Store`] per place where bytes can lie: SQLite for one machine,
//! etcd when one is not enough. What every store promises is written once, as tests: see the `conformance` module.

mod commit;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
pub mod etcd;
pub mod failpoint;
mod key;
mod lane;
pub mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;

pub use commit::{
    Batch, Commit, Committed, Entry, Event, LeaseId, MAX_BYTES, MAX_LANE_NAME, MAX_MUST, MAX_OPS, Must, Op,
    Outcome,
};
pub use error::StoreError;
pub use etcd::{EtcdOptions, EtcdStore, EtcdTls, EtcdUrlError};
pub use key::{Key, Revision};
pub use lane::{Lane, LaneBroken, LaneEntry, LaneHash, LaneHead, LaneItem, chain, verify};
pub use sqlite::{OpenError, SqliteOptions, SqliteStore};

/// Shortest lease a store grants.
pub const MIN_TTL: Duration = Duration::from_secs(2);
/// Longest lease a store grants.
pub const MAX_TTL: Duration = Duration::from_secs(24 * 3600);

/// What [`Store::watch`] hands out: batches in the order of their revisions. After an error it ends.
pub type Batches = BoxStream<'static, Result<Batch, StoreError>>;

/// Everything a store holds, true at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The revision of it all.
    pub revision: Revision,
    /// All entries, in key order.
    pub entries: Vec<Entry>,
    /// Where each lane ended, in the order of their names. What a lane holds up to there never alters.
    pub lanes: Vec<LaneHead>,
}

/// Ordered keys with conditional commits, a resumable watch, leases and lanes.
///
/// Every method may answer [`StoreError::Unavailable`] and [`StoreError::Damaged`]; further errors are
/// named at the method. No future needs to be polled to its end: dropping one leaves a commit that was
/// already sent to happen or not.
#[async_trait]
pub trait Store: Send + Sync {
    /// The entry of `key` now: at least as new as everything acknowledged before the call.
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError>;

    /// All entries whose key has `prefix`, in key order, and the revision at which all of them are true
    /// together: watch after it and nothing is missed.
    async fn list(&self, prefix: &Key) -> Result<(Vec<Entry>, Revision), StoreError>;

    /// At most `limit` entries whose key has `prefix` and is greater than `after` (from the first when
    /// `None`), in key order, with the revision of this page; pages of one walk may differ in theirs.
    async fn range(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<(Vec<Entry>, Revision), StoreError>;

    /// Judges the conditions and does all of the commit, or nothing. When it answers [`Outcome::At`], the
    /// commit is on disk.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] and [`StoreError::Invalid`] from [`Commit::validate`];
    /// [`StoreError::LeaseGone`]; [`StoreError::Full`]; [`StoreError::Unknown`] when in doubt. All but the
    /// last mean that nothing happened and nothing will.
    async fn commit(&self, commit: Commit) -> Result<Outcome, StoreError>;

    /// Everything that happens to keys with `prefix` after revision `after`: each revision once, whole, in
    /// order, deletions included. A reader that stops may resume after any batch's revision.
    ///
    /// # Errors
    /// [`StoreError::Compacted`], from the call or as an item of the stream, when history after `after` is
    /// gone; also for a reader so slow that compaction overtook it.
    async fn watch(&self, prefix: &Key, after: Revision) -> Result<Batches, StoreError>;

    /// Prunes the history up to and including `keep_after` (at most the current revision): a watch that
    /// starts before it gets [`StoreError::Compacted`]. Entries and lanes are untouched. Going back is no
    /// error and does nothing.
    async fn compact(&self, keep_after: Revision) -> Result<(), StoreError>;

    /// The current revision: at least that of everything acknowledged before the call.
    async fn revision(&self) -> Result<Revision, StoreError>;

    /// Grants a lease of `ttl` ([`MIN_TTL`] to [`MAX_TTL`]), counted by the store's own steady clock.
    /// A store that restarts gives every lease its full time again: keys may live longer, never shorter.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a `ttl` out of range; [`StoreError::Full`].
    async fn lease(&self, ttl: Duration) -> Result<LeaseId, StoreError>;

    /// Gives the lease its full time again, from now.
    ///
    /// # Errors
    /// [`StoreError::LeaseGone`] when it ended before.
    async fn renew(&self, lease: LeaseId) -> Result<(), StoreError>;

    /// Ends the lease: its keys are deleted in one revision. An unknown lease is no error.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Unknown`].
    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError>;

    /// All entries and all lane heads together: a lane has the entry of every commit that the entries
    /// show, and of none that they do not. What a backup is made from.
    async fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// The heads of all lanes, in the order of their names, from one snapshot.
    async fn lanes(&self) -> Result<Vec<LaneHead>, StoreError>;

    /// At most `limit` items of a lane with a seq greater than `after_seq`, oldest first; none for a lane
    /// that does not exist.
    async fn lane(&self, lane: &Lane, after_seq: u64, limit: usize) -> Result<Vec<LaneItem>, StoreError>;
}

/// Checks a lease's time; pure, and called by every store.
///
/// # Errors
/// [`StoreError::Invalid`] when it is not within [`MIN_TTL`] and [`MAX_TTL`].
pub fn validate_ttl(ttl: Duration) -> Result<(), StoreError> {
    if (MIN_TTL..=MAX_TTL).contains(&ttl) {
        return Ok(());
    }
    Err(StoreError::Invalid(format!(
        "a lease lasts {} s to {} s, not {} s",
        MIN_TTL.as_secs(),
        MAX_TTL.as_secs(),
        ttl.as_secs_f64()
    )))
}
