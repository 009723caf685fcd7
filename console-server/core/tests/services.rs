//! Services on a real store, with a clock that the test moves: who registers, who is there, who gets traffic.

mod rig;

use rein_api::ErrorCode;
use rein_api::changes::{ChangeRequest, EndRequest, GuardsRequest, LegRequest, UndoRequest};
use rein_api::services::{
    AcceptLossRequest, BeatRequest, BeatsRequest, CheckKind, CheckRequest, InstanceLegRequest, LifeQuery,
    PickRequest, RegisterRequest, RegisteredView, ServiceDocument, ServiceView, TargetQuery,
};
use rein_core::app::definitions::Mode;
use rein_core::registry::Probes;
use rein_domain::access::Actor;
use rein_domain::health::Probe;
use rein_domain::instance::Address;
use rig::Rig;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

fn instance(service: &str, id: &str, zone: &str) -> RegisterRequest {
    RegisterRequest { zone: Some(zone.into()), ..rig::instance(service, id, "v1") }
}

/// A rig, and a token for the instances of `order`.
async fn rig() -> (Rig, Actor) {
    let rig = Rig::open().await;
    let client = rig.actor("order", "client", "order/*").await;
    (rig, client)
}

async fn register(rig: &Rig, by: &Actor, request: &RegisterRequest) -> RegisteredView {
    rig.house.register(by, Some(rig.key(0)), request).await.unwrap()
}

/// Four instances in sh, four in bj.
async fn eight(rig: &Rig, by: &Actor) -> Vec<RegisteredView> {
    let mut all = Vec::new();
    for zone in ["sh", "bj"] {
        for n in 1..=4 {
            all.push(register(rig, by, &instance("order", &format!("{zone}-{n}"), zone)).await);
        }
    }
    all
}

fn beats(all: &[RegisteredView]) -> BeatsRequest {
    let beat = |one: &RegisteredView| BeatRequest {
        service: one.service.clone(),
        id: one.id.clone(),
        incarnation: one.incarnation.clone(),
    };
    BeatsRequest { beats: all.iter().map(beat).collect() }
}

fn legs(ids: &[&str], weight: i64) -> ChangeRequest {
    let leg = |id: &&str| {
        let pick = match id.strip_prefix("zone:") {
            Some(zone) => {
                PickRequest { service: "order".into(), id: None, incarnation: None, zone: Some(zone.into()) }
            }
            None => {
                PickRequest { service: "order".into(), id: Some((*id).into()), incarnation: None, zone: None }
            }
        };
        LegRequest::Instance(InstanceLegRequest { instance: pick, weight })
    };
    ChangeRequest {
        legs: ids.iter().map(leg).collect(),
        lasts_seconds: Some(600),
        reason: String::new(),
        incident: None,
        supersede: Vec::new(),
        guards: GuardsRequest::Check,
        seen: Default::default(),
    }
}

fn service(rig: &Rig) -> ServiceView {
    rig.house.service(&rig.alice, "order").unwrap()
}

fn state(rig: &Rig, id: &str) -> (String, String) {
    let found = service(rig).instances.into_iter().find(|one| one.id == id).unwrap();
    (found.state, found.why)
}

/// Who gets traffic, as discovery says.
fn served(rig: &Rig) -> BTreeSet<String> {
    rig.house.roster(&rig.alice, "order").unwrap().instances.into_iter().map(|one| one.id).collect()
}

async fn until_served(rig: &Rig, what: &str, count: usize) {
    rig.until(what, async |rig| served(rig).len() == count).await;
    // One roster, however it is asked for.
    let targets = rig.house.targets(&rig.alice, &TargetQuery::default()).unwrap();
    assert_eq!(targets.len(), count, "{what}");
}

