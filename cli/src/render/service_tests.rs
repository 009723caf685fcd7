//! Whole screens about services: lists, one service, a drain before it is done.

use crate::commands::service::beside::Beside;
use crate::output::{Detail, Show};
use crate::render::sample::{at, look, proof};
use crate::render::services::{Service, Services, instance_preview};
use insta::assert_snapshot;
use rein_api::alerts::{JudgedAlerts, LineView};
use rein_api::changes::{EffectView, HolderView};
use rein_api::services::{
    ForeignRegistryView, InstancePreview, InstanceView, PreservedView, RegistryView, ServiceList, ServiceRow,
    ServiceView, SwitchBrief, VersionView, ZoneView,
};
use rein_api::silences::AlertView;
use rein_api::telemetry::{EdgeView, FiguresView};

fn row(name: &str, health: &str) -> ServiceRow {
    let zone = |zone: &str, up| ZoneView { zone: zone.into(), up, all: 2 };
    let version = |version: &str, instances| VersionView { version: version.into(), instances };
    ServiceRow {
        name: name.into(),
        owner: Some("team-order".into()),
        tier: Some(1),
        health: health.into(),
        up: 3,
        all: 4,
        drained: 1,
        zones: vec![zone("bj", 2), zone("sh", 1)],
        versions: vec![version("v2.3", 3), version("v2.4", 1)],
        registries: vec![],
        active_changes: 2,
        alarm: None,
    }
}

fn instance(id: &str, state: &str) -> InstanceView {
    InstanceView {
        id: id.into(),
        incarnation: "00000000000000ab".into(),
        zone: Some("sh".into()),
        version: Some("v2.3".into()),
        address: "10.0.0.7:8080".into(),
        weight: 100,
        effective: 100,
        changes: vec![],
        spared: vec![],
        state: state.into(),
        why: "check passes".into(),
        since: at("2026-11-23T02:00:00Z"),
        served: true,
        beat_age_ms: Some(1_234),
        check: Some("http /healthz every 5 s, 1 up, 3 down".into()),
        metadata: [("note".to_owned(), "\u{1b}[31mred\u{202e}".to_owned())].into(),
        registered: at("2026-11-23T01:00:00Z"),
        by: "order".into(),
        registry: None,
        stale_ms: None,
    }
}

#[test]
fn a_list_says_first_what_is_wrong_with_all_of_it() {
    let mut short = row("order", "degraded");
    short.alarm = Some("below its floor: 3 of 4 healthy instances with traffic, and its floor is 4".into());
    let mut plain = row("sms", "up");
    (plain.drained, plain.active_changes) = (0, 0);
    plain.versions.truncate(1);
    let registry = RegistryView {
        instances: 8,
        preserved: Some(PreservedView { since: at("2026-11-23T02:00:00Z"), silent: 5, of: 8 }),
        stale_ms: Some(12_000),
        foreign: vec![],
    };
    let list =
        Services { list: ServiceList { services: vec![short, plain], registry }, beside: Beside::default() };
    assert_snapshot!("list", list.table(&look(), Detail::Short));
    let nobody = Services {
        list: ServiceList { services: vec![], registry: RegistryView::default() },
        beside: Beside::default(),
    };
    assert_snapshot!("nobody", nobody.table(&look(), Detail::Short));
}

#[test]
fn a_service_shows_who_gets_what_and_why() {
    let drained = InstanceView { effective: 0, served: false, ..instance("i-1", "up") };
    let down = InstanceView {
        why: "check failed: Connection refused".into(),
        beat_age_ms: None,
        served: false,
        ..instance("i-2", "down")
    };
    let spared = InstanceView { spared: vec!["k7q2m9x4tf".into()], effective: 10, ..instance("i-3", "up") };
    let view = ServiceView {
        row: row("order", "degraded"),
        floor: "4 instances".into(),
        instances: vec![drained, down, spared],
        switches: vec![SwitchBrief { name: "order/coupons".into(), summary: "20 % off in sh".into() }],
        changes: vec![],
        proof: proof(2, 2),
        registry: RegistryView::default(),
        revision: 7,
    };
    let shown = Service { view: view.clone(), beside: Beside::default() };
    assert_snapshot!("service", shown.table(&look(), Detail::Short));
    let wide = shown.table(&look(), Detail::Wide);
    assert!(!wide.contains('\u{1b}') && !wide.contains('\u{202e}'), "{wide}");
    assert_eq!(shown.names(), ["order/i-1", "order/i-2", "order/i-3"]);
    // What the wire carries reads back whole.
    let sent = serde_json::to_string(&view).unwrap();
    assert_eq!(serde_json::from_str::<ServiceView>(&sent).unwrap(), view);
}

