//! Other hands: people, agents and instances that write what Rein has written.

use super::{declare, port, start};
use crate::kit::wait::{secs, throughout, until_true};
use serde_json::{Value, json};

#[test]
fn maintenance_of_somebody_else_is_shown_and_never_ended() {
    let Some(one) = start("consul-foreign", 1, "") else { return };
    one.register(&["i-1", "i-2", "i-3", "i-4"]);
    one.ask(&json!({ "maintain": "i-1", "reason": "bob changes a disk" }));
    until_true("it is shown without traffic", secs(30), || {
        one.instances().iter().any(|i| i["id"] == "i-1" && i["served"] == false)
    });
    let metadata =
        |all: &[Value]| all.iter().find(|i| i["id"] == "i-1").map(|i| i["metadata"]["maintenance"].clone());
    assert_eq!(metadata(&one.instances()), Some(json!("bob changes a disk")));
    // A drain over it adds nothing, and its end takes nothing away.
    let line = "rein service drain order/i-1 --for 20m --yes --timeout 30s";
    let _ = one.desk.types(line).exit(0);
    let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
    throughout("it stays", secs(2), || one.maintenance("i-1").as_deref() == Some("bob changes a disk"));
    one.ask(&json!({ "maintain": "i-1" }));
    until_true("it is served", secs(30), || {
        one.instances().iter().any(|i| i["id"] == "i-1" && i["served"] == true)
    });
}

#[test]
fn who_ends_a_drain_by_hand_is_a_conflict_unless_the_backend_says_otherwise() {
    let Some(one) = start("consul-hand", 1, "") else { return };
    one.register(&["i-1", "i-2", "i-3"]);
    let change = one.drain("i-1");
    one.ask(&json!({ "maintain": "i-1" }));
    until_true("it is in conflict", secs(30), || one.state(&change) == "conflict");
    assert_eq!(one.maintenance("i-1"), None, "nobody overrules it unasked");
    let _ = one.desk.types(&format!("rein change resolve {change} --reassert --yes")).exit(0);
    until_true("it is out again", secs(20), || one.maintenance("i-1").is_some());
    // The same with a backend that is written over.
    declare(&one.desk, &one.consul, 1, "reassert: limited\n");
    until_true("it is in force", secs(20), || one.state(&change) == "in force");
    one.ask(&json!({ "maintain": "i-1" }));
    until_true("it is out without a person", secs(20), || one.maintenance("i-1").is_some());
    let _ = one.desk.types("rein audit list").exit(0).prints("cell:reassert");
}

#[test]
fn who_leaves_and_registers_anew_is_not_drained_and_who_only_registers_again_is() {
    let Some(one) = start("consul-anew", 1, "") else { return };
    one.register(&["i-1", "i-2", "i-3", "i-4"]);
    let (first, second) = (one.drain("i-1"), one.drain("i-2"));
    // Its own registration once more: nothing has ended.
    let number: u16 = port("i-1").parse().unwrap();
    let again =
        json!({ "register": "i-1", "port": number, "meta": { "zone": "sh", "more": "x" }, "weight": 100 });
    one.ask(&again);
    one.ask(&json!({ "deregister": "i-2" }));
    until_true("the drain is over nobody", secs(30), || one.state(&second) == "moot");
    one.register(&["i-2"]);
    until_true("it is found", secs(5), || one.dns().contains_key(&port("i-2")));
    throughout("the other one is out", secs(3), || {
        !one.dns().contains_key(&port("i-1")) && one.dns().contains_key(&port("i-2"))
    });
    assert_eq!(one.state(&first), "in force");
    for change in [&first, &second] {
        let _ = one.desk.types(&format!("rein change end {change} --yes --timeout 30s")).exit(0);
    }
    until_true("all are found", secs(20), || one.dns().len() == 4);
}

#[test]
fn an_instance_whose_agent_is_not_named_is_not_drained_and_that_is_said() {
    let Some(one) = start("consul-unnamed", 2, "") else { return };
    // As if nobody had named the second node's agent.
    declare(&one.desk, &one.consul, 1, "");
    one.register(&["i-1", "i-2"]);
    let far = json!({ "Name": "order", "ID": "i-3", "Address": "10.0.0.8", "Port": 8083, "Meta": { "zone": "sh" } });
    one.consul.register(1, &far);
    until_true("all are known", secs(30), || one.instances().len() == 3);
    let checked = one.desk.types("rein backend check consul-sh");
    assert!(checked.out.contains("nobody can be drained on n1: not named in agents"), "{}", checked.out);
    let asked = one.desk.types("rein service drain order/i-3 --for 5m --force --yes --timeout 4s");
    let text = format!("{}{}", asked.out, asked.err);
    assert!(asked.exit == 5 && text.contains("the agent of node n1 is not known"), "{} {text}", asked.exit);
    let asked = one.desk.types("rein change list --active -o json").json()["changes"][0]["id"].clone();
    assert_eq!(one.state(asked.as_str().unwrap()), "pending");
    // Named, it is done.
    let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
    declare(&one.desk, &one.consul, 2, "");
    until_true("all are known again", secs(30), || one.instances().len() == 3);
    let _ = one.drain("i-3");
    until_true("it is out", secs(2), || !one.dns().contains_key("8083"));
}
