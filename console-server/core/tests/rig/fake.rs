//! A backend that can be made to do what no real one does on demand: lose answers, forget, lie.
//! It also notes whether every write was recorded before it came (I2).

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use parking_lot::Mutex;
use rein_core::plugins::{PluginState, Plugins};
use rein_domain::backend::Backend;
use rein_domain::name::BackendName;
use rein_domain::time::Timestamp;
use rein_plugin::Registry;
use rein_plugin::registry::{InstanceListed, Listing, Shares, Weighed, Weighing};
use rein_plugin::{
    Adapter, CellKey, Configuration, Description, Fault, FieldError, Finding, Matched, Matcher, Page, Repeat,
    Seen, SilenceSeen, Silences, TargetName, Write,
};
use rein_store::{Key, Store};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What happens to one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is done and said.
    Done,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It is not done, and the answer is lost.
    RequestLost,
    /// It is not done, and said to be.
    Lied,
}

/// One backend's state.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) cells: Mutex<BTreeMap<String, String>>,
    pub(crate) life: Mutex<u32>,
    pub(crate) down: Mutex<bool>,
    pub(crate) missing: Mutex<Vec<String>>,
    pub(crate) fates: Mutex<VecDeque<Fate>>,
    pub(crate) alerts: Mutex<Vec<BTreeMap<String, String>>>,
    pub(crate) foreign: Mutex<Vec<SilenceSeen>>,
    pub(crate) writes: Mutex<u32>,
    /// While somebody holds this, nobody is told what is there.
    pub(crate) gate: tokio::sync::Mutex<()>,
    /// How often it was asked what is there.
    pub(crate) asked: Mutex<u32>,
    /// Writes that came before their hold was in the store.
    pub(crate) unrecorded: Mutex<Vec<String>>,
    store: Mutex<Option<Arc<dyn Store>>>,
    name: Mutex<String>,
    /// Services find each other in it.
    registry: Mutex<bool>,
    /// It gives all or nothing.
    pub(crate) stiff: Mutex<bool>,
    /// Nobody can list it, though it can be looked at.
    pub(crate) unlisted: Mutex<bool>,
}

impl Fake {
    /// Somebody registers, in the zone that its name begins with.
    pub(crate) fn register(&self, name: &str) {
        self.register_as(name, 1);
    }

    /// The same in another life.
    pub(crate) fn register_as(&self, name: &str, life: u32) {
        let value = format!(r#"{{"name":"{name}","weight":100}}"#);
        self.cells.lock().insert(format!("order/{name}#{life}"), value);
    }
}

/// The backends of one rig, by name.
#[derive(Default)]
pub(crate) struct Fakes {
    all: Mutex<BTreeMap<BackendName, Arc<Fake>>>,
    store: Mutex<Option<Arc<dyn Store>>>,
}

impl Fakes {
    pub(crate) fn journal(&self, store: &Arc<dyn Store>) {
        *self.store.lock() = Some(Arc::clone(store));
        for fake in self.all.lock().values() {
            *fake.store.lock() = Some(Arc::clone(store));
        }
    }

