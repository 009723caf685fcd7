//! What Consul's catalog says, as it is read, and the instances in it.

use crate::entry::{Cell, META, Value, life_in, marked, share};
use rein_plugin::registry::{Fields, InstanceListed, StateListed, start_of};
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, HashMap};

/// The check of a service in maintenance is called so, with its id behind it.
const SERVICE_MAINTENANCE: &str = "_service_maintenance:";
/// The check of a node in maintenance.
const NODE_MAINTENANCE: &str = "_node_maintenance";
/// The check that says that a node has an agent, and how that is.
pub(crate) const SERF: &str = "serfHealth";
/// Most fields of metadata handed on, and the most bytes of one.
const METADATA: (usize, usize) = (16, 256);
/// Most tags handed on, and most failing checks named.
const FEW: usize = 16;

/// What Go writes as `null` is nothing.
fn or_nothing<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// One service of one node.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Entry {
    /// The node's, and another when its agent has forgotten everything.
    #[serde(rename = "ID", default)]
    pub(crate) node_id: String,
    pub(crate) node: String,
    #[serde(default)]
    pub(crate) address: String,
    #[serde(default, deserialize_with = "or_nothing")]
    node_meta: HashMap<String, String>,
    #[serde(default)]
    pub(crate) service_kind: String,
    #[serde(rename = "ServiceID")]
    pub(crate) service_id: String,
    pub(crate) service_name: String,
    #[serde(default)]
    service_address: String,
    #[serde(default)]
    service_port: i64,
    #[serde(default, deserialize_with = "or_nothing")]
    service_tags: Vec<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    service_meta: HashMap<String, String>,
    #[serde(default)]
    service_weights: Weights,
    create_index: u64,
}

/// Consul's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Weights {
    passing: i64,
    warning: i64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { passing: 1, warning: 1 }
    }
}

/// One check of a node or a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Check {
    pub(crate) node: String,
    #[serde(rename = "CheckID")]
    pub(crate) check_id: String,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) notes: String,
    #[serde(rename = "ServiceID", default)]
    pub(crate) service_id: String,
    #[serde(default)]
    pub(crate) modify_index: u64,
}

/// One node.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Node {
    pub(crate) node: String,
    pub(crate) address: String,
}

/// The id of the check that holds a service in maintenance.
pub(crate) fn maintenance_of(id: &str) -> String {
    format!("{SERVICE_MAINTENANCE}{id}")
}

/// What a reason reads as: Consul has one always, if only an empty one.
fn reason(notes: &str) -> String {
    if notes.is_empty() { "no reason given".to_owned() } else { start_of(notes, 4096) }
}

/// What is wrong with services and nodes: their checks that are critical.
#[derive(Debug, Default)]
pub(crate) struct Ill {
    services: HashMap<(String, String), Wrong>,
    nodes: HashMap<String, Wrong>,
}

#[derive(Debug, Default)]
struct Wrong {
    maintenance: Option<String>,
    critical: Vec<String>,
}

impl Ill {
    pub(crate) fn of(checks: Vec<Check>) -> Self {
        let mut ill = Self::default();
        for check in checks.into_iter().filter(|check| check.status == "critical") {
            let node = check.service_id.is_empty();
            let is_maintenance = if node {
                check.check_id == NODE_MAINTENANCE
            } else {
                check.check_id == maintenance_of(&check.service_id)
            };
            let wrong = if node {
                ill.nodes.entry(check.node).or_default()
            } else {
                ill.services.entry((check.node, check.service_id)).or_default()
            };
            if is_maintenance {
                wrong.maintenance = Some(reason(&check.notes));
            } else if wrong.critical.len() < FEW {
                wrong.critical.push(check.check_id);
            }
        }
        ill
    }

    fn service(&self, node: &str, id: &str) -> Option<&Wrong> {
        self.services.get(&(node.to_owned(), id.to_owned()))
    }
}

impl Entry {
    /// What its cell holds, if the check of its maintenance is this one.
    pub(crate) fn value(&self, maintenance: Option<&Check>) -> Value {
        self.value_in(maintenance.map(|check| reason(&check.notes)))
    }

    fn value_in(&self, maintenance: Option<String>) -> Value {
        let weight = |weight: i64| u16::try_from(weight.max(0)).unwrap_or(u16::MAX);
        Value {
            maintenance,
            passing: weight(self.service_weights.passing).max(1),
            warning: weight(self.service_weights.warning),
            weighed: self.mark().is_some_and(|(_, weighed)| weighed),
        }
    }

    fn mark(&self) -> Option<(u64, bool)> {
        self.service_meta.get(META).and_then(|mark| marked(mark))
    }

