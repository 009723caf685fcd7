//! What decides about alerts: one declared file, with sound values where nothing is declared.

use super::Priority;
use crate::switch::{Level, MAX_TEXT};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// There is one set of rules, and this is its name.
pub const THE_RULES: &str = "default";

/// Most labels or words in one list.
const MOST_WORDS: usize = 64;
/// Longest label or word, in bytes.
const LONGEST_WORD: usize = 200;
/// Most points that anything gives.
const MOST_POINTS: i32 = 1000;
/// Most calls between a symptom and its cause.
const MOST_CALLS: u8 = 16;
/// Longest span, in seconds.
const LONGEST: u64 = 86_400;

/// What decides about alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRules {
    /// Team that answers for them.
    pub owner: String,
    /// Labels that name the service; the first that an alert has counts.
    pub service: Vec<String>,
    /// Labels that name the instance; the first that an alert has counts.
    pub instance: Vec<String>,
    /// Alerts of one service that agree on these labels are one line.
    pub group_by: Vec<String>,
    /// Points for severity.
    pub severity: SeverityRule,
    /// Points for the tier of the service.
    pub tier: TierRule,
    /// Points for how much of it fires.
    pub breadth: BreadthRule,
    /// How many points make which priority.
    pub priority: PriorityRule,
    /// When a symptom is folded under its cause.
    pub fold: FoldRule,
    /// When an alert counts as coming from a change.
    pub change: ChangeRule,
}

/// Points for severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityRule {
    /// The label.
    pub label: String,
    /// Points by word, in lower case.
    pub weights: BTreeMap<String, i32>,
    /// Points where the label is absent, or holds another word.
    pub otherwise: i32,
}

/// Points for the tier of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierRule {
    /// Points by tier, 1 to 4.
    pub weights: BTreeMap<Level, i32>,
    /// Points where no tier is declared.
    pub otherwise: i32,
}

/// Points for how much of a service fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreadthRule {
    /// Points when all instances fire; their share of it when some do.
    pub all: i32,
    /// Points for an alert of a service that names no instance.
    pub whole: i32,
}

/// From how many points on something is P1, P2, P3. Below that it is P4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorityRule {
    /// P1 from here.
    pub p1: i32,
    /// P2 from here.
    pub p2: i32,
    /// P3 from here.
    pub p3: i32,
}

/// When a symptom is folded under its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldRule {
    /// At most so many calls from the symptom to its cause; 0: nothing is folded by calls.
    pub depth: u8,
    /// How much later than the symptom its cause may have begun: rules of alerting wait differently long.
    pub slack_seconds: u64,
    /// How much earlier than the symptom its cause may have begun: what fires for days explains nothing new.
    pub back_seconds: u64,
    /// An alert with fewer points for its severity is nobody's cause.
    pub least: i32,
}

/// When an alert counts as coming from a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRule {
    /// How long before a change began or ended an alert may have begun: clocks differ.
    pub before_seconds: u64,
    /// How long after it began or ended.
    pub after_seconds: u64,
}

/// Why rules are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct RulesError {
    /// Path of the field in the document.
    pub field: &'static str,
    /// What is wrong with it.
    pub what: String,
}

impl Default for AlertRules {
    /// The words that rules in the field use; a critical alert of a tier 1 service is P1 wherever it fires,
    /// a warning never is.
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let weights = [
            (60, &["critical", "page", "emergency", "fatal", "disaster", "p1", "sev1"][..]),
            (45, &["error", "high", "major", "p2", "sev2"]),
            (30, &["warning", "warn", "medium", "minor", "ticket", "p3", "sev3"]),
            (0, &["info", "low", "none", "debug", "p4", "sev4"]),
        ];
        let each = weights
            .into_iter()
            .flat_map(|(points, words)| words.iter().map(move |&w| (w.to_owned(), points)));
        let tiers = [(1, 20), (2, 10), (3, 5), (4, 0)];
        let tiers =
            tiers.into_iter().filter_map(|(tier, points)| Some((Level::try_from(tier).ok()?, points)));
        Self {
            owner: String::new(),
            service: words(&["service", "service_name", "app", "job"]),
            instance: words(&["instance", "pod"]),
            group_by: words(&["alertname"]),
            severity: SeverityRule { label: "severity".to_owned(), weights: each.collect(), otherwise: 30 },
            tier: TierRule { weights: tiers.collect(), otherwise: 5 },
            breadth: BreadthRule { all: 20, whole: 10 },
            priority: PriorityRule { p1: 80, p2: 60, p3: 45 },
            fold: FoldRule { depth: 4, slack_seconds: 60, back_seconds: 3600, least: 30 },
            change: ChangeRule { before_seconds: 10, after_seconds: 900 },
        }
    }
}

