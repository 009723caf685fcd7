//! Several servers over a real etcd of three members: any takes writes, one reconciles, each serves doors.

use crate::kit::desk::Desk;
use crate::kit::http;
use crate::kit::server::{Server, Setup};
use crate::kit::wait::{secs, until, until_true};
use rein_parts::Etcd;
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

/// Three servers. The first begins the store; all sign with its key.
struct Three {
    etcd: Etcd,
    servers: Vec<Server>,
    desks: Vec<Desk>,
    token: String,
}

impl Three {
    fn start(test: &str) -> Option<Self> {
        let etcd = Etcd::start(3)?;
        let mut servers: Vec<Server> = Vec::new();
        for name in ["a", "b", "c"] {
            let args = ["--store", &etcd.url(), "--name", name].map(str::to_owned).to_vec();
            let mut setup = Setup { args, ..Setup::default() };
            if let Some(first) = servers.first() {
                let data = first.room.path().join(format!("data-{name}"));
                fs::create_dir_all(&data).unwrap();
                fs::copy(first.data().join("audit.key"), data.join("audit.key")).unwrap();
                setup.data = Some(data);
            }
            servers.push(Server::start_with(&format!("{test}-{name}"), setup));
        }
        let file = servers[0].data().join("admin.token");
        let desks: Vec<Desk> =
            servers.iter().map(|server| Desk::new(server, "admin", file.clone())).collect();
        desks[0].declare();
        // Each desk is a client of its own, which has seen nothing yet at any other server.
        for desk in &desks {
            until_true("every server knows the switches", secs(5), || {
                desk.types("rein switch list -o name").out.contains("payment/wallet")
            });
        }
        let token = fs::read_to_string(&file).unwrap().trim().to_owned();
        Some(Self { etcd, servers, desks, token })
    }

    /// What OFREP at one server says of a switch.
    fn flag(&self, n: usize) -> Option<bool> {
        let path = "/ofrep/v1/evaluate/flags/order.recommendations";
        let ask = http::post(self.servers[n].http, path, r#"{"context":{"targetingKey":"u"}}"#);
        let reply = ask.bearer(&self.token).send().ok()?;
        serde_json::from_slice::<Value>(&reply.body).ok()?["value"].as_bool()
    }

    fn reconciling(&self) -> Option<usize> {
        let leads = |server: &Server| {
            let reply = http::get(server.http, "/metrics").bearer(&self.token).send();
            reply.is_ok_and(|r| String::from_utf8_lossy(&r.body).contains("rein_reconciles 1"))
        };
        self.servers.iter().position(leads)
    }
}

#[test]
fn any_server_writes_each_serves_and_another_takes_over() {
    let Some(mut three) = Three::start("cluster-three") else { return };
    let off = "rein switch off order/recommendations --for 2m --incident INC-1 --yes --no-wait -o json";
    let change = three.desks[1].types(off).json()["change"]["id"].as_str().unwrap().to_owned();
    for n in 0..3 {
        until_true("each server's door says off", secs(2), || three.flag(n) == Some(false));
        // Whoever has read it at one server reads it at every other.
        let _ = three.desks[n].types(&format!("rein change show {change}")).exit(0).prints("INC-1");
    }
    let first = until("somebody reconciles", secs(6), || three.reconciling());
    three.servers[first].crash();
    let began = Instant::now();
    let second = until("another reconciles", secs(8), || three.reconciling());
    let took = began.elapsed();
    assert!(took < Duration::from_millis(5_500), "{took:?}");
    assert_ne!(first, second);
    // What needs a reconciler is done by the new one: an expiry gets its entry.
    let desk = &three.desks[second];
    desk.types("rein switch off order/coupons --for 1s --yes --no-wait").done();
    until_true("the expiry is in the trail", secs(8), || {
        desk.types("rein audit list --since 1h").done().contains("change:expire")
    });
    desk.types("rein audit verify").done();
    three.servers[first].start_again();
    until_true("it is back, and knows", secs(3), || three.flag(first) == Some(false));
    three.desks[first].types("rein undo --yes --no-wait").done();
}

#[test]
fn without_etcd_doors_go_on_and_writes_are_refused() {
    let Some(mut three) = Three::start("cluster-gone") else { return };
    let off = "rein switch off order/recommendations --for 5m --yes --no-wait";
    three.desks[2].types(off).done();
    until_true("it is off", secs(2), || three.flag(0) == Some(false));
    // One member less is no trouble to anybody.
    three.etcd.freeze(0);
    three.desks[0].types("rein switch off order/coupons --for 5m --yes --no-wait --timeout 10s").done();
    (1..3).for_each(|n| three.etcd.kill(n));
    let refused = until("writes are refused", secs(15), || {
        let said = three.desks[1].types("rein switch off order/coupons --for 5m --yes --no-wait");
        (said.exit == 4).then_some(said)
    });
    assert!(refused.err.contains("error:"), "{}", refused.err);
    for n in 0..3 {
        assert_eq!(three.flag(n), Some(false), "doors serve what they have");
    }
    let stale = until("reads say how old they are", secs(10), || {
        let reply = http::get(three.servers[0].http, "/v1/status").bearer(&three.token).send().ok()?;
        let age: u64 = reply.header("rein-age-ms")?.parse().ok()?;
        (age > 1_000).then_some(age)
    });
    assert!(stale < 60_000);
    three.etcd.thaw(0);
    (1..3).for_each(|n| three.etcd.run(n));
    until_true("it heals by itself", secs(30), || {
        three.desks[1].types("rein switch off payment/card --for 5m --yes --no-wait").exit == 0
    });
    until_true("every server has it", secs(5), || {
        three.desks.iter().all(|desk| desk.types("rein switch show payment/card").out.contains("off"))
    });
}
