//! Services that are registered in a real Consul, and clients that know nothing of Rein: Consul's own DNS, asked by
//! dnspython, and py-consul.

mod hands;
mod hostile;

use crate::kit::client::Client;
use crate::kit::desk::Desk;
use crate::kit::http;
use crate::kit::server::Server;
use crate::kit::wait::{secs, throughout, until_true};
use rein_parts::Consul;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

/// A datacenter, a server that knows it as `consul-sh`, and a client.
struct Registered {
    consul: Consul,
    server: Server,
    desk: Desk,
    client: RefCell<Client>,
}

fn start(test: &str, nodes: usize, more: &str) -> Option<Registered> {
    let consul = Consul::start(nodes)?;
    let server = Server::start(test);
    let desk = server.desk();
    declare(&desk, &consul, nodes, more);
    let port: u16 = consul.address(0).rsplit_once(':')?.1.parse().ok()?;
    let settings = json!({ "dns": consul.dns(0), "http": port, "service": "order" });
    let errors = server.room.path().join("consul.stderr");
    let client = RefCell::new(Client::script("consul_client.py", &settings, &errors)?);
    Some(Registered { consul, server, desk, client })
}

fn declare(desk: &Desk, consul: &Consul, nodes: usize, more: &str) {
    let agents: Vec<String> = (1..nodes).map(|n| consul.url(n)).collect();
    let config = json!({ "addresses": [consul.url(0)], "agents": agents, "usual_weight": 100 });
    let text =
        format!("kind: backend\nname: consul-sh\nplugin: consul\nowner: sre\n{more}config: {config}\n");
    fs::write(desk.home().join("registry.yaml"), text).unwrap();
    let _ = desk.types("rein apply -f registry.yaml").exit(0).prints("consul-sh");
}

/// The port of `i-N`, by which DNS tells it apart.
fn port(id: &str) -> String {
    format!("808{}", id.trim_start_matches("i-"))
}

impl Registered {
    fn ask(&self, command: &Value) -> Value {
        self.client.borrow_mut().ask(command)
    }

    /// Registers instances at the first agent, by py-consul.
    fn register(&self, ids: &[&str]) {
        for id in ids {
            let number: u16 = port(id).parse().unwrap();
            let meta = json!({ "zone": "sh", "version": "v2.4" });
            let one = json!({ "register": id, "port": number, "meta": meta, "weight": 100 });
            assert_eq!(self.ask(&one)["done"], true);
        }
        until_true("they are known, and well", secs(30), || {
            let all = self.instances();
            ids.iter().all(|id| all.iter().any(|i| i["id"] == *id && i["served"] == true))
        });
    }

    fn dns(&self) -> BTreeMap<String, u64> {
        serde_json::from_value(self.ask(&json!({ "dns": true }))["seen"].clone()).unwrap()
    }

    fn goes_to(&self, id: &str) -> u64 {
        self.ask(&json!({ "calls": true }))["seen"][port(id)].as_u64().unwrap_or(0)
    }

