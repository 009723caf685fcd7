//! Backups, and stores that were put back: nothing comes back unasked, and nothing is lost unsaid (I17).

mod rig;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rein_api::ErrorCode;
use rein_api::changes::{
    ChangeQuery, ChangeRequest, EndRequest, ExtendRequest, LegRequest, SilenceLegRequest,
};
use rein_api::held::AcceptRequest;
use rein_api::silences::{MatcherView, SilenceRequest};
use rein_core::app::definitions::Mode;
use rein_core::backup::{BackupError, RestoreError, examine, restore};
use rein_domain::time::Timestamp;
use rein_store::sqlite::{SqliteOptions, SqliteStore};
use rein_store::{Commit, Key, Store};
use rig::{Rig, off, on};
use std::collections::BTreeSet;
use std::io::Cursor;

const SWITCHES: [&str; 3] = ["order/recommendations", "order/coupons", "payment/card"];

fn cases(few: u32) -> u32 {
    std::env::var("REIN_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

async fn active(rig: &Rig) -> BTreeSet<String> {
    let query = ChangeQuery { active: Some(true), limit: Some(1000), ..ChangeQuery::default() };
    rig.house.changes(&rig.alice, &query).await.unwrap().changes.into_iter().map(|c| c.id).collect()
}

/// What people do to a rig.
#[derive(Debug, Clone)]
enum Act {
    Lay(usize, u64),
    Relax(usize, u64),
    End(usize),
    Extend(usize, u64),
    Pass(i64),
}

fn acts(most: usize) -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (0..SWITCHES.len(), 60..4000u64).prop_map(|(at, lasts)| Act::Lay(at, lasts)),
        1 => (0..SWITCHES.len(), 60..4000u64).prop_map(|(at, lasts)| Act::Relax(at, lasts)),
        2 => any::<usize>().prop_map(Act::End),
        1 => (any::<usize>(), 60..600u64).prop_map(|(at, by)| Act::Extend(at, by)),
        1 => (1..200_000i64).prop_map(Act::Pass),
    ];
    prop::collection::vec(act, 1..most)
}

/// Does it; what the rules refuse is refused.
async fn play(rig: &Rig, acts: &[Act]) {
    for act in acts {
        let live: Vec<String> = active(rig).await.into_iter().collect();
        let pick = |at: usize| live.get(at % live.len().max(1)).cloned();
        match act {
            Act::Lay(at, lasts) => {
                let _ = rig.house.lay(&rig.alice, None, &off(SWITCHES[*at], *lasts)).await;
            }
            Act::Relax(at, lasts) => {
                let _ = rig.house.lay(&rig.bob, None, &on(SWITCHES[*at], *lasts)).await;
            }
            Act::End(at) => {
                let Some(id) = pick(*at) else { continue };
                let _ = rig.house.end(&rig.bob, None, &id, &EndRequest::default()).await;
            }
            Act::Extend(at, by) => {
                let Some(id) = pick(*at) else { continue };
                let request =
                    ExtendRequest { by_seconds: *by, reason: String::new(), seen: None, dry_run: false };
                let _ = rig.house.extend(&rig.alice, None, &id, &request).await;
            }
            Act::Pass(ms) => rig.hand.pass(*ms),
        }
    }
}

fn summaries(rig: &Rig) -> Vec<String> {
    SWITCHES.iter().map(|name| rig.summary(name)).collect()
}

/// Every lane of the backup lies in the restored store byte for byte.
async fn same_lanes(backup: &[u8], store: &dyn Store) {
    let header = examine(backup).unwrap();
    let heads = store.lanes().await.unwrap();
    for (lane, head) in header.lanes {
        let found = heads.iter().find(|h| h.lane.as_str() == lane).unwrap();
        assert_eq!((found.seq, found.hash.to_string()), (head.seq, head.hash), "{lane}");
    }
    assert_eq!(heads.len(), examine(backup).unwrap().lanes.len() + 1, "and one of its own");
}

