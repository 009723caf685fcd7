//! What one job does inside the group's transaction. Nothing here begins, ends or answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use super::history;
use super::leases::Leases;
use super::readers::{blob, hash_of, meta, seq_of};
use crate::failpoint::hit;
use crate::{
    Batch, Commit, Committed, Entry, Event, Key, Lane, LaneEntry, LaneHash, LeaseId, Must, Op, Outcome,
    Revision, StoreError, chain,
};

/// What a caller asks of the writer.
pub(super) enum Job {
    Commit(Commit),
    /// Marks history as pruned up to here; rows are removed in later groups.
    Compact(Revision),
    Grant(Duration),
    Revoke(LeaseId),
    /// A lease whose time is over.
    Expire(LeaseId),
}

/// What a job that was done answers.
pub(super) enum Done {
    Outcome(Outcome),
    Granted(LeaseId, Duration),
    Ended(LeaseId),
    /// Compaction is marked up to here and waits for its rows to go.
    Marked(i64),
    Nothing,
}

/// The newest item of a lane, as the next one needs it.
#[derive(Clone, Copy)]
struct Tip {
    id: i64,
    seq: u64,
    hash: LaneHash,
}

/// What the writer knows of the file, so that it need not ask; always the state inside the transaction.
pub(super) struct State {
    pub(super) revision: i64,
    /// Loaded when first used; forgotten when a transaction is rolled back.
    tips: HashMap<Lane, Tip>,
    /// Batches of this group, in order, to publish when it is durable.
    pub(super) batches: Vec<Arc<Batch>>,
}

impl State {
    pub(super) fn load(conn: &Connection) -> rusqlite::Result<Self> {
        Ok(Self { revision: meta(conn, "revision")?, tips: HashMap::new(), batches: Vec::new() })
    }

    /// Back to the state before the group.
    pub(super) fn forget(&mut self, revision: i64) {
        self.revision = revision;
        self.tips.clear();
        self.batches.clear();
    }

    /// Each commit gets a revision of its own, although a group could share one: a key written twice in one
    /// group would otherwise have one `modified` for two values, and `Unchanged` could not tell them apart.
    fn advance(&mut self, conn: &Connection, events: Vec<Event>) -> rusqlite::Result<()> {
        self.revision += 1;
        if !events.is_empty() {
            conn.prepare_cached("INSERT INTO history(revision, events) VALUES (?1, ?2)")?
                .execute(params![self.revision, history::encode(&events).as_ref()])?;
            self.batches.push(Arc::new(Batch { at: Revision(self.revision), events }));
        }
        Ok(())
    }
}

/// Does one job. The outer error breaks the whole group; the inner one is this job's answer.
pub(super) fn apply(
    conn: &Connection,
    state: &mut State,
    leases: &Leases,
    job: &Job,
) -> rusqlite::Result<Result<Done, StoreError>> {
    match job {
        Job::Commit(commit) => Ok(apply_commit(conn, state, leases, commit)?.map(Done::Outcome)),
        Job::Compact(keep_after) => {
            let mark = keep_after.0.min(state.revision);
            conn.prepare_cached("UPDATE meta SET value = max(value, ?1) WHERE name = 'compacted'")?
                .execute([mark])?;
            Ok(Ok(Done::Marked(mark)))
        }
        Job::Grant(ttl) => {
            let millis = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
            conn.prepare_cached("INSERT INTO lease(ttl_ms) VALUES (?1)")?.execute([millis])?;
            Ok(Ok(Done::Granted(LeaseId(conn.last_insert_rowid()), *ttl)))
        }
        Job::Revoke(id) if !leases.begin_end(*id) => Ok(Ok(Done::Nothing)),
        Job::Revoke(id) | Job::Expire(id) => {
            hit("before-expire");
            end_lease(conn, state, *id)?;
            Ok(Ok(Done::Ended(*id)))
        }
    }
}

fn end_lease(conn: &Connection, state: &mut State, id: LeaseId) -> rusqlite::Result<()> {
    let events = {
        let mut statement = conn.prepare_cached("DELETE FROM kv WHERE lease = ?1 RETURNING key")?;
        let rows = statement.query_map([id.0], |row| Ok(Event::Delete(Key::new(blob(row, 0)?))))?;
        let mut events = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        events.sort_by(|a, b| a.key().cmp(b.key()));
        events
    };
    if !events.is_empty() {
        state.advance(conn, events)?;
    }
    conn.prepare_cached("DELETE FROM lease WHERE id = ?1")?.execute([id.0])?;
    Ok(())
}