#[tokio::test]
async fn whoever_registers_is_found_and_the_audit_says_so() {
    let (rig, client) = rig().await;
    let first = register(&rig, &client, &instance("order", "sh-1", "sh")).await;
    assert_eq!(
        (first.outcome.as_str(), first.heartbeat_seconds, first.lease_seconds),
        ("registered", Some(10), Some(30))
    );
    assert_eq!(served(&rig), BTreeSet::from(["sh-1".to_owned()]));
    // The same again in the same life writes nothing; in a new life it is somebody else.
    let entries = rig.audit().await.len();
    let same =
        RegisterRequest { incarnation: Some(first.incarnation.clone()), ..instance("order", "sh-1", "sh") };
    assert_eq!(register(&rig, &client, &same).await.outcome, "unchanged");
    assert_eq!(rig.audit().await.len(), entries);
    let second = register(&rig, &client, &instance("order", "sh-1", "sh")).await;
    assert_eq!(second.outcome, "replaced");
    let late = rig.house.heartbeats_of(&client, &beats(std::slice::from_ref(&first))).unwrap();
    assert_eq!((late.taken, late.unknown), (0, vec!["order/sh-1".to_owned()]));
    assert_eq!(rig.house.heartbeats_of(&client, &beats(std::slice::from_ref(&second))).unwrap().taken, 1);
    // What an old life asks for does not reach the new one.
    let old = LifeQuery { incarnation: Some(first.incarnation) };
    let refused = rig.house.deregister(&client, None, ("order", "sh-1"), &old).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Moved);
    rig.house.deregister(&client, None, ("order", "sh-1"), &LifeQuery::default()).await.unwrap();
    assert!(served(&rig).is_empty());
    let verbs: Vec<String> = rig.audit().await.into_iter().map(|entry| entry.verb).collect();
    for verb in ["service:register", "service:deregister"] {
        assert!(verbs.iter().any(|v| v == verb), "{verbs:?}");
    }
    rig.verify_lanes().await;
}

#[tokio::test]
async fn nobody_registers_a_service_that_is_not_theirs() {
    let (rig, client) = rig().await;
    let foreign = instance("payment", "sh-1", "sh");
    for by in [&client, &rig.alice] {
        let refused = rig.house.register(by, None, &foreign).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Denied);
    }
    let admin = register(&rig, &rig.admin, &foreign).await;
    let refused = rig.house.heartbeats_of(&client, &beats(&[admin])).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Denied);
    let refused =
        rig.house.deregister(&client, None, ("payment", "sh-1"), &LifeQuery::default()).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Denied);
    // It may look for others, and for nothing else.
    assert_eq!(rig.house.services(&client).unwrap().services.len(), 1);
    assert_eq!(rig.house.service(&client, "payment").unwrap_err().code(), ErrorCode::Denied);
}

#[tokio::test]
async fn hostile_registrations_are_refused_with_what_to_do() {
    let (rig, client) = rig().await;
    let base = || instance("order", "sh-1", "sh");
    let hostile: Vec<(RegisterRequest, &str)> = vec![
        (RegisterRequest { id: "a b".into(), ..base() }, "U+0020 at position 2"),
        (RegisterRequest { id: "a/b".into(), ..base() }, "`/` at position 2"),
        (RegisterRequest { id: "a\nb".into(), ..base() }, "U+000A"),
        (RegisterRequest { id: "a\u{202e}b".into(), ..base() }, "U+202E"),
        (RegisterRequest { service: "\u{1b}[31morder".into(), ..base() }, "U+001B"),
        (RegisterRequest { zone: Some("s h".into()), ..base() }, "zone"),
        (RegisterRequest { version: Some("v1\r\n".into()), ..base() }, "version"),
        (RegisterRequest { address: "169.254.169.254:80".into(), ..base() }, "metadata service"),
        (RegisterRequest { address: "[fe80::1]:80".into(), ..base() }, "link-local"),
        (RegisterRequest { address: "order".into(), ..base() }, "HOST:PORT"),
        (RegisterRequest { weight: Some(1001), ..base() }, "0 to 1000"),
        (RegisterRequest { heartbeat_seconds: Some(0), ..base() }, "neither"),
        (RegisterRequest { metadata: [("a".into(), "x\u{200f}".into())].into(), ..base() }, "U+200F"),
        (RegisterRequest { incarnation: Some("x".into()), ..base() }, "incarnation"),
    ];
    for (request, says) in hostile {
        let refused = rig.house.register(&client, None, &request).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Invalid, "{request:?}");
        assert!(refused.0.message.contains(says), "{says}: {}", refused.0.message);
        assert!(!refused.0.message.chars().any(rein_domain::text::is_unsafe), "{:?}", refused.0.message);
    }
    assert!(rig.house.services(&client).unwrap().services.is_empty());
}

