//! Foreign registries in a house with a clock that the test moves, and a registry that can be made to do what
//! no real one does on demand.

mod rig;

use rein_api::ErrorCode;
use rein_api::backends::BackendDocument;
use rein_api::changes::{ChangeRequest, EndRequest, GuardsRequest, HowRequest, LegRequest, ResolveRequest};
use rein_api::services::{InstanceLegRequest, InstanceView, PickRequest, ServiceDocument};
use rein_core::app::definitions::Mode;
use rig::fake::{Fake, Fate};
use rig::{Rig, Watching};
use std::sync::Arc;

/// A rig with a registry in which instances of `order` are registered, by zone and number.
async fn rig(names: &[&str]) -> (Rig, Arc<Fake>) {
    let rig = Rig::open().await;
    declare(&rig, "reg").await;
    rig.until("the backend is tended", async |rig| rig.backends.find("reg").is_some()).await;
    let fake = rig.backends.one("reg");
    names.iter().for_each(|name| fake.register(name));
    known(&rig, names.len()).await;
    (rig, fake)
}

async fn declare(rig: &Rig, name: &str) {
    let document = serde_json::json!({ "kind": "backend", "name": name, "plugin": "fake", "config": { "registry": true } });
    let document: BackendDocument = serde_json::from_value(document).unwrap();
    rig.house.define_backend(&rig.admin, Some(rig.key(0)), (name, &document), Mode::Apply).await.unwrap();
}

async fn known(rig: &Rig, count: usize) {
    rig.until(&format!("{count} are known"), async |rig| instances(rig).len() == count).await;
}

fn instances(rig: &Rig) -> Vec<InstanceView> {
    rig.house.service(&rig.alice, "order").map(|view| view.instances).unwrap_or_default()
}

fn one(rig: &Rig, id: &str) -> InstanceView {
    instances(rig).into_iter().find(|one| one.id == id).unwrap_or_else(|| panic!("{id} is not known"))
}

fn leg(what: &str, weight: i64) -> ChangeRequest {
    let (id, zone) = match what.strip_prefix("zone:") {
        Some(zone) => (None, Some(zone.to_owned())),
        None => (Some(what.to_owned()), None),
    };
    let instance = PickRequest { service: "order".into(), id, incarnation: None, zone };
    ChangeRequest {
        legs: vec![LegRequest::Instance(InstanceLegRequest { instance, weight })],
        lasts_seconds: Some(600),
        reason: String::new(),
        incident: None,
        supersede: Vec::new(),
        guards: GuardsRequest::Check,
        seen: Default::default(),
    }
}

async fn lay(rig: &Rig, what: &str, weight: i64) -> String {
    rig.house.lay(&rig.alice, None, &leg(what, weight)).await.unwrap().change.id
}

fn state(rig: &Rig, id: &str) -> String {
    rig.house.change(&rig.alice, id).unwrap().state
}

async fn until_state(rig: &Rig, id: &str, wanted: &str) {
    rig.until(&format!("{id} is {wanted}"), async |rig| state(rig, id) == wanted).await;
}

async fn end(rig: &Rig, id: &str) {
    rig.house.end(&rig.alice, None, id, &EndRequest::default()).await.unwrap();
}

