//! Diagnosis and status over what backends measure: one that is sick, one that is calm, one that only knows
//! series, one that loses its figures, one that never answers.

mod rig;

use async_trait::async_trait;
use rein_api::ErrorCode;
use rein_api::backends::BackendDocument;
use rein_api::diagnosis::{DiagnosisQuery, DiagnosisView};
use rein_api::markers::{MarkerQuery, MarkerRequest};
use rein_core::House;
use rein_core::app::definitions::Mode;
use rein_domain::access::Actor;
use rein_plugin::telemetry::{
    EdgeMeasured, EdgesAsk, Figure, Line, Lines, LinesAsk, LinesOf, MeasureAsk, Measured, Measures, Reading,
    Running, Series, SeriesAsk, Subject, Telemetry, VersionsAsk,
};
use rein_plugin::{Adapter, Fault};
use rein_store::sqlite::{SqliteOptions, SqliteStore};
use rig::made::{Made, Measuring};
use rig::{Hand, TODAY, off, switch};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Steps for which `payment` is slow, and whoever waits for it.
const SICK: i64 = 5;

struct Meter(String);

fn meter(name: &str) -> Arc<dyn Adapter> {
    Arc::new(Measuring(Meter(name.to_owned())))
}

impl Meter {
    /// Steady with small waves, each subject in its own way; in the end slow, if the backend is sick.
    fn series(
        &self,
        figure: Figure,
        of: &Subject,
        (from, to): (i64, i64),
        step: Duration,
    ) -> Vec<(i64, f64)> {
        let (base, waits) = match of {
            Subject::Service(name) => match name.as_str() {
                "gateway" => (0.30, 0.2),
                "order" => (0.20, 0.2),
                "payment" => (0.05, 0.2),
                "restaurant" => (0.04, 0.0),
                _ => return Vec::new(),
            },
            Subject::Instance(..) | Subject::Edge(..) => return Vec::new(),
        };
        let width = i64::try_from(step.as_millis()).unwrap();
        let value = |at: i64| {
            let wave = 1.0 + 0.02 * ((at / width * 7919 + (base * 1000.0) as i64 * 31) % 17 - 8) as f64 / 8.0;
            let sick = self.0 != "calm" && at > to - SICK * width;
            match figure {
                Figure::P50 | Figure::P90 | Figure::P99 => base * wave + if sick { waits } else { 0.0 },
                Figure::Success => 1.0,
                Figure::Rps => 40.0 * wave,
                Figure::Saturation => 0.3 * wave,
            }
        };
        (0..).map(|n| from + n * width).take_while(|at| *at <= to).map(|at| (at, value(at))).collect()
    }
}

#[async_trait]
impl Telemetry for Meter {
    async fn measure(&self, _: &MeasureAsk) -> Result<Reading<Measured>, Fault> {
        if self.0 == "mute" {
            std::future::pending::<()>().await;
        }
        let one = |service: &str, success| Measured {
            service: service.into(),
            instance: None,
            zone: None,
            measures: Measures { rps: Some(40.0), success: Some(success), ..Measures::default() },
            source: "meter".into(),
        };
        let bad = if self.0 == "sick" { 0.6 } else { 1.0 };
        let items = vec![one("order", 1.0), one("payment", bad)];
        Ok(Reading {
            items,
            next: None,
            at_ms: TODAY,
            window: Duration::from_secs(60),
            missing_peers: vec![],
        })
    }
    async fn edges(&self, _: &EdgesAsk) -> Result<Reading<EdgeMeasured>, Fault> {
        if self.0 == "mute" {
            return Err(Fault::Unreachable("it is gone".into()));
        }
        let calls =
            [("gateway", "order"), ("order", "payment"), ("order", "restaurant"), ("x\u{1b}", "order")];
        let edge = |(caller, callee): (&str, &str)| EdgeMeasured {
            caller: caller.into(),
            callee: callee.into(),
            measures: Measures { rps: Some(40.0), ..Measures::default() },
            source: "meter".into(),
        };
        let items = calls.into_iter().map(edge).collect();
        Ok(Reading {
            items,
            next: None,
            at_ms: TODAY,
            window: Duration::from_secs(60),
            missing_peers: vec![],
        })
    }
    async fn series(&self, ask: &SeriesAsk) -> Result<Series, Fault> {
        let samples = Self::series(self, ask.figure, &ask.of, (ask.from_ms, ask.to_ms), ask.step);
        Ok(Series { samples, source: "meter".into(), missing_peers: vec![] })
    }
    async fn versions(&self, _: &VersionsAsk) -> Result<Reading<Running>, Fault> {
        if self.0 != "moves" {
            return Err(Fault::Unsupported("it tells none".into()));
        }
        // The second time it is asked there is another.
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let version = if ASKED.fetch_add(1, Ordering::SeqCst) == 0 { "v1" } else { "v2" };
        let one = Running {
            service: "payment".into(),
            version: version.into(),
            instances: None,
            since_ms: None,
            source: "meter".into(),
        };
        let window = Duration::ZERO;
        Ok(Reading { items: vec![one], next: None, at_ms: TODAY, window, missing_peers: vec![] })
    }
    async fn lines(&self, ask: &LinesAsk) -> Result<Lines, Fault> {
        match self.0.as_str() {
            "simple" => return Err(Fault::Unsupported("one by one".into())),
            "lossy" => return Err(Fault::NotDone("it is too much\u{1b}[2J".into())),
            _ => {}
        }
        let names = ["gateway", "order", "payment", "restaurant"].into_iter().map(str::to_owned);
        let wanted: Vec<String> = names.filter(|name| ask.only.contains(name)).collect();
        if ask.of == LinesOf::Edges {
            return Ok(Lines::default());
        }
        // A page each: the reader has to come back.
        let at = ask.page.as_ref().map_or(0, |page| page.parse().unwrap());
        let of = Subject::Service(wanted[at].clone());
        let samples = Self::series(self, ask.figure, &of, (ask.from_ms, ask.to_ms), ask.step);
        let next = (at + 1 < wanted.len()).then(|| (at + 1).to_string());
        let lines = vec![Line { of, samples, source: "meter".into() }];
        Ok(Lines { lines, next, missing_peers: vec![] })
    }
}

