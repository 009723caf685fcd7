//! Foreign backends: what is laid over them, and what happens when others write there too.

mod rig;

use rein_api::ErrorCode;
use rein_api::backends::BackendDocument;
use rein_api::changes::{
    ChangeRequest, ChangeView, EndRequest, ExtendRequest, GuardsRequest, HowRequest, LegRequest,
    LiftLegRequest, ResolveRequest, SilenceLegRequest, UndoRequest,
};
use rein_api::silences::{LiftRequest, MatcherView, SilenceRequest};
use rein_core::app::definitions::Mode;
use rein_plugin::SilenceSeen;
use rig::fake::{Fake, Fate};
use rig::{Rig, Watching};
use std::sync::Arc;

async fn rig() -> (Rig, Arc<Fake>) {
    let rig = Rig::open().await;
    declare(&rig, "alerts", serde_json::json!({})).await.unwrap();
    rig.until("the backend is tended", async |rig| rig.backends.find("alerts").is_some()).await;
    let fake = rig.backends.one("alerts");
    (rig, fake)
}

async fn declare(
    rig: &Rig,
    name: &str,
    more: serde_json::Value,
) -> Result<rein_api::definitions::DefinedView, rein_core::AppError> {
    let mut document = serde_json::json!({ "kind": "backend", "name": name, "plugin": "fake" });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let document: BackendDocument = serde_json::from_value(document).unwrap();
    rig.house.define_backend(&rig.admin, Some(rig.key(0)), (name, &document), Mode::Apply).await
}

fn silence(matchers: &[(&str, &str)], seconds: u64) -> ChangeRequest {
    let matchers = matchers
        .iter()
        .map(|(name, value)| MatcherView { name: (*name).into(), op: "=".into(), value: (*value).into() })
        .collect();
    request(
        LegRequest::Silence(SilenceLegRequest { silence: SilenceRequest { backend: None, matchers } }),
        seconds,
    )
}

fn request(leg: LegRequest, seconds: u64) -> ChangeRequest {
    ChangeRequest {
        legs: vec![leg],
        lasts_seconds: Some(seconds),
        reason: "db slow".into(),
        incident: None,
        supersede: Vec::new(),
        guards: GuardsRequest::Check,
        seen: Default::default(),
    }
}

fn order() -> ChangeRequest {
    silence(&[("alertname", "HighLatency"), ("service", "order")], 600)
}

async fn state(rig: &Rig, id: &str, wanted: &str) -> ChangeView {
    rig.until(wanted, async |rig| rig.house.change(&rig.alice, id).unwrap().state == wanted).await;
    rig.house.change(&rig.alice, id).unwrap()
}

