//! Which nodes the symptom can come from: from caller to callee, through whatever is raised or unknown.
//!
//! A node whose own series is within what is usual is innocent, and so is what lies behind it. A node
//! without data is unknown, and the walk goes on through it. How much of the symptom can come
//! this way (`carried`) is the least excess on the best way there.

use super::case::{Case, Metric, Node, Subject};
use super::shift::{Shift, Way};
use super::timeline::Timeline;
use super::tuning::Tuning;
use super::usual::{Rank, median};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::num::NonZero;
use std::panic::resume_unwind;

/// What the series of a node, or of the calls between two, show.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The metric of the symptom.
    pub(super) same: Option<Shift>,
    /// Other metrics that stand out and can cause it.
    pub(super) others: Vec<(Metric, Shift)>,
    /// What is worse than before over the whole window: seconds waited or requests failed.
    pub(super) excess: f64,
}

impl Seen {
    /// Does the walk go on through a node that shows this, whatever its calls show?
    fn through(&self, tuning: &Tuning) -> bool {
        self.same.as_ref().is_none_or(|shift| shift.far >= tuning.raised) || !self.others.is_empty()
    }
}

/// What was judged at once: what was seen, and in how many series of the symptom's metric and of others.
#[derive(Debug, Default)]
struct Judged {
    seen: Seen,
    same: usize,
    others: usize,
}

/// A node that the symptom may come from.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    /// From where the walk came.
    pub(super) parent: Option<Node>,
    /// How much of the symptom can come this way.
    pub(super) carried: f64,
}

/// Where the walk went and what it saw.
pub(super) struct Walk<'a> {
    pub(super) case: &'a Case,
    pub(super) line: Timeline,
    pub(super) tuning: Tuning,
    /// Every node that was judged.
    pub(super) seen: BTreeMap<Node, Seen>,
    /// Calls that have series of their own.
    pub(super) calls: BTreeMap<(Node, Node), Seen>,
    /// Nodes on the way.
    pub(super) visits: BTreeMap<Node, Visit>,
    /// Series of the symptom's metric that were judged.
    pub(super) judged_same: usize,
    /// Series of other metrics that were judged.
    pub(super) judged_others: usize,
    /// Requests of the symptom's node, for what has none of its own.
    volume: Vec<f64>,
    /// Nodes that were judged before the walk came to them.
    ahead: BTreeMap<Node, Judged>,
}

/// Fewer are judged sooner than a thread begins.
const FEW: usize = 16;

/// What waits to be visited: the widest way first, then the shortest, then by name.
struct Waiting<'a> {
    carried: f64,
    hops: usize,
    name: &'a str,
    node: Node,
    parent: Option<Node>,
}

impl Waiting<'_> {
    fn key(&self) -> (Reverse<usize>, Reverse<&str>) {
        (Reverse(self.hops), Reverse(self.name))
    }
}

impl Ord for Waiting<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.carried.total_cmp(&other.carried).then_with(|| self.key().cmp(&other.key()))
    }
}

impl PartialOrd for Waiting<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting<'_> {}

impl<'a> Walk<'a> {
    /// Stands at the symptom.
    pub(super) fn at_symptom(case: &'a Case, line: Timeline, tuning: Tuning) -> Self {
        let mut walk = Self {
            case,
            line,
            tuning,
            seen: BTreeMap::new(),
            calls: BTreeMap::new(),
            visits: BTreeMap::new(),
            judged_same: 0,
            judged_others: 0,
            volume: Vec::new(),
            ahead: BTreeMap::new(),
        };
        let requests = walk.requests(Subject::Node(case.symptom.node));
        walk.volume = requests.unwrap_or_else(|| vec![1.0; walk.line.len()]);
        let seen = walk.look(Subject::Node(case.symptom.node), None);
        walk.seen.insert(case.symptom.node, seen);
        walk
    }

