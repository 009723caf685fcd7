//! The call graph: who calls whom, and how that goes. `tree` for a terminal, `layout` and `svg` for a picture.

mod layout;
mod svg;
mod tree;

use crate::output::{Detail, Show};
use crate::render::{Look, Tone};
use rein_api::telemetry::{EdgeList, EdgeView, MeasuredList, MeasuredView, ReadingView};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Services and the calls between them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CallGraph {
    services: Vec<MeasuredView>,
    edges: Vec<EdgeView>,
    readings: Vec<ReadingView>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unreachable: BTreeMap<String, String>,
    /// The service it is about, if one.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
}

impl CallGraph {
    /// The whole of what was measured.
    pub(crate) fn new(services: MeasuredList, edges: EdgeList) -> Self {
        let mut readings = services.readings;
        // Of two readings of one backend the older one says how old the picture is.
        for reading in edges.readings {
            match readings.iter_mut().find(|known| known.backend == reading.backend) {
                Some(known) if reading.age_seconds > known.age_seconds => *known = reading,
                Some(_) => {}
                None => readings.push(reading),
            }
        }
        let mut unreachable = services.unreachable;
        unreachable.extend(edges.unreachable);
        Self { services: services.measured, edges: edges.edges, readings, unreachable, about: None }
    }

    /// One service: who calls it, and all that it calls in the end. `None`: nothing is known of it.
    pub(crate) fn around(mut self, name: &str) -> Option<Self> {
        let mut kept: BTreeSet<String> = BTreeSet::from([name.to_owned()]);
        let mut next = vec![name.to_owned()];
        while let Some(caller) = next.pop() {
            for edge in self.edges.iter().filter(|edge| edge.caller == caller) {
                if kept.insert(edge.callee.clone()) {
                    next.push(edge.callee.clone());
                }
            }
        }
        let below = kept.clone();
        self.edges.retain(|e| (below.contains(&e.caller) && below.contains(&e.callee)) || e.callee == name);
        kept.extend(self.edges.iter().map(|edge| edge.caller.clone()));
        self.services.retain(|one| kept.contains(&one.service));
        self.about = Some(name.to_owned());
        let known = !self.edges.is_empty() || !self.services.is_empty();
        known.then_some(self)
    }

    /// All services, also those of which only calls are known.
    fn nodes(&self) -> BTreeMap<&str, Option<&MeasuredView>> {
        let ends = self.edges.iter().flat_map(|edge| [edge.caller.as_str(), edge.callee.as_str()]);
        let mut nodes: BTreeMap<&str, Option<&MeasuredView>> = ends.map(|name| (name, None)).collect();
        nodes.extend(self.services.iter().map(|one| (one.service.as_str(), Some(one))));
        nodes
    }
}

impl Show for CallGraph {
    fn table(&self, look: &Look, detail: Detail) -> String {
        tree::text(self, look, detail)
    }

    fn names(&self) -> Vec<String> {
        self.nodes().into_keys().map(str::to_owned).collect()
    }

    fn picture(&self) -> Option<String> {
        Some(svg::picture(self))
    }
}

fn tone(health: &str) -> Tone {
    match health {
        "good" => Tone::Good,
        "degraded" => Tone::Pending,
        "failing" => Tone::Bad,
        _ => Tone::Dim,
    }
}

/// `failing: 12 % fail`.
fn verdict(health: &str, why: &[String]) -> String {
    if why.is_empty() { health.to_owned() } else { format!("{health}: {}", why.join(", ")) }
}

#[cfg(test)]
mod tests;
