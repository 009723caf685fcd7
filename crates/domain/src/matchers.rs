//! Matchers: which alerts a silence takes in.
//!
//! Here lives what Alertmanager's matchers mean, so that Rein can say before it writes what a silence will
//! hush: how they are written (`parse`), what an expression means (`pattern`), how much a set takes in
//! (`breadth`). What may not live here: anything that asks a backend.

mod breadth;
mod parse;
mod pattern;

pub use breadth::Breadth;

use pattern::Pattern;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// Most matchers in a set.
pub const MAX_MATCHERS: usize = 32;
/// Longest label name, in bytes.
pub const MAX_LABEL: usize = 256;
/// Longest value or expression, in bytes.
pub const MAX_VALUE: usize = 4096;
/// Longest argument of a command line, in bytes.
pub const MAX_ARGUMENT: usize = 16 * 1024;

/// How a matcher compares. The order is that of the operators as text, so that sets sort the same in
/// every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MatchOp {
    /// Another value, or none.
    #[serde(rename = "!=")]
    NotEqual,
    /// A value, or none, that the expression does not describe.
    #[serde(rename = "!~")]
    NotMatches,
    /// Exactly this value.
    #[serde(rename = "=")]
    Equal,
    /// A value that the expression describes from end to end.
    #[serde(rename = "=~")]
    Matches,
}

impl MatchOp {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotEqual => "!=",
            Self::NotMatches => "!~",
            Self::Equal => "=",
            Self::Matches => "=~",
        }
    }

    /// Does its right side hold an expression?
    pub fn is_pattern(self) -> bool {
        matches!(self, Self::Matches | Self::NotMatches)
    }

    /// Is it one of `!=` and `!~`?
    pub fn is_negative(self) -> bool {
        matches!(self, Self::NotEqual | Self::NotMatches)
    }
}

impl fmt::Display for MatchOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for MatchOp {
    type Err = MatcherFault;
    fn from_str(text: &str) -> Result<Self, MatcherFault> {
        [Self::NotEqual, Self::NotMatches, Self::Equal, Self::Matches]
            .into_iter()
            .find(|op| op.as_str() == text)
            .ok_or_else(|| MatcherFault::NotAnOperator(text.to_owned()))
    }
}

/// Why something is not a matcher, or not a set of them: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct MatcherError {
    /// Which argument, or which matcher of a list; from 0.
    pub argument: usize,
    /// Where in it, in characters from 1; one past its end where something is missing.
    pub at: usize,
    /// What is wrong.
    pub why: MatcherFault,
}

/// What is wrong with a matcher, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatcherFault {
    /// Nothing was given.
    #[error("no matcher is given; write at least one, such as alertname=HighLatency")]
    None,
    /// More than [`MAX_MATCHERS`].
    #[error(
        "{0} matchers are given; at most {MAX_MATCHERS} are allowed: make several silences, or list values in one =~"
    )]
    TooMany(usize),
    /// A text beyond its limit.
    #[error("the {what} is {len} bytes long; at most {max} are allowed")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Bytes given.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A label was expected.
    #[error("a label name is expected here, such as alertname")]
    NoLabel,
    /// A label without an operator.
    #[error("after the label `{}` one of = != =~ !~ is expected; only the first argument may be an alert's bare name", crate::text::clean(.0))]
    NoOperator(String),
    /// Not one of the four operators.
    #[error("`{}` is not an operator; write = != =~ or !~", crate::text::clean(.0))]
    NotAnOperator(String),
    /// Nothing on the right side.
    #[error("a value is expected here; for the empty value write {}=\"\" (in a shell within single quotes)", crate::text::clean(.0))]
    NoValue(String),
    /// Something behind a complete matcher.
    #[error(
        "a comma or the end is expected here; a value with spaces stands in double quotes, and in a shell the whole matcher in single quotes: 'summary=\"two words\"'"
    )]
    NoComma,
    /// A character that has a meaning of its own.
    #[error("{} cannot stand here outside double quotes; write the value as \"…\", and a backslash in it as \\\\", crate::text::show_char(*.0))]
    Reserved(char),
    /// A brace without its partner.
    #[error(
        "this brace has no partner; write {{a=\"b\", c=\"d\"}}, or leave the braces away; a value with braces in it stands in double quotes"
    )]
    Brace,
    /// A quote that is not closed.
    #[error("this double quote is not closed")]
    Quote,
    /// An escape that double quotes do not know.
    #[error("double quotes do not know this escape; a backslash itself is written \\\\, as in \"\\\\d+\"")]
    Escape,
    /// An expression that does not compile, or that Alertmanager reads in another way.
    #[error("the expression is refused: {0}")]
    Pattern(String),
    /// Every matcher is also satisfied where its label is absent.
    #[error(
        "every matcher here also matches alerts without its label, so that the set takes in everything; add one that names something, such as alertname=HighLatency"
    )]
    TakesAbsent,
}

impl MatcherFault {
    fn at(self, at: usize) -> MatcherError {
        MatcherError { argument: 0, at, why: self }
    }
}

/// One condition on one label. An absent label has the empty value.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Plain", into = "Plain")]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    pattern: Option<Pattern>,
}

/// A matcher as it is stored and sent.
#[derive(Serialize, Deserialize)]
struct Plain {
    name: String,
    op: MatchOp,
    value: String,
}