    /// The symptom's own series.
    pub(super) fn symptom(&self) -> Option<(&Shift, f64)> {
        let seen = self.seen.get(&self.case.symptom.node)?;
        Some((seen.same.as_ref()?, seen.excess))
    }

    /// Has the symptom any data in its window?
    pub(super) fn sees_symptom(&self) -> bool {
        let subject = Subject::Node(self.case.symptom.node);
        let values = self.values(subject, self.case.symptom.metric, self.requests(subject).as_deref());
        values.is_some_and(|values| values[self.line.window.clone()].iter().any(|value| !value.is_nan()))
    }

    /// Walks until nothing is left that is raised or unknown.
    pub(super) fn go(&mut self) {
        self.look_ahead();
        self.visit();
    }

    /// The same, each node judged when the walk comes to it unless that was done ahead.
    pub(super) fn visit(&mut self) {
        let graph = &self.case.graph;
        let start = self.case.symptom.node;
        let carried = self.symptom().map_or(0.0, |(_, excess)| excess);
        let mut waiting = BinaryHeap::new();
        waiting.push(Waiting { carried, hops: 0, name: graph.name(start), node: start, parent: None });
        while let Some(next) = waiting.pop() {
            if self.visits.contains_key(&next.node) {
                continue;
            }
            self.visits.insert(next.node, Visit { parent: next.parent, carried: next.carried });
            for callee in graph.callees(next.node) {
                if self.visits.contains_key(callee) {
                    continue;
                }
                if let Some(carries) = self.carries(next.node, *callee) {
                    waiting.push(Waiting {
                        carried: next.carried.min(carries),
                        hops: next.hops + 1,
                        name: graph.name(*callee),
                        node: *callee,
                        parent: Some(next.node),
                    });
                }
            }
        }
    }

    /// How much can come over a call; absent: nothing does.
    fn carries(&mut self, caller: Node, callee: Node) -> Option<f64> {
        let seen = self.look(Subject::Edge(caller, callee), Some(caller));
        let edge = seen.same.as_ref().map(|shift| (shift.far, seen.excess));
        self.calls.insert((caller, callee), seen);
        if !self.seen.contains_key(&callee) {
            let seen = self.look(Subject::Node(callee), Some(caller));
            self.seen.insert(callee, seen);
        }
        let seen = self.seen.get(&callee)?;
        let node = seen.same.as_ref().map(|shift| (shift.far, seen.excess));
        let raised = |far: f64| far >= self.tuning.raised;
        match (edge, node) {
            (Some((far, excess)), None) => raised(far).then_some(excess),
            (Some((far, excess)), Some((node, _))) if raised(node) => raised(far).then_some(excess),
            (None, Some((far, excess))) if raised(far) => Some(excess),
            (None, None) => Some(f64::INFINITY),
            _ => (!seen.others.is_empty()).then_some(f64::INFINITY),
        }
    }

    fn requests(&self, subject: Subject) -> Option<Vec<f64>> {
        let mut values = self.line.values(self.case.samples(subject, Metric::Requests)?);
        values.iter_mut().for_each(|value| *value *= self.line.samples);
        Some(values)
    }

    /// Values of a series; what nobody asked for was not measured.
    fn values(&self, subject: Subject, metric: Metric, requests: Option<&[f64]>) -> Option<Vec<f64>> {
        let mut values = self.line.values(self.case.samples(subject, metric)?);
        for (i, value) in values.iter_mut().enumerate() {
            let nobody = requests.is_some_and(|requests| requests[i] == 0.0);
            let unmeasured = match metric {
                Metric::Latency => nobody || *value <= 0.0,
                Metric::Availability => nobody,
                Metric::Requests | Metric::Saturation => false,
            };
            if unmeasured {
                *value = f64::NAN;
            }
        }
        Some(values)
    }

