//! The demo company under a real Prometheus: quiet, and then with one slow service. What `rein diagnose` names,
//! what it puts first, and what `rein status` says of all that.

use crate::kit::desk::Desk;
use crate::kit::wait::{secs, until, until_true};
use crate::telemetry::start_over;
use serde_json::Value;
use std::fs;

/// Samples lie so close together here because nobody waits two hours for a test.
const LINE: &str = "rein diagnose order --over 240s --step 4s -o json";

const SWITCH: &str = "kind: switch\nname: recommendations/personal\nowner: team-recommendations\nlevel: 3\nlost: picks of one's own\n";
const SOURCE: &str = "kind: source\nname: ci\nowner: platform\nevery_seconds: 86400\n";

fn names(view: &Value, list: &str) -> Vec<String> {
    let all = view[list].as_array().into_iter().flatten();
    all.filter_map(|one| one["node"].as_str().map(ToOwned::to_owned)).collect()
}

#[test]
fn a_slow_service_is_named_and_what_was_changed_on_it_comes_first() {
    let Some((_server, desk, _company, _prometheus)) = start_over("diagnosis", 4) else { return };
    fs::write(desk.home().join("more.yaml"), format!("{SWITCH}---\n{SOURCE}")).unwrap();
    let _ = desk.types("rein apply -f more.yaml").exit(0).prints("source");
    let exported = desk.types("rein export -o name").done();
    assert!(exported.lines().any(|name| name == "ci"), "{exported}");
    let silent = desk.types("rein status").done();
    assert!(silent.contains("ci (never heard)") && !silent.contains("nothing was changed"), "{silent}");
    assert_eq!(desk.types("rein status --exit-code").exit, 10);
    // Without its own picks the service is quick; with them it is slow. So quiet comes first.
    let _ = desk.types("rein switch off recommendations/personal --for 2h --yes --no-wait").exit(0);
    in_quiet_nothing_stands_out(&desk);
    let _ = desk.types("rein undo --yes --no-wait").exit(0);
    let marked = desk.types("rein mark deploy recommendations v2.4 --by ci --note 'pipeline 7'").done();
    assert!(marked.contains("deploy v2.4 of recommendations by ci"), "{marked}");
    let view = until("it is named", secs(200), || {
        let said = desk.types(LINE);
        let view = (said.exit == 0).then(|| said.json())?;
        let changed = view["changes"].as_array()?.iter().any(|change| change["what"] == "deploy v2.4");
        (names(&view, "suspects").iter().any(|name| name == "recommendations") && changed).then_some(view)
    });
    assert_eq!(view["outcome"], "suspects");
    assert_eq!(names(&view, "changes")[0], "recommendations", "{view}");
    let whats: Vec<&str> =
        view["changes"].as_array().unwrap().iter().filter_map(|c| c["what"].as_str()).collect();
    assert!(whats.iter().any(|what| what.starts_with("recommendations/personal off ended")), "{whats:?}");
    let screen = desk.types(&LINE.replace(" -o json", ""));
    assert!(screen.exit == 0 && screen.out.contains("changes seen from: rein, ci"), "{}", screen.out);
    the_status_tells_it_too(&desk);
}

fn in_quiet_nothing_stands_out(desk: &Desk) {
    until_true("in quiet nothing stands out", secs(360), || {
        let said = desk.types(LINE);
        if said.exit != 0 {
            return false;
        }
        let view = said.json();
        let judged = matches!(view["why"].as_str(), Some("symptom_usual" | "evidence_thin"));
        judged && view["looked"]["history"].as_u64().is_some_and(|values| values >= 25)
    });
}

fn the_status_tells_it_too(desk: &Desk) {
    let status = desk.types("rein status").done();
    assert!(status.contains("ci deploy v2.4 of recommendations · \"pipeline 7\""), "{status}");
    assert!(
        status
            .trim_end()
            .lines()
            .last()
            .is_some_and(|last| last.starts_with("changes seen from: rein, ci (")),
        "{status}"
    );
    let list = desk.types("rein marker list recommendations").done();
    assert!(list.contains("deploy v2.4") && list.contains("pipeline 7"), "{list}");
    let json = desk.types("rein status -o json").json();
    let markers = json["happened"].as_array().unwrap().iter().filter(|one| one["source"] == "ci").count();
    assert_eq!(markers, 1, "{json}");
    assert!(json["services_total"].as_u64().is_some_and(|services| services > 0), "{json}");
}

#[test]
fn a_pipeline_records_its_changes_and_can_do_nothing_else() {
    let (server, desk) = crate::kit::server::declared("diagnosis-reporter");
    let made = desk.types("rein token create --actor robot --role reporter --pattern 'order/*' --for 1h");
    let file = desk.home().join("robot.token");
    fs::write(&file, made.done()).unwrap();
    let robot = Desk::new(&server, "robot", file);
    let said = robot.types("rein mark migration order --ago 5m --by dba").done();
    assert!(said.contains("migration of order by dba") && said.contains("robot's token"), "{said}");
    for line in [
        "rein mark deploy payment v1",
        "rein status",
        "rein marker list",
        "rein switch off order/coupons --for 1m --yes",
    ] {
        let refused = robot.types(line);
        assert_eq!(refused.exit, 6, "{line}: {} {}", refused.out, refused.err);
    }
    let bad = robot.types("rein mark Deploy order");
    assert_eq!(bad.exit, 2, "{}", bad.err);
    let none = desk.types("rein diagnose order");
    assert!(none.exit == 1 && none.err.contains("no backend that measures is declared"), "{}", none.err);
    let typo = desk.types("rein mark deploy ordr v1");
    assert!(typo.exit == 0 && typo.err.contains("no service ordr"), "{}", typo.err);
    let told = desk.types("rein status").done();
    assert!(told.contains("dba migration of order"), "{told}");
}
