//! What a user types, in the order in which the project promises it, and what the terminal shows.
//!
//! Ids, times and addresses are redacted and runs of blanks drawn together; how tables are laid out
//! is tested beside the command line itself.

use crate::kit::desk::{Desk, Said};
use crate::kit::server::{Server, Watched, declared};
use crate::kit::service::Service;
use crate::kit::wait::{secs, until, until_true};
use std::io::{BufRead, BufReader};
use std::sync::mpsc::channel;
use std::thread;

/// Compares all that a command has said.
macro_rules! shows {
    ($said:expr, @$expected:literal) => {
        insta::with_settings!({filters => FILTERS.to_vec(), omit_expression => true}, {
            insta::assert_snapshot!($said.whole(), @$expected);
        })
    };
}

const FILTERS: [(&str, &str); 9] = [
    (r"\btoken [0-9a-z]{11}\b", "token [token]"),
    (r"\b(\d{1,2} [A-Z][a-z][a-z] |\d{4}-\d\d-\d\d )?\d\d:\d\d(:\d\d)?\b", "[time]"),
    (r"\b[0-9a-hjkmnp-tv-z]{10}\b", "[change]"),
    (r"\bin \d+ (min|h|s)( \d+ (min|s))?", "in [span]"),
    (r"127\.0\.0\.1:\d+", "[address]"),
    (r"\b0[0-9a-f]{7}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[key]"),
    (r"\brun-\S+", "[lane]"),
    (r" {2,}", "  "),
    (r" +\n", "\n"),
];

/// A server, a desk, and one instance that hears of everything.
fn company(test: &str) -> (Server, Desk, Service) {
    let (server, desk) = declared(test);
    let service = Service::start(&server, "order-sh-1");
    until_true("the instance to be counted", secs(5), || {
        desk.types("rein switch show order/recommendations -o json").json()["proof"]["complete"] == true
    });
    (server, desk, service)
}

fn id(said: &Said) -> String {
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    json["change"]["id"].as_str().unwrap().to_owned()
}

const OFF: &str = "rein switch off order/recommendations";

