//! Writing one cell: at the agent of its node, which tells the catalog; or, for a node without an agent, in the
//! catalog, in one transaction. An agent knows no conditions: it is looked at just before, and whoever comes in
//! between is seen by the next look.

use crate::Backend;
use crate::agents::Hand;
use crate::catalog::maintenance_of;
use crate::entry::{Cell, META, Value};
use crate::http::{Path, of_read, of_write};
use crate::look::Found;
use rein_plugin::registry::shown;
use rein_plugin::{Fault, Write};
use serde_json::{Map, Value as Json, json};
use std::time::Duration;
use tokio::time::Instant;

/// How long an agent has to tell the catalog, before somebody else looks.
const SETTLES: Duration = Duration::from_millis(300);
/// Before the first look at that; each next comes after twice the time.
const LOOK: Duration = Duration::from_millis(15);
/// What an agent says of a service and does not take back: it makes them itself.
const MADE: [&str; 5] = ["ContentHash", "Datacenter", "PeerName", "CreateIndex", "ModifyIndex"];

impl Backend {
    /// Makes a cell hold what is wanted.
    pub(crate) async fn apply(&self, write: &Write) -> Result<(), Fault> {
        let cell = Cell::parse(&write.cell.0)?;
        let want = write.want.as_deref().map(|text| Value::parse(text, &cell)).transpose()?;
        let found = self.find(&cell).await?;
        let moved = || Fault::Moved(format!("{} is not as it was seen", shown(&cell.id)));
        match (found, want) {
            (None, None) => return Ok(()),
            (None, Some(_)) if cell.life != 0 => {
                return Err(Fault::NotDone("the instance is not registered any more".into()));
            }
            (None, Some(want)) if write.expected_version.is_empty() => self.create(&cell, &want).await?,
            (None, Some(_)) => return Err(moved()),
            (Some(found), _) if found.life != cell.life => {
                let id = shown(&cell.id);
                return Err(Fault::Moved(format!(
                    "{id} was registered anew meanwhile: it is somebody else's"
                )));
            }
            (Some(found), Some(want)) if found.value == want => return Ok(()),
            (Some(found), _) if found.version() != write.expected_version => return Err(moved()),
            (Some(found), Some(want)) => self.set(&cell, &found, &want).await?,
            (Some(found), None) if cell.life == 0 => {
                let url = self.agent(&cell.node, &found.entry.address).await?;
                self.tell(&url, Path::new(&["agent", "service", "deregister", &cell.id]), None).await?;
            }
            (Some(_), None) => {
                return Err(Fault::Unsupported(
                    "a registration is not taken away: its owner has made it".into(),
                ));
            }
        }
        self.settles(write).await;
        Ok(())
    }

