//! Alerts of a real Alertmanager, judged by the call graph that a real Prometheus knows.

use crate::kit::desk::Desk;
use crate::kit::server::{Server, declared};
use crate::kit::wait::{secs, until_true};
use rein_parts::{Alertmanager, Job, Page, Prometheus};
use serde_json::Value;
use std::fmt::Write;
use std::fs;

struct Night {
    alerts: Alertmanager,
    metrics: Prometheus,
    desk: Desk,
    _page: Page,
    _server: Server,
}

/// Calls between services, as traces tell of them.
fn calls(at: f64) -> String {
    let mut text = String::from("# TYPE traces_service_graph_request_total counter\n");
    for (caller, callee) in [("gateway", "order"), ("order", "payment"), ("order", "stock")] {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "traces_service_graph_request_total{{client=\"{caller}\",server=\"{callee}\"}} {}",
            at * 10.0
        );
    }
    text
}

fn start(test: &str) -> Option<Night> {
    let alerts = Alertmanager::one()?;
    let page = Page::of(calls);
    let metrics = Prometheus::scraping(&[Job::new("graph", [page.address()])])?;
    let (server, desk) = declared(test);
    let backends = format!(
        "kind: backend\nname: alerts-sh\nplugin: alertmanager\nconfig:\n  peers: [{:?}]\n---\nkind: backend\nname: metrics\nplugin: prometheus\nconfig:\n  peers: [{:?}]\n  window_seconds: 10\n",
        alerts.url(),
        metrics.url()
    );
    let tiers = "kind: service\nname: order\nowner: team-order\ntier: 1\n---\nkind: service\nname: payment\nowner: team-pay\ntier: 2\n";
    fs::write(desk.home().join("night.yaml"), format!("{backends}---\n{tiers}")).unwrap();
    let _ = desk.types("rein apply -f night.yaml").exit(0).prints("alerts-sh");
    Some(Night { alerts, metrics, desk, _page: page, _server: server })
}

impl Night {
    /// One failure, seen by three services, and what else fires in a night.
    fn falls(&self) {
        let fire = |since, name, service, severity, instance: &str| {
            let labels =
                [("alertname", name), ("service", service), ("severity", severity), ("instance", instance)];
            let labels: Vec<_> = labels.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            self.alerts.fire_since(since, &labels);
        };
        fire(120, "PaymentDown", "payment", "warning", "pay-1");
        fire(90, "HighErrorRate", "order", "critical", "order-1");
        fire(95, "HighErrorRate", "order", "critical", "order-2");
        fire(60, "SlowPages", "gateway", "warning", "");
        fire(600, "CertExpiresSoon", "sms", "info", "");
        fire(300, "DiskFull", "db", "critical", "db-1");
        self.alerts.fire_since(300, &[("alertname", "ClusterDown"), ("severity", "warning")]);
        self.alerts.fire_since(
            200,
            &[("alertname", "NodeDown"), ("severity", "critical"), ("service", "batch"), ("yields", "yes")],
        );
        let _ = self.desk.types("rein silence add alertname=DiskFull --for 1h --yes").exit(0);
    }

    fn judged(&self) -> Value {
        self.desk.types("rein alert list -v -o json").json()
    }

    /// The line of that name.
    fn line(&self, name: &str) -> Value {
        let judged = self.judged();
        let lines = judged["lines"].as_array().unwrap().clone();
        lines.into_iter().find(|line| line["name"] == name).unwrap_or_else(|| panic!("{name}: {judged}"))
    }

    /// Waits until the graph is known and all alerts have come.
    fn settles(&self) {
        until_true("all of it is known", secs(60), || {
            let said = self.desk.types("rein alert list -v -o json");
            let judged: Value = serde_json::from_str(&said.out).unwrap_or_default();
            let counts = &judged["counts"];
            said.exit == 0
                && judged["calls"]["known"] == "known"
                && (counts["alerts"] == 8 && counts["silenced"] == 1 && counts["inhibited"] == 1)
                && counts["folded"] == 3
        });
    }
}

