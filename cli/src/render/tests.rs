//! Whole screens.

use crate::output::{Detail, Show};
use crate::render::sample::{at, bob, calm, change, effect, look, preview as sample_preview, status, switch};
use crate::render::{Colour, Look, Whose, closing, effects, holders, preview};
use crate::state::Origin;
use insta::assert_snapshot;
use rein_api::changes::{ChangeList, ChangeRequest, ChangedView, EffectView, UndoView};
use rein_api::incidents::{ClosedIncidentView, IncidentView};
use rein_api::markers::{HappenedView, SourceView};
use rein_api::proof::ProofView;
use rein_api::status::{StatusView, UnwellView};
use rein_api::switches::SwitchList;
use rein_api::telemetry::FiguresView;

pub(super) fn request() -> ChangeRequest {
    ChangeRequest {
        legs: vec![],
        lasts_seconds: Some(1800),
        reason: "db slow".into(),
        incident: Some("INC-42".into()),
        supersede: vec![],
        guards: Default::default(),
        seen: Default::default(),
    }
}

#[test]
fn status_with_two_layers() {
    assert_snapshot!(status().table(&look(), Detail::Short), @r#"
    1 switch of 14 degraded
      order/recommendations  OFF 100% (base on) · INC-42 alice 20%@sh →03:40 · INC-41 bob →04:30, then on ·
          received 8/12
    open incidents: INC-42 (1 change)
    past hour
      03:08  alice switch:off order/recommendations · INC-42 · "db slow"
    doors: flagd 24 clients · ofrep 1 client
    changes seen from: rein, ci (10 min ago)
    "#);
}

#[test]
fn status_when_all_is_well_and_when_nothing_is() {
    let mut quiet = status();
    quiet.switches.clear();
    quiet.incidents.clear();
    quiet.happened.clear();
    quiet.happened_total = 0;
    assert_snapshot!(quiet.table(&look(), Detail::Wide), @r"
    all normal · 14 switches
    nothing was changed in the past hour
    doors: flagd 24 clients · ofrep 1 client
    server: 0.1.0 · up 1 h 30 min · epoch e1 · revision 41
    changes seen from: rein, ci (10 min ago)
    ");
    quiet.server.ready = false;
    quiet.server.trouble = Some("the clock was set back at 2026-11-23T02:09:00Z; nothing expires".into());
    quiet.switches_total = 0;
    assert_snapshot!(quiet.table(&look(), Detail::Short), @r"
    SERVER TROUBLE: the clock was set back at 03:09; nothing expires
    no switch is declared
    nothing was changed in the past hour
    doors: flagd 24 clients · ofrep 1 client
    changes seen from: rein, ci (10 min ago)
    ");
}

fn unwell(name: &str) -> UnwellView {
    UnwellView {
        name: name.into(),
        health: "failing".into(),
        why: vec!["12 % fail".into(), name.into()],
        up: Some(3),
        all: Some(3),
        figures: Some(FiguresView { rps: Some(41.84), ..FiguresView::default() }),
    }
}

#[test]
fn status_in_an_outage_at_eighty_columns() {
    let mut view = status();
    view.unwell = vec![
        UnwellView {
            health: "down".into(),
            why: vec!["0 of 3 instances up".into(), "40 % fail".into()],
            ..unwell("payment")
        },
        UnwellView { why: vec!["12 % fail".into()], ..unwell("order") },
        UnwellView {
            health: "degraded".into(),
            why: vec!["3 of 4 instances up".into()],
            figures: None,
            ..unwell("recommendations")
        },
    ];
    (view.unwell_total, view.services_total) = (3, 8);
    let happened = |at_: &str, source: &str, what: &str, target: &str| HappenedView {
        at: at(at_),
        source: source.into(),
        by: "robot".into(),
        what: what.into(),
        targets: vec![target.into()],
        incident: None,
        reason: String::new(),
    };
    view.happened.push(happened("2026-11-23T02:05:00Z", "ci", "deploy v2.4", "payment"));
    view.happened.push(happened("2026-11-23T02:01:00Z", "registry", "v2.3 → v2.4 on 2 of 3", "payment"));
    view.happened_total = 5;
    view.unanswered.insert("metrics-bj".into(), "it did not answer within 1.8 s".into());
    view.sources.push(SourceView {
        name: "argo".into(),
        state: "silent".into(),
        last: Some(at("2026-11-22T20:10:00Z")),
        every_seconds: Some(3600),
        plugin: None,
    });
    view.sources.push(SourceView {
        name: "dba".into(),
        state: "never".into(),
        last: None,
        every_seconds: None,
        plugin: None,
    });
    assert_snapshot!(view.table(&Look { width: Some(80), ..look() }, Detail::Short), @r#"
    BACKEND DOES NOT ANSWER: metrics-bj · what it knows is missing here ·
      it did not answer within 1.8 s
    3 services of 8 are unwell
      payment          down      0 of 3 instances up · 40 % fail · 41.8 req/s
      order            failing   12 % fail · 41.8 req/s
      recommendations  degraded  3 of 4 instances up
      where it comes from: rein diagnose payment
    1 switch of 14 degraded
      order/recommendations  OFF 100% (base on) · INC-42 alice 20%@sh →03:40 ·
          INC-41 bob →04:30, then on · received 8/12
    open incidents: INC-42 (1 change)
    past hour
      03:08  alice switch:off order/recommendations · INC-42 · "db slow"
      03:05  ci deploy v2.4 of payment
      03:01  registry v2.3 → v2.4 on 2 of 3 of payment
      and 2 more: rein audit list --since 1h, rein marker list --since 1h
    doors: flagd 24 clients · ofrep 1 client
    changes seen from: rein, ci (10 min ago);
      not connected: argo (silent for 6 h, expected every 1 h), dba (never heard)
    "#);
    let text = view.table(&Look { colour: Colour::On, width: Some(80), ..look() }, Detail::Short);
    assert!(text.contains("\u{1b}[31m3 services of 8 are unwell"), "{text:?}");
    assert!(text.contains("\u{1b}[33mdegraded"), "{text:?}");
}

#[test]
fn that_nothing_was_changed_is_only_said_if_all_were_heard() {
    let mut quiet = status();
    quiet.happened.clear();
    let says = |view: &StatusView| view.table(&look(), Detail::Short).contains("nothing was changed");
    assert!(says(&quiet));
    quiet.sources[1].state = "silent".into();
    assert!(!says(&quiet));
    quiet.sources.truncate(1);
    assert!(!says(&quiet));
}

#[test]
fn status_on_a_narrow_screen() {
    let narrow = Look { width: Some(60), ..look() };
    assert_snapshot!(status().table(&narrow, Detail::Short), @r#"
    1 switch of 14 degraded
      order/recommendations  OFF 100% (base on) ·
          INC-42 alice 20%@sh →03:40 ·
          INC-41 bob →04:30, then on · received 8/12
    open incidents: INC-42 (1 change)
    past hour
      03:08  alice switch:off order/recommendations · INC-42 ·
             "db slow"
    doors: flagd 24 clients · ofrep 1 client
    changes seen from: rein, ci (10 min ago)
    "#);
}

#[test]
fn the_list_of_switches() {
    let list = SwitchList { switches: vec![switch(), calm()] };
    assert_snapshot!(list.table(&look(), Detail::Short), @r"
    SWITCH                 STATE  UNTIL  LEVEL  OWNER     PROOF
    order/recommendations  off    04:30  4      growth    received 8 of 12
    payment/wallet         on     -      1      payments  nobody connected
    ");
    let wide = Look { width: None, ..look() };
    assert_snapshot!(list.table(&wide, Detail::Wide), @r"
    SWITCH                 STATE  UNTIL  LEVEL  OWNER     PROOF             BASE  LAYERS  INCIDENTS       LOST
    order/recommendations  off    04:30  4      growth    received 8 of 12  on    2       INC-41, INC-42  no dishes are recommended
    payment/wallet         on     -      1      payments  nobody connected  on    0       -               no payment from the wallet
    ");
    assert_snapshot!(SwitchList { switches: vec![] }.table(&look(), Detail::Short), @"no switch is declared yet; declare some with: rein apply -f DIR");
}

#[test]
fn one_switch() {
    assert_snapshot!(switch().table(&look(), Detail::Short), @r"
    order/recommendations  off
      lost      no dishes are recommended
      owner     growth · level 4
      base      on, and off protects
      flag      order.recommendations
      zones     bj, sh
      excludes  payment/wallet
      proof     received 8 of 12 · decided 4 · 4 not connected

    LAYER       WHAT            BY     INCIDENT  UNTIL                  STATE     REASON
    k7q2m9x4tf  20 % off in sh  alice  INC-42    03:40 (in 30 min)      in force  db slow
    9dn4c2b1aa  off             bob    INC-41    04:30 (in 1 h 20 min)  in force  db slow
    ");
    assert_snapshot!(calm().table(&look(), Detail::Short), @r"
    payment/wallet  on
      lost      no payment from the wallet
      owner     payments · level 1
      base      on, and off protects
      flag      payment.wallet
      proof     nobody connected
    no layers: the base is in force
    ");
}

#[test]
fn a_preview() {
    let used = Whose { incident: Some(Origin::Used) };
    assert_snapshot!(preview(&look(), &sample_preview(), &request(), used), @r#"
    order/recommendations  on → 20 % off in sh
      lost   no dishes are recommended
      owner  growth · level 4
      heard  8 of 12 expected are connected
    until 03:40 (in 30 min) · incident INC-42 (in use; `rein incident use --clear` ends that) · reason "db slow"
    door flagd  24 clients · deadline kept by client · when Rein dies: last set
    door ofrep  1 client · deadline kept by rein · when Rein dies: code default
    "#);
}

#[test]
fn a_preview_that_supersedes_without_a_duration_or_an_audience() {
    let mut view = sample_preview();
    view.legs[0].supersedes = vec![bob()];
    view.legs[0].reach = ProofView::default();
    view.legs[0].effect = EffectView { before: "off".into(), after: "on".into(), ..effect() };
    let request = ChangeRequest { lasts_seconds: None, reason: String::new(), incident: None, ..request() };
    assert_snapshot!(preview(&look(), &view, &request, Whose { incident: None }), @r"
    order/recommendations  off → on
      does   20 % off in sh
      lost   no dishes are recommended
      owner  growth · level 4
      heard  nobody is connected
      lays an exception over these; those still running then bite again when it ends
        9dn4c2b1aa  off by bob for INC-41 until 04:30 (in 1 h 20 min)
    until 03:40 (in 30 min, the server's default; --for sets it)
    door flagd  24 clients · deadline kept by client · when Rein dies: last set
    door ofrep  1 client · deadline kept by rein · when Rein dies: code default
    ");
}

#[test]
fn what_was_recorded() {
    let view = ChangedView { change: change(), effects: vec![effect()] };
    assert_snapshot!(view.table(&look(), Detail::Short), @r"
    order/recommendations  on → 20 % off in sh
      received 7 of 12 · decided 3 · 4 not connected · waiting for order-7
    holds until 03:40 (in 30 min) · change k7q2m9x4tf · take it back: rein undo
    ");
}

#[test]
fn one_change_and_many() {
    assert_snapshot!(change().table(&look(), Detail::Short), @r#"
    k7q2m9x4tf  in force
      by        alice, at 03:08
      incident  INC-42
      reason    db slow
      until     03:40 (in 30 min)
    order/recommendations  20 % off in sh · in force
      proof     received 7 of 12 · decided 3 · 4 not connected · waiting for order-7
    03:08  alice extended: 03:30 → 03:40, "still bad"
    "#);
    assert_snapshot!(ChangeList { changes: vec![change()] }.table(&look(), Detail::Short), @r"
    CHANGE      WHAT                                  BY     INCIDENT  SINCE  UNTIL  STATE
    k7q2m9x4tf  order/recommendations 20 % off in sh  alice  INC-42    03:08  03:40  in force
    ");
}

#[test]
fn an_undo_without_visible_effect_names_who_holds() {
    let hidden = EffectView {
        before: "off".into(),
        after: "off".into(),
        visible: false,
        still_held: vec![bob()],
        ..effect()
    };
    let view = UndoView {
        what: "end k7q2m9x4tf (order/recommendations off until 2026-11-23T02:40:00Z)".into(),
        of: "k7q2m9x4tf".into(),
        change: change(),
        effects: vec![
            hidden,
            EffectView { target: "a/b".into(), before: "off".into(), after: "on".into(), ..effect() },
        ],
    };
    assert_snapshot!(view.table(&look(), Detail::Short), @r"
    end k7q2m9x4tf (order/recommendations off until 03:40)
    order/recommendations  no visible effect: INC-41 (bob) holds off until 04:30
    a/b                    off → on
    ");
}

#[test]
fn closing_an_incident() {
    let view = ClosedIncidentView {
        incident: IncidentView {
            name: "INC-42".into(),
            opened: change().created,
            by: "alice".into(),
            closed: None,
            changes: vec![change()],
        },
        ends: vec!["k7q2m9x4tf".into()],
        effects: vec![EffectView { after: "off".into(), still_held: vec![bob()], ..effect() }],
    };
    assert_snapshot!(closing(&look(), &view, &["9dn4c2b1aa".into()]), @r"
    order/recommendations  on → off
      still: INC-41 (bob) holds off until 04:30
    ends 1 change: k7q2m9x4tf
    keeps until their own deadline: 9dn4c2b1aa
    ");
    assert_snapshot!(view.incident.table(&look(), Detail::Short), @r"
    INC-42  open · opened 03:08 by alice

    CHANGE      WHAT                                  BY     INCIDENT  SINCE  UNTIL  STATE
    k7q2m9x4tf  order/recommendations 20 % off in sh  alice  INC-42    03:08  03:40  in force
    ");
}

#[test]
fn holders_of_a_switch() {
    let own = rein_api::changes::HolderView { own: true, incident: None, ..bob() };
    assert_snapshot!(holders(&look(), &[own, bob()], "  "), @r"
    9dn4c2b1aa  off by you until 04:30 (in 1 h 20 min)
    9dn4c2b1aa  off by bob for INC-41 until 04:30 (in 1 h 20 min)
    ");
}

/// I24 in small: nothing that anybody wrote reaches the terminal as anything but text.
#[test]
fn hostile_text_does_nothing() {
    let hostile = "x\x1b[2J\u{202e}\r\n\u{9b}31m";
    let mut view = status();
    view.switches[0].name = hostile.into();
    view.switches[0].summary = hostile.into();
    view.switches[0].layers[0].actor = hostile.into();
    view.happened[0].reason = hostile.into();
    view.happened[0].source = hostile.into();
    view.sources[1].name = hostile.into();
    view.unanswered.insert(hostile.into(), hostile.into());
    view.unwell = vec![unwell(hostile)];
    view.incidents[0].name = hostile.into();
    view.doors[0].name = hostile.into();
    view.server.trouble = Some(hostile.into());
    let mut one = switch();
    one.lost = hostile.into();
    one.layers[0].reason = hostile.into();
    one.proof.waiting = vec![hostile.into()];
    let mut changed = change();
    changed.reason = hostile.into();
    changed.acts[0].detail = hostile.into();
    let texts = [
        view.table(&look(), Detail::Wide),
        one.table(&look(), Detail::Wide),
        SwitchList { switches: vec![one.clone()] }.table(&look(), Detail::Wide),
        changed.table(&look(), Detail::Wide),
        effects(&look(), &[EffectView { before: hostile.into(), after: hostile.into(), ..effect() }]),
    ];
    for text in texts {
        let bad = text.chars().find(|c| *c != '\n' && rein_domain::text::is_unsafe(*c));
        assert_eq!(bad, None, "{text:?}");
        assert!(text.contains("\\u{1b}[2J"), "{text}");
    }
}

#[test]
fn colours_speak_of_degradation() {
    let colour = Look { colour: Colour::On, ..look() };
    let text = status().table(&colour, Detail::Short);
    assert!(text.contains("\u{1b}[31m1 switch of 14 degraded"), "{text:?}");
    assert!(text.contains("\u{1b}[31mOFF 100% (base on)"), "{text:?}");
    let list = SwitchList { switches: vec![calm()] }.table(&colour, Detail::Short);
    assert!(list.contains("\u{1b}[38;5;2mon"), "{list:?}");
}
