//! Versions that metrics show: what is a change and what is none, told once whoever else tells of it, and kept.

mod rig;

use async_trait::async_trait;
use parking_lot::Mutex;
use rein_api::backends::BackendDocument;
use rein_api::markers::{HappenedView, MarkerQuery, SourceView};
use rein_core::House;
use rein_core::app::definitions::Mode;
use rein_domain::access::Actor;
use rein_plugin::telemetry::{
    EdgeMeasured, EdgesAsk, MeasureAsk, Measured, Reading, Running, Series, SeriesAsk, Telemetry, VersionsAsk,
};
use rein_plugin::{Adapter, Fault};
use rein_store::Store;
use rig::made::{Made, Measuring};
use rig::{Hand, TODAY, opened};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// What backends show, by name; one that is not here does not serve it.
#[derive(Default)]
struct Shows {
    running: Mutex<BTreeMap<String, Result<Vec<Running>, Fault>>>,
    looks: AtomicUsize,
    since: Mutex<Option<i64>>,
}

impl Shows {
    fn show(&self, backend: &str, all: &[(&str, &str)]) {
        let one = |(service, version): &(&str, &str)| Running {
            service: (*service).into(),
            version: (*version).into(),
            instances: Some(1),
            since_ms: None,
            source: "made".into(),
        };
        self.running.lock().insert(backend.into(), Ok(all.iter().map(one).collect()));
    }

    fn fails(&self, backend: &str) {
        self.running.lock().insert(backend.into(), Err(Fault::Unreachable("it is gone".into())));
    }
}

struct Meter(Arc<Shows>, String);

#[async_trait]
impl Telemetry for Meter {
    async fn measure(&self, _: &MeasureAsk) -> Result<Reading<Measured>, Fault> {
        Ok(Reading { items: vec![], next: None, at_ms: TODAY, window: Duration::ZERO, missing_peers: vec![] })
    }
    async fn edges(&self, _: &EdgesAsk) -> Result<Reading<EdgeMeasured>, Fault> {
        Ok(Reading { items: vec![], next: None, at_ms: TODAY, window: Duration::ZERO, missing_peers: vec![] })
    }
    async fn series(&self, _: &SeriesAsk) -> Result<Series, Fault> {
        Ok(Series::default())
    }
    async fn versions(&self, ask: &VersionsAsk) -> Result<Reading<Running>, Fault> {
        let shown = self.0.running.lock().get(&self.1).cloned();
        let mut items = shown.unwrap_or_else(|| Err(Fault::Unsupported("it tells none".into())))?;
        match &ask.service {
            Some(service) => {
                items.retain(|one| one.service == *service);
                items.iter_mut().for_each(|one| one.since_ms = *self.0.since.lock());
            }
            None => drop(self.0.looks.fetch_add(1, Ordering::SeqCst)),
        }
        Ok(Reading { items, next: None, at_ms: TODAY, window: Duration::ZERO, missing_peers: vec![] })
    }
}

/// A house over backends that show what a test says.
struct Stage {
    house: Arc<House>,
    admin: Actor,
    shows: Arc<Shows>,
    hand: Hand,
    store: Arc<dyn Store>,
    directory: tempfile::TempDir,
    stop: DropGuard,
    tasks: TaskTracker,
}

impl Stage {
    async fn open(backends: &[&str]) -> Self {
        let hand = Hand::default();
        hand.pass(TODAY);
        let stage = Self::on(tempfile::tempdir().unwrap(), hand, Arc::default()).await;
        for name in backends {
            let document = serde_json::json!({ "kind": "backend", "name": name, "plugin": "meter" });
            let document: BackendDocument = serde_json::from_value(document).unwrap();
            stage.house.define_backend(&stage.admin, None, (name, &document), Mode::Apply).await.unwrap();
        }
        stage
    }

    async fn on(directory: tempfile::TempDir, hand: Hand, shows: Arc<Shows>) -> Self {
        let store: Arc<dyn Store> = Arc::new(opened(&directory.path().join("rein.db")).await);
        let options = rig::options(directory.path());
        let meters = Arc::clone(&shows);
        let made = Made(move |name: &str| {
            Arc::new(Measuring(Meter(Arc::clone(&meters), name.to_owned()))) as Arc<dyn Adapter>
        });
        let house =
            House::open(Arc::clone(&store), Arc::new(made), Box::new(hand.clone()), options).await.unwrap();
        let stop = CancellationToken::new();
        let tasks = house.run(&stop);
        let file = directory.path().join("admin.token");
        let token = house.first_token().await.unwrap();
        let token = token.unwrap_or_else(|| std::fs::read_to_string(&file).unwrap());
        std::fs::write(&file, &token).unwrap();
        let admin = house.authenticate(&token).unwrap();
        Self { house, admin, shows, hand, store, directory, stop: stop.drop_guard(), tasks }
    }

