//! The store on one machine: an SQLite file with one writer thread and any number of readers.

mod apply;
mod feed;
mod file;
mod history;
mod leases;
mod readers;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::{Semaphore, oneshot};

use self::apply::{Done, Job};
use self::feed::Hub;
use self::file::Claim;
pub use self::file::OpenError;
use self::leases::Leases;
use self::readers::Readers;
use self::writer::{Answer, Request, Writer};
use crate::{
    Batches, Commit, Entry, Key, Lane, LaneHead, LaneItem, LeaseId, Outcome, Revision, Snapshot, Store,
    StoreError, validate_ttl,
};

/// Most commits that wait for the writer; further ones wait for a place.
const QUEUE: usize = 4096;

/// How to open a store; [`Default`] is right for a server.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Page cache of the writer and, a quarter of it, of each reader; in bytes. Default 64 MiB.
    pub cache_bytes: u64,
    /// Most reads at the same time, each with a connection and a blocking thread. Default 4.
    pub readers: usize,
    /// Size the database file may grow to, in bytes; a commit beyond it is refused with
    /// [`StoreError::Full`]. Default: no limit. See [`SqliteStore::set_max_bytes`].
    pub max_bytes: Option<u64>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20, readers: 4, max_bytes: None }
    }
}

/// A [`Store`] in one file, used by one object at a time.
///
/// Commits that wait at the same time share one transaction and one sync of the disk; each still has a
/// revision of its own. Dropping it finishes what was sent, then releases the file; it blocks for that
/// long, so prefer [`SqliteStore::close`] in async code. Watch streams end when the store is dropped.
pub struct SqliteStore {
    /// `None` only while dropping.
    requests: Option<mpsc::Sender<Request>>,
    places: Semaphore,
    writer: Option<JoinHandle<()>>,
    leases: Arc<Leases>,
    readers: Arc<Readers>,
    hub: Arc<Hub>,
}

impl SqliteStore {
    /// Opens the file, or makes it (mode 0600) in a directory that exists. Beside it lie `-wal`, `-shm` and
    /// `-lock`. Blocks while a log left by a kill is read back: milliseconds, rarely more.
    ///
    /// # Errors
    /// See [`OpenError`]: in use, written by a newer release, not a store, or the system refuses.
    pub fn open(path: impl Into<PathBuf>, options: SqliteOptions) -> Result<Self, OpenError> {
        let path = path.into();
        let claim = Claim::take(&path)?;
        file::make(&path)?;
        let conn = file::writer(&path, &options)?;
        let failed = |source| OpenError::Sqlite { path: path.clone(), source };
        let leases = Arc::new(Leases::default());
        load_leases(&conn, &leases).map_err(failed)?;
        let writer =
            Writer::new(conn, claim, Arc::clone(&leases), |at| Arc::new(Hub::new(at))).map_err(failed)?;
        let hub = writer.hub();
        let (requests, inbox) = mpsc::channel();
        let thread =
            std::thread::Builder::new().name("store-writer".into()).spawn(move || writer.run(&inbox));
        let thread = thread.map_err(|source| OpenError::Io { path: path.clone(), source })?;
        let readers = Arc::new(Readers::new(path, options.readers, options.cache_bytes / 4));
        let places = Semaphore::new(QUEUE);
        Ok(Self { requests: Some(requests), places, writer: Some(thread), leases, readers, hub })
    }

    /// Finishes what was sent, writes the log back and releases the file.
    pub async fn close(self) {
        // A panic in there has been reported by its thread; the file is released all the same.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// Changes the size the file may grow to; `None` lifts the limit. A file that is larger already stays.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn set_max_bytes(&self, bytes: Option<u64>) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::MaxBytes(bytes, reply), answer).await.map(|_| ())
    }

    async fn ask(&self, job: Job) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Job(job, reply), answer).await
    }

    async fn send(&self, request: Request, answer: oneshot::Receiver<Answer>) -> Answer {
        let gone = || StoreError::Unavailable("the store's writer is gone".into());
        let _place = self.places.acquire().await.map_err(|_| gone())?;
        let requests = self.requests.as_ref().ok_or_else(gone)?;
        requests.send(request).map_err(|_| gone())?;
        answer.await.unwrap_or(Err(StoreError::Unknown))
    }
}

fn load_leases(conn: &rusqlite::Connection, leases: &Leases) -> rusqlite::Result<()> {
    let now = Instant::now();
    let mut statement = conn.prepare("SELECT id, ttl_ms FROM lease")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let millis: i64 = row.get(1)?;
        let ttl = Duration::from_millis(millis.unsigned_abs()).min(crate::MAX_TTL);
        leases.grant(LeaseId(row.get(0)?), ttl, now);
    }
    Ok(())
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer had stopped");
        }
        self.hub.close();
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let key = key.clone();
        self.readers.read(move |conn| readers::get(conn, &key)).await
    }

    async fn list(&self, prefix: &Key) -> Result<(Vec<Entry>, Revision), StoreError> {
        let prefix = prefix.clone();
        self.readers.read(move |conn| readers::page(conn, &prefix, None, -1)).await
    }

    async fn range(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<(Vec<Entry>, Revision), StoreError> {
        let (prefix, after, limit) = (prefix.clone(), after.cloned(), readers::limit_of(limit));
        self.readers.read(move |conn| readers::page(conn, &prefix, after.as_ref(), limit)).await
    }

    async fn commit(&self, commit: Commit) -> Result<Outcome, StoreError> {
        commit.validate()?;
        match self.ask(Job::Commit(commit)).await? {
            Done::Outcome(outcome) => Ok(outcome),
            _ => Err(StoreError::Unknown),
        }
    }

    async fn watch(&self, prefix: &Key, after: Revision) -> Result<Batches, StoreError> {
        let oldest = feed::oldest(&self.readers).await?;
        if after < oldest {
            return Err(StoreError::Compacted { oldest });
        }
        Ok(feed::batches(Arc::clone(&self.hub), Arc::clone(&self.readers), prefix.clone(), after))
    }

    async fn compact(&self, keep_after: Revision) -> Result<(), StoreError> {
        self.ask(Job::Compact(keep_after)).await.map(|_| ())
    }

    async fn revision(&self) -> Result<Revision, StoreError> {
        self.readers.read(|conn| readers::meta(conn, "revision")).await.map(Revision)
    }

    async fn lease(&self, ttl: Duration) -> Result<LeaseId, StoreError> {
        validate_ttl(ttl)?;
        match self.ask(Job::Grant(ttl)).await? {
            Done::Granted(id, _) => Ok(id),
            _ => Err(StoreError::Unknown),
        }
    }

    async fn renew(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.leases.renew(lease, Instant::now())
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.ask(Job::Revoke(lease)).await.map(|_| ())
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let all = Key::everything();
        let read = move |conn: &rusqlite::Connection| {
            let (entries, revision) = readers::page(conn, &all, None, -1)?;
            Ok(Snapshot { revision, entries, lanes: readers::lanes(conn)? })
        };
        self.readers.read(read).await
    }

    async fn lanes(&self) -> Result<Vec<LaneHead>, StoreError> {
        self.readers.read(readers::lanes).await
    }

    async fn lane(&self, lane: &Lane, after_seq: u64, limit: usize) -> Result<Vec<LaneItem>, StoreError> {
        let lane = lane.clone();
        self.readers.read(move |conn| readers::lane(conn, &lane, after_seq, limit)).await
    }
}
