//! Silences on real Alertmanagers: three that gossip, and a second cluster of one.

use crate::kit::desk::Desk;
use crate::kit::server::{Server, declared};
use crate::kit::wait::{secs, until, until_true};
use rein_parts::{Alertmanager, Cluster};
use serde_json::Value;
use std::fs;

struct Hushed {
    peers: Cluster,
    other: Alertmanager,
    _server: Server,
    desk: Desk,
}

fn start(test: &str) -> Option<Hushed> {
    let (peers, other) = (Alertmanager::cluster(3)?, Alertmanager::one()?);
    let (server, desk) = declared(test);
    let urls: Vec<String> = peers.0.iter().map(|one| format!("{:?}", one.url())).collect();
    let backends = format!(
        "kind: backend\nname: alerts-sh\nplugin: alertmanager\nowner: sre\nconfig:\n  peers: [{}]\nnever_silence:\n  - alertname=\"Watchdog\"\n---\nkind: backend\nname: alerts-bj\nplugin: alertmanager\nconfig:\n  peers: [{:?}]\n",
        urls.join(", "),
        other.url()
    );
    fs::write(desk.home().join("backends.yaml"), backends).unwrap();
    let _ = desk.types("rein apply -f backends.yaml").exit(0).prints("alerts-sh");
    Some(Hushed { peers, other, _server: server, desk })
}

fn live(one: &Alertmanager) -> Vec<Value> {
    one.silences().into_iter().filter(|silence| silence["status"]["state"] != "expired").collect()
}

/// The one silence of a change on a peer.
fn of_change(one: &Alertmanager, change: &str) -> Option<Value> {
    let marker = format!("[rein:{change}]");
    let mut found: Vec<Value> =
        live(one).into_iter().filter(|s| s["comment"].to_string().contains(&marker)).collect();
    assert!(found.len() < 2, "one silence a change: {found:?}");
    found.pop()
}

fn add(desk: &Desk, what: &str) -> String {
    let said = desk.types(&format!("rein silence add {what} --yes -o json"));
    let view = said.json();
    view["change"]["id"].as_str().unwrap_or_else(|| panic!("{view}")).to_owned()
}

#[test]
fn a_silence_is_previewed_laid_everywhere_proved_extended_and_expired() {
    let Some(Hushed { peers, other, _server, desk }) = start("silences-life") else { return };
    for (name, service) in [("HighLatency", "order"), ("HighLatency", "payment"), ("DiskFull", "db")] {
        peers.0[1].fire(&[
            ("alertname", name),
            ("service", service),
            ("severity", "page"),
            ("instance", "i-1"),
        ]);
    }
    let what = "rein silence add alertname=HighLatency service=order --for 2h --incident INC-42";
    until_true("the preview knows the alert", secs(10), || {
        let said = desk.types(&format!("{what} --dry-run"));
        said.exit == 0
            && said.out.contains("alerts-sh")
            && said.out.contains("alerts-bj")
            && said.out.contains("1 of 3")
    });
    let change =
        add(&desk, "alertname=HighLatency service=order --for 2h --incident INC-42 --reason 'db slow'");
    for one in peers.0.iter().chain([&other]) {
        let silence = of_change(one, &change).unwrap_or_else(|| panic!("{} does not show it", one.url()));
        assert_eq!(silence["createdBy"], "admin");
        assert!(silence["comment"].to_string().contains("db slow (INC-42)"), "{silence}");
    }
    until_true("the alert is hushed, and Rein shows that", secs(10), || {
        desk.types(&format!("rein change show {change}")).done().contains("hushes 1 alert")
    });
    let _ = desk.types("rein silence list").exit(0).prints(&change);
    let ends = of_change(&peers.0[0], &change).unwrap()["endsAt"].clone();
    let _ = desk.types(&format!("rein silence extend {change} --for 1h")).exit(0);
    until_true("every peer has the later end", secs(10), || {
        peers.0.iter().all(|one| of_change(one, &change).is_some_and(|s| s["endsAt"] != ends))
    });
    let _ = desk.types(&format!("rein silence expire {change} --yes")).exit(0);
    until_true("it is gone everywhere", secs(10), || {
        peers.0.iter().chain([&other]).all(|one| of_change(one, &change).is_none())
    });
}

#[test]
fn others_silences_are_listed_lifted_and_put_back() {
    let Some(Hushed { peers, other: _other, _server, desk }) = start("silences-foreign") else { return };
    let made =
        peers.0[2].amtool(&["silence", "add", "-a", "carol", "-c", "mine", "-d", "3h", "alertname=Old"]);
    let theirs = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    until_true("it is listed", secs(10), || desk.types("rein silence list").done().contains("carol"));
    let refused = desk.types(&format!("rein silence extend {theirs} --for 1h"));
    assert!(refused.exit != 0 && refused.err.contains("rein silence add"), "{}", refused.err);
    let _ = desk.types(&format!("rein silence expire {theirs} --yes")).exit(0);
    until_true("it is over on every peer", secs(10), || peers.0.iter().all(|one| live(one).is_empty()));
    let _ = desk.types("rein undo --yes").exit(0);
    until_true("it is back", secs(10), || {
        peers.0.iter().all(|one| live(one).iter().any(|s| s["comment"].to_string().contains("mine")))
    });
}