    async fn reopen(self) -> Self {
        let Self { house, shows, hand, store, directory, stop, tasks, .. } = self;
        drop(stop);
        tasks.wait().await;
        drop((house, store));
        Self::on(directory, hand, shows).await
    }

    /// Time passes, and the backend is looked at: whole looks, of which the first may have begun before.
    async fn look(&self, backend: &str, seconds: i64) {
        self.hand.pass(seconds * 1000);
        for _ in 0..2 {
            let before = self.shows.looks.load(Ordering::SeqCst);
            let end = Instant::now() + Duration::from_secs(10);
            while self.shows.looks.load(Ordering::SeqCst) == before && Instant::now() < end {
                self.house.check_backend(&self.admin, backend).await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
                if self.shows.running.lock().get(backend).is_none_or(Result::is_err) {
                    break;
                }
            }
        }
        // What was seen is recorded right after.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    async fn shows(&self, backend: &str, all: &[(&str, &str)], after: i64) {
        self.shows.show(backend, all);
        self.look(backend, after).await;
    }

    /// Changes that nobody made with Rein.
    async fn happened(&self) -> Vec<HappenedView> {
        let all = self.house.status(&self.admin).await.unwrap().happened;
        all.into_iter().filter(|one| one.source != "rein").collect()
    }

    /// `metrics v1 → v2 of order`.
    async fn told(&self) -> Vec<String> {
        let words = |one: HappenedView| format!("{} {} of {}", one.source, one.what, one.targets.join(","));
        self.happened().await.into_iter().map(words).collect()
    }

