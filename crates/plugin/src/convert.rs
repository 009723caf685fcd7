//! From the wire's shapes to the contract's values and back.
//!
//! Whatever comes in is judged here, so that nothing behind this file meets a name without end or a
//! reply that forgot half of itself. Text for people is cut; a name, key or value that is too long
//! makes the whole message wrong, since a shortened one would mean something else.

use crate::types::{
    AlertSeen, CellKey, Configuration, Description, Fault, FieldError, Finding, Grade, Matched, Matcher,
    Repeat, Seen, SilenceSeen, TargetName, Write,
};
use crate::wire;

/// Longest text for people, in bytes. What is longer is cut.
pub const MAX_TEXT: usize = 4 * 1024;
/// Longest name, key or id, in bytes.
pub const MAX_NAME: usize = 1024;
/// Longest value of a cell, in bytes.
pub const MAX_VALUE: usize = 64 * 1024;
/// Longest JSON Schema, and longest configuration, in bytes.
pub const MAX_DOCUMENT: usize = 256 * 1024;
/// Most cells or targets in one call.
pub const MAX_CELLS: usize = 500;

/// A message that breaks the contract: which field, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct Malformed {
    /// The field, as the proto file calls it.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Malformed {
    pub(crate) fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

/// At most [`MAX_TEXT`] bytes of a text for people.
pub fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let mut end = MAX_TEXT - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

pub(crate) fn bounded(field: &'static str, text: String, most: usize) -> Result<String, Malformed> {
    match text.len() {
        length if length > most => {
            Err(Malformed::new(field, format!("has {length} bytes; at most {most} are taken")))
        }
        _ => Ok(text),
    }
}

pub(crate) fn name(field: &'static str, text: String) -> Result<String, Malformed> {
    bounded(field, text, MAX_NAME)
}

pub(crate) fn named(field: &'static str, text: String) -> Result<String, Malformed> {
    if text.is_empty() {
        return Err(Malformed::new(field, "is empty"));
    }
    name(field, text)
}

pub(crate) fn names(field: &'static str, all: Vec<String>) -> Result<Vec<String>, Malformed> {
    all.into_iter().map(|one| name(field, one)).collect()
}

pub(crate) fn cell(field: &'static str, key: String) -> Result<CellKey, Malformed> {
    named(field, key).map(CellKey)
}

pub(crate) fn value(field: &'static str, value: Option<String>) -> Result<Option<String>, Malformed> {
    value.map(|value| bounded(field, value, MAX_VALUE)).transpose()
}

fn all<T, W: TryInto<T, Error = Malformed>>(items: Vec<W>) -> Result<Vec<T>, Malformed> {
    items.into_iter().map(W::try_into).collect()
}

/// Cells of a request, at most [`MAX_CELLS`].
pub(crate) fn cells(keys: Vec<String>) -> Result<Vec<CellKey>, Malformed> {
    few("cells", keys.len())?;
    keys.into_iter().map(|key| cell("cells", key)).collect()
}

/// Targets of a request, at most [`MAX_CELLS`].
pub(crate) fn targets(targets: Vec<wire::Target>) -> Result<Vec<TargetName>, Malformed> {
    few("targets", targets.len())?;
    all(targets)
}

fn few(field: &'static str, count: usize) -> Result<(), Malformed> {
    match count > MAX_CELLS {
        true => Err(Malformed::new(field, format!("has {count} entries; at most {MAX_CELLS} are taken"))),
        false => Ok(()),
    }
}

pub(crate) fn cell_keys(keys: Vec<String>) -> Result<Vec<CellKey>, Malformed> {
    keys.into_iter().map(|key| cell("cells", key)).collect()
}

pub(crate) fn silences(list: Vec<wire::Silence>) -> Result<Vec<SilenceSeen>, Malformed> {
    all(list)
}

pub(crate) fn matchers(list: Vec<wire::Matcher>) -> Result<Vec<Matcher>, Malformed> {
    all(list)
}