impl Matcher {
    /// Checks the parts, and compiles an expression.
    pub fn new(name: &str, op: MatchOp, value: &str) -> Result<Self, MatcherError> {
        if name.is_empty() {
            return Err(MatcherFault::NoLabel.at(1));
        }
        for (what, len, max) in [("label", name.len(), MAX_LABEL), ("value", value.len(), MAX_VALUE)] {
            if len > max {
                return Err(MatcherFault::TooLong { what, len, max }.at(1));
            }
        }
        let pattern = if op.is_pattern() { Some(Pattern::new(value)?) } else { None };
        Ok(Self { name: name.to_owned(), op, value: value.to_owned(), pattern })
    }

    /// The label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The value, or the expression as it was written.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Is it satisfied by a label of this value? An absent label has the empty one.
    pub fn matches(&self, value: &str) -> bool {
        let same = match &self.pattern {
            Some(pattern) => pattern.is_match(value),
            None => self.value == value,
        };
        same != self.op.is_negative()
    }

    fn key(&self) -> (&str, MatchOp, &str) {
        (&self.name, self.op, &self.value)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Matcher {}

impl PartialOrd for Matcher {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Matcher {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for Matcher {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// As Alertmanager writes it: `alertname="HighLatency"`. What could deceive a reader is escaped.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.chars().any(|c| parse::is_reserved(c) || crate::text::is_unsafe(c)) {
            parse::quote(&self.name, f)?;
        } else {
            f.write_str(&self.name)?;
        }
        f.write_str(self.op.as_str())?;
        parse::quote(&self.value, f)
    }
}

/// One matcher, such as `cluster=prod`.
impl FromStr for Matcher {
    type Err = MatcherError;
    fn from_str(text: &str) -> Result<Self, MatcherError> {
        let mut list = parse::list(text)?;
        match (list.pop(), list.len()) {
            (Some(matcher), 0) => Ok(matcher),
            (None, _) => Err(MatcherFault::None.at(1)),
            (Some(_), more) => Err(MatcherFault::TooMany(more + 1).at(1)),
        }
    }
}

impl TryFrom<Plain> for Matcher {
    type Error = MatcherError;
    fn try_from(plain: Plain) -> Result<Self, MatcherError> {
        Self::new(&plain.name, plain.op, &plain.value)
    }
}

impl From<Matcher> for Plain {
    fn from(matcher: Matcher) -> Self {
        Self { name: matcher.name, op: matcher.op, value: matcher.value }
    }
}

/// What a silence takes in: alerts that satisfy every one of 1 to [`MAX_MATCHERS`] matchers. Sorted, and
/// without doubles, so that equal sets are equal texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Matcher>", into = "Vec<Matcher>")]
pub struct Matchers(Vec<Matcher>);

impl Matchers {
    /// Reads a command line as amtool does: `HighLatency`, `service=order`, `a=~"x|y"`, `{a="b", c!="d"}`.
    /// A bare first word is the alert's name.
    pub fn from_args(args: &[String]) -> Result<Self, MatcherError> {
        let mut list = Vec::new();
        for (argument, text) in args.iter().enumerate() {
            let read = if argument == 0 { parse::first(text) } else { parse::list(text) };
            list.extend(read.map_err(|error| MatcherError { argument, ..error })?);
        }
        Self::try_from(list)
    }

    /// The matchers, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Matcher> {
        self.0.iter()
    }

    /// The matchers, in order.
    pub fn as_slice(&self) -> &[Matcher] {
        &self.0
    }

    /// The value a label must have, where a matcher says so with `=`.
    pub fn equal_to(&self, label: &str) -> Option<&str> {
        self.0.iter().find(|m| m.op == MatchOp::Equal && m.name == label).map(Matcher::value)
    }

    /// Does an alert with these labels satisfy all of them?
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|m| m.matches(labels.get(&m.name).map_or("", String::as_str)))
    }

    /// How many of these alerts it takes in, and how many there are.
    pub fn share<'a>(
        &self,
        alerts: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
    ) -> (usize, usize) {
        alerts
            .into_iter()
            .fold((0, 0), |(matched, all), labels| (matched + usize::from(self.matches(labels)), all + 1))
    }
}

impl TryFrom<Vec<Matcher>> for Matchers {
    type Error = MatcherError;
    fn try_from(mut list: Vec<Matcher>) -> Result<Self, MatcherError> {
        list.sort();
        list.dedup();
        if list.is_empty() {
            return Err(MatcherFault::None.at(1));
        }
        if list.len() > MAX_MATCHERS {
            return Err(MatcherFault::TooMany(list.len()).at(1));
        }
        if list.iter().all(|m| m.matches("")) {
            return Err(MatcherFault::TakesAbsent.at(1));
        }
        Ok(Self(list))
    }
}

impl From<Matchers> for Vec<Matcher> {
    fn from(matchers: Matchers) -> Self {
        matchers.0
    }
}

impl<'a> IntoIterator for &'a Matchers {
    type Item = &'a Matcher;
    type IntoIter = std::slice::Iter<'a, Matcher>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// `{alertname="HighLatency",service="order"}`.
impl fmt::Display for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, matcher) in self.0.iter().enumerate() {
            write!(f, "{}{matcher}", if n == 0 { '{' } else { ',' })?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// One text, as in a file: `alertname="HighLatency", service="order"`, with or without braces.
impl FromStr for Matchers {
    type Err = MatcherError;
    fn from_str(text: &str) -> Result<Self, MatcherError> {
        Self::from_args(&[text.to_owned()])
    }
}