fn cells(rig: &Rig) -> usize {
    rig.house.backend(&rig.alice, "reg").unwrap().cells.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_over_one_entry_share_a_hold_and_the_last_puts_back_what_was_there() {
    let (rig, fake) = rig(&["sh-1", "sh-2", "sh-3", "sh-4"]).await;
    let before = fake.cells.lock()["order/sh-1#1"].clone();
    let first = lay(&rig, "sh-1", 50).await;
    until_state(&rig, &first, "in force").await;
    let second = lay(&rig, "sh-1", 0).await;
    until_state(&rig, &second, "in force").await;
    until_state(&rig, &first, "in force").await;
    assert!(fake.cells.lock()["order/sh-1#1"].contains("\"weight\":0"));
    assert_eq!((cells(&rig), one(&rig, "sh-1").effective), (1, 0));
    end(&rig, &second).await;
    rig.until("the other layer counts", async |_| {
        fake.cells.lock()["order/sh-1#1"].contains("\"weight\":50")
    })
    .await;
    until_state(&rig, &first, "in force").await;
    end(&rig, &first).await;
    rig.until("it is as it was", async |rig| fake.cells.lock()["order/sh-1#1"] == before && cells(rig) == 0)
        .await;
    assert_eq!(*fake.unrecorded.lock(), Vec::<String>::new(), "I2: recorded before it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_and_false_answers_end_right() {
    let (rig, fake) = rig(&["sh-1", "sh-2", "sh-3"]).await;
    let before = fake.cells.lock().clone();
    for fate in [Fate::AnswerLost, Fate::RequestLost, Fate::Lied] {
        fake.fates.lock().push_back(fate);
        let id = lay(&rig, "sh-1", 0).await;
        until_state(&rig, &id, "in force").await;
        fake.fates.lock().push_back(fate);
        end(&rig, &id).await;
        rig.until("all is as it was", async |rig| *fake.cells.lock() == before && cells(rig) == 0).await;
    }
    assert_eq!(*fake.unrecorded.lock(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_covers_who_joins_and_spares_them_below_the_floor() {
    let (rig, fake) = rig(&["sh-1", "sh-2", "bj-1", "bj-2"]).await;
    let service = |floor| ServiceDocument {
        kind: "service".into(),
        name: "order".into(),
        owner: "team".into(),
        tier: 1,
        floor: Some(floor),
    };
    let define = async |floor| {
        let mode = Mode::Apply;
        rig.house
            .define_service(&rig.admin, Some(rig.key(0)), ("order", &service(floor)), mode)
            .await
            .unwrap();
    };
    define(2).await;
    let id = lay(&rig, "zone:sh", 0).await;
    until_state(&rig, &id, "in force").await;
    fake.register("sh-3");
    rig.until("who joins is drained too", async |_| {
        fake.cells.lock()["order/sh-3#1"].contains("\"weight\":0")
    })
    .await;
    // One of those left dies: below the floor nobody more is drained, and nobody is brought back.
    fake.cells.lock().remove("order/bj-1#1");
    known(&rig, 4).await;
    let alarm = rig.house.service(&rig.alice, "order").unwrap().row.alarm;
    assert!(alarm.is_some_and(|alarm| alarm.contains("below its floor")));
    fake.register("sh-4");
    known(&rig, 5).await;
    let spared = one(&rig, "sh-4");
    assert_eq!((spared.effective, spared.spared.len()), (100, 1), "{spared:?}");
    assert!(fake.cells.lock()["order/sh-4#1"].contains("\"weight\":100"));
    for name in ["order/sh-1#1", "order/sh-2#1", "order/sh-3#1"] {
        assert!(fake.cells.lock()[name].contains("\"weight\":0"), "{name} was brought back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_life_under_a_name_is_somebody_else() {
    let (rig, fake) = rig(&["sh-1", "sh-2", "sh-3"]).await;
    let id = lay(&rig, "sh-1", 0).await;
    until_state(&rig, &id, "in force").await;
    fake.cells.lock().remove("order/sh-1#1");
    fake.register_as("sh-1", 2);
    until_state(&rig, &id, "moot").await;
    rig.until("the old one is let go", async |rig| cells(rig) == 0).await;
    assert_eq!(one(&rig, "sh-1").effective, 100);
    end(&rig, &id).await;
    assert!(!fake.cells.lock().contains_key("order/sh-1#1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_hand_over_a_drain_is_a_conflict() {
    let (rig, fake) = rig(&["sh-1", "sh-2", "sh-3"]).await;
    for (how, weight) in [(HowRequest::Reassert, 0), (HowRequest::Adopt, 70)] {
        let id = lay(&rig, "sh-1", 0).await;
        until_state(&rig, &id, "in force").await;
        fake.cells.lock().insert("order/sh-1#1".into(), r#"{"name":"sh-1","weight":70}"#.into());
        until_state(&rig, &id, "conflict").await;
        let ask = ResolveRequest { how, reason: String::new(), dry_run: false };
        rig.house.resolve(&rig.alice, None, &id, &ask).await.unwrap();
        let wanted = format!("\"weight\":{weight}");
        rig.until("it is as asked", async |rig| {
            fake.cells.lock()["order/sh-1#1"].contains(&wanted) && state(rig, &id) != "conflict"
        })
        .await;
        if how == HowRequest::Reassert {
            end(&rig, &id).await;
            rig.until("it is let go", async |rig| cells(rig) == 0).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_away_takes_nothing_and_loses_nothing() {
    let (rig, fake) = rig(&["sh-1", "sh-2", "sh-3", "sh-4"]).await;
    let held = lay(&rig, "sh-1", 0).await;
    until_state(&rig, &held, "in force").await;
    *fake.down.lock() = true;
    rig.hand.pass(60_000);
    rig.until("it is stale", async |rig| one(rig, "sh-2").stale_ms.is_some()).await;
    let list = rig.house.services(&rig.alice).unwrap();
    assert_eq!((list.services[0].up, list.services[0].all), (4, 4), "nobody counts as gone");
    assert_eq!(list.registry.foreign[0].fault.as_deref(), Some("the backend is down"));
    let asked = lay(&rig, "sh-2", 0).await;
    assert_eq!(state(&rig, &asked), "pending");
    // The server that was told is gone too.
    let rig = rig.reopen().await;
    // Nobody can look, so nothing is proved; but nobody counts as gone either.
    assert_eq!((state(&rig, &asked), state(&rig, &held)), ("pending".into(), "pending".into()));
    rig.until("whom it holds is known", async |rig| instances(rig).len() == 1).await;
    *fake.down.lock() = false;
    until_state(&rig, &asked, "in force").await;
    assert_eq!(instances(&rig).iter().filter(|one| one.effective == 0).count(), 2);
    for (name, weight) in [("sh-1", 0), ("sh-2", 0), ("sh-3", 100), ("sh-4", 100)] {
        let value = fake.cells.lock()[&format!("order/{name}#1")].clone();
        assert!(value.contains(&format!("\"weight\":{weight}")), "{name}: {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_forgets_all_but_answers_brings_nobody_back() {
    let (rig, fake) = rig(&["sh-1", "sh-2", "sh-3", "sh-4"]).await;
    let held = lay(&rig, "sh-1", 0).await;
    until_state(&rig, &held, "in force").await;
    let writes = *fake.writes.lock();
    // It can be looked at, but not listed: whoever starts now knows only what it holds.
    *fake.unlisted.lock() = true;
    let rig = rig.reopen().await;
    until_state(&rig, &held, "in force").await;
    let asked = *fake.asked.lock();
    rig.until("it was looked at often enough", async |_| *fake.asked.lock() > asked + 5).await;
    assert!(fake.cells.lock()["order/sh-1#1"].contains("\"weight\":0"));
    assert_eq!(*fake.writes.lock(), writes, "nothing is written anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_observes_sees_and_does_not_write() {
    let (rig, fake) = rig(&["sh-1", "sh-2", "sh-3"]).await;
    let rig = rig.reopen_watching(Watching::Only).await;
    known(&rig, 3).await;
    let refused = rig.house.lay(&rig.alice, None, &leg("sh-1", 0)).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Observing);
    assert_eq!(*fake.writes.lock(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_all_or_nothing_is_not_asked_for_a_share() {
    let (rig, fake) = rig(&["sh-1", "sh-2", "sh-3"]).await;
    *fake.stiff.lock() = true;
    rig.until("it says so", async |rig| rig.house.lay(&rig.alice, None, &leg("sh-1", 10)).await.is_err())
        .await;
    let refused = rig.house.lay(&rig.alice, None, &leg("sh-1", 10)).await.unwrap_err();
    assert!(refused.to_string().contains("knows no weights"), "{refused}");
}