#[test]
fn one_failure_is_one_line_and_nothing_is_lost() {
    let Some(night) = start("alerts-night") else { return };
    night.falls();
    night.settles();
    let desk = &night.desk;
    let said = desk.types("rein alert list").exit(0);
    let lines: Vec<&str> = said.out.lines().collect();
    // The cause stands where people look first, with the urgency of its symptoms.
    assert!(lines[1].starts_with("P1") && lines[1].contains("PaymentDown"), "{}", said.out);
    assert!(!said.out.contains("HighErrorRate") && !said.out.contains("DiskFull"), "{}", said.out);
    assert!(
        said.out.contains("of 8 alerts 3 folded, 1 silenced, 1 inhibited: rein alert list -v"),
        "{}",
        said.out
    );
    // The first screen has the same lines, and counts the rest.
    let status = desk.types("rein status").exit(0).out;
    assert!(status.contains("PaymentDown on payment") && status.contains("folds 3"), "{status}");
    assert!(status.contains("1 silenced") && status.contains("rein alert list -v"), "{status}");
    let _ = desk.types("rein status --exit-code").exit(10);
    let whole = desk.types("rein alert list -v").exit(0).out;
    for text in ["└─ HighErrorRate", "   └─ SlowPages", "silenced\n", "inhibited\n", "DiskFull", "NodeDown"]
    {
        assert!(whole.contains(text), "no {text:?} in\n{whole}");
    }
    let line = night.line("PaymentDown");
    assert_eq!(
        (&line["priority"], &line["own_priority"], &line["folds"]),
        (&"P1".into(), &"P4".into(), &3.into()),
        "{line}"
    );
    assert_eq!(night.line("HighErrorRate")["alerts"].as_array().map(Vec::len), Some(2));
    silences_are_named(&night);
    an_alert_is_explained(&night);
    lists_are_narrowed(desk);
}

/// A silence of Rein's is named as people know it.
fn silences_are_named(night: &Night) {
    let silences = night.desk.types("rein silence list -o name").done();
    let change = silences.trim();
    until_true("the silence is named by its change", secs(20), || {
        let disk = night.line("DiskFull");
        let reasons = disk["reasons"].as_array().unwrap();
        reasons.iter().any(|reason| reason["text"] == format!("silenced by {change}"))
    });
    let held = night.line("NodeDown");
    let cluster = night.line("ClusterDown")["id"].as_str().unwrap().to_owned();
    assert_eq!(held["alerts"][0]["inhibited_by"][0], cluster.as_str(), "{held}");
    assert_eq!(held["place"], "inhibited");
}

fn an_alert_is_explained(night: &Night) {
    let id = night.line("HighErrorRate")["id"].as_str().unwrap().to_owned();
    let said = night.desk.types(&format!("rein alert explain {}", &id[..8])).exit(0);
    for text in [
        "P1  HighErrorRate on order",
        "+60 severity critical",
        "+20 tier 1",
        "order calls payment; it fired 25 s before",
        "folded under PaymentDown on payment, 1 alert folded under it",
        "SlowPages on gateway",
    ] {
        assert!(said.out.contains(text), "no {text:?} in\n{}", said.out);
    }
    let _ = night.desk.types("rein alert explain zzzz").exit(1).says("rein alert list -v");
}

fn lists_are_narrowed(desk: &Desk) {
    let said = desk.types("rein alert list -v --service gateway").exit(0).out;
    assert!(said.contains("PaymentDown") && said.contains("SlowPages"), "{said}");
    assert!(!said.contains("ClusterDown"), "{said}");
    let urgent = desk.types("rein alert list --priority p1").exit(0).out;
    assert!(urgent.contains("PaymentDown") && !urgent.contains("CertExpiresSoon"), "{urgent}");
    let names = desk.types("rein alert list -o name").done();
    assert_eq!(names.lines().count(), 3, "{names}");
    let _ = desk.types("rein alert list --priority P5").exit(2).says("P1, P2, P3 or P4");
}

