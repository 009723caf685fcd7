//! Views as a server would give them, for tests: a company at ten past two in the night.

use crate::render::{Colour, Look};
use jiff::tz::TimeZone;
use rein_api::At;
use rein_api::audit::AuditView;
use rein_api::changes::{ActView, ChangeView, EffectView, HolderView, LegPreview, LegView, PreviewView};
use rein_api::proof::{DoorView, ProofView};
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
    let entry = AuditView {
        lane: "r1".into(),
        seq: 7,
        at: at("2026-11-23T02:08:11Z"),
        actor: "alice".into(),
        verb: "switch:off".into(),
        targets: vec!["order/recommendations".into()],
        change: Some("k7q2m9x4tf".into()),
        incident: Some("INC-42".into()),
        reason: "db slow".into(),
        detail: "on → 20 % off in sh until 2026-11-23T02:40:00Z".into(),
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
        incidents: vec![OpenIncidentView { name: "INC-42".into(), changes: 1 }],
        recent: vec![entry],
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
        switch: "order/recommendations".into(),
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
            switch: "order/recommendations".into(),
            setting: "off".into(),
            stance: "protects".into(),
            scope: scope(),
            summary: "20 % off in sh".into(),
            state: "in force".into(),
            proof: proof(7, 8),
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
