//! The call graph as people see it.

use super::*;
use crate::render::Colour;
use crate::render::sample::look;
use rein_api::telemetry::FiguresView;
use std::collections::BTreeMap;

fn figures(rps: f64, success: f64, p99: f64) -> FiguresView {
    FiguresView { rps: Some(rps), success: Some(success), p99: Some(p99), ..FiguresView::default() }
}

fn edge(caller: &str, callee: &str, figures: FiguresView, health: &str, why: &[&str]) -> EdgeView {
    EdgeView {
        caller: caller.into(),
        callee: callee.into(),
        figures,
        health: health.into(),
        why: why.iter().map(|why| (*why).to_owned()).collect(),
        backend: "metrics".into(),
        source: "otel-http".into(),
    }
}

fn service(name: &str, figures: FiguresView, health: &str) -> MeasuredView {
    MeasuredView {
        service: name.into(),
        instance: None,
        zone: None,
        figures,
        health: health.into(),
        why: vec![],
        backend: "metrics".into(),
        source: "otel-http".into(),
    }
}

fn graph(services: Vec<MeasuredView>, edges: Vec<EdgeView>) -> CallGraph {
    let reading = ReadingView {
        backend: "metrics".into(),
        at: look().now.into(),
        age_seconds: 7,
        window_seconds: 60,
        missing_peers: vec!["http://b:9090".into()],
    };
    CallGraph::new(
        MeasuredList { measured: services, readings: vec![reading.clone()], unreachable: BTreeMap::new() },
        EdgeList { edges, readings: vec![reading], unreachable: BTreeMap::new() },
    )
}

fn company() -> CallGraph {
    let good = || figures(5.0, 1.0, 0.03);
    graph(
        vec![
            service("gateway", figures(98.2, 0.9981, 0.24), "good"),
            service("batch", FiguresView::default(), "no data"),
        ],
        vec![
            edge("delivery", "sms", good(), "good", &[]),
            edge("gateway", "delivery", good(), "good", &[]),
            edge("gateway", "order", figures(72.0, 0.981, 1.2), "degraded", &["1.9 % fail"]),
            edge("order", "delivery", good(), "good", &[]),
            edge("order", "recommendations", figures(55.0, 0.5, 12.3), "failing", &["50 % fail"]),
            edge(
                "order",
                "restaurant",
                FiguresView { rps: Some(0.0), ..FiguresView::default() },
                "idle",
                &[],
            ),
        ],
    )
}

fn plain(width: Option<u16>) -> Look {
    Look { width, ..look().plain() }
}

#[test]
fn a_tree_says_who_calls_whom_and_how_that_goes() {
    assert_eq!(
        company().table(&plain(None), Detail::Short),
        "\
CALLS                         REQ/S       OK      P99  HEALTH
batch                       no data  no data  no data  no data
gateway                        98.2   99.8 %   240 ms  good
├─ delivery                     5.0    100 %    30 ms  good
│  └─ sms                       5.0    100 %    30 ms  good
└─ order                       72.0   98.1 %    1.2 s  degraded: 1.9 % fail
   ├─ delivery (see above)      5.0    100 %    30 ms  good
   ├─ recommendations          55.0     50 %     12 s  failing: 50 % fail
   └─ restaurant                  0  no data  no data  idle
over 60 s by metrics, 7 s old · no answer from http://b:9090
"
    );
}

#[test]
fn of_one_service_its_callers_come_first() {
    assert_eq!(
        company()
            .around("order")
            .unwrap()
            .table(&plain(None), Detail::Short)
            .lines()
            .take(4)
            .collect::<Vec<_>>(),
        [
            "CALLS                 REQ/S       OK      P99  HEALTH",
            "gateway → order        72.0   98.1 %    1.2 s  degraded: 1.9 % fail",
            "order               no data  no data  no data  no data",
            "├─ delivery             5.0    100 %    30 ms  good",
        ]
    );
    assert!(company().around("nobody").is_none());
}

#[test]
fn a_narrow_screen_is_respected_and_colours_mean_health() {
    for width in [56, 60, 80, 200] {
        for detail in [Detail::Short, Detail::Wide] {
            let text = company().table(&plain(Some(width)), detail);
            let least = if detail == Detail::Wide { 88 } else { 56 };
            let longest =
                text.lines().filter(|line| !line.starts_with("over")).map(|l| l.chars().count()).max();
            assert!(longest <= Some(usize::from(width.max(least))), "{width}: {text}");
        }
    }
    let coloured = company().table(&Look { colour: Colour::On, ..plain(None) }, Detail::Short);
    assert!(coloured.contains("\u{1b}[31mfailing: 50 % fail"), "{coloured}");
    assert!(coloured.contains("\u{1b}[33mdegraded"), "{coloured}");
}

#[test]
fn circles_end_and_nothing_is_said_when_nothing_is_known() {
    let one = figures(1.0, 1.0, 0.1);
    let circle = graph(
        vec![],
        vec![
            edge("a", "b", one, "good", &[]),
            edge("b", "a", one, "good", &[]),
            edge("b", "b", one, "good", &[]),
        ],
    );
    let text = circle.table(&plain(None), Detail::Short);
    assert!(text.contains("└─ b\u{20}") || text.contains("└─ b"), "{text}");
    assert_eq!(text.matches("(a circle)").count(), 2, "{text}");
    assert!(circle.picture().unwrap().contains("</svg>"));
    let none = graph(vec![], vec![]);
    assert!(none.table(&plain(None), Detail::Short).starts_with("no data: no service and no call"));
    assert!(none.picture().unwrap().contains("no data"));
}

#[test]
fn hostile_names_do_nothing_on_a_screen_or_in_a_picture() {
    let name = "\u{1b}[31m</text><script>alert(1)</script>\u{202e}\"'&\u{ffff}";
    let one = figures(1.0, 0.2, 0.1);
    let graph = graph(vec![service(name, one, "failing")], vec![edge(name, "b", one, "failing", &[name])]);
    let text = graph.table(&plain(None), Detail::Wide);
    assert!(!text.chars().any(|c| c != '\n' && rein_domain::text::is_unsafe(c)), "{text:?}");
    let svg = graph.picture().unwrap();
    assert!(!svg.chars().any(|c| c != '\n' && rein_domain::text::is_unsafe(c)), "{svg:?}");
    assert!(!svg.contains("<script") && !svg.contains('\u{ffff}') && svg.contains("&lt;script&gt;"), "{svg}");
    assert_eq!(svg.matches('<').count(), svg.matches('>').count(), "{svg}");
}
