//! Cells: their keys, the marker that finds them, and their canonical value.

use jiff::Timestamp;
use rein_plugin::Fault;
use serde::{Deserialize, Serialize};

/// What every marker begins with.
const MARK: &str = "[rein:";
/// A key with this before it is a silence that somebody else made.
const FOREIGN: &str = "foreign:";
/// Longest key, in bytes.
const MAX_KEY: usize = 128;

/// One cell: one silence of Rein's, or one of somebody else that Rein was told to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) key: String,
    /// Alertmanager's id of somebody else's silence.
    pub(crate) foreign: Option<String>,
}

impl Cell {
    pub(crate) fn parse(key: &str) -> Result<Self, Fault> {
        let foreign = key.strip_prefix(FOREIGN);
        if !is_key(key) || foreign.is_some_and(|id| !is_id(id)) {
            return Err(Fault::Invalid(format!(
                "{key:?} is no cell of an Alertmanager: a change's id, with .N for a further leg, or \
                 foreign:ID for somebody else's silence"
            )));
        }
        Ok(Self { key: key.to_owned(), foreign: foreign.map(str::to_owned) })
    }
}

/// The key under which a silence of somebody else is a cell.
pub(crate) fn foreign(id: &str) -> String {
    format!("{FOREIGN}{id}")
}

/// May this be a cell's key?
pub(crate) fn is_key(key: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    !key.is_empty() && key.len() <= MAX_KEY && key.chars().all(fits)
}

/// May this be an id in Alertmanager's URLs?
pub(crate) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// A comment with the marker at its end.
pub(crate) fn mark(comment: &str, key: &str) -> String {
    if comment.is_empty() { format!("{MARK}{key}]") } else { format!("{comment} {MARK}{key}]") }
}

/// The key in the marker at a comment's end, and the comment without it.
pub(crate) fn unmark(comment: &str) -> (Option<&str>, &str) {
    let found = comment.trim_end().strip_suffix(']').and_then(|inner| inner.rsplit_once(MARK));
    match found {
        Some((before, key)) if is_key(key) => (Some(key), before.strip_suffix(' ').unwrap_or(before)),
        _ => (None, comment),
    }
}

/// What a cell holds. Its JSON, fields in this order, is the contract's canonical text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Value {
    /// Label, operator, value; sorted, without doubles.
    pub(crate) matchers: Vec<(String, String, String)>,
    /// RFC 3339, whole seconds, UTC.
    pub(crate) ends: String,
    pub(crate) author: String,
    pub(crate) comment: String,
}

impl Value {
    /// Reads what is wanted, and makes it canonical.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let wrong = |why: String| Fault::Invalid(format!("the wanted value is no silence: {why}"));
        let mut value: Self = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let ends: Timestamp = value.ends.parse().map_err(|error| wrong(format!("`ends`: {error}")))?;
        value.ends = whole_seconds(ends);
        value.matchers.sort();
        value.matchers.dedup();
        if value.matchers.is_empty() {
            return Err(wrong("`matchers` is empty".into()));
        }
        Ok(value)
    }

    pub(crate) fn text(&self) -> String {
        // Strings and lists of strings always have a JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// `2026-11-24T03:40:00Z`.
pub(crate) fn whole_seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_goes_on_and_comes_off() {
        for comment in ["", "deploy", "a [b]", "é ", "x [rein:a b]", "x [rein:abc]", "two\nlines", "a "] {
            let marked = mark(comment, "0123456789.1");
            assert_eq!(unmark(&marked), (Some("0123456789.1"), comment), "{marked}");
        }
        assert_eq!(unmark("see [rein:abc] there"), (None, "see [rein:abc] there"));
        assert_eq!(unmark("x [rein:]"), (None, "x [rein:]"));
    }

    #[test]
    fn keys_are_judged() {
        assert_eq!(Cell::parse("0123456789").unwrap().foreign, None);
        let id = "5cffcecd-3c84-46ae-9663-0fa48d8b0439";
        assert_eq!(Cell::parse(&format!("foreign:{id}")).unwrap().foreign.as_deref(), Some(id));
        for bad in ["", "a b", "foreign:", "foreign:a/b", "é", "a]", &"x".repeat(129)] {
            assert!(Cell::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_are_canonical() {
        let given = r#"{"comment":"c","author":"a","ends":"2026-11-24T04:40:00.9+01:00",
            "matchers":[["b","=","c"],["a","!=","x"],["b","=","c"]]}"#;
        let canonical = r#"{"matchers":[["a","!=","x"],["b","=","c"]],"ends":"2026-11-24T03:40:00Z","author":"a","comment":"c"}"#;
        assert_eq!(Value::parse(given).unwrap().text(), canonical);
        assert_eq!(Value::parse(canonical).unwrap().text(), canonical);
        for bad in ["", "{}", "[]", &canonical.replace("03:40", "later")] {
            assert!(matches!(Value::parse(bad), Err(Fault::Invalid(_))), "{bad}");
        }
    }
}
