//! One silence a cell, on real Alertmanagers: updated in place, doubled, lost, ended by hand.

mod kit;

use futures::StreamExt;
use kit::{by_hand, comments, live, plugin, proved, proxies, see, set_all, silence, try_see, until, write};
use rein_parts::{Alertmanager, Mode, Proxy};
use rein_plugin::{Adapter, CellKey, Fault, Grade};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CELL: &str = "0123456789";

#[tokio::test]
async fn an_extension_keeps_the_id_and_other_matchers_take_another() {
    let Some(one) = Alertmanager::one() else { return };
    let plugin = plugin(&[one.url()]).await;
    let (short, long, other) = (silence("A", 1, "x"), silence("A", 2, "y \\\"z\\\""), silence("B", 2, "x"));
    let mut ids = Vec::new();
    for want in [&short, &long, &other] {
        plugin.apply(write(CELL, Some(want))).await.unwrap();
        let seen = see(&plugin, CELL).await;
        assert!(proved(Some(want))(&seen), "{seen:?}");
        ids.push(seen.object);
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
    assert_eq!(live(&one).len(), 1);
    assert_eq!(comments(&one)[&ids[2]], "x [rein:0123456789]");
    // Versions that have annotations (0.33 on) carry the key there too, and are believed without a marker.
    let mut edited = live(&one).remove(0);
    if edited["annotations"]["rein"] == CELL {
        edited["comment"] = json!("rewritten by hand");
        one.call("POST", "/silences", &edited);
        let seen = see(&plugin, CELL).await;
        assert!(seen.value.is_some_and(|value| value.contains("rewritten by hand")));
    }
}

#[tokio::test]
async fn a_double_is_mended_and_the_oldest_stays() {
    let Some(one) = Alertmanager::one() else { return };
    let plugin = plugin(&[one.url()]).await;
    let want = silence("A", 1, "x");
    plugin.apply(write(CELL, Some(&want))).await.unwrap();
    let oldest = see(&plugin, CELL).await.object;
    by_hand(&one, "A", "x [rein:0123456789]");
    let others =
        [by_hand(&one, "A", "x [rein:0123456789.1]"), by_hand(&one, "A", "[rein:0123456789] was it")];
    let doubled = see(&plugin, CELL).await;
    assert_eq!((doubled.copies, &doubled.object, doubled.value.as_deref()), (2, &oldest, Some(&*want)));
    plugin.apply(write(CELL, Some(&want))).await.unwrap();
    let seen = see(&plugin, CELL).await;
    assert!(proved(Some(&want))(&seen) && seen.object == oldest, "{seen:?}");
    by_hand(&one, "A", "x [rein:0123456789]");
    plugin.apply(write(CELL, None)).await.unwrap();
    assert!(proved(None)(&see(&plugin, CELL).await));
    // Nobody else's were touched.
    assert!(comments(&one).keys().eq(std::collections::BTreeSet::from(others).iter()));
}

#[tokio::test]
async fn somebody_elses_silence_is_ended_and_put_back() {
    let Some(one) = Alertmanager::one() else { return };
    let plugin = plugin(&[one.url()]).await;
    let (theirs, untouched) = (by_hand(&one, "A", "deploy"), by_hand(&one, "A", "deploy"));
    let cell = format!("foreign:{theirs}");
    let before = see(&plugin, &cell).await;
    let value = before.value.clone().unwrap();
    assert_eq!(
        value,
        r#"{"matchers":[["alertname","=","A"]],"ends":"2099-01-01T00:00:00Z","author":"bob","comment":"deploy"}"#
    );
    assert_eq!((before.object.as_str(), before.copies), (theirs.as_str(), 1));
    plugin.apply(write(&cell, None)).await.unwrap();
    assert!(proved(None)(&see(&plugin, &cell).await));
    // Repeated, as after a lost answer.
    plugin.apply(write(&cell, None)).await.unwrap();
    for _ in 0..2 {
        plugin.apply(write(&cell, Some(&value))).await.unwrap();
        assert!(proved(Some(&value))(&see(&plugin, &cell).await));
    }
    let back = see(&plugin, &cell).await.object;
    assert_eq!(comments(&one)[&back], format!("deploy [rein:{cell}]"));
    assert_eq!(live(&one).len(), 2);
    plugin.apply(write(&cell, None)).await.unwrap();
    assert_eq!(comments(&one).into_keys().collect::<Vec<_>>(), [untouched]);
}

#[tokio::test]
async fn what_was_forgotten_is_told_from_what_was_ended() {
    let Some(mut one) = Alertmanager::one() else { return };
    let plugin = plugin(&[one.url()]).await;
    let want = silence("A", 1, "x");
    let fresh = see(&plugin, CELL).await.incarnation;
    plugin.apply(write(CELL, Some(&want))).await.unwrap();
    let held = see(&plugin, CELL).await;
    assert_ne!(held.incarnation, fresh);
    // A restart alone is no loss.
    one.restart();
    let restarted = until(&plugin, CELL, "it is there again", proved(Some(&want))).await;
    assert_eq!(restarted.incarnation, held.incarnation);
    // A hand is no loss either.
    one.call("DELETE", &format!("/silence/{}", held.object), &Value::Null);
    let ended = see(&plugin, CELL).await;
    assert_eq!((ended.value, ended.incarnation), (None, held.incarnation.clone()));
    // A power cut before the snapshot is.
    let other = "abcdefghjk";
    plugin.apply(write(other, Some(&want))).await.unwrap();
    assert_eq!(see(&plugin, other).await.incarnation, held.incarnation);
    one.kill();
    one.start();
    let lost = until(&plugin, other, "it is gone", |seen| seen.value.is_none()).await;
    assert_eq!(lost.incarnation, fresh);
}

#[tokio::test]
async fn a_lost_answer_doubles_nothing() {
    let Some(cluster) = Alertmanager::cluster(3) else { return };
    let (proxies, urls) = proxies(&cluster);
    let plugin = plugin(&urls).await;
    let want = silence("A", 1, "x");
    set_all(&proxies, Mode::DropReplies);
    let fault = plugin.apply(write(CELL, Some(&want))).await.unwrap_err();
    assert!(matches!(fault, Fault::Unknown(_)), "{fault:?}");
    let fault = plugin.apply(write(CELL, Some(&silence("A", 3, "x")))).await.unwrap_err();
    assert!(matches!(fault, Fault::Unknown(_)), "{fault:?}");
    set_all(&proxies, Mode::Pass);
    plugin.apply(write(CELL, Some(&want))).await.unwrap();
    until(&plugin, CELL, "all show it", proved(Some(&want))).await;
    for one in &cluster.0 {
        assert_eq!(live(one).len(), 1);
    }
    set_all(&proxies, Mode::DropReplies);
    assert!(matches!(plugin.apply(write(CELL, None)).await, Err(Fault::Unknown(_))));
    set_all(&proxies, Mode::Pass);
    until(&plugin, CELL, "it is gone", proved(None)).await;
}

#[tokio::test]
async fn who_cannot_be_asked_is_named_and_the_others_go_on() {
    let Some(cluster) = Alertmanager::cluster(3) else { return };
    let (proxies, urls) = proxies(&cluster);
    let plugin = plugin(&urls).await;
    let want = silence("A", 1, "x");
    for (mode, limit) in [(Mode::Cut, 1500), (Mode::Hang, 2000)] {
        proxies[0].set(mode);
        let begun = Instant::now();
        plugin.apply(write(CELL, Some(&want))).await.unwrap();
        assert!(begun.elapsed() < Duration::from_millis(limit), "{mode:?}: {:?}", begun.elapsed());
        let seen = until(&plugin, CELL, "two show it", |seen| seen.missing_peers == [urls[0].clone()]).await;
        assert_eq!((seen.value.as_deref(), seen.copies, seen.peers), (Some(&*want), 1, 3), "{mode:?}");
        proxies[0].set(Mode::Pass);
        until(&plugin, CELL, "all show it", proved(Some(&want))).await;
        plugin.apply(write(CELL, None)).await.unwrap();
        until(&plugin, CELL, "it is gone", proved(None)).await;
    }
    set_all(&proxies, Mode::Cut);
    for fault in [plugin.apply(write(CELL, Some(&want))).await.err(), try_see(&plugin, CELL).await.err()] {
        let Some(Fault::Unreachable(why)) = fault else { panic!("{fault:?}") };
        assert!(urls.iter().all(|url| why.contains(url)), "{why}");
    }
    set_all(&proxies, Mode::Delay(Duration::from_millis(150)));
    plugin.apply(write(CELL, Some(&want))).await.unwrap();
    until(&plugin, CELL, "all show it", proved(Some(&want))).await;
}

#[tokio::test]
async fn what_alertmanager_refuses_is_said_in_its_words() {
    let Some(one) = Alertmanager::one() else { return };
    let plugin = plugin(&[one.url()]).await;
    for (want, says) in [
        (silence("A", -1, "x"), "past"),
        (silence("A", 1, "x").replace(r#""=","A""#, r#""=~","(""#), "invalid"),
        (silence("A", 1, "x").replace(r#""=","A""#, r#""=","""#), "empty string"),
    ] {
        match plugin.apply(write(CELL, Some(&want))).await {
            Err(Fault::Invalid(why)) => assert!(why.contains(says) || why.contains("before"), "{why}"),
            other => panic!("{want}: {other:?}"),
        }
    }
    assert!(live(&one).is_empty());
}

#[tokio::test]
async fn hints_name_the_cell_that_altered() {
    let Some(one) = Alertmanager::one() else { return };
    let plugin = plugin(&[one.url()]).await;
    let theirs = by_hand(&one, "A", "deploy");
    let foreign = format!("foreign:{theirs}");
    see(&plugin, &foreign).await;
    let mut hints = plugin.watch().await.unwrap();
    let mut hint = async || tokio::time::timeout(Duration::from_secs(6), hints.next()).await;
    // Nothing has altered, so what comes first is what alters once it has looked.
    assert!(hint().await.is_err());
    plugin.apply(write(CELL, Some(&silence("A", 1, "x")))).await.unwrap();
    assert_eq!(hint().await.unwrap(), Some(Some(CellKey(CELL.into()))));
    one.call("DELETE", &format!("/silence/{theirs}"), &Value::Null);
    assert_eq!(hint().await.unwrap(), Some(Some(CellKey(foreign))));
}

/// Gossip loses messages, seldom and when it likes: here nothing comes through.
#[tokio::test]
async fn what_gossip_lost_is_told_again() {
    let Some(mut cluster) = Alertmanager::cluster(2) else { return };
    let urls: Vec<String> = cluster.0.iter().map(Alertmanager::url).collect();
    let plugin = plugin(&urls).await;
    let (short, long) = (silence("A", 1, "x"), silence("A", 2, "x"));
    plugin.apply(write(CELL, Some(&short))).await.unwrap();
    let id = until(&plugin, CELL, "both show it", proved(Some(&short))).await.object;
    let [speaks, deaf] = &mut cluster.0[..] else { panic!("two were started") };
    deaf.part();

    let ends = |one: &Alertmanager| live(one).iter().map(|s| s["endsAt"].clone()).collect::<Vec<_>>();
    let told = |one: &Alertmanager| {
        let all = live(one);
        assert_eq!((all.len(), all[0]["id"].as_str()), (1, Some(id.as_str())), "{all:?}");
        all[0]["updatedAt"].as_str().map(str::to_owned).expect("a time")
    };
    plugin.apply(write(CELL, Some(&long))).await.unwrap();
    let first = told(speaks);
    let seen = see(&plugin, CELL).await;
    assert_eq!((seen.value.as_deref(), &seen.missing_peers[..]), (Some(&*long), &urls[1..]));
    plugin.apply(write(CELL, Some(&long))).await.unwrap();
    assert!(told(speaks) > first, "its peers would not hear of it again");
    assert_ne!(ends(speaks), ends(deaf), "nothing but gossip brings it there");

    // An end can be told to each of them.
    plugin.apply(write(CELL, None)).await.unwrap();
    let seen = see(&plugin, CELL).await;
    assert_eq!((seen.value.as_deref(), &seen.missing_peers[..]), (None, &urls[1..]));
    assert_eq!((live(speaks).len(), live(deaf).len()), (0, 1));
    plugin.apply(write(CELL, None)).await.unwrap();
    assert!(proved(None)(&see(&plugin, CELL).await));

    // Where all of them show it nothing is written.
    plugin.apply(write(CELL, Some(&long))).await.unwrap();
    let seen = see(&plugin, CELL).await;
    let known = vec![urls[0].clone()];
    let alone = kit::plugin(&known).await;
    let updated = live(speaks)[0]["updatedAt"].clone();
    alone.apply(write(CELL, Some(&long))).await.unwrap();
    assert_eq!((&live(speaks)[0]["updatedAt"], &see(&alone, CELL).await.object), (&updated, &seen.object));
}

#[tokio::test]
async fn a_check_says_what_a_person_would_want_to_know() {
    let Some(cluster) = Alertmanager::cluster(3) else { return };
    let Some(alone) = Alertmanager::one() else { return };
    let urls: Vec<String> = cluster.0.iter().map(Alertmanager::url).collect();
    let grades = async |peers: Vec<String>| {
        let findings = plugin(&peers).await.check().await.unwrap();
        let text: Vec<String> = findings.iter().map(|f| format!("{}: {}", f.subject, f.message)).collect();
        (findings.iter().map(|f| f.grade).max().unwrap(), text.join("\n"))
    };
    // Settling takes up to a minute, and may or may not be over.
    let (grade, text) = grades(urls.clone()).await;
    assert!(grade < Grade::Error && text.contains("Alertmanager "), "{text}");
    let (grade, text) = grades(vec![alone.url()]).await;
    assert!(grade == Grade::Ok && text.contains("alone"), "{text}");
    let (grade, text) = grades(vec![urls[0].clone(), alone.url()]).await;
    assert!(grade == Grade::Error && text.contains("gossip is disabled"), "{text}");
    let (grade, text) = grades(urls[..2].to_vec()).await;
    assert!(grade == Grade::Warning && text.contains("name the others too"), "{text}");
    let (grade, text) = grades(vec![alone.url() + "/prefix"]).await;
    assert!(grade == Grade::Error && text.contains("path prefix"), "{text}");
    let dead = Proxy::before("127.0.0.1:1");
    let (grade, text) = grades(vec![alone.url(), dead.url()]).await;
    assert!(grade == Grade::Error && text.contains(&dead.url()), "{text}");
    let history = kit::configured(json!({"peers": [alone.url()], "history": dead.url()}), &[]).await;
    let findings = history.check().await.unwrap();
    assert!(
        findings.iter().any(|f| f.grade == Grade::Warning && f.message.contains("fires now")),
        "{findings:?}"
    );
}