#[test]
fn a_hand_over_a_silence_is_a_conflict_that_a_person_settles() {
    let Some(Hushed { peers, other: _other, _server, desk }) = start("silences-conflict") else { return };
    let change = add(&desk, "alertname=HighLatency --backend alerts-sh --for 1h");
    let id = of_change(&peers.0[0], &change).unwrap()["id"].as_str().unwrap().to_owned();
    let ended = peers.0[1].amtool(&["silence", "expire", &id]);
    assert!(ended.status.success());
    until_true("it is said in red letters", secs(15), || {
        desk.types(&format!("rein change show {change}")).done().contains("conflict")
    });
    let _ = desk.types("rein status").exit(0).prints(&change);
    let _ = desk.types(&format!("rein change resolve {change} --reassert --yes")).exit(0);
    until("it is there again", secs(10), || of_change(&peers.0[2], &change));
    let id = of_change(&peers.0[0], &change).unwrap()["id"].as_str().unwrap().to_owned();
    let _ = peers.0[1].amtool(&["silence", "expire", &id]);
    until_true("again", secs(15), || {
        desk.types(&format!("rein change show {change}")).done().contains("conflict")
    });
    let _ = desk.types(&format!("rein change resolve {change} --adopt --yes")).exit(0);
    let _ = desk.types("rein change list --active -o name").exit(0).prints("");
}

/// As a server would write it that was stopped in the middle of a call, and goes on after the change is over.
#[test]
fn a_late_write_is_ended_soon_beside_what_is_in_force() {
    let Some(Hushed { peers, other: _other, _server, desk }) = start("silences-late") else { return };
    let kept = add(&desk, "alertname=Kept --backend alerts-sh --for 1h");
    let over = add(&desk, "alertname=Over --backend alerts-sh --for 1h");
    let late = of_change(&peers.0[0], &over).unwrap();
    let _ = desk.types(&format!("rein silence expire {over} --yes")).exit(0);
    until_true("nothing is held for it any more", secs(15), || {
        let shown = desk.types("rein backend show alerts-sh -o json").json();
        shown["cells"].as_array().is_some_and(|cells| cells.len() == 1)
    });
    let mut late = late;
    late.as_object_mut().unwrap().remove("id");
    peers.0[1].call("POST", "/silences", &late);
    assert!(of_change(&peers.0[1], &over).is_some(), "it is there");
    until_true("it is ended everywhere", secs(15), || {
        peers.0.iter().all(|one| of_change(one, &over).is_none())
    });
    assert!(of_change(&peers.0[0], &kept).is_some());
}

/// Gossip loses messages when it likes; of two that do not know each other one lacks everything.
#[test]
fn what_a_peer_lacks_is_written_again() {
    let (Some(speaks), Some(lacks)) = (Alertmanager::one(), Alertmanager::one()) else { return };
    let (_server, desk) = declared("silences-lacking");
    let backend = format!(
        "kind: backend\nname: alerts\nplugin: alertmanager\nconfig: {{peers: [{:?}, {:?}]}}\n",
        speaks.url(),
        lacks.url()
    );
    fs::write(desk.home().join("backend.yaml"), backend).unwrap();
    let _ = desk.types("rein apply -f backend.yaml").exit(0);
    let said = desk.types("rein silence add alertname=A --for 1h --no-wait --yes -o json").json();
    let change = said["change"]["id"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned();
    let first = until("one has it", secs(10), || of_change(&speaks, &change));
    let again = until("it is written again", secs(10), || {
        of_change(&speaks, &change).filter(|silence| silence["updatedAt"] != first["updatedAt"])
    });
    assert_eq!((&again["id"], &again["endsAt"]), (&first["id"], &first["endsAt"]));
    let _ = desk.types(&format!("rein change show {change}")).exit(0).prints(&lacks.url());
}

#[test]
fn bad_input_dies_where_it_is_typed() {
    let Some(Hushed { peers: _peers, other: _other, _server, desk }) = start("silences-bad") else { return };
    let before = desk.footprint();
    for (line, exit, says) in [
        ("rein silence add alertname= --for 1h --yes", 2, "alertname="),
        ("rein silence add 'a=~\"(\"' --for 1h --yes", 2, "^"),
        ("rein silence add --for 1h --yes", 2, "MATCHER"),
        ("rein silence add 'alertname=~\".+\"' --for 1h --yes", 6, "every alert"),
        ("rein silence add 'alertname=~\"Watch[d]og\"' --for 1h --yes", 6, "never"),
        ("rein silence add alertname=X --for 0s --yes", 2, "duration"),
        ("rein silence add alertname=X --backend nowhere --for 1h --yes", 1, "no backend"),
        ("rein silence expire 00000000-0000-0000-0000-000000000000 --yes", 1, "no silence"),
        ("rein change resolve abc --reassert --yes", 1, "no change"),
    ] {
        let said = desk.types(line);
        assert!(said.exit == exit && said.err.contains(says), "{line}: {} {}", said.exit, said.err);
    }
    for (document, says) in [
        ("plugin: alertmanager\nconfig: {peers: ['http://169.254.169.254']}", "169.254"),
        ("plugin: alertmanager\nconfig: {peers: []}", "/config/peers"),
        (
            "plugin: alertmanager\nconfig: {peers: ['http://127.0.0.1:1'], program: /bin/sh}",
            "/config/program",
        ),
        ("plugin: /bin/sh\nconfig: {}", "program"),
    ] {
        fs::write(desk.home().join("bad.yaml"), format!("kind: backend\nname: bad\n{document}\n")).unwrap();
        let said = desk.types("rein apply -f bad.yaml");
        assert!(said.exit == 2 && said.err.contains(says), "{document}: {} {}", said.exit, said.err);
    }
    assert_eq!(desk.footprint(), before, "nothing was changed");
}