    /// Waits until it is told.
    async fn tells(&self, what: &[&str]) {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let told = self.told().await;
            if told == what {
                return;
            }
            assert!(Instant::now() < end, "{told:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn source(&self, name: &str) -> (Option<SourceView>, bool) {
        let status = self.house.status(&self.admin).await.unwrap();
        let asks = status.attention.iter().any(|word| word == "sources");
        (status.sources.into_iter().find(|source| source.name == name), asks)
    }

    async fn registers(&self, id: &str, version: &str) {
        self.house.register(&self.admin, None, &rig::instance("order", id, version)).await.unwrap();
    }
}

#[tokio::test]
async fn a_version_that_comes_is_told_once_and_still_after_a_restart() {
    let stage = Stage::open(&["metrics"]).await;
    stage.shows("metrics", &[("order", "v1"), ("payment", "v7")], 0).await;
    assert!(stage.told().await.is_empty());
    stage.shows("metrics", &[("order", "v1"), ("order", "v2"), ("payment", "v7")], 15).await;
    stage.look("metrics", 15).await;
    stage.tells(&["metrics v1 → v2 of order"]).await;
    let (source, _) = stage.source("metrics").await;
    let source = source.unwrap();
    assert_eq!((source.state.as_str(), source.plugin.as_deref()), ("heard", Some("meter")));
    let marker = stage.house.markers(&stage.admin, &MarkerQuery::default()).unwrap().markers.remove(0);
    assert_eq!((marker.kind.as_str(), marker.actor.as_str()), ("version", "rein"));
    assert_eq!((marker.before.as_deref(), marker.version.as_deref()), (Some("v1"), Some("v2")));
    let revision = stage.house.revision();
    stage.look("metrics", 15).await;
    assert_eq!(stage.house.revision(), revision, "nothing is written where nothing alters");
    let stage = stage.reopen().await;
    stage.tells(&["metrics v1 → v2 of order"]).await;
    stage.shows("metrics", &[("order", "v2"), ("payment", "v7")], 30).await;
    stage.tells(&["metrics v1 → v2 of order"]).await;
    // What came while no server ran.
    let stage = stage.reopen().await;
    stage.shows("metrics", &[("order", "v3"), ("payment", "v7")], 30).await;
    stage.tells(&["metrics v2 → v3 of order", "metrics v1 → v2 of order"]).await;
}

#[tokio::test]
async fn a_gap_is_no_change_and_a_backend_that_is_gone_is_silent() {
    let stage = Stage::open(&["metrics"]).await;
    stage.shows("metrics", &[("order", "v1")], 0).await;
    stage.shows.fails("metrics");
    stage.look("metrics", 50).await;
    assert_eq!(stage.source("metrics").await.0.unwrap().state, "heard");
    stage.look("metrics", 600).await;
    let (source, asks) = stage.source("metrics").await;
    let source = source.unwrap();
    assert!(source.state == "silent" && asks, "{source:?}");
    assert!(source.last.is_some() && source.every_seconds == Some(15), "{source:?}");
    stage.shows("metrics", &[], 15).await;
    assert_eq!(stage.source("metrics").await.0.unwrap().state, "silent");
    stage.shows("metrics", &[("order", "v1")], 15).await;
    assert!(stage.told().await.is_empty());
    assert_eq!(stage.source("metrics").await.0.unwrap().state, "heard");
    // It was not there when the server was started, and is known to have told versions.
    stage.shows.fails("metrics");
    let stage = stage.reopen().await;
    stage.look("metrics", 15).await;
    let (source, asks) = stage.source("metrics").await;
    assert!(source.unwrap().state == "never" && asks);
}

#[tokio::test]
async fn the_way_back_is_a_change() {
    let stage = Stage::open(&["metrics"]).await;
    stage.shows("metrics", &[("order", "v1")], 0).await;
    stage.shows("metrics", &[("order", "v2")], 15).await;
    stage.look("metrics", 15).await;
    stage.look("metrics", 301).await;
    stage.shows("metrics", &[("order", "v1")], 15).await;
    stage.tells(&["metrics v2 → v1 of order", "metrics v1 → v2 of order"]).await;
}

#[tokio::test]
async fn what_the_registry_tells_is_told_by_the_registry() {
    let stage = Stage::open(&["metrics"]).await;
    stage.shows("metrics", &[("order", "v1"), ("payment", "v1")], 0).await;
    stage.registers("a", "v1").await;
    stage.registers("b", "v1").await;
    stage.shows("metrics", &[("order", "v2"), ("payment", "v1")], 15).await;
    stage.shows("metrics", &[("order", "v2"), ("payment", "v2")], 15).await;
    stage.tells(&["metrics v1 → v2 of payment", "metrics v1 → v2 of order"]).await;
    stage.hand.pass(60_000);
    stage.registers("a", "v2").await;
    stage.tells(&["registry v1 → v2 on 1 of 2 of order", "metrics v1 → v2 of payment"]).await;
}

#[tokio::test]
async fn two_backends_that_show_the_same_tell_of_one_change() {
    let stage = Stage::open(&["here", "there"]).await;
    for backend in ["here", "there"] {
        stage.shows(backend, &[("order", "v1")], 0).await;
    }
    stage.shows("there", &[("order", "v2")], 15).await;
    stage.shows("here", &[("order", "v2")], 15).await;
    stage.tells(&["there v1 → v2 of order"]).await;
}

#[tokio::test]
async fn who_tells_no_versions_is_no_source_and_nobody_is_called_for_it() {
    let stage = Stage::open(&["metrics"]).await;
    stage.look("metrics", 15).await;
    let (source, asks) = stage.source("metrics").await;
    let source = source.unwrap();
    assert!(source.state == "versionless" && !source.is_heard() && !asks, "{source:?}");
    stage.shows("metrics", &[], 15).await;
    assert_eq!(stage.source("metrics").await.0.unwrap().state, "versionless");
}

#[tokio::test]
async fn since_when_is_believed_within_reason() {
    let stage = Stage::open(&["metrics"]).await;
    stage.shows("metrics", &[("order", "v1")], 0).await;
    for (ago, is) in [(40_000, 40_000), (-5000, 0), (30 * 24 * 3_600_000, 0)] {
        let now = stage.hand_now() + 60_000;
        *stage.shows.since.lock() = Some(now - ago);
        let version = format!("v{ago}");
        stage.shows("metrics", &[("order", version.as_str())], 60).await;
        let newest = stage.happened().await.remove(0);
        assert!(newest.what.ends_with(&version), "{newest:?}");
        assert_eq!(now - newest.at.0.0, is, "{ago}");
    }
}

impl Stage {
    fn hand_now(&self) -> i64 {
        self.house.now().0
    }
}

#[tokio::test]
async fn names_that_are_none_are_cleaned_and_many_services_are_kept_little_by_little() {
    let stage = Stage::open(&["metrics"]).await;
    stage.shows("metrics", &[("Order \u{1b}[31m", "a\u{202e}b")], 0).await;
    stage.shows("metrics", &[("Order \u{1b}[31m", "1.2+build 7")], 15).await;
    let told = stage.told().await;
    assert!(told.len() == 1 && told[0].contains(" of order"), "{told:?}");
    assert!(!told[0].chars().any(rein_domain::text::is_unsafe), "{told:?}");
    let names: Vec<String> = (0..700).map(|n| format!("s{n}")).collect();
    let all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v1")).collect();
    stage.shows("metrics", &all, 15).await;
    stage.look("metrics", 15).await;
    assert!(stage.told().await.len() == 1, "a first sight is no change");
    let kept = stage.store.list(&"ran/metrics/".into()).await.unwrap().0.len();
    assert_eq!(kept, 701);
    // Nobody declares it any more; what it showed stays for as long as markers do.
    stage.house.undefine_backend(&stage.admin, None, "metrics").await.unwrap();
    assert!(stage.source("metrics").await.0.is_none());
    assert_eq!(stage.told().await.len(), 1);
}
