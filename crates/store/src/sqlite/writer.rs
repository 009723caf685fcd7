//! The one thread that writes: it takes every waiting job into one transaction, so that all of them pay
//! for one sync of the disk, then publishes and answers.
//!
//! What goes wrong decides what is said. Before COMMIT nothing can have happened. A COMMIT that found no
//! space is rolled back and tried once more, job by job, after the log was written back: so one large commit
//! cannot spoil the others. Any other failing COMMIT may or may not be on disk: its jobs are answered
//! *unknown* and nothing is written any more, because a sync that failed once says nothing when it succeeds
//! the second time.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension};
use tokio::sync::oneshot;

use super::apply::{Done, Job, State, apply};
use super::feed::Hub;
use super::file::{self, Claim};
use super::leases::Leases;
use super::readers::is_damage;
use crate::failpoint::hit;
use crate::{Outcome, StoreError};

/// Most jobs in one transaction.
const GROUP: usize = 256;
/// Most bytes of commits in one transaction (the last may go over): well below the page cache, so that
/// nothing is spilled before COMMIT.
const GROUP_BYTES: usize = 4 << 20;
/// History rows removed per transaction: compaction must not hold up commits.
const PRUNE: i64 = 512;
/// The log is written back at this many pages even when busy. Measured from 512 to 16384: up to 1024 both
/// the throughput and the p99 of 64 clients are at their best, beyond it commits wait for long write-backs.
const LOG_PAGES: i64 = 1024;
/// ... and at this many when nothing was asked for [`IDLE`].
const IDLE_PAGES: i64 = 64;
const IDLE: Duration = Duration::from_millis(100);
/// How long to wait before a lease's end that failed is tried again.
const RETRY: Duration = Duration::from_millis(500);

pub(super) type Answer = Result<Done, StoreError>;

/// What arrives at the writer.
pub(super) enum Request {
    Job(Job, oneshot::Sender<Answer>),
    /// A new size limit in bytes; not transactional.
    MaxBytes(Option<u64>, oneshot::Sender<Answer>),
}

struct Waiting {
    job: Job,
    /// `None` for what the writer asks of itself.
    reply: Option<oneshot::Sender<Answer>>,
}

/// Rows of history that still have to go, and who waits for it.
struct Pruning {
    up_to: i64,
    replies: Vec<oneshot::Sender<Answer>>,
}

/// A group that was not committed.
struct Fault {
    error: StoreError,
    /// COMMIT was called and did not say that it did nothing.
    in_doubt: bool,
    /// Nothing may be written after this.
    fatal: bool,
}

/// Whether a group without space is answered so.
enum LastTry {
    No,
    Yes,
}

pub(super) struct Writer {
    conn: Connection,
    state: State,
    leases: Arc<Leases>,
    hub: Arc<Hub>,
    pruning: Option<Pruning>,
    /// Why nothing is written any more.
    failed: Option<String>,
    /// Whether the log may hold pages that are not yet in the database.
    dirty: bool,
    /// There was no space: the log is written back at the first chance, before it takes what is freed.
    tight: bool,
    /// Lease ends are not tried before.
    not_before: Option<Instant>,
    /// Given back last.
    _claim: Claim,
}

impl Writer {
    pub(super) fn new(
        conn: Connection,
        claim: Claim,
        leases: Arc<Leases>,
        hub: impl FnOnce(i64) -> Arc<Hub>,
    ) -> rusqlite::Result<Self> {
        let state = State::load(&conn)?;
        let hub = hub(state.revision);
        Ok(Self {
            conn,
            state,
            leases,
            hub,
            pruning: None,
            failed: None,
            dirty: true,
            tight: false,
            not_before: None,
            _claim: claim,
        })
    }

    pub(super) fn hub(&self) -> Arc<Hub> {
        Arc::clone(&self.hub)
    }

    /// Until all senders are gone.
    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        loop {
            let first = match requests.recv_timeout(self.patience()) {
                Ok(request) => Some(request),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let idle = first.is_none() && self.pruning.is_none();
            let mut group = self.collect(first, requests);
            group.extend(self.expired().map(|id| Waiting { job: Job::Expire(id), reply: None }));
            if !group.is_empty() || self.pruning.is_some() {
                self.work(group);
            }
            if self.dirty {
                self.checkpoint(if idle { IDLE_PAGES } else { LOG_PAGES });
                self.dirty &= !idle;
            }
        }
        self.close();
    }

