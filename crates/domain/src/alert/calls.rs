//! Who calls whom, and in which order a symptom can have come from its cause.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Who calls whom, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallGraph {
    /// All of it: caller and callee.
    Known(BTreeSet<(String, String)>),
    /// Some of it, and why not the rest.
    Partly(BTreeSet<(String, String)>, String),
    /// Nothing of it, and why.
    Unknown(String),
}

impl CallGraph {
    /// The calls that are known.
    pub(super) fn calls(&self) -> impl Iterator<Item = &(String, String)> {
        match self {
            Self::Known(calls) | Self::Partly(calls, _) => Some(calls),
            Self::Unknown(_) => None,
        }
        .into_iter()
        .flatten()
    }
}

/// Services as numbers, whom each calls, and a rank: whoever is called from outside their own circle has a
/// smaller one than who calls.
pub(super) struct Net<'a> {
    numbers: BTreeMap<&'a str, usize>,
    names: Vec<&'a str>,
    callees: Vec<Vec<usize>>,
    rank: Vec<usize>,
}

/// Whom a service calls in the end.
pub(super) struct Reach {
    /// Each with the number of calls to it, nearest first.
    pub(super) found: Vec<(usize, u8)>,
    via: HashMap<usize, usize>,
}

impl<'a> Net<'a> {
    pub(super) fn new(graph: &'a CallGraph, others: impl Iterator<Item = &'a str>) -> Self {
        let ends = graph.calls().flat_map(|(caller, callee)| [caller.as_str(), callee.as_str()]);
        let names: Vec<&str> = ends.chain(others).collect::<BTreeSet<_>>().into_iter().collect();
        let numbers: BTreeMap<&str, usize> = names.iter().enumerate().map(|(n, name)| (*name, n)).collect();
        let mut callees = vec![Vec::new(); names.len()];
        for (caller, callee) in graph.calls().filter(|(caller, callee)| caller != callee) {
            if let (Some(caller), Some(callee)) = (numbers.get(&**caller), numbers.get(&**callee)) {
                callees[*caller].push(*callee);
            }
        }
        let rank = ranks(&callees);
        Self { numbers, names, callees, rank }
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The same for services that call each other in a circle.
    pub(super) fn rank(&self, service: usize) -> usize {
        self.rank[service]
    }

    /// Whom a service calls within so many calls, itself left out.
    pub(super) fn reach(&self, from: usize, depth: u8) -> Reach {
        let mut reach = Reach { found: Vec::new(), via: HashMap::new() };
        let mut next = VecDeque::from([(from, 0)]);
        while let Some((service, calls)) = next.pop_front() {
            if calls == depth {
                continue;
            }
            for &callee in &self.callees[service] {
                if callee != from && !reach.via.contains_key(&callee) {
                    reach.via.insert(callee, service);
                    reach.found.push((callee, calls + 1));
                    next.push_back((callee, calls + 1));
                }
            }
        }
        reach
    }

    /// The services from the one that was asked about to one that it reaches.
    pub(super) fn path(&self, reach: &Reach, to: usize) -> Vec<String> {
        let mut path = vec![to];
        while let Some(before) = path.last().and_then(|at| reach.via.get(at)) {
            path.push(*before);
        }
        path.into_iter().rev().map(|service| self.names[service].to_owned()).collect()
    }
}

/// Tarjan's strongly connected components, which come out callees first; without recursion, since a graph
/// of a thousand services may be one long chain.
fn ranks(callees: &[Vec<usize>]) -> Vec<usize> {
    const NEW: usize = usize::MAX;
    let all = callees.len();
    let (mut index, mut low, mut rank) = (vec![NEW; all], vec![0; all], vec![NEW; all]);
    let (mut stack, mut count, mut circles) = (Vec::new(), 0, 0);
    for root in 0..all {
        if index[root] != NEW {
            continue;
        }
        let mut walk = vec![(root, 0)];
        while let Some((service, next)) = walk.last_mut() {
            let service = *service;
            if *next == 0 {
                (index[service], low[service]) = (count, count);
                count += 1;
                stack.push(service);
            }
            if let Some(&callee) = callees[service].get(*next) {
                *next += 1;
                if index[callee] == NEW {
                    walk.push((callee, 0));
                } else if rank[callee] == NEW {
                    low[service] = low[service].min(index[callee]);
                }
                continue;
            }
            if low[service] == index[service] {
                while let Some(member) = stack.pop() {
                    rank[member] = circles;
                    if member == service {
                        break;
                    }
                }
                circles += 1;
            }
            walk.pop();
            if let Some((caller, _)) = walk.last() {
                low[*caller] = low[*caller].min(low[service]);
            }
        }
    }
    rank
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(calls: &[(&str, &str)]) -> CallGraph {
        CallGraph::Known(calls.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
    }

    #[test]
    fn callees_rank_before_callers_and_a_circle_is_one() {
        let graph = graph(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("a", "d"), ("e", "e")]);
        let net = Net::new(&graph, ["f"].into_iter());
        let rank = |name| net.rank(net.number(name).unwrap());
        assert!(rank("d") < rank("b") && rank("b") < rank("a"), "{:?}", net.rank);
        assert_eq!(rank("b"), rank("c"));
        assert_eq!(net.len(), 6);
    }

    #[test]
    fn reach_ends_at_its_depth_and_knows_the_way() {
        let graph = graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]);
        let net = Net::new(&graph, std::iter::empty());
        let number = |name| net.number(name).unwrap();
        let reach = net.reach(number("a"), 2);
        assert_eq!(reach.found, [(number("b"), 1), (number("c"), 2)]);
        assert_eq!(net.path(&reach, number("c")), ["a", "b", "c"]);
        assert!(net.reach(number("d"), 9).found.is_empty());
    }

    #[test]
    fn a_chain_of_many_services_is_no_matter_of_the_stack() {
        let calls = (0..50_000).map(|n| (format!("{n:06}"), format!("{:06}", n + 1))).collect();
        let graph = CallGraph::Known(calls);
        let net = Net::new(&graph, std::iter::empty());
        assert_eq!((net.rank(0), net.rank(50_000)), (50_000, 0));
    }
}
