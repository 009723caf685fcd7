//! The audit trail: what an entry says, and how a chain of them is checked.
//!
//! Every run of a server writes its own *lane*: entries numbered from 1, each carrying the
//! SHA-256 of the one before. Every so often all lane heads are signed together as a
//! [`Checkpoint`] and shipped elsewhere. A chain alone does not show that its tail was cut
//! or that all of it was rewritten; a checkpoint kept elsewhere does. Whatever comes after
//! the last checkpoint at hand is *unproved*, and is called so.

use crate::name::{ActorName, ChangeId, IncidentName};
use crate::time::Timestamp;
use ring::digest::{Context, SHA256};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What an entry says. Serialised as JSON, it is the body that the chain covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Rein's time at the commit.
    pub at: Timestamp,
    /// Who; `rein` itself for what happens by arithmetic.
    pub actor: ActorName,
    /// What, such as `switch:off`, `change:extend`, `change:expire`, `token:create`.
    pub verb: String,
    /// On what.
    pub targets: Vec<String>,
    /// The change it made or altered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeId>,
    /// The incident it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentName>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What it altered, in words: before → after.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The idempotency key of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// One link of a lane, as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Place in the lane, from 1, without gaps.
    pub seq: u64,
    /// Hash of the chain up to here.
    pub hash: Hash,
    /// The entry's bytes.
    pub body: Vec<u8>,
}

/// A lane's end at some moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many entries.
    pub seq: u64,
    /// Hash of the chain up to there, in hex.
    pub hash: String,
}

/// All lane heads at one moment, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Rein's time.
    pub at: Timestamp,
    /// Heads by lane.
    pub heads: BTreeMap<String, Head>,
    /// Hash of the checkpoint before, in hex; empty for the first.
    pub previous: String,
    /// Ed25519 (RFC 8032) over [`Checkpoint::signed_bytes`], in hex.
    pub signature: String,
}

/// What does not add up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// An entry is missing or out of order.
    #[error("lane {lane}: entry {expected} is missing (found {found})")]
    Gap {
        /// The lane.
        lane: String,
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// An entry's hash is not what its bytes and the one before give.
    #[error("lane {lane}: entry {seq} was altered")]
    Altered {
        /// The lane.
        lane: String,
        /// The entry.
        seq: u64,
    },
    /// A lane ends before the checkpoint's head, or is gone.
    #[error("lane {lane} ends at {found}, but a checkpoint has seen {expected} entries")]
    Cut {
        /// The lane.
        lane: String,
        /// Entries that the checkpoint saw.
        expected: u64,
        /// Entries found.
        found: u64,
    },
    /// The chain does not pass through the checkpoint's head.
    #[error("lane {lane}: entry {seq} is not the one a checkpoint has seen; the lane was rewritten")]
    Rewritten {
        /// The lane.
        lane: String,
        /// The entry.
        seq: u64,
    },
    /// The signature is not by this key.
    #[error("the checkpoint of {at} is not signed by this key", at = .0.0)]
    Signature(Timestamp),
    /// Not hexadecimal, or of the wrong length.
    #[error("{0} is not a value in hex")]
    Hex(&'static str),
}

/// The hash of a chain after `body`: SHA-256(previous ‖ seq ‖ length ‖ body), numbers as 64 bit big endian.
pub fn link(previous: &Hash, seq: u64, body: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(previous);
    context.update(&seq.to_be_bytes());
    context.update(&(body.len() as u64).to_be_bytes());
    context.update(body);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Walks one lane from its beginning, entry by entry, in bounded memory.
#[derive(Debug, Clone)]
pub struct Walk {
    lane: String,
    seq: u64,
    hash: Hash,
    must_pass: BTreeMap<u64, Hash>,
}

impl Walk {
    /// A walk that must pass through every head a checkpoint has seen of this lane.
    pub fn new(lane: &str, checkpoints: &[Checkpoint]) -> Result<Self, AuditError> {
        let mut must_pass = BTreeMap::new();
        for head in checkpoints.iter().filter_map(|c| c.heads.get(lane)) {
            if head.seq == 0 {
                continue;
            }
            let hash = unhex(&head.hash).and_then(|b| Hash::try_from(b).ok());
            let hash = hash.ok_or(AuditError::Hex("a checkpoint's head"))?;
            if must_pass.insert(head.seq, hash).is_some_and(|before| before != hash) {
                return Err(AuditError::Rewritten { lane: lane.to_owned(), seq: head.seq });
            }
        }
        Ok(Self { lane: lane.to_owned(), seq: 0, hash: [0; 32], must_pass })
    }

    /// Takes the next entry.
    pub fn step(&mut self, link_: &Link) -> Result<(), AuditError> {
        let (lane, seq) = (self.lane.clone(), self.seq + 1);
        if link_.seq != seq {
            return Err(AuditError::Gap { lane, expected: seq, found: link_.seq });
        }
        let hash = link(&self.hash, seq, &link_.body);
        if hash != link_.hash {
            return Err(AuditError::Altered { lane, seq });
        }
        if self.must_pass.get(&seq).is_some_and(|seen| *seen != hash) {
            return Err(AuditError::Rewritten { lane, seq });
        }
        (self.seq, self.hash) = (seq, hash);
        Ok(())
    }

    /// Ends the walk: how many entries are proved by a checkpoint, and how many come after it.
    pub fn finish(self) -> Result<Walked, AuditError> {
        let proved = self.must_pass.last_key_value().map_or(0, |(seq, _)| *seq);
        if proved > self.seq {
            return Err(AuditError::Cut { lane: self.lane, expected: proved, found: self.seq });
        }
        Ok(Walked { lane: self.lane, proved, unproved: self.seq - proved, hash: self.hash })
    }
}

/// What a walk has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// The lane.
    pub lane: String,
    /// Entries up to the last checkpoint at hand.
    pub proved: u64,
    /// Entries after it.
    pub unproved: u64,
    /// Hash at the end.
    pub hash: Hash,
}

impl Checkpoint {
    /// What the signature covers: time, heads and the hash of the checkpoint before.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let unsigned = Self { signature: String::new(), ..self.clone() };
        spelled(&unsigned)
    }

    /// Hash of the whole checkpoint, which the next one carries, in hex.
    pub fn digest(&self) -> String {
        hex(ring::digest::digest(&SHA256, &spelled(self)).as_ref())
    }

    /// Is it signed by this key (32 bytes)?
    pub fn verify(&self, key: &[u8]) -> Result<(), AuditError> {
        let signature = unhex(&self.signature).ok_or(AuditError::Hex("a checkpoint's signature"))?;
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&self.signed_bytes(), &signature)
            .map_err(|_| AuditError::Signature(self.at))
    }
}

