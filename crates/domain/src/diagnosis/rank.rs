//! What is rare enough to be named, in which order, and which changes come first.

use super::case::{Case, Metric, Node, Subject};
use super::share::{Candidate, candidates};
use super::shift::Shift;
use super::timeline::Timeline;
use super::tuning::Tuning;
use super::verdict::{Evidence, Looked, Outcome, Suspect, SuspectChange, Verdict, Why};
use super::walk::Walk;
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// How many intervals of the past are shown beside the window.
const SHOWN: usize = 24;
/// How far back the beginning of the symptom is looked for, in intervals: six hours of five minutes.
const BACK: usize = 72;

/// Says where the symptom of a case comes from, or that nothing stands out.
pub fn diagnose(case: &Case, tuning: &Tuning) -> Verdict {
    let reachable = reachable(case);
    let looked = Looked { reachable: reachable.len(), ..Looked::default() };
    let series = series(case, &reachable);
    let Some(mut line) = Timeline::of(case, &series, tuning) else {
        return nothing(Why::NoData, None, looked);
    };
    let mut walk = Walk::at_symptom(case, line.clone(), *tuning);
    if let Some(window) = walk.symptom().and_then(|(symptom, _)| earlier(&line, symptom, tuning)) {
        line.set_window(window, tuning);
        walk = Walk::at_symptom(case, line.clone(), *tuning);
    }
    let looked = |walk: &Walk<'_>| seen(walk, looked.clone());
    let Some((symptom, excess)) = walk.symptom() else {
        let why = if walk.sees_symptom() { Why::ShortHistory } else { Why::NoData };
        return nothing(why, None, looked(&walk));
    };
    let rare = symptom.chance(&walk.line, &walk.tuning);
    let evidence = tell(&walk, (case.symptom.node, None), case.symptom.metric, symptom, rare);
    if symptom.far < tuning.raised || excess <= 0.0 {
        return nothing(Why::SymptomUsual, Some(evidence), looked(&walk));
    }
    walk.go();
    let suspects = suspects(&walk, rare);
    if suspects.is_empty() {
        return nothing(Why::EvidenceThin, Some(evidence), looked(&walk));
    }
    Verdict {
        outcome: Outcome::Suspects,
        why: None,
        symptom: Some(evidence),
        changes: changes(&walk, &suspects),
        suspects,
        looked: looked(&walk),
    }
}

/// The same where nobody said in what the symptom shows: of several metrics the one whose verdict is the least
/// likely to be chance, else the one that departs the most. Each question asked counts.
pub fn diagnose_any(case: &mut Case, metrics: &[Metric], tuning: &Tuning) -> Verdict {
    let asked = metrics.len().max(1) as f64;
    let tuning = Tuning { chance: tuning.chance / asked, ..*tuning };
    let mut best: Option<(Metric, Verdict)> = None;
    for metric in metrics {
        case.symptom.metric = *metric;
        let verdict = diagnose(case, &tuning);
        if best.as_ref().is_none_or(|(_, known)| telling(&verdict) > telling(known)) {
            best = Some((*metric, verdict));
        }
    }
    let Some((metric, verdict)) = best else { return diagnose(case, &tuning) };
    case.symptom.metric = metric;
    verdict
}

/// How much a verdict says: suspects before none, rare before common, known before unknown.
fn telling(verdict: &Verdict) -> (f64, f64) {
    let chance = verdict.suspects.iter().map(|suspect| suspect.chance).fold(1.0, f64::min);
    let far = verdict.symptom.as_ref().map_or(f64::NEG_INFINITY, |symptom| symptom.deviations);
    (if verdict.suspects.is_empty() { f64::NEG_INFINITY } else { 1.0 - chance }, far)
}

fn nothing(why: Why, symptom: Option<Evidence>, looked: Looked) -> Verdict {
    let outcome = Outcome::NothingStandsOut;
    Verdict { outcome, why: Some(why), symptom, changes: Vec::new(), suspects: Vec::new(), looked }
}

/// Everything that the symptom's node calls, over any number of calls, and the node itself.
pub(super) fn reachable(case: &Case) -> BTreeSet<Node> {
    let mut reachable = BTreeSet::from([case.symptom.node]);
    let mut waiting = vec![case.symptom.node];
    while let Some(node) = waiting.pop() {
        let fresh = case.graph.callees(node).iter().filter(|callee| reachable.insert(**callee));
        waiting.extend(fresh);
    }
    reachable
}

