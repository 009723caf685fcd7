//! Restoring: a checked backup goes into an empty store, which is then another one, and held.
//!
//! Beside the gate, because nobody can pass a gate that is not built yet: no server runs on the store, and
//! the first commit makes sure that none can begin to before the last.

use super::read::Lines;
use super::{BackupError, Header, Line, examine};
use crate::error::AppError;
use crate::reconcile::{older, rein};
use crate::records::{self, HeldRecord, OriginRecord};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use rein_domain::audit::{Entry, hex};
use rein_domain::time::Timestamp;
use rein_store::{Commit, Key, Lane, LaneEntry, Must, Op, Outcome, Store, StoreError};
use std::io::{BufRead, Seek};

/// Commits under way at once: a store puts them into one transaction.
const AT_ONCE: usize = 256;
/// Most bytes of records in one commit, well below what a store takes.
const MOST_BYTES: usize = 200 * 1024;
/// Most records in one commit.
const MOST_OPS: usize = 16;

/// Why a backup was not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// It is no good.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Something is there already.
    #[error("the store is not empty; nothing was changed")]
    NotEmpty,
    /// Only a newer version may write what is in it.
    #[error("the backup is of a store for writers of generation {needs} or newer, and this one is of {own}")]
    TooOld {
        /// The generation it takes.
        needs: u32,
        /// This one's.
        own: u32,
    },
    /// The store failed on the way.
    #[error("the restore was not finished: {0}")]
    Store(#[from] AppError),
}

impl From<StoreError> for RestoreError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub from: Header,
    /// The store's new epoch.
    pub epoch: String,
    /// Records written.
    pub records: u64,
    /// Audit entries written.
    pub entries: u64,
}

/// Checks a backup and brings it into an empty store. `wall`: this machine's time.
///
/// # Errors
/// A backup that is no good, or a store that is not empty, is found before anything is written.
pub async fn restore(
    store: &dyn Store,
    mut from: impl BufRead + Seek,
    wall: Timestamp,
) -> Result<Restored, RestoreError> {
    let header = examine(&mut from)?;
    if header.min_writer > records::WRITER {
        return Err(RestoreError::TooOld { needs: header.min_writer, own: records::WRITER });
    }
    from.rewind().map_err(BackupError::Read)?;
    let snapshot = store.snapshot().await?;
    if !snapshot.entries.is_empty() || !snapshot.lanes.is_empty() {
        return Err(RestoreError::NotEmpty);
    }
    let begin = Commit::new()
        .must(Must::Absent(records::EPOCH.into()))
        .must(Must::Absent(records::RESTORING.into()))
        .put(records::RESTORING, header.epoch.clone());
    let Outcome::At(_) = store.commit(begin).await? else { return Err(RestoreError::NotEmpty) };
    let now = wall.max(header.at);
    let (records, entries) = write(store, &mut Lines::new(from), now).await?;
    for head in store.lanes().await? {
        let should = header.lanes.get(head.lane.as_str());
        if should.is_none_or(|h| h.seq != head.seq || h.hash != head.hash.to_string()) {
            return Err(broken(format!("lane {} came out different", head.lane)).into());
        }
    }
    let epoch = hex(&rand::random::<[u8; 8]>());
    finish(store, &header, &epoch, now).await?;
    Ok(Restored { from: header, epoch, records, entries })
}

async fn write(
    store: &dyn Store,
    lines: &mut Lines<impl BufRead>,
    now: Timestamp,
) -> Result<(u64, u64), RestoreError> {
    let (mut records, mut entries) = (0, 0);
    let mut ops: Vec<Op> = Vec::new();
    let mut bytes = 0;
    let mut under_way = FuturesOrdered::new();
    lines.header()?;
    loop {
        let line = lines.next()?;
        let full = ops.len() == MOST_OPS || bytes > MOST_BYTES;
        let over = !matches!(line, Some(Line::Record(_)));
        if !ops.is_empty() && (full || over) {
            let commit = Commit { ops: std::mem::take(&mut ops), ..Commit::default() };
            bytes = 0;
            under_way.push_back(put(store, commit, None));
        }
        match line {
            None => break,
            Some(Line::Backup(_)) => return Err(lines.wrong("a second beginning".into()).into()),
            Some(Line::Record(record)) => {
                let parts = record.key.bytes().zip(record.value.bytes());
                let (key, value) = parts.ok_or_else(|| lines.wrong("not a record".into()))?;
                let key = Key::from(key);
                if comes_back(&key, now) {
                    bytes += key.len() + value.len();
                    ops.push(Op::Put(key, Bytes::from(value), None));
                    records += 1;
                }
            }
            Some(Line::Entry(link)) => {
                let body = link.body.bytes().ok_or_else(|| lines.wrong("not an entry".into()))?;
                let entry = LaneEntry { lane: Lane(link.lane), body: body.into() };
                let commit = Commit { lane: Some(entry), ..Commit::default() };
                under_way.push_back(put(store, commit, Some(link.seq)));
                entries += 1;
            }
        }
        while under_way.len() >= AT_ONCE {
            under_way.next().await.transpose()?;
        }
    }
    while let Some(done) = under_way.next().await {
        done?;
    }
    Ok((records, entries))
}

/// A commit that must happen, with its entry at this place. One whose outcome is unknown is not tried again:
/// its entry could come twice. What is half restored is thrown away.
async fn put(store: &dyn Store, commit: Commit, seq: Option<u64>) -> Result<(), AppError> {
    match store.commit(commit).await? {
        Outcome::At(at) if at.lane_seq == seq => Ok(()),
        _ => Err(broken("somebody else writes into the store".into())),
    }
}

/// Makes it a store of its own, held until somebody accepts what came back.
async fn finish(store: &dyn Store, from: &Header, epoch: &str, now: Timestamp) -> Result<(), AppError> {
    let origin = OriginRecord { epoch: from.epoch.clone(), revision: from.revision, at: from.at };
    let held = HeldRecord { since: now, restored: Some(origin), behind: Vec::new() };
    let entry = Entry {
        at: now,
        actor: rein(),
        verb: "server:restore".to_owned(),
        targets: vec!["server".to_owned()],
        change: None,
        incident: None,
        reason: String::new(),
        detail: format!("epoch {} at revision {} → epoch {epoch}", from.epoch, from.revision),
        key: None,
    };
    let lane = LaneEntry { lane: Lane(format!("lane-{epoch}")), body: records::encode(&entry)? };
    let commit = Commit::new()
        .must(Must::Present(records::RESTORING.into()))
        .must(Must::Absent(records::EPOCH.into()))
        .delete(records::RESTORING)
        .put(records::EPOCH, epoch.to_owned())
        .put(records::HELD, records::encode(&held)?)
        .lane(lane);
    match store.commit(commit).await? {
        Outcome::At(_) => Ok(()),
        Outcome::Refused(_) => Err(broken("somebody else writes into the store".into())),
    }
}

/// What a store that begins anew takes over.
fn comes_back(key: &Key, now: Timestamp) -> bool {
    let bytes = key.as_bytes();
    let own = [records::EPOCH, records::HELD, records::RESTORING, records::LEADER];
    !own.iter().any(|own| bytes == own.as_bytes())
        && !bytes.starts_with(records::SESSION.as_bytes())
        && !older(key, now.minus(crate::gate::KEY_KEPT))
}

fn broken(what: String) -> AppError {
    AppError::new(rein_api::ErrorCode::Unavailable, what)
        .hint("throw away what was half restored, then restore again")
}