/// A spelling of the checkpoint that does not depend on any library's habits.
fn spelled(c: &Checkpoint) -> Vec<u8> {
    let heads: Vec<String> = c.heads.iter().map(|(lane, h)| format!("{lane}:{}:{}", h.seq, h.hash)).collect();
    format!("rein-checkpoint-1\n{}\n{}\n{}\n{}\n", c.at.0, heads.join(","), c.previous, c.signature)
        .into_bytes()
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Hex back to bytes.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(n: u64) -> Vec<Link> {
        let mut hash = [0; 32];
        (1..=n)
            .map(|seq| {
                let body = format!("entry {seq}").into_bytes();
                hash = link(&hash, seq, &body);
                Link { seq, hash, body }
            })
            .collect()
    }

    fn checkpoint(links: &[Link], seq: u64) -> Checkpoint {
        let head = Head { seq, hash: hex(&links[seq as usize - 1].hash) };
        Checkpoint {
            at: Timestamp(1),
            heads: [("a".to_owned(), head)].into(),
            previous: String::new(),
            signature: String::new(),
        }
    }

    fn walk(links: &[Link], checkpoints: &[Checkpoint]) -> Result<Walked, AuditError> {
        let mut walk = Walk::new("a", checkpoints)?;
        links.iter().try_for_each(|l| walk.step(l))?;
        walk.finish()
    }

    #[test]
    fn an_untouched_lane_verifies_and_its_tail_is_unproved() {
        let links = lane(5);
        let walked = walk(&links, &[checkpoint(&links, 3)]).unwrap();
        assert_eq!((walked.proved, walked.unproved), (3, 2));
    }

    /// I16 in small: any byte changed, cut or reordered before the last head is found.
    #[test]
    fn every_mutation_before_the_head_is_found() {
        let links = lane(20);
        let seen = [checkpoint(&links, 20)];
        for at in 0..20 {
            for byte in 0..links[at].body.len() {
                let mut bad = links.clone();
                bad[at].body[byte] ^= 1;
                assert!(walk(&bad, &seen).is_err());
            }
            let mut cut = links.clone();
            cut.remove(at);
            assert!(walk(&cut, &seen).is_err());
            let mut swapped = links.clone();
            swapped.swap(at, (at + 1) % 20);
            assert!(walk(&swapped, &seen).is_err());
        }
        // Rewritten consistently from the start: the chain holds, the checkpoint does not.
        let mut hash = [0; 32];
        let forged: Vec<Link> = (1..=20)
            .map(|seq| {
                let body = format!("forged {seq}").into_bytes();
                hash = link(&hash, seq, &body);
                Link { seq, hash, body }
            })
            .collect();
        assert!(matches!(walk(&forged, &seen), Err(AuditError::Rewritten { seq: 20, .. })));
    }
}
