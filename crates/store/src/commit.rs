//! What a commit is made of, what comes back, and the limits every store enforces alike.

use std::collections::HashSet;
use std::fmt;

use bytes::Bytes;

use crate::{Key, LaneEntry, Revision, StoreError};

/// Most conditions in one commit.
pub const MAX_MUST: usize = 16;
/// Most operations in one commit.
pub const MAX_OPS: usize = 16;
/// Most bytes in one commit: all keys of conditions and operations, all values, lane name and lane body.
pub const MAX_BYTES: usize = 256 * 1024;
/// Longest lane name, in bytes.
pub const MAX_LANE_NAME: usize = 256;

/// A lease granted by [`crate::Store::lease`]; never reused by the same store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub i64);

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A key with its value and its place in history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value as it was put; may be empty.
    pub value: Bytes,
    /// The revision that made the key; a key deleted and put again has a new one.
    pub created: Revision,
    /// The revision of the last put: what [`Must::Unchanged`] compares.
    pub modified: Revision,
}

/// A condition of a commit, judged against the state just before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Must {
    /// The key does not exist.
    Absent(Key),
    /// The key exists, whatever it holds.
    Present(Key),
    /// The key exists and was last put at exactly this revision.
    Unchanged(Key, Revision),
    /// The key exists and was made at exactly this revision, however often it was put since: what a leader
    /// sets on its own key, so that a later leader's key, or none, ends its writing.
    Created(Key, Revision),
}

impl Must {
    /// The key the condition is about.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Absent(key) | Self::Present(key) | Self::Unchanged(key, _) | Self::Created(key, _) => key,
        }
    }

    /// Whether the condition holds for a key that was made and last put at these revisions (`None`: there is
    /// no such key).
    #[must_use]
    pub fn holds(&self, found: Option<(Revision, Revision)>) -> bool {
        match self {
            Self::Absent(_) => found.is_none(),
            Self::Present(_) => found.is_some(),
            Self::Unchanged(_, at) => found.is_some_and(|(_, modified)| modified == *at),
            Self::Created(_, at) => found.is_some_and(|(created, _)| created == *at),
        }
    }
}

impl fmt::Display for Must {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(key) => write!(f, "{key} must be absent"),
            Self::Present(key) => write!(f, "{key} must be present"),
            Self::Unchanged(key, at) => write!(f, "{key} must be unchanged since revision {at}"),
            Self::Created(key, at) => write!(f, "{key} must be the one made at revision {at}"),
        }
    }
}

/// One change of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sets the value; with a lease the key vanishes when the lease ends, without one it stays (and a
    /// lease it had before no longer counts).
    Put(Key, Bytes, Option<LeaseId>),
    /// Removes the key; no effect and no event when it is absent.
    Delete(Key),
}

impl Op {
    /// The key the operation writes.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Put(key, ..) | Self::Delete(key) => key,
        }
    }
}

/// Conditions, operations and at most one lane entry: all of it happens, durably, or none of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Commit {
    /// All of these must hold, else nothing happens; at most [`MAX_MUST`].
    pub must: Vec<Must>,
    /// Applied together; at most [`MAX_OPS`].
    pub ops: Vec<Op>,
    /// Appended to its lane in the same transaction.
    pub lane: Option<LaneEntry>,
}

impl Commit {
    /// A commit that does nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition.
    #[must_use]
    pub fn must(mut self, must: Must) -> Self {
        self.must.push(must);
        self
    }

    /// Adds a put without a lease.
    #[must_use]
    pub fn put(mut self, key: impl Into<Key>, value: impl Into<Bytes>) -> Self {
        self.ops.push(Op::Put(key.into(), value.into(), None));
        self
    }

    /// Adds a put whose key vanishes with `lease`.
    #[must_use]
    pub fn put_leased(mut self, key: impl Into<Key>, value: impl Into<Bytes>, lease: LeaseId) -> Self {
        self.ops.push(Op::Put(key.into(), value.into(), Some(lease)));
        self
    }

