//! Whole screens.

use crate::output::{Detail, Show};
use crate::render::sample::{bob, calm, change, effect, look, preview as sample_preview, status, switch};
use crate::render::{Colour, Look, Whose, closing, effects, holders, preview};
use crate::state::Origin;
use insta::assert_snapshot;
use rein_api::changes::{ChangeList, ChangeRequest, ChangedView, EffectView, UndoView};
use rein_api::incidents::{ClosedIncidentView, IncidentView};
use rein_api::proof::ProofView;
use rein_api::switches::SwitchList;

fn request() -> ChangeRequest {
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
    assert_snapshot!(status().table(&look(), Detail::Short), @"");
}

#[test]
fn status_when_all_is_well_and_when_nothing_is() {
    let mut quiet = status();
    quiet.switches.clear();
    quiet.incidents.clear();
    quiet.recent.clear();
    assert_snapshot!(quiet.table(&look(), Detail::Wide), @"");
    quiet.server.ready = false;
    quiet.server.trouble = Some("the clock was set back at 2026-11-23T02:09:00Z; nothing expires".into());
    quiet.switches_total = 0;
    assert_snapshot!(quiet.table(&look(), Detail::Short), @"");
}

#[test]
fn status_on_a_narrow_screen() {
    let narrow = Look { width: Some(60), ..look() };
    assert_snapshot!(status().table(&narrow, Detail::Short), @"");
}

#[test]
fn the_list_of_switches() {
    let list = SwitchList { switches: vec![switch(), calm()] };
    assert_snapshot!(list.table(&look(), Detail::Short), @"");
    let wide = Look { width: None, ..look() };
    assert_snapshot!(list.table(&wide, Detail::Wide), @"");
    assert_snapshot!(SwitchList { switches: vec![] }.table(&look(), Detail::Short), @"");
}

#[test]
fn one_switch() {
    assert_snapshot!(switch().table(&look(), Detail::Short), @"");
    assert_snapshot!(calm().table(&look(), Detail::Short), @"");
}

#[test]
fn a_preview() {
    let used = Whose { incident: Some(Origin::Used) };
    assert_snapshot!(preview(&look(), &sample_preview(), &request(), used), @"");
}

#[test]
fn a_preview_that_supersedes_without_a_duration_or_an_audience() {
    let mut view = sample_preview();
    view.legs[0].supersedes = vec![bob()];
    view.legs[0].reach = ProofView::default();
    view.legs[0].effect = EffectView { before: "off".into(), after: "on".into(), ..effect() };
    let request = ChangeRequest { lasts_seconds: None, reason: String::new(), incident: None, ..request() };
    assert_snapshot!(preview(&look(), &view, &request, Whose { incident: None }), @"");
}

#[test]
fn what_was_recorded() {
    let view = ChangedView { change: change(), effects: vec![effect()] };
    assert_snapshot!(view.table(&look(), Detail::Short), @"");
}

#[test]
fn one_change_and_many() {
    assert_snapshot!(change().table(&look(), Detail::Short), @"");
    assert_snapshot!(ChangeList { changes: vec![change()] }.table(&look(), Detail::Short), @"");
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
            EffectView { switch: "a/b".into(), before: "off".into(), after: "on".into(), ..effect() },
        ],
    };
    assert_snapshot!(view.table(&look(), Detail::Short), @"");
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
    assert_snapshot!(closing(&look(), &view, &["9dn4c2b1aa".into()]), @"");
    assert_snapshot!(view.incident.table(&look(), Detail::Short), @"");
}

#[test]
fn holders_of_a_switch() {
    let own = rein_api::changes::HolderView { own: true, incident: None, ..bob() };
    assert_snapshot!(holders(&look(), &[own, bob()], "  "), @"");
}

/// I24 in small: nothing that anybody wrote reaches the terminal as anything but text.
#[test]
fn hostile_text_does_nothing() {
    let hostile = "x\x1b[2J\u{202e}\r\n\u{9b}31m";
    let mut view = status();
    view.switches[0].name = hostile.into();
    view.switches[0].summary = hostile.into();
    view.switches[0].layers[0].actor = hostile.into();
    view.recent[0].reason = hostile.into();
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
    assert!(list.contains("\u{1b}[38;5;10m") || list.contains("\u{1b}[32m"), "{list:?}");
}
