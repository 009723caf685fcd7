//! Connections that only read, lent to one blocking task each.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::Semaphore;

use super::file;
use crate::{Entry, Key, Lane, LaneHash, LaneHead, LaneItem, Revision, StoreError};

pub(super) struct Readers {
    path: PathBuf,
    cache_bytes: u64,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, most: usize, cache_bytes: u64) -> Self {
        Self { path, cache_bytes, idle: Mutex::default(), permits: Arc::new(Semaphore::new(most.max(1))) }
    }

    /// Runs `work` in one snapshot of the committed state, off the async threads.
    pub(super) async fn read<T, F>(self: &Arc<Self>, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let this = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let lent = this.idle.lock().pop();
            let conn = match lent {
                Some(conn) => conn,
                None => file::reader(&this.path, this.cache_bytes)?,
            };
            let answer = snapshot(&conn, work)?;
            // Only a connection that answered goes back: after an error nothing of it is trusted.
            this.idle.lock().push(conn);
            Ok(answer)
        });
        match task.await {
            Ok(answer) => answer.map_err(|error| read_error(&error)),
            Err(stopped) => Err(StoreError::Unavailable(format!("a read was stopped: {stopped}"))),
        }
    }
}

fn snapshot<T>(
    conn: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    let answer = work(conn)?;
    conn.prepare_cached("COMMIT")?.execute([])?;
    Ok(answer)
}

fn read_error(error: &rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::SqliteFailure(code, _) if is_damage(code.code) => {
            StoreError::Damaged(error.to_string())
        }
        rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => {
            StoreError::Damaged(error.to_string())
        }
        _ => StoreError::Unavailable(error.to_string()),
    }
}

pub(super) fn is_damage(code: rusqlite::ErrorCode) -> bool {
    matches!(code, rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
}

pub(super) fn meta(conn: &Connection, name: &str) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0))
}

pub(super) fn get(conn: &Connection, key: &Key) -> rusqlite::Result<Option<Entry>> {
    conn.prepare_cached("SELECT value, created, modified FROM kv WHERE key = ?1")?
        .query_row([key.as_bytes()], |row| {
            Ok(Entry {
                key: key.clone(),
                value: blob(row, 0)?,
                created: Revision(row.get(1)?),
                modified: Revision(row.get(2)?),
            })
        })
        .optional()
}

/// One page of entries under a condition; four texts, so that each keeps its prepared statement.
macro_rules! concat_page {
    ($condition:literal) => {
        concat!("SELECT key, value, created, modified FROM kv WHERE ", $condition, " ORDER BY key LIMIT ?3")
    };
}

/// `limit` as SQLite takes it: negative is without limit.
pub(super) fn page(
    conn: &Connection,
    prefix: &Key,
    after: Option<&Key>,
    limit: i64,
) -> rusqlite::Result<(Vec<Entry>, Revision)> {
    let revision = Revision(meta(conn, "revision")?);
    // Strictly after `after`, or from the prefix itself: whichever comes later.
    let (from, strictly) = match after {
        Some(after) if after >= prefix => (after, true),
        _ => (prefix, false),
    };
    let end = prefix.prefix_end();
    let sql = match (strictly, end.is_some()) {
        (true, true) => concat_page!("key > ?1 AND key < ?2"),
        (true, false) => concat_page!("key > ?1 AND ?2"),
        (false, true) => concat_page!("key >= ?1 AND key < ?2"),
        (false, false) => concat_page!("key >= ?1 AND ?2"),
    };
    let mut statement = conn.prepare_cached(sql)?;
    let rows = match &end {
        Some(end) => statement.query_map(params![from.as_bytes(), end.as_bytes(), limit], entry)?,
        None => statement.query_map(params![from.as_bytes(), true, limit], entry)?,
    };
    Ok((rows.collect::<rusqlite::Result<_>>()?, revision))
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        key: Key::new(blob(row, 0)?),
        value: blob(row, 1)?,
        created: Revision(row.get(2)?),
        modified: Revision(row.get(3)?),
    })
}

pub(super) fn blob(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(Bytes::from(row.get::<_, Vec<u8>>(column)?))
}

pub(super) fn lanes(conn: &Connection) -> rusqlite::Result<Vec<LaneHead>> {
    // MAX picks the row whose other columns are read: one step down each lane's index.
    let sql = "SELECT lane.name, item.seq, item.hash FROM lane JOIN lane_item AS item
               ON item.lane = lane.id
               AND item.seq = (SELECT max(seq) FROM lane_item WHERE lane = lane.id) ORDER BY lane.name";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(LaneHead { lane: Lane(row.get(0)?), seq: seq_of(row, 1)?, hash: hash_of(row, 2)? })
    })?;
    rows.collect()
}

pub(super) fn lane(
    conn: &Connection,
    lane: &Lane,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<LaneItem>> {
    let sql = "SELECT seq, hash, body FROM lane_item
               WHERE lane = (SELECT id FROM lane WHERE name = ?1) AND seq > ?2 ORDER BY seq LIMIT ?3";
    let mut statement = conn.prepare_cached(sql)?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![lane.as_str(), after, limit_of(limit)], |row| {
        Ok(LaneItem { seq: seq_of(row, 0)?, hash: hash_of(row, 1)?, body: blob(row, 2)? })
    })?;
    rows.collect()
}

pub(super) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn seq_of(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let seq: i64 = row.get(column)?;
    u64::try_from(seq).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, seq))
}

pub(super) fn hash_of(row: &Row<'_>, column: usize) -> rusqlite::Result<LaneHash> {
    row.get(column).map(LaneHash)
}
