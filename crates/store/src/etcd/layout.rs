//! Where things lie in etcd, and the form of what the store itself writes. Pure.
//!
//! Under the store's prefix:
//!
//! | key | value |
//! |---|---|
//! | `k/KEY` | a caller's value; its revisions are etcd's `create_revision` and `mod_revision` |
//! | `l/LANE/SEQ` | a *chunk*: the lane items that one group appended, named by the seq of its last item |
//! | `h/LANE` | the lane's head: seq and hash |
//! | `w/SESSION` | the number of the last group a writer sent; goes with the writer's lease |
//! | `format` | the number of this layout |
//!
//! LANE is escaped: every byte but letters, digits, `.`, `_` and `-` becomes `%XX`, so that no lane's chunks
//! lie among another's. SEQ has 20 digits, so that order is order. A chunk named by its *last* item is found
//! by a plain range from the first seq that is wanted, also when that lies in its middle.

use bytes::{Buf, Bytes};

use crate::{Key, Lane, LaneHash, LaneItem, StoreError};

/// The number under `format`. A store that finds another does not touch anything.
pub(super) const FORMAT: &[u8] = b"1";

/// A range of etcd's keys: from the first to before the second.
pub(super) type Span = (Vec<u8>, Vec<u8>);

/// The newest item of a lane, as its head says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) seq: u64,
    pub(super) hash: LaneHash,
}

impl Tip {
    /// Before the first item.
    pub(super) const START: Self = Self { seq: 0, hash: LaneHash::START };

    pub(super) fn encode(&self) -> Vec<u8> {
        [self.seq.to_be_bytes().as_slice(), &self.hash.0].concat()
    }

    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let (seq, hash) = value.split_first_chunk::<8>()?;
        Some(Self { seq: u64::from_be_bytes(*seq), hash: LaneHash(hash.try_into().ok()?) })
    }
}

/// The prefix under which everything lies.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    prefix: Vec<u8>,
}

