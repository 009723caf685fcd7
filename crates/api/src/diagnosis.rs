//! Where a symptom comes from: suspects with their evidence, or that nothing stands out.

use crate::At;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer to "where does this come from?".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiagnosisView {
    /// `suspects` or `nothing_stands_out`.
    pub outcome: String,
    /// If nothing stands out: `no_data`, `short_history`, `symptom_usual` or `evidence_thin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Where, in what and when the symptom was noticed.
    pub noticed: NoticedView,
    /// The symptom as its series shows it; absent if it cannot be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symptom: Option<ShiftView>,
    /// Recent changes on the way to the suspects: the first ones to ask about.
    pub changes: Vec<SuspectChangeView>,
    /// Suspects, the likeliest first.
    pub suspects: Vec<SuspectView>,
    /// What was looked at.
    pub looked: LookedView,
}

/// What somebody noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticedView {
    /// Where it shows.
    pub node: String,
    /// `latency`, `availability` or `saturation`.
    pub metric: String,
    /// When.
    pub at: At,
}

/// A series beside its past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShiftView {
    /// The node, or the node called.
    pub node: String,
    /// If it is about calls: the node that makes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// `latency` in seconds, `availability` in per cent, `saturation` as it was measured.
    pub metric: String,
    /// The level it is measured from.
    pub before: f64,
    /// The level where it departs the most.
    pub now: f64,
    /// By how many robust standard deviations it is worse.
    pub deviations: f64,
    /// How often its own history departs that far, from 0 to 1.
    pub chance: f64,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<At>,
    /// How many values its history has.
    pub history: usize,
    /// The last values, an interval each; null is "no data".
    pub recent: Vec<Option<f64>>,
    /// How many of `recent`, from the end, are the window that was judged.
    pub window: usize,
}

/// A node, or the calls between two, from which the symptom may come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuspectView {
    /// The node, or the node called.
    pub node: String,
    /// If the calls and not the node are suspected: who makes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// The part of the symptom that it accounts for and nothing below it does, from 0 to 1.
    pub share: f64,
    /// How often this would be mere chance, over everything that was looked at, from 0 to 1.
    pub chance: f64,
    /// From the symptom to the suspect, both included.
    pub path: Vec<String>,
    /// Its series that stand out, the telling one first.
    pub evidence: Vec<ShiftView>,
}

/// A recent change on the way from the symptom to a suspect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuspectChangeView {
    /// What was changed.
    pub node: String,
    /// When.
    pub at: At,
    /// By whom.
    pub by: String,
    /// What it was.
    pub what: String,
    /// The suspect it is nearest to.
    pub suspect: String,
    /// How many calls lie between what was changed and that suspect.
    pub calls: usize,
    /// By how much it precedes the suspect's shift; negative: within the interval in which that begins.
    pub precedes_ms: i64,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LookedView {
    /// Nodes that can be reached from the symptom, itself included.
    pub reachable: usize,
    /// Series compared with their past.
    pub judged: usize,
    /// Nodes on the way without data to judge.
    pub no_data: Vec<String>,
    /// Where the window that was judged begins; absent: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<At>,
    /// Where its last interval lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<At>,
    /// Length of an interval.
    pub interval_ms: i64,
    /// Values in the symptom's history.
    pub history: usize,
    /// Where the samples came from.
    pub sources: Vec<String>,
}
