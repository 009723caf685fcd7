//! What a diagnosis is made from: a call graph, samples, a symptom, recent changes.
//!
//! Nothing is judged here. A missing sample is not in the list; it is never a zero.

use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A node of a [`Graph`], by its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub(super) u32);

impl Node {
    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

/// Who calls whom.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    names: Vec<String>,
    places: BTreeMap<String, Node>,
    callees: Vec<Vec<Node>>,
    called: Vec<bool>,
}

impl Graph {
    /// The node of this name, made if it is new.
    pub fn node(&mut self, name: &str) -> Node {
        if let Some(node) = self.places.get(name) {
            return *node;
        }
        let node = Node(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), node);
        self.callees.push(Vec::new());
        self.called.push(false);
        node
    }

    /// Adds that `caller` calls `callee`. A node that calls itself explains nothing: that is left out.
    pub fn calls(&mut self, caller: Node, callee: Node) {
        if caller != callee && !self.callees[caller.at()].contains(&callee) {
            self.callees[caller.at()].push(callee);
            self.called[callee.at()] = true;
        }
    }

    /// The node of this name.
    pub fn find(&self, name: &str) -> Option<Node> {
        self.places.get(name).copied()
    }

    /// A node's name.
    pub fn name(&self, node: Node) -> &str {
        &self.names[node.at()]
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Whom a node calls.
    pub fn callees(&self, node: Node) -> &[Node] {
        &self.callees[node.at()]
    }

    /// Does anybody in the graph call this node?
    pub fn is_called(&self, node: Node) -> bool {
        self.called[node.at()]
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Is there no node at all?
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// What a series measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Seconds a request takes: an average or a quantile. Worse is up.
    Latency,
    /// Per cent of requests that succeed, 0 to 100. Worse is down.
    Availability,
    /// Requests in one interval between samples. Neither way is worse by itself.
    Requests,
    /// Use of something that can run out, in any unit. Worse is up.
    Saturation,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Latency, Self::Availability, Self::Requests, Self::Saturation];

    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Availability => "availability",
            Self::Requests => "requests",
            Self::Saturation => "saturation",
        }
    }
}

/// What a series is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A node, as all its callers see it.
    Node(Node),
    /// The calls from one node to another.
    Edge(Node, Node),
}

/// One measurement. It stands for the interval that begins or ends at `at`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// How much.
    pub value: f64,
}

/// What somebody noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symptom {
    /// Where it shows.
    pub node: Node,
    /// In what it shows: latency, availability or saturation.
    pub metric: Metric,
    /// When it was noticed.
    pub at: Timestamp,
}

/// Something that was changed lately, by Rein or by others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentChange {
    /// What was changed.
    pub node: Node,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What it was, in the words of whoever recorded it.
    pub what: String,
}

/// Everything a diagnosis looks at.
#[derive(Debug, Clone)]
pub struct Case {
    /// Who calls whom.
    pub graph: Graph,
    /// The symptom.
    pub symptom: Symptom,
    /// Changes of the recent past, in any order.
    pub changes: Vec<RecentChange>,
    series: BTreeMap<(Subject, Metric), Series>,
    /// The times of the series that was added last: nearly all have the same, since they come from one query.
    times: Arc<Vec<Timestamp>>,
}

/// The samples of a series, by time.
#[derive(Debug, Clone, Default)]
pub(super) struct Series {
    /// One for each value.
    pub(super) times: Arc<Vec<Timestamp>>,
    pub(super) values: Vec<f64>,
}

impl Case {
    /// A case without samples.
    pub fn new(graph: Graph, symptom: Symptom) -> Self {
        Self { graph, symptom, changes: Vec::new(), series: BTreeMap::new(), times: Arc::default() }
    }

    /// Adds samples of a series, in any order. What is not a finite number is no data.
    pub fn add(&mut self, subject: Subject, metric: Metric, samples: impl IntoIterator<Item = Sample>) {
        let series = self.series.entry((subject, metric)).or_default();
        let times = Arc::make_mut(&mut series.times);
        let known = times.len();
        for sample in samples.into_iter().filter(|sample| sample.value.is_finite()) {
            times.push(sample.at);
            series.values.push(sample.value);
        }
        if !times[known.saturating_sub(1)..].is_sorted() {
            let mut all: Vec<(Timestamp, f64)> = times.iter().copied().zip(series.values.drain(..)).collect();
            all.sort_by(|(at, value), (other, than)| at.cmp(other).then(value.total_cmp(than)));
            (*times, series.values) = all.into_iter().unzip();
        }
        if *times == *self.times {
            series.times = Arc::clone(&self.times);
        } else if known == 0 {
            self.times = Arc::clone(&series.times);
        }
    }

    /// The samples of a series; absent: there is none.
    pub(super) fn samples(&self, subject: Subject, metric: Metric) -> Option<&Series> {
        self.series.get(&(subject, metric)).filter(|series| !series.values.is_empty())
    }
}