impl Layout {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.as_bytes().to_vec() }
    }

    fn at(&self, kind: &[u8], rest: &[u8]) -> Vec<u8> {
        [&self.prefix, kind, rest].concat()
    }

    pub(super) fn format(&self) -> Vec<u8> {
        self.at(b"format", b"")
    }

    pub(super) fn session(&self, id: &str) -> Vec<u8> {
        self.at(b"w/", id.as_bytes())
    }

    pub(super) fn key(&self, key: &Key) -> Vec<u8> {
        self.at(b"k/", key.as_bytes())
    }

    /// The caller's key of one of ours; shares the bytes.
    pub(super) fn name(&self, raw: Vec<u8>) -> Key {
        let own = (self.prefix.len() + 2).min(raw.len());
        Key::new(Bytes::from(raw).slice(own..))
    }

    /// All keys that have `prefix`, or those of them that come after `after`.
    pub(super) fn keys(&self, prefix: &Key, after: Option<&Key>) -> Span {
        let (mut start, end) = span(self.key(prefix));
        if let Some(after) = after {
            let mut next = self.key(after);
            next.push(0);
            start = start.max(next);
        }
        (start, end)
    }

    pub(super) fn head(&self, lane: &Lane) -> Vec<u8> {
        self.at(b"h/", escape(lane).as_bytes())
    }

    pub(super) fn heads(&self) -> Span {
        span(self.at(b"h/", b""))
    }

    /// The lane whose head lies at `raw`.
    pub(super) fn lane_of(&self, raw: &[u8]) -> Option<Lane> {
        unescape(raw.get(self.prefix.len() + 2..)?).map(Lane)
    }

    pub(super) fn chunk(&self, lane: &Lane, last: u64) -> Vec<u8> {
        self.at(b"l/", format!("{}/{last:020}", escape(lane)).as_bytes())
    }

    /// The chunks that hold items after `after`.
    pub(super) fn chunks(&self, lane: &Lane, after: u64) -> Span {
        let (_, end) = span(self.at(b"l/", format!("{}/", escape(lane)).as_bytes()));
        (self.chunk(lane, after.saturating_add(1)), end)
    }

    /// The seq of the last item of the chunk at `raw`.
    pub(super) fn last_of(raw: &[u8]) -> Option<u64> {
        let digits = raw.last_chunk::<20>()?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

/// Everything that begins with `start`, which does not end in 0xFF at all places: it has a `/`.
fn span(start: Vec<u8>) -> Span {
    let end = Key::from(start.clone()).prefix_end().map_or_else(|| vec![0], |end| end.as_bytes().to_vec());
    (start, end)
}

fn escape(lane: &Lane) -> String {
    let mut text = String::with_capacity(lane.as_str().len());
    for byte in lane.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn unescape(raw: &[u8]) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(raw.len()), raw);
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let (digits, tail) = tail.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Adds one item to a chunk: hash, length, body.
pub(super) fn push_item(chunk: &mut Vec<u8>, hash: &LaneHash, body: &[u8]) {
    chunk.extend_from_slice(&hash.0);
    // A body has at most 256 KiB: see `Commit::validate`.
    chunk.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    chunk.extend_from_slice(body);
}

/// The items of a chunk whose last has the seq `last`.
pub(super) fn items(last: u64, mut chunk: Bytes) -> Result<Vec<LaneItem>, StoreError> {
    let damaged = || StoreError::Damaged(format!("the lane items up to {last} cannot be read"));
    let mut items = Vec::new();
    while !chunk.is_empty() {
        if chunk.len() < 36 {
            return Err(damaged());
        }
        let mut hash = [0; 32];
        chunk.copy_to_slice(&mut hash);
        let length = chunk.get_u32() as usize;
        if chunk.len() < length {
            return Err(damaged());
        }
        items.push(LaneItem { seq: 0, hash: LaneHash(hash), body: chunk.split_to(length) });
    }
    let first = (last + 1).checked_sub(items.len() as u64).ok_or_else(damaged)?;
    for (item, seq) in items.iter_mut().zip(first..) {
        item.seq = seq;
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_never_lie_among_each_other() {
        let layout = Layout::new("rein/");
        let names = ["a", "a/", "a/0", "a%2F", "%", "é\u{0}\n", "a-b.c_d", "lane-7f"];
        for name in names {
            let lane = Lane::from(name);
            assert_eq!(layout.lane_of(&layout.head(&lane)), Some(lane.clone()), "{name:?}");
            let (start, end) = layout.chunks(&lane, 0);
            let own = start..end.clone();
            for other in names.map(Lane::from) {
                let chunk = layout.chunk(&other, 7);
                assert_eq!(own.contains(&chunk), other == lane, "{other} in {lane}");
            }
            let (start, end) = layout.chunks(&lane, 9);
            assert!(layout.chunk(&lane, 9) < start && layout.chunk(&lane, 10) >= start);
            assert!(layout.chunk(&lane, u64::MAX) < end);
            assert_eq!(Layout::last_of(&layout.chunk(&lane, 12)), Some(12));
        }
    }

    #[test]
    fn a_prefix_is_a_range_and_a_cursor_moves_its_start() {
        let layout = Layout::new("p/");
        let (start, end) = layout.keys(&Key::everything(), None);
        assert_eq!((start.as_slice(), end.as_slice()), (b"p/k/".as_slice(), b"p/k0".as_slice()));
        let high = Key::from(vec![0xFF, 0xFF]);
        let (start, end) = layout.keys(&high, None);
        assert!(start == layout.key(&high) && end == b"p/k0");
        let (start, _) = layout.keys(&Key::from("b/"), Some(&Key::from("a")));
        assert_eq!(start, b"p/k/b/", "a cursor before the prefix starts at the prefix");
        let (start, _) = layout.keys(&Key::from("b/"), Some(&Key::from("b/1")));
        assert_eq!(start, b"p/k/b/1\0");
        assert_eq!(layout.name(b"p/k/b/1".to_vec()), Key::from("b/1"));
    }

    #[test]
    fn a_chunk_gives_back_its_items_and_a_cut_one_is_damage() {
        let mut chunk = Vec::new();
        for (byte, body) in [(1, "one"), (2, ""), (3, "three")] {
            push_item(&mut chunk, &LaneHash([byte; 32]), body.as_bytes());
        }
        let chunk = Bytes::from(chunk);
        let found = items(9, chunk.clone()).unwrap();
        assert_eq!(found.iter().map(|item| item.seq).collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!((found[2].body.as_ref(), found[2].hash), (b"three".as_slice(), LaneHash([3; 32])));
        for cut in [1, 5, chunk.len() - 1] {
            assert!(matches!(items(9, chunk.slice(..cut)), Err(StoreError::Damaged(_))));
        }
        assert!(matches!(items(1, chunk), Err(StoreError::Damaged(_))), "more items than seqs");
        let tip = Tip { seq: 7, hash: LaneHash([9; 32]) };
        assert_eq!(Tip::decode(&tip.encode()), Some(tip));
        assert_eq!(Tip::decode(b"short"), None);
    }
}