#[test]
fn look_flip_and_look_again() {
    let (_server, desk, service) = company("flow-flip");
    shows!(desk.types("rein status").exit(0), @"
    $ rein status
    all normal · 4 switches
    past hour
      [time]  admin switch:declare payment/wallet, payment/card, order/coupons, order/recommendations
      [time]  rein token:create token [token]
    doors: flagd 1 client · ofrep 0 clients · unleash 0 clients
    ");
    shows!(desk.types("rein switch list").exit(0), @"
    $ rein switch list
    SWITCH  STATE  UNTIL  LEVEL  OWNER  PROOF
    order/coupons  on  -  4  team-order  received 1 of 1 connected
    order/recommendations  on  -  3  team-order  received 1 of 1 connected
    payment/card  on  -  1  team-payment  nobody connected
    payment/wallet  on  -  2  team-payment  nobody connected
    ");
    shows!(desk.types("rein switch show order/recommendations").exit(0), @"
    $ rein switch show order/recommendations
    order/recommendations  on
      lost  suggestions under the order
      owner  team-order · level 3
      base  on, and off protects
      flag  order.recommendations
      zones  bj, sh
      proof  received 1 of 1 connected
    no layers: the base is in force
    ");
    let flip = "--for 30m --incident INC-42 --reason 'db slow' --yes";
    shows!(desk.types(&format!("{OFF} {flip}")).exit(0), @r#"
    $ rein switch off order/recommendations --for 30m --incident INC-42 --reason db slow --yes
    order/recommendations  on → off
      received 1 of 1 connected
    holds until [time] (in [span]) · change [change] · take it back: rein undo
    --- stderr
    order/recommendations  on → off
      lost  suggestions under the order
      owner  team-order · level 3
      heard  1 connected; nobody declared how many to expect
    until [time] (in [span]) · incident INC-42 · reason "db slow"
    door flagd  1 client · deadline kept by client ·
      when Rein dies: clients keep the last set they got and still revert at its deadlines
    door ofrep  0 clients · deadline kept by rein ·
      when Rein dies: clients fall back to the default in their code
    door unleash  0 clients · deadline kept by client ·
      when Rein dies: clients keep the last set they got and still revert at its deadlines; a flag they never got is false
    "#);
    until_true("the service to see it", secs(2), || !service.on("order.recommendations"));
    shows!(desk.types("rein switch off order/coupons --percent 20 --zone sh --for 1h --yes").exit(0), @"
    $ rein switch off order/coupons --percent 20 --zone sh --for 1h --yes
    order/coupons  on → 20 % off in sh
      received 1 of 1 connected
    holds until [time] (in [span]) · change [change] · take it back: rein undo
    --- stderr
    order/coupons  on → 20 % off in sh
      lost  coupons at checkout
      owner  team-order · level 4
      heard  1 connected; nobody declared how many to expect
    until [time] (in [span])
    door flagd  1 client · deadline kept by client ·
      when Rein dies: clients keep the last set they got and still revert at its deadlines
    door ofrep  0 clients · deadline kept by rein ·
      when Rein dies: clients fall back to the default in their code
    door unleash  0 clients · deadline kept by client ·
      when Rein dies: clients keep the last set they got and still revert at its deadlines; a flag they never got is false
    ");
    shows!(desk.types("rein status").exit(0), @r#"
    $ rein status
    2 switches of 4 degraded
      order/coupons  20 % off in sh (base on) · admin 20%@sh →[time], then on · received 1/1
      order/recommendations  OFF 100% (base on) · INC-42 admin →[time], then on · received 1/1
    open incidents: INC-42 (1 change)
    past hour
      [time]  admin switch:off order/coupons
      [time]  admin switch:off order/recommendations · INC-42 · "db slow"
      [time]  admin switch:declare payment/wallet, payment/card, order/coupons, order/recommendations
      [time]  rein token:create token [token]
    doors: flagd 1 client · ofrep 0 clients · unleash 0 clients
    "#);
    shows!(desk.types("rein switch list").exit(0), @"
    $ rein switch list
    SWITCH  STATE  UNTIL  LEVEL  OWNER  PROOF
    order/coupons  20 % off in sh  [time]  4  team-order  received 1 of 1 connected
    order/recommendations  off  [time]  3  team-order  received 1 of 1 connected
    payment/card  on  -  1  team-payment  nobody connected
    payment/wallet  on  -  2  team-payment  nobody connected
    ");
    shows!(desk.types("rein switch show order/coupons").exit(0), @"
    $ rein switch show order/coupons
    order/coupons  20 % off in sh
      lost  coupons at checkout
      owner  team-order · level 4
      base  on, and off protects
      flag  order.coupons
      zones  bj, sh
      proof  received 1 of 1 connected

    LAYER  WHAT  BY  INCIDENT  UNTIL  STATE  REASON
    [change]  20 % off in sh  admin  -  [time] (in [span])  in force  -
    ");
}

#[test]
fn on_names_what_holds_it_off() {
    let (_server, desk, service) = company("flow-on");
    let bob = desk.colleague("bob", "operator", "*");
    let carol = desk.colleague("carol", "operator", "order/*");
    let both = format!("{OFF} payment/wallet --for 30m --incident INC-41 --yes --no-wait -o json");
    let bobs = id(&bob.types(&both).exit(0));
    let carols = id(&carol.types(&format!("{OFF} --for 1h --yes -o json")).exit(0));
    shows!(carol.types("rein switch on order/recommendations --yes").exit(3), @"
    $ rein switch on order/recommendations --yes
    --- stderr
    error: layers are in the way; nothing was changed
      [change]  off by bob for INC-41 until [time] (in [span])
      [change]  off by you until [time] (in [span])
    hint: rein switch on order/recommendations --end [change] --end [change] --yes  # end what holds it
    hint: rein switch on order/recommendations --supersede [change] --supersede [change] --yes  # or lay an exception over it
    --- exit 3
    ");
    // Another's is ended by right only, and Carol has none over payments.
    let before = desk.footprint();
    shows!(carol.types(&format!("rein switch on order/recommendations --end {bobs} --yes")).exit(6), @"
    $ rein switch on order/recommendations --end [change] --yes
    --- stderr
    order/recommendations held by
      [change]  off by bob for INC-41 until [time] (in [span])
      [change]  off by you until [time] (in [span])
    error: carol may not change:any on payment/wallet
    hint: rein auth can-i change:any 'payment/wallet' says what your token grants
    --- exit 6
    ");
    assert_eq!(desk.footprint(), before);
    let supersede = format!("rein switch on order/recommendations --supersede {bobs} --supersede {carols}");
    shows!(desk.types(&format!("{supersede} --for 10m --yes")).exit(0), @"
    $ rein switch on order/recommendations --supersede [change] --supersede [change] --for 10m --yes
    order/recommendations  off → on
      received 1 of 1 connected
    holds until [time] (in [span]) · change [change] · take it back: rein undo
    --- stderr
    order/recommendations  off → on
      lost  suggestions under the order
      owner  team-order · level 3
      heard  1 connected; nobody declared how many to expect
      lays an exception over these; those still running then bite again when it ends
      [change]  off by bob for INC-41 until [time] (in [span])
      [change]  off by carol until [time] (in [span])
    until [time] (in [span])
    door flagd  1 client · deadline kept by client ·
      when Rein dies: clients keep the last set they got and still revert at its deadlines
    door ofrep  0 clients · deadline kept by rein ·
      when Rein dies: clients fall back to the default in their code
    door unleash  0 clients · deadline kept by client ·
      when Rein dies: clients keep the last set they got and still revert at its deadlines; a flag they never got is false
    ");
    until_true("the exception to bite", secs(2), || service.on("order.recommendations"));
    shows!(desk.types("rein switch show order/recommendations").exit(0), @"
    $ rein switch show order/recommendations
    order/recommendations  on
      lost  suggestions under the order
      owner  team-order · level 3
      base  on, and off protects
      flag  order.recommendations
      zones  bj, sh
      proof  received 1 of 1 connected

    LAYER  WHAT  BY  INCIDENT  UNTIL  STATE  REASON
    [change]  off  bob  INC-41  [time] (in [span])  excepted  -
    [change]  off  carol  -  [time] (in [span])  excepted  -
    [change]  on  admin  -  [time] (in [span])  in force  -
    ");
    shows!(desk.types("rein undo --yes").exit(0), @"
    $ rein undo --yes
    end [change] (order/recommendations on)
    order/recommendations  on → off
      still: INC-41 (bob) holds off until [time]
      still: [change] (carol) holds off until [time]
      received 1 of 1 connected
    --- stderr
    undo would do this: end [change] (order/recommendations on)
    order/recommendations  on → off
      still: INC-41 (bob) holds off until [time]
      still: [change] (carol) holds off until [time]
    ");
    until_true("those still running to bite again", secs(2), || !service.on("order.recommendations"));
    shows!(desk.types(&format!("rein switch on order/recommendations --end {bobs} --end {carols} --yes")).exit(0), @"
    $ rein switch on order/recommendations --end [change] --end [change] --yes
    order/recommendations  off → on
    payment/wallet  off → on
      received 1 of 1 connected
    --- stderr
    order/recommendations held by
      [change]  off by bob for INC-41 until [time] (in [span])
      [change]  off by carol until [time] (in [span])
    each by itself:
    order/recommendations  no visible effect: [change] (carol) holds off until [time]
    payment/wallet  off → on
    order/recommendations  no visible effect: INC-41 (bob) holds off until [time]
    ");
    until_true("nothing to hold it any more", secs(2), || service.on("order.recommendations"));
    shows!(desk.types("rein switch on order/recommendations --yes").exit(0), @"
    $ rein switch on order/recommendations --yes
    --- stderr
    order/recommendations is already on; nothing holds it
    ");
}

#[test]
fn ones_own_layer_is_ended_at_once() {
    let (_server, desk, service) = company("flow-on-own");
    desk.types(&format!("{OFF} --for 30m --yes")).done();
    shows!(desk.types("rein switch on order/recommendations --yes").exit(0), @"
    $ rein switch on order/recommendations --yes
    order/recommendations  off → on
      received 1 of 1 connected
    --- stderr
    order/recommendations held by
      [change]  off by you until [time] (in [span])
    order/recommendations  off → on
    ");
    assert!(service.on("order.recommendations"));
}

#[test]
fn changes_are_listed_shown_and_extended() {
    let (_server, desk, _service) = company("flow-changes");
    let key = "01234567-89ab-7def-8123-456789abcdef";
    // A key carries its time: this one is made now.
    let key = fresh_key(key);
    let first = id(&desk.types(&format!("{OFF} --for 30m --idempotency-key {key} --yes -o json")).exit(0));
    let again = id(&desk.types(&format!("{OFF} --for 30m --idempotency-key {key} --yes -o json")).exit(0));
    assert_eq!(first, again, "one key, one change");
    shows!(desk.types("rein change list --active").exit(0), @"
    $ rein change list --active
    CHANGE  WHAT  BY  INCIDENT  SINCE  UNTIL  STATE
    [change]  order/recommendations off  admin  -  [time]  [time]  in force
    ");
    shows!(desk.types(&format!("rein change show {first}")).exit(0), @"
    $ rein change show [change]
    [change]  in force
      by  admin, at [time]
      until  [time] (in [span])
    order/recommendations  off · in force
      proof  received 1 of 1 connected
    [time]  admin laid
    ");
    let by_key = desk.types(&format!("rein change show --key {key} -o json")).json();
    assert_eq!(by_key["id"], first.as_str());
    shows!(desk.types(&format!("rein change extend {first} --for 1h --reason 'still bad'")).exit(0), @"
    $ rein change extend [change] --for 1h --reason still bad
    [change]  order/recommendations off · until [time] → [time] (in [span])
    ");
    shows!(desk.types(&format!("rein change show {first}")).exit(0), @r#"
    $ rein change show [change]
    [change]  in force
      by  admin, at [time]
      until  [time] (in [span])
    order/recommendations  off · in force
      proof  received 1 of 1 connected
    [time]  admin laid
    [time]  admin extended: [time] → [time], "still bad"
    "#);
    shows!(desk.types("rein undo --yes").exit(0), @"
    $ rein undo --yes
    move [change] back: [time] → [time]
    --- stderr
    undo would do this: move [change] back: [time] → [time]
    ");
    shows!(desk.types("rein undo --yes").exit(0), @"
    $ rein undo --yes
    end [change] (order/recommendations off)
    order/recommendations  off → on
      received 1 of 1 connected
    --- stderr
    undo would do this: end [change] (order/recommendations off)
    order/recommendations  off → on
    ");
    assert_eq!(desk.types("rein change list --active -o json").json()["changes"], serde_json::json!([]));
    shows!(desk.types("rein change list").exit(0), @"
    $ rein change list
    CHANGE  WHAT  BY  INCIDENT  SINCE  UNTIL  STATE
    [change]  order/recommendations off  admin  -  [time]  [time]  undone
    ");
    let _ = desk.types(&format!("rein change extend {first} --for 1h")).exit(3).says("is over");
}

/// A UUIDv7 of now.
pub(crate) fn fresh_key(like: &str) -> String {
    let ms = jiff::Timestamp::now().as_millisecond();
    let hex = format!("{ms:012x}");
    format!("{}-{}{}", &hex[..8], &hex[8..], &like[13..])
}

#[test]
fn an_incident_ties_changes_together() {
    let (_server, desk, service) = company("flow-incident");
    shows!(desk.types("rein incident use INC-42").exit(0), @"
    $ rein incident use INC-42
    --- stderr
    changes now belong to INC-42; `rein incident use --clear` ends that
    ");
    desk.types(&format!("{OFF} --for 30m --yes")).done();
    let kept = id(&desk.types("rein switch off order/coupons --for 30m --yes -o json").exit(0));
    shows!(desk.types("rein incident show").exit(0), @"
    $ rein incident show
    INC-42  open · opened [time] by admin

    CHANGE  WHAT  BY  INCIDENT  SINCE  UNTIL  STATE
    [change]  order/coupons off  admin  INC-42  [time]  [time]  in force
    [change]  order/recommendations off  admin  INC-42  [time]  [time]  in force
    ");
    shows!(desk.types("rein incident extend INC-42 --for 1h").exit(0), @"
    $ rein incident extend INC-42 --for 1h
    [change]  order/coupons off · until [time] → [time] (in [span])
    [change]  order/recommendations off · until [time] → [time] (in [span])
      order/coupons: received 1 of 1 connected
      order/recommendations: received 1 of 1 connected
    ");
    shows!(desk.types(&format!("rein incident close INC-42 --keep {kept} --dry-run")).exit(0), @"
    $ rein incident close INC-42 --keep [change] --dry-run
    order/recommendations  off → on
    ends 1 change: [change]
    keeps until their own deadline: [change]
    --- stderr
    dry run: nothing was changed
    ");
    shows!(desk.types(&format!("rein incident close INC-42 --keep {kept} --yes")).exit(0), @"
    $ rein incident close INC-42 --keep [change] --yes
    INC-42 is closed
    order/recommendations  off → on
    ends 1 change: [change]
    keeps until their own deadline: [change]
      received 1 of 1 connected
    --- stderr
    order/recommendations  off → on
    ends 1 change: [change]
    keeps until their own deadline: [change]
    INC-42 is no longer the incident in use
    ");
    assert!(service.on("order.recommendations") && !service.on("order.coupons"));
    shows!(desk.types("rein incident show INC-42").exit(0), @"
    $ rein incident show INC-42
    INC-42  closed by admin at [time] · opened [time] by admin
      kept until their own deadline: [change]

    CHANGE  WHAT  BY  INCIDENT  SINCE  UNTIL  STATE
    [change]  order/coupons off  admin  INC-42  [time]  [time]  in force
    [change]  order/recommendations off  admin  INC-42  [time]  [time]  closed
    ");
    // Closed is closed.
    shows!(desk.types(&format!("{OFF} --for 30m --incident INC-42 --yes")).exit(3), @"
    $ rein switch off order/recommendations --for 30m --incident INC-42 --yes
    --- stderr
    error: INC-42 was closed by admin; it takes no new changes
    hint: name another incident: --incident NAME
    --- exit 3
    ");
    desk.types("rein incident use --clear").done();
}

#[test]
fn an_incident_is_closed_at_a_pace() {
    let (_server, desk, service) = company("flow-pace");
    desk.types(&format!("{OFF} --for 30m --incident INC-7 --yes")).done();
    desk.types("rein switch off order/coupons --for 30m --incident INC-7 --yes").done();
    let began = std::time::Instant::now();
    let closed = desk.types("rein incident close INC-7 --pace 1s --yes").exit(0);
    assert!(began.elapsed() >= secs(1), "there is a pause between the two");
    shows!(closed, @"
    $ rein incident close INC-7 --pace 1s --yes
    INC-7 is closed
    order/coupons  off → on
    order/recommendations  off → on
    ends 2 changes, newest first: [change], [change]
      order/coupons: received 1 of 1 connected
      order/recommendations: received 1 of 1 connected
    --- stderr
    order/coupons  off → on
    order/recommendations  off → on
    ends 2 changes, newest first: [change], [change]
    1 of 2 ended: [change]
    order/coupons  off → on
    2 of 2 ended: [change]
    order/recommendations  off → on
    ");
    assert!(service.on("order.recommendations") && service.on("order.coupons"));
}

#[test]
fn switches_are_declared_in_files_and_come_back_as_such() {
    let (_server, desk, _service) = company("flow-apply");
    shows!(desk.types("rein diff -f switches.yaml --exit-code").exit(0), @"
    $ rein diff -f switches.yaml --exit-code
    --- stderr
    no differences
    ");
    let text =
        crate::kit::server::SWITCHES.replace("level: 4", "level: 3").replace("team-payment", "team-pay");
    let text =
        text + "---\nkind: switch\nname: sms/marketing\nowner: team-sms\nlevel: 4\nlost: news by text\n";
    std::fs::write(desk.home().join("next.yaml"), text).unwrap();
    shows!(desk.types("rein diff -f next.yaml").exit(0), @"
    $ rein diff -f next.yaml
    ~ order/coupons
      level: 4 → 3
    ~ payment/card
      owner: team-payment → team-pay
    ~ payment/wallet
      owner: team-payment → team-pay
    + sms/marketing
    ");
    let _ = desk.types("rein diff -f next.yaml --exit-code").exit(10);
    shows!(desk.types("rein apply -f next.yaml --dry-run").exit(0), @"
    $ rein apply -f next.yaml --dry-run
    SWITCH  OUTCOME  NOTE
    order/recommendations  unchanged  -
    order/coupons  altered  -
    payment/card  altered  -
    payment/wallet  altered  -
    sms/marketing  created  -
    --- stderr
    dry run: nothing was declared
    ");
    let _ = desk.types("rein diff -f next.yaml --exit-code").exit(10);
    shows!(desk.types("rein apply -f next.yaml").exit(0), @"
    $ rein apply -f next.yaml
    SWITCH  OUTCOME  NOTE
    order/recommendations  unchanged  -
    order/coupons  altered  -
    payment/card  altered  -
    payment/wallet  altered  -
    sms/marketing  created  -
    ");
    shows!(desk.types("rein apply -f next.yaml").exit(0), @"
    $ rein apply -f next.yaml
    SWITCH  OUTCOME  NOTE
    order/recommendations  unchanged  -
    order/coupons  unchanged  -
    payment/card  unchanged  -
    payment/wallet  unchanged  -
    sms/marketing  unchanged  -
    ");
    // What is exported is what was applied: as one stream, and as a directory.
    let exported = desk.types("rein export").done();
    std::fs::write(desk.home().join("exported.yaml"), exported).unwrap();
    let _ = desk.types("rein diff -f exported.yaml --exit-code").exit(0);
    desk.types("rein export all").done();
    desk.types("rein export all-json -o json").done();
    for dir in ["all", "all-json"] {
        let said = desk.types(&format!("rein diff -f {dir} --exit-code")).exit(0);
        assert!(!said.err.contains("not in these files"), "{}", said.err);
    }
    let hidden = desk.types(&format!("{OFF} --for 10m --yes -o json")).exit(0);
    let text = std::fs::read_to_string(desk.home().join("next.yaml")).unwrap();
    let text = text.replacen("level: 3\n", "level: 3\ndefault: off\n", 1);
    std::fs::write(desk.home().join("next.yaml"), text).unwrap();
    shows!(desk.types("rein apply -f next.yaml").exit(0), @"
    $ rein apply -f next.yaml
    SWITCH  OUTCOME  NOTE
    order/recommendations  altered  hidden by layers until [time]
    order/coupons  unchanged  -
    payment/card  unchanged  -
    payment/wallet  unchanged  -
    sms/marketing  unchanged  -
    ");
    drop(id(&hidden));
}

#[test]
fn tokens_open_what_they_say_and_no_more() {
    let (_server, desk, _service) = company("flow-tokens");
    let bob = desk.colleague("bob", "operator", "order/*");
    shows!(bob.types("rein auth whoami").exit(0), @"
    $ rein auth whoami
    bob: operator of order/* until [time] (in [span])
    ");
    shows!(bob.types("rein auth can-i switch:off 'order/*'").exit(0), @"
    $ rein auth can-i switch:off order/*
    yes: bob is operator of order/*
    ");
    shows!(bob.types("rein auth can-i switch:off payment/card").exit(6), @"
    $ rein auth can-i switch:off payment/card
    no: bob is operator of order/*
    --- exit 6
    ");
    shows!(bob.types("rein switch off payment/card --for 10m --yes").exit(6), @"
    $ rein switch off payment/card --for 10m --yes
    --- stderr
    error: bob may not switch:off on payment/card
    hint: rein auth can-i switch:off 'payment/card' says what your token grants
    --- exit 6
    ");
    shows!(bob.types("rein token create --actor eve --role admin --pattern '*' --for 1h").exit(6), @"
    $ rein token create --actor eve --role admin --pattern * --for 1h
    --- stderr
    error: bob may not token:manage on order/*
    hint: rein auth can-i token:manage 'order/*' says what your token grants
    --- exit 6
    ");
    let list = desk.types("rein token list").exit(0);
    assert!(list.out.contains("bob") && list.out.contains("order/*"), "{}", list.out);
    let token = desk.types("rein token list -o json").json();
    let token = token["tokens"].as_array().unwrap().iter().find(|t| t["actor"] == "bob").unwrap().clone();
    let id = token["id"].as_str().unwrap();
    desk.types(&format!("rein token revoke {id} --yes")).done();
    shows!(bob.types("rein status").exit(1), @"
    $ rein status
    --- stderr
    error: the token is unknown or has expired
    hint: ask an admin for a new one: rein token create
    --- exit 1
    ");
}

#[test]
fn a_watcher_sees_each_thing_once_and_in_order() {
    let (mut server, desk, _service) = company("flow-watch");
    let mut child = Watched(desk.spawn(&["watch", "-o", "json"]));
    let (say, lines) = channel();
    let (out, err) = (child.0.stdout.take().unwrap(), child.0.stderr.take().unwrap());
    thread::spawn(move || {
        BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| say.send(line))
    });
    let (note, notes) = channel();
    thread::spawn(move || {
        BufReader::new(err).lines().map_while(Result::ok).try_for_each(|line| note.send(line))
    });
    let said = |what: &str| {
        until(what, secs(15), || notes.try_iter().find(|line| line.contains(what)));
    };
    said("watching; Ctrl-C stops");
    let change = desk.lays("off order/recommendations --for 10m");
    let id = change["id"].as_str().unwrap();
    let next = || -> serde_json::Value {
        serde_json::from_str(&lines.recv_timeout(secs(10)).expect("a line comes")).unwrap()
    };
    let laid = until("the change's line", secs(10), || Some(next()).filter(|event| event["name"] == id));
    assert!(laid["text"].as_str().unwrap().contains("order/recommendations"), "{laid}");
    // A lost connection is got back, and what happened meanwhile is told.
    server.crash();
    said("connection lost");
    server.start_again();
    desk.types(&format!("rein change end {id} --yes --no-wait")).done();
    let ended = until("the end's line", secs(15), || Some(next()).filter(|event| event["name"] == id));
    assert!(ended["revision"].as_i64() > laid["revision"].as_i64(), "{laid} {ended}");
}

#[test]
fn the_audit_trail_says_who_did_what_and_verifies() {
    let (_server, desk, _service) = company("flow-audit");
    let bob = desk.colleague("bob", "operator", "order/*");
    bob.types(&format!("{OFF} --for 30m --reason 'db slow' --incident INC-42 --yes")).done();
    bob.types("rein undo --yes").done();
    let _ = bob.types("rein switch off payment/card --for 10m --yes").exit(6);
    let list = desk.types("rein audit list --since 1h -o json").json();
    let all = list["entries"].as_array().unwrap();
    let bobs: Vec<_> = all.iter().filter(|entry| entry["actor"] == "bob").collect();
    assert_eq!(bobs.len(), 2, "each act once, and what was refused is none: {bobs:?}");
    shows!(desk.types("rein audit list --since 1h --limit 3").exit(0), @"
    $ rein audit list --since 1h --limit 3
    WHEN  WHO  WHAT  ON  INCIDENT  REASON  DETAIL
    [time]  bob  change:undo  order/recommendations  INC-42  -  end [change]
      (order/recommendations
      off)
    [time]  bob  switch:off  order/recommendations  INC-42  db slow  order/recommendations off
      until [time]
    [time]  admin  token:create  token [token]  -  -  operator of order/* for
      bob until [time]
    ");
    let proved = until("a checkpoint to be signed", secs(10), || {
        let said = desk.types("rein audit verify -o json").json();
        (said["lanes"].as_array()?.iter().all(|lane| lane["unproved"] == 0)).then_some(said)
    });
    assert_eq!(proved["key_pinned"], false);
    let verified = desk.types("rein audit verify").exit(0);
    assert!(verified.out.contains("nothing was altered, cut or reordered"), "{}", verified.out);
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let (_server, desk, _service) = company("flow-prompt");
    let id =
        desk.lays("off order/recommendations --for 10m --incident INC-9")["id"].as_str().unwrap().to_owned();
    let before = desk.footprint();
    for line in [
        "rein switch off order/coupons --for 10m".to_owned(),
        "rein switch on order/recommendations".to_owned(),
        format!("rein switch on order/recommendations --supersede {id}"),
        format!("rein change end {id}"),
        "rein undo".to_owned(),
        "rein incident close INC-9".to_owned(),
    ] {
        let said = desk.types(&line);
        assert!(matches!(said.exit, 2 | 3), "{}", said.whole());
        assert!(said.err.contains("hint:"), "{}", said.whole());
    }
    shows!(desk.types("rein switch off order/coupons --for 10m").exit(2), @"
    $ rein switch off order/coupons --for 10m
    --- stderr
    order/coupons  on → off
      lost  coupons at checkout
      owner  team-order · level 4
      heard  1 connected; nobody declared how many to expect
    until [time] (in [span])
    door flagd  1 client · deadline kept by client ·
      when Rein dies: clients keep the last set they got and still revert at its deadlines
    door ofrep  0 clients · deadline kept by rein ·
      when Rein dies: clients fall back to the default in their code
    door unleash  0 clients · deadline kept by client ·
      when Rein dies: clients keep the last set they got and still revert at its deadlines; a flag they never got is false
    error: nobody can be asked to confirm: standard input is no terminal
    hint: add --yes to go on without being asked, or --dry-run to only look
    --- exit 2
    ");
    assert_eq!(desk.footprint(), before, "nothing was changed");
}

#[test]
fn a_dry_run_changes_nothing() {
    let (_server, desk, _service) = company("flow-dry");
    let id =
        desk.lays("off order/recommendations --for 10m --incident INC-9")["id"].as_str().unwrap().to_owned();
    let before = desk.footprint();
    shows!(desk.types("rein switch off order/coupons --percent 20 --zone sh --for 10m --dry-run").exit(0), @"
    $ rein switch off order/coupons --percent 20 --zone sh --for 10m --dry-run
    order/coupons  on → 20 % off in sh
      lost  coupons at checkout
      owner  team-order · level 4
      heard  1 connected; nobody declared how many to expect
    until [time] (in [span])
    door flagd  1 client · deadline kept by client ·
      when Rein dies: clients keep the last set they got and still revert at its deadlines
    door ofrep  0 clients · deadline kept by rein ·
      when Rein dies: clients fall back to the default in their code
    door unleash  0 clients · deadline kept by client ·
      when Rein dies: clients keep the last set they got and still revert at its deadlines; a flag they never got is false
    --- stderr
    dry run: nothing was changed
    ");
    for line in [
        format!("rein change end {id} --dry-run"),
        format!("rein change extend {id} --for 1h --dry-run"),
        "rein undo --dry-run".to_owned(),
        "rein incident extend INC-9 --for 1h --dry-run".to_owned(),
        "rein incident close INC-9 --dry-run".to_owned(),
    ] {
        desk.types(&line).done();
    }
    assert_eq!(desk.footprint(), before, "nothing was changed");
}

#[test]
fn no_server_is_said_with_what_to_type() {
    let (mut server, desk, _service) = company("flow-unreachable");
    server.stop();
    for line in ["rein status", "rein switch off order/recommendations --for 10m --yes", "rein undo --yes"] {
        let _ = desk.types(line).exit(4).says("cannot reach");
    }
    shows!(desk.types("rein switch list").exit(4), @"
    $ rein switch list
    --- stderr
    error: cannot reach http://[address]: Connection refused (os error 111)
    hint: rein server  # start one here, or `rein demo` for a whole company
    hint: rein context list  # or choose another with --server URL, REIN_SERVER
    --- exit 4
    ");
}

#[test]
fn contexts_are_remembered_and_chosen() {
    let (server, desk, _service) = company("flow-contexts");
    let token = server.data().join("admin.token").display().to_string();
    let bare = desk.with("REIN_SERVER", "").with("REIN_TOKEN_FILE", "");
    bare.types(&format!("rein context add prod --server {} --token-file {token}", server.url())).done();
    bare.types("rein context add lab --server http://127.0.0.1:9").done();
    bare.types("rein context use prod").done();
    let list = bare.types("rein context list").exit(0);
    assert!(list.out.contains("prod") && list.out.contains("lab"), "{}", list.out);
    bare.types("rein status").done();
    let _ = bare.types("rein status --context lab").exit(4);
    let _ = bare.types("rein status --context prd").exit(2).says("did you mean prod?");
    let other = bare.with("REIN_SERVER", "http://127.0.0.1:9");
    let _ = other.types("rein status").exit(4).says("127.0.0.1:9");
}