async fn let_go(rig: &Rig, fake: &Fake, id: &str) {
    rig.until("it is gone", async |rig| {
        let view = rig.house.change(&rig.alice, id).unwrap();
        !fake.cells.lock().contains_key(id) && view.legs[0].proof.complete
    })
    .await;
    let cells = rig.house.backend(&rig.alice, "alerts").unwrap().cells;
    assert!(cells.iter().all(|cell| cell.key != id), "the hold is dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_is_recorded_written_proved_moved_and_taken_away() {
    let (rig, fake) = rig().await;
    let laid = rig.house.lay(&rig.alice, None, &order()).await.unwrap().change;
    let view = state(&rig, &laid.id, "in force").await;
    assert_eq!(view.legs[0].proof.expected, Some(2));
    let value = fake.cells.lock()[&laid.id].clone();
    let read: serde_json::Value = serde_json::from_str(&value).unwrap();
    assert_eq!(read["matchers"][0], serde_json::json!(["alertname", "=", "HighLatency"]));
    assert_eq!(read["author"], "alice");
    let ask = ExtendRequest { by_seconds: 60, reason: String::new(), seen: None, dry_run: false };
    rig.house.extend(&rig.alice, None, &laid.id, &ask).await.unwrap();
    rig.until("its end moved there too", async |_| fake.cells.lock()[&laid.id] != value).await;
    state(&rig, &laid.id, "in force").await;
    rig.house.end(&rig.alice, None, &laid.id, &EndRequest::default()).await.unwrap();
    let_go(&rig, &fake, &laid.id).await;
    assert_eq!(*fake.unrecorded.lock(), Vec::<String>::new(), "I2: recorded before it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_and_false_answers_end_right() {
    let (rig, fake) = rig().await;
    for fate in [Fate::AnswerLost, Fate::RequestLost, Fate::Lied] {
        fake.fates.lock().push_back(fate);
        let laid = rig.house.lay(&rig.alice, None, &order()).await.unwrap().change;
        state(&rig, &laid.id, "in force").await;
        assert!(fake.cells.lock().contains_key(&laid.id));
        fake.fates.lock().push_back(fate);
        rig.house.end(&rig.alice, None, &laid.id, &EndRequest::default()).await.unwrap();
        let_go(&rig, &fake, &laid.id).await;
    }
    assert_eq!(*fake.unrecorded.lock(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_down_gets_it_later_and_one_that_forgot_gets_it_again() {
    let (rig, fake) = rig().await;
    *fake.down.lock() = true;
    let laid = rig.house.lay(&rig.alice, None, &order()).await.unwrap().change;
    rig.until("it says why it waits", async |rig| {
        let view = rig.house.change(&rig.alice, &laid.id).unwrap();
        view.state == "pending" && view.legs[0].cell.as_ref().unwrap().next.contains("the backend is down")
    })
    .await;
    *fake.down.lock() = false;
    state(&rig, &laid.id, "in force").await;
    fake.cells.lock().clear();
    *fake.life.lock() += 1;
    rig.until("it is written again", async |_| fake.cells.lock().contains_key(&laid.id)).await;
    state(&rig, &laid.id, "in force").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_hand_is_a_conflict_and_a_person_settles_it() {
    let (rig, fake) = rig().await;
    for (how, stays, after) in [
        (HowRequest::Reassert, true, "in force"),
        (HowRequest::Adopt, true, "ended"),
        (HowRequest::Restore, false, "ended"),
    ] {
        let laid = rig.house.lay(&rig.alice, None, &order()).await.unwrap().change;
        let ours = state(&rig, &laid.id, "in force").await.legs[0].cell.clone().unwrap().want;
        fake.cells.lock().insert(laid.id.clone(), "theirs".into());
        let torn = state(&rig, &laid.id, "conflict").await.legs[0].cell.clone().unwrap();
        assert_eq!((torn.found.as_deref(), &torn.want), (Some("theirs"), &ours), "both values are shown");
        let ask = ResolveRequest { how, reason: String::new(), dry_run: false };
        rig.house.resolve(&rig.alice, None, &laid.id, &ask).await.unwrap();
        state(&rig, &laid.id, after).await;
        rig.until("the cell is as asked", async |_| fake.cells.lock().contains_key(&laid.id) == stays).await;
        let again = rig.house.resolve(&rig.alice, None, &laid.id, &ask).await.unwrap_err();
        assert_eq!(again.code(), ErrorCode::Over, "there is nothing left to settle");
    }
    let conflicts = rig.audit().await.into_iter().filter(|e| e.verb == "cell:conflict").count();
    assert_eq!(conflicts, 3, "each conflict is in the trail once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_of_somebody_else_is_lifted_and_comes_back_on_undo() {
    let (rig, fake) = rig().await;
    let theirs = SilenceSeen {
        id: "0a1b".into(),
        matchers: vec![rein_plugin::Matcher { name: "a".into(), op: "=".into(), value: "b".into() }],
        starts: "2026-11-23T00:00:00Z".into(),
        ends: "2027-11-23T00:00:00Z".into(),
        author: "carol".into(),
        comment: "mine".into(),
        state: "active".into(),
        cell: None,
        hushes: Some(0),
        missing_peers: Vec::new(),
    };
    fake.foreign.lock().push(theirs);
    fake.cells.lock().insert("foreign:0a1b".into(), "carol's".into());
    let lift = LiftRequest { backend: "alerts".into(), id: "0a1b".into() };
    let ask = request(LegRequest::Lift(LiftLegRequest { lift }), 60);
    let laid = rig.house.lay(&rig.alice, None, &ask).await.unwrap().change;
    assert_eq!(laid.legs[0].summary, "lift {a=\"b\"} by carol");
    assert_eq!(laid.deadline.0.seconds(), 1_826_928_000, "until it would have ended by itself");
    state(&rig, &laid.id, "in force").await;
    assert!(fake.cells.lock().is_empty());
    rig.house.undo(&rig.alice, None, &UndoRequest::default()).await.unwrap();
    rig.until("it is back, byte for byte", async |_| {
        fake.cells.lock().get("foreign:0a1b").map(String::as_str) == Some("carol's")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reaches_too_far_is_refused_unless_forced() {
    let (rig, fake) = rig().await;
    let never = serde_json::json!({ "never_silence": ["alertname=\"Watchdog\""] });
    declare(&rig, "alerts", never).await.unwrap();
    let labels = |service: &str, name: &str| {
        [("alertname".to_owned(), name.to_owned()), ("service".to_owned(), service.to_owned())].into()
    };
    *fake.alerts.lock() = (0..12).map(|n| labels("order", &format!("A{n}"))).collect();
    let all = rig.house.lay(&rig.admin, None, &silence(&[("service", "order")], 60)).await.unwrap_err();
    assert_eq!((all.code(), all.to_string().contains("all 12 alerts")), (ErrorCode::Guarded, true), "{all}");
    fake.alerts.lock().push(labels("meta", "Watchdog"));
    for refused in [silence(&[("alertname", "Watchdog")], 60), silence(&[("service", "meta")], 60)] {
        let error = rig.house.lay(&rig.alice, None, &refused).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Guarded, "{error}");
        let forced = ChangeRequest { guards: GuardsRequest::Pass, ..refused };
        let denied = rig.house.lay(&rig.alice, None, &forced).await.unwrap_err();
        assert_eq!(denied.code(), ErrorCode::Denied, "{denied}");
        rig.house.lay(&rig.admin, None, &forced).await.unwrap();
    }
    let narrow = rig.actor("ops", "operator", "order/*").await;
    let other = rig.house.lay(&narrow, None, &silence(&[("service", "payment")], 60)).await.unwrap_err();
    assert_eq!(other.code(), ErrorCode::Denied, "a grant for order is none for payment");
    rig.house.lay(&narrow, None, &order()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_says_what_it_may() {
    let (rig, _) = rig().await;
    for (more, path) in [
        (serde_json::json!({ "config": { "program": "/bin/sh" } }), "/config/program"),
        (serde_json::json!({ "config": { "wrong": 1 } }), "/config/wrong"),
        (serde_json::json!({ "plugin": "../evil" }), "names a program"),
        (serde_json::json!({ "plugin": "none-such" }), "there is no plugin none-such"),
    ] {
        let error = declare(&rig, "other", more).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Misconfigured);
        assert!(error.to_string().contains(path), "{error}");
    }
    rig.house.lay(&rig.alice, None, &order()).await.unwrap();
    let used = rig.house.undefine_backend(&rig.admin, Some(rig.key(0)), "alerts").await.unwrap_err();
    assert_eq!(used.code(), ErrorCode::InUse);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_observes_writes_nothing() {
    let (rig, fake) = rig().await;
    let laid = rig.house.lay(&rig.alice, None, &order()).await.unwrap().change;
    state(&rig, &laid.id, "in force").await;
    let rig = rig.reopen_watching(Watching::Only).await;
    let writes = *fake.writes.lock();
    let error = rig.house.lay(&rig.alice, None, &order()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Observing);
    rig.house.end(&rig.alice, None, &laid.id, &EndRequest::default()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(*fake.writes.lock(), writes);
    let rig = rig.reopen().await;
    let_go(&rig, &fake, &laid.id).await;
}

/// Nothing being there is a value like any other: it is in conflict once, and said once.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_away_by_hand_is_a_conflict_too() {
    let (rig, fake) = rig().await;
    let laid = rig.house.lay(&rig.alice, None, &order()).await.unwrap().change;
    state(&rig, &laid.id, "in force").await;
    fake.cells.lock().clear();
    state(&rig, &laid.id, "conflict").await;
    let rig = rig.reopen().await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(rig.house.change(&rig.alice, &laid.id).unwrap().state, "conflict");
    let said = rig.audit().await.into_iter().filter(|e| e.verb == "cell:conflict").count();
    assert_eq!(said, 1, "once, also over a restart");
}

/// A write of a leader that was paused may land after its cell was let go: where nothing else is written, and
/// beside what is in force.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_write_is_found_and_ended() {
    for others in [0, 2] {
        let (rig, fake) = rig().await;
        let mut stay = vec!["zzzzzzzzzz".to_owned()];
        for _ in 0..others {
            let other = rig.house.lay(&rig.alice, None, &order()).await.unwrap().change;
            state(&rig, &other.id, "in force").await;
            stay.push(other.id);
        }
        stay.sort();
        let laid = rig.house.lay(&rig.alice, None, &order()).await.unwrap().change;
        state(&rig, &laid.id, "in force").await;
        let late = fake.cells.lock()[&laid.id].clone();
        rig.house.end(&rig.alice, None, &laid.id, &EndRequest::default()).await.unwrap();
        let_go(&rig, &fake, &laid.id).await;
        let mut cells = fake.cells.lock().clone();
        cells.insert(laid.id.clone(), late.clone());
        // Of a change that this store does not know: somebody else's Rein.
        cells.insert("zzzzzzzzzz".into(), late);
        *fake.cells.lock() = cells;
        // Restarted, a server looks at once; one that runs looks now and then.
        let rig = rig.reopen().await;
        rig.until("it is gone", async |_| fake.cells.lock().keys().eq(&stay)).await;
        assert_eq!(*fake.unrecorded.lock(), Vec::<String>::new());
    }
}