impl TryFrom<wire::DescribeReply> for Description {
    type Error = Malformed;

    fn try_from(reply: wire::DescribeReply) -> Result<Self, Malformed> {
        Ok(Self {
            name: named("name", reply.name)?,
            version: cut(reply.version),
            config_schema: bounded("config_schema", reply.config_schema, MAX_DOCUMENT)?,
            secrets: names("secrets", reply.secrets)?,
            // What this version of the contract does not know is treated as the least safe.
            repeat: match wire::Repeat::try_from(reply.repeat) {
                Ok(wire::Repeat::Cas) => Repeat::Cas,
                Ok(wire::Repeat::Marker) => Repeat::Marker,
                Ok(wire::Repeat::None | wire::Repeat::Unspecified) | Err(_) => Repeat::None,
            },
            nouns: names("nouns", reply.nouns)?,
            watches: reply.watches,
            cannot: reply.cannot.into_iter().map(cut).collect(),
            keeps_deadline: reply.keeps_deadline,
            when_rein_dies: cut(reply.when_rein_dies),
        })
    }
}

impl From<Description> for wire::DescribeReply {
    fn from(description: Description) -> Self {
        Self {
            name: description.name,
            version: description.version,
            config_schema: description.config_schema,
            secrets: description.secrets,
            repeat: match description.repeat {
                Repeat::Cas => wire::Repeat::Cas,
                Repeat::Marker => wire::Repeat::Marker,
                Repeat::None => wire::Repeat::None,
            } as i32,
            nouns: description.nouns,
            watches: description.watches,
            cannot: description.cannot,
            keeps_deadline: description.keeps_deadline,
            when_rein_dies: description.when_rein_dies,
        }
    }
}

impl TryFrom<wire::ConfigureRequest> for Configuration {
    type Error = Malformed;

    fn try_from(request: wire::ConfigureRequest) -> Result<Self, Malformed> {
        Ok(Self {
            backend: named("backend", request.backend)?,
            config: bounded("config", request.config, MAX_DOCUMENT)?,
            secrets: request.secrets.into_iter().collect(),
        })
    }
}

impl From<Configuration> for wire::ConfigureRequest {
    fn from(configuration: Configuration) -> Self {
        Self {
            backend: configuration.backend,
            config: configuration.config,
            secrets: configuration.secrets.into_iter().collect(),
        }
    }
}

impl TryFrom<wire::FieldError> for FieldError {
    type Error = Malformed;

    fn try_from(error: wire::FieldError) -> Result<Self, Malformed> {
        let field = name("field", error.field)?;
        if !field.is_empty() && !field.starts_with('/') {
            return Err(Malformed::new("field", format!("`{field}` is no JSON Pointer: it begins with `/`")));
        }
        Ok(Self { field, message: cut(error.message) })
    }
}

impl From<FieldError> for wire::FieldError {
    fn from(error: FieldError) -> Self {
        Self { field: error.field, message: error.message }
    }
}

impl TryFrom<wire::Finding> for Finding {
    type Error = Malformed;

    fn try_from(finding: wire::Finding) -> Result<Self, Malformed> {
        Ok(Self {
            grade: match wire::Grade::try_from(finding.grade) {
                Ok(wire::Grade::Ok) => Grade::Ok,
                Ok(wire::Grade::Warning) => Grade::Warning,
                Ok(wire::Grade::Error) => Grade::Error,
                Ok(wire::Grade::Unspecified) | Err(_) => {
                    return Err(Malformed::new("grade", format!("{} is none", finding.grade)));
                }
            },
            subject: cut(finding.subject),
            message: cut(finding.message),
        })
    }
}

