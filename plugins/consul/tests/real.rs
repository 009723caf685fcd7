//! What the contract does not ask of every plugin: whose agent writes, what stays as it was, other hands, hints.

use futures::StreamExt;
use rein_parts::Consul;
use rein_plugin::registry::{InstanceListed, StateListed, Weighing};
use rein_plugin::{Adapter, CellKey, Configuration, Fault, Grade, Seen, TargetName, Write};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::time::timeout;

async fn plugin(config: Value, token: Option<&str>) -> impl Adapter {
    let plugin = rein_plugin_consul::adapter();
    let secrets: BTreeMap<_, _> =
        token.map(|text| ("token".to_owned(), text.to_owned())).into_iter().collect();
    let configuration = Configuration { backend: "consul".into(), config: config.to_string(), secrets };
    assert_eq!(plugin.configure(configuration).await, Ok(Vec::new()));
    plugin
}

fn service(id: &str) -> Value {
    json!({
        "Name": "order", "ID": id, "Address": "10.0.0.7", "Port": 8080, "Tags": ["version=v2.4", "blue"],
        "Meta": { "zone": "sh", "team": "sre" }, "Weights": { "Passing": 100, "Warning": 10 },
        "Checks": [{ "CheckID": format!("{id}-alive"), "TTL": "600s", "Status": "passing" },
                   { "CheckID": format!("{id}-tcp"), "TTL": "600s", "Status": "warning", "Notes": "n" }],
    })
}

async fn cell(plugin: &impl Adapter, name: &str) -> CellKey {
    let target = TargetName { noun: "registry".into(), name: name.into() };
    plugin.resolve(&[target]).await.expect("it is resolved").remove(0)
}

async fn see(plugin: &impl Adapter, cell: &CellKey) -> Seen {
    plugin.observe(std::slice::from_ref(cell)).await.expect("it is seen").remove(0)
}

async fn write(plugin: &impl Adapter, cell: &CellKey, want: &str) -> Result<(), Fault> {
    let seen = see(plugin, cell).await;
    let (change, object) = ("c".to_owned(), seen.object);
    let (cell, want) = (cell.clone(), Some(want.to_owned()));
    plugin.apply(Write { cell, want, expected_version: seen.version, change, object }).await
}

/// How the cell reads at another weight.
async fn spelled(plugin: &impl Adapter, cell: &CellKey, value: &str, weight: u16) -> String {
    let one = Weighing { cell: cell.clone(), value: Some(value.to_owned()), weight };
    let registry = plugin.registry().expect("it is a registry");
    let spelled = registry.weigh(&[one]).await.expect("it is spelled").remove(0);
    spelled.expect("it can be given").expect("it is there")
}

async fn drain(plugin: &impl Adapter, cell: &CellKey) -> Result<(), Fault> {
    let value = see(plugin, cell).await.value.expect("it is there");
    write(plugin, cell, &spelled(plugin, cell, &value, 0).await).await
}

async fn listed(plugin: &impl Adapter) -> Vec<InstanceListed> {
    plugin.registry().expect("it is a registry").list(None).await.expect("it is listed").page.items
}

