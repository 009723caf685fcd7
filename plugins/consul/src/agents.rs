//! Whose hand writes: a service is put into maintenance at the agent of its node, and by nobody else. Which agent
//! that is its own word says, before each write: an address may have become another's.

use crate::Backend;
use crate::catalog::{Check, SERF};
use crate::http::{Path, of_read};
use futures::StreamExt;
use parking_lot::RwLock;
use rein_plugin::Fault;
use rein_plugin::registry::shown;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Agents asked at once who they are.
const AT_ONCE: usize = 16;

/// Which agent is which node's, as they last said.
#[derive(Default)]
pub(crate) struct Agents(RwLock<BTreeMap<String, String>>);

/// Who writes for a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hand {
    /// Its agent, there.
    Agent(String),
    /// The catalog itself: the node has no agent.
    Catalog,
}

/// What an agent says of itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Itself {
    pub(crate) config: About,
    #[serde(default)]
    pub(crate) debug_config: Rights,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct About {
    pub(crate) node_name: String,
    pub(crate) datacenter: String,
    pub(crate) server: bool,
    pub(crate) version: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Rights {
    #[serde(rename = "ACLsEnabled", default)]
    pub(crate) acls: bool,
}

impl Backend {
    /// What an agent says of itself.
    pub(crate) async fn itself(&self, url: &str) -> Result<Itself, Fault> {
        let path = Path::new(&["agent", "self"]);
        let answer = self.http.get(url, &path, self.settings.timeout).await;
        Ok(answer.map_err(|failure| of_read(&failure, url))?.value)
    }

    /// Who writes for a node at this address.
    pub(crate) async fn hand(&self, node: &str, address: &str) -> Result<Hand, Fault> {
        let checks: Vec<Check> = self.http.read(Path::new(&["health", "node", node])).await?.value;
        if checks.iter().any(|check| check.check_id == SERF) {
            return self.agent(node, address).await.map(Hand::Agent);
        }
        // One that just came back may not be known to have an agent yet.
        self.learn().await;
        let known = self.agents.0.read().get(node).cloned();
        match known {
            Some(url) if self.is_of(&url, node).await? => Ok(Hand::Agent(url)),
            _ => Ok(Hand::Catalog),
        }
    }

    /// The agent of a node.
    pub(crate) async fn agent(&self, node: &str, address: &str) -> Result<String, Fault> {
        let known = self.agents.0.read().get(node).cloned();
        let patterns = self.settings.patterns.iter().filter_map(|pattern| pattern.url(node, address));
        let mut last = None;
        for url in known.into_iter().chain(patterns) {
            match self.is_of(&url, node).await {
                Ok(true) => return Ok(url),
                Ok(false) => {}
                Err(fault) => last = Some(fault),
            }
        }
        let silent = self.learn().await;
        let known = self.agents.0.read().get(node).cloned();
        known.ok_or_else(|| {
            let node = shown(node);
            last.or(silent).unwrap_or_else(|| {
                Fault::NotDone(format!(
                    "the agent of node {node} is not known, and only that could do it: name it in the backend's agents"
                ))
            })
        })
    }

    async fn is_of(&self, url: &str, node: &str) -> Result<bool, Fault> {
        let name = self.itself(url).await?.config.node_name;
        let mut known = self.agents.0.write();
        if name == node {
            known.insert(name, url.to_owned());
            return Ok(true);
        }
        known.retain(|_, there| there != url);
        Ok(false)
    }

    /// Asks all agents that are named who they are, unless that is known; and says why one did not answer.
    async fn learn(&self) -> Option<Fault> {
        let urls = self.settings.addresses.iter().chain(&self.settings.agents);
        let known: Vec<String> = self.agents.0.read().values().cloned().collect();
        let mut asked = Vec::new();
        for url in urls.filter(|url| !known.contains(*url)) {
            asked.push(async move { (url.clone(), self.itself(url).await) });
        }
        let said: Vec<_> = futures::stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
        let mut known = self.agents.0.write();
        let mut silent = None;
        for (url, itself) in said {
            match itself {
                Ok(itself) => drop(known.insert(itself.config.node_name, url)),
                Err(fault) => silent = Some(fault),
            }
        }
        silent
    }

    /// The node of the agent that is asked for the catalog.
    pub(crate) async fn own_node(&self) -> Result<String, Fault> {
        let address = self.http.address();
        let known =
            self.agents.0.read().iter().find(|(_, url)| **url == address).map(|(node, _)| node.clone());
        if let Some(node) = known {
            return Ok(node);
        }
        let node = self.itself(&address).await?.config.node_name;
        self.agents.0.write().insert(node.clone(), address);
        Ok(node)
    }
}