fn apply_commit(
    conn: &Connection,
    state: &mut State,
    leases: &Leases,
    commit: &Commit,
) -> rusqlite::Result<Result<Outcome, StoreError>> {
    if let Some(failed) = first_failing(conn, &commit.must)? {
        return Ok(Ok(Outcome::Refused(failed.clone())));
    }
    hit("after-conditions");
    let now = Instant::now();
    for op in &commit.ops {
        if let Op::Put(_, _, Some(lease)) = op
            && !leases.alive(*lease, now)
        {
            return Ok(Err(StoreError::LeaseGone(*lease)));
        }
    }
    let at = Revision(state.revision + 1);
    let mut events = Vec::with_capacity(commit.ops.len());
    for op in &commit.ops {
        events.extend(apply_op(conn, op, at)?);
        hit("mid-ops");
    }
    if !events.is_empty() || commit.lane.is_some() {
        state.advance(conn, events)?;
    }
    hit("after-ops");
    let lane_seq = match &commit.lane {
        Some(entry) => Some(append(conn, state, entry)?),
        None => None,
    };
    hit("after-lane");
    Ok(Ok(Outcome::At(Committed { revision: Revision(state.revision), lane_seq })))
}

fn first_failing<'a>(conn: &Connection, must: &'a [Must]) -> rusqlite::Result<Option<&'a Must>> {
    for condition in must {
        let found = conn
            .prepare_cached("SELECT created, modified FROM kv WHERE key = ?1")?
            .query_row([condition.key().as_bytes()], |row| Ok((Revision(row.get(0)?), Revision(row.get(1)?))))
            .optional()?;
        if !condition.holds(found) {
            return Ok(Some(condition));
        }
    }
    Ok(None)
}

/// The event it makes; none for a delete of an absent key.
fn apply_op(conn: &Connection, op: &Op, at: Revision) -> rusqlite::Result<Option<Event>> {
    match op {
        Op::Put(key, value, lease) => {
            let sql = "INSERT INTO kv(key, value, created, modified, lease) VALUES (?1, ?2, ?3, ?3, ?4)
                       ON CONFLICT(key) DO UPDATE
                       SET value = excluded.value, modified = excluded.modified, lease = excluded.lease
                       RETURNING created";
            let created = conn
                .prepare_cached(sql)?
                .query_row(params![key.as_bytes(), value.as_ref(), at.0, lease.map(|id| id.0)], |row| {
                    row.get(0)
                })?;
            let entry =
                Entry { key: key.clone(), value: value.clone(), created: Revision(created), modified: at };
            Ok(Some(Event::Put(entry)))
        }
        Op::Delete(key) => {
            let gone = conn.prepare_cached("DELETE FROM kv WHERE key = ?1")?.execute([key.as_bytes()])?;
            Ok((gone > 0).then(|| Event::Delete(key.clone())))
        }
    }
}

/// Chains one entry and returns its seq.
fn append(conn: &Connection, state: &mut State, entry: &LaneEntry) -> rusqlite::Result<u64> {
    let tip = match state.tips.get(&entry.lane) {
        Some(tip) => *tip,
        None => load_tip(conn, &entry.lane)?,
    };
    let seq = tip.seq + 1;
    let hash = chain(&tip.hash, seq, &entry.body);
    let stored = i64::try_from(seq).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    conn.prepare_cached("INSERT INTO lane_item(lane, seq, hash, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![tip.id, stored, hash.0, entry.body.as_ref()])?;
    state.tips.insert(entry.lane.clone(), Tip { id: tip.id, seq, hash });
    Ok(seq)
}

/// The tip of a lane from the file; a new lane is made.
fn load_tip(conn: &Connection, lane: &Lane) -> rusqlite::Result<Tip> {
    let id: Option<i64> = conn
        .prepare_cached("SELECT id FROM lane WHERE name = ?1")?
        .query_row([lane.as_str()], |row| row.get(0))
        .optional()?;
    let Some(id) = id else {
        conn.prepare_cached("INSERT INTO lane(name) VALUES (?1)")?.execute([lane.as_str()])?;
        return Ok(Tip { id: conn.last_insert_rowid(), seq: 0, hash: LaneHash::START });
    };
    let sql = "SELECT seq, hash FROM lane_item WHERE lane = ?1 ORDER BY seq DESC LIMIT 1";
    let tip = conn
        .prepare_cached(sql)?
        .query_row([id], |row| Ok(Tip { id, seq: seq_of(row, 0)?, hash: hash_of(row, 1)? }))
        .optional()?;
    Ok(tip.unwrap_or(Tip { id, seq: 0, hash: LaneHash::START }))
}
