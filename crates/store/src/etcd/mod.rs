//! The store on a cluster: any number of processes over one etcd.
//!
//! etcd 3.4 or newer serves; of its releases take 3.4.42, 3.5.28, 3.6.9 or newer ones: older ones may answer
//! reads from the past after a pause, and lose a deletion at the edge of a compaction.
//!
//! - `layout.rs`: where things lie. `options.rs`: how the cluster is found.
//! - `nodes.rs`: which member is asked, for how long, and what an error says.
//! - `group.rs` puts commits together, `writer.rs` sends them, one group at a time, and finds out what became
//!   of one whose answer was lost. Commits of one group share a revision.
//! - `read.rs`, `watch.rs`, `leases.rs`: as their names say.
//!
//! Several processes may write; each lane is written by one of them at a time. When the head of a lane moved
//! all the same, the writer reads it anew and goes on behind it: the chain stays whole, it is only slower.

mod group;
mod layout;
mod leases;
mod nodes;
mod options;
mod read;
mod watch;
mod writer;

use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use etcd_client::{Compare, CompareOp, Txn, TxnOp};
use tokio::sync::{Semaphore, mpsc, oneshot, watch as bell};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::group::Waiting;
use self::layout::{FORMAT, Layout};
use self::nodes::{Nodes, Trouble};
pub use self::options::{EtcdOptions, EtcdTls, EtcdUrlError};
use self::writer::Writer;
use crate::{
    Batches, Commit, Entry, Key, Lane, LaneHead, LaneItem, LeaseId, Outcome, Revision, Snapshot, Store,
    StoreError, validate_ttl,
};

/// Most commits that wait for the writer; further ones wait for a place.
const QUEUE: usize = 4096;

/// A [`Store`] in an etcd cluster, under a prefix of its own.
///
/// Dropping it ends its watches; commits that were sent go on to their end in the background. Prefer
/// [`EtcdStore::close`], which waits for them.
pub struct EtcdStore {
    nodes: Arc<Nodes>,
    layout: Layout,
    commits: mpsc::UnboundedSender<Waiting>,
    places: Semaphore,
    writer: JoinHandle<()>,
    /// The revision that watches must soon have reached; gone with the store.
    wanted: bell::Sender<Revision>,
}

impl EtcdStore {
    /// Connects, and sees to it that what lies under the prefix is a store of this layout.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when no member answers, or none lets this user in;
    /// [`StoreError::Invalid`] when a newer release made the store.
    pub fn open(options: EtcdOptions) -> BoxFuture<'static, Result<Self, StoreError>> {
        // Boxed, or all of etcd's client would be compiled again into whoever awaits it.
        Self::opened(options).boxed()
    }

    async fn opened(options: EtcdOptions) -> Result<Self, StoreError> {
        if options.endpoints.is_empty() {
            return Err(StoreError::Invalid("no member of the etcd cluster is named".into()));
        }
        let layout = Layout::new(&options.prefix);
        let nodes = Arc::new(Nodes::new(options));
        agree_on_format(&nodes, &layout).await?;
        warn_of_old_release(&nodes).await;
        let (commits, inbox) = mpsc::unbounded_channel();
        let writer = Writer::new(Arc::clone(&nodes), layout.clone(), inbox);
        Ok(Self {
            nodes,
            layout,
            commits,
            places: Semaphore::new(QUEUE),
            writer: tokio::spawn(writer.run()),
            wanted: bell::Sender::new(Revision::ZERO),
        })
    }

    /// Finishes what was sent and gives back what it holds in etcd.
    pub async fn close(self) {
        let Self { commits, writer, .. } = self;
        drop(commits);
        // A panic in there has been reported by its task.
        let _ = writer.await;
    }
}

/// Marks a new store, and refuses one of another layout.
async fn agree_on_format(nodes: &Nodes, layout: &Layout) -> Result<(), StoreError> {
    let key = layout.format();
    let txn = Txn::new()
        .when([Compare::create_revision(key.clone(), CompareOp::Equal, 0)])
        .and_then([TxnOp::put(key.clone(), FORMAT, None)]);
    match read::one(nodes, &key).await? {
        Some(found) if found.value == FORMAT => Ok(()),
        Some(found) => Err(StoreError::Invalid(format!(
            "a store of layout {} lies in etcd; this release knows layout {}",
            found.value.escape_ascii(),
            FORMAT.escape_ascii()
        ))),
        None => {
            let make = |mut client: etcd_client::Client| {
                let txn = txn.clone();
                async move { client.txn(txn).await }
            };
            Ok(nodes.call(make).await.map(|_| ())?)
        }
    }
}

/// Says so when a member is of a release that may answer from the past. A member that does not tell its
/// release is not asked again.
async fn warn_of_old_release(nodes: &Nodes) {
    let status = |mut client: etcd_client::Client| async move { client.status().await };
    let end = Instant::now() + nodes.turn();
    if let Ok(status) = nodes.ask(nodes.current(), end, status).await
        && answers_from_the_past(status.version())
    {
        tracing::warn!(
            release = status.version(),
            "this etcd may answer from the past after a pause: take 3.4.42, 3.5.28, 3.6.9 or newer"
        );
    }
}

