//! What several backends measure, put together: two that know the same service, one that is gone, one whose
//! pages have no end, and one that measures nothing.

mod rig;

use async_trait::async_trait;
use rein_api::ErrorCode;
use rein_api::backends::BackendDocument;
use rein_api::silences::{MatcherView, SilenceRequest};
use rein_api::telemetry::{EdgesQuery, MeasureQuery};
use rein_core::House;
use rein_core::app::definitions::Mode;
use rein_domain::access::Actor;
use rein_plugin::telemetry::{
    EdgeMeasured, EdgesAsk, MeasureAsk, Measured, Measures, Reading, Series, SeriesAsk, Telemetry,
};
use rein_plugin::{Adapter, Fault};
use rein_store::sqlite::{SqliteOptions, SqliteStore};
use rig::made::{Made, Measuring};
use rig::{Hand, TODAY, town};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A backend that measures, by its name.
struct Meter(String);

fn meter(name: &str) -> Arc<dyn Adapter> {
    if name == "deaf" {
        return town::source(&Arc::default(), name);
    }
    Arc::new(Measuring(Meter(name.to_owned())))
}

impl Meter {
    fn measured(&self) -> Vec<Measured> {
        let one = |service: &str, measures| Measured {
            service: service.into(),
            instance: None,
            zone: None,
            measures,
            source: self.0.clone(),
        };
        let (rps, success, p99) = (Some(5.0), Some(0.9), Some(0.1));
        match self.0.as_str() {
            "more" => vec![
                one("order", Measures { rps, success, p99, ..Measures::default() }),
                one("idle\u{1b}[31m", Measures { rps: Some(0.0), ..Measures::default() }),
            ],
            _ => vec![
                one("order", Measures { rps: Some(1.0), ..Measures::default() }),
                one("payment", Measures { success: Some(0.995), ..Measures::default() }),
            ],
        }
    }
}

#[async_trait]
impl Telemetry for Meter {
    async fn measure(&self, ask: &MeasureAsk) -> Result<Reading<Measured>, Fault> {
        if self.0 == "gone" {
            return Err(Fault::Unreachable("it is gone \u{1b}[31m".into()));
        }
        let mut items = self.measured();
        items.retain(|one| ask.service.as_ref().is_none_or(|service| *service == one.service));
        Ok(Reading {
            items,
            next: (self.0 == "endless").then(|| "more".into()),
            at_ms: TODAY - 3000,
            window: Duration::from_secs(60),
            missing_peers: vec!["b\u{202e}".into()],
        })
    }
    async fn edges(&self, _: &EdgesAsk) -> Result<Reading<EdgeMeasured>, Fault> {
        let edge = EdgeMeasured {
            caller: "a".into(),
            callee: "b".into(),
            measures: Measures { success: Some(0.4), ..Measures::default() },
            source: self.0.clone(),
        };
        let window = Duration::from_secs(60);
        Ok(Reading { items: vec![edge], next: None, at_ms: TODAY, window, missing_peers: vec![] })
    }
    async fn series(&self, _: &SeriesAsk) -> Result<Series, Fault> {
        Ok(Series::default())
    }
}

/// A house with these backends.
async fn house(backends: &[&str]) -> (Arc<House>, Actor, DropGuard, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let hand = Hand::default();
    hand.pass(TODAY);
    let store = SqliteStore::open(directory.path().join("rein.db"), SqliteOptions::default()).unwrap();
    let options = rig::options(directory.path());
    let house = House::open(Arc::new(store), Arc::new(Made(meter)), Box::new(hand), options).await.unwrap();
    let stop = CancellationToken::new();
    house.run(&stop);
    let admin = house.authenticate(&house.first_token().await.unwrap().unwrap()).unwrap();
    for name in backends {
        let document = serde_json::json!({ "kind": "backend", "name": name, "plugin": "meter" });
        let document: BackendDocument = serde_json::from_value(document).unwrap();
        house.define_backend(&admin, None, (name, &document), Mode::Apply).await.unwrap();
    }
    (house, admin, stop.drop_guard(), directory)
}

#[tokio::test]
async fn one_service_of_two_backends_is_one_and_whoever_is_missing_is_named() {
    let (house, admin, _stop, _directory) = house(&["deaf", "endless", "gone", "less", "more"]).await;
    let list = house.measured(&admin, &MeasureQuery::default()).await.unwrap();
    let told: Vec<(&str, &str, &str)> =
        list.measured.iter().map(|m| (m.service.as_str(), m.backend.as_str(), m.health.as_str())).collect();
    assert_eq!(
        told,
        [("idle\\u{1b}[31m", "more", "idle"), ("order", "more", "failing"), ("payment", "less", "good")]
    );
    assert_eq!(list.measured[1].why, ["10 % fail"]);
    assert_eq!(list.measured[2].figures.rps, None);
    assert_eq!(list.unreachable.keys().collect::<Vec<_>>(), ["endless", "gone"]);
    assert_eq!(list.unreachable["gone"], "it is gone \\u{1b}[31m");
    assert!(list.unreachable["endless"].contains("more than 128 entries"), "{list:?}");
    let read: Vec<(&str, u64, u64)> =
        list.readings.iter().map(|r| (r.backend.as_str(), r.age_seconds, r.window_seconds)).collect();
    assert_eq!(read, [("less", 3, 60), ("more", 3, 60)]);
    assert_eq!(list.readings[0].missing_peers, ["b\\u{202e}"]);
    let edges = house.edges(&admin, &EdgesQuery::default()).await.unwrap();
    assert_eq!(edges.edges.len(), 1);
    assert_eq!(edges.edges[0].health, "failing");
}

#[tokio::test]
async fn questions_that_are_none_are_refused_and_nothing_is_written_where_nothing_can_be() {
    let (house, admin, _stop, _directory) = house(&["deaf", "more"]).await;
    let code = |error: rein_core::AppError| error.code();
    let instances = MeasureQuery { instances: Some(true), ..MeasureQuery::default() };
    assert_eq!(code(house.measured(&admin, &instances).await.unwrap_err()), ErrorCode::Invalid);
    let window = EdgesQuery { window_seconds: Some(0), ..EdgesQuery::default() };
    assert_eq!(code(house.edges(&admin, &window).await.unwrap_err()), ErrorCode::Invalid);
    let nobody = MeasureQuery { backend: Some("nobody".into()), ..MeasureQuery::default() };
    assert_eq!(code(house.measured(&admin, &nobody).await.unwrap_err()), ErrorCode::NotFound);
    let deaf = MeasureQuery { backend: Some("deaf".into()), ..MeasureQuery::default() };
    let list = house.measured(&admin, &deaf).await.unwrap();
    assert_eq!(list.unreachable["deaf"], "this backend measures nothing");
    let matcher = MatcherView { name: "a".into(), op: "=".into(), value: "b".into() };
    let silence = SilenceRequest { backend: Some("more".into()), matchers: vec![matcher] };
    let request = rein_api::changes::ChangeRequest {
        legs: vec![rein_api::changes::LegRequest::Silence(rein_api::changes::SilenceLegRequest { silence })],
        lasts_seconds: Some(60),
        reason: String::new(),
        incident: None,
        supersede: vec![],
        guards: Default::default(),
        seen: Default::default(),
    };
    let refused = house.preview(&admin, &request).await.unwrap_err();
    assert!(refused.to_string().contains("hushes no alerts"), "{refused:?}");
}
