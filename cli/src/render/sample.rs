//! Views as a server would give them, for tests: a company at ten past two in the night.

use crate::render::{Colour, Look};
use jiff::tz::TimeZone;
use rein_api::At;
use rein_api::backends::{BackendDocument, BackendView, CellView, PluginView, ReassertRequest};
use rein_api::changes::{ActView, ChangeView, EffectView, HolderView, LegPreview, LegView, PreviewView};
use rein_api::markers::{HappenedView, SourceView};
use rein_api::proof::{DoorView, ProofView};
use rein_api::silences::{AlertView, MatcherView, SilencePreview, SilenceView};
use rein_api::status::{OpenIncidentView, ServerView, StatusView};
use rein_api::switches::{LayerView, ScopeView, SwitchView};
use rein_domain::time::Timestamp;

/// A moment.
pub(crate) fn at(text: &str) -> At {
    At(Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond()))
}

/// A reader one hour east of Greenwich, at 03:10 there, without colours.
pub(crate) fn look() -> Look {
    Look {
        now: at("2026-11-23T02:10:00Z").0,
        zone: TimeZone::fixed(jiff::tz::offset(1)),
        width: Some(100),
        colour: Colour::Off,
    }
}

/// Proof by `received` of 12 expected.
pub(crate) fn proof(received: u32, connected: u32) -> ProofView {
    ProofView {
        sent: connected,
        received,
        held: 0,
        decided: received / 2,
        connected,
        expected: Some(12),
        absent: Some(12 - connected),
        waiting: (received..connected).map(|n| format!("order-{n}")).collect(),
        complete: received == 12,
    }
}

/// 20 % in sh.
pub(crate) fn scope() -> ScopeView {
    ScopeView { zones: vec!["sh".into()], instances: vec![], percent: 20 }
}

fn layer(change: &str, actor: &str, incident: &str, deadline: &str) -> LayerView {
    LayerView {
        change: change.into(),
        actor: actor.into(),
        setting: "off".into(),
        stance: "protects".into(),
        scope: ScopeView::default(),
        summary: "off".into(),
        deadline: at(deadline),
        incident: Some(incident.into()),
        reason: "db slow".into(),
        state: "in force".into(),
    }
}

/// Held off by two.
pub(crate) fn switch() -> SwitchView {
    let alice = LayerView {
        scope: scope(),
        summary: "20 % off in sh".into(),
        ..layer("k7q2m9x4tf", "alice", "INC-42", "2026-11-23T02:40:00Z")
    };
    SwitchView {
        name: "order/recommendations".into(),
        flag: "order.recommendations".into(),
        owner: "growth".into(),
        level: 4,
        lost: "no dishes are recommended".into(),
        default: "on".into(),
        protects: "off".into(),
        zones: vec!["bj".into(), "sh".into()],
        expects: Some(12),
        needs: vec![],
        excludes: vec!["payment/wallet".into()],
        setting: "off".into(),
        summary: "off".into(),
        revision: 41,
        layers: vec![alice, layer("9dn4c2b1aa", "bob", "INC-41", "2026-11-23T03:30:00Z")],
        proof: proof(8, 8),
    }
}

/// As nobody touched it.
pub(crate) fn calm() -> SwitchView {
    SwitchView {
        name: "payment/wallet".into(),
        flag: "payment.wallet".into(),
        owner: "payments".into(),
        level: 1,
        lost: "no payment from the wallet".into(),
        zones: vec![],
        expects: None,
        excludes: vec![],
        setting: "on".into(),
        summary: "on".into(),
        layers: vec![],
        proof: ProofView::default(),
        ..switch()
    }
}

/// One hour of it.
pub(crate) fn status() -> StatusView {
    let entry = HappenedView {
        at: at("2026-11-23T02:08:11Z"),
        source: "rein".into(),
        by: "alice".into(),
        what: "switch:off".into(),
        targets: vec!["order/recommendations".into()],
        incident: Some("INC-42".into()),
        reason: "db slow".into(),
    };
    StatusView {
        server: ServerView {
            version: "0.1.0".into(),
            uptime_seconds: 5400,
            ready: true,
            trouble: None,
            epoch: "e1".into(),
            revision: 41,
        },
        switches: vec![switch()],
        switches_total: 14,
        layers: vec![],
        layers_total: 0,
        backends: vec![],
        incidents: vec![OpenIncidentView { name: "INC-42".into(), changes: 1 }],
        happened: vec![entry],
        happened_total: 1,
        sources: vec![
            SourceView {
                name: "rein".into(),
                state: "heard".into(),
                last: None,
                every_seconds: None,
                plugin: None,
            },
            SourceView {
                name: "ci".into(),
                state: "heard".into(),
                last: Some(at("2026-11-23T02:00:00Z")),
                every_seconds: Some(3600),
                plugin: None,
            },
        ],
        alerts: vec![],
        alert_counts: Default::default(),
        unwell: vec![],
        unwell_total: 0,
        services_total: 0,
        preserved: None,
        unanswered: Default::default(),
        attention: vec!["layers".into()],
        doors: vec![door("flagd", "client", "last set", 24), door("ofrep", "rein", "code default", 1)],
    }
}

