//! Silences as Alertmanager's API shows and takes them.

use crate::cell;
use jiff::Timestamp;
use rein_plugin::Matcher;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The annotation that also carries a cell's key. Kept and shown from 0.33 on; 0.25 ignores it.
pub(crate) const ANNOTATION: &str = "rein";

#[derive(Deserialize)]
struct Raw {
    id: String,
    status: RawStatus,
    #[serde(rename = "updatedAt")]
    updated: Timestamp,
    #[serde(flatten)]
    body: Body,
}

#[derive(Deserialize)]
struct RawStatus {
    state: String,
}

/// What is the same in both directions.
#[derive(Clone, Serialize, Deserialize)]
struct Body {
    matchers: Vec<RawMatcher>,
    #[serde(rename = "startsAt")]
    starts: Timestamp,
    #[serde(rename = "endsAt")]
    ends: Timestamp,
    #[serde(rename = "createdBy")]
    author: String,
    comment: String,
    #[serde(default, deserialize_with = "none_is_empty")]
    annotations: BTreeMap<String, String>,
}

fn none_is_empty<'de, D: serde::Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMatcher {
    name: String,
    value: String,
    is_regex: bool,
    #[serde(default = "yes")]
    is_equal: bool,
}

fn yes() -> bool {
    true
}

/// A new silence, or an update of one.
#[derive(Serialize)]
struct Postable {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(flatten)]
    body: Body,
}

/// One silence, as one peer shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) id: String,
    /// `active`, `pending` or `expired`.
    pub(crate) state: String,
    pub(crate) updated: Timestamp,
    pub(crate) starts: Timestamp,
    pub(crate) ends: Timestamp,
    /// Sorted, without doubles.
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) author: String,
    /// Without the marker.
    pub(crate) comment: String,
    /// The cell whose marker it carries.
    pub(crate) key: Option<String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Silence {
    /// Reads one as Alertmanager shows it.
    pub(crate) fn read(json: &[u8]) -> Result<Self, String> {
        let raw: Raw = serde_json::from_slice(json).map_err(|error| format!("a silence: {error}"))?;
        let (marked, comment) = cell::unmark(&raw.body.comment);
        let annotated =
            raw.body.annotations.get(ANNOTATION).map(String::as_str).filter(|key| cell::is_key(key));
        let key = marked.or(annotated).map(str::to_owned);
        let mut matchers: Vec<Matcher> = raw.body.matchers.into_iter().map(Matcher::from).collect();
        matchers.sort();
        matchers.dedup();
        Ok(Self {
            comment: comment.to_owned(),
            id: raw.id,
            state: raw.status.state,
            updated: raw.updated,
            starts: raw.body.starts,
            ends: raw.body.ends,
            matchers,
            author: raw.body.author,
            key,
            annotations: raw.body.annotations,
        })
    }

    /// Could it carry a marker? Looked at before parsing, which costs a hundred times as much.
    pub(crate) fn may_be_ours(json: &[u8]) -> bool {
        json.windows(4).any(|four| four == b"rein")
    }

    /// Could it carry the marker of one of these cells? Where what stands there is not plain, it could.
    pub(crate) fn may_be_one_of(json: &[u8], keys: &BTreeSet<&str>) -> bool {
        let after = |at: usize| json.get(at + 4..).unwrap_or_default();
        let named = json.windows(4).enumerate().filter(|(_, four)| *four == b"rein").map(|(at, _)| after(at));
        named.into_iter().any(|rest| {
            // `[rein:KEY]`, or `"rein":"KEY"`.
            let filler = |byte: &u8| matches!(byte, b'"' | b' ');
            let rest = rest.trim_ascii_start();
            let rest = rest.strip_prefix(b"\"").unwrap_or(rest).trim_ascii_start();
            let Some(rest) = rest.strip_prefix(b":") else { return true };
            let begins = rest.iter().position(|byte| !filler(byte)).unwrap_or(rest.len());
            let rest = rest.get(begins..).unwrap_or_default();
            let ends = rest.iter().position(|byte| matches!(byte, b']' | b'"')).unwrap_or(rest.len());
            let key = rest.get(..ends).and_then(|key| std::str::from_utf8(key).ok());
            key.is_none_or(|key| !cell::is_key(key) || keys.contains(key))
        })
    }

    /// Does it hush, or will it?
    pub(crate) fn is_live(&self) -> bool {
        self.state != "expired"
    }

    /// What it holds, in the contract's canonical text.
    pub(crate) fn value(&self) -> cell::Value {
        cell::Value {
            matchers: self.matchers.iter().map(|m| (m.name.clone(), m.op.clone(), m.value.clone())).collect(),
            ends: cell::whole_seconds(self.ends),
            author: self.author.clone(),
            comment: self.comment.clone(),
        }
    }
}