#[tokio::test]
async fn whoever_falls_silent_is_lost_and_comes_back_with_a_heartbeat() {
    let (rig, client) = rig().await;
    let all = eight(&rig, &client).await;
    for _ in 0..4 {
        rig.hand.pass(10_000);
        rig.house.heartbeats_of(&client, &beats(&all[1..])).unwrap();
    }
    until_served(&rig, "one is lost", 7).await;
    assert_eq!(state(&rig, "sh-1"), ("down".into(), "no heartbeat in time".into()));
    assert_eq!(service(&rig).row.health, "degraded");
    rig.house.heartbeats_of(&client, &beats(&all[..1])).unwrap();
    until_served(&rig, "it is back", 8).await;
    assert_eq!(state(&rig, "sh-1").0, "up");
}

#[tokio::test]
async fn whoever_is_silent_for_an_hour_is_taken_out_and_may_come_back() {
    let (rig, client) = rig().await;
    let all = eight(&rig, &client).await;
    for _ in 0..4 {
        rig.hand.pass(10_000);
        rig.house.heartbeats_of(&client, &beats(&all[1..])).unwrap();
    }
    until_served(&rig, "one is lost", 7).await;
    for _ in 0..358 {
        rig.hand.pass(10_000);
        rig.house.heartbeats_of(&client, &beats(&all[1..])).unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(2_600)).await;
    assert_eq!(service(&rig).instances.len(), 8, "an hour is not over yet");
    for _ in 0..3 {
        rig.hand.pass(10_000);
        rig.house.heartbeats_of(&client, &beats(&all[1..])).unwrap();
    }
    rig.until("it is taken out", async |rig| service(rig).instances.len() == 7).await;
    let audit = rig.audit().await;
    let entry = audit.iter().find(|entry| entry.verb == "service:deregister").unwrap();
    assert_eq!((entry.actor.as_str(), entry.targets[0].as_str()), ("rein", "order/sh-1"));
    // Its next heartbeat is told to register, and so it does.
    let told = rig.house.heartbeats_of(&client, &beats(&all[..1])).unwrap();
    assert_eq!(told.unknown, ["order/sh-1"]);
    register(&rig, &client, &instance("order", "sh-1", "sh")).await;
    until_served(&rig, "it is back", 8).await;
}

#[tokio::test]
async fn a_mass_loss_is_the_network_until_somebody_says_otherwise() {
    let (rig, client) = rig().await;
    let all = eight(&rig, &client).await;
    // Five of eight fall silent together: nobody is taken down, and it is said.
    for _ in 0..4 {
        rig.hand.pass(10_000);
        rig.house.heartbeats_of(&client, &beats(&all[5..])).unwrap();
    }
    rig.until("it is noticed", async |rig| state(rig, "sh-1").1.contains("kept")).await;
    assert_eq!(served(&rig).len(), 8);
    let preserved = service(&rig).registry.preserved.unwrap();
    assert_eq!((preserved.silent, preserved.of), (5, 8));
    // Heartbeats come back: it is over, and nobody was lost.
    rig.house.heartbeats_of(&client, &beats(&all)).unwrap();
    rig.until("it is over", async |rig| service(rig).registry.preserved.is_none()).await;
    assert_eq!(served(&rig).len(), 8);
    let refused = rig.house.accept_loss(&rig.alice, None, &AcceptLossRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Over);
    // Once more, and this time they are really gone.
    for _ in 0..4 {
        rig.hand.pass(10_000);
        rig.house.heartbeats_of(&client, &beats(&all[5..])).unwrap();
    }
    rig.until("it is noticed again", async |rig| service(rig).registry.preserved.is_some()).await;
    let reason = AcceptLossRequest { reason: "rack is off".into() };
    let accepted = rig.house.accept_loss(&rig.alice, None, &reason).await.unwrap();
    assert_eq!(accepted.lost, 5);
    until_served(&rig, "they are lost", 3).await;
    assert!(rig.audit().await.iter().any(|e| e.verb == "service:accept-loss" && e.reason == "rack is off"));
}

/// Looks that the test answers: addresses in the set are well.
#[derive(Default)]
struct Eyes(Mutex<BTreeSet<String>>);

#[async_trait::async_trait]
impl Probes for Eyes {
    async fn look(&self, address: &Address, _: &Probe) -> Result<(), String> {
        if self.0.lock().unwrap().contains(address.as_str()) {
            Ok(())
        } else {
            Err("refused\u{1b}[2J".into())
        }
    }
}

