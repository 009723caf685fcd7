//! Whole screens about backends: silences, conflicts, plugins.

use super::tests::request;
use crate::output::{Detail, Show};
use crate::render::sample::{
    alert, backend, foreign_silence, look, silence, silence_preview, silenced, status, torn,
};
use crate::render::{Colour, Look, Shown, Whose, doubted, ending, preview, resolving};
use insta::assert_snapshot;
use rein_api::backends::{BackendList, CheckView, FindingView, PluginList};
use rein_api::changes::{
    ChangeList, ChangeRequest, ChangedView, EndedView, LegRequest, LiftLegRequest, PreviewView,
};
use rein_api::proof::ProofView;
use rein_api::silences::{LiftRequest, SilenceList, SilencePreview};
use rein_api::status::BackendStatusView;

fn silences(legs: Vec<SilencePreview>) -> PreviewView {
    PreviewView {
        legs: vec![],
        silences: legs,
        instances: vec![],
        deadline: silenced().deadline,
        doors: vec![],
    }
}

#[test]
fn a_preview_of_silences_on_two_clusters() {
    let mut bj = SilencePreview { backend: "alerts-bj".into(), firing: 1, ..silence_preview() };
    bj.alerts.truncate(1);
    bj.lately = None;
    bj.already = vec!["5cffcecd-3c84-46ae-9663-0fa48d8b0439".into()];
    bj.missing_peers = vec!["http://am-2:9093".into()];
    let view = silences(vec![silence_preview(), bj]);
    assert_snapshot!(preview(&look(), &view, &request(), Whose { incident: None }), @r#"
    alerts-sh  silence {alertname="HighLatency",service="order"}
      hushes   2 of 14 alerts that fire now
        SINCE  instance  zone
        02:55  order-1   sh
        02:55  order-2   bj
        and 5 more
      lately   5 more matched in the last 7 days
      deadline kept by backend · when Rein dies: silences end by themselves
    alerts-bj  silence {alertname="HighLatency",service="order"}
      hushes   1 of 14 alerts that fire now
        SINCE  ALERT
        02:55  HighLatency instance=order-1 service=order zone=sh
      lately   not known: no history configured
      already  some are hushed already by 5cffcecd-3c84-46ae-9663-0fa48d8b0439
      peers    no answer from http://am-2:9093
      deadline kept by backend · when Rein dies: silences end by themselves
    until 05:10 (in 2 h) · incident INC-42 · reason "db slow"
    "#);
}

#[test]
fn a_preview_of_what_matches_nothing_or_cannot_be_known() {
    let nothing = SilencePreview { firing: 0, lately: Some(0), alerts: vec![], ..silence_preview() };
    let deaf = SilencePreview {
        backend: "alerts-bj".into(),
        fault: Some("connection refused".into()),
        when_rein_dies: String::new(),
        ..nothing.clone()
    };
    let idle = SilencePreview { backend: "alerts-gz".into(), firing_in_all: 0, ..nothing.clone() };
    let all = SilencePreview { backend: "alerts-sz".into(), firing_in_all: 2, ..silence_preview() };
    let view = silences(vec![nothing, deaf, idle, all]);
    assert_snapshot!(preview(&look(), &view, &request(), Whose { incident: None }), @r#"
    alerts-sh  silence {alertname="HighLatency",service="order"}
      hushes   MATCHES NOTHING NOW: none of 14 alerts that fire there
      lately   no others matched in the last 7 days
      deadline kept by backend · when Rein dies: silences end by themselves
    alerts-bj  silence {alertname="HighLatency",service="order"}
      fault    it cannot be asked: connection refused
      hushes   not known; it is written as soon as the backend answers
      deadline kept by backend · when Rein dies: not known yet
    alerts-gz  silence {alertname="HighLatency",service="order"}
      hushes   MATCHES NOTHING NOW: no alert fires there at all
      lately   no others matched in the last 7 days
      deadline kept by backend · when Rein dies: silences end by themselves
    alerts-sz  silence {alertname="HighLatency",service="order"}
      hushes   ALL 2 alerts that fire now
        SINCE  instance  zone
        02:55  order-1   sh
        02:55  order-2   bj
        and 5 more
      lately   5 more matched in the last 7 days
      deadline kept by backend · when Rein dies: silences end by themselves
    until 05:10 (in 2 h) · incident INC-42 · reason "db slow"
    "#);
    let said = doubted(&look(), &["without service=ordr it would hush 2 alerts".into()]);
    assert_snapshot!(said, @r"
    this silence matches nothing that fires now; a typing error is the usual cause
      without service=ordr it would hush 2 alerts
    ");
}

#[test]
fn a_preview_of_what_will_be_heard_again() {
    let lift = SilencePreview {
        summary: r#"lift {alertname="HighLatency"} by bob"#.into(),
        lately: None,
        alerts: vec![alert("order-1", "sh")],
        firing: 1,
        ..silence_preview()
    };
    let leg = LiftLegRequest { lift: LiftRequest { backend: "alerts-sh".into(), id: "5cff".into() } };
    let request = ChangeRequest { legs: vec![LegRequest::Lift(leg)], lasts_seconds: None, ..request() };
    assert_snapshot!(preview(&look(), &silences(vec![lift]), &request, Whose { incident: None }), @r#"
    alerts-sh  lift {alertname="HighLatency"} by bob
      heard    1 alert that fires now will be heard again
        SINCE  ALERT
        02:55  HighLatency instance=order-1 service=order zone=sh
      deadline kept by backend · when Rein dies: silences end by themselves
    until 05:10 (in 2 h, its own end) · incident INC-42 · reason "db slow"
    "#);
}

#[test]
fn a_change_in_a_backend() {
    assert_snapshot!(silenced().table(&look(), Detail::Short), @r#"
    3v9k2m7c1x  pending
      by        alice, at 03:08
      incident  INC-42
      reason    db slow
      until     05:10 (in 2 h)
    alerts-sh  silence {alertname="HighLatency",service="order"} · pending
      proof     held on 2/3 peers · not yet: http://am-2:9093
      cell      3v9k2m7c1x in alerts-sh · object 8d1f5c1e-0000-4000-8000-000000000001
      state     held, since 03:09 (1 min ago)
      effect    hushes 2 alerts
      wants     {alertname="HighLatency",service="order"} until 05:10 by alice, "db slow (INC-42)" · laid 03:08 (1 min 49 s ago)
      found     the same · seen 03:09 (3 s ago)
      before    nothing
      next      it is in force, but not seen yet on http://am-2:9093: looked at every 1 s, and written again a few times
    "#);
    let recorded = ChangedView { change: silenced(), effects: vec![] };
    assert_snapshot!(recorded.table(&look(), Detail::Short), @r"
      alerts-sh: held on 2/3 peers · not yet: http://am-2:9093 · hushes 2 alerts
    holds until 05:10 (in 2 h) · change 3v9k2m7c1x · take it back: rein undo
    ");
    assert_snapshot!(ending(&look(), &[silenced()]), @r#"alerts-sh  silence {alertname="HighLatency",service="order"} ends · hushes 2 alerts now"#);
}

#[test]
fn a_change_that_is_over_and_given_back() {
    let mut over = silenced();
    over.active = false;
    over.state = "ended".into();
    over.ended = Some(EndedView { at: over.created, by: Some("alice".into()), how: "ended".into() });
    over.legs[0].state = "over".into();
    over.legs[0].proof = ProofView { complete: true, ..ProofView::default() };
    assert_snapshot!(over.table(&look(), Detail::Short), @r#"
    3v9k2m7c1x  ended
      by        alice, at 03:08
      incident  INC-42
      reason    db slow
      over      ended by alice, at 03:08
    alerts-sh  silence {alertname="HighLatency",service="order"} · over
      proof     back as it was
    "#);
}

#[test]
fn a_change_in_conflict() {
    assert_snapshot!(torn().table(&look(), Detail::Short), @r#"
    3v9k2m7c1x  conflict
      by        alice, at 03:08
      incident  INC-42
      reason    db slow
      until     05:10 (in 2 h)
    alerts-sh  silence {alertname="HighLatency",service="order"} · conflict
      proof     held on 2/3 peers · not yet: http://am-2:9093
      cell      3v9k2m7c1x in alerts-sh · object 8d1f5c1e-0000-4000-8000-000000000001
      state     conflict, since 03:09 (1 min ago)
      effect    hushes 2 alerts
      wants     {alertname="HighLatency",service="order"} until 05:10 by alice, "db slow (INC-42)" · laid 03:08 (1 min 49 s ago)
      found     {alertname="HighLatency",service="order"} until 03:30 by bob, "db slow (INC-42)" · seen 03:09 (3 s ago)
      differs   author, ends
      before    nothing
      next      nothing until a person decides: rein change resolve 3v9k2m7c1x --reassert, --adopt or --restore
    CONFLICT: somebody else altered this in the backend; type one of
      rein change resolve 3v9k2m7c1x --reassert   # write Rein's value over what is there
      rein change resolve 3v9k2m7c1x --adopt      # leave what is there, and end the change
      rein change resolve 3v9k2m7c1x --restore    # put back what was there before, and end the change
    "#);
    assert_snapshot!(resolving(&look(), &torn(), "adopt"), @r#"
    alerts-sh  silence {alertname="HighLatency",service="order"} · conflict, since 03:09 (1 min ago)
      wants     {alertname="HighLatency",service="order"} until 05:10 by alice, "db slow (INC-42)" · laid 03:08 (1 min 49 s ago)
      found     {alertname="HighLatency",service="order"} until 03:30 by bob, "db slow (INC-42)" · seen 03:09 (3 s ago)
      differs   author, ends
      before    nothing
      reassert  writes what Rein wants over what was found; 3v9k2m7c1x stays in force until 05:10
    → adopt     leaves what was found as it is, and ends 3v9k2m7c1x
      restore   puts back what was there before, and ends 3v9k2m7c1x
    "#);
    let list = ChangeList { changes: vec![torn()] };
    assert_snapshot!(list.table(&look(), Detail::Short), @r#"
    CHANGE      WHAT                                       BY     INCIDENT  SINCE  UNTIL  STATE
    3v9k2m7c1x  alerts-sh silence                          alice  INC-42    03:08  05:10  conflict
                {alertname="HighLatency",service="order"}
    "#);
    let colour = Look { colour: Colour::On, ..look() };
    assert!(torn().table(&colour, Detail::Short).contains("\u{1b}[31mCONFLICT"));
}

#[test]
fn status_with_silences_conflicts_and_a_backend_that_does_not_answer() {
    let mut view = status();
    let short = |name: &str, fault: Option<&str>, conflicts| BackendStatusView {
        name: name.into(),
        plugin: "running".into(),
        cells: 1,
        conflicts,
        observed: Some(rein_api::At(look().now)),
        fault: fault.map(Into::into),
    };
    view.switches.clear();
    let mut stale = silenced();
    stale.id = "4d5k2m7c1x".into();
    stale.legs[0].target = "alerts-bj".into();
    stale.legs[0].cell.as_mut().unwrap().backend = "alerts-bj".into();
    // What lies over instances of a registry of one's own is in no backend.
    let mut drained = silenced();
    drained.id = "5f6k2m7c1x".into();
    let leg = &mut drained.legs[0];
    (leg.noun, leg.target) = ("instance".into(), "order/i-7f3a".into());
    (leg.setting, leg.summary, leg.cell) = ("drained".into(), "drained".into(), None);
    leg.proof = ProofView { sent: 2, connected: 2, complete: true, ..ProofView::default() };
    view.layers = vec![torn(), silenced(), stale, drained];
    view.layers_total = 6;
    view.backends = vec![
        short("alerts-bj", Some("connection refused"), 0),
        short("alerts-gz", None, 0),
        short("alerts-sh", None, 1),
    ];
    assert_snapshot!(view.table(&look(), Detail::Short), @r#"
    CONFLICT: somebody else altered 3v9k2m7c1x in alerts-sh · rein change resolve 3v9k2m7c1x --reassert, --adopt or --restore
    BACKEND DOES NOT ANSWER: alerts-bj · last seen now · connection refused
    no switch degraded · 14 switches
    over instances
      5f6k2m7c1x  order/i-7f3a drained · sent to 2 of 2 watching · INC-42 alice →05:10
    in backends
      3v9k2m7c1x  alerts-sh silence {alertname="HighLatency",service="order"} · hushes 2 alerts ·
          CONFLICT · not yet: http://am-2:9093 · INC-42 alice →05:10
      3v9k2m7c1x  alerts-sh silence {alertname="HighLatency",service="order"} · hushes 2 alerts ·
          held 2/3 · not yet: http://am-2:9093 · INC-42 alice →05:10
      4d5k2m7c1x  alerts-bj silence {alertname="HighLatency",service="order"} · hushes 2 alerts ·
          held 2/3 when last seen · not yet: http://am-2:9093 · INC-42 alice →05:10
      and 2 more: rein change list --active
    open incidents: INC-42 (1 change)
    past hour
      03:08  alice switch:off order/recommendations · INC-42 · "db slow"
    doors: flagd 24 clients · ofrep 1 client
    backends: alerts-bj does not answer · alerts-gz seen now · alerts-sh 1 conflict
    changes seen from: rein, ci (10 min ago)
    "#);
    assert_snapshot!(view.server.table(&look(), Detail::Short), @r"
    ready
      version   0.1.0
      up        1 h 30 min
      epoch     e1
      revision  41
    ");
}

#[test]
fn silences_in_a_list_and_one_by_one() {
    let list = SilenceList { silences: vec![silence(), foreign_silence()], unreachable: Default::default() };
    assert_snapshot!(list.table(&Look { width: None, ..look() }, Detail::Short), @r#"
    SILENCE                               BACKEND    WHAT                                           UNTIL  BY     WHOSE    STATE   HUSHES
    3v9k2m7c1x                            alerts-sh  {alertname="HighLatency",service="order"}      05:10  alice  rein     active  2
    5cffcecd-3c84-46ae-9663-0fa48d8b0439  alerts-sh  {alertname="HighLatency",summary="it's slow"}  05:10  bob    foreign  active  2
    "#);
    assert_snapshot!(Shown(list).table(&look(), Detail::Short), @r#"
    3v9k2m7c1x  {alertname="HighLatency",service="order"} · active
      backend   alerts-sh · object 8d1f5c1e-0000-4000-8000-000000000001
      since     03:09 (1 min ago)
      until     05:10 (in 2 h)
      by        alice
      comment   db slow (INC-42)
      hushes    2 alerts
      whose     Rein's: rein change show 3v9k2m7c1x
    5cffcecd-3c84-46ae-9663-0fa48d8b0439  {alertname="HighLatency",summary="it's slow"} · active
      backend   alerts-sh · object 5cffcecd-3c84-46ae-9663-0fa48d8b0439
      since     03:09 (1 min ago)
      until     05:10 (in 2 h)
      by        bob
      comment   by hand
      hushes    2 alerts
      whose     somebody else's: Rein lists it, and can take it away
    "#);
}

#[test]
fn backends_and_plugins() {
    assert_snapshot!(backend().table(&look(), Detail::Short), @r#"
    alerts-sh  answers
      plugin    alertmanager · running · version 0.1.0 · process 4711 · up 1 h 30 min
      seen      03:09:57 (3 s ago)
      owner     team-sre
      config    peers: ["http://am-1:9093","http://am-2:9093"]
      never     hush alertname="Watchdog"
      does      silence
      repeats   a write that may have happened is looked for by its mark before it is repeated
      deadline  kept by backend · when Rein dies: silences end by themselves

    CELL        CHANGE      STATE  SINCE  EFFECT           HOLDS
    3v9k2m7c1x  3v9k2m7c1x  held   03:09  hushes 2 alerts  {alertname="HighLatency",service="order"}
                                                           until 05:10 by alice, "db slow (INC-42)"
    "#);
    let mut down = backend();
    down.definition.name = "alerts-bj".into();
    down.fault = Some("connection refused".into());
    down.plugin.state = "backing off".into();
    down.plugin.why = "it ended with 1; started again at 2026-11-23T02:11:00Z".into();
    let plugins = PluginList { plugins: vec![backend().plugin, down.plugin.clone()] };
    assert_snapshot!(plugins.table(&look(), Detail::Wide), @r"
    PLUGIN        KIND     BACKEND    STATE        VERSION  UP          RESTARTS  PROCESS  WHY
    alertmanager  bundled  alerts-sh  running      0.1.0    1 h 30 min  0         4711     -
    alertmanager  bundled  alerts-sh  backing off  0.1.0    1 h 30 min  0         4711     it ended
                                                                                           with 1;
                                                                                           started
                                                                                           again at
                                                                                           03:11
    ");
    assert_snapshot!(down.plugin.table(&look(), Detail::Short), @r"
    alertmanager  backing off · version 0.1.0 · process 4711 · up 1 h 30 min · it ended with 1; started again at 03:11
      for       alerts-sh
      kind      bundled
    ");
    let list = BackendList { backends: vec![backend(), down] };
    assert_snapshot!(list.table(&look(), Detail::Short), @r"
    BACKEND    PLUGIN                    STATE            SEEN     DOES     CELLS  OWNER
    alerts-sh  alertmanager running      answers          3 s ago  silence  1      team-sre
    alerts-bj  alertmanager backing off  does not answer  3 s ago  silence  1      team-sre
    ");
    let finding = |grade: &str, message: &str| FindingView {
        grade: grade.into(),
        subject: "peer http://am-1:9093".into(),
        message: message.into(),
    };
    let check = CheckView {
        backend: "alerts-sh".into(),
        grade: "warning".into(),
        findings: vec![finding("ok", "ready, 2 in its cluster"), finding("warning", "its clock is behind")],
    };
    assert_snapshot!(check.table(&look(), Detail::Short), @r"
    alerts-sh  warning
      ok       peer http://am-1:9093: ready, 2 in its cluster
      warning  peer http://am-1:9093: its clock is behind
    ");
}

/// What backends say and hold is as foreign as it gets.
#[test]
fn hostile_backends_do_nothing() {
    let hostile = "x\x1b[2J\u{202e}\r\n\u{9b}31m";
    let mut change = torn();
    change.legs[0].summary = hostile.into();
    change.legs[0].proof.waiting = vec![hostile.into()];
    if let Some(cell) = &mut change.legs[0].cell {
        for text in [&mut cell.key, &mut cell.object, &mut cell.effect, &mut cell.next] {
            *text = hostile.into();
        }
        cell.found = Some(
            serde_json::json!({
                "matchers": [[hostile, "=", hostile]], "ends": hostile, "author": hostile, "comment": hostile
            })
            .to_string(),
        );
        cell.prior = Some(hostile.into());
    }
    let mut one = silence();
    for text in [&mut one.id, &mut one.object, &mut one.summary, &mut one.author, &mut one.comment] {
        *text = hostile.into();
    }
    one.missing_peers = vec![hostile.into()];
    let mut hushed = alert(hostile, hostile);
    hushed.labels.insert(hostile.into(), hostile.into());
    let shown = SilencePreview {
        summary: hostile.into(),
        already: vec![hostile.into()],
        missing_peers: vec![hostile.into()],
        when_rein_dies: hostile.into(),
        alerts: vec![hushed, alert("a", "b")],
        ..silence_preview()
    };
    let mut deaf = backend();
    deaf.fault = Some(hostile.into());
    deaf.plugin.why = hostile.into();
    deaf.definition.config.insert(hostile.into(), hostile.into());
    deaf.cannot = vec![hostile.into()];
    deaf.cells = change.legs.iter().filter_map(|leg| leg.cell.clone()).collect();
    let mut view = status();
    view.layers = vec![change.clone()];
    view.backends = vec![BackendStatusView {
        name: hostile.into(),
        plugin: hostile.into(),
        cells: 0,
        conflicts: 0,
        observed: None,
        fault: Some(hostile.into()),
    }];
    let list = SilenceList { silences: vec![one], unreachable: Default::default() };
    for text in [
        change.table(&look(), Detail::Wide),
        resolving(&look(), &change, "adopt"),
        ending(&look(), [&change]),
        list.table(&Look { width: None, ..look() }, Detail::Wide),
        Shown(list).table(&look(), Detail::Wide),
        preview(&look(), &silences(vec![shown]), &request(), Whose { incident: None }),
        doubted(&look(), &[hostile.into()]),
        deaf.table(&look(), Detail::Wide),
        BackendList { backends: vec![deaf] }.table(&Look { width: None, ..look() }, Detail::Wide),
        view.table(&look(), Detail::Wide),
    ] {
        let bad = text.chars().find(|c| *c != '\n' && rein_domain::text::is_unsafe(*c));
        assert_eq!(bad, None, "{text:?}");
        assert!(text.contains("\\u{1b}[2J") || text.contains("\\u001b[2J"), "{text}");
    }
}
