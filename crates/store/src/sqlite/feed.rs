//! How watchers get their batches.
//!
//! The newest commits lie in one ring that all watchers share; each watcher has only a cursor. It reads
//! from the ring when the ring still reaches back to the cursor, else from the history table, else it is
//! told that history is compacted. So a slow watcher costs nothing, misses nothing and sees nothing twice:
//! where it reads from never changes what it reads.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use parking_lot::Mutex;
use rusqlite::{Connection, params};
use tokio::sync::watch;

use super::history;
use super::readers::{self, Readers};
use crate::{Batch, Batches, Event, Key, Revision, StoreError};

/// Most bytes of keys and values the ring keeps alive.
const RING_BYTES: usize = 8 << 20;
/// Most revisions in the ring.
const RING_BATCHES: usize = 8192;
/// What a watcher takes at once: the most it can hold while its reader is slow (one revision may be larger).
const TAKE_BYTES: usize = 256 << 10;
const TAKE_BATCHES: usize = 256;

#[derive(Clone, Copy)]
struct Head {
    at: i64,
    closed: bool,
}

/// The ring and the bell that wakes watchers.
pub(super) struct Hub {
    ring: Mutex<Ring>,
    head: watch::Sender<Head>,
}

struct Ring {
    /// Holds every batch after this revision.
    floor: i64,
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
}

/// Some batches, and the revision up to which there are no others.
struct Take {
    batches: Vec<Batch>,
    up_to: i64,
}

impl Hub {
    pub(super) fn new(at: i64) -> Self {
        let ring = Ring { floor: at, batches: VecDeque::new(), bytes: 0 };
        Self { ring: Mutex::new(ring), head: watch::Sender::new(Head { at, closed: false }) }
    }

    /// Called by the writer after each group, with everything up to `at`, when it is durable.
    pub(super) fn publish(&self, batches: impl Iterator<Item = Arc<Batch>>, at: i64) {
        let mut ring = self.ring.lock();
        for batch in batches {
            ring.bytes += weight(&batch.events);
            ring.batches.push_back(batch);
        }
        while ring.bytes > RING_BYTES || ring.batches.len() > RING_BATCHES {
            let Some(oldest) = ring.batches.pop_front() else { break };
            ring.bytes -= weight(&oldest.events);
            ring.floor = oldest.at.0;
        }
        drop(ring);
        self.head.send_modify(|head| head.at = at);
    }

    /// The store is closing: watchers end.
    pub(super) fn close(&self) {
        self.head.send_modify(|head| head.closed = true);
    }

    /// What comes after `after`, unless the ring no longer reaches back so far. `up_to` is never beyond
    /// the newest batch in the ring: what follows is not known here.
    fn take(&self, after: i64, prefix: &Key) -> Option<Take> {
        let ring = self.ring.lock();
        if after < ring.floor {
            return None;
        }
        let first = ring.batches.partition_point(|batch| batch.at.0 <= after);
        let mut take = Taker::new(after);
        for batch in ring.batches.range(first..) {
            if !take.more() {
                break;
            }
            take.add(batch.at, batch.events.iter(), prefix);
        }
        Some(take.take)
    }
}

/// Collects until it has enough.
struct Taker {
    take: Take,
    bytes: usize,
}

impl Taker {
    const fn new(after: i64) -> Self {
        Self { take: Take { batches: Vec::new(), up_to: after }, bytes: 0 }
    }

    fn more(&self) -> bool {
        self.bytes < TAKE_BYTES && self.take.batches.len() < TAKE_BATCHES
    }

    fn add<'a>(&mut self, at: Revision, events: impl Iterator<Item = &'a Event>, prefix: &Key) {
        let events: Vec<_> = events.filter(|event| event.key().has_prefix(prefix)).cloned().collect();
        self.take.up_to = at.0;
        if !events.is_empty() {
            self.bytes += weight(&events);
            self.take.batches.push(Batch { at, events });
        }
    }
}

fn weight(events: &[Event]) -> usize {
    let bytes = events.iter().map(|event| match event {
        Event::Put(entry) => 64 + entry.key.len() + entry.value.len(),
        Event::Delete(key) => 64 + key.len(),
    });
    64 + bytes.sum::<usize>()
}

/// The same from the history table, in one snapshot.
fn take_stored(conn: &Connection, after: i64, prefix: &Key) -> rusqlite::Result<Result<Take, StoreError>> {
    let oldest = readers::meta(conn, "compacted")?;
    if after < oldest {
        return Ok(Err(StoreError::Compacted { oldest: Revision(oldest) }));
    }
    let current = readers::meta(conn, "revision")?;
    let sql = "SELECT revision, events FROM history WHERE revision > ?1 ORDER BY revision LIMIT ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![after, 4 * readers::limit_of(TAKE_BATCHES)])?;
    let (mut take, mut count) = (Taker::new(after), 0);
    while let Some(row) = rows.next()? {
        let at = Revision(row.get(0)?);
        let Some(events) = history::decode(at, readers::blob(row, 1)?) else {
            return Ok(Err(StoreError::Damaged(format!("the history of revision {at} cannot be read"))));
        };
        take.add(at, events.iter(), prefix);
        count += 1;
        if !take.more() {
            return Ok(Ok(take.take));
        }
    }
    if count < 4 * TAKE_BATCHES {
        take.take.up_to = current.max(after);
    }
    Ok(Ok(take.take))
}

/// The oldest revision a watch may start after.
pub(super) async fn oldest(readers: &Arc<Readers>) -> Result<Revision, StoreError> {
    readers.read(|conn| readers::meta(conn, "compacted")).await.map(Revision)
}

struct Watcher {
    hub: Arc<Hub>,
    readers: Arc<Readers>,
    bell: watch::Receiver<Head>,
    prefix: Key,
    after: i64,
    ready: VecDeque<Batch>,
}

impl Watcher {
    async fn next(&mut self) -> Result<Batch, StoreError> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(batch);
            }
            let head = *self.bell.borrow_and_update();
            if head.closed {
                return Err(StoreError::Unavailable("the store was closed".into()));
            }
            if head.at <= self.after {
                if self.bell.changed().await.is_err() {
                    return Err(StoreError::Unavailable("the store was closed".into()));
                }
                continue;
            }
            let take = match self.hub.take(self.after, &self.prefix) {
                Some(take) if take.up_to > self.after => take,
                // Nothing in the ring although the head moved: a revision without events.
                Some(_) => Take { batches: Vec::new(), up_to: head.at },
                None => {
                    let (after, prefix) = (self.after, self.prefix.clone());
                    self.readers.read(move |conn| take_stored(conn, after, &prefix)).await??
                }
            };
            self.after = take.up_to;
            self.ready.extend(take.batches);
            // Caught up, and nothing was for this reader: it is told how far that is.
            if self.ready.is_empty() && self.after >= head.at {
                return Ok(Batch { at: Revision(self.after), events: Vec::new() });
            }
        }
    }
}

/// The stream of one watcher; after an error it ends.
pub(super) fn batches(hub: Arc<Hub>, readers: Arc<Readers>, prefix: Key, after: Revision) -> Batches {
    let bell = hub.head.subscribe();
    let watcher = Watcher { hub, readers, bell, prefix, after: after.0, ready: VecDeque::new() };
    stream::unfold(Some(watcher), |state| async {
        let mut watcher = state?;
        match watcher.next().await {
            Ok(batch) => Some((Ok(batch), Some(watcher))),
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}