async fn one_round(before: Vec<Act>, after: Vec<Act>, later: i64, ends: Vec<bool>) {
    let rig = Rig::open().await;
    play(&rig, &before).await;
    let cursor = format!("{}.{}", rig.house.epoch(), rig.house.revision().0);
    let (wanted, shown) = (active(&rig).await, summaries(&rig));
    let backup = rig.backup().await;
    play(&rig, &after).await;
    rig.hand.pass(later);

    let other = rig.restored(&backup).await;
    same_lanes(&backup, other.store.as_ref()).await;
    assert_ne!(other.house.epoch(), rig.house.epoch());
    let gone = other.house.events(&other.admin, Some(&cursor)).await.err().unwrap();
    assert_eq!(gone.code(), ErrorCode::Gone);
    // Nothing happens by itself.
    assert!(other.house.trouble().is_some_and(|why| why.contains("rein server accept")));
    assert_eq!(other.house.doorway().served.borrow().serial, 0, "doors tell nobody anything");
    let refused = other.house.lay(&other.alice, None, &off(SWITCHES[0], 60)).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unavailable, "{refused}");
    // What was wanted then and has time left is named, and nothing else.
    let held = other.house.held(&other.admin).unwrap();
    let named: BTreeSet<String> = held.changes.iter().map(|c| c.id.clone()).collect();
    let due = |c: &String| rig_deadline(&other, c) > other.house.now();
    let expected: BTreeSet<String> = wanted.iter().filter(|c| due(c)).cloned().collect();
    assert_eq!(named, expected);
    let end: Vec<String> =
        named.iter().zip(ends.iter().cycle()).filter(|(_, end)| **end).map(|(id, _)| id.clone()).collect();
    let request = AcceptRequest { end: end.clone(), seen: Some(held.revision), reason: String::new() };
    let denied = other.house.accept(&other.alice, None, &request).await.unwrap_err();
    assert_eq!(denied.code(), ErrorCode::Denied);
    let key = other.key(0);
    let accepted = other.house.accept(&other.admin, Some(key), &request).await.unwrap();
    assert_eq!(other.house.accept(&other.admin, Some(key), &request).await.unwrap(), accepted, "sent again");
    let ended: BTreeSet<String> = end.into_iter().collect();
    assert_eq!(active(&other).await, &expected - &ended);
    if ended.is_empty() && expected == wanted {
        assert_eq!(summaries(&other), shown, "as it was when the backup was taken");
    }
    assert_eq!(other.house.trouble(), None);
    other.until("doors serve", async |rig| rig.house.doorway().served.borrow().serial > 0).await;
    other.house.lay(&other.alice, None, &off(SWITCHES[1], 60)).await.unwrap();
    other.verify_lanes().await;
}

fn rig_deadline(rig: &Rig, id: &str) -> Timestamp {
    rig.house.change(&rig.admin, id).unwrap().deadline.0
}

