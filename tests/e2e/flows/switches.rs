//! Look, flip, give back.

use crate::flows::{FILTERS, OFF, company, id, shows};
use crate::kit::wait::{secs, until_true};

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
    changes seen from: rein; not connected: nobody else is declared (rein mark)
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
    changes seen from: rein; not connected: nobody else is declared (rein mark)
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
