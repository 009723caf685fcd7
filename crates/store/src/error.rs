//! The one error of every store.

use crate::{LeaseId, Revision};

/// Why a store did not do what it was asked to. Every variant says whether a commit it answers may have
/// happened: see [`StoreError::surely_not_done`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot serve this now; a commit surely did not happen. The text says why.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The commit was sent but its end is not known: it may have happened, or may show later. Resend the
    /// same commit; a condition `Absent(its id)` makes that safe.
    #[error("it is unknown whether the commit happened")]
    Unknown,
    /// Over a limit of [`crate::Commit::validate`]; surely not done, and never will be.
    #[error("too large: {0}")]
    TooLarge(String),
    /// A malformed request; surely not done, and never will be.
    #[error("invalid: {0}")]
    Invalid(String),
    /// The lease is unknown, ended or revoked; a commit surely did not happen.
    #[error("lease {0} has ended")]
    LeaseGone(LeaseId),
    /// The watch asks for history that was pruned: list again, and watch after the list's revision.
    #[error("the history up to revision {oldest} is gone")]
    Compacted {
        /// The oldest revision a watch may still start after.
        oldest: Revision,
    },
    /// No space left; the commit was rolled back and surely did not happen. Reads go on, and writes work
    /// again when there is space.
    #[error("no space left: {0}")]
    Full(String),
    /// The stored bytes contradict themselves; a commit surely did not happen.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

impl StoreError {
    /// True when a commit answered with this error has certainly left no trace and never will.
    #[must_use]
    pub const fn surely_not_done(&self) -> bool {
        !matches!(self, Self::Unknown)
    }
}
