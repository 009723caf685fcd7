//! Services that are registered elsewhere: a real etcd, in the layout of gRPC's naming, and clients that know
//! nothing of Rein.

use crate::kit::client::Client;
use crate::kit::desk::Desk;
use crate::kit::http;
use crate::kit::server::Server;
use crate::kit::wait::{secs, throughout, until_true};
use rein_parts::Etcd;
use serde_json::{Value, json};
use std::fs;
use std::time::Instant;

/// An etcd, and a server that knows it as `etcd-sh`.
struct Registered {
    etcd: Etcd,
    server: Server,
    desk: Desk,
}

fn start(test: &str, reassert: &str) -> Option<Registered> {
    let etcd = Etcd::start(1)?;
    let server = Server::start(test);
    let desk = server.desk();
    declare(&desk, "etcd-sh", &etcd, reassert);
    Some(Registered { etcd, server, desk })
}

fn declare(desk: &Desk, name: &str, etcd: &Etcd, reassert: &str) {
    let config = format!("{{endpoints: ['http://{}'], prefix: services/}}", etcd.addresses()[0]);
    let text = format!(
        "kind: backend\nname: {name}\nplugin: etcd\nowner: sre\nreassert: {reassert}\nconfig: {config}\n"
    );
    fs::write(desk.home().join("registry.yaml"), text).unwrap();
    let _ = desk.types("rein apply -f registry.yaml").exit(0).prints(name);
}

fn key(port: u16) -> String {
    format!("services/order/10.0.0.7:{port}")
}

fn entry(port: u16, zone: &str) -> String {
    // As the library writes it, with a field that nobody here knows.
    format!(
        r#"{{"Op":0,"Addr":"10.0.0.7:{port}","Metadata":{{"zone":"{zone}","version":"v2.4"}},"Later":[1.0]}}"#
    )
}

impl Registered {
    /// Registers instances of `order` in one zone, each under a lease of its own.
    fn register(&self, ports: std::ops::Range<u16>, zone: &str) -> Vec<i64> {
        let one = |port| {
            let lease = self.etcd.grant(600);
            self.etcd.put(&key(port), &entry(port, zone), lease);
            lease
        };
        ports.map(one).collect()
    }

    fn instances(&self) -> Vec<Value> {
        let said = self.desk.types("rein service show order -o json");
        let known = said.exit == 0;
        if known { said.json()["instances"].as_array().cloned().unwrap_or_default() } else { Vec::new() }
    }

    fn until_known(&self, count: usize) {
        until_true(&format!("{count} instances are known"), secs(30), || self.instances().len() == count);
    }