impl From<Finding> for wire::Finding {
    fn from(finding: Finding) -> Self {
        Self {
            grade: match finding.grade {
                Grade::Ok => wire::Grade::Ok,
                Grade::Warning => wire::Grade::Warning,
                Grade::Error => wire::Grade::Error,
            } as i32,
            subject: finding.subject,
            message: finding.message,
        }
    }
}

impl TryFrom<wire::Target> for TargetName {
    type Error = Malformed;

    fn try_from(target: wire::Target) -> Result<Self, Malformed> {
        Ok(Self { noun: named("noun", target.noun)?, name: named("name", target.name)? })
    }
}

impl From<TargetName> for wire::Target {
    fn from(target: TargetName) -> Self {
        Self { noun: target.noun, name: target.name }
    }
}

impl TryFrom<wire::Seen> for Seen {
    type Error = Malformed;

    fn try_from(seen: wire::Seen) -> Result<Self, Malformed> {
        Ok(Self {
            cell: cell("cell", seen.cell)?,
            value: value("value", seen.value)?,
            version: name("version", seen.version)?,
            incarnation: name("incarnation", seen.incarnation)?,
            missing_peers: names("missing_peers", seen.missing_peers)?,
            copies: seen.copies,
            object: name("object", seen.object)?,
            effect: cut(seen.effect),
            peers: seen.peers,
            over: seen.over,
        })
    }
}

impl From<Seen> for wire::Seen {
    fn from(seen: Seen) -> Self {
        Self {
            cell: seen.cell.0,
            value: seen.value,
            version: seen.version,
            incarnation: seen.incarnation,
            missing_peers: seen.missing_peers,
            copies: seen.copies,
            object: seen.object,
            effect: seen.effect,
            peers: seen.peers,
            over: seen.over,
        }
    }
}

impl TryFrom<wire::ApplyRequest> for Write {
    type Error = Malformed;

    fn try_from(request: wire::ApplyRequest) -> Result<Self, Malformed> {
        Ok(Self {
            cell: cell("cell", request.cell)?,
            want: value("want", request.want)?,
            expected_version: name("expected_version", request.expected_version)?,
            change: name("change", request.change)?,
            object: name("object", request.object)?,
        })
    }
}

impl From<Write> for wire::ApplyRequest {
    fn from(write: Write) -> Self {
        Self {
            cell: write.cell.0,
            want: write.want,
            expected_version: write.expected_version,
            change: write.change,
            object: write.object,
        }
    }
}

impl From<wire::Fault> for Fault {
    /// A kind that is not known may stand for anything, so it is [`Fault::Unknown`].
    fn from(fault: wire::Fault) -> Self {
        let message = match cut(fault.message) {
            empty if empty.is_empty() => "the plugin gave no reason".to_owned(),
            message => message,
        };
        match wire::FaultKind::try_from(fault.kind) {
            Ok(wire::FaultKind::NotDone) => Self::NotDone(message),
            Ok(wire::FaultKind::Moved) => Self::Moved(message),
            Ok(wire::FaultKind::Unsupported) => Self::Unsupported(message),
            Ok(wire::FaultKind::Unreachable) => Self::Unreachable(message),
            Ok(wire::FaultKind::Invalid) => Self::Invalid(message),
            Ok(wire::FaultKind::Unknown | wire::FaultKind::Unspecified) | Err(_) => Self::Unknown(message),
        }
    }
}

impl From<Fault> for wire::Fault {
    fn from(fault: Fault) -> Self {
        let (kind, message) = match fault {
            Fault::NotDone(message) => (wire::FaultKind::NotDone, message),
            Fault::Unknown(message) => (wire::FaultKind::Unknown, message),
            Fault::Moved(message) => (wire::FaultKind::Moved, message),
            Fault::Unsupported(message) => (wire::FaultKind::Unsupported, message),
            Fault::Unreachable(message) => (wire::FaultKind::Unreachable, message),
            Fault::Invalid(message) => (wire::FaultKind::Invalid, message),
        };
        Self { kind: kind as i32, message: cut(message) }
    }
}

