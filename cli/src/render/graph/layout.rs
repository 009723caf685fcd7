//! Places for the nodes of a graph: layers from callers to callees, few crossings. Pure.
//!
//! Edges that close a circle are turned round for the layering only. An edge over several layers passes
//! through a waypoint in each, so that it does not run behind other nodes.

use std::collections::BTreeMap;

/// Sweeps that lessen crossings.
const SWEEPS: usize = 8;

/// Where something lies: its layer, and its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) layer: usize,
    pub(super) row: usize,
}

/// A graph with places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Of each node.
    pub(super) nodes: Vec<Place>,
    /// Of each edge, from caller to callee: where it passes, both ends included.
    pub(super) edges: Vec<Vec<Place>>,
    /// How many places each layer has.
    pub(super) rows: Vec<usize>,
}

/// An edge: caller and callee.
type Pair = (usize, usize);

/// Lays out nodes `0..count` with these edges.
pub(super) fn layout(count: usize, edges: &[Pair]) -> Layout {
    let forward: Vec<Pair> = without_circles(count, edges);
    let layers = layers(count, &forward);
    let mut chains: Vec<Vec<usize>> = Vec::with_capacity(edges.len());
    let mut layer_of = layers.clone();
    for (from, to) in &forward {
        let mut chain = vec![*from];
        let (a, b) = (layers[*from], layers[*to]);
        for layer in a + 1..b {
            chain.push(layer_of.len());
            layer_of.push(layer);
        }
        if to != from {
            chain.push(*to);
        }
        chains.push(chain);
    }
    let rows = order(&layer_of, &chains);
    let place = |n: usize| Place { layer: layer_of[n], row: rows[n] };
    let mut heights = vec![0; layer_of.iter().max().map_or(0, |max| max + 1)];
    for layer in &layer_of {
        heights[*layer] += 1;
    }
    let path = |((chain, turned), original): ((&Vec<usize>, &Pair), &Pair)| {
        let mut path: Vec<Place> = chain.iter().map(|n| place(*n)).collect();
        if turned != original {
            path.reverse();
        }
        path
    };
    Layout {
        nodes: (0..count).map(place).collect(),
        edges: chains.iter().zip(&forward).zip(edges).map(path).collect(),
        rows: heights,
    }
}

/// The same edges, those turned round that lead back to where a walk came from.
fn without_circles(count: usize, edges: &[Pair]) -> Vec<Pair> {
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut entered = vec![0usize; count];
    for (n, (from, to)) in edges.iter().enumerate() {
        out[*from].push(n);
        if from != to {
            entered[*to] += 1;
        }
    }
    let mut turned = edges.to_vec();
    // 0: not seen, 1: on the way, 2: done.
    let mut state = vec![0u8; count];
    let roots = (0..count).filter(|n| entered[*n] == 0).chain(0..count);
    for root in roots {
        if state[root] != 0 {
            continue;
        }
        state[root] = 1;
        let mut way = vec![(root, 0)];
        while let Some((node, next)) = way.last_mut() {
            let node = *node;
            let Some(edge) = out[node].get(*next).copied() else {
                state[node] = 2;
                way.pop();
                continue;
            };
            *next += 1;
            let to = edges[edge].1;
            match state[to] {
                0 => {
                    state[to] = 1;
                    way.push((to, 0));
                }
                1 => turned[edge] = (to, node),
                _ => {}
            }
        }
    }
    turned
}

/// The longest way to each node. Without circles it ends; an edge to itself counts for nothing.
fn layers(count: usize, edges: &[Pair]) -> Vec<usize> {
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut waiting = vec![0usize; count];
    for (from, to) in edges.iter().filter(|(from, to)| from != to) {
        out[*from].push(*to);
        waiting[*to] += 1;
    }
    let mut layers = vec![0; count];
    let mut ready: Vec<usize> = (0..count).filter(|n| waiting[*n] == 0).collect();
    while let Some(node) = ready.pop() {
        for to in &out[node] {
            layers[*to] = layers[*to].max(layers[node] + 1);
            waiting[*to] -= 1;
            if waiting[*to] == 0 {
                ready.push(*to);
            }
        }
    }
    layers
}

/// The row of each node and waypoint: by the mean of its neighbours' rows, to and fro.
fn order(layer_of: &[usize], chains: &[Vec<usize>]) -> Vec<usize> {
    let mut by_layer: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (node, layer) in layer_of.iter().enumerate() {
        by_layer.entry(*layer).or_default().push(node);
    }
    let mut rows = vec![0; layer_of.len()];
    for nodes in by_layer.values() {
        nodes.iter().enumerate().for_each(|(row, node)| rows[*node] = row);
    }
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); layer_of.len()];
    let mut after = before.clone();
    for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
        after[pair[0]].push(pair[1]);
        before[pair[1]].push(pair[0]);
    }
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let neighbours = if down { &before } else { &after };
        let mut layers: Vec<usize> = by_layer.keys().copied().collect();
        if !down {
            layers.reverse();
        }
        for layer in layers {
            let Some(nodes) = by_layer.get_mut(&layer) else { continue };
            let mean = |node: usize| {
                let all = &neighbours[node];
                let sum: usize = all.iter().map(|n| rows[*n]).sum();
                if all.is_empty() { rows[node] as f64 } else { sum as f64 / all.len() as f64 }
            };
            let mut wanted: Vec<(f64, usize)> = nodes.iter().map(|node| (mean(*node), *node)).collect();
            // Stable: what wants the same place keeps its order.
            wanted.sort_by(|a, b| a.0.total_cmp(&b.0));
            *nodes = wanted.into_iter().map(|(_, node)| node).collect();
            nodes.iter().enumerate().for_each(|(row, node)| rows[*node] = row);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn callers_lie_before_callees_and_long_edges_have_waypoints() {
        let edges = [(0, 1), (1, 2), (0, 2)];
        let layout = layout(3, &edges);
        assert_eq!(layout.nodes.iter().map(|p| p.layer).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(layout.edges[2].len(), 3);
        assert_eq!(layout.rows, [1, 2, 1]);
    }

    #[test]
    fn circles_end_and_run_backwards() {
        let layout = layout(2, &[(0, 1), (1, 0), (1, 1)]);
        assert_eq!(layout.nodes.iter().map(|p| p.layer).collect::<Vec<_>>(), [0, 1]);
        assert!(layout.edges[1][0].layer > layout.edges[1][1].layer);
        assert_eq!(layout.edges[2].len(), 1);
    }

    proptest! {
        #[test]
        fn nothing_lies_on_anything(edges in proptest::collection::vec((0usize..12, 0usize..12), 0..40)) {
            let layout = layout(12, &edges);
            let mut places: Vec<Place> = layout.nodes.clone();
            for (path, (from, to)) in layout.edges.iter().zip(&edges) {
                prop_assert_eq!(path[0], layout.nodes[*from]);
                prop_assert_eq!(path[path.len() - 1], layout.nodes[*to]);
                prop_assert!(path.windows(2).all(|p| p[0].layer.abs_diff(p[1].layer) == 1));
                let inner = path.len().saturating_sub(2);
                places.extend(path.iter().skip(1).take(inner));
            }
            let all = places.len();
            places.sort();
            places.dedup();
            prop_assert_eq!(places.len(), all);
            prop_assert_eq!(layout.rows.iter().sum::<usize>(), all);
        }
    }
}