/// Until the catalog shows it.
async fn shows(plugin: &impl Adapter, cell: &CellKey, value: Option<&str>) -> Seen {
    let began = Instant::now();
    loop {
        let seen = see(plugin, cell).await;
        if seen.value.as_deref() == value {
            return seen;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{seen:?}, not {value:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What an agent's own `/v1/health/service` has of an entry, without what moves with each write.
fn whole(consul: &Consul, id: &str) -> Value {
    let mut one =
        consul.service("order").into_iter().find(|one| one["Service"]["ID"] == id).expect("it is there");
    one["Service"]["ModifyIndex"] = Value::Null;
    let checks = one["Checks"].as_array_mut().expect("it has checks");
    checks.sort_by_key(|check| check["CheckID"].as_str().unwrap_or_default().to_owned());
    one
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_goes_to_the_agent_of_the_node_and_everything_else_stays() {
    let Some(consul) = Consul::start(2) else { return };
    consul.register(0, &service("i-0"));
    consul.register(1, &service("i-1"));
    let (one, other) = (consul.url(0), consul.url(1));
    let port = consul.address(1).rsplit_once(':').map(|(_, port)| port.to_owned()).expect("it has a port");
    let before = whole(&consul, "i-1");
    let alone = plugin(json!({ "addresses": [&one] }), None).await;
    let at = cell(&alone, "order/i-1").await;
    let refused = drain(&alone, &at).await;
    assert!(matches!(&refused, Err(Fault::NotDone(why)) if why.contains("agent of node n1")), "{refused:?}");
    let findings = alone.check().await.expect("it is looked at");
    let agents =
        findings.iter().find(|finding| finding.subject == "agents of nodes").expect("they are tried");
    assert!(agents.grade == Grade::Warning && agents.message.contains("n1"), "{agents:?}");
    for ways in [json!([&other]), json!([format!("http://{{address}}:{port}")])] {
        let config = json!({ "addresses": [&one], "agents": ways, "usual_weight": 100 });
        let plugin = plugin(config, None).await;
        let findings = plugin.check().await.expect("it is looked at");
        assert!(findings.iter().all(|finding| finding.grade == Grade::Ok), "{findings:?}");
        let value = see(&plugin, &at).await.value.expect("it is there");
        drain(&plugin, &at).await.expect("it is drained");
        let names: Vec<Value> =
            whole(&consul, "i-1")["Checks"].as_array().into_iter().flatten().cloned().collect();
        assert!(names.iter().any(|check| check["CheckID"] == "_service_maintenance:i-1"), "{names:?}");
        let all = listed(&plugin).await;
        let weights: Vec<_> = all.iter().map(|one| (one.id.as_str(), one.weight)).collect();
        assert_eq!(weights, [("i-0", Some(100)), ("i-1", Some(0))]);
        // Its owner goes on with it meanwhile, and that is no other value.
        consul.call(1, "PUT", "/v1/agent/check/fail/i-1-alive", &Value::Null);
        assert_eq!(see(&plugin, &at).await.version, see(&plugin, &at).await.version);
        consul.call(1, "PUT", "/v1/agent/check/pass/i-1-alive", &Value::Null);
        write(&plugin, &at, &value).await.expect("it is put back");
        shows(&plugin, &at, Some(&value)).await;
        // A weight, with all checks as they were.
        let tenth = spelled(&plugin, &at, &value, 10).await;
        write(&plugin, &at, &tenth).await.expect("it is weighed");
        let weighed = whole(&consul, "i-1");
        assert_eq!(weighed["Service"]["Weights"], json!({ "Passing": 10, "Warning": 1 }));
        assert_eq!(weighed["Checks"].as_array().map(Vec::len), before["Checks"].as_array().map(Vec::len));
        assert_eq!(listed(&plugin).await[1].weight, Some(10));
        write(&plugin, &at, &value).await.expect("it is put back");
        shows(&plugin, &at, Some(&value)).await;
        let after = whole(&consul, "i-1");
        assert_eq!(after["Service"], before["Service"]);
        let bare = |one: &Value| -> Vec<Value> {
            let all = one["Checks"].as_array().into_iter().flatten();
            all.map(|c| json!([c["CheckID"], c["Status"], c["Notes"], c["CreateIndex"], c["Type"]])).collect()
        };
        assert_eq!(bare(&after), bare(&before));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_leaves_and_comes_back_keeps_what_lies_over_its_services() {
    let Some(mut consul) = Consul::start(2) else { return };
    consul.register(1, &service("i-1"));
    consul.register(1, &service("i-2"));
    let config = json!({ "addresses": [consul.url(0)], "agents": [consul.url(1)], "usual_weight": 100 });
    let plugin = plugin(config, None).await;
    let cells = [cell(&plugin, "order/i-1").await, cell(&plugin, "order/i-2").await];
    let prior = see(&plugin, &cells[0]).await.value.expect("it is there");
    drain(&plugin, &cells[0]).await.expect("it is drained");
    let drained = spelled(&plugin, &cells[0], &prior, 0).await;
    let weighed = spelled(&plugin, &cells[1], &prior, 10).await;
    write(&plugin, &cells[1], &weighed).await.expect("it is weighed");
    // One that leaves is forgotten by the catalog, and its services come back under another index.
    let index = whole(&consul, "i-1")["Service"]["CreateIndex"].clone();
    consul.leave(1);
    let began = Instant::now();
    while !consul.service("order").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20), "its services are forgotten");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(see(&plugin, &cells[0]).await.over, "nobody is there");
    consul.run(1);
    shows(&plugin, &cells[0], Some(&drained)).await;
    shows(&plugin, &cells[1], Some(&weighed)).await;
    assert_ne!(whole(&consul, "i-1")["Service"]["CreateIndex"], index);
    let keys: Vec<_> = listed(&plugin).await.into_iter().map(|one| one.cell).collect();
    assert_eq!(keys, [cells[0].0.clone(), cells[1].0.clone()]);
    // One that is killed comes back with all of it too; the catalog goes on with the registration it had.
    consul.kill(1);
    consul.run(1);
    shows(&plugin, &cells[0], Some(&drained)).await;
    for cell in &cells {
        write(&plugin, cell, &prior).await.expect("it is put back");
        let began = Instant::now();
        // With the mark gone it is the life that the catalog knows.
        while !see(&plugin, cell).await.over {
            assert!(began.elapsed() < Duration::from_secs(20), "it is back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let all = listed(&plugin).await;
    // Checks that wait for their instance begin anew with their agent; nothing of Rein's is left.
    let bare = |one: &InstanceListed| one.weight == Some(100) && !one.metadata.contains_key("maintenance");
    assert!(all.iter().all(bare) && !whole(&consul, "i-2").to_string().contains("rein"), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_maintenance_is_shown_and_never_ended() {
    let Some(consul) = Consul::start(1) else { return };
    consul.register(0, &service("i-1"));
    let plugin = plugin(json!({ "addresses": [consul.url(0)] }), None).await;
    let at = cell(&plugin, "order/i-1").await;
    consul.maintain(0, "i-1", Some("bob"));
    let value = r#"{"maintenance":"bob","passing":100,"warning":10}"#;
    shows(&plugin, &at, Some(value)).await;
    let one = listed(&plugin).await.remove(0);
    assert_eq!((one.weight, one.state), (Some(0), StateListed::Up));
    assert_eq!(
        (one.metadata["maintenance"].as_str(), one.metadata["tags"].as_str()),
        ("bob", "version=v2.4, blue")
    );
    assert_eq!((one.zone.as_deref(), one.version.as_deref()), (Some("sh"), Some("v2.4")));
    assert_eq!(spelled(&plugin, &at, value, 0).await, value, "it is out already");
    drain(&plugin, &at).await.expect("nothing is to be done");
    shows(&plugin, &at, Some(value)).await;
    let tenth = Weighing { cell: at.clone(), value: Some(value.into()), weight: 10 };
    let refused = plugin.registry().expect("it is a registry").weigh(&[tenth]).await.expect("it is answered");
    assert!(
        matches!(&refused[0], Err(Fault::Unsupported(why)) if why.contains("usual_weight")),
        "{refused:?}"
    );
    // Bob ends it, and another one's begins: what was seen before is not written over.
    let seen = see(&plugin, &at).await;
    consul.maintain(0, "i-1", None);
    shows(&plugin, &at, Some(r#"{"passing":100,"warning":10}"#)).await;
    let want = Some(value.replace("bob", "rein"));
    let stale = Write {
        cell: at.clone(),
        want,
        expected_version: seen.version,
        change: "c".into(),
        object: seen.object,
    };
    assert!(matches!(plugin.apply(stale).await, Err(Fault::Moved(_))));
    // A whole node.
    consul.call(0, "PUT", "/v1/agent/maintenance?enable=true&reason=disk", &Value::Null);
    let began = Instant::now();
    while listed(&plugin).await[0].weight != Some(0) {
        assert!(began.elapsed() < Duration::from_secs(20), "the node is out");
    }
    assert_eq!(listed(&plugin).await[0].metadata["node-maintenance"], "disk");
    // Who registers anew under the same id is somebody else.
    drain(&plugin, &at).await.expect("it is drained");
    consul.call(0, "PUT", "/v1/agent/service/deregister/i-1", &Value::Null);
    consul.register(0, &service("i-1"));
    let seen = see(&plugin, &at).await;
    assert!(seen.over && seen.value.is_none(), "{seen:?}");
    let wanted = write(&plugin, &at, value).await;
    assert!(matches!(&wanted, Err(Fault::Moved(_) | Fault::NotDone(_))), "{wanted:?}");
    assert_eq!(
        whole(&consul, "i-1")["Checks"].as_array().map(Vec::len),
        Some(4),
        "two of the node, two of its own"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_an_agent_is_written_in_the_catalog() {
    let Some(consul) = Consul::start(1) else { return };
    let entry = json!({
        "Node": "outside", "Address": "10.9.9.9", "NodeMeta": { "zone": "bj" },
        "Service": { "ID": "i-9", "Service": "order", "Port": 99, "Meta": { "a": "b" },
                     "Weights": { "Passing": 50, "Warning": 1 } },
    });
    consul.call(0, "PUT", "/v1/catalog/register", &entry);
    let plugin = plugin(json!({ "addresses": [consul.url(0)], "usual_weight": 100 }), None).await;
    let at = cell(&plugin, "order/i-9").await;
    let before = whole(&consul, "i-9");
    let value = see(&plugin, &at).await.value.expect("it is there");
    let one = listed(&plugin).await.remove(0);
    assert_eq!(
        (one.zone.as_deref(), one.address.as_str(), one.weight),
        (Some("bj"), "10.9.9.9:99", Some(50))
    );
    drain(&plugin, &at).await.expect("it is drained");
    assert_eq!(listed(&plugin).await[0].weight, Some(0));
    let weighed = spelled(&plugin, &at, &value, 10).await;
    write(&plugin, &at, &weighed).await.expect("it is weighed, and back");
    assert_eq!(whole(&consul, "i-9")["Service"]["Weights"]["Passing"], 10);
    write(&plugin, &at, &value).await.expect("it is as it was");
    assert_eq!(whole(&consul, "i-9"), before);
    let findings = plugin.check().await.expect("it is looked at");
    assert!(findings.iter().any(|f| f.message.contains("1 have none")), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_alters_is_told_at_once() {
    let Some(mut consul) = Consul::start(1) else { return };
    let plugin = plugin(json!({ "addresses": [consul.url(0)] }), None).await;
    let mut hints = plugin.watch().await.expect("there are hints");
    let next = async |hints: &mut futures::stream::BoxStream<'static, Option<CellKey>>, limit| {
        timeout(Duration::from_millis(limit), hints.next()).await.is_ok()
    };
    assert!(next(&mut hints, 3000).await, "one at the beginning");
    while next(&mut hints, 1000).await {}
    consul.register(0, &service("i-1"));
    assert!(next(&mut hints, 1000).await, "one when a service is registered");
    while next(&mut hints, 500).await {}
    consul.maintain(0, "i-1", Some("bob"));
    assert!(next(&mut hints, 1000).await, "one when it is taken out");
    while next(&mut hints, 500).await {}
    let mut other = service("i-1");
    other["Weights"]["Passing"] = json!(7);
    consul.call(0, "PUT", "/v1/agent/service/register", &other);
    assert!(next(&mut hints, 1000).await, "one when only its weight alters");
    while next(&mut hints, 500).await {}
    consul.kill(0);
    consul.run(0);
    assert!(next(&mut hints, 10_000).await, "one when the watch was begun anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_are_the_tokens() {
    let token = "5f0e3c5b-9f3a-4b1e-8a57-3b2f6f4a2d11";
    let Some(consul) = Consul::guarded(token) else { return };
    consul.register(0, &service("i-1"));
    let config = json!({ "addresses": [consul.url(0)] });
    let owner = plugin(config.clone(), Some(token)).await;
    let at = cell(&owner, "order/i-1").await;
    for wrong in [None, Some("5f0e3c5b-9f3a-4b1e-8a57-000000000000")] {
        let other = plugin(config.clone(), wrong).await;
        let findings = other.check().await.expect("it is looked at");
        assert!(findings.iter().any(|finding| finding.grade != Grade::Ok), "{findings:?}");
        let said = other.registry().expect("it is a registry").list(None).await;
        match said {
            // Without a token Consul says that there is nobody.
            Ok(listing) => assert!(wrong.is_none() && listing.page.items.is_empty()),
            Err(fault) => assert!(fault.to_string().contains("the secret is called token"), "{fault:?}"),
        }
    }
    let findings = owner.check().await.expect("it is looked at");
    assert!(findings.iter().all(|finding| finding.grade == Grade::Ok), "{findings:?}");
    assert!(findings.iter().any(|finding| finding.message.contains("global-management")), "{findings:?}");
    drain(&owner, &at).await.expect("it is drained");
    assert_eq!(listed(&owner).await[0].weight, Some(0));
}
