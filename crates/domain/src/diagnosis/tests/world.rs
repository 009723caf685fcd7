//! Small companies: what each node takes itself, whom it calls how often, and what is planted where.

use crate::diagnosis::{Case, Graph, Metric, Node, Sample, Subject, Symptom, Tuning, Verdict, diagnose};
use crate::time::Timestamp;

/// Five minutes.
pub(super) const STEP: i64 = 300_000;
/// How many intervals of normal operation there are.
pub(super) const PAST: usize = 400;
/// How many intervals a fault lasts until the data ends.
pub(super) const LASTS: usize = 3;

/// A stream of numbers that looks random and never differs.
#[derive(Clone)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// From 0 to 1.
    pub(super) fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal, with a deviation of one.
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.roll()).sum::<f64>() - 6.0
    }
}

/// What is planted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    None,
    /// The node itself takes so many seconds longer.
    Slow(usize, f64),
    /// So many of a hundred requests fail in the node itself.
    Fails(usize, f64),
}

/// A company: node 0 is where users come in; a node calls later ones only.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// Seconds that each node takes itself.
    pub(super) own: Vec<f64>,
    /// Calls a request, by caller and callee.
    pub(super) calls: Vec<(usize, usize, f64)>,
    /// Requests of users in one interval.
    pub(super) load: f64,
    pub(super) seed: u64,
}

impl World {
    /// A company of `size` nodes, each called by one or two before it.
    pub(super) fn random(size: usize, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let own = (0..size).map(|_| 0.005 + 0.05 * dice.roll()).collect();
        let mut calls = Vec::new();
        for callee in 1..size {
            let first = (dice.roll() * callee as f64) as usize;
            calls.push((first, callee, 1.0 + (dice.roll() * 2.0).floor()));
            let second = (dice.roll() * callee as f64) as usize;
            if second != first && dice.roll() < 0.3 {
                calls.push((second, callee, 1.0));
            }
        }
        Self { own, calls, load: 500.0, seed }
    }

    /// On how many ways calls come from node 0 to another: callers come before whom they call.
    pub(super) fn ways(&self, node: usize) -> f64 {
        let mut ways = vec![0.0; self.own.len()];
        ways[0] = 1.0;
        for callee in 1..=node {
            let callers = self.calls.iter().filter(|(_, called, _)| *called == callee);
            ways[callee] = callers.map(|(caller, ..)| ways[*caller]).sum();
        }
        ways[node]
    }

    pub(super) fn name(node: usize) -> String {
        format!("node-{node}")
    }

    /// Requests, latency and availability of each node in one interval.
    fn interval(&self, dice: &mut Dice, fault: Fault) -> Vec<(f64, f64, f64)> {
        let size = self.own.len();
        let mut requests = vec![0.0; size];
        requests[0] = (self.load * (1.0 + 0.05 * dice.normal())).round();
        for node in 0..size {
            for (_, callee, times) in self.calls.iter().filter(|(caller, ..)| *caller == node) {
                requests[*callee] += requests[node] * times;
            }
        }
        let mut seen = vec![(0.0, 0.0, 0.0); size];
        for node in (0..size).rev() {
            let below = self.calls.iter().filter(|(caller, ..)| *caller == node);
            let waits: f64 = below.clone().map(|(_, callee, times)| times * seen[*callee].1).sum();
            let holds: f64 =
                below.map(|(_, callee, times)| (seen[*callee].2 / 100.0f64).powf(*times)).product();
            let slow = if let Fault::Slow(at, by) = fault
                && at == node
            {
                by
            } else {
                0.0
            };
            let fails = if let Fault::Fails(at, by) = fault
                && at == node
            {
                by
            } else {
                0.0
            };
            // What happens in a node itself scatters by a twentieth.
            let latency = (self.own[node] + slow) * (1.0 + 0.05 * dice.normal()).max(0.1) + waits;
            seen[node] = (requests[node], latency, holds * (100.0 - fails));
        }
        seen
    }

    /// The company's graph, nodes added in the order of `order`.
    pub(super) fn graph(&self, order: &[usize]) -> Graph {
        let mut graph = Graph::default();
        for node in order {
            graph.node(&Self::name(*node));
        }
        for (caller, callee, _) in &self.calls {
            let [caller, callee] = [caller, callee].map(|node| graph.node(&Self::name(*node)));
            graph.calls(caller, callee);
        }
        graph
    }

    /// The symptom at node 0 with the fault planted in the last intervals.
    pub(super) fn case(&self, metric: Metric, fault: Fault) -> Case {
        let order: Vec<usize> = (0..self.own.len()).collect();
        self.case_in(metric, fault, &order, 1.0)
    }

    pub(super) fn case_in(&self, metric: Metric, fault: Fault, order: &[usize], scale: f64) -> Case {
        let graph = self.graph(order);
        let node = |place: usize| graph.find(&Self::name(place)).unwrap();
        let symptom = Symptom { node: node(0), metric, at: Timestamp(PAST as i64 * STEP + 60_000) };
        let nodes: Vec<Node> = (0..self.own.len()).map(node).collect();
        let mut case = Case::new(graph, symptom);
        let mut dice = Dice(self.seed ^ 0x5eed);
        for i in 0..PAST + LASTS {
            let now = if i < PAST { Fault::None } else { fault };
            let at = Timestamp(i as i64 * STEP);
            for (place, (requests, latency, availability)) in
                self.interval(&mut dice, now).into_iter().enumerate()
            {
                for (metric, value) in [
                    (Metric::Requests, requests),
                    (Metric::Latency, latency * scale),
                    (Metric::Availability, availability),
                ] {
                    case.add(Subject::Node(nodes[place]), metric, [Sample { at, value }]);
                }
            }
        }
        case
    }
}

pub(super) fn judge(case: &Case) -> Verdict {
    diagnose(case, &Tuning::default())
}

pub(super) fn named(verdict: &Verdict) -> Vec<&str> {
    verdict.suspects.iter().map(|suspect| suspect.node.as_str()).collect()
}