    fn state(&self, change: &str) -> String {
        let said = self.desk.types(&format!("rein change show {change} -o json")).json();
        said["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Drains one, and gives the change's id.
    fn drain(&self, port: u16, more: &str) -> String {
        let line = format!("rein service drain order/10.0.0.7:{port} --for 20m --yes -o json {more}");
        let view = self.desk.types(&line).json();
        view["change"]["id"].as_str().unwrap_or_else(|| panic!("{view}")).to_owned()
    }
}

#[test]
fn a_drain_takes_the_entry_away_and_undo_puts_it_back_as_it_was() {
    let Some(one) = start("registries-drain", "never") else { return };
    one.register(1..4, "sh");
    one.until_known(3);
    let _ = one.desk.types("rein service list").exit(0).prints("order").prints("3/3").prints("sh 3/3");
    let before = one.etcd.get(&key(1)).expect("it is registered");
    let preview = one.desk.types("rein service drain order/10.0.0.7:1 --for 20m --dry-run").done();
    assert!(preview.contains("etcd-sh: 1 entry") && preview.contains("sh 2 of 3 healthy"), "{preview}");
    assert_eq!(one.etcd.get(&key(1)), Some(before.clone()), "a preview writes nothing");
    let began = Instant::now();
    let drained = one
        .desk
        .types("rein service drain order/10.0.0.7:1 --for 20m --incident INC-42 --yes --timeout 30s")
        .exit(0)
        .prints("held on 1/1 peers");
    assert_eq!(one.etcd.get(&key(1)), None, "{}", drained.out);
    assert!(began.elapsed() < secs(20), "{:?}", began.elapsed());
    // It is not forgotten, although the registry does not list it any more.
    let mut shown = String::new();
    until_true("it is known to be out", secs(20), || {
        shown = one.desk.types("rein service show order").done();
        shown.contains("taken out")
    });
    for text in ["100 → drained", "etcd-sh", "INC-42", "v2.4"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let _ = one.desk.types("rein status").exit(0).prints("drained");
    // What would leave too little is refused, and what the backend cannot do says so.
    let bob = one.desk.colleague("bob", "operator", "*");
    let refused = bob.types("rein service drain order/10.0.0.7:2 --for 5m --yes");
    assert!(refused.exit == 6 && refused.err.contains("healthy instances with traffic"), "{}", refused.err);
    let weighed = bob.types("rein service weigh order/10.0.0.7:2 10 --for 5m --yes");
    assert!(
        weighed.exit == 2 && weighed.err.contains("knows no weights"),
        "{} {}",
        weighed.exit,
        weighed.err
    );
    let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
    until_true("it is back", secs(20), || one.etcd.get(&key(1)) == Some(before.clone()));
    until_true("it gets traffic", secs(20), || one.instances().iter().all(|i| i["served"] == true));
    assert!(
        one.desk.types("rein backend show etcd-sh -o json").json()["cells"].as_array().unwrap().is_empty()
    );
    let _ = one.desk.types("rein audit verify").exit(0);
}

#[test]
fn who_dies_while_drained_is_not_brought_back() {
    let Some(one) = start("registries-dead", "never") else { return };
    let leases = one.register(1..5, "sh");
    one.until_known(4);
    let (first, second) = (one.drain(1, "--timeout 30s"), one.drain(2, "--timeout 30s"));
    assert_eq!((one.etcd.get(&key(1)), one.etcd.get(&key(2))), (None, None));
    // One ends for good; the other starts anew, under a lease of its own: it is somebody else.
    one.etcd.revoke(leases[0]);
    one.etcd.revoke(leases[1]);
    let anew = one.etcd.grant(600);
    one.etcd.put(&key(2), &entry(2, "sh"), anew);
    for change in [&first, &second] {
        until_true("the drain is over nobody", secs(30), || one.state(change) == "moot");
    }
    one.until_known(3);
    let _ = one.desk.types(&format!("rein change end {first} --yes --timeout 30s")).exit(0);
    let _ = one.desk.types(&format!("rein change end {second} --yes --timeout 30s")).exit(0);
    throughout("nobody is put back", secs(3), || {
        one.etcd.get(&key(1)).is_none() && one.etcd.get(&key(2)).is_some_and(|(_, lease)| lease == anew)
    });
}

#[test]
fn who_writes_its_own_entry_again_is_a_conflict_unless_the_backend_says_otherwise() {
    let Some(one) = start("registries-again", "never") else { return };
    let leases = one.register(1..4, "sh");
    one.until_known(3);
    let change = one.drain(1, "--timeout 30s");
    one.etcd.put(&key(1), &entry(1, "sh"), leases[0]);
    until_true("it is in conflict", secs(30), || one.state(&change) == "conflict");
    assert!(one.etcd.get(&key(1)).is_some(), "nobody overrules it unasked");
    let _ = one.desk.types(&format!("rein change resolve {change} --reassert --yes")).exit(0);
    until_true("it is out again", secs(20), || one.etcd.get(&key(1)).is_none());
    // The same with a backend that is written over.
    declare(&one.desk, "etcd-sh", &one.etcd, "limited");
    until_true("it is in force", secs(20), || one.state(&change) == "in force");
    one.etcd.put(&key(1), &entry(1, "sh"), leases[0]);
    until_true("it is out again without a person", secs(20), || one.etcd.get(&key(1)).is_none());
    let _ = one.desk.types("rein audit list").exit(0).prints("cell:reassert");
}

#[test]
fn a_registry_that_is_away_is_stale_and_what_is_asked_meanwhile_is_done_later() {
    let Some(mut one) = start("registries-away", "never") else { return };
    one.register(1..7, "sh");
    one.until_known(6);
    let early = one.drain(1, "--timeout 30s");
    one.etcd.kill(0);
    until_true("its age is shown", secs(30), || {
        let said = one.desk.types("rein service list");
        said.exit == 0 && said.out.contains("etcd-sh as it was known") && said.out.contains("6/6")
    });
    let shown = one.desk.types("rein service show order").done();
    assert!(shown.contains(" ago") && shown.matches("drained").count() >= 1, "{shown}");
    let asked = one.desk.types("rein service drain order/10.0.0.7:2 --for 20m --yes --timeout 1s -o json");
    assert_eq!(asked.exit, 5, "{}{}", asked.out, asked.err);
    let late = one.desk.types("rein change list --active -o json").json()["changes"][0]["id"].clone();
    let late = late.as_str().unwrap().to_owned();
    assert_eq!(one.state(&late), "pending");
    // Rein dies too, and comes back first: nothing it was told is lost, and nobody counts as gone.
    one.server.crash();
    one.server.start_again();
    assert_eq!(one.state(&late), "pending");
    until_true("whom Rein holds is known", secs(30), || {
        one.instances().iter().any(|i| i["id"] == "10.0.0.7:1" && i["effective"] == 0)
    });
    one.etcd.run(0);
    one.etcd.serves();
    until_true("it is done", secs(30), || one.etcd.get(&key(2)).is_none() && one.state(&late) == "in force");
    assert_eq!(one.etcd.get(&key(1)), None, "nobody was brought back by accident");
    for port in 3..7 {
        assert!(one.etcd.get(&key(port)).is_some(), "nobody was drained by accident");
    }
    for change in [early, late] {
        let _ = one.desk.types(&format!("rein change end {change} --yes --timeout 30s")).exit(0);
    }
    until_true("both are back", secs(20), || {
        one.etcd.get(&key(1)).is_some() && one.etcd.get(&key(2)).is_some()
    });
}

#[test]
fn one_service_in_two_registries_is_one_service() {
    let Some(one) = start("registries-two", "never") else { return };
    one.register(1..3, "sh");
    let token = one.desk.token("order", "client", "order/*");
    let body = json!({ "service": "order", "id": "i-1", "zone": "bj", "address": "127.0.0.1:9000", "heartbeat_seconds": 300 });
    let reply =
        http::post(one.server.http, "/v1/registry/instances", body.to_string()).bearer(&token).reply();
    assert_eq!(reply.status, 201, "{}", reply.text());
    one.until_known(3);
    let _ = one.desk.types("rein service list").exit(0).prints("3/3").prints("bj 1/1, sh 2/2");
    let reply = http::get(one.server.http, "/v1/services/order/roster").bearer(&token).reply();
    assert_eq!(reply.json()["instances"].as_array().unwrap().len(), 3);
    let _ = one.desk.types("rein service drain order/10.0.0.7:1 --for 20m --yes --timeout 30s").exit(0);
    let reply = http::get(one.server.http, "/v1/services/order/roster").bearer(&token).reply();
    assert_eq!(reply.json()["instances"].as_array().unwrap().len(), 2);
    // A registry that is not declared any more takes its instances along, once nothing lies over them.
    let gone = || {
        let path = "/v1/definitions/backend/etcd-sh";
        http::request(one.server.http, "DELETE", path).bearer(&one.server.token()).reply()
    };
    let refused = gone();
    assert!(refused.status == 409 && refused.text().contains("in use"), "{}", refused.text());
    let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
    assert_eq!(gone().status, 200);
    one.until_known(1);
    assert!(one.etcd.get(&key(1)).is_some());
}

#[test]
fn hostile_entries_are_bounded_escaped_and_leave_the_others_readable() {
    let Some(one) = start("registries-hostile", "never") else { return };
    one.register(1..3, "sh");
    for name in ["a b", "A/B c", "a\nb", "\u{202e}evil", "\u{1b}[31mred", "..", "x#y"] {
        let odd = json!({ "Op": 0, "Addr": name, "Metadata": { "zone": name, name: name } }).to_string();
        one.etcd.put(&format!("services/{name}/10.0.0.9:1"), &odd, 0);
        one.etcd.put(&format!("services/order/{name}"), &odd, 0);
    }
    one.etcd.put("services/order/huge", &format!("{{\"Addr\":\"{}\"}}", "x".repeat(900_000)), 0);
    one.etcd.put("services/order/none", "no JSON \u{1b}]0;owned\u{7}", 0);
    one.etcd.put("services/order/many", &json!({ "Addr": "10.0.0.9:2", "Metadata": (0..1000).map(|n| (n.to_string(), "v")).collect::<std::collections::BTreeMap<_, _>>() }).to_string(), 0);
    // What cannot be read was put last: when it is told, the rest is known.
    let unread = "entries are no instances or cannot be read";
    until_true("all of it is listed", secs(30), || one.desk.types("rein service list").out.contains(unread));
    for line in [
        "rein service list",
        "rein service list -o wide",
        "rein service show order -o wide",
        "rein backend check etcd-sh",
    ] {
        let said = one.desk.types(line);
        let unsafe_char = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!said.out.chars().any(unsafe_char), "{line}: {:?}", said.out);
    }
    let odd = one
        .instances()
        .iter()
        .find(|i| i["metadata"]["registered-id"] == "a b")
        .cloned()
        .expect("it is shown");
    let id = odd["id"].as_str().unwrap();
    let _ = one
        .desk
        .types(&format!("rein service drain order/{id} --for 5m --force --yes --timeout 30s"))
        .exit(0);
    assert_eq!(one.etcd.get("services/order/a b"), None);
    let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
    until_true("it is back", secs(20), || one.etcd.get("services/order/a b").is_some());
}

#[test]
fn an_unmodified_client_of_grpc_stops_calling_within_two_seconds() {
    let Some(one) = start("registries-grpc", "never") else { return };
    let endpoints = json!([one.etcd.addresses()[0]]);
    let target = "services/order";
    let file = |name: &str| one.server.room.path().join(name);
    let serve = json!({ "endpoints": endpoints, "target": target, "role": "serve", "ttl": 10, "metadata": { "zone": "sh" } });
    let mut servers = Vec::new();
    for n in 0..4 {
        let Some(server) = Client::in_etcd(&serve, &file(&format!("server-{n}.stderr"))) else { return };
        servers.push(server);
    }
    let call = json!({ "endpoints": endpoints, "target": target, "role": "call" });
    let Some(mut caller) = Client::in_etcd(&call, &file("caller.stderr")) else { return };
    let address = servers[0].ready["address"].as_str().unwrap().to_owned();
    let mut goes_to = |who: &str| caller.ask(&json!({ "calls": true }))["seen"][who].as_u64().unwrap_or(0);
    until_true("it is called", secs(30), || goes_to(&address) > 0);
    one.until_known(4);
    let _ =
        one.desk.types(&format!("rein service drain order/{address} --for 20m --yes --timeout 30s")).exit(0);
    let laid = Instant::now();
    let mut quiet = 0;
    until_true("no call goes there any more", secs(20), || {
        quiet = if goes_to(&address) == 0 { quiet + 1 } else { 0 };
        quiet >= 6
    });
    let took = laid.elapsed();
    throughout("no call comes", secs(2), || goes_to(&address) == 0);
    let _ = servers[0].ask(&json!({ "calls": true }));
    assert_eq!(servers[0].ask(&json!({ "calls": true }))["calls"], 0, "and none arrives");
    assert!(took <= secs(2), "the last call came {took:?} after the drain was proved");
    let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
    until_true("it is called again", secs(20), || goes_to(&address) > 0);
}