pub(super) fn series(case: &Case, reachable: &BTreeSet<Node>) -> Vec<(Subject, Metric)> {
    let edges = reachable
        .iter()
        .flat_map(|node| case.graph.callees(*node).iter().map(|callee| Subject::Edge(*node, *callee)));
    let subjects = reachable.iter().map(|node| Subject::Node(*node)).chain(edges);
    subjects.flat_map(|subject| Metric::ALL.map(|metric| (subject, metric))).collect()
}

/// The window, begun where the symptom did: it may have been noticed late. That is only known if it was
/// seen to be usual before.
fn earlier(line: &Timeline, symptom: &Shift, tuning: &Tuning) -> Option<std::ops::Range<usize>> {
    let mut begin = line.window.start;
    while line.window.start - begin < BACK && line.adjoins(begin) {
        let far = symptom.above_usual(line, begin - 1)?;
        if far < tuning.stands_out {
            return (begin < line.window.start).then_some(begin..line.window.end);
        }
        begin -= 1;
    }
    None
}

fn seen(walk: &Walk<'_>, mut looked: Looked) -> Looked {
    let graph = &walk.case.graph;
    let line = &walk.line;
    looked.judged = walk.judged_same + walk.judged_others;
    let unknown =
        walk.visits.keys().filter(|node| walk.seen.get(node).is_none_or(|seen| seen.same.is_none()));
    looked.no_data = unknown.map(|node| graph.name(*node).to_owned()).collect();
    looked.no_data.sort();
    looked.from = Some(Timestamp(line.at(line.window.start)));
    looked.to = Some(Timestamp(line.at(line.window.end - 1)));
    looked.interval_ms = line.width;
    looked.history = walk.symptom().map_or(0, |(symptom, _)| symptom.history());
    looked
}

/// The candidates that are rare enough, the greatest share first.
fn suspects(walk: &Walk<'_>, symptom: f64) -> Vec<Suspect> {
    let tuning = &walk.tuning;
    let mut ranked: Vec<(f64, Suspect)> = candidates(walk)
        .into_iter()
        .filter(|candidate| candidate.share >= tuning.least_share)
        .filter_map(|candidate| {
            let suspect = suspect(walk, &candidate, symptom)?;
            Some((suspect.evidence.first().map_or(0.0, |evidence| evidence.deviations), suspect))
        })
        .collect();
    // Two that account for all of it: the one that departs further. Names only keep the order fixed.
    let name = |suspect: &Suspect| (suspect.node.clone(), suspect.caller.clone());
    ranked.sort_by(|(far, a), (other, b)| {
        let share = |suspect: &Suspect| (suspect.share * 100.0).round();
        share(b).total_cmp(&share(a)).then(other.total_cmp(far)).then_with(|| name(a).cmp(&name(b)))
    });
    ranked.into_iter().map(|(_, suspect)| suspect).collect()
}

/// A candidate with its evidence; absent: it is not rare enough.
fn suspect(walk: &Walk<'_>, candidate: &Candidate, symptom: f64) -> Option<Suspect> {
    let Candidate { node, caller, share, metric } = *candidate;
    let whose = (node, caller);
    let seen = match caller {
        Some(caller) => walk.calls.get(&(caller, node))?,
        None => walk.seen.get(&node)?,
    };
    let same = walk.case.symptom.metric;
    let mut shifts: Vec<(Metric, &Shift)> =
        seen.others.iter().map(|(metric, shift)| (*metric, shift)).collect();
    shifts.extend(seen.same.as_ref().map(|shift| (same, shift)));
    shifts.sort_by_key(|(one, _)| (*one != metric, *one));
    let telling = shifts.first()?.1;
    let looked_at = match metric == same {
        true => walk.judged_same,
        false => walk.judged_same + walk.judged_others,
    };
    let alone = telling.chance(&walk.line, &walk.tuning);
    let both = match node == walk.case.symptom.node {
        true => alone,
        false => together(symptom, alone),
    };
    // Whoever looks at many finds something rare: each look counts (Bonferroni).
    let chance = (both * looked_at as f64).min(1.0);
    if chance > walk.tuning.chance {
        return None;
    }
    let evidence = shifts.into_iter().enumerate().map(|(place, (metric, shift))| {
        let chance = if place == 0 { alone } else { shift.chance(&walk.line, &walk.tuning) };
        tell(walk, whose, metric, shift, chance)
    });
    let evidence = evidence.collect();
    let mut path = walk.path(caller.unwrap_or(node));
    path.extend(caller.map(|_| node));
    let graph = &walk.case.graph;
    Some(Suspect {
        node: graph.name(node).to_owned(),
        caller: caller.map(|caller| graph.name(caller).to_owned()),
        share,
        chance,
        path: path.into_iter().map(|node| graph.name(node).to_owned()).collect(),
        evidence,
    })
}

