//! Services that are registered in a real ZooKeeper, in the layout of Curator's service discovery, and clients
//! that know nothing of Rein.

mod hostile;

use crate::kit::client::Client;
use crate::kit::desk::Desk;
use crate::kit::server::Server;
use crate::kit::wait::{secs, throughout, until_true};
use rein_parts::Zookeeper;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::fs;
use std::time::Instant;

/// A ZooKeeper, a server that knows it as `zk-sh`, and kazoo.
struct Registered {
    zookeeper: Zookeeper,
    server: Server,
    desk: Desk,
    kazoo: RefCell<Client>,
}

fn start(test: &str, reassert: &str) -> Option<Registered> {
    let zookeeper = Zookeeper::start()?;
    let server = Server::start(test);
    let desk = server.desk();
    declare(&desk, &zookeeper, reassert);
    let settings = json!({ "servers": zookeeper.address(), "base": "/services", "service": "order" });
    let errors = server.room.path().join("kazoo.stderr");
    let kazoo = RefCell::new(Client::script("zookeeper_client.py", &settings, &errors)?);
    Some(Registered { zookeeper, server, desk, kazoo })
}

fn declare(desk: &Desk, zookeeper: &Zookeeper, reassert: &str) {
    let config = format!("{{servers: ['{}'], base: /services}}", zookeeper.address());
    let text = format!(
        "kind: backend\nname: zk-sh\nplugin: zookeeper\nowner: sre\nreassert: {reassert}\nconfig: {config}\n"
    );
    fs::write(desk.home().join("registry.yaml"), text).unwrap();
    let _ = desk.types("rein apply -f registry.yaml").exit(0).prints("zk-sh");
}

fn path(id: &str) -> String {
    format!("/services/order/{id}")
}

fn entry(id: &str, enabled: bool) -> String {
    // As Curator writes it, with a field that nobody here knows.
    format!(
        r#"{{"name":"order","id":"{id}","address":"10.0.0.7","port":8080,"sslPort":null,"payload":{{"zone":"sh","version":"v2.4"}},"registrationTimeUTC":1700000000000,"serviceType":"DYNAMIC","uriSpec":null,"enabled":{enabled},"Later": [1.0]}}"#
    )
}

impl Registered {
    fn ask(&self, command: &Value) -> Value {
        self.kazoo.borrow_mut().ask(command)
    }

    fn create(&self, path: &str, data: &str, ephemeral: bool) {
        assert_eq!(self.ask(&json!({ "create": path, "data": data, "ephemeral": ephemeral }))["done"], true);
    }

    /// Registers instances that hang on kazoo's session.
    fn register(&self, ids: &[&str]) {
        ids.iter().for_each(|id| self.create(&path(id), &entry(id, true), true));
        until_true("they are known", secs(30), || self.instances().len() == ids.len());
    }

    fn get(&self, path: &str) -> Value {
        self.ask(&json!({ "get": path }))
    }

    fn data(&self, id: &str) -> String {
        self.get(&path(id))["data"].as_str().unwrap_or_default().to_owned()
    }

    fn goes_to(&self, who: &str) -> u64 {
        self.ask(&json!({ "calls": true }))["seen"][who].as_u64().unwrap_or(0)
    }

    fn instances(&self) -> Vec<Value> {
        let said = self.desk.types("rein service show order -o json");
        let known = said.exit == 0;
        if known { said.json()["instances"].as_array().cloned().unwrap_or_default() } else { Vec::new() }
    }