#[tokio::test]
async fn a_check_takes_down_and_brings_up_after_as_many_looks_as_asked() {
    let (rig, client) = rig().await;
    let eyes = Arc::new(Eyes::default());
    rig.house.look_by(eyes.clone());
    let check =
        CheckRequest { kind: CheckKind::Tcp, path: String::new(), every_seconds: 1, rise: 2, fall: 3 };
    let request = RegisterRequest { check: Some(check), ..instance("order", "sh-1", "sh") };
    let made = register(&rig, &client, &request).await;
    assert_eq!(made.lease_seconds, None, "Rein looks: no heartbeat is asked for");
    assert!(served(&rig).is_empty(), "nobody is served before the first good look");
    let turning = |up: bool| {
        let eyes = eyes.clone();
        async move |rig: &Rig| {
            rig.hand.pass(100);
            let mut well = eyes.0.lock().unwrap();
            if up {
                well.insert("127.0.0.1:9000".to_owned())
            } else {
                well.remove("127.0.0.1:9000")
            };
            drop(well);
            served(rig).len() == usize::from(up)
        }
    };
    rig.until("it rises", turning(true)).await;
    assert_eq!(state(&rig, "sh-1"), ("up".into(), "check passes".into()));
    rig.until("it falls", turning(false)).await;
    let (state, why) = state(&rig, "sh-1");
    assert_eq!(state, "down");
    assert!(why.contains("refused") && !why.contains('\u{1b}'), "{why:?}");
    rig.until("it rises again", turning(true)).await;
}

#[tokio::test]
async fn a_drained_instance_leaves_every_list_and_undo_brings_it_back() {
    let (rig, client) = rig().await;
    eight(&rig, &client).await;
    let (_, mut watcher) = rig.house.watch_roster(&client, "order").unwrap();
    let roster = watcher.next().await.unwrap();
    assert_eq!(roster.entries.len(), 8);
    let preview = rig.house.preview(&rig.alice, &legs(&["sh-1"], 0)).await.unwrap();
    let shown = &preview.instances[0];
    assert_eq!((shown.effect.before.as_str(), shown.effect.after.as_str()), ("weight 100", "drained"));
    assert_eq!(shown.left, ["bj 4 of 4 healthy", "sh 3 of 4 healthy"]);
    let laid = rig.house.lay(&rig.alice, None, &legs(&["sh-1"], 0)).await.unwrap();
    assert_eq!(laid.change.legs[0].noun, "instance");
    until_served(&rig, "it leaves", 7).await;
    let roster = watcher.next().await.unwrap();
    assert_eq!(roster.entries.len(), 7);
    // Watched, but not yet sent: pending; then in force.
    let proof = |rig: &Rig| rig.house.change(&rig.alice, &laid.change.id).unwrap();
    assert_eq!(proof(&rig).state, "pending");
    watcher.sent(roster.serial);
    assert_eq!((proof(&rig).state.as_str(), proof(&rig).legs[0].proof.sent), ("in force", 1));
    assert_eq!(service(&rig).row.drained, 1);
    let undone = rig.house.undo(&rig.alice, None, &UndoRequest::default()).await.unwrap();
    assert_eq!(
        (undone.effects[0].before.as_str(), undone.effects[0].after.as_str()),
        ("drained", "weight 100")
    );
    until_served(&rig, "it is back", 8).await;
    // A weight is served as it is.
    rig.house.lay(&rig.alice, None, &legs(&["sh-1"], 10)).await.unwrap();
    rig.until("it is weighed", async |rig| {
        let roster = rig.house.roster(&rig.alice, "order").unwrap();
        roster.instances.iter().any(|one| one.id == "sh-1" && one.weight == 10)
    })
    .await;
    rig.hand.pass(601_000);
    rig.until("its deadline passes", async |rig| {
        rig.house.roster(&rig.alice, "order").unwrap().instances.iter().all(|one| one.weight == 100)
    })
    .await;
}

