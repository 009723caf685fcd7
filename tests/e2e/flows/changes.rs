//! Changes and the incidents that tie them together.

use crate::flows::{FILTERS, OFF, company, fresh_key, id, shows};
use crate::kit::wait::secs;

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
    // What ended with its incident is not laid again into it.
    shows!(desk.types("rein undo --yes").exit(3), @"
    $ rein undo --yes
    --- stderr
    error: INC-7 was closed by admin; it takes no new changes
    hint: rein change show [change]  # what it was; lay it anew, for another incident
    --- exit 3
    ");
}