    fn state(&self, change: &str) -> String {
        let said = self.desk.types(&format!("rein change show {change} -o json")).json();
        said["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Drains one, and gives the change's id.
    fn drain(&self, id: &str) -> String {
        let line = format!("rein service drain order/{id} --for 20m --yes --timeout 30s -o json");
        let view = self.desk.types(&line).json();
        view["change"]["id"].as_str().unwrap_or_else(|| panic!("{view}")).to_owned()
    }
}

/// No call after two seconds, and none comes any more.
fn falls_silent(since: Instant, mut goes: impl FnMut() -> u64) {
    let mut last = since;
    throughout("the calls are looked at", secs(4), || {
        if goes() > 0 {
            last = Instant::now();
        }
        true
    });
    assert!(last - since <= secs(2), "the last call came {:?} after the drain was proved", last - since);
}

#[test]
fn a_drain_writes_one_word_and_undo_puts_the_entry_back_as_it_was() {
    let Some(one) = start("zookeeper-drain", "never") else { return };
    one.register(&["i-1", "i-2", "i-3"]);
    let _ = one.desk.types("rein service list").exit(0).prints("3/3").prints("sh 3/3").prints("v2.4");
    let checked = one.desk.types("rein backend check zk-sh").done();
    assert!(
        checked.contains("3.8.0, standalone") && checked.contains("3 instances of 1 services"),
        "{checked}"
    );
    let before = one.get(&path("i-1"));
    let preview = one.desk.types("rein service drain order/i-1 --for 20m --dry-run").done();
    assert!(preview.contains("zk-sh: 1 entry") && preview.contains("sh 2 of 3 healthy"), "{preview}");
    assert_eq!(one.get(&path("i-1")), before, "a preview writes nothing");
    until_true("it is called", secs(20), || one.goes_to("i-1") > 0);
    let line = "rein service drain order/i-1 --for 20m --incident INC-42 --yes --timeout 30s";
    let _ = one.desk.types(line).exit(0).prints("held on 1/1 peers");
    falls_silent(Instant::now(), || one.goes_to("i-1"));
    let during = one.get(&path("i-1"));
    assert_eq!(during["data"], entry("i-1", false), "one word is another, and nothing else");
    assert_eq!(
        (&during["czxid"], &during["owner"]),
        (&before["czxid"], &before["owner"]),
        "it was never deleted"
    );
    let shown = one.desk.types("rein service show order").done();
    for text in ["100 → drained", "zk-sh", "INC-42"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let weighed = one.desk.types("rein service weigh order/i-2 10 --for 5m --yes");
    assert!(
        weighed.exit == 2 && weighed.err.contains("knows no weights"),
        "{} {}",
        weighed.exit,
        weighed.err
    );
    let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
    until_true("it is back", secs(20), || one.get(&path("i-1")) == before);
    until_true("it is called again", secs(2), || one.goes_to("i-1") > 0);
    until_true("it gets traffic", secs(20), || one.instances().iter().all(|i| i["served"] == true));
    let _ = one.desk.types("rein audit verify").exit(0);
}

#[test]
fn who_registers_anew_under_a_drain_is_not_drained() {
    let Some(one) = start("zookeeper-anew", "never") else { return };
    one.register(&["i-1", "i-2", "i-3", "i-4"]);
    let (first, second) = (one.drain("i-1"), one.drain("i-2"));
    // One ends for good; the other registers anew at once, as Curator does after a lost connection.
    let _ = one.ask(&json!({ "delete": path("i-1") }));
    let _ = one.ask(&json!({ "delete": path("i-2") }));
    one.create(&path("i-2"), &entry("i-2", true), true);
    for change in [&first, &second] {
        until_true("the drain is over nobody", secs(30), || one.state(change) == "moot");
    }
    until_true("three are known", secs(30), || one.instances().len() == 3);
    for change in [&first, &second] {
        let _ = one.desk.types(&format!("rein change end {change} --yes --timeout 30s")).exit(0);
    }
    throughout("nobody is put back, or taken out", secs(3), || {
        one.get(&path("i-1")) == json!({}) && one.data("i-2") == entry("i-2", true)
    });
}

#[test]
fn who_enables_itself_under_a_drain_is_a_conflict_unless_the_backend_says_otherwise() {
    let Some(one) = start("zookeeper-hand", "never") else { return };
    one.register(&["i-1", "i-2", "i-3"]);
    let change = one.drain("i-1");
    let hand = || one.ask(&json!({ "set": path("i-1"), "data": entry("i-1", true) }));
    let _ = hand();
    until_true("it is in conflict", secs(30), || one.state(&change) == "conflict");
    assert_eq!(one.data("i-1"), entry("i-1", true), "nobody overrules it unasked");
    let _ = one.desk.types(&format!("rein change resolve {change} --reassert --yes")).exit(0);
    until_true("it is out again", secs(20), || one.data("i-1") == entry("i-1", false));
    // The same with a backend that is written over.
    declare(&one.desk, &one.zookeeper, "limited");
    until_true("it is in force", secs(20), || one.state(&change) == "in force");
    let _ = hand();
    until_true("it is out without a person", secs(20), || one.data("i-1") == entry("i-1", false));
    let _ = one.desk.types("rein audit list").exit(0).prints("cell:reassert");
}

#[test]
fn a_zookeeper_that_is_away_is_stale_and_what_is_asked_meanwhile_is_done_later() {
    let Some(mut one) = start("zookeeper-away", "never") else { return };
    one.register(&["i-1", "i-2", "i-3", "i-4", "i-5", "i-6"]);
    let early = one.drain("i-1");
    one.zookeeper.kill();
    until_true("its age is shown", secs(30), || {
        let said = one.desk.types("rein service list");
        said.exit == 0 && said.out.contains("zk-sh as it was known") && said.out.contains("6/6")
    });
    let asked = one.desk.types("rein service drain order/i-2 --for 20m --yes --timeout 1s -o json");
    assert_eq!(asked.exit, 5, "{}{}", asked.out, asked.err);
    let late = one.desk.types("rein change list --active -o json").json()["changes"][0]["id"].clone();
    let late = late.as_str().unwrap().to_owned();
    assert_eq!(one.state(&late), "pending");
    // Rein dies too, and comes back first: nothing it was told is lost, and nobody counts as gone.
    one.server.crash();
    one.server.start_again();
    assert_eq!(one.state(&late), "pending");
    one.zookeeper.run();
    until_true("it is done", secs(30), || {
        one.data("i-2") == entry("i-2", false) && one.state(&late) == "in force"
    });
    assert_eq!(one.data("i-1"), entry("i-1", false), "nobody was brought back by accident");
    for id in ["i-3", "i-4", "i-5", "i-6"] {
        assert_eq!(one.data(id), entry(id, true), "nobody was drained by accident");
    }
    for change in [early, late] {
        let _ = one.desk.types(&format!("rein change end {change} --yes --timeout 30s")).exit(0);
    }
    until_true("both are back", secs(20), || ["i-1", "i-2"].iter().all(|id| one.data(id) == entry(id, true)));
    // A server that hangs is as one that is away.
    one.zookeeper.freeze();
    until_true("its age is shown again", secs(30), || {
        one.desk.types("rein service list").out.contains("zk-sh as it was known")
    });
    one.zookeeper.thaw();
    until_true("it is listed again", secs(30), || {
        !one.desk.types("rein service list").out.contains("zk-sh as it was known")
    });
}

#[test]
fn an_unmodified_client_of_curator_stops_calling_within_two_seconds() {
    let Some(mut one) = start("zookeeper-curator", "never") else { return };
    let settings = json!({
        "servers": one.zookeeper.address(), "base": "/services", "service": "order", "zone": "sh",
        "register": ["i-1", "i-2", "i-3", "i-4"],
    });
    let errors = one.server.room.path().join("curator.stderr");
    let Some(mut curator) = Client::in_curator(&settings, &errors) else { return };
    let mut goes_to = |who: &str| curator.ask(&json!({ "calls": true }))["seen"][who].as_u64().unwrap_or(0);
    until_true("it is called", secs(30), || goes_to("i-1") > 0);
    until_true("all are known", secs(30), || one.instances().len() == 4);
    let before = one.data("i-1");
    let change = one.drain("i-1");
    falls_silent(Instant::now(), || goes_to("i-1"));
    until_true("the others are called", secs(5), || goes_to("i-2") > 0);
    let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
    let back = Instant::now();
    until_true("it is called again", secs(20), || goes_to("i-1") > 0);
    assert!(back.elapsed() <= secs(2), "the first call came {:?} after the end", back.elapsed());
    assert_eq!(one.data("i-1"), before, "byte for byte what Curator had written");
    assert_eq!(one.state(&change), "undone");
    // Who registers anew is another: its drain is moot, and it is called.
    let change = one.drain("i-2");
    assert_eq!(curator.ask(&json!({ "again": "i-2" }))["done"], true);
    until_true("the drain is over nobody", secs(30), || one.state(&change) == "moot");
    let mut goes_to = |who: &str| curator.ask(&json!({ "calls": true }))["seen"][who].as_u64().unwrap_or(0);
    until_true("it is called", secs(10), || goes_to("i-2") > 0);
    // Curator's clients do that by themselves when their connection was lost.
    let change = one.drain("i-3");
    let created = one.get(&path("i-3"))["czxid"].clone();
    one.zookeeper.kill();
    one.zookeeper.run();
    until_true("it registers anew", secs(30), || {
        let now = one.get(&path("i-3"))["czxid"].clone();
        now.is_i64() && now != created
    });
    until_true("that drain is over nobody too", secs(30), || one.state(&change) == "moot");
}
