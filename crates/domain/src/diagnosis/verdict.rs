//! What a diagnosis says: suspects with their evidence, or why there are none.
//!
//! What people read and what travels is made of it elsewhere.

use super::case::Metric;
use crate::time::Timestamp;

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whether something stands out.
    pub outcome: Outcome,
    /// If nothing does: why.
    pub why: Option<Why>,
    /// The symptom, as its series shows it; absent if that cannot be judged.
    pub symptom: Option<Evidence>,
    /// Recent changes on the way to the suspects: the first ones to ask about.
    pub changes: Vec<SuspectChange>,
    /// Suspects, the likeliest first.
    pub suspects: Vec<Suspect>,
    /// What was looked at.
    pub looked: Looked,
}

/// Whether something stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There are suspects.
    Suspects,
    /// Nothing is rare enough to be named.
    NothingStandsOut,
}

/// Why nothing stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The symptom has no data around the time it was noticed.
    NoData,
    /// Its history is too short to tell what is usual.
    ShortHistory,
    /// The symptom is within what is usual.
    SymptomUsual,
    /// The symptom is raised, but neither it nor anything on the way is rare enough.
    EvidenceThin,
}

impl Outcome {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Suspects => "suspects",
            Self::NothingStandsOut => "nothing_stands_out",
        }
    }
}

impl Why {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoData => "no_data",
            Self::ShortHistory => "short_history",
            Self::SymptomUsual => "symptom_usual",
            Self::EvidenceThin => "evidence_thin",
        }
    }
}

/// A series beside its past.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Whose series it is: the node, or the node called.
    pub node: String,
    /// If it is about calls: the node that makes them.
    pub caller: Option<String>,
    /// What is measured.
    pub metric: Metric,
    /// The level it is measured from.
    pub before: f64,
    /// The level in the window, where it departs the most.
    pub now: f64,
    /// By how many robust standard deviations it is worse.
    pub deviations: f64,
    /// How often a window of its history departs that far, from 0 to 1.
    pub chance: f64,
    /// Since when, in milliseconds since the epoch.
    pub since: Option<Timestamp>,
    /// How many samples its history has.
    pub history: usize,
    /// The last values up to the end of the window, an interval each; absent is "no data".
    pub recent: Vec<Option<f64>>,
    /// How many of `recent` are the window.
    pub window: usize,
}

/// A node, or the calls between two, from which the symptom may come.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// The node, or the node called.
    pub node: String,
    /// If the calls and not the node are suspected: who makes them.
    pub caller: Option<String>,
    /// The part of the symptom that it accounts for and nothing below it does, from 0 to 1.
    pub share: f64,
    /// How often a shift like this, together with the symptom's, is mere chance, over everything that was looked at.
    pub chance: f64,
    /// From the symptom to the suspect, both included.
    pub path: Vec<String>,
    /// Its series that stand out, the telling one first.
    pub evidence: Vec<Evidence>,
}

/// A recent change to something on the way from the symptom to a suspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspectChange {
    /// What was changed.
    pub node: String,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What it was.
    pub what: String,
    /// The suspect it is nearest to.
    pub suspect: String,
    /// How many calls lie between what was changed and that suspect.
    pub calls: usize,
    /// By how much it precedes the suspect's shift, in milliseconds; below zero: it came within the
    /// interval in which the shift begins.
    pub precedes_ms: i64,
}

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// Nodes that can be reached from the symptom, itself included.
    pub reachable: usize,
    /// Series compared with their past.
    pub judged: usize,
    /// Nodes on the way that have no data to judge, by name.
    pub no_data: Vec<String>,
    /// Where the window begins.
    pub from: Option<Timestamp>,
    /// Where it ends.
    pub to: Option<Timestamp>,
    /// Length of an interval, in milliseconds.
    pub interval_ms: i64,
    /// Samples in the symptom's history.
    pub history: usize,
}