    /// Adds a delete.
    #[must_use]
    pub fn delete(mut self, key: impl Into<Key>) -> Self {
        self.ops.push(Op::Delete(key.into()));
        self
    }

    /// Sets the lane entry.
    #[must_use]
    pub fn lane(mut self, entry: LaneEntry) -> Self {
        self.lane = Some(entry);
        self
    }

    /// What counts against [`MAX_BYTES`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        let must: usize = self.must.iter().map(|m| m.key().len()).sum();
        let ops = self.ops.iter().map(|op| match op {
            Op::Put(key, value, _) => key.len() + value.len(),
            Op::Delete(key) => key.len(),
        });
        let lane = self.lane.as_ref().map_or(0, |e| e.lane.as_str().len() + e.body.len());
        must + ops.sum::<usize>() + lane
    }

    /// Checks the limits; pure, and called by every store before anything else.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] over [`MAX_MUST`], [`MAX_OPS`] or [`MAX_BYTES`]; [`StoreError::Invalid`] for
    /// an empty key, a key in two conditions or in two operations, or a bad lane name.
    pub fn validate(&self) -> Result<(), StoreError> {
        check_count("conditions", self.must.len(), MAX_MUST)?;
        check_count("operations", self.ops.len(), MAX_OPS)?;
        check_count("bytes", self.bytes(), MAX_BYTES)?;
        check_keys("conditions", self.must.iter().map(Must::key))?;
        check_keys("operations", self.ops.iter().map(Op::key))?;
        match &self.lane {
            Some(entry) if entry.lane.as_str().is_empty() => {
                Err(StoreError::Invalid("the lane has no name".into()))
            }
            Some(entry) if entry.lane.as_str().len() > MAX_LANE_NAME => {
                Err(StoreError::Invalid(format!("the lane's name has more than {MAX_LANE_NAME} bytes")))
            }
            _ => Ok(()),
        }
    }
}

fn check_count(what: &str, found: usize, most: usize) -> Result<(), StoreError> {
    if found > most {
        return Err(StoreError::TooLarge(format!("a commit has at most {most} {what}, this one {found}")));
    }
    Ok(())
}

fn check_keys<'a>(place: &str, keys: impl Iterator<Item = &'a Key>) -> Result<(), StoreError> {
    let mut seen = HashSet::with_capacity(MAX_OPS);
    for key in keys {
        if key.is_empty() {
            return Err(StoreError::Invalid(format!("an empty key in the {place}")));
        }
        if !seen.insert(key) {
            return Err(StoreError::Invalid(format!("key {key} twice in the {place}")));
        }
    }
    Ok(())
}

/// Where a commit landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The revision its keys were modified at, and that a watch may resume after.
    pub revision: Revision,
    /// The sequence number of its lane entry, when it carried one.
    pub lane_seq: Option<u64>,
}

/// The store's answer to a commit it judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything happened and is durable.
    At(Committed),
    /// Nothing happened: this condition, the first that failed, did not hold.
    Refused(Must),
}

impl Outcome {
    /// Where it landed, unless it was refused.
    #[must_use]
    pub const fn committed(&self) -> Option<Committed> {
        match self {
            Self::At(at) => Some(*at),
            Self::Refused(_) => None,
        }
    }
}

/// What happened to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The key was made or its value replaced.
    Put(Entry),
    /// The key was deleted, by an operation or because its lease ended.
    Delete(Key),
}

impl Event {
    /// The key the event is about.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Put(entry) => &entry.key,
            Self::Delete(key) => key,
        }
    }
}

/// All events of one revision whose key has the watched prefix, in order: the only unit a reader may
/// resume after. A lease's end, and commits that share a revision, may put more than [`MAX_OPS`] events
/// into one batch.
///
/// A batch without events says how far a quiet watch has come: up to `at` nothing else happened under its
/// prefix. One comes soon after the store moved on elsewhere, at the latest after [`crate::Store::revision`]
/// told somebody so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The revision; pass it to [`crate::Store::watch`] to go on after this batch.
    pub at: Revision,
    /// The events; no key twice. None: see [`Batch`].
    pub events: Vec<Event>,
}