#[tokio::test]
async fn too_little_is_not_left_and_two_drains_at_once_know_of_each_other() {
    let (rig, client) = rig().await;
    eight(&rig, &client).await;
    let refused = rig.house.lay(&rig.alice, None, &legs(&["zone:sh"], 0)).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Guarded);
    assert!(
        refused.0.message.contains("0 of 4 healthy instances with traffic in sh"),
        "{}",
        refused.0.message
    );
    let forced = ChangeRequest { guards: GuardsRequest::Pass, ..legs(&["zone:sh"], 0) };
    assert_eq!(rig.house.lay(&rig.alice, None, &forced).await.unwrap_err().code(), ErrorCode::Denied);
    // Four people drain one instance each at the same moment: two succeed.
    let all = ["sh-1", "sh-2", "sh-3", "sh-4"].map(|id| legs(&[id], 0));
    let laid = futures::future::join_all(all.iter().map(|one| rig.house.lay(&rig.alice, None, one))).await;
    assert_eq!(laid.iter().filter(|one| one.is_ok()).count(), 2, "{laid:?}");
    assert!(laid.iter().filter_map(|one| one.as_ref().err()).all(|e| e.code() == ErrorCode::Guarded));
    // Who declared less, means it.
    let document = ServiceDocument {
        kind: "service".into(),
        name: "order".into(),
        owner: "team".into(),
        tier: 1,
        floor: Some(4),
    };
    let defined =
        rig.house.define_service(&rig.admin, None, ("order", &document), Mode::Apply).await.unwrap();
    assert_eq!(defined.outcome, "created");
    rig.house.lay(&rig.alice, None, &legs(&["zone:sh"], 0)).await.unwrap();
    until_served(&rig, "the zone is drained", 4).await;
    assert!(rig.house.lay(&rig.alice, None, &legs(&["bj-1"], 0)).await.is_err());
    assert_eq!(service(&rig).floor, "4 instances");
}

#[tokio::test]
async fn below_the_floor_newcomers_are_welcome_and_nobody_is_undrained() {
    let (rig, client) = rig().await;
    let all = eight(&rig, &client).await;
    let document = ServiceDocument {
        kind: "service".into(),
        name: "order".into(),
        owner: "team".into(),
        tier: 1,
        floor: Some(4),
    };
    rig.house.define_service(&rig.admin, None, ("order", &document), Mode::Apply).await.unwrap();
    let drain = rig.house.lay(&rig.alice, None, &legs(&["zone:sh"], 0)).await.unwrap().change.id;
    register(&rig, &client, &instance("order", "sh-5", "sh")).await;
    until_served(&rig, "a newcomer is drained too", 4).await;
    // One of the other zone goes: an alarm, and still four are drained.
    let gone = all.iter().find(|one| one.id == "bj-1").unwrap();
    let life = LifeQuery { incarnation: Some(gone.incarnation.clone()) };
    rig.house.deregister(&client, None, ("order", "bj-1"), &life).await.unwrap();
    until_served(&rig, "one less", 3).await;
    assert!(service(&rig).row.alarm.unwrap().contains("its floor is 4"));
    register(&rig, &client, &instance("order", "sh-6", "sh")).await;
    until_served(&rig, "whoever joins now is not drained", 4).await;
    assert!(served(&rig).contains("sh-6"));
    let spared = service(&rig).instances.into_iter().find(|one| one.id == "sh-6").unwrap().spared;
    assert_eq!(spared, [drain]);
    assert_eq!(service(&rig).row.alarm, None);
}

#[tokio::test]
async fn a_layer_dies_with_the_life_it_was_laid_on() {
    let (rig, client) = rig().await;
    eight(&rig, &client).await;
    let laid = rig.house.lay(&rig.alice, None, &legs(&["sh-1"], 0)).await.unwrap().change;
    until_served(&rig, "it is drained", 7).await;
    register(&rig, &client, &instance("order", "sh-1", "sh")).await;
    until_served(&rig, "somebody else came under the name", 8).await;
    assert_eq!(rig.house.change(&rig.alice, &laid.id).unwrap().state, "moot");
    // Ended and laid again, it is refused rather than laid on the newcomer.
    rig.house.end(&rig.alice, None, &laid.id, &EndRequest::default()).await.unwrap();
    let refused = rig.house.undo(&rig.alice, None, &UndoRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Moved);
}

#[tokio::test]
async fn a_restart_takes_nothing_away_and_loses_nothing() {
    let (rig, client) = rig().await;
    let all = eight(&rig, &client).await;
    rig.house.lay(&rig.alice, None, &legs(&["sh-1"], 0)).await.unwrap();
    until_served(&rig, "it is drained", 7).await;
    rig.hand.pass(5_000);
    let rig = rig.reopen().await;
    assert_eq!(served(&rig).len(), 7, "what was registered and drained still is");
    assert_eq!(state(&rig, "sh-2"), ("unknown".into(), "not heard since this server started".into()));
    rig.hand.pass(1_000);
    rig.house.heartbeats_of(&client, &beats(&all[1..2])).unwrap();
    rig.until("it is heard", async |rig| state(rig, "sh-2").0 == "up").await;
}
