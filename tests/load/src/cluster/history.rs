//! What clients did and what they were told: the material that is judged. Nothing here judges.
//!
//! A layer is known by its *tag*, a number that the client writes into the change's reason. So a layer is
//! recognised in reads although its change's id was never answered.

use std::time::Duration;

/// One call of a client, retries of the same key included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) client: usize,
    /// When it was first sent, since the run began, by a steady clock.
    pub(crate) from: Duration,
    /// When its last answer came.
    pub(crate) to: Duration,
    pub(crate) what: What,
    pub(crate) told: Told,
    /// Its idempotency key, of a write.
    pub(crate) key: String,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A layer over these targets; `seen`: only if the one target has not moved since.
    Lay {
        tag: u32,
        targets: Vec<usize>,
        seen: Option<i64>,
    },
    End {
        tag: u32,
        targets: Vec<usize>,
    },
    Extend {
        tag: u32,
        targets: Vec<usize>,
    },
    Read {
        target: usize,
        how: How,
    },
}

impl What {
    /// The targets it is about.
    pub(crate) fn targets(&self) -> &[usize] {
        match self {
            Self::Lay { targets, .. } | Self::End { targets, .. } | Self::Extend { targets, .. } => targets,
            Self::Read { target, .. } => std::slice::from_ref(target),
        }
    }

    /// Whether it alters something.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self, Self::Read { .. })
    }
}

/// How fresh a read is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// `?consistent=true`.
    Consistent,
    /// As fresh as what the client has seen.
    Ordinary,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// The write is recorded, at this revision at the latest.
    Done { most: i64 },
    /// The target's revision, the tags of its layers (sorted; one that is there twice stands twice), and the
    /// revision in the answer's header.
    View { revision: i64, layers: Vec<u32>, header: i64 },
    /// Refused because the target moved since `seen`.
    Moved,
    /// Refused because the layer is over.
    Over,
    /// Refused for want of the store or the session: it did not happen, and will not.
    Refused,
    /// It may have happened, or may still.
    Unknown,
}

/// The state of a target as one read showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) revision: i64,
    pub(crate) layers: Vec<u32>,
}