#[test]
fn who_does_not_answer_is_said_and_costs_only_what_it_knows() {
    let Some(mut night) = start("alerts-gone") else { return };
    night.falls();
    night.settles();
    night.metrics.stop();
    until_true("nothing is folded any more", secs(30), || {
        let said = night.desk.types("rein alert list");
        said.exit == 4
            && said.err.contains("metrics:")
            && said.out.contains("HighErrorRate")
            && said.out.contains("nothing is folded by calls: no call graph")
    });
    let id = night.desk.types("rein alert list -o json");
    let judged: Value = serde_json::from_str(&id.out).unwrap();
    let order =
        judged["lines"].as_array().unwrap().iter().find(|line| line["service"] == "order").unwrap().clone();
    let explained = night.desk.types(&format!("rein alert explain {}", order["id"].as_str().unwrap()));
    assert!(explained.exit == 4 && explained.out.contains("no call graph: metrics:"), "{}", explained.out);
    night.alerts.stop();
    until_true("no alert is known", secs(30), || {
        let said = night.desk.types("rein alert list");
        said.exit == 4 && said.err.contains("alerts-sh:") && said.out.contains("no alert is known to fire")
    });
    let _ = night.desk.types("rein alert explain abc").exit(4).says("alerts-sh does not answer");
}

#[test]
fn what_began_with_a_change_stands_under_it_and_rules_are_declared() {
    let Some(night) = start("alerts-change") else { return };
    let desk = &night.desk;
    let change = desk.lays("off order/coupons --for 1h");
    let id = change["id"].as_str().unwrap().to_owned();
    let labels = [("alertname", "CheckoutErrors"), ("service", "order"), ("severity", "critical")];
    night.alerts.fire(&labels);
    until_true("it is folded under the change", secs(30), || {
        let said = desk.types("rein alert list");
        said.out.contains("change: order/coupons off by admin") && !said.out.contains("CheckoutErrors")
    });
    assert_eq!(night.line("order/coupons off")["id"], id.as_str());
    let _ = desk.types("rein alert list -v").prints("└─ CheckoutErrors");
    let before = night.line("CheckoutErrors");
    assert_eq!(before["priority"], "P1", "{before}");
    let rules = "kind: alert-rules\nname: default\nowner: sre\nseverity:\n  weights: {critical: 10}\nchange: {after_seconds: 0, before_seconds: 0}\n";
    fs::write(desk.home().join("rules.yaml"), rules).unwrap();
    let _ = desk.types("rein diff -f rules.yaml").exit(0).prints("+ alert-rules default");
    let _ = desk.types("rein apply -f rules.yaml --dry-run").exit(0).prints("created");
    assert_eq!(night.line("CheckoutErrors")["priority"], "P1");
    let _ = desk.types("rein apply -f rules.yaml").exit(0).prints("created");
    let after = night.line("CheckoutErrors");
    assert_eq!((&after["priority"], &after["place"]), (&"P4".into(), &"top".into()), "{after}");
    let _ = desk.types("rein diff -f rules.yaml").exit(0).says("no differences");
    let exported = desk.types("rein export").done();
    assert!(exported.contains("kind: alert-rules") && exported.contains("slack_seconds: 60"), "{exported}");
    fs::write(desk.home().join("again.yaml"), exported).unwrap();
    let _ = desk.types("rein diff -f again.yaml").exit(0).says("no differences");
    fs::write(desk.home().join("rules.yaml"), rules.replace("critical: 10", "critical: 12")).unwrap();
    let _ = desk.types("rein diff -f rules.yaml").exit(0).prints("severity.weights.critical: 10 → 12");
    for (bad, says) in [
        ("kind: alert-rules\nname: mine\n", "there is one set of alert-rules"),
        ("kind: alert-rules\nname: default\npriority: {p1: 10}\n", "each must be less than the one before"),
        ("kind: alert-rules\nname: default\nfold: {deep: 1}\n", "unknown field `deep`"),
    ] {
        fs::write(desk.home().join("bad.yaml"), bad).unwrap();
        let _ = desk.types("rein apply -f bad.yaml").exit(2).says(says);
    }
    let _ = desk.types("rein audit list").exit(0).prints("alert-rules:declare");
}

#[test]
fn without_a_backend_that_hushes_alerts_it_says_so() {
    let (_server, desk) = declared("alerts-none");
    let _ = desk.types("rein alert list").exit(1).says("no backend that hushes alerts is declared");
    let _ = desk.types("rein alert explain abc").exit(1).says("no alert that fires");
}