    /// How long nothing has to be done unless somebody asks.
    fn patience(&self) -> Duration {
        if self.failed.is_some() {
            return Duration::from_secs(3600);
        }
        if self.pruning.is_some() {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let lease = self.leases.next_deadline().map(|at| at.max(self.not_before.unwrap_or(at)));
        let lease = lease.map_or(Duration::from_secs(3600), |at| at.saturating_duration_since(now));
        if self.dirty { lease.min(IDLE) } else { lease }
    }

    /// `first` and what else is waiting, up to the limits of a group.
    fn collect(&mut self, first: Option<Request>, requests: &Receiver<Request>) -> Vec<Waiting> {
        let (mut group, mut bytes) = (Vec::new(), 0);
        let mut next = first;
        while let Some(request) = next {
            match request {
                Request::Job(job, reply) => {
                    bytes += if let Job::Commit(commit) = &job { commit.bytes() } else { 0 };
                    group.push(Waiting { job, reply: Some(reply) });
                }
                Request::MaxBytes(bytes, reply) => {
                    let set = file::set_max_bytes(&self.conn, bytes);
                    let set = set.map_err(|error| StoreError::Unavailable(error.to_string()));
                    // Who asked may have gone away.
                    let _ = reply.send(set.map(|()| Done::Nothing));
                }
            }
            let more = group.len() < GROUP && bytes < GROUP_BYTES;
            next = if more { requests.try_recv().ok() } else { None };
        }
        group
    }

    fn expired(&self) -> impl Iterator<Item = crate::LeaseId> + use<> {
        let now = Instant::now();
        let due = self.failed.is_none()
            && self.not_before.is_none_or(|at| at <= now)
            && self.leases.next_deadline().is_some_and(|at| at <= now);
        if due { self.leases.expire(now) } else { Vec::new() }.into_iter()
    }

    fn work(&mut self, group: Vec<Waiting>) {
        let Some(group) = self.serve(group, LastTry::No) else { return };
        // No space, and nothing happened. Written back, the log needs none for a while; then one by one, so
        // that whoever still fits is served.
        self.checkpoint(IDLE_PAGES);
        if group.is_empty() {
            // Only a pruning was at work.
            self.serve(group, LastTry::Yes);
            return;
        }
        for waiting in group {
            self.serve(vec![waiting], LastTry::Yes);
        }
    }

    /// Answers the group; or gives it back when there was no space and it may be tried once more.
    fn serve(&mut self, group: Vec<Waiting>, last: LastTry) -> Option<Vec<Waiting>> {
        if let Some(why) = &self.failed {
            let error = StoreError::Unavailable(why.clone());
            self.fail(group, &error);
            return None;
        }
        let mut answers = Vec::with_capacity(group.len());
        match self.attempt(&group, &mut answers) {
            Ok(pruned) => self.finish(group, answers, pruned),
            Err(fault) if matches!((&fault.error, &last), (StoreError::Full(_), LastTry::No)) => {
                (self.tight, self.dirty) = (true, true);
                self.restore(&group);
                return Some(group);
            }
            Err(fault) => self.give_up(group, fault, answers),
        }
        None
    }

    /// One transaction. Fills in the answers, as they would be if it is not committed, and tells whether a
    /// pruning is done with this, if there is one.
    fn attempt(&mut self, group: &[Waiting], answers: &mut Vec<Answer>) -> Result<Option<bool>, Fault> {
        let before = self.state.revision;
        let fault = match self.fill(group, answers) {
            Ok(pruned) => {
                hit("before-commit");
                match self.execute("COMMIT") {
                    Ok(()) => {
                        hit("after-commit");
                        self.dirty = true;
                        return Ok(pruned);
                    }
                    Err(error) => self.undo(&error, true),
                }
            }
            Err(error) => self.undo(&error, false),
        };
        self.state.forget(before);
        Err(fault)
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.conn.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// Everything between BEGIN and COMMIT.
    fn fill(&mut self, group: &[Waiting], answers: &mut Vec<Answer>) -> rusqlite::Result<Option<bool>> {
        let before = self.state.revision;
        hit("before-begin");
        self.execute("BEGIN IMMEDIATE")?;
        hit("after-begin");
        for waiting in group {
            answers.push(apply(&self.conn, &mut self.state, &self.leases, &waiting.job)?);
        }
        if self.state.revision != before {
            self.conn
                .prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'revision'")?
                .execute([self.state.revision])?;
        }
        self.pruning.as_ref().map(|pruning| prune(&self.conn, pruning.up_to)).transpose()
    }

    /// Rolls back and judges the error.
    fn undo(&self, error: &rusqlite::Error, at_commit: bool) -> Fault {
        let rolled_back = self.conn.is_autocommit() || self.conn.execute_batch("ROLLBACK").is_ok();
        let text = error.to_string();
        let code = error.sqlite_error_code();
        match code {
            Some(ErrorCode::DiskFull) if rolled_back => {
                Fault { error: StoreError::Full(text), in_doubt: false, fatal: false }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OutOfMemory)
                if rolled_back && !at_commit =>
            {
                Fault { error: StoreError::Unavailable(text), in_doubt: false, fatal: false }
            }
            Some(code) if is_damage(code) => {
                Fault { error: StoreError::Damaged(text), in_doubt: at_commit, fatal: true }
            }
            _ => Fault { error: StoreError::Unavailable(text), in_doubt: at_commit, fatal: true },
        }
    }

    /// The group is durable: leases, watchers, callers, in this order.
    fn finish(&mut self, group: Vec<Waiting>, answers: Vec<Answer>, pruned: Option<bool>) {
        let now = Instant::now();
        for answer in &answers {
            match answer {
                Ok(Done::Granted(id, ttl)) => self.leases.grant(*id, *ttl, now),
                Ok(Done::Ended(id)) => self.leases.finish(*id),
                _ => {}
            }
        }
        self.hub.publish(self.state.batches.drain(..), self.state.revision);
        hit("after-publish");
        if pruned == Some(true) {
            for reply in self.pruning.take().into_iter().flat_map(|pruning| pruning.replies) {
                let _ = reply.send(Ok(Done::Nothing));
            }
        }
        for (waiting, answer) in group.into_iter().zip(answers) {
            match (answer, waiting.reply) {
                (Ok(Done::Marked(up_to)), Some(reply)) => {
                    let pruning = self.pruning.get_or_insert(Pruning { up_to, replies: Vec::new() });
                    pruning.up_to = pruning.up_to.max(up_to);
                    pruning.replies.push(reply);
                }
                // Who asked may have gone away; what was done stays done.
                (answer, Some(reply)) => drop(reply.send(answer)),
                (_, None) => {}
            }
            hit("mid-answer");
        }
        hit("after-answer");
    }

    /// The group is not durable, or nobody knows.
    fn give_up(&mut self, group: Vec<Waiting>, fault: Fault, answers: Vec<Answer>) {
        tracing::error!(error = %fault.error, in_doubt = fault.in_doubt, fatal = fault.fatal, "commit failed");
        self.not_before = Some(Instant::now() + RETRY);
        if fault.fatal {
            self.stop_writing(&fault.error);
        }
        if !fault.in_doubt {
            self.fail(group, &fault.error);
            return;
        }
        for (waiting, answer) in group.into_iter().zip(answers) {
            // A refusal changes nothing, but it was judged on a state that may not last.
            let harmless = !matches!(
                answer,
                Ok(Done::Outcome(Outcome::At(_)) | Done::Granted(..) | Done::Ended(_) | Done::Marked(_))
            );
            let error = if harmless { fault.error.clone() } else { StoreError::Unknown };
            if let Some(reply) = waiting.reply {
                let _ = reply.send(Err(error));
            }
        }
        self.fail(Vec::new(), &StoreError::Unknown);
    }

    fn stop_writing(&mut self, error: &StoreError) {
        self.failed = Some(format!(
            "writing stopped after an I/O error ({error}); check the disk, then restart. Reads go on"
        ));
        file::keep_log(&self.conn);
    }

    /// Answers all with `error`, also those who wait for a pruning.
    fn fail(&mut self, group: Vec<Waiting>, error: &StoreError) {
        self.restore(&group);
        for waiting in group {
            if let Some(reply) = waiting.reply {
                let _ = reply.send(Err(error.clone()));
            }
        }
        for reply in self.pruning.take().into_iter().flat_map(|pruning| pruning.replies) {
            let _ = reply.send(Err(error.clone()));
        }
    }

    /// Leases whose end was asked for and did not come.
    fn restore(&self, group: &[Waiting]) {
        for waiting in group {
            if let Job::Revoke(id) = waiting.job {
                self.leases.restore(id);
            }
        }
    }

    /// Writes the log back into the database when it has at least `pages`; the next commits then start at
    /// the log's beginning again.
    fn checkpoint(&mut self, pages: i64) {
        if self.failed.is_some() {
            return;
        }
        let waiting = self.log("PRAGMA wal_checkpoint(NOOP)").map(|(log, written)| log - written);
        let done = match waiting {
            Ok(waiting) if waiting < if self.tight { 1 } else { pages } => return,
            Ok(_) => {
                hit("before-checkpoint");
                let done = self.log("PRAGMA wal_checkpoint(PASSIVE)").map(|_| ());
                hit("after-checkpoint");
                done
            }
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => self.tight = false,
            // The log keeps everything; there will be another try.
            Err(error) if matches!(error.sqlite_error_code(), Some(ErrorCode::DiskFull)) => {
                tracing::warn!(%error, "no space to checkpoint");
            }
            Err(error) => self.stop_writing(&StoreError::Unavailable(error.to_string())),
        }
    }

    /// Pages in the log, and how many of them are in the database.
    fn log(&self, sql: &str) -> rusqlite::Result<(i64, i64)> {
        self.conn.prepare_cached(sql)?.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
    }

    fn close(mut self) {
        self.hub.close();
        self.fail(Vec::new(), &StoreError::Unavailable("the store was closed".into()));
        if self.failed.is_none()
            && let Err(error) = self.log("PRAGMA wal_checkpoint(TRUNCATE)")
        {
            tracing::warn!(%error, "the log stays for the next start");
        }
    }
}

/// Removes some rows; true when none is left.
fn prune(conn: &Connection, up_to: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT revision FROM history WHERE revision <= ?1 ORDER BY revision LIMIT 1 OFFSET ?2";
    let last: Option<i64> =
        conn.prepare_cached(sql)?.query_row([up_to, PRUNE - 1], |row| row.get(0)).optional()?;
    hit("during-compact");
    conn.prepare_cached("DELETE FROM history WHERE revision <= ?1")?.execute([last.unwrap_or(up_to)])?;
    Ok(last.is_none())
}