    /// Why an instance is in maintenance, as Consul has it.
    fn maintenance(&self, id: &str) -> Option<String> {
        let all = self.consul.service("order");
        let one = all.iter().find(|one| one["Service"]["ID"] == id)?;
        let check = format!("_service_maintenance:{id}");
        let found = one["Checks"].as_array()?.iter().find(|one| one["CheckID"] == check)?;
        found["Notes"].as_str().map(str::to_owned)
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

#[test]
fn a_drain_takes_an_instance_out_of_dns_within_two_seconds_and_undo_brings_it_back() {
    let Some(one) = start("consul-drain", 1, "") else { return };
    one.register(&["i-1", "i-2", "i-3"]);
    let _ = one.desk.types("rein service list").exit(0).prints("3/3").prints("sh 3/3").prints("v2.4");
    let checked = one.desk.types("rein backend check consul-sh").done();
    for text in
        ["Consul 1.14.11, server, node n0 of dc1", "1 of 1 can be reached", "3 instances of 1 services"]
    {
        assert!(checked.contains(text), "{text}: {checked}");
    }
    let preview = one.desk.types("rein service drain order/i-1 --for 20m --dry-run").done();
    assert!(preview.contains("consul-sh: 1 entry") && preview.contains("sh 2 of 3 healthy"), "{preview}");
    assert_eq!(one.maintenance("i-1"), None, "a preview writes nothing");
    until_true("it is called", secs(20), || one.goes_to("i-1") > 0);
    let line = "rein service drain order/i-1 --for 20m --incident INC-42 --yes --timeout 30s";
    let _ = one.desk.types(line).exit(0).prints("held on 1/1 peers").prints("in maintenance");
    let (proved, mut last) = (Instant::now(), Instant::now());
    throughout("the calls are looked at", secs(4), || {
        if one.goes_to("i-1") > 0 {
            last = Instant::now();
        }
        true
    });
    assert!(last - proved <= secs(2), "the last call came {:?} after the drain was proved", last - proved);
    assert_eq!(one.dns().into_keys().collect::<Vec<_>>(), ["8082", "8083"]);
    assert_eq!(one.ask(&json!({ "library": true }))["seen"], json!(["i-2", "i-3"]));
    assert!(one.maintenance("i-1").is_some_and(|why| why.starts_with("drained by Rein")));
    let shown = one.desk.types("rein service show order").done();
    for text in ["100 →", "drained", "consul-sh", "INC-42"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
    let back = Instant::now();
    until_true("it is called again", secs(20), || one.goes_to("i-1") > 0);
    assert!(back.elapsed() <= secs(2), "the first call came {:?} after the end", back.elapsed());
    assert_eq!(one.maintenance("i-1"), None);
    until_true("it gets traffic", secs(20), || one.instances().iter().all(|i| i["served"] == true));
    let held =
        || one.desk.types("rein backend show consul-sh -o json").json()["cells"].as_array().map(Vec::len);
    until_true("nothing is held", secs(20), || held() == Some(0));
    let _ = one.desk.types("rein audit verify").exit(0);
}

#[test]
fn weights_and_drains_go_to_the_agent_of_each_node() {
    let Some(one) = start("consul-nodes", 2, "") else { return };
    one.register(&["i-1", "i-2"]);
    let far = json!({
        "Name": "order", "ID": "i-3", "Address": "10.0.0.8", "Port": 8083, "Meta": { "zone": "sh" },
        "Weights": { "Passing": 100, "Warning": 50 }, "Check": { "TTL": "600s", "Status": "passing" },
    });
    one.consul.register(1, &far);
    until_true("all are known", secs(30), || {
        one.instances().iter().filter(|i| i["served"] == true).count() == 3
    });
    let _ = one.desk.types("rein service weigh order/i-3 10 --for 20m --yes --timeout 30s").exit(0);
    until_true("DNS says so", secs(2), || one.dns().get("8083") == Some(&10));
    assert_eq!(one.dns().get("8081"), Some(&100));
    let change = one.drain("i-3");
    until_true("it is out", secs(2), || !one.dns().contains_key("8083"));
    let _ = one.desk.types(&format!("rein change end {change} --yes --timeout 30s")).exit(0);
    until_true("it has a tenth again", secs(20), || one.dns().get("8083") == Some(&10));
    let last = one.desk.types("rein change list --active -o json").json()["changes"][0]["id"].clone();
    let last = last.as_str().unwrap();
    let _ = one.desk.types(&format!("rein change end {last} --yes --timeout 30s")).exit(0);
    until_true("it has all of it", secs(20), || one.dns().get("8083") == Some(&100));
    let all = one.consul.service("order");
    let back = all.iter().find(|one| one["Service"]["ID"] == "i-3").unwrap();
    assert_eq!(back["Service"]["Weights"], far["Weights"]);
    assert_eq!(back["Service"]["Meta"], far["Meta"]);
    assert_eq!(back["Checks"].as_array().map(Vec::len), Some(2), "its check, and its node's: {back}");
}

#[test]
fn a_consul_that_is_away_is_stale_and_what_is_asked_meanwhile_is_done_later() {
    let Some(mut one) = start("consul-away", 1, "") else { return };
    one.register(&["i-1", "i-2", "i-3", "i-4", "i-5", "i-6"]);
    let early = one.drain("i-1");
    one.consul.kill(0);
    until_true("its age is shown", secs(30), || {
        let said = one.desk.types("rein service list");
        said.exit == 0 && said.out.contains("consul-sh as it was known") && said.out.contains("6/6")
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
    one.consul.run(0);
    until_true("it is done", secs(30), || one.maintenance("i-2").is_some() && one.state(&late) == "in force");
    assert!(one.maintenance("i-1").is_some(), "nobody was brought back by accident");
    for id in ["i-3", "i-4", "i-5", "i-6"] {
        assert_eq!(one.maintenance(id), None, "nobody was drained by accident");
    }
    for change in [early, late] {
        let _ = one.desk.types(&format!("rein change end {change} --yes --timeout 30s")).exit(0);
    }
    until_true("both are back", secs(20), || ["i-1", "i-2"].iter().all(|id| one.maintenance(id).is_none()));
    // An agent that hangs is as one that is away.
    one.consul.freeze(0);
    until_true("its age is shown again", secs(30), || {
        one.desk.types("rein service list").out.contains("consul-sh as it was known")
    });
    one.consul.thaw(0);
    until_true("it is listed again", secs(30), || {
        !one.desk.types("rein service list").out.contains("consul-sh as it was known")
    });
}

#[test]
fn one_service_in_two_registries_is_one_service() {
    let Some(one) = start("consul-two", 1, "") else { return };
    one.register(&["i-1", "i-2"]);
    let token = one.desk.token("order", "client", "order/*");
    let body = json!({ "service": "order", "id": "i-9", "zone": "bj", "address": "127.0.0.1:9000", "heartbeat_seconds": 300 });
    let reply =
        http::post(one.server.http, "/v1/registry/instances", body.to_string()).bearer(&token).reply();
    assert_eq!(reply.status, 201, "{}", reply.text());
    until_true("all are known", secs(30), || one.instances().len() == 3);
    let _ = one.desk.types("rein service list").exit(0).prints("3/3").prints("bj 1/1, sh 2/2");
    let roster = || {
        let reply = http::get(one.server.http, "/v1/services/order/roster").bearer(&token).reply();
        reply.json()["instances"].as_array().map(Vec::len)
    };
    assert_eq!(roster(), Some(3));
    let _ = one.drain("i-1");
    assert_eq!(roster(), Some(2));
    assert_eq!(one.dns().into_keys().collect::<Vec<_>>(), ["8082"]);
    let _ = one.desk.types("rein undo --yes --timeout 30s").exit(0);
    until_true("it is back in both", secs(20), || roster() == Some(3) && one.dns().len() == 2);
}