    /// Judges the series of a node or of calls, unless that was done ahead.
    fn look(&mut self, subject: Subject, caller: Option<Node>) -> Seen {
        let ahead = if let Subject::Node(node) = subject { self.ahead.remove(&node) } else { None };
        let judged = ahead.unwrap_or_else(|| self.judge(subject, caller));
        self.judged_same += judged.same;
        self.judged_others += judged.others;
        judged.seen
    }

    /// Judges nodes that the walk will come to, on all processors: a circle of callees at a time.
    fn look_ahead(&mut self) {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let mut known = BTreeSet::from([self.case.symptom.node]);
        let mut circle = vec![self.case.symptom.node];
        while threads > 1 && !circle.is_empty() {
            let callees =
                circle.iter().flat_map(|node| self.case.graph.callees(*node).iter().map(|to| (*to, *node)));
            let next: Vec<(Node, Node)> = callees.filter(|(callee, _)| known.insert(*callee)).collect();
            let judged = self.judge_all(&next, threads);
            // Calls may let through less or more than the nodes do; then this was in vain, or is done later.
            let through = |judged: &Judged| judged.seen.through(&self.tuning);
            circle = next
                .iter()
                .zip(&judged)
                .filter(|(_, judged)| through(judged))
                .map(|((node, _), _)| *node)
                .collect();
            self.ahead.extend(next.into_iter().map(|(node, _)| node).zip(judged));
        }
    }

    fn judge_all(&self, nodes: &[(Node, Node)], threads: usize) -> Vec<Judged> {
        let judge = |(node, caller): &(Node, Node)| self.judge(Subject::Node(*node), Some(*caller));
        if nodes.len() < FEW {
            return nodes.iter().map(judge).collect();
        }
        std::thread::scope(|scope| {
            let parts: Vec<_> = nodes
                .chunks(nodes.len().div_ceil(threads))
                .map(|part| scope.spawn(move || part.iter().map(judge).collect::<Vec<_>>()))
                .collect();
            let judged =
                parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic)));
            judged.flatten().collect()
        })
    }

    fn judge(&self, subject: Subject, caller: Option<Node>) -> Judged {
        let same = self.case.symptom.metric;
        let requests = self.requests(subject);
        let usual_requests = requests.as_ref().and_then(|requests| {
            let asked = requests.iter().copied().filter(|value| *value > 0.0);
            let mut asked: Vec<Rank> = asked.map(Rank::of).collect();
            median(&mut asked)
        });
        let mut judged = Judged::default();
        for metric in [Metric::Latency, Metric::Availability, Metric::Saturation] {
            let Some(values) = self.values(subject, metric, requests.as_deref()) else { continue };
            let way = Way::of(metric);
            let shift = Shift::of(&self.line, values, (metric, way), usual_requests, &self.tuning);
            let Some(shift) = shift else { continue };
            let seen = &mut judged.seen;
            if metric == same {
                judged.same += 1;
                seen.excess = self.excess(&shift, requests.as_deref());
                seen.same = Some(shift);
            } else if caller.is_some() {
                // At the symptom's own node, another metric that worsens is the same trouble.
                judged.others += 1;
                if shift.far >= self.tuning.stands_out {
                    seen.others.push((metric, shift));
                }
            }
        }
        judged
    }

    fn excess(&self, shift: &Shift, requests: Option<&[f64]>) -> f64 {
        let volume = requests.unwrap_or(&self.volume);
        let worse = |i: usize| Some(shift.worse(&self.line, i)? * known(volume[i]));
        self.line.window.clone().filter_map(worse).sum::<f64>().max(0.0)
    }

    /// From the symptom to a node, both included.
    pub(super) fn path(&self, node: Node) -> Vec<Node> {
        let mut path = vec![node];
        let mut at = node;
        while let Some(parent) = self.visits.get(&at).and_then(|visit| visit.parent) {
            path.push(parent);
            at = parent;
        }
        path.reverse();
        path
    }
}

/// Requests that were not counted weigh as one.
fn known(volume: f64) -> f64 {
    if volume.is_nan() { 1.0 } else { volume }
}