impl TryFrom<wire::Matcher> for Matcher {
    type Error = Malformed;

    fn try_from(matcher: wire::Matcher) -> Result<Self, Malformed> {
        if !matches!(matcher.op.as_str(), "=" | "!=" | "=~" | "!~") {
            return Err(Malformed::new("op", "of a matcher is none of =, !=, =~, !~"));
        }
        Ok(Self {
            name: named("name", matcher.name)?,
            op: matcher.op,
            value: bounded("value", matcher.value, MAX_VALUE)?,
        })
    }
}

impl From<Matcher> for wire::Matcher {
    fn from(matcher: Matcher) -> Self {
        Self { name: matcher.name, op: matcher.op, value: matcher.value }
    }
}

impl TryFrom<wire::Silence> for SilenceSeen {
    type Error = Malformed;

    fn try_from(silence: wire::Silence) -> Result<Self, Malformed> {
        Ok(Self {
            id: named("id", silence.id)?,
            matchers: matchers(silence.matchers)?,
            starts: name("starts", silence.starts)?,
            ends: name("ends", silence.ends)?,
            author: cut(silence.author),
            comment: cut(silence.comment),
            state: name("state", silence.state)?,
            cell: match silence.cell.is_empty() {
                true => None,
                false => Some(cell("cell", silence.cell)?),
            },
            hushes: silence.hushes,
            missing_peers: names("missing_peers", silence.missing_peers)?,
        })
    }
}

impl From<SilenceSeen> for wire::Silence {
    fn from(silence: SilenceSeen) -> Self {
        Self {
            id: silence.id,
            matchers: silence.matchers.into_iter().map(Into::into).collect(),
            starts: silence.starts,
            ends: silence.ends,
            author: silence.author,
            comment: silence.comment,
            state: silence.state,
            cell: silence.cell.map(|cell| cell.0).unwrap_or_default(),
            hushes: silence.hushes,
            missing_peers: silence.missing_peers,
        }
    }
}

impl TryFrom<wire::Alert> for AlertSeen {
    type Error = Malformed;

    fn try_from(alert: wire::Alert) -> Result<Self, Malformed> {
        let labels = alert.labels.into_iter();
        Ok(Self {
            id: named("id", alert.id)?,
            labels: labels
                .map(|(label, value)| Ok((named("labels", label)?, bounded("labels", value, MAX_VALUE)?)))
                .collect::<Result<_, Malformed>>()?,
            summary: cut(alert.summary),
            since: name("since", alert.since)?,
            state: name("state", alert.state)?,
            silenced_by: names("silenced_by", alert.silenced_by)?,
            inhibited_by: names("inhibited_by", alert.inhibited_by)?,
        })
    }
}

impl From<AlertSeen> for wire::Alert {
    fn from(alert: AlertSeen) -> Self {
        Self {
            id: alert.id,
            labels: alert.labels.into_iter().collect(),
            summary: alert.summary,
            since: alert.since,
            state: alert.state,
            silenced_by: alert.silenced_by,
            inhibited_by: alert.inhibited_by,
        }
    }
}

impl TryFrom<wire::MatchAlertsReply> for Matched {
    type Error = Malformed;

    fn try_from(reply: wire::MatchAlertsReply) -> Result<Self, Malformed> {
        Ok(Self {
            alerts: all(reply.alerts)?,
            firing: reply.firing,
            firing_in_all: reply.firing_in_all,
            lately: reply.lately,
            missing_peers: names("missing_peers", reply.missing_peers)?,
        })
    }
}

impl From<Matched> for wire::MatchAlertsReply {
    fn from(matched: Matched) -> Self {
        Self {
            alerts: matched.alerts.into_iter().map(Into::into).collect(),
            firing: matched.firing,
            firing_in_all: matched.firing_in_all,
            lately: matched.lately,
            missing_peers: matched.missing_peers,
            fault: None,
        }
    }
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
