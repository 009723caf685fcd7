//! A store that commits, and at will answers no single read, or lets something happen in the middle of a
//! listing: what a partition, and others, do in the wrong moment.

use async_trait::async_trait;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use rein_store::{
    Batches, Commit, Entry, Key, Lane, LaneHead, LaneItem, LeaseId, Outcome, Revision, Snapshot, Store,
    StoreError,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) struct Deaf {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) deaf: AtomicBool,
    /// What happens just before changes are listed, once.
    pub(crate) meanwhile: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Deaf {
    pub(crate) fn over(store: &Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { store: Arc::clone(store), deaf: AtomicBool::new(false), meanwhile: Mutex::default() })
    }
}

#[async_trait]
impl Store for Deaf {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        if self.deaf.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("cut off".into()));
        }
        self.store.get(key).await
    }

    async fn list(&self, prefix: &Key) -> Result<(Vec<Entry>, Revision), StoreError> {
        let meanwhile = self.meanwhile.lock().take_if(|_| *prefix == Key::from("change/"));
        if let Some(meanwhile) = meanwhile {
            meanwhile.await;
        }
        self.store.list(prefix).await
    }

    async fn range(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<(Vec<Entry>, Revision), StoreError> {
        self.store.range(prefix, after, limit).await
    }

    async fn commit(&self, commit: Commit) -> Result<Outcome, StoreError> {
        self.store.commit(commit).await
    }

    async fn watch(&self, prefix: &Key, after: Revision) -> Result<Batches, StoreError> {
        self.store.watch(prefix, after).await
    }

    async fn compact(&self, keep_after: Revision) -> Result<(), StoreError> {
        self.store.compact(keep_after).await
    }

    async fn revision(&self) -> Result<Revision, StoreError> {
        self.store.revision().await
    }

    async fn lease(&self, ttl: Duration) -> Result<LeaseId, StoreError> {
        self.store.lease(ttl).await
    }

    async fn renew(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.store.renew(lease).await
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.store.revoke(lease).await
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.store.snapshot().await
    }

    async fn lanes(&self) -> Result<Vec<LaneHead>, StoreError> {
        self.store.lanes().await
    }

    async fn lane(&self, lane: &Lane, after_seq: u64, limit: usize) -> Result<Vec<LaneItem>, StoreError> {
        self.store.lane(lane, after_seq, limit).await
    }
}