struct Company {
    house: Arc<House>,
    admin: Actor,
    hand: Hand,
    _stop: DropGuard,
    _directory: tempfile::TempDir,
}

impl Company {
    async fn open(backends: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let hand = Hand::default();
        hand.pass(TODAY);
        let store = SqliteStore::open(directory.path().join("rein.db"), SqliteOptions::default()).unwrap();
        let options = rig::options(directory.path());
        let sources = Box::new(hand.clone());
        let house = House::open(Arc::new(store), Arc::new(Made(meter)), sources, options).await.unwrap();
        let stop = CancellationToken::new();
        house.run(&stop);
        let admin = house.authenticate(&house.first_token().await.unwrap().unwrap()).unwrap();
        for name in backends {
            let document = serde_json::json!({ "kind": "backend", "name": name, "plugin": "meter" });
            let document: BackendDocument = serde_json::from_value(document).unwrap();
            house.define_backend(&admin, None, (name, &document), Mode::Apply).await.unwrap();
        }
        Self { house, admin, hand, _stop: stop.drop_guard(), _directory: directory }
    }

    async fn mark(&self, service: &str, ago_seconds: u64) {
        let request = MarkerRequest {
            kind: "deploy".into(),
            service: service.into(),
            version: Some("v2.4".into()),
            by: Some("ci".into()),
            ago_seconds: Some(ago_seconds),
            ..MarkerRequest::default()
        };
        self.house.mark(&self.admin, None, &request).await.unwrap();
    }

    async fn diagnose(&self, service: &str) -> DiagnosisView {
        self.house.diagnosis(&self.admin, service, &DiagnosisQuery::default()).await.unwrap()
    }
}

#[tokio::test]
async fn the_deepest_in_trouble_is_named_and_what_was_changed_on_the_way_comes_first() {
    for backend in ["sick", "simple"] {
        let company = Company::open(&[backend]).await;
        company.mark("payment", 7 * 60).await;
        company.mark("elsewhere", 7 * 60).await;
        // What lies beside the way, or was long before, is no suspect.
        company.mark("restaurant", 7 * 60).await;
        company.mark("payment", 100 * 60).await;
        let view = company.diagnose("order").await;
        assert_eq!(
            (view.outcome.as_str(), view.noticed.metric.as_str()),
            ("suspects", "latency"),
            "{view:?}"
        );
        assert_eq!(view.suspects[0].node, "payment", "{view:?}");
        assert_eq!(view.suspects[0].path, ["order", "payment"]);
        assert!(view.suspects[0].evidence[0].recent.len() > 10);
        let changes: Vec<_> = view.changes.iter().map(|c| (c.node.as_str(), c.what.as_str())).collect();
        assert_eq!(changes, [("payment", "deploy v2.4")], "{view:?}");
        assert_eq!(view.changes[0].by, "ci");
        assert_eq!(view.missing, Vec::<String>::new());
        assert!(view.looked.sources[0].starts_with(&format!("{backend} (meter)")), "{view:?}");
        // The backend may have been looked at in between.
        let seen: Vec<_> =
            view.seen.iter().filter(|one| one.plugin.is_none()).map(|one| one.name.as_str()).collect();
        assert_eq!(seen, ["rein", "ci"]);
    }
}