fn door(name: &str, keeps: &str, dies: &str, clients: u32) -> DoorView {
    DoorView {
        name: name.into(),
        address: "127.0.0.1:8015".into(),
        keeps_deadline: keeps.into(),
        when_rein_dies: dies.into(),
        best_proof: "received".into(),
        clients,
    }
}

/// Bob, who holds it longer.
pub(crate) fn bob() -> HolderView {
    HolderView {
        change: "9dn4c2b1aa".into(),
        actor: "bob".into(),
        incident: Some("INC-41".into()),
        summary: "off".into(),
        deadline: at("2026-11-23T03:30:00Z"),
        own: false,
    }
}

/// On → 20 % off.
pub(crate) fn effect() -> EffectView {
    EffectView {
        target: "order/recommendations".into(),
        before: "on".into(),
        after: "20 % off in sh".into(),
        visible: true,
        still_held: vec![],
    }
}

/// What alice sees first.
pub(crate) fn preview() -> PreviewView {
    PreviewView {
        legs: vec![LegPreview {
            effect: effect(),
            summary: "20 % off in sh".into(),
            owner: "growth".into(),
            level: 4,
            lost: "no dishes are recommended".into(),
            reach: proof(8, 8),
            supersedes: vec![],
            revision: 41,
        }],
        silences: vec![],
        instances: vec![],
        deadline: at("2026-11-23T02:40:00Z"),
        doors: status().doors,
    }
}

/// Alice's change.
pub(crate) fn change() -> ChangeView {
    ChangeView {
        id: "k7q2m9x4tf".into(),
        actor: "alice".into(),
        legs: vec![LegView {
            noun: "switch".into(),
            target: "order/recommendations".into(),
            setting: "off".into(),
            stance: "protects".into(),
            scope: scope(),
            summary: "20 % off in sh".into(),
            state: "in force".into(),
            proof: proof(7, 8),
            cell: None,
        }],
        reason: "db slow".into(),
        incident: Some("INC-42".into()),
        excepts: vec![],
        created: at("2026-11-23T02:08:11Z"),
        deadline: at("2026-11-23T02:40:00Z"),
        active: true,
        state: "in force".into(),
        ended: None,
        acts: vec![ActView {
            at: at("2026-11-23T02:08:11Z"),
            by: "alice".into(),
            did: "extended".into(),
            detail: "2026-11-23T02:30:00Z → 2026-11-23T02:40:00Z".into(),
            reason: "still bad".into(),
        }],
        revision: 41,
    }
}

/// An alert of the order service.
pub(crate) fn alert(instance: &str, zone: &str) -> AlertView {
    let labels = [("alertname", "HighLatency"), ("service", "order"), ("instance", instance), ("zone", zone)];
    AlertView {
        id: format!("f1{instance}"),
        backend: "alerts-sh".into(),
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        summary: String::new(),
        since: at("2026-11-23T01:55:00Z"),
        state: "active".into(),
        silenced_by: vec![],
        inhibited_by: vec![],
    }
}

/// What a silence would hush.
pub(crate) fn silence_preview() -> SilencePreview {
    SilencePreview {
        backend: "alerts-sh".into(),
        summary: r#"silence {alertname="HighLatency",service="order"}"#.into(),
        firing: 2,
        firing_in_all: 14,
        lately: Some(5),
        alerts: vec![alert("order-1", "sh"), alert("order-2", "bj")],
        already: vec![],
        missing_peers: vec![],
        fault: None,
        keeps_deadline: "backend".into(),
        when_rein_dies: "silences end by themselves".into(),
    }
}

/// What alice's silence is to hold.
pub(crate) const WANTED: &str = r#"{"matchers":[["alertname","=","HighLatency"],["service","=","order"]],"ends":"2026-11-23T04:10:00Z","author":"alice","comment":"db slow (INC-42)"}"#;

