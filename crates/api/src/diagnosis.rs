//! Where a symptom comes from: suspects with their evidence, or that nothing stands out.

use crate::At;
use crate::markers::SourceView;
use rein_domain::diagnosis::{Case, Evidence, Suspect, SuspectChange, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

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
    /// What could not be looked at, in words: backends that do not answer, figures that nobody measures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Where changes are known from; absent where files were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<SourceView>,
}

/// What to diagnose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct DiagnosisQuery {
    /// In what the symptom shows: `latency`, `availability` or `saturation`; absent: whichever of the first
    /// two departs the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// When it was noticed, in milliseconds since 1970; absent: just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// How many seconds of history are looked at, 60 to 2592000; absent: 7200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_seconds: Option<u32>,
    /// How many seconds lie between two samples, 1 to 3600, and at most 4000 of them in all; absent: 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_seconds: Option<u32>,
    /// Which latency: `p50`, `p90` or `p99`; absent: `p90`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile: Option<String>,
    /// Only by this backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
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

impl DiagnosisView {
    /// A verdict on a case that was made from `sources`. Both sides make diagnoses, of files and of what is
    /// measured, so this one conversion lives where both meet.
    pub fn of(case: &Case, verdict: Verdict, sources: Vec<String>) -> Self {
        let looked = verdict.looked;
        Self {
            outcome: verdict.outcome.word().to_owned(),
            why: verdict.why.map(|why| why.word().to_owned()),
            noticed: NoticedView {
                node: case.graph.name(case.symptom.node).to_owned(),
                metric: case.symptom.metric.word().to_owned(),
                at: At(case.symptom.at),
            },
            symptom: verdict.symptom.map(shift),
            changes: verdict.changes.into_iter().map(change).collect(),
            suspects: verdict.suspects.into_iter().map(suspect).collect(),
            looked: LookedView {
                reachable: looked.reachable,
                judged: looked.judged,
                no_data: looked.no_data,
                from: looked.from.map(At),
                to: looked.to.map(At),
                interval_ms: looked.interval_ms,
                history: looked.history,
                sources,
            },
            missing: Vec::new(),
            seen: Vec::new(),
        }
    }
}

fn suspect(suspect: Suspect) -> SuspectView {
    SuspectView {
        node: suspect.node,
        caller: suspect.caller,
        share: rounded(suspect.share),
        chance: rounded(suspect.chance),
        path: suspect.path,
        evidence: suspect.evidence.into_iter().map(shift).collect(),
    }
}

fn shift(evidence: Evidence) -> ShiftView {
    ShiftView {
        node: evidence.node,
        caller: evidence.caller,
        metric: evidence.metric.word().to_owned(),
        before: rounded(evidence.before),
        now: rounded(evidence.now),
        deviations: rounded(evidence.deviations),
        chance: rounded(evidence.chance),
        since: evidence.since.map(At),
        history: evidence.history,
        recent: evidence.recent.into_iter().map(|value| value.map(rounded)).collect(),
        window: evidence.window,
    }
}

fn change(change: SuspectChange) -> SuspectChangeView {
    SuspectChangeView {
        node: change.node,
        at: At(change.at),
        by: change.by,
        what: change.what,
        suspect: change.suspect,
        calls: change.calls,
        precedes_ms: change.precedes_ms,
    }
}

/// Four digits: more would claim a precision that no such figure has.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}
