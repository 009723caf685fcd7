//! Entries whose text would deceive a reader, that Consul itself cannot tell, and that come and go all the time.

use super::start;
use crate::kit::wait::{secs, until_true};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[test]
fn hostile_entries_are_bounded_escaped_and_leave_the_others_readable() {
    let Some(one) = start("consul-hostile", 1, "") else { return };
    one.register(&["i-1", "i-2"]);
    let line = "a\nb\u{1b}[31mred\u{202e}";
    let put = |service: &str, id: &str| {
        let odd = json!({ "Name": service, "ID": id, "Address": line, "Port": 1, "Tags": [line], "Meta": { "zone": line, "x": line } });
        one.consul.call(0, "PUT", "/v1/agent/service/register", &odd);
    };
    for (n, name) in ["a b", "A/B c", "\u{202e}evil", "x#y%", "'; DROP TABLE", "строка", "..", "a\nb", "a//b"]
        .iter()
        .enumerate()
    {
        put(name, &format!("odd-{n}"));
        put("order", name);
    }
    let many: BTreeMap<_, _> = (0..64).map(|n| (format!("k{n}"), "v".repeat(500))).collect();
    one.consul.call(
        0,
        "PUT",
        "/v1/agent/service/register",
        &json!({ "Name": "order", "ID": "many", "Meta": many }),
    );
    let unread = "entries are no instances or cannot be read";
    until_true("all of it is listed", secs(30), || {
        one.desk.types("rein service list").out.contains(unread) && one.instances().len() == 12
    });
    for line in [
        "rein service list",
        "rein service list -o wide",
        "rein service show order -o wide",
        "rein backend check consul-sh",
    ] {
        let said = one.desk.types(line);
        let unsafe_char = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!said.out.chars().any(unsafe_char), "{line}: {:?}", said.out);
    }
    let named = |name: &str| {
        let odd = one.instances().into_iter().find(|i| i["metadata"]["registered-id"] == name);
        odd.and_then(|odd| odd["id"].as_str().map(str::to_owned)).expect("it is shown")
    };
    for name in ["a b", "A/B c", "x#y%"] {
        let line = format!("rein service drain order/{} --for 5m --force --yes --timeout 30s", named(name));
        let _ = one.desk.types(&line).exit(0);
        assert!(one.maintenance(name).is_some(), "{name}");
        let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
        until_true("it is back", secs(20), || one.maintenance(name).is_none());
    }
    // Consul takes no such path, and nobody else is touched in its stead.
    let line = format!("rein service drain order/{} --for 5m --force --yes --timeout 3s", named("a//b"));
    assert_eq!(one.desk.types(&line).exit, 5);
    assert_eq!(one.maintenance("a//b"), None);
}

#[test]
fn instances_that_flap_a_hundred_times_a_second_leave_the_others_usable() {
    let Some(one) = start("consul-flaps", 1, "") else { return };
    one.register(&["i-1", "i-2", "i-3"]);
    let over = AtomicBool::new(false);
    let (consul, ends) = (&one.consul, &over);
    let node = json!({ "Node": "outside", "Address": "10.9.9.9" });
    consul.call(0, "PUT", "/v1/catalog/register", &node);
    // Ten come or go with one transaction.
    let flaps = move || {
        let mut times = 0_u32;
        while !ends.load(Ordering::Relaxed) {
            let verb = if times.is_multiple_of(20) { "set" } else { "delete" };
            let one = |n: u32| {
                let flap = json!({ "Service": "flap", "ID": format!("f-{n}"), "Port": 1 });
                json!({ "Service": { "Verb": verb, "Node": "outside", "Service": flap } })
            };
            consul.call(0, "PUT", "/v1/txn", &(0..10).map(one).collect());
            times += 10;
        }
        times
    };
    std::thread::scope(|scope| {
        let thread = scope.spawn(flaps);
        let began = Instant::now();
        let change = one.drain("i-1");
        assert!(!one.dns().contains_key("8081"), "it is drained all the same");
        let mut slowest = Duration::ZERO;
        while began.elapsed() < secs(5) {
            let asked = Instant::now();
            let _ = one.desk.types("rein service show order").exit(0).prints("3/3 up");
            slowest = slowest.max(asked.elapsed());
        }
        let _ = one.desk.types(&format!("rein change end {change} --yes --timeout 30s")).exit(0);
        let took = began.elapsed();
        over.store(true, Ordering::Relaxed);
        let times = thread.join().unwrap();
        assert!(f64::from(times) / took.as_secs_f64() > 100.0, "{times} in {took:?}");
        assert!(slowest < secs(2), "{slowest:?}");
    });
    until_true("all are found", secs(20), || one.dns().len() == 3);
}
