//! Records by a newer version: what this one does not know stays, whatever is done to them (I18).

mod rig;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rein_api::changes::{
    ChangeQuery, ChangeRequest, EndRequest, ExtendRequest, GuardsRequest, LegRequest, SilenceLegRequest,
    UndoRequest,
};
use rein_api::incidents::CloseRequest;
use rein_api::silences::{MatcherView, SilenceRequest};
use rein_core::app::definitions::Mode;
use rein_store::{Commit, Must, Revision, Store};
use rig::{Rig, off, on, switch};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Records that are read and written anew.
const KINDS: [&str; 4] = ["def/", "change/", "incident/", "hold/"];
const SWITCHES: [&str; 3] = ["order/recommendations", "order/coupons", "payment/card"];

#[derive(Debug, Clone)]
enum Act {
    Lay(usize),
    Relax(usize),
    Silence,
    End(usize),
    Extend(usize),
    Undo,
    Close,
    Define(usize),
    Expire,
}

fn act() -> impl Strategy<Value = Act> {
    let any = || any::<usize>();
    prop_oneof![
        (0..3usize).prop_map(Act::Lay),
        (0..3usize).prop_map(Act::Relax),
        Just(Act::Silence),
        any().prop_map(Act::End),
        any().prop_map(Act::Extend),
        Just(Act::Undo),
        Just(Act::Close),
        (0..3usize).prop_map(Act::Define),
        Just(Act::Expire),
    ]
}

/// Every object of a value in which a newer version may add a field, by JSON pointer. Not those whose
/// fields are data, or one of which names a variant.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if !["/did", "/hush", "/config"].iter().any(|last| at.ends_with(last)) {
                found.push(at.to_owned());
            }
            let own = fields.iter().filter(|(name, _)| *name != "later");
            own.for_each(|(name, value)| objects(value, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| objects(value, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}

async fn records(store: &dyn Store) -> BTreeMap<String, (Revision, Value)> {
    let entries = store.snapshot().await.unwrap().entries;
    let ours = entries.into_iter().filter(|e| KINDS.iter().any(|k| e.key.to_string().starts_with(k)));
    ours.map(|e| (e.key.to_string(), (e.modified, serde_json::from_slice(&e.value).unwrap()))).collect()
}

/// Plants a field in every object of every record that has none yet; what was planted, by key and place.
async fn plant(rig: &Rig, planted: &mut BTreeMap<(String, String), Value>) {
    for (key, (at, mut value)) in records(rig.store.as_ref()).await {
        let mut places = Vec::new();
        objects(&value, "", &mut places);
        let mut fresh = BTreeMap::new();
        for place in places {
            let object: &mut Map<_, _> = value.pointer_mut(&place).unwrap().as_object_mut().unwrap();
            let old = planted.contains_key(&(key.clone(), place.clone()));
            if !old && !object.contains_key("later") {
                let field = json!({ "n": planted.len(), "list": [1, { "x": place }] });
                object.insert("later".to_owned(), field.clone());
                fresh.insert((key.clone(), place), field);
            }
        }
        // The reconciler may have been faster; then the next round plants.
        let must = Must::Unchanged(key.as_str().into(), at);
        let commit = Commit::new().must(must).put(key, serde_json::to_vec(&value).unwrap());
        if !fresh.is_empty() && rig.store.commit(commit).await.unwrap().committed().is_some() {
            planted.append(&mut fresh);
        }
    }
    rig.house.consistent().await.unwrap();
}

async fn check(rig: &Rig, planted: &BTreeMap<(String, String), Value>, after: &Act) {
    let now = records(rig.store.as_ref()).await;
    for ((key, place), field) in planted {
        // A record that is gone, or an object that is, has nothing to keep.
        let Some(Value::Object(object)) = now.get(key).and_then(|(_, v)| v.pointer(place)) else { continue };
        assert_eq!(object.get("later"), Some(field), "{key}{place} after {after:?}");
    }
}

fn silence() -> ChangeRequest {
    let matchers = vec![MatcherView { name: "service".into(), op: "=".into(), value: "order".into() }];
    let silence = SilenceRequest { backend: None, matchers };
    ChangeRequest {
        legs: vec![LegRequest::Silence(SilenceLegRequest { silence })],
        guards: GuardsRequest::Check,
        incident: Some("INC-7".into()),
        ..off(SWITCHES[0], 600)
    }
}

async fn act_on(rig: &Rig, act: &Act) {
    let query = ChangeQuery { active: Some(true), ..ChangeQuery::default() };
    let live = rig.house.changes(&rig.alice, &query).await.unwrap().changes;
    let pick = |at: usize| live.get(at % live.len().max(1)).map(|c| c.id.clone());
    let of = |request: ChangeRequest| ChangeRequest { incident: Some("INC-7".into()), ..request };
    match act {
        Act::Lay(at) => drop(rig.house.lay(&rig.alice, None, &of(off(SWITCHES[*at], 600))).await),
        Act::Relax(at) => drop(rig.house.lay(&rig.bob, None, &on(SWITCHES[*at], 600)).await),
        Act::Silence => drop(rig.house.lay(&rig.alice, None, &silence()).await),
        Act::End(at) => {
            let Some(id) = pick(*at) else { return };
            rig.house.end(&rig.bob, None, &id, &EndRequest::default()).await.unwrap();
        }
        Act::Extend(at) => {
            let Some(id) = pick(*at) else { return };
            let request = ExtendRequest { by_seconds: 60, reason: String::new(), seen: None, dry_run: false };
            let _ = rig.house.extend(&rig.alice, None, &id, &request).await;
        }
        Act::Undo => drop(rig.house.undo(&rig.alice, None, &UndoRequest::default()).await),
        Act::Close => {
            drop(rig.house.close(&rig.alice, None, "INC-7", &CloseRequest::default()).await);
        }
        Act::Define(at) => {
            let document = rein_api::definitions::SwitchDocument {
                lost: format!("{at} other"),
                ..switch(SWITCHES[*at])
            };
            drop(rig.house.define(&rig.admin, None, (SWITCHES[*at], &document), Mode::Apply).await);
        }
        Act::Expire => {
            rig.hand.pass(601_000);
            rig.until("expiries are noted", async |rig| {
                let changes = rig.house.changes(&rig.alice, &ChangeQuery::default()).await.unwrap().changes;
                changes.iter().all(|c| c.ended.is_some() || c.deadline.0 > rig.house.now())
            })
            .await;
        }
    }
}

async fn one_round(acts: Vec<Act>) {
    let rig = Rig::open().await;
    let document = json!({ "kind": "backend", "name": "alerts", "plugin": "fake" });
    let document = serde_json::from_value(document).unwrap();
    rig.house.define_backend(&rig.admin, None, ("alerts", &document), Mode::Apply).await.unwrap();
    let mut planted = BTreeMap::new();
    for act in acts {
        plant(&rig, &mut planted).await;
        act_on(&rig, &act).await;
        check(&rig, &planted, &act).await;
    }
    // The reconciler has its own rounds.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    check(&rig, &planted, &Act::Expire).await;
    assert!(planted.len() > 4);
}

#[test]
fn fields_of_a_newer_version_survive_every_verb() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let few = std::env::var("REIN_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(16);
    let config = ProptestConfig { cases: few, max_shrink_iters: 20, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(act(), 1..14), |acts| {
            runtime.block_on(one_round(acts));
            Ok(())
        })
        .unwrap();
}
