//! Services: instances that are processes, a registry that dies, and a Prometheus that nobody here wrote.

use crate::kit::client::Client;
use crate::kit::desk::piped;
use crate::kit::http;
use crate::kit::room::{Room, repository};
use crate::kit::server::{Server, Setup, Watched, rein};
use crate::kit::wait::{secs, until, until_true};
use rein_parts::Discovery;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Registers somebody at a server.
fn register(server: &Server, token: &str, body: &Value) -> Value {
    let reply = http::post(server.http, "/v1/registry/instances", body.to_string()).bearer(token).reply();
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

fn instance(id: &str, zone: &str, at: SocketAddr, check: &Value) -> Value {
    json!({ "service": "order", "id": id, "zone": zone, "version": "v1", "address": at.to_string(), "check": check })
}

fn every_second() -> Value {
    json!({ "kind": "http", "path": "/healthz", "every_seconds": 1, "fall": 2 })
}

/// Who gets traffic of `order`, as discovery says.
fn served(server: &Server, token: &str) -> Vec<String> {
    let reply = http::get(server.http, "/v1/sd/prometheus?service=order").bearer(token).reply();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let targets = reply.json();
    let name =
        |group: &Value| group["labels"]["__meta_rein_instance"].as_str().unwrap_or_default().to_owned();
    targets.as_array().unwrap().iter().map(name).collect()
}

#[test]
fn a_killed_process_shows_down_within_its_interval_and_a_second() {
    let registry = Server::start("services-kill");
    let desk = registry.desk();
    let token = desk.token("order", "client", "order/*");
    // The instances are servers too: processes that answer /healthz and can be killed.
    let mut instances: Vec<Server> = (1..=2).map(|n| Server::start(&format!("services-kill-{n}"))).collect();
    for (n, one) in instances.iter().enumerate() {
        register(&registry, &token, &instance(&format!("i-{n}"), "sh", one.http, &every_second()));
    }
    until_true("both are up", secs(5), || served(&registry, &token) == ["i-0", "i-1"]);
    let _ = desk.types("rein service list").exit(0).prints("order").prints("2/2");
    instances[0].crash();
    let died = Instant::now();
    until_true("it is down", secs(5), || served(&registry, &token) == ["i-1"]);
    let took = died.elapsed();
    assert!(took <= Duration::from_millis(2000), "shown down after {took:?}");
    let said = desk.types("rein service show order").exit(0);
    assert!(said.out.contains("down") && said.out.contains("refused"), "{}", said.out);
    // It comes back under the same address, and is looked at as before.
    instances[0].start_again();
    until_true("it is up again", secs(5), || served(&registry, &token) == ["i-0", "i-1"]);
}

#[test]
fn a_drained_instance_leaves_within_two_seconds_and_undo_brings_it_back() {
    let registry = Server::start("services-drain");
    let desk = registry.desk();
    let token = desk.token("order", "client", "order/*");
    let (other, health) = (Server::start("services-drain-i"), every_second());
    for id in ["i-1", "i-2", "i-3", "i-4"] {
        register(&registry, &token, &instance(id, "sh", other.http, &health));
    }
    until_true("all are up", secs(5), || served(&registry, &token).len() == 4);
    let began = Instant::now();
    let _ = desk
        .types("rein service drain order/i-1 --for 20m --incident INC-42 --yes")
        .exit(0)
        .prints("drained");
    assert_eq!(served(&registry, &token), ["i-2", "i-3", "i-4"]);
    assert!(began.elapsed() < secs(2), "{:?}", began.elapsed());
    let _ = desk.types("rein service weigh order/i-2 10 --for 1h --incident INC-42 --yes").exit(0);
    let shown = desk.types("rein service show order").exit(0);
    for text in ["100 → drained", "100 → 10", "INC-42"] {
        assert!(shown.out.contains(text), "{text}: {}", shown.out);
    }
    let status = desk.types("rein status --exit-code").exit(10);
    for text in
        ["over instances", "order/i-1 drained · served; nobody watches · INC-42", "order/i-2 weight 10"]
    {
        assert!(status.out.contains(text), "{text}: {}", status.out);
    }
    // Too little would be left; who may not force it, does not.
    let refused =
        desk.colleague("bob", "operator", "*").types("rein service drain order --zone sh --for 5m --yes");
    assert_eq!(refused.exit, 6, "{}", refused.err);
    assert!(refused.err.contains("healthy instances with traffic"), "{}", refused.err);
    let forced = desk
        .colleague("carol", "operator", "*")
        .types("rein service drain order --zone sh --for 5m --force --yes");
    assert_eq!(forced.exit, 6, "{}", forced.err);
    let _ = desk.types("rein undo --yes").exit(0);
    let _ = desk.types("rein undo --yes").exit(0);
    assert_eq!(served(&registry, &token).len(), 4);
    let _ = desk.types("rein audit verify").exit(0);
}

#[test]
fn the_registry_dies_and_comes_back_knowing_all() {
    let mut registry = Server::start("services-restart");
    let desk = registry.desk();
    let token = desk.token("order", "client", "order/*");
    let other = Server::start("services-restart-i");
    for id in ["i-1", "i-2", "i-3"] {
        register(&registry, &token, &instance(id, "sh", other.http, &every_second()));
    }
    until_true("all are up", secs(5), || served(&registry, &token).len() == 3);
    let _ = desk.types("rein service drain order/i-1 --for 20m --yes").exit(0);
    registry.crash();
    let gone = desk.types("rein service list");
    assert_eq!(gone.exit, 4, "{}", gone.err);
    registry.start_again();
    // Whoever asks first gets what was known, and nobody was drained or brought back by accident.
    assert_eq!(served(&registry, &token), ["i-2", "i-3"]);
    until_true("they are looked at again", secs(5), || {
        desk.types("rein service list").done().contains("3/3")
    });
}

#[test]
fn hostile_names_never_get_in() {
    let registry = Server::start("services-hostile");
    let token = registry.desk().token("order", "client", "order/*");
    let send = |body: &Value| {
        http::post(registry.http, "/v1/registry/instances", body.to_string()).bearer(&token).reply()
    };
    let at: SocketAddr = "127.0.0.1:9".parse().unwrap();
    for id in ["a b", "a/b", "a\nb", "a\u{202e}b", "\u{1b}[31mred", "", "../../etc"] {
        let reply = send(&instance(id, "sh", at, &every_second()));
        assert_eq!(reply.status, 400, "{id:?}: {}", reply.text());
        let text = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
    let mut foreign = instance("i-1", "sh", at, &every_second());
    foreign["service"] = json!("payment");
    assert_eq!(send(&foreign).status, 403);
    let mut metadata = instance("i-1", "sh", "169.254.169.254:80".parse().unwrap(), &every_second());
    assert_eq!(send(&metadata).status, 400);
    metadata["address"] = json!("127.0.0.1:9");
    metadata["metadata"] = json!({ "note": "\u{1b}]0;owned\u{7}" });
    assert_eq!(send(&metadata).status, 400);
    assert!(served(&registry, &token).is_empty());
}

/// The demo as a process; its server, and a token that may read and drain.
struct Played {
    _process: Watched,
    room: Room,
    server: SocketAddr,
    token: String,
}

fn demo(test: &str) -> Played {
    let room = Room::new(test);
    let mut command = rein();
    command.args(["demo", "--for", "120s"]);
    command.env("HOME", room.path()).env("TMPDIR", room.path()).env("USER", "alice");
    let process = Watched(piped(&mut command));
    let file = room.path().join(".local/state/rein/demo.toml");
    let text = until("the demo is announced", secs(30), || std::fs::read_to_string(&file).ok());
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim_start_matches([' ', '=']).trim_matches('"').to_owned()
    };
    let server = value("server").trim_start_matches("http://").parse().unwrap();
    let token = std::fs::read_to_string(value("token_file")).unwrap().trim().to_owned();
    Played { _process: process, room, server, token }
}

#[test]
fn the_demo_registers_itself_and_a_real_prometheus_finds_it() {
    let demo = demo("services-demo");
    let services = || {
        let reply = http::get(demo.server, "/v1/services").bearer(&demo.token).reply();
        reply.json()["services"].as_array().cloned().unwrap_or_default()
    };
    until_true("all eight services are up", secs(20), || {
        let all = services();
        all.len() == 8 && all.iter().all(|row| row["health"] == "up")
    });
    let instances: u64 = services().iter().filter_map(|row| row["all"].as_u64()).sum();
    assert!(instances >= 20, "{instances}");
    let url = format!("http://{}/v1/sd/prometheus", demo.server);
    let Some(prometheus) = Discovery::of(&url, &demo.token) else { return };
    until_true("Prometheus has found every instance", secs(20), || {
        prometheus.found().len() as u64 == instances
    });
    let found = prometheus.found();
    let services: std::collections::BTreeSet<&str> =
        found.iter().filter_map(|l| l["service"].as_str()).collect();
    assert_eq!(services.len(), 8, "{services:?}\n{}", prometheus.log());
    // A drained instance gets no new call: Prometheus loses it, and so do its callers.
    let desk = |line: &str| {
        let mut command = rein();
        command.args(shlex::split(line).unwrap()).env("HOME", demo.room.path());
        let out = command.output().unwrap();
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    };
    desk("service drain order/order-sh-1 --for 5m --yes");
    until_true("Prometheus has lost it", secs(10), || prometheus.found().len() as u64 == instances - 1);
    desk("undo --yes");
    until_true("Prometheus has found it again", secs(10), || prometheus.found().len() as u64 == instances);
}

#[test]
fn grpcio_registers_beats_and_watches() {
    let registry = Server::start("services-grpc");
    let desk = registry.desk();
    let settings = json!({
        "target": registry.http.to_string(),
        "token": desk.token("order", "client", "order/*"),
        "proto": repository().join("proto"),
        "service": "order",
    });
    let errors = registry.room.path().join("registry-client.stderr");
    let Some(mut client) = Client::script("registry_client.py", &settings, &errors) else { return };
    let mut lives = Vec::new();
    for n in 1..=4 {
        let wanted = json!({
            "service": "order", "id": format!("i-{n}"), "address": format!("10.0.0.7:{n}"), "zone": "sh",
            "version": "v2.4", "metadata": {"rack": "r7"}, "heartbeat_seconds": 30,
        });
        let said = client.ask(&json!({ "register": wanted }));
        assert!(said["outcome"] == "registered" && said["heartbeat_seconds"] == 30, "{said}");
        lives.push(said["incarnation"].as_str().unwrap().to_owned());
    }
    let roster = |client: &mut Client| -> Vec<String> {
        let seen = client.ask(&json!({"roster": true}));
        let instances = seen["instances"].as_array().unwrap().clone();
        assert!(instances.iter().all(|one| one["metadata"]["rack"] == "r7" && one["zone"] == "sh"), "{seen}");
        instances.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    until_true("all four are seen", secs(5), || roster(&mut client).len() == 4);
    let _ = desk.types("rein service list").exit(0).prints("4/4").prints("sh 4/4");
    let _ = desk.types("rein service drain order/i-1 --for 20m --incident INC-42 --yes").exit(0);
    until_true("the drain is seen", secs(2), || roster(&mut client) == ["i-2", "i-3", "i-4"]);
    let _ = desk.types("rein undo --yes").exit(0);
    until_true("so is its end", secs(2), || roster(&mut client).len() == 4);
    // Whoever is unknown is told so, and what is wrong is said as HTTP says it.
    let beat = |id: &str, life: &str| json!({"service": "order", "id": id, "incarnation": life});
    let said = client.ask(&json!({"heartbeat": {"beats": [beat("i-1", &lives[0]), beat("i-9", "x")]}}));
    assert_eq!(said, json!({"taken": 1, "unknown": ["order/i-9"]}));
    let many: Vec<_> = (0..1000).map(|n| beat(&format!("{n:0>63}"), &lives[0])).collect();
    let said = client.ask(&json!({"heartbeat": {"beats": many}}));
    assert_eq!(said["unknown"].as_array().map(Vec::len), Some(1000), "{:?}", said["error"]);
    let said = client.ask(&json!({"register": {"service": "order", "id": "i-5", "address": "nowhere"}}));
    assert!(said["code"] == "INVALID_ARGUMENT" && said["says"] == "invalid", "{said}");
    let check = json!({"kind": "KIND_UNSPECIFIED"});
    let said = client.ask(
        &json!({"register": {"service": "order", "id": "i-5", "address": "10.0.0.7:5", "check": check}}),
    );
    assert!(said["error"].as_str().unwrap_or_default().contains("KIND_HTTP"), "{said}");
    let said = client.ask(&json!({"register": {"service": "sms", "id": "i-1", "address": "10.0.0.7:9"}}));
    assert!(said["code"] == "PERMISSION_DENIED" && said["says"] == "denied", "{said}");
    let said = client.ask(&json!({"deregister": {"service": "order", "id": "i-4"}, "token": false}));
    assert!(said["code"] == "UNAUTHENTICATED", "{said}");
    let said = client.ask(&json!({"deregister": {"service": "order", "id": "i-4", "incarnation": lives[3]}}));
    assert_eq!(said, json!({}));
    until_true("it is gone", secs(2), || roster(&mut client) == ["i-1", "i-2", "i-3"]);
}

#[test]
fn grpcio_registers_over_tls() {
    let room = Room::new("services-grpc-tls-files");
    let (setup, cert) = Setup::tls(&room);
    let registry = Server::start_with("services-grpc-tls", setup);
    let desk = registry.desk().with("REIN_SERVER", &format!("https://{}", registry.http));
    let desk = desk.with("REIN_CA_FILE", &cert);
    let settings = json!({
        "target": registry.http.to_string(),
        "token": desk.token("order", "client", "order/*"),
        "proto": repository().join("proto"),
        "service": "order",
        "ca": cert,
    });
    let errors = registry.room.path().join("registry-client.stderr");
    let Some(mut client) = Client::script("registry_client.py", &settings, &errors) else { return };
    let said = client.ask(&json!({"register": {"service": "order", "id": "i-1", "address": "10.0.0.7:1"}}));
    assert_eq!(said["outcome"], "registered", "{said}");
    until_true("it sees itself", secs(5), || {
        client.ask(&json!({"roster": true}))["instances"].as_array().is_some_and(|all| all.len() == 1)
    });
}