/// Alice's silence, which one peer of three does not show yet.
pub(crate) fn silenced() -> ChangeView {
    let cell = CellView {
        backend: "alerts-sh".into(),
        key: "3v9k2m7c1x".into(),
        change: "3v9k2m7c1x".into(),
        state: "held".into(),
        since: at("2026-11-23T02:09:00Z"),
        object: "8d1f5c1e-0000-4000-8000-000000000001".into(),
        prior: None,
        want: Some(WANTED.into()),
        found: Some(WANTED.into()),
        observed: Some(at("2026-11-23T02:09:57Z")),
        effect: "hushes 2 alerts".into(),
        missing_peers: vec!["http://am-2:9093".into()],
        reasserted: 0,
        next: "it is in force, but not seen yet on http://am-2:9093: looked at every 1 s, and written again a few times".into(),
    };
    let proof = ProofView {
        sent: 2,
        received: 2,
        held: 2,
        decided: 0,
        connected: 3,
        expected: Some(3),
        absent: None,
        waiting: vec!["http://am-2:9093".into()],
        complete: false,
    };
    ChangeView {
        id: "3v9k2m7c1x".into(),
        legs: vec![LegView {
            noun: "silence".into(),
            target: "alerts-sh".into(),
            setting: "silenced".into(),
            stance: "protects".into(),
            scope: ScopeView::default(),
            summary: r#"silence {alertname="HighLatency",service="order"}"#.into(),
            state: "pending".into(),
            proof,
            cell: Some(cell),
        }],
        deadline: at("2026-11-23T04:10:00Z"),
        state: "pending".into(),
        acts: vec![],
        ..change()
    }
}

/// Alice's silence after somebody shortened it by hand.
pub(crate) fn torn() -> ChangeView {
    let mut view = silenced();
    view.state = "conflict".into();
    let leg = &mut view.legs[0];
    leg.state = "conflict".into();
    if let Some(cell) = &mut leg.cell {
        cell.state = "conflict".into();
        cell.missing_peers.clear();
        cell.found = Some(WANTED.replace("04:10", "02:30").replace("alice", "bob"));
        cell.next =
            "nothing until a person decides: rein change resolve ID --reassert, --adopt or --restore".into();
    }
    view
}

/// Alice's silence as its backend shows it.
pub(crate) fn silence() -> SilenceView {
    let matcher =
        |name: &str, value: &str| MatcherView { name: name.into(), op: "=".into(), value: value.into() };
    SilenceView {
        id: "3v9k2m7c1x".into(),
        backend: "alerts-sh".into(),
        object: "8d1f5c1e-0000-4000-8000-000000000001".into(),
        change: Some("3v9k2m7c1x".into()),
        matchers: vec![matcher("alertname", "HighLatency"), matcher("service", "order")],
        summary: r#"{alertname="HighLatency",service="order"}"#.into(),
        starts: at("2026-11-23T02:09:00Z"),
        ends: at("2026-11-23T04:10:00Z"),
        author: "alice".into(),
        comment: "db slow (INC-42)".into(),
        state: "active".into(),
        hushes: Some(2),
        missing_peers: vec![],
    }
}

/// A silence that bob laid with a tool of his own.
pub(crate) fn foreign_silence() -> SilenceView {
    let mut matchers = silence().matchers;
    matchers[1] = MatcherView { name: "summary".into(), op: "=".into(), value: "it's slow".into() };
    SilenceView {
        id: "5cffcecd-3c84-46ae-9663-0fa48d8b0439".into(),
        object: "5cffcecd-3c84-46ae-9663-0fa48d8b0439".into(),
        change: None,
        matchers,
        summary: r#"{alertname="HighLatency",summary="it's slow"}"#.into(),
        author: "bob".into(),
        comment: "by hand".into(),
        ..silence()
    }
}

/// A backend that holds alice's silence.
pub(crate) fn backend() -> BackendView {
    BackendView {
        definition: BackendDocument {
            kind: "backend".into(),
            name: "alerts-sh".into(),
            plugin: "alertmanager".into(),
            owner: "team-sre".into(),
            config: [("peers".to_owned(), serde_json::json!(["http://am-1:9093", "http://am-2:9093"]))]
                .into_iter()
                .collect(),
            reassert: ReassertRequest::Never,
            never_silence: vec![r#"alertname="Watchdog""#.into()],
        },
        plugin: PluginView {
            name: "alertmanager".into(),
            version: "0.1.0".into(),
            kind: "bundled".into(),
            backend: "alerts-sh".into(),
            state: "running".into(),
            why: String::new(),
            pid: Some(4711),
            restarts: 0,
            uptime_seconds: Some(5400),
        },
        nouns: vec!["silence".into()],
        repeat: "marker".into(),
        keeps_deadline: "backend".into(),
        when_rein_dies: "silences end by themselves".into(),
        cannot: vec![],
        cells: silenced().legs.into_iter().filter_map(|leg| leg.cell).collect(),
        observed: Some(at("2026-11-23T02:09:57Z")),
        fault: None,
    }
}
