//! Whole screens about alerts: the list, with and without what is folded, and why one stands where it stands.

use crate::output::{Detail, Show};
use crate::render::sample::{at, look};
use crate::render::{Alerts, Colour, Depth, Look};
use insta::assert_snapshot;
use rein_api::alerts::{
    AlertExplained, BreadthView, CallsView, CountsView, JudgedAlerts, LineView, ReasonView,
};
use rein_api::silences::AlertView;

fn alert(id: &str, name: &str, service: &str) -> AlertView {
    let labels = [("alertname", name), ("service", service), ("severity", "critical")];
    AlertView {
        id: id.into(),
        backend: "alerts-sh".into(),
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        summary: "too many requests fail".into(),
        since: at("2026-11-23T02:04:00Z"),
        state: "active".into(),
        silenced_by: vec![],
        inhibited_by: vec![],
    }
}

fn line(number: u32, under: Option<u32>, name: &str, service: &str) -> LineView {
    let reason = |kind: &str, text: &str, points| ReasonView { kind: kind.into(), text: text.into(), points };
    let id = format!("6c1f{number}a0b9d{number}e7f35");
    LineView {
        line: number,
        place: if under.is_some() { "folded" } else { "top" }.into(),
        under,
        kind: "alert".into(),
        alerts: vec![alert(&id, name, service)],
        id,
        name: name.into(),
        service: Some(service.into()),
        severity: Some("critical".into()),
        tier: Some(1),
        priority: "P1".into(),
        own_priority: "P2".into(),
        points: 75,
        since: at("2026-11-23T02:04:00Z"),
        breadth: Some(BreadthView { on: 6, hushed: 1, of: Some(8) }),
        folds: 0,
        by: None,
        reasons: vec![
            reason("severity", "severity critical", Some(60)),
            reason("breadth", "fires on 6 of 8 instances, 1 of them hushed", Some(15)),
            reason("points", "75 points are P2", None),
            reason(
                "under_cause",
                "folded under Down on payment: order calls payment; it fired 40 s before",
                None,
            ),
        ],
    }
}

fn judged() -> JudgedAlerts {
    let mut change = LineView {
        kind: "change".into(),
        id: "k7q2m9x4tf".into(),
        by: Some("alice".into()),
        service: None,
        alerts: vec![],
        breadth: None,
        folds: 4,
        ..line(1, None, "payment/card off", "")
    };
    change.reasons.clear();
    let apart = |number, place: &str, name: &str| LineView {
        place: place.into(),
        priority: "P3".into(),
        breadth: None,
        ..line(number, None, name, "db")
    };
    let mut several = line(4, Some(2), "SlowPages", "gateway");
    several.alerts.push(alert("77", "SlowPages", "gateway"));
    several.breadth = None;
    several.priority = "P2".into();
    JudgedAlerts {
        lines: vec![
            change,
            line(2, Some(1), "Down", "payment"),
            line(3, Some(2), "HighErrorRate", "order"),
            several,
            line(5, Some(1), "Retries", "payment"),
            LineView { priority: "P4".into(), ..line(6, None, "Watchdog\u{1b}[31m\u{202e}", "x") },
            apart(7, "silenced", "DiskFull"),
            apart(8, "inhibited", "NodeDown"),
        ],
        counts: CountsView {
            alerts: 9,
            p1: 1,
            p4: 1,
            folded: 5,
            silenced: 1,
            inhibited: 1,
            ..CountsView::default()
        },
        calls: CallsView {
            known: "partly".into(),
            why: Some("metrics-bj: it does not answer".into()),
            unreachable: [("metrics-bj".to_owned(), "it does not answer".to_owned())].into(),
        },
        unlisted: [("alerts-sh".to_owned(), 120)].into(),
        missing_peers: [("alerts-sh".to_owned(), vec!["http://am-2:9093".to_owned()])].into(),
        backends: vec!["alerts-sh".into()],
        ..JudgedAlerts::default()
    }
}

fn alerts(depth: Depth) -> Alerts {
    Alerts { judged: judged(), depth, asked: false }
}

#[test]
fn a_list_shows_what_is_worth_waking_for_and_says_what_it_leaves_out() {
    assert_snapshot!("alerts_top", alerts(Depth::Top).table(&look(), Detail::Short));
    assert_snapshot!("alerts_whole", alerts(Depth::Whole).table(&look(), Detail::Short));
    let wide = Look { width: None, ..look() };
    assert_snapshot!("alerts_wide", alerts(Depth::Top).table(&wide, Detail::Wide));
    assert_eq!(alerts(Depth::Top).names().len(), 2);
    assert_eq!(alerts(Depth::Whole).names().len(), 8);
}

#[test]
fn a_narrow_screen_cuts_names_and_keeps_the_tree() {
    let narrow = Look { width: Some(60), ..look() };
    let text = alerts(Depth::Whole).table(&narrow, Detail::Short);
    assert!(text.contains("├─ ") && text.contains('…'), "{text}");
    let text = alerts(Depth::Whole).table(&Look { colour: Colour::On, ..look() }, Detail::Short);
    assert!(text.contains("\u{1b}[") && !text.contains("\u{1b}[31m\u{202e}"), "{text:?}");
}

#[test]
fn nothing_is_said_so_that_it_is_no_comfort_where_nobody_answered() {
    let mut none = Alerts { judged: JudgedAlerts::default(), depth: Depth::Top, asked: false };
    assert_eq!(none.table(&look(), Detail::Short), "no alert fires\n");
    none.judged.unreachable.insert("alerts-sh".into(), "refused".into());
    assert_eq!(none.table(&look(), Detail::Short), "no alert is known to fire\n");
    none.judged.counts = CountsView { alerts: 2, silenced: 2, ..CountsView::default() };
    assert!(none.table(&look(), Detail::Short).starts_with("no alert fires that people hear of\n"));
}

#[test]
fn an_explanation_adds_up() {
    let lines = judged().lines;
    let explained = AlertExplained {
        alert: lines[2].alerts[0].clone(),
        line: lines[2].clone(),
        above: vec![lines[1].clone(), lines[0].clone()],
        below: vec![lines[3].clone()],
        calls: judged().calls,
        unreachable: Default::default(),
    };
    assert_snapshot!("alert_explained", explained.table(&look(), Detail::Short));
    let sent = serde_json::to_string(&explained).unwrap();
    assert_eq!(serde_json::from_str::<AlertExplained>(&sent).unwrap(), explained);
}