/// Releases before the fix of etcd's issue 20418.
fn answers_from_the_past(release: &str) -> bool {
    let numbers = release.split(['.', '-', '+']).map(str::parse).take(3).collect::<Result<Vec<u32>, _>>();
    match numbers.as_deref() {
        Ok([3, 4, patch]) => *patch < 42,
        Ok([3, 5, patch]) => *patch < 28,
        Ok([3, 6, patch]) => *patch < 9,
        Ok([major, minor, _]) => (*major, *minor) < (3, 4),
        _ => false,
    }
}

/// For a lease that is asked for by a caller.
fn of_lease(lease: LeaseId) -> impl Fn(Trouble) -> StoreError {
    move |trouble| match trouble {
        Trouble::LeaseGone => StoreError::LeaseGone(lease),
        other => other.into(),
    }
}

#[async_trait]
impl Store for EtcdStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let found = read::one(&self.nodes, &self.layout.key(key)).await?;
        Ok(found.map(|found| read::entry(&self.layout, found)))
    }

    async fn list(&self, prefix: &Key) -> Result<(Vec<Entry>, Revision), StoreError> {
        read::entries(&self.nodes, &self.layout, (prefix, None), usize::MAX).await
    }

    async fn range(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<(Vec<Entry>, Revision), StoreError> {
        read::entries(&self.nodes, &self.layout, (prefix, after), limit).await
    }

    async fn commit(&self, commit: Commit) -> Result<Outcome, StoreError> {
        commit.validate()?;
        let gone = || StoreError::Unavailable("the store's writer is gone".into());
        let _place = self.places.acquire().await.map_err(|_| gone())?;
        let (reply, answer) = oneshot::channel();
        let end = Instant::now() + self.nodes.patience();
        self.commits.send(Waiting { commit, reply, end }).map_err(|_| gone())?;
        answer.await.unwrap_or(Err(StoreError::Unknown))
    }

    async fn watch(&self, prefix: &Key, after: Revision) -> Result<Batches, StoreError> {
        let wanted = self.wanted.subscribe();
        watch::batches(Arc::clone(&self.nodes), self.layout.clone(), wanted, (prefix, after)).await
    }

    /// etcd refuses watches that start before the revision it was compacted to, and keeps what happened at
    /// it; so it is asked for the one after.
    async fn compact(&self, keep_after: Revision) -> Result<(), StoreError> {
        let key = self.layout.format();
        let mut now = self.revision().await?.0;
        let keep_after = keep_after.0.clamp(0, now);
        if keep_after == now {
            // There must be a revision after it. What lies at the key stays the same.
            let touch = |mut client: etcd_client::Client| {
                let key = key.clone();
                async move { client.put(key, FORMAT, None).await }
            };
            let put = self.nodes.call(touch).await?;
            now = put.header().map_or(now, etcd_client::ResponseHeader::revision);
        }
        let to = (keep_after + 1).min(now);
        match self.nodes.call(|mut client| async move { client.compact(to, None).await }).await {
            Ok(_) | Err(Trouble::Compacted) => Ok(()),
            Err(trouble) => Err(trouble.into()),
        }
    }

    async fn revision(&self) -> Result<Revision, StoreError> {
        let now = Revision(read::revision(&self.nodes, &self.layout.format()).await?);
        self.wanted.send_if_modified(|wanted| {
            let moved = now > *wanted;
            *wanted = now.max(*wanted);
            moved
        });
        Ok(now)
    }

    async fn lease(&self, ttl: Duration) -> Result<LeaseId, StoreError> {
        validate_ttl(ttl)?;
        let (id, granted) = leases::grant(&self.nodes, ttl).await?;
        if granted < ttl {
            return Err(StoreError::Unavailable(format!("etcd grants a lease for {granted:?} only")));
        }
        Ok(LeaseId(id))
    }

    async fn renew(&self, lease: LeaseId) -> Result<(), StoreError> {
        leases::renew(&self.nodes, lease.0).await.map_err(of_lease(lease))
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        leases::revoke(&self.nodes, lease.0).await.map_err(|trouble| match trouble {
            Trouble::Doubt(_) => StoreError::Unknown,
            other => other.into(),
        })
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        read::snapshot(&self.nodes, &self.layout).await
    }

    async fn lanes(&self) -> Result<Vec<LaneHead>, StoreError> {
        read::heads(&self.nodes, &self.layout).await
    }

    async fn lane(&self, lane: &Lane, after_seq: u64, limit: usize) -> Result<Vec<LaneItem>, StoreError> {
        read::lane(&self.nodes, &self.layout, (lane, after_seq), limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::answers_from_the_past;

    #[test]
    fn releases_that_answer_from_the_past_are_known() {
        for old in ["3.4.23", "3.4.41", "3.5.1", "3.5.27", "3.6.8", "3.6.0-rc.1", "3.3.27"] {
            assert!(answers_from_the_past(old), "{old}");
        }
        for good in ["3.4.42", "3.5.28", "3.6.9", "3.6.16", "3.7.0", "4.0.0", "3.7.0-alpha.0", "", "unknown"]
        {
            assert!(!answers_from_the_past(good), "{good}");
        }
    }
}
