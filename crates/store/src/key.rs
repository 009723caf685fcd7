//! Keys and revisions: what orders the store's bytes and its history.

use std::fmt;

use bytes::Bytes;

/// An ordered key: any bytes, at least one of them, compared as unsigned bytes. Cloning is cheap.
///
/// As a *prefix* (in `list`, `range` and `watch`) the empty key is allowed and means every key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key(Bytes);

impl Key {
    /// Wraps bytes as a key; nothing is copied when `bytes` is already shared.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The prefix every key has: use it to list or watch the whole store.
    #[must_use]
    pub const fn everything() -> Self {
        Self(Bytes::new())
    }

    /// The bytes as they are ordered.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, shared.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.0.clone()
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True for the empty prefix only; no stored key is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this key begins with `prefix`.
    #[must_use]
    pub fn has_prefix(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// The first key after all keys that have this one as prefix; `None` when there is no such key
    /// (the prefix is empty or all 0xFF).
    #[must_use]
    pub fn prefix_end(&self) -> Option<Self> {
        let last = self.0.iter().rposition(|b| *b != 0xFF)?;
        let mut end = self.0[..=last].to_vec();
        end[last] += 1;
        Some(Self(end.into()))
    }
}

impl fmt::Display for Key {
    /// Printable ASCII as it is, every other byte escaped: no raw control byte reaches a terminal or a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<Bytes> for Key {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

/// A point in the store's history. Opaque and monotone: a later commit never has a smaller one, but
/// several commits may share one and numbers may be skipped. Never compute `revision + 1`; the only
/// revisions to use are those the store handed out, and [`Revision::ZERO`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub i64);

impl Revision {
    /// Before everything: the revision of an empty store, and the cursor that watches from the start.
    pub const ZERO: Self = Self(0);
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_its_last_byte_can_still_grow() {
        assert_eq!(Key::from("ab").prefix_end(), Some(Key::from("ac")));
        assert_eq!(Key::from(vec![b'a', 0xFF]).prefix_end(), Some(Key::from("b")));
        assert_eq!(Key::from(vec![0xFF, 0xFF]).prefix_end(), None);
        assert_eq!(Key::everything().prefix_end(), None);
    }

    #[test]
    fn display_escapes_what_a_terminal_would_obey() {
        assert_eq!(Key::from(b"a\x1b[2J\n\xff".to_vec()).to_string(), r"a\x1b[2J\n\xff");
    }
}
