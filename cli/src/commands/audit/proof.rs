//! What the trail shows: pure, so that a test can forge trails.

use rein_domain::audit::{AuditError, Checkpoint, Link, Walk, Walked, hex};
use serde::Serialize;

/// Something that does not add up, beside what a single lane shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Within lanes and checkpoints.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The server signs with another key than the one pinned.
    #[error("the server signs with key {there}, not with the key pinned")]
    Key {
        /// The server's.
        there: String,
    },
    /// A checkpoint does not carry the hash of the one before.
    #[error("the checkpoint of {at} does not follow the one before it: one was left out or replaced")]
    Chain {
        /// When it was signed.
        at: i64,
    },
    /// A checkpoint kept outside is not in the server's chain.
    #[error("the server does not know a checkpoint of {at} that was kept outside: its chain is another")]
    Forked {
        /// When it was signed.
        at: i64,
    },
}

/// Checks signatures, the chain of the server's checkpoints, and that those kept outside lie in it.
pub(super) fn checkpoints(key: &[u8], ours: &[Checkpoint], outside: &[Checkpoint]) -> Result<(), Fault> {
    for checkpoint in outside.iter().chain(ours) {
        checkpoint.verify(key)?;
    }
    for pair in ours.windows(2) {
        if pair[1].previous != pair[0].digest() {
            return Err(Fault::Chain { at: pair[1].at.0 });
        }
    }
    let Some(first) = ours.first() else {
        return outside.first().map_or(Ok(()), |lone| Err(Fault::Forked { at: lone.at.0 }));
    };
    let known: Vec<String> = ours.iter().map(Checkpoint::digest).collect();
    // Older ones than the server still lists are checked by the walk alone.
    match outside.iter().find(|kept| kept.at >= first.at && !known.contains(&kept.digest())) {
        Some(kept) => Err(Fault::Forked { at: kept.at.0 }),
        None => Ok(()),
    }
}

/// One lane, walked twice at once: against the server's own checkpoints and against those outside.
pub(super) struct Lane {
    own: Walk,
    outside: Walk,
}

/// What a lane has shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LaneProof {
    /// The lane.
    pub(super) lane: String,
    /// Entries proved by a head kept outside.
    pub(super) proved: u64,
    /// Entries proved only by heads that the server itself shows.
    pub(super) signed: u64,
    /// Entries after the last head.
    pub(super) unproved: u64,
    /// Hash at the end, in hex.
    pub(super) hash: String,
}

impl Lane {
    pub(super) fn new(lane: &str, ours: &[Checkpoint], outside: &[Checkpoint]) -> Result<Self, Fault> {
        Ok(Self { own: Walk::new(lane, ours)?, outside: Walk::new(lane, outside)? })
    }

    pub(super) fn step(&mut self, link: &Link) -> Result<(), Fault> {
        self.own.step(link)?;
        Ok(self.outside.step(link)?)
    }

    pub(super) fn finish(self) -> Result<LaneProof, Fault> {
        let Walked { lane, proved: by_own, unproved, hash } = self.own.finish()?;
        let whole = by_own + unproved;
        let proved = self.outside.finish()?.proved;
        let signed = by_own.saturating_sub(proved);
        Ok(LaneProof { lane, proved, signed, unproved: whole - proved - signed, hash: hex(&hash) })
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