impl AlertRules {
    /// Checks sizes and order.
    pub fn check(&self) -> Result<(), RulesError> {
        let bad = |field, what: String| Err(RulesError { field, what });
        if self.owner.len() > MAX_TEXT {
            return bad("owner", format!("is {} bytes; at most {MAX_TEXT}", self.owner.len()));
        }
        let label = std::slice::from_ref(&self.severity.label);
        let lists = [
            ("service", self.service.as_slice()),
            ("instance", &self.instance),
            ("group_by", &self.group_by),
            ("severity.label", label),
        ];
        for (field, list) in lists {
            if list.is_empty() || list.len() > MOST_WORDS {
                return bad(field, format!("names {} labels; give 1 to {MOST_WORDS}", list.len()));
            }
            if let Some(word) = list.iter().find(|word| word.is_empty() || word.len() > LONGEST_WORD) {
                return bad(field, format!("a label has {} bytes; give 1 to {LONGEST_WORD}", word.len()));
            }
        }
        let words = self.severity.weights.keys();
        if self.severity.weights.len() > MOST_WORDS || words.clone().any(|word| word.len() > LONGEST_WORD) {
            return bad("severity.weights", format!("at most {MOST_WORDS} words of {LONGEST_WORD} bytes"));
        }
        if let Some(word) = words.clone().find(|word| word.to_lowercase() != **word) {
            let word = crate::text::clean(word).into_owned();
            return bad(
                "severity.weights",
                format!("`{word}`: write words in lower case; they match in any"),
            );
        }
        self.check_numbers()
    }

    fn check_numbers(&self) -> Result<(), RulesError> {
        let bad = |field, what: String| Err(RulesError { field, what });
        let severities = self.severity.weights.values().map(|points| ("severity.weights", *points));
        let tiers = self.tier.weights.values().map(|points| ("tier.weights", *points));
        let single = [
            ("severity.otherwise", self.severity.otherwise),
            ("tier.otherwise", self.tier.otherwise),
            ("breadth.all", self.breadth.all),
            ("breadth.whole", self.breadth.whole),
            ("priority.p1", self.priority.p1),
            ("priority.p2", self.priority.p2),
            ("priority.p3", self.priority.p3),
            ("fold.least", self.fold.least),
        ];
        for (field, points) in severities.chain(tiers).chain(single) {
            if points.abs() > MOST_POINTS {
                return bad(field, format!("is {points}; give -{MOST_POINTS} to {MOST_POINTS}"));
            }
        }
        let PriorityRule { p1, p2, p3 } = self.priority;
        if !(p1 > p2 && p2 > p3) {
            return bad(
                "priority",
                format!("P1 from {p1}, P2 from {p2}, P3 from {p3}: each must be less than the one before"),
            );
        }
        if self.fold.depth > MOST_CALLS {
            return bad("fold.depth", format!("is {}; at most {MOST_CALLS}", self.fold.depth));
        }
        let spans = [
            ("fold.slack_seconds", self.fold.slack_seconds),
            ("fold.back_seconds", self.fold.back_seconds),
            ("change.before_seconds", self.change.before_seconds),
            ("change.after_seconds", self.change.after_seconds),
        ];
        match spans.into_iter().find(|(_, seconds)| *seconds > LONGEST) {
            Some((field, seconds)) => bad(field, format!("is {seconds}; at most {LONGEST}")),
            None => Ok(()),
        }
    }

    /// The value of the first of `labels` that is there.
    pub(super) fn first<'a>(labels: &[String], of: &'a BTreeMap<String, String>) -> Option<&'a str> {
        let mut values = labels.iter().filter_map(|label| of.get(label));
        values.find(|value| !value.is_empty()).map(String::as_str)
    }

    /// The service that an alert's labels name.
    pub fn service_of<'a>(&self, labels: &'a BTreeMap<String, String>) -> Option<&'a str> {
        Self::first(&self.service, labels)
    }

    /// How many points make which priority.
    pub fn priority_of(&self, points: i32) -> Priority {
        match points {
            points if points >= self.priority.p1 => Priority::P1,
            points if points >= self.priority.p2 => Priority::P2,
            points if points >= self.priority.p3 => Priority::P3,
            _ => Priority::P4,
        }
    }
}

impl FoldRule {
    /// How much later than the symptom its cause may have begun.
    pub(super) fn slack(&self) -> Duration {
        Duration::from_secs(self.slack_seconds)
    }

    /// How much earlier.
    pub(super) fn back(&self) -> Duration {
        Duration::from_secs(self.back_seconds)
    }
}

impl ChangeRule {
    /// May an alert that began at `since` come from what a change did at `at`?
    pub(super) fn is_near(&self, at: Timestamp, since: Timestamp) -> bool {
        let (before, after) =
            (Duration::from_secs(self.before_seconds), Duration::from_secs(self.after_seconds));
        since >= at.minus(before) && since <= at.plus(after)
    }
}