/// The chance of two things that have nothing to do with each other, together (Fisher's method).
fn together(one: f64, other: f64) -> f64 {
    let product = one * other;
    if product > 0.0 { (product * (1.0 - product.ln())).min(1.0) } else { 0.0 }
}

fn tell(
    walk: &Walk<'_>,
    (node, caller): (Node, Option<Node>),
    metric: Metric,
    shift: &Shift,
    chance: f64,
) -> Evidence {
    let graph = &walk.case.graph;
    let line = &walk.line;
    let begin = (line.window.start.saturating_sub(SHOWN)..line.window.start)
        .rev()
        .take_while(|i| *i + 1 == line.window.start || line.adjoins(*i + 1))
        .last()
        .unwrap_or(line.window.start);
    let value = |i: usize| (!shift.values[i].is_nan()).then_some(shift.values[i]);
    Evidence {
        node: graph.name(node).to_owned(),
        caller: caller.map(|caller| graph.name(caller).to_owned()),
        metric,
        before: shift.was,
        now: shift.now,
        deviations: shift.far,
        chance,
        since: shift.since.map(|i| Timestamp(line.at(i))),
        history: shift.history(),
        recent: (begin..line.window.end).map(value).collect(),
        window: line.window.len(),
    }
}

/// Recent changes on the way to the suspects, the nearest to a suspect first.
fn changes(walk: &Walk<'_>, suspects: &[Suspect]) -> Vec<SuspectChange> {
    let within = i64::try_from(walk.tuning.changes_within.as_millis()).unwrap_or(i64::MAX);
    let mut found: Vec<(usize, SuspectChange)> = Vec::new();
    for change in &walk.case.changes {
        let name = walk.case.graph.name(change.node);
        let near = suspects.iter().enumerate().filter_map(|(rank, suspect)| {
            let since = suspect.evidence.first()?.since?;
            let precedes = since.0 - change.at.0;
            // A shift shows in the interval in which it begins, so its cause may be an interval late.
            let in_time = (-walk.line.width..=within).contains(&precedes);
            let calls = in_time.then(|| calls_between(walk, name, change.node, suspect))??;
            Some((calls, rank, suspect, precedes))
        });
        let Some((calls, rank, suspect, precedes_ms)) = near.min_by_key(|(calls, rank, ..)| (*calls, *rank))
        else {
            continue;
        };
        let (node, by, what) = (name.to_owned(), change.by.clone(), change.what.clone());
        let suspect = suspect.node.clone();
        found.push((rank, SuspectChange { node, at: change.at, by, what, suspect, calls, precedes_ms }));
    }
    found.sort_by(|(rank, a), (other, b)| {
        let key = |change: &SuspectChange| (change.node.clone(), change.what.clone(), change.by.clone());
        (a.calls, rank).cmp(&(b.calls, other)).then(b.at.cmp(&a.at)).then_with(|| key(a).cmp(&key(b)))
    });
    found.into_iter().map(|(_, change)| change).collect()
}

/// How many calls lie between what was changed and a suspect, if it lies on the way to it or below it.
fn calls_between(walk: &Walk<'_>, name: &str, changed: Node, suspect: &Suspect) -> Option<usize> {
    if let Some(place) = suspect.path.iter().position(|on| on == name) {
        return Some(suspect.path.len() - 1 - place);
    }
    if !walk.visits.contains_key(&changed) {
        return None;
    }
    let path = walk.path(changed);
    let place = path.iter().position(|node| walk.case.graph.name(*node) == suspect.node)?;
    Some(path.len() - 1 - place)
}
