//! A verdict as it is printed and sent.

use rein_api::At;
use rein_api::diagnosis::{
    DiagnosisView, LookedView, NoticedView, ShiftView, SuspectChangeView, SuspectView,
};
use rein_domain::diagnosis::{Case, Evidence, Suspect, SuspectChange, Verdict};

/// The view of a verdict on a case that was made from `sources`.
pub(super) fn view(case: &Case, verdict: Verdict, sources: Vec<String>) -> DiagnosisView {
    let looked = verdict.looked;
    DiagnosisView {
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