#[test]
fn a_drain_says_before_it_is_done_who_is_left() {
    let holder = HolderView {
        change: "3v9k2m7c1x".into(),
        actor: "bob".into(),
        incident: Some("INC-41".into()),
        summary: "weight 10".into(),
        deadline: at("2026-11-23T04:30:00Z"),
        own: false,
    };
    let preview = InstancePreview {
        effect: EffectView {
            target: "order/i-1".into(),
            before: "weight 10 of 100".into(),
            after: "drained".into(),
            visible: true,
            still_held: vec![holder],
        },
        summary: "drained".into(),
        left: vec!["bj 4 of 4 healthy".into(), "sh 3 of 4 healthy".into()],
        floor: "half of the healthy ones in each zone (none declared)".into(),
        reach: proof(0, 0),
        registries: vec![],
    };
    assert_snapshot!("drain", instance_preview(&look(), &preview));
}

#[test]
fn a_foreign_registry_that_does_not_answer_says_how_old_it_is() {
    let away = ForeignRegistryView {
        backend: "etcd-sh".into(),
        instances: 3,
        unread: 2,
        listed: Some(at("2026-11-23T02:00:00Z")),
        stale_ms: Some(12_000),
        fault: Some("http://etcd-0:2379: refused\u{1b}[2J".into()),
        missing_peers: vec!["zk-2".into()],
    };
    let never = ForeignRegistryView { backend: "zk".into(), stale_ms: Some(3_000), ..Default::default() };
    let registry = RegistryView { foreign: vec![away, never], ..RegistryView::default() };
    let here = instance("i-1", "up");
    let there = InstanceView {
        registry: Some("etcd-sh".into()),
        stale_ms: Some(12_000),
        effective: 0,
        ..instance("10.0.0.7:8080", "up")
    };
    let view = ServiceView {
        row: ServiceRow { registries: vec!["etcd-sh".into()], ..row("order", "up") },
        floor: "4 instances".into(),
        instances: vec![here, there],
        switches: vec![],
        changes: vec![],
        proof: proof(2, 2),
        registry,
        revision: 7,
    };
    let shown = Service { view, beside: Beside::default() };
    assert_snapshot!("foreign", shown.table(&look(), Detail::Short));
}

fn beside() -> Beside {
    let figures =
        FiguresView { rps: Some(31.84), success: Some(0.912), p99: Some(0.64), ..Default::default() };
    let edge = |caller: &str, callee: &str| EdgeView {
        caller: caller.into(),
        callee: callee.into(),
        figures,
        health: "degraded".into(),
        why: vec![],
        backend: "metrics".into(),
        source: "istio".into(),
    };
    let line = |place: &str, priority: &str| LineView {
        line: 1,
        place: place.into(),
        under: None,
        kind: "alert".into(),
        id: "a1".into(),
        name: "Latency\u{1b}[2J".into(),
        service: Some("order".into()),
        severity: None,
        tier: None,
        priority: priority.into(),
        own_priority: priority.into(),
        points: 60,
        since: at("2026-11-23T02:00:00Z"),
        breadth: None,
        alerts: vec![alert(), alert()],
        folds: 0,
        by: None,
        reasons: vec![],
    };
    let judged = JudgedAlerts {
        lines: vec![line("top", "P1"), line("silenced", "P2")],
        counts: Default::default(),
        calls: Default::default(),
        unreachable: Default::default(),
        unlisted: Default::default(),
        missing_peers: Default::default(),
        backends: vec![],
        rules_declared: false,
    };
    Beside {
        figures: [("order".to_owned(), figures)].into(),
        of_instances: [("i-1".to_owned(), figures)].into(),
        edges: vec![edge("order", "payment"), edge("gateway", "order")],
        alerts: Some(judged),
        unanswered: Default::default(),
    }
}

fn alert() -> AlertView {
    AlertView {
        id: "a1".into(),
        backend: "alerts".into(),
        labels: Default::default(),
        summary: String::new(),
        since: at("2026-11-23T02:00:00Z"),
        state: "active".into(),
        silenced_by: vec![],
        inhibited_by: vec![],
    }
}

/// What backends know stands beside what the registry knows; of what they do not know nothing is made up.
#[test]
fn figures_calls_and_alerts_stand_beside() {
    let registry = RegistryView::default();
    let list = ServiceList { services: vec![row("order", "up"), row("sms", "up")], registry };
    assert_snapshot!("list_measured", Services { list, beside: beside() }.table(&look(), Detail::Short));
    let view = ServiceView {
        row: row("order", "up"),
        floor: "4 instances".into(),
        instances: vec![instance("i-1", "up"), instance("i-2", "up")],
        switches: vec![],
        changes: vec![],
        proof: proof(2, 2),
        registry: RegistryView::default(),
        revision: 7,
    };
    let shown = Service { view, beside: beside() };
    assert_snapshot!("service_measured", shown.table(&look(), Detail::Short));
    let json = serde_json::to_value(&shown).unwrap();
    assert_eq!(json["name"], "order", "the registry's answer is whole, and the rest beside it");
    assert_eq!(json["figures"]["order"]["success"], 0.912);
}
