//! Nodes that are no instances, and instances whose text would deceive a reader.

use super::{entry, path, start};
use crate::kit::wait::{secs, until_true};
use serde_json::json;
use std::collections::BTreeMap;

#[test]
fn hostile_nodes_are_bounded_escaped_and_leave_the_others_readable() {
    let Some(one) = start("zookeeper-hostile", "never") else { return };
    one.register(&["i-1", "i-2"]);
    for name in ["a b", "A:B c", "\u{202e}evil", "x#y", "'; DROP TABLE", "строка"] {
        let line = "a\nb\u{1b}[31mred\u{202e}";
        let odd = json!({ "name": line, "id": line, "address": line, "port": 1, "payload": { "zone": line, name: line } });
        one.create(&format!("/services/{name}/i-9"), &odd.to_string(), false);
        one.create(&path(name), &odd.to_string(), true);
    }
    // Not an instance: too large, no JSON, another serializer's, a service within a service.
    one.create(&path("huge"), &format!(r#"{{"name":"order","id":"{}"}}"#, "x".repeat(900_000)), false);
    one.create(&path("none"), "no JSON \u{1b}]0;owned\u{7}", false);
    one.create(&path("other"), r#"{"host":"10.0.0.9"}"#, false);
    one.create("/services/nested/order/i-9", &entry("i-9", true), false);
    let payload: BTreeMap<_, _> = (0..500).map(|n| (n.to_string(), "v")).collect();
    one.create(
        &path("many"),
        &json!({ "name": "order", "id": "many", "payload": payload }).to_string(),
        true,
    );
    let unread = "entries are no instances or cannot be read";
    until_true("all of it is listed", secs(30), || {
        one.desk.types("rein service list").out.contains(unread) && one.instances().len() == 9
    });
    for line in [
        "rein service list",
        "rein service list -o wide",
        "rein service show order -o wide",
        "rein backend check zk-sh",
    ] {
        let said = one.desk.types(line);
        let unsafe_char = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!said.out.chars().any(unsafe_char), "{line}: {:?}", said.out);
    }
    let odd = one.instances().iter().find(|i| i["metadata"]["registered-id"] == "a b").cloned();
    let id = odd.as_ref().and_then(|odd| odd["id"].as_str()).expect("it is shown");
    let before = one.data("a b");
    let line = format!("rein service drain order/{id} --for 5m --force --yes --timeout 30s");
    let _ = one.desk.types(&line).exit(0);
    assert!(one.data("a b").contains(r#","enabled":false}"#), "{}", one.data("a b"));
    let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
    until_true("it is back", secs(20), || one.data("a b") == before);
}