    /// An agent tells the catalog in its own time. Whoever asked looks next.
    async fn settles(&self, write: &Write) {
        let (end, mut pause) = (Instant::now() + SETTLES, LOOK);
        while Instant::now() < end {
            let Ok(cell) = Cell::parse(&write.cell.0) else { return };
            let Ok(found) = self.find(&cell).await else { return };
            if found.map(|found| found.value.text()) == write.want {
                return;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn set(&self, cell: &Cell, found: &Found, want: &Value) -> Result<(), Fault> {
        let at_agent = match self.hand(&cell.node, &found.entry.address).await? {
            Hand::Agent(url) => url,
            Hand::Catalog => return self.set_in_catalog(cell, found, want).await,
        };
        // Who is to get no traffic gets none before anything else alters.
        if found.value.maintenance != want.maintenance && want.maintenance.is_some() {
            self.maintain(&at_agent, cell, found.value.maintenance.as_ref(), want.maintenance.as_ref())
                .await?;
        }
        if has_other_weight(&found.value, want) {
            self.register(&at_agent, cell, want).await?;
        }
        if found.value.maintenance.is_some() && want.maintenance.is_none() {
            self.maintain(&at_agent, cell, found.value.maintenance.as_ref(), None).await?;
        }
        Ok(())
    }

    async fn tell(&self, agent: &str, path: Path, body: Option<Json>) -> Result<(), Fault> {
        let told = self.http.put(agent, &path, body.map(|body| body.to_string())).await;
        told.map_err(|failure| of_write(&failure, agent))
    }

    async fn maintain(
        &self,
        agent: &str,
        cell: &Cell,
        before: Option<&String>,
        want: Option<&String>,
    ) -> Result<(), Fault> {
        let path = || Path::new(&["agent", "service", "maintenance", &cell.id]);
        // A reason that stands is not replaced by another.
        if before.is_some() {
            self.tell(agent, path().with("enable", "false"), None).await?;
        }
        match want {
            Some(reason) => {
                self.tell(agent, path().with("enable", "true").with("reason", reason), None).await
            }
            None => Ok(()),
        }
    }

    /// Registers a service again as its agent has it, with another weight. Checks that are not named stay.
    async fn register(&self, agent: &str, cell: &Cell, want: &Value) -> Result<(), Fault> {
        let mut service = self.at_agent(agent, cell).await?;
        let (weights, meta) = weights(cell, want, service.get("Meta"));
        service.insert("Weights".into(), weights);
        service.insert("Meta".into(), meta);
        let told = bare(&service);
        let mut body = service;
        MADE.iter().for_each(|made| drop(body.remove(*made)));
        if let Some(name) = body.remove("Service") {
            body.insert("Name".into(), name);
        }
        self.tell(agent, Path::new(&["agent", "service", "register"]), Some(Json::Object(body))).await?;
        let now = bare(&self.at_agent(agent, cell).await?);
        if now == told {
            return Ok(());
        }
        let other: Vec<&str> =
            now.keys().filter(|key| now.get(*key) != told.get(*key)).map(String::as_str).collect();
        Err(Fault::Unknown(format!(
            "{agent} was told of {} and has another {}",
            shown(&cell.id),
            other.join(", ")
        )))
    }

    /// A service as its agent has it.
    async fn at_agent(&self, agent: &str, cell: &Cell) -> Result<Map<String, Json>, Fault> {
        let path = Path::new(&["agent", "service", &cell.id]);
        let answer = self.http.get::<Map<String, Json>>(agent, &path, self.settings.timeout).await;
        let service = answer.map_err(|failure| of_read(&failure, agent))?.value;
        let is = |key: &str, text: &str| service.get(key).and_then(Json::as_str) == Some(text);
        if is("ID", &cell.id) && is("Service", &cell.service) {
            return Ok(service);
        }
        Err(Fault::Moved(format!("{agent} has another service of the id {}", shown(&cell.id))))
    }

    async fn create(&self, cell: &Cell, want: &Value) -> Result<(), Fault> {
        let agent = match self.agent(&cell.node, "").await {
            Ok(agent) => agent,
            Err(Fault::NotDone(why)) => return Err(Fault::Invalid(why)),
            Err(fault) => return Err(fault),
        };
        let (weights, meta) = weights(cell, want, None);
        let body = json!({ "ID": cell.id, "Name": cell.service, "Weights": weights, "Meta": meta });
        self.tell(&agent, Path::new(&["agent", "service", "register"]), Some(body)).await?;
        self.maintain(&agent, cell, None, want.maintenance.as_ref()).await
    }

    /// For a node without an agent the catalog takes a transaction, on condition that all is as it was seen.
    async fn set_in_catalog(&self, cell: &Cell, found: &Found, want: &Value) -> Result<(), Fault> {
        let mut operations = Vec::new();
        if has_other_weight(&found.value, want) {
            let mut service = self.in_catalog(cell).await?;
            let (weights, meta) = weights(cell, want, service.get("Meta"));
            service.insert("Weights".into(), weights);
            service.insert("Meta".into(), meta);
            operations.push(json!({ "Service": { "Verb": "cas", "Node": cell.node, "Service": service } }));
        }
        if found.value.maintenance != want.maintenance {
            let index = found.maintenance.as_ref().map_or(0, |check| check.modify_index);
            let verb = if want.maintenance.is_some() { "cas" } else { "delete-cas" };
            let check = json!({
                "Node": cell.node, "CheckID": maintenance_of(&cell.id), "Name": "Service Maintenance Mode",
                "Status": "critical", "Notes": want.maintenance, "ServiceID": cell.id, "ModifyIndex": index,
            });
            operations.push(json!({ "Check": { "Verb": verb, "Check": check } }));
        }
        let (address, path) = (self.http.address(), self.http.of_datacenter(Path::new(&["txn"])));
        match self.http.put(&address, &path, Some(Json::Array(operations).to_string())).await {
            Ok(()) => Ok(()),
            Err(crate::http::Failure::Refused(409, _)) => {
                Err(Fault::Moved(format!("{} is not as it was seen", shown(&cell.id))))
            }
            Err(failure) => Err(of_write(&failure, &address)),
        }
    }

    /// A service as a transaction takes it, with the index it stands at.
    async fn in_catalog(&self, cell: &Cell) -> Result<Map<String, Json>, Fault> {
        let path = Path::new(&["health", "service", &cell.service]).with("consistent", "");
        let all = self.http.read::<Vec<Json>>(path).await?.value;
        let is_it = |one: &Json| {
            one["Node"]["Node"] == cell.node.as_str() && one["Service"]["ID"] == cell.id.as_str()
        };
        let found = all.into_iter().find(is_it).and_then(|mut one| match one["Service"].take() {
            Json::Object(service) => Some(service),
            _ => None,
        });
        found.ok_or_else(|| Fault::NotDone("the instance is not registered any more".into()))
    }
}

fn has_other_weight(one: &Value, other: &Value) -> bool {
    (one.passing, one.warning, one.weighed) != (other.passing, other.warning, other.weighed)
}

/// The weights that a service is to have, and its metadata with the mark that goes with them.
fn weights(cell: &Cell, want: &Value, meta: Option<&Json>) -> (Json, Json) {
    let mut meta = meta.and_then(Json::as_object).cloned().unwrap_or_default();
    match cell.mark(want.weighed) {
        Some(mark) => meta.insert(META.to_owned(), Json::String(mark)),
        None => meta.remove(META),
    };
    (json!({ "Passing": want.passing, "Warning": want.warning }), Json::Object(meta))
}

/// What an agent was told, without what it makes of that itself.
fn bare(service: &Map<String, Json>) -> Map<String, Json> {
    service
        .iter()
        .filter(|(key, _)| !MADE.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