    /// Its cell. What Rein has written there tells its life also where the catalog had to learn it anew.
    pub(crate) fn cell(&self, maintenance: Option<&str>) -> Cell {
        let said = maintenance.and_then(life_in).or_else(|| self.mark().map(|(life, _)| life));
        Cell {
            service: self.service_name.clone(),
            node: self.node.clone(),
            id: self.service_id.clone(),
            life: said.unwrap_or(self.create_index),
        }
    }

    /// What a key says: in the service's metadata, in its tags, in its node's metadata.
    fn says(&self, key: &str) -> Option<String> {
        let tagged = || {
            let value = |tag: &String| tag.strip_prefix(key)?.strip_prefix('=').map(str::to_owned);
            self.service_tags.iter().find_map(value)
        };
        let said =
            self.service_meta.get(key).cloned().or_else(tagged).or_else(|| self.node_meta.get(key).cloned());
        said.map(|text| start_of(&text, METADATA.1)).filter(|text| !text.is_empty())
    }

    fn place(&self) -> String {
        let host = if self.service_address.is_empty() { &self.address } else { &self.service_address };
        let host = start_of(host, METADATA.1);
        match (host.is_empty(), u16::try_from(self.service_port).ok().filter(|port| *port != 0)) {
            (false, Some(port)) if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{port}"),
            (false, Some(port)) => format!("{host}:{port}"),
            _ => host,
        }
    }

    fn instance(&self, id: String, ill: &Ill, fields: &Fields, usual: Option<u16>) -> InstanceListed {
        let (own, node) = (ill.service(&self.node, &self.service_id), ill.nodes.get(&self.node));
        let maintenance = own.and_then(|wrong| wrong.maintenance.as_deref());
        let all = [own, node];
        let critical: Vec<&str> =
            all.into_iter().flatten().flat_map(|wrong| &wrong.critical).map(String::as_str).collect();
        let rest = self.service_meta.iter().filter(|(key, _)| {
            ![META, fields.zone.as_str(), fields.version.as_str()].contains(&key.as_str())
        });
        let mut metadata: BTreeMap<String, String> =
            rest.map(|(key, value)| (start_of(key, METADATA.1), start_of(value, METADATA.1))).collect();
        while metadata.len() > METADATA.0 {
            metadata.pop_last();
        }
        let mut say = |key: &str, text: &str| {
            if !text.is_empty() {
                metadata.insert(key.to_owned(), start_of(text, METADATA.1));
            }
        };
        say("node", &self.node);
        say(
            "tags",
            &self.service_tags.iter().take(FEW).map(|tag| start_of(tag, 64)).collect::<Vec<_>>().join(", "),
        );
        say("critical", &critical.join(", "));
        let by_node = node.and_then(|wrong| wrong.maintenance.as_deref());
        say("maintenance", maintenance.unwrap_or_default());
        say("node-maintenance", by_node.unwrap_or_default());
        let out = maintenance.is_some() || by_node.is_some();
        InstanceListed {
            service: self.service_name.clone(),
            id,
            cell: self.cell(maintenance).text(),
            address: self.place(),
            zone: self.says(&fields.zone),
            version: self.says(&fields.version),
            weight: if out { Some(0) } else { usual.map(|usual| share(self.value_in(None).passing, usual)) },
            metadata,
            state: if critical.is_empty() { StateListed::Up } else { StateListed::Down },
            registered_ms: None,
        }
    }
}

/// What each entry of one service is called. An id alone is one agent's own: most are called like the service,
/// and then the node tells them apart; where two are called alike still, both say their node.
pub(crate) fn names(entries: &[Entry]) -> Vec<String> {
    let plain = |entry: &Entry| {
        if entry.service_id == entry.service_name { entry.node.clone() } else { entry.service_id.clone() }
    };
    let mut count: HashMap<String, u32> = HashMap::new();
    for entry in entries {
        *count.entry(plain(entry)).or_default() += 1;
    }
    let name = |entry: &Entry| match plain(entry) {
        name if count.get(&name).is_some_and(|n| *n > 1) => format!("{}@{}", entry.service_id, entry.node),
        name => name,
    };
    entries.iter().map(name).collect()
}

/// The instances of one service, and how many of its entries are none.
pub(crate) fn instances(
    service: &str,
    entries: &[Entry],
    ill: &Ill,
    fields: &Fields,
    usual: Option<u16>,
) -> (Vec<InstanceListed>, u32) {
    let mut unread = 0;
    let mut all = Vec::with_capacity(entries.len());
    for (entry, id) in entries.iter().zip(names(entries)) {
        // Proxies of a mesh are nobody whom one calls by name.
        if !entry.service_kind.is_empty() {
            continue;
        }
        let whole = !entry.node.is_empty() && !entry.service_id.is_empty() && entry.service_name == service;
        if whole && entry.cell(None).fits() {
            all.push(entry.instance(id, ill, fields, usual));
        } else {
            unread += 1;
        }
    }
    (all, unread)
}
