//! Lanes: append-only lists in which every item's hash covers all items before it.
//!
//! The store only chains bytes. The functions here are pure, so that whoever verifies an exported lane
//! computes exactly what the store computed.

use std::fmt;

use bytes::Bytes;
use ring::digest::{Context, SHA256};

/// The name of a lane: 1 to 256 bytes (see [`crate::Commit::validate`]).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(pub String);

impl Lane {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Lane {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_debug())
    }
}

/// An SHA-256 hash in a lane's chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneHash(pub [u8; 32]);

impl LaneHash {
    /// What the first item is chained to.
    pub const START: Self = Self([0; 32]);
}

impl fmt::Display for LaneHash {
    /// 64 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LaneHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LaneHash({self})")
    }
}

/// What a commit appends to a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneEntry {
    /// The lane; it begins to exist with its first entry.
    pub lane: Lane,
    /// Any bytes; they count against the commit's size.
    pub body: Bytes,
}

/// An item as it lies in the lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneItem {
    /// 1 for the first, then without a gap.
    pub seq: u64,
    /// [`chain`] of the item before, this seq and this body.
    pub hash: LaneHash,
    /// The bytes as they were committed.
    pub body: Bytes,
}

/// The newest item of a lane, without its body. Who keeps it can tell later that nothing before it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneHead {
    /// The lane.
    pub lane: Lane,
    /// How many items it has.
    pub seq: u64,
    /// The hash of the newest.
    pub hash: LaneHash,
}

/// SHA-256(`previous` ‖ `seq` as u64 big-endian ‖ length of `body` as u64 big-endian ‖ `body`).
#[must_use]
pub fn chain(previous: &LaneHash, seq: u64, body: &[u8]) -> LaneHash {
    let mut context = Context::new(&SHA256);
    context.update(&previous.0);
    context.update(&seq.to_be_bytes());
    context.update(&(body.len() as u64).to_be_bytes());
    context.update(body);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    LaneHash(hash)
}

/// Where and how a lane is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaneBroken {
    /// An item is missing, doubled or out of order.
    #[error("item {expected} was expected, item {found} found")]
    Gap {
        /// The seq that had to come.
        expected: u64,
        /// The seq that came.
        found: u64,
    },
    /// The item's hash is not what its body and the items before give.
    #[error("item {seq} does not match its hash: it, or one before it, was altered")]
    Hash {
        /// The item.
        seq: u64,
    },
}

/// Checks that `items` follow the item (`seq`, `hash`) without a gap and with right hashes, and returns
/// the newest pair. Begin with `(0, LaneHash::START)`; pages of a lane are checked one after the other.
///
/// # Errors
/// The first place at which the chain is broken.
pub fn verify(after: (u64, LaneHash), items: &[LaneItem]) -> Result<(u64, LaneHash), LaneBroken> {
    items.iter().try_fold(after, |(seq, hash), item| {
        if item.seq != seq + 1 {
            return Err(LaneBroken::Gap { expected: seq + 1, found: item.seq });
        }
        if item.hash != chain(&hash, item.seq, &item.body) {
            return Err(LaneBroken::Hash { seq: item.seq });
        }
        Ok((item.seq, item.hash))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(bodies: &[&'static str]) -> Vec<LaneItem> {
        let mut hash = LaneHash::START;
        let items = bodies.iter().zip(1..).map(|(body, seq)| {
            hash = chain(&hash, seq, body.as_bytes());
            LaneItem { seq, hash, body: Bytes::from(*body) }
        });
        items.collect()
    }

    /// Computed once with `sha256sum` over the concatenated fields.
    #[test]
    fn the_first_hash_is_the_published_formula() {
        let expected = "8828ca19458e3a513cefed949bcf8f465305dafb88153bbb04dee13d18fddd8d";
        assert_eq!(chain(&LaneHash::START, 1, b"hello").to_string(), expected);
    }

    #[test]
    fn a_whole_lane_verifies_in_pages() {
        let items = lane(&["a", "b", "", "d"]);
        let middle = verify((0, LaneHash::START), &items[..2]).unwrap();
        assert_eq!(verify(middle, &items[2..]), Ok((4, items[3].hash)));
    }

    #[test]
    fn any_change_cut_or_swap_is_found() {
        let start = (0, LaneHash::START);
        let items = lane(&["a", "b", "c"]);
        let mut changed = items.clone();
        changed[1].body = Bytes::from("B");
        assert_eq!(verify(start, &changed), Err(LaneBroken::Hash { seq: 2 }));
        let cut = [items[0].clone(), items[2].clone()];
        assert_eq!(verify(start, &cut), Err(LaneBroken::Gap { expected: 2, found: 3 }));
        let mut swapped = items;
        swapped.swap(0, 1);
        assert_eq!(verify(start, &swapped), Err(LaneBroken::Gap { expected: 1, found: 2 }));
    }

    /// Everything before a head that somebody kept elsewhere is covered: no bit can be flipped, no item
    /// cut, doubled or moved without the lane breaking or ending at another head.
    #[test]
    fn no_change_before_a_kept_head_goes_unnoticed() {
        let items = lane(&["open", "", "close", "close", "done"]);
        let start = (0, LaneHash::START);
        let head = verify(start, &items).unwrap();
        let noticed = |altered: &[LaneItem]| verify(start, altered) != Ok(head);
        for at in 0..items.len() {
            for bit in 0..items[at].body.len() * 8 {
                let mut body = items[at].body.to_vec();
                body[bit / 8] ^= 1 << (bit % 8);
                let mut altered = items.clone();
                altered[at].body = body.into();
                assert!(noticed(&altered), "bit {bit} of body {at}");
            }
            for bit in 0..256 {
                let mut altered = items.clone();
                altered[at].hash.0[bit / 8] ^= 1 << (bit % 8);
                assert!(noticed(&altered), "bit {bit} of hash {at}");
            }
            for other in (0..items.len()).filter(|other| *other != at) {
                let mut altered = items.clone();
                altered.swap(at, other);
                assert!(noticed(&altered), "items {at} and {other} swapped");
            }
            let mut cut = items.clone();
            cut.remove(at);
            assert!(noticed(&cut), "item {at} cut");
            let mut doubled = items.clone();
            doubled.insert(at, items[at].clone());
            assert!(noticed(&doubled), "item {at} doubled");
        }
    }
}