#[tokio::test]
async fn what_rein_did_itself_is_a_suspect_too() {
    let company = Company::open(&["sick"]).await;
    let house = &company.house;
    let card = switch("payment/card");
    house.define(&company.admin, None, ("payment/card", &card), Mode::Apply).await.unwrap();
    house.lay(&company.admin, None, &off("payment/card", 3600)).await.unwrap();
    company.hand.pass(6 * 60_000);
    let view = company.diagnose("gateway").await;
    assert_eq!(view.suspects[0].node, "payment", "{view:?}");
    assert!(view.changes[0].what.starts_with("payment/card off ("), "{view:?}");
    assert_eq!(view.changes[0].by, "admin");
}

#[tokio::test]
async fn a_version_that_metrics_show_is_a_suspect_too() {
    let company = Company::open(&["moves"]).await;
    let shown = || company.house.markers(&company.admin, &MarkerQuery::default()).unwrap().markers.len();
    let end = Instant::now() + Duration::from_secs(20);
    while shown() == 0 {
        assert!(Instant::now() < end, "no version is shown");
        company.house.check_backend(&company.admin, "moves").await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    company.hand.pass(6 * 60_000);
    let view = company.diagnose("gateway").await;
    let changes: Vec<_> =
        view.changes.iter().map(|c| (c.node.as_str(), c.what.as_str(), c.by.as_str())).collect();
    assert_eq!(changes, [("payment", "v1 → v2", "moves")], "{view:?}");
    assert!(view.seen.iter().any(|source| source.name == "moves"), "{view:?}");
}

#[tokio::test]
async fn in_quiet_nothing_stands_out_whatever_was_changed() {
    let company = Company::open(&["calm"]).await;
    company.mark("payment", 120).await;
    for service in ["gateway", "order", "payment"] {
        let view = company.diagnose(service).await;
        assert_eq!((view.outcome.as_str(), view.suspects.len()), ("nothing_stands_out", 0), "{view:?}");
        assert!(view.changes.is_empty() && view.why.is_some(), "{view:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_said_and_is_never_a_reason_to_clear() {
    let company = Company::open(&["lossy", "mute"]).await;
    let view = company.diagnose("order").await;
    assert_eq!((view.outcome.as_str(), view.why.as_deref()), ("nothing_stands_out", Some("no_data")));
    assert!(view.missing.iter().any(|m| m == "mute does not answer: it is gone"), "{view:?}");
    assert!(view.missing.iter().any(|m| m.contains("by lossy: it is too much\\u{1b}[2J")), "{view:?}");
    let ask = async |company: &Company, service: &str, query: DiagnosisQuery| {
        company.house.diagnosis(&company.admin, service, &query).await.map_err(|e| e.code())
    };
    let nobody = ask(&company, "nobody", DiagnosisQuery::default()).await;
    assert_eq!(nobody.unwrap_err(), ErrorCode::NotFound);
    let bad = DiagnosisQuery { metric: Some("mood".into()), ..DiagnosisQuery::default() };
    assert_eq!(ask(&company, "order", bad).await.unwrap_err(), ErrorCode::Invalid);
    let alone = Company::open(&[]).await;
    let none = ask(&alone, "order", DiagnosisQuery::default()).await;
    assert_eq!(none.unwrap_err(), ErrorCode::NotFound);
    let deaf = Company::open(&["mute"]).await;
    let none = ask(&deaf, "order", DiagnosisQuery::default()).await;
    assert_eq!(none.unwrap_err(), ErrorCode::BackendUnreachable);
}

#[tokio::test]
async fn status_names_the_unwell_and_waits_for_nobody() {
    let company = Company::open(&["mute", "sick"]).await;
    let began = Instant::now();
    let status = company.house.status(&company.admin).await.unwrap();
    // Two seconds are promised; a loaded machine may take some more.
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    let unwell: Vec<_> = status.unwell.iter().map(|one| (one.name.as_str(), one.health.as_str())).collect();
    assert_eq!(unwell, [("payment", "failing")]);
    assert_eq!(status.unwell[0].why, ["40 % fail"]);
    assert_eq!((status.unwell_total, status.services_total), (1, 2));
    assert_eq!(status.unanswered.keys().collect::<Vec<_>>(), ["mute"]);
    assert_eq!(status.attention, ["unwell", "backends"]);
    let calm = Company::open(&["calm"]).await;
    let status = calm.house.status(&calm.admin).await.unwrap();
    assert_eq!((status.attention.len(), status.unwell.len()), (0, 0), "{status:?}");
}
