//! What adapters of registries have alike in what they read and what they say.

/// Under which names an entry says where it stands and what it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// What it fails together with.
    pub zone: String,
    /// What it runs.
    pub version: String,
}

/// A name of the backend's in a message: as much as a person reads, with nothing that moves a cursor.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}

/// As many whole characters of a text as `most` bytes hold.
#[must_use]
pub fn start_of(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_move_nothing() {
        assert_eq!(shown("a\u{1b}[31m\u{202e}b\n"), r"a\u{1b}[31m\u{202e}b\n");
        assert_eq!(shown(&"a".repeat(300)).len(), 200);
        assert_eq!(
            (start_of("aß", 3), start_of("aß", 2), start_of("", 2)),
            ("aß".into(), "a".into(), String::new())
        );
    }
}