    /// The store's file has one owner at a time.
    pub(crate) fn journal_closed(&self) {
        *self.store.lock() = None;
        for fake in self.all.lock().values() {
            *fake.store.lock() = None;
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Fake>> {
        self.all.lock().get(&name.parse::<BackendName>().unwrap()).cloned()
    }

    pub(crate) fn one(&self, name: &str) -> Arc<Fake> {
        // Whoever asks before the task that tends it has begun gets what that task will find.
        Arc::clone(self.all.lock().entry(name.parse::<BackendName>().unwrap()).or_default())
    }
}

#[async_trait]
impl Plugins for Fakes {
    fn declare(&self, backend: &Backend) {
        let fake = Arc::clone(self.all.lock().entry(backend.name.clone()).or_default());
        *fake.store.lock() = self.store.lock().clone();
        *fake.name.lock() = backend.name.to_string();
        *fake.registry.lock() = backend.config.contains("registry");
    }

    fn forget(&self, _: &BackendName) {}

    fn adapter(&self, name: &BackendName) -> Option<Arc<dyn Adapter>> {
        self.all.lock().get(name).map(|fake| Arc::new(Handle(Arc::clone(fake))) as _)
    }

    async fn judge(&self, backend: &Backend) -> Result<Vec<FieldError>, Fault> {
        if backend.plugin.as_str() != "fake" {
            return Err(Fault::Unsupported(format!("there is no plugin {}", backend.plugin)));
        }
        let wrong = backend.config.contains("wrong");
        let error = FieldError { field: "/wrong".into(), message: "is not known".into() };
        Ok(wrong.then_some(error).into_iter().collect())
    }

    fn states(&self) -> Vec<PluginState> {
        Vec::new()
    }

    fn logs(&self, _: &BackendName) -> Vec<(Timestamp, String)> {
        Vec::new()
    }
}

struct Handle(Arc<Fake>);

impl Handle {
    fn registers(&self) -> bool {
        *self.0.registry.lock()
    }

    fn up(&self) -> Result<(), Fault> {
        match *self.0.down.lock() {
            true => Err(Fault::Unreachable("the backend is down".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Adapter for Handle {
    async fn describe(&self) -> Result<Description, Fault> {
        Ok(Description {
            name: "fake".into(),
            version: "1".into(),
            config_schema: "{}".into(),
            secrets: Vec::new(),
            repeat: Repeat::Marker,
            nouns: vec![if self.registers() { "registry" } else { "silence" }.into()],
            watches: self.registers(),
            cannot: Vec::new(),
            keeps_deadline: true,
            when_rein_dies: "it stays until its end".into(),
        })
    }

    async fn configure(&self, _: Configuration) -> Result<Vec<FieldError>, Fault> {
        Ok(Vec::new())
    }

    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        Ok(Vec::new())
    }

    async fn resolve(&self, _: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        Err(Fault::Unsupported("cells are named after changes".into()))
    }

    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        self.up()?;
        *self.0.asked.lock() += 1;
        drop(self.0.gate.lock().await);
        let held = self.0.cells.lock();
        let seen = |cell: &CellKey| Seen {
            cell: cell.clone(),
            value: held.get(&cell.0).cloned(),
            version: String::new(),
            incarnation: self.0.life.lock().to_string(),
            missing_peers: self.0.missing.lock().clone(),
            copies: u32::from(held.contains_key(&cell.0)),
            object: String::new(),
            effect: String::new(),
            peers: 2,
            over: self.registers() && !held.contains_key(&cell.0),
        };
        Ok(cells.iter().map(seen).collect())
    }

    async fn apply(&self, write: Write) -> Result<(), Fault> {
        self.up()?;
        let store = self.0.store.lock().clone();
        if let Some(store) = store {
            let key = format!("hold/{}/{}", self.0.name.lock(), write.cell.0);
            let held = store.get(&Key::from(key)).await.ok().flatten();
            let text =
                held.map(|entry| String::from_utf8_lossy(&entry.value).into_owned()).unwrap_or_default();
            let record: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let want = serde_json::to_value(rein_domain::hold::Value(write.want.clone())).unwrap();
            if !record["mine"].as_array().is_some_and(|mine| mine.contains(&want)) {
                self.0.unrecorded.lock().push(format!("{write:?} but {text}"));
            }
        }
        *self.0.writes.lock() += 1;
        let fate = self.0.fates.lock().pop_front().unwrap_or(Fate::Done);
        if matches!(fate, Fate::Done | Fate::AnswerLost) {
            let mut cells = self.0.cells.lock();
            match write.want {
                Some(value) => drop(cells.insert(write.cell.0, value)),
                None => drop(cells.remove(&write.cell.0)),
            }
        }
        match fate {
            Fate::Done | Fate::Lied => Ok(()),
            Fate::AnswerLost | Fate::RequestLost => Err(Fault::Unknown("no answer came".into())),
        }
    }

    async fn watch(&self) -> Result<BoxStream<'static, Option<CellKey>>, Fault> {
        // It hints all the time; whoever is told looks.
        let tick = || tokio::time::sleep(Duration::from_millis(100));
        let hints = futures::stream::unfold((), move |()| async move {
            tick().await;
            Some((None, ()))
        });
        Ok(hints.boxed())
    }

    fn silences(&self) -> Option<&dyn Silences> {
        (!self.registers()).then_some(self)
    }

    fn registry(&self) -> Option<&dyn Registry> {
        self.registers().then_some(self)
    }
}

#[async_trait]
impl Registry for Handle {
    async fn list(&self, _: Option<String>) -> Result<Listing, Fault> {
        self.up()?;
        if *self.0.unlisted.lock() {
            return Err(Fault::NotDone("the list does not fit".into()));
        }
        let one = |(key, value): (&String, &String)| {
            let value: serde_json::Value = serde_json::from_str(value).unwrap();
            let name = value["name"].as_str().unwrap().to_owned();
            InstanceListed {
                service: "order".into(),
                zone: name.split_once('-').map(|(zone, _)| zone.to_owned()),
                id: name,
                cell: key.clone(),
                address: "10.0.0.7:80".into(),
                weight: value["weight"].as_u64().map(|weight| weight as u16),
                ..InstanceListed::default()
            }
        };
        let items = self.0.cells.lock().iter().map(one).collect();
        let weighs = if *self.0.stiff.lock() { Shares::AllOrNothing } else { Shares::Any };
        Ok(Listing { page: Page { items, next: None }, missing_peers: Vec::new(), unread: 0, weighs })
    }

    async fn weigh(&self, weighings: &[Weighing]) -> Result<Vec<Weighed>, Fault> {
        let spelled = |one: &Weighing| {
            let value = one.value.as_deref().unwrap_or("{}");
            let mut value: serde_json::Value = serde_json::from_str(value).unwrap();
            value["weight"] = one.weight.into();
            Ok(Some(value.to_string()))
        };
        Ok(weighings.iter().map(spelled).collect())
    }
}

#[async_trait]
impl Silences for Handle {
    async fn list(&self, _: bool, _: Option<String>) -> Result<Page<SilenceSeen>, Fault> {
        self.up()?;
        let own = |key: &String| SilenceSeen {
            id: key.clone(),
            matchers: Vec::new(),
            starts: "2026-11-23T00:00:00Z".into(),
            ends: "2027-11-23T00:00:00Z".into(),
            author: String::new(),
            comment: String::new(),
            state: "active".into(),
            cell: Some(CellKey(key.clone())),
            hushes: None,
            missing_peers: Vec::new(),
        };
        let cells = self.0.cells.lock();
        let ours = cells.keys().filter(|key| !key.starts_with("foreign:")).map(own);
        Ok(Page { items: self.0.foreign.lock().iter().cloned().chain(ours).collect(), next: None })
    }

    async fn matched(&self, matchers: &[Matcher], _: Duration, _: u32) -> Result<Matched, Fault> {
        self.up()?;
        let list: Vec<_> = matchers
            .iter()
            .map(|m| rein_domain::matchers::Matcher::new(&m.name, m.op.parse().unwrap(), &m.value).unwrap())
            .collect();
        let all = self.0.alerts.lock().clone();
        let hit = |labels: &BTreeMap<String, String>| {
            list.iter().all(|m| m.matches(labels.get(m.name()).map_or("", String::as_str)))
        };
        let alerts: Vec<_> = all
            .iter()
            .filter(|labels| hit(labels))
            .map(|labels| rein_plugin::AlertSeen {
                id: format!("{labels:?}"),
                labels: labels.clone(),
                summary: String::new(),
                since: "2026-11-23T00:00:00Z".into(),
                state: "active".into(),
                silenced_by: Vec::new(),
                inhibited_by: Vec::new(),
            })
            .collect();
        Ok(Matched {
            firing: alerts.len() as u32,
            alerts,
            firing_in_all: all.len() as u32,
            lately: None,
            missing_peers: Vec::new(),
        })
    }
}
