//! A look at the registry as a person would.

use crate::Backend;
use crate::agents::Hand;
use crate::catalog::Node;
use crate::http::{Failure, Path};
use futures::StreamExt;
use futures::future::join_all;
use rein_plugin::registry::{Registry, Survey, shown};
use rein_plugin::{Fault, Finding, Grade};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Nodes whose agents are tried, and how many of them at once.
const NODES: (usize, usize) = (100, 16);
/// How long that may take, the rest of the check aside.
const PATIENCE: Duration = Duration::from_millis(800);
/// Nodes named of those that cannot be reached.
const NAMED: usize = 5;

/// What a token may do, as it is called.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Token {
    #[serde(default)]
    description: String,
    #[serde(default)]
    policies: Option<Vec<Policy>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    name: String,
}

impl Backend {
    pub(crate) async fn check(&self, registry: &dyn Registry) -> Vec<Finding> {
        let addresses = self.settings.addresses.iter().map(|address| self.check_address(address));
        let mut findings = join_all(addresses).await;
        if findings.iter().any(|finding| finding.grade < Grade::Error) {
            let survey = Survey {
                subject: &format!("services beginning with `{}`", shown(&self.settings.prefix)),
                nobody: "is it the right datacenter, and may the token read services and nodes?",
                hold: "agent",
                odd: "entries cannot be read; Consul itself takes no control characters in a path",
            };
            let survey = if self.settings.prefix.is_empty() {
                Survey { subject: "services", ..survey }
            } else {
                survey
            };
            let (leader, acls, agents, entries) = tokio::join!(
                self.check_leader(),
                self.check_acls(),
                self.check_agents(),
                survey.of(registry, |_| false)
            );
            findings.push(leader);
            findings.push(acls);
            findings.extend(agents);
            findings.extend(entries);
        }
        findings
    }

    async fn check_address(&self, address: &str) -> Finding {
        let subject = format!("agent {address}");
        let began = Instant::now();
        match self.itself(address).await {
            Err(fault) => Finding { grade: Grade::Error, subject, message: fault.to_string() },
            Ok(itself) => {
                let (config, took) = (itself.config, began.elapsed().as_millis());
                let role = if config.server { "server" } else { "client" };
                let names = [&config.version, &config.node_name, &config.datacenter].map(|name| shown(name));
                let [version, node, datacenter] = names;
                let message =
                    format!("Consul {version}, {role}, node {node} of {datacenter}, answers in {took} ms");
                Finding { grade: Grade::Ok, subject, message }
            }
        }
    }

    async fn check_leader(&self) -> Finding {
        let subject = "leader".to_owned();
        let (grade, message) = match self.http.read::<String>(Path::new(&["status", "leader"])).await {
            Ok(answer) if answer.value.is_empty() => {
                (Grade::Error, "there is none: nothing is read or written".into())
            }
            Ok(answer) => (Grade::Ok, shown(&answer.value)),
            Err(fault) => (Grade::Error, fault.to_string()),
        };
        Finding { grade, subject, message }
    }

    /// What can be told of rights without trying them.
    async fn check_acls(&self) -> Finding {
        let finding = |grade, message| Finding { grade, subject: "rights".to_owned(), message };
        let address = self.http.address();
        let acls = self.itself(&address).await.is_ok_and(|itself| itself.debug_config.acls);
        let denies = self.http.read::<HashMap<String, IgnoredAny>>(Path::new(&["catalog", "services"])).await;
        let denies = denies.is_ok_and(|answer| answer.denies);
        if self.settings.token.is_none() {
            return match (acls, denies) {
                (_, true) => finding(
                    Grade::Warning,
                    "what no token allows is denied, and there is no token: give the secret token".into(),
                ),
                (true, false) => finding(Grade::Ok, "ACLs are on, and allow what no token denies".into()),
                (false, false) => {
                    finding(Grade::Ok, "no ACLs: whoever reaches an agent may do all of it".into())
                }
            };
        }
        let path = Path::new(&["acl", "token", "self"]);
        match self.http.get::<Token>(&address, &path, self.settings.timeout).await {
            Ok(answer) => {
                let named: Vec<String> = answer
                    .value
                    .policies
                    .unwrap_or_default()
                    .iter()
                    .take(16)
                    .map(|one| shown(&one.name))
                    .collect();
                let description = shown(&answer.value.description);
                let message = format!(
                    "token `{description}` with the policies {}",
                    if named.is_empty() { "of its roles".into() } else { named.join(", ") }
                );
                finding(Grade::Ok, format!("{message}; a drain needs service:write there"))
            }
            Err(Failure::Refused(401, _)) => finding(Grade::Ok, "no ACLs: the token is not needed".into()),
            Err(failure) => finding(Grade::Error, crate::http::of_read(&failure, &address).to_string()),
        }
    }

    /// Whose agents can be reached: nobody is drained without.
    async fn check_agents(&self) -> Option<Finding> {
        let finding =
            |grade, message| Some(Finding { grade, subject: "agents of nodes".to_owned(), message });
        let nodes = match self.http.read::<Vec<Node>>(Path::new(&["catalog", "nodes"])).await {
            Ok(answer) => answer.value,
            Err(fault) => return finding(Grade::Error, fault.to_string()),
        };
        let all = nodes.len();
        let (mut reached, mut without, mut missing) = (0, 0, Vec::new());
        let one = |node: Node| async move { (self.hand(&node.node, &node.address).await, node.node) };
        let asked: Vec<_> = nodes.into_iter().take(NODES.0).map(one).collect();
        let mut hands = futures::stream::iter(asked).buffer_unordered(NODES.1);
        let end = tokio::time::Instant::now() + PATIENCE;
        while let Ok(Some((hand, node))) = tokio::time::timeout_at(end, hands.next()).await {
            match hand {
                Ok(Hand::Agent(_)) => reached += 1,
                Ok(Hand::Catalog) => without += 1,
                Err(Fault::NotDone(_)) => missing.push(format!("{}: not named in agents", shown(&node))),
                Err(fault) => missing.push(format!("{}: {fault}", shown(&node))),
            }
        }
        let tried = reached + without + missing.len();
        let mut message = format!("{reached} of {tried} can be reached");
        if without > 0 {
            message.push_str(&format!(", {without} have none and are written in the catalog"));
        }
        if tried < all {
            message.push_str(&format!("; {} more were not tried", all - tried));
        }
        let grade = if missing.is_empty() { Grade::Ok } else { Grade::Warning };
        if !missing.is_empty() {
            let more = missing.len().saturating_sub(NAMED);
            missing.truncate(NAMED);
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            message.push_str(&format!("; nobody can be drained on {}{more}", missing.join(", ")));
        }
        finding(grade, message)
    }
}
