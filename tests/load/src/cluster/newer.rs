//! I18: a newer version works beside. It adds fields to records that this one does not know, by plain
//! conditional commits; whatever servers do to the records meanwhile, the fields stay. In the end it asks for
//! newer writers than these servers are.

use crate::http1::{Api, Ask};
use rein_store::{Commit, EtcdOptions, EtcdStore, Must, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Records that servers read and write anew.
const KINDS: [&str; 3] = ["def/switch/", "change/", "incident/"];
/// The field no present version knows.
const FIELD: &str = "later";
/// Asks for writers that there are none of yet.
const MIN_WRITER: &str = "meta/min_writer";

/// A newer version's writer.
pub(crate) struct Newer {
    store: EtcdStore,
    /// What was planted, by record and place in it.
    planted: BTreeMap<(String, String), Value>,
    /// How often a record that has planted fields was found written anew by a server, with more in it.
    rewritten: usize,
}

impl Newer {
    pub(crate) async fn open(url: &str) -> Result<Self, String> {
        let options = EtcdOptions::parse(url).map_err(|e| e.to_string())?;
        let store = EtcdStore::open(options).await.map_err(|e| e.to_string())?;
        Ok(Self { store, planted: BTreeMap::new(), rewritten: 0 })
    }

    /// Plants fields until the run is over. A member of etcd may be stopped: then it is tried again.
    pub(crate) async fn run(mut self, until: Instant) -> Self {
        while Instant::now() < until {
            for kind in KINDS {
                if let Ok((entries, _)) = self.store.list(&kind.into()).await {
                    for entry in entries {
                        self.plant(&entry).await;
                    }
                }
            }
            sleep(Duration::from_millis(150)).await;
        }
        self
    }

    /// One field in each object that has none yet.
    async fn plant(&mut self, entry: &rein_store::Entry) {
        let key = entry.key.to_string();
        let Ok(mut record) = serde_json::from_slice::<Value>(&entry.value) else { return };
        let mut places = Vec::new();
        objects(&record, "", &mut places);
        let mut fresh = BTreeMap::new();
        for place in places {
            let Some(object) = record.pointer_mut(&place).and_then(Value::as_object_mut) else { continue };
            let at = (key.clone(), place);
            if !self.planted.contains_key(&at) && !object.contains_key(FIELD) {
                let field = json!({"n": self.planted.len(), "list": [1, {"x": at.1}]});
                object.insert(FIELD.to_owned(), field.clone());
                fresh.insert(at, field);
            }
        }
        if fresh.is_empty() {
            return;
        }
        let known = self.planted.range((key.clone(), String::new())..).next();
        self.rewritten += usize::from(known.is_some_and(|((planted, _), _)| *planted == key));
        let commit = Commit::new()
            .must(Must::Unchanged(entry.key.clone(), entry.modified))
            .put(entry.key.clone(), record.to_string());
        // A server may have been faster; then the next round plants. In doubt, nothing is claimed.
        if self.store.commit(commit).await.is_ok_and(|outcome| outcome.committed().is_some()) {
            self.planted.append(&mut fresh);
        }
    }

    /// Fields planted, how often servers added to a record that has some, and fields that are gone although
    /// their object is there.
    pub(crate) async fn check(&self) -> Result<(usize, usize, Vec<String>), String> {
        let mut lost = Vec::new();
        let mut records = BTreeMap::new();
        for kind in KINDS {
            let (entries, _) = self.store.list(&kind.into()).await.map_err(|e| e.to_string())?;
            for entry in entries {
                let record: Value = serde_json::from_slice(&entry.value).map_err(|e| e.to_string())?;
                records.insert(entry.key.to_string(), record);
            }
        }
        for ((key, place), field) in &self.planted {
            let Some(record) = records.get(key) else { continue };
            let Some(object) = record.pointer(place) else { continue };
            if object.get(FIELD) != Some(field) {
                lost.push(format!("{key}{place}: {}", object.get(FIELD).unwrap_or(&Value::Null)));
            }
        }
        Ok((self.planted.len(), self.rewritten, lost))
    }

    /// Asks for newer writers; every write is refused then, for that reason, and reads go on.
    pub(crate) async fn outdates(&self, servers: &[Api], switch: &str) -> Result<Vec<String>, String> {
        let commit = Commit::new().put(MIN_WRITER, "1000");
        let outcome = self.store.commit(commit).await.map_err(|e| e.to_string())?;
        let at = outcome.committed().ok_or("nobody else writes this")?.revision.0.to_string();
        let mut wrong = Vec::new();
        for (n, server) in servers.iter().enumerate() {
            let mut conn = server.conn();
            let write = crate::house::off(switch, 60).with("rein-seen", at.clone());
            let refused = conn.send(&write).await?;
            let said = refused.json();
            let right = refused.status == 503
                && said["code"] == "unavailable"
                && said["message"].as_str().is_some_and(|why| why.contains("generation 1000"));
            if !right {
                wrong.push(format!(
                    "server {n} takes a write, or refuses it wrongly: {} {said}",
                    refused.status
                ));
            }
            let read = conn.send(&Ask::get(format!("/v1/switches/{switch}?consistent=true"))).await?;
            if !read.good() {
                wrong.push(format!("server {n} does not read any more: {} {}", read.status, read.json()));
            }
        }
        Ok(wrong)
    }
}

/// Every object in which a newer version may add a field, by JSON pointer: not those whose fields are data,
/// or one of which names a variant.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if !["/did", "/hush", "/config"].iter().any(|last| at.ends_with(last)) {
                found.push(at.to_owned());
            }
            let own = fields.iter().filter(|(name, _)| *name != FIELD);
            own.for_each(|(name, value)| objects(value, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| objects(value, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}