/// The body of a POST that makes `value` so: a new silence, or `over` in its place where Alertmanager can.
pub(crate) fn postable(
    key: &str,
    value: &cell::Value,
    over: Option<&Silence>,
    now: Timestamp,
) -> Result<String, String> {
    let ends: Timestamp = value.ends.parse().map_err(|error| format!("`ends`: {error}"))?;
    let mut annotations = over.map(|silence| silence.annotations.clone()).unwrap_or_default();
    annotations.insert(ANNOTATION.to_owned(), key.to_owned());
    let body = Body {
        matchers: value.matchers.iter().map(RawMatcher::try_from).collect::<Result<_, _>>()?,
        // An update in place must name the same start. For a new one Alertmanager takes its own clock when
        // the start has passed: far enough back, ours need not agree with it.
        starts: over.map_or(now.min(ends) - jiff::SignedDuration::from_hours(24), |silence| silence.starts),
        ends,
        author: value.author.clone(),
        comment: cell::mark(&value.comment, key),
        annotations,
    };
    let id = over.map(|silence| silence.id.clone());
    serde_json::to_string(&Postable { id, body }).map_err(|error| error.to_string())
}

impl From<RawMatcher> for Matcher {
    fn from(raw: RawMatcher) -> Self {
        let op = match (raw.is_equal, raw.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        Self { name: raw.name, op: op.to_owned(), value: raw.value }
    }
}

impl TryFrom<&(String, String, String)> for RawMatcher {
    type Error = String;
    fn try_from((name, op, value): &(String, String, String)) -> Result<Self, String> {
        let (is_equal, is_regex) = match op.as_str() {
            "=" => (true, false),
            "!=" => (false, false),
            "=~" => (true, true),
            "!~" => (false, true),
            other => return Err(format!("`matchers`: {other:?} is no operator; = != =~ !~ are")),
        };
        Ok(Self { name: name.clone(), value: value.clone(), is_regex, is_equal })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_seen_before_parsing_and_what_is_not_plain_is_parsed() {
        let keys: BTreeSet<&str> = ["0123456789.1", "0123456780", ":colon"].into();
        let may = |json: &str| Silence::may_be_one_of(json.as_bytes(), &keys);
        for one in [
            r#"{"comment":"x [rein:0123456789.1]"}"#,
            r#"{"comment":"[rein:other] [rein:0123456780]"}"#,
            r#"{"annotations":{"rein":"0123456780"}}"#,
            "{\"annotations\": {\"rein\" : \"0123456780\"}}",
            r#"{"comment":"[rein:01234\u00356780]"}"#,
            r#"{"comment":"take the rein \\ of it"}"#,
            r#"{"comment":"[rein:"}"#,
            r#"{"comment":"[rein::colon]"}"#,
        ] {
            assert!(may(one), "{one}");
        }
        for other in [
            r#"{"comment":"x [rein:0123456789]","id":"0123456780"}"#,
            r#"{"comment":"[rein:other]","annotations":{"rein":"other"}}"#,
            r#"{"comment":"silenced through Rein"}"#,
            "",
        ] {
            assert!(!may(other), "{other}");
        }
    }
}
