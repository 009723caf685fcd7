//! The verbs against a real store, with clocks that the test moves.

mod rig;

use rein_api::ErrorCode;
use rein_api::changes::{
    ChangeRequest, EndRequest, ExtendRequest, GuardsRequest, LegRequest, SwitchLegRequest, UndoRequest,
};
use rein_api::incidents::CloseRequest;
use rein_api::switches::ScopeView;
use rein_core::IdempotencyKey;
use rig::{Rig, off, on};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_lies_over_the_base_and_is_over_at_its_deadline() {
    let rig = Rig::open().await;
    let laid = rig.house.lay(&rig.alice, None, &off("order/recommendations", 60)).await.unwrap();
    assert_eq!(laid.effects[0].before, "on");
    assert_eq!(laid.effects[0].after, "off");
    assert_eq!(rig.summary("order/recommendations"), "off");
    rig.hand.pass(61_000);
    assert_eq!(rig.summary("order/recommendations"), "on", "expiry is arithmetic: nobody had to notice");
    rig.until("the expiry is recorded once", async |rig| {
        let entries = rig.audit().await;
        entries.iter().filter(|e| e.verb == "change:expire").count() == 1
            && rig.house.change(&rig.alice, &laid.change.id).unwrap().state == "expired"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_undo_drops_anothers_protection() {
    let rig = Rig::open().await;
    rig.house.lay(&rig.bob, None, &off("order/recommendations", 600)).await.unwrap();
    rig.hand.pass(5);
    rig.house.lay(&rig.alice, None, &off("order/recommendations", 60)).await.unwrap();
    let undone = rig.house.undo(&rig.alice, None, &UndoRequest::default()).await.unwrap();
    assert!(!undone.effects[0].visible);
    assert_eq!(undone.effects[0].still_held[0].actor, "bob");
    assert_eq!(rig.summary("order/recommendations"), "off");
    let again = rig.house.undo(&rig.alice, None, &UndoRequest::default()).await.unwrap_err();
    assert_eq!(again.code(), ErrorCode::NotFound, "bob's change is not alice's to undo");
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_reverses_an_end_and_an_extension() {
    let rig = Rig::open().await;
    let laid = rig.house.lay(&rig.alice, None, &off("order/recommendations", 60)).await.unwrap().change;
    rig.hand.pass(1_000);
    let ask = ExtendRequest { by_seconds: 30, reason: "still bad".into(), seen: None, dry_run: false };
    let longer = rig.house.extend(&rig.alice, None, &laid.id, &ask).await.unwrap().change;
    assert_eq!(longer.deadline.0.since(laid.deadline.0), Duration::from_secs(30));
    rig.hand.pass(1_000);
    let back = rig.house.undo(&rig.alice, None, &UndoRequest::default()).await.unwrap().change;
    assert_eq!(back.deadline, laid.deadline);
    rig.hand.pass(1_000);
    rig.house.end(&rig.alice, None, &laid.id, &EndRequest::default()).await.unwrap();
    assert_eq!(rig.summary("order/recommendations"), "on");
    rig.hand.pass(1_000);
    let again = rig.house.undo(&rig.alice, None, &UndoRequest::default()).await.unwrap();
    assert_ne!(again.change.id, laid.id, "an ended change is never revived");
    assert_eq!(again.change.deadline, laid.deadline);
    assert_eq!(rig.summary("order/recommendations"), "off");
}

/// I3: one key, one change, however often and however late it is sent.
#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_change() {
    let rig = Rig::open().await;
    let key = rig.key(0);
    let request = off("order/recommendations", 60);
    let sent = (0..32).map(|_| rig.house.lay(&rig.alice, Some(key), &request));
    let answers = futures::future::join_all(sent).await;
    let ids: std::collections::BTreeSet<_> = answers.into_iter().map(|a| a.unwrap().change.id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(rig.layers("order/recommendations"), 1);
    let other = rig.house.lay(&rig.alice, Some(key), &off("order/recommendations", 61)).await.unwrap_err();
    assert_eq!(other.code(), ErrorCode::KeyReused);
    rig.hand.pass(25 * 3600 * 1000);
    let late = rig.house.lay(&rig.alice, Some(key), &request).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::KeyExpired, "never executed after the key's retention");
}

/// I4: a stale revision never writes.
#[tokio::test(flavor = "multi_thread")]
async fn a_stale_revision_is_refused() {
    let rig = Rig::open().await;
    let seen = rig.switch("order/recommendations").revision;
    rig.house.lay(&rig.bob, None, &off("order/recommendations", 60)).await.unwrap();
    let mut request = off("order/recommendations", 60);
    request.seen.insert("order/recommendations".into(), seen);
    let refused = rig.house.lay(&rig.alice, None, &request).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Moved);
    assert_eq!(rig.layers("order/recommendations"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn relaxing_names_what_holds_and_an_exception_bites_again() {
    let rig = Rig::open().await;
    let held = rig.house.lay(&rig.bob, None, &off("order/recommendations", 600)).await.unwrap().change;
    let refused = rig.house.lay(&rig.alice, None, &on("order/recommendations", 60)).await.unwrap_err();
    assert_eq!((refused.code(), refused.0.changes.clone()), (ErrorCode::Held, vec![held.id.clone()]));
    let ask = ChangeRequest { supersede: vec![held.id.clone()], ..on("order/recommendations", 60) };
    let preview = rig.house.preview(&rig.alice, &ask).await.unwrap();
    assert_eq!(preview.legs[0].supersedes[0].change, held.id);
    rig.house.lay(&rig.alice, None, &ask).await.unwrap();
    assert_eq!(rig.summary("order/recommendations"), "on");
    assert_eq!(rig.house.change(&rig.alice, &held.id).unwrap().state, "excepted");
    rig.hand.pass(61_000);
    assert_eq!(rig.summary("order/recommendations"), "off", "it bites again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fallback_is_not_shed_with_what_needs_it() {
    let rig = Rig::open().await;
    rig.house.lay(&rig.alice, None, &off("payment/card", 60)).await.unwrap();
    let refused = rig.house.lay(&rig.alice, None, &off("payment/wallet", 60)).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Guarded);
    let forced = ChangeRequest { guards: GuardsRequest::Pass, ..off("payment/wallet", 60) };
    let refused = rig.house.lay(&rig.alice, None, &forced).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Denied, "passing a guard takes a right of its own");
    rig.house.lay(&rig.admin, None, &forced).await.unwrap();
}

/// Two guarded flips at the same time: one of them must see the other.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_flips_cannot_slip_past_a_guard() {
    for _ in 0..20 {
        let rig = Rig::open().await;
        let (card, wallet) = (off("payment/card", 60), off("payment/wallet", 60));
        let (a, b) =
            tokio::join!(rig.house.lay(&rig.alice, None, &card), rig.house.lay(&rig.bob, None, &wallet));
        assert!(a.is_ok() != b.is_ok(), "exactly one may pass: {a:?} {b:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_an_incident_ends_its_changes_but_those_kept() {
    let rig = Rig::open().await;
    let of = |switch: &str| ChangeRequest { incident: Some("INC-42".into()), ..off(switch, 600) };
    let first = rig.house.lay(&rig.alice, None, &of("order/recommendations")).await.unwrap().change;
    let second = rig.house.lay(&rig.alice, None, &of("order/coupons")).await.unwrap().change;
    let ask = CloseRequest { keep: vec![second.id.clone()], dry_run: true };
    let preview = rig.house.close(&rig.alice, None, "INC-42", &ask).await.unwrap();
    assert_eq!(preview.ends, [first.id.as_str()]);
    assert_eq!(rig.summary("order/recommendations"), "off", "a rehearsal changes nothing");
    let ask = CloseRequest { dry_run: false, ..ask };
    rig.house.close(&rig.alice, None, "INC-42", &ask).await.unwrap();
    assert_eq!(rig.summary("order/recommendations"), "on");
    assert_eq!(rig.summary("order/coupons"), "off");
    assert_eq!(rig.house.change(&rig.alice, &first.id).unwrap().state, "closed");
    let late = rig.house.lay(&rig.alice, None, &of("order/recommendations")).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::Over);
    let revive = ExtendRequest { by_seconds: 60, reason: String::new(), seen: None, dry_run: false };
    let revive = rig.house.extend(&rig.alice, None, &first.id, &revive).await.unwrap_err();
    assert_eq!(revive.code(), ErrorCode::Over);
}

/// I9: a clock that is set ends nothing early and moves no deadline.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_ends_nothing() {
    let rig = Rig::open().await;
    rig.house.lay(&rig.alice, None, &off("order/recommendations", 600)).await.unwrap();
    for by in [3_600_000, -3_600_000] {
        rig.hand.set_wall(by);
        assert_eq!(rig.summary("order/recommendations"), "off");
        let refused = rig.house.lay(&rig.alice, None, &off("order/coupons", 60)).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Unavailable);
        assert!(rig.house.trouble().unwrap().contains("clock"));
        rig.hand.set_wall(-by);
        assert!(rig.house.trouble().is_none());
    }
    rig.hand.pass(601_000);
    assert_eq!(rig.summary("order/recommendations"), "on");
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_reach_as_far_as_their_pattern() {
    let rig = Rig::open().await;
    let carol = rig.actor("carol", "operator", "payment/*").await;
    let refused = rig.house.lay(&carol, None, &off("order/recommendations", 60)).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Denied);
    let viewer = rig.actor("dave", "viewer", "*").await;
    assert_eq!(
        rig.house.lay(&viewer, None, &off("order/recommendations", 60)).await.unwrap_err().code(),
        ErrorCode::Denied
    );
    let held = rig.house.lay(&rig.bob, None, &off("order/recommendations", 60)).await.unwrap().change;
    assert_eq!(
        rig.house.end(&carol, None, &held.id, &EndRequest::default()).await.unwrap_err().code(),
        ErrorCode::Denied
    );
    rig.house.end(&rig.alice, None, &held.id, &EndRequest::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_restart_and_verifies() {
    let rig = Rig::open().await;
    let laid = rig.house.lay(&rig.alice, None, &off("order/recommendations", 600)).await.unwrap().change;
    rig.until("a checkpoint is signed", async |rig| {
        !rig.house.audit_heads(&rig.admin).await.unwrap().checkpoints.is_empty()
    })
    .await;
    let rig = rig.reopen().await;
    assert_eq!(rig.house.change(&rig.alice, &laid.id).unwrap().deadline, laid.deadline);
    assert_eq!(rig.summary("order/recommendations"), "off");
    rig.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_and_changes_nothing() {
    let rig = Rig::open().await;
    let before = rig.house.revision();
    let within = |scope| {
        let (switch, setting) = ("order/recommendations".into(), "off".into());
        let legs = vec![LegRequest::Switch(SwitchLegRequest { switch, setting, scope })];
        ChangeRequest { legs, ..off("order/recommendations", 60) }
    };
    let percent = |percent| within(ScopeView { percent, ..ScopeView::default() });
    let zone = |z: &str| within(ScopeView { zones: vec![z.into()], ..ScopeView::default() });
    for (request, code, says) in [
        (off("order/recomendations", 60), ErrorCode::NotFound, "no switch"),
        (off("order", 60), ErrorCode::Invalid, "SERVICE/SWITCH"),
        (off("order/recommendations", 0), ErrorCode::Invalid, "past"),
        (off("order/recommendations", 30 * 24 * 3600), ErrorCode::Guarded, "policy"),
        (percent(101), ErrorCode::Invalid, "101"),
        (percent(0), ErrorCode::Invalid, "0 is not"),
        (zone("mars"), ErrorCode::Invalid, "sh"),
        (ChangeRequest { legs: Vec::new(), ..off("order/x", 60) }, ErrorCode::Invalid, "1 to 8"),
        (
            ChangeRequest { reason: "x".repeat(1001), ..off("order/recommendations", 60) },
            ErrorCode::Invalid,
            "1001",
        ),
    ] {
        let refused = rig.house.lay(&rig.alice, None, &request).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
        assert!(refused.to_string().contains(says), "{refused}");
    }
    let near = rig.house.lay(&rig.alice, None, &off("order/recomendations", 60)).await.unwrap_err();
    assert_eq!(near.0.hint.as_deref(), Some("did you mean order/recommendations?"));
    assert!(IdempotencyKey::parse("not-a-key").is_err());
    assert_eq!(rig.house.revision(), before);
}

/// Only the gate writes for people, and only `reconcile` writes what follows by arithmetic; `cluster`
/// keeps its own session, which is no record; `backup/restore` makes a store before any server runs on it.
#[test]
fn nothing_else_commits() {
    fn files(dir: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    files(std::path::Path::new("src"), &mut found);
    assert!(found.len() > 15);
    let commits = |p: &&std::path::PathBuf| std::fs::read_to_string(p).unwrap().contains("store.commit(");
    let place = |p: &std::path::PathBuf| p.strip_prefix("src").unwrap().to_str().unwrap().to_owned();
    let mut names: Vec<_> = found.iter().filter(commits).map(place).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "backup/restore.rs",
            "cluster.rs",
            "gate.rs",
            "reconcile/held.rs",
            "reconcile/mod.rs",
            "reconcile/settle.rs",
            "reconcile/silent.rs",
            "reconcile/versions.rs"
        ]
    );
}

/// A newcomer laid while an incident closes is never ended unseen.
#[tokio::test(flavor = "multi_thread")]
async fn closing_sees_every_change_it_ends() {
    for _ in 0..20 {
        let rig = Rig::open().await;
        let of = |switch: &str| ChangeRequest { incident: Some("INC-42".into()), ..off(switch, 600) };
        rig.house.lay(&rig.alice, None, &of("order/recommendations")).await.unwrap();
        let (close, late) = (CloseRequest::default(), of("order/coupons"));
        let (closed, laid) = tokio::join!(
            rig.house.close(&rig.alice, None, "INC-42", &close),
            rig.house.lay(&rig.bob, None, &late)
        );
        let ends = closed.unwrap().ends;
        match laid {
            Ok(laid) => assert!(ends.contains(&laid.change.id), "ended without being named"),
            Err(refused) => assert_eq!(refused.code(), ErrorCode::Over),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_closed_by_those_whom_it_concerns() {
    let rig = Rig::open().await;
    let of = ChangeRequest { incident: Some("INC-42".into()), ..off("order/recommendations", 1) };
    rig.house.lay(&rig.alice, None, &of).await.unwrap();
    rig.hand.pass(2_000);
    let carol = rig.actor("carol", "operator", "payment/*").await;
    let refused = rig.house.close(&carol, None, "INC-42", &CloseRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Denied, "although nothing of it is active any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_an_exception_can_be_undone_when_what_it_excepted_is_gone() {
    let rig = Rig::open().await;
    let held = rig.house.lay(&rig.bob, None, &off("order/recommendations", 600)).await.unwrap().change;
    let ask = ChangeRequest { supersede: vec![held.id.clone()], ..on("order/recommendations", 600) };
    let lifted = rig.house.lay(&rig.alice, None, &ask).await.unwrap().change;
    rig.hand.pass(1_000);
    rig.house.end(&rig.alice, None, &lifted.id, &EndRequest::default()).await.unwrap();
    rig.house.end(&rig.bob, None, &held.id, &EndRequest::default()).await.unwrap();
    let undo = UndoRequest { change: Some(lifted.id.clone()), dry_run: false };
    rig.house.undo(&rig.alice, None, &undo).await.unwrap();
    assert_eq!(rig.summary("order/recommendations"), "on");
}

/// Whoever looks while others write gets an answer: a look inside a look does not wait for a writer that waits
/// for the outer one.
#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn looks_and_writes_do_not_wait_for_each_other() {
    let rig = std::sync::Arc::new(Rig::open().await);
    let looks = (0..3).map(|_| {
        let rig = std::sync::Arc::clone(&rig);
        tokio::spawn(async move {
            for _ in 0..200 {
                rig.house.status(&rig.alice).await.unwrap();
                rig.house.services(&rig.alice).unwrap();
            }
        })
    });
    let writes = (0..3).map(|_| {
        let rig = std::sync::Arc::clone(&rig);
        tokio::spawn(async move {
            for _ in 0..40 {
                let _ = rig.house.lay(&rig.bob, None, &off("order/recommendations", 600)).await;
            }
        })
    });
    let all = futures::future::join_all(looks.chain(writes).collect::<Vec<_>>());
    let done = tokio::time::timeout(Duration::from_secs(120), all).await.expect("somebody waits for ever");
    done.into_iter().for_each(|one| one.unwrap());
}