#[test]
fn nothing_is_resurrected_or_removed_unasked() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases: cases(5), max_shrink_iters: 20, ..ProptestConfig::default() };
    let strategy = (acts(12), acts(12), 0..2_000_000i64, prop::collection::vec(any::<bool>(), 1..4));
    let mut runner = TestRunner::new(config);
    runner
        .run(&strategy, |(before, after, later, ends)| {
            runtime.block_on(one_round(before, after, later, ends));
            Ok(())
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_behind_its_shipped_head_is_held_once() {
    let rig = Rig::open().await;
    rig.house.lay(&rig.alice, None, &off(SWITCHES[0], 600)).await.unwrap();
    let backup = rig.backup().await;
    let end = rig.house.changes(&rig.alice, &ChangeQuery::default()).await.unwrap().changes[0].id.clone();
    rig.house.end(&rig.alice, None, &end, &EndRequest::default()).await.unwrap();
    let heads = rig.directory.path().join("heads.jsonl");
    let all = examine(rig.backup().await.as_slice()).unwrap().entries();
    rig.until("the head is shipped", async |_| {
        let text = std::fs::read_to_string(&heads).unwrap_or_default();
        let last = text.lines().last().and_then(|l| serde_json::from_str::<serde_json::Value>(l).ok());
        last.is_some_and(|c| c["heads"].as_object().unwrap().values().any(|h| h["seq"].as_u64() >= Some(all)))
    })
    .await;
    let other = rig.restored(&backup).await;
    let held = other.house.held(&other.admin).unwrap();
    assert!(held.held && held.as_of.is_some());
    assert_eq!(held.behind.len(), 1, "{held:?}");
    assert!(held.behind[0].here < held.behind[0].shipped);
    assert_eq!(held.changes.len(), 1, "it was ended after the backup, and would be in force again");
    let request = AcceptRequest { end: vec![end.clone()], ..AcceptRequest::default() };
    other.house.accept(&other.admin, None, &request).await.unwrap();
    assert_eq!(active(&other).await.len(), 0);
    // Accepted is accepted, also before a new head was shipped.
    let other = other.reopen().await;
    assert_eq!(other.house.trouble(), None);
    assert!(!other.house.held(&other.admin).unwrap().held);
    let nothing = other.house.accept(&other.admin, None, &AcceptRequest::default()).await.unwrap_err();
    assert_eq!(nothing.code(), ErrorCode::Over);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_with_its_line_and_changes_nothing() {
    let rig = Rig::open().await;
    rig.house.lay(&rig.alice, None, &off(SWITCHES[0], 600)).await.unwrap();
    let whole = rig.backup().await;
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("rein.db"), SqliteOptions::default()).unwrap();
    let now = Timestamp(rig::TODAY);
    let mut bad: Vec<(Vec<u8>, String)> = Vec::new();
    for at in [0, 1, lines.len() / 2, lines.len() - 1] {
        bad.push((lines[..at].concat(), if at == 0 { "line 1".into() } else { format!("line {at}") }));
        let mut flipped = whole.clone();
        let begins: usize = lines[..at].iter().map(|line| line.len()).sum();
        flipped[begins + lines[at].len() / 2] ^= 1;
        bad.push((flipped, format!("line {}", at + 1)));
    }
    let half = whole[..whole.len() - 40].to_vec();
    bad.push((half, format!("line {}", lines.len())));
    for (file, says) in bad {
        let error = restore(&store, Cursor::new(file), now).await.unwrap_err();
        assert!(matches!(error, RestoreError::Backup(_)), "{error:?}");
        assert!(error.to_string().contains(&says), "{error} does not say {says}");
    }
    let (left, _) = store.list(&Key::everything()).await.unwrap();
    assert!(left.is_empty());
    restore(&store, Cursor::new(whole.clone()), now).await.unwrap();
    let before = store.snapshot().await.unwrap();
    let again = restore(&store, Cursor::new(whole), now).await.unwrap_err();
    assert!(matches!(again, RestoreError::NotEmpty), "{again:?}");
    assert_eq!(store.snapshot().await.unwrap(), before);
}

/// A file of a later format is refused for that, whatever else is in it.
#[test]
fn a_later_format_is_named() {
    let mut seal = rein_domain::seal::Seal::default();
    let file = seal.line(r#"{"backup":{"format":7,"else":true}}"#) + &seal.last();
    let error = examine(file.as_bytes()).unwrap_err();
    assert!(matches!(error, BackupError::Format { found: 7 }), "{error:?}");
}

/// Nothing that opens a door is in a backup.
#[tokio::test(flavor = "multi_thread")]
async fn no_key_and_no_secret_is_inside() {
    let rig = Rig::open().await;
    let backup = String::from_utf8(rig.backup().await).unwrap();
    let token = std::fs::read_to_string(rig.directory.path().join("admin.token")).unwrap();
    let key = std::fs::read(rig.directory.path().join("audit.key")).unwrap();
    assert!(!backup.contains(token.trim()));
    assert!(!backup.contains(token.trim().trim_start_matches("rein_")));
    // Of the document (PKCS#8, RFC 8410) these bytes are the secret; the public half is in the store.
    for part in key[16..48].windows(8) {
        assert!(!backup.contains(&rein_domain::audit::hex(part)));
        assert!(!backup.as_bytes().windows(8).any(|w| w == part));
    }
    assert!(backup.contains("server:backup"), "that it was taken is in it");
}

/// While a store is held, no backend hears of anything; what was ended first never comes back.
#[tokio::test(flavor = "multi_thread")]
async fn no_backend_is_written_before_somebody_accepts() {
    let rig = Rig::open().await;
    let document = serde_json::json!({ "kind": "backend", "name": "alerts", "plugin": "fake" });
    let document = serde_json::from_value(document).unwrap();
    rig.house.define_backend(&rig.admin, None, ("alerts", &document), Mode::Apply).await.unwrap();
    for service in ["order", "payment"] {
        rig.house.lay(&rig.alice, None, &silence(service)).await.unwrap();
    }
    rig.until("both are written", async |rig| rig.backends.one("alerts").cells.lock().len() == 2).await;
    let backup = rig.backup().await;
    let (stays, goes) = {
        let mut ids = active(&rig).await.into_iter();
        (ids.next().unwrap(), ids.next().unwrap())
    };
    let fake = rig.backends.one("alerts");
    let wrote = *fake.writes.lock();
    let other = rig.replaced(&backup).await;
    let held = other.house.held(&other.admin).unwrap();
    assert_eq!(held.writes.len(), 2, "{:?}", held.writes);
    assert!(held.writes.iter().all(|write| write.what == "kept"));
    let before = other.store.snapshot().await.unwrap();
    // Longer than the reconciler's rounds.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(*fake.writes.lock(), wrote);
    assert_eq!(other.store.snapshot().await.unwrap(), before, "and nothing is written down");
    let request = AcceptRequest { end: vec![goes.clone()], ..AcceptRequest::default() };
    other.house.accept(&other.admin, None, &request).await.unwrap();
    other
        .until("the one that was ended is taken away", async |_| !fake.cells.lock().contains_key(&goes))
        .await;
    assert!(fake.cells.lock().contains_key(&stays));
    let lines = |s: &rein_store::Snapshot| s.lanes.iter().map(|l| l.seq).sum::<u64>();
    assert!(
        lines(&other.store.snapshot().await.unwrap()) >= lines(&before) + 2,
        "both acts are in the trail"
    );
}

fn silence(service: &str) -> ChangeRequest {
    let matchers = vec![MatcherView { name: "service".into(), op: "=".into(), value: service.into() }];
    let silence = SilenceRequest { backend: None, matchers };
    let legs = vec![LegRequest::Silence(SilenceLegRequest { silence })];
    ChangeRequest { legs, ..off(SWITCHES[0], 600) }
}

/// A store may ask for a newer writer; an older one reads and serves, and writes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_too_old_writer_only_reads() {
    let rig = Rig::open().await;
    let laid = rig.house.lay(&rig.alice, None, &off(SWITCHES[0], 600)).await.unwrap().change;
    rig.store.commit(Commit::new().put("meta/min_writer", "2")).await.unwrap();
    rig.house.consistent().await.unwrap();
    let refused = rig.house.lay(&rig.alice, None, &off(SWITCHES[1], 600)).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unavailable);
    assert!(refused.to_string().contains("newer version"), "{refused}");
    assert!(!rig.house.reconciles());
    // It is past its deadline: served as such, and not written down.
    rig.hand.pass(700_000);
    rig.until("the layer is served no more", async |rig| rig.summary(SWITCHES[0]).contains("on")).await;
    let before = rig.store.snapshot().await.unwrap();
    let house = std::sync::Arc::clone(&rig.house);
    assert_eq!(house.change(&rig.admin, &laid.id).unwrap().id, laid.id);
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(rig.store.snapshot().await.unwrap(), before, "not even a checkpoint");
}
