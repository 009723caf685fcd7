//! How much of the symptom each node on the way accounts for, and nothing below it does.
//!
//! The measure is what users bear: seconds waited, or requests failed, beyond what is usual. A callee's
//! excess is taken away from its caller's; what is left is the caller's own. So the deepest node that
//! is in trouble by itself gets the share, and not those that merely wait for it.

use super::case::{Metric, Node};
use super::shift::Shift;
use super::walk::{Seen, Walk};
use std::collections::{BTreeMap, BTreeSet};

/// What may be suspected.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The node, or the node called.
    pub(super) node: Node,
    /// If the calls are suspected: who makes them.
    pub(super) caller: Option<Node>,
    /// The part of the symptom that it accounts for.
    pub(super) share: f64,
    /// The metric that tells.
    pub(super) metric: Metric,
}

/// All candidates with a share, in no order.
pub(super) fn candidates(walk: &Walk<'_>) -> Vec<Candidate> {
    let Some((_, whole)) = walk.symptom().filter(|(_, whole)| *whole > 0.0) else { return Vec::new() };
    let metric = walk.case.symptom.metric;
    let mut own: BTreeMap<Node, f64> = BTreeMap::new();
    let mut candidates = Vec::new();
    for (node, visit) in &walk.visits {
        let Some(seen) = walk.seen.get(node) else { continue };
        let below = taken(walk, *node);
        let rest = (seen.excess - below).max(0.0).min(visit.carried);
        if seen.same.is_some() {
            own.insert(*node, (rest / whole).clamp(0.0, 1.0));
        }
        candidates.extend(slow_calls(walk, *node, visit.carried, whole));
    }
    let others = by_others(walk, &mut own);
    let same = own.into_iter().filter(|(node, _)| stands_out(walk, walk.seen.get(node)));
    candidates.extend(same.map(|(node, share)| Candidate { node, caller: None, share, metric }));
    candidates.extend(others);
    candidates
}

fn stands_out(walk: &Walk<'_>, seen: Option<&Seen>) -> bool {
    let far = |shift: &Shift| shift.far >= walk.tuning.stands_out;
    seen.and_then(|seen| seen.same.as_ref()).is_some_and(far)
}

/// What callees in trouble take away from their caller's excess. Of a callee without data it is what its own
/// callees take.
fn taken(walk: &Walk<'_>, caller: Node) -> f64 {
    // The symptom cannot explain itself around a circle of calls.
    let mut met = BTreeSet::from([caller, walk.case.symptom.node]);
    let mut waiting = vec![caller];
    let mut sum = 0.0;
    while let Some(caller) = waiting.pop() {
        for callee in walk.case.graph.callees(caller) {
            let edge = walk.calls.get(&(caller, *callee)).filter(|seen| seen.same.is_some());
            let seen = edge.or_else(|| walk.seen.get(callee));
            if !met.insert(*callee) {
                continue;
            }
            match seen {
                Some(seen) if stands_out(walk, Some(seen)) => sum += seen.excess,
                Some(seen) if seen.same.is_none() => waiting.push(*callee),
                _ => {}
            }
        }
    }
    sum
}

/// Calls in trouble to a node that is not: what lies between the two is suspected.
fn slow_calls<'a>(
    walk: &'a Walk<'_>,
    caller: Node,
    carried: f64,
    whole: f64,
) -> impl Iterator<Item = Candidate> + 'a {
    let metric = walk.case.symptom.metric;
    walk.case.graph.callees(caller).iter().filter_map(move |callee| {
        let calls = walk.calls.get(&(caller, *callee)).filter(|seen| stands_out(walk, Some(seen)))?;
        let node = walk.seen.get(callee)?.same.as_ref()?;
        let share = (calls.excess.min(carried) / whole).clamp(0.0, 1.0);
        (node.far < walk.tuning.raised).then_some(Candidate {
            node: *callee,
            caller: Some(caller),
            share,
            metric,
        })
    })
}

/// Nodes whose other metrics stand out while the symptom's metric does not: a slow callee makes its caller fail, a
/// failing one makes it wait. They take from the nearest caller's own share the part of their present level
/// that is new: a callee that takes twenty times as long leaves little to explain.
fn by_others(walk: &Walk<'_>, own: &mut BTreeMap<Node, f64>) -> Vec<Candidate> {
    let mut found: BTreeMap<Node, Vec<(Node, Metric, f64)>> = BTreeMap::new();
    for node in walk.visits.keys() {
        let Some(seen) = walk.seen.get(node) else { continue };
        if stands_out(walk, Some(seen)) {
            continue;
        }
        let telling = seen.others.iter().max_by(|(_, a), (_, b)| a.new_part().total_cmp(&b.new_part()));
        let Some((metric, shift)) = telling else { continue };
        let path = walk.path(*node);
        let above = path.iter().rev().skip(1).find(|node| stands_out(walk, walk.seen.get(node)));
        let above = above.copied().unwrap_or(walk.case.symptom.node);
        found.entry(above).or_default().push((*node, *metric, shift.new_part()));
    }
    let mut candidates = Vec::new();
    for (above, found) in found {
        let Some(left) = own.get_mut(&above) else { continue };
        let most = found.iter().map(|(_, _, part)| *part).fold(0.0, f64::max);
        let sum: f64 = found.iter().map(|(_, _, part)| *part).sum();
        for (node, metric, part) in found {
            let share = if sum > 0.0 { *left * most * part / sum } else { 0.0 };
            candidates.push(Candidate { node, caller: None, share, metric });
        }
        *left *= 1.0 - most;
    }
    candidates
}
