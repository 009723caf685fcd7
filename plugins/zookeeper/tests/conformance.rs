//! What every plugin promises, on a real ZooKeeper.

use async_trait::async_trait;
use rein_parts::Zookeeper;
use rein_plugin::conformance::{Rig, Subject, over_socket, run};
use rein_plugin::{Adapter, Configuration};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const DATA: [&str; 2] = [
    r#"{"name":"conform","id":"a","address":"10.0.0.7","port":8080,"sslPort":null,"payload":{"zone":"sh","version":"v2.4","a \"b\" é":"🔕\u0000"},"registrationTimeUTC":1700000000000,"serviceType":"DYNAMIC","uriSpec":null,"enabled":true,"More":[1.0,null]}"#,
    r#"{"name":"conform","id":"b","address":"10.0.0.8","port":8080}"#,
];

/// One server for all checks, a base path for each.
struct One {
    zookeeper: Zookeeper,
    next: AtomicU32,
}

#[async_trait]
impl Rig for One {
    async fn plugin(&self) -> Result<Arc<dyn Adapter>, String> {
        over_socket(rein_plugin_zookeeper::adapter()).await
    }

    async fn backend(&self) -> Result<Subject, String> {
        let base = format!("/conform-{}", self.next.fetch_add(1, Ordering::Relaxed));
        let right = json!({"servers": [self.zookeeper.address()], "base": base, "timeout_ms": 5000});
        let with = |field: &str, value: serde_json::Value| {
            let mut config = right.clone();
            config[field] = value;
            config.to_string()
        };
        let wrong = [
            ("{}".to_owned(), ""),
            (with("servers", json!([])), "/servers"),
            (with("servers", json!("x:1")), "/servers"),
            (with("servers", json!(["x:1", 1])), "/servers/1"),
            (with("servers", json!(["x:1", "X:1"])), "/servers/1"),
            (with("servers", json!(["x"])), "/servers/0"),
            (with("servers", json!(["x:0"])), "/servers/0"),
            (with("servers", json!(["x:1/services"])), "/servers/0"),
            (with("servers", json!(["x:1,y:1"])), "/servers/0"),
            (with("servers", json!(["http://x:1"])), "/servers/0"),
            (with("servers", json!(["a b:1"])), "/servers/0"),
            (with("servers", json!(["169.254.169.254:2181"])), "/servers/0"),
            (with("servers", json!(["[fe80::1]:2181"])), "/servers/0"),
            (with("base", json!("")), "/base"),
            (with("base", json!("/")), "/base"),
            (with("base", json!("services")), "/base"),
            (with("base", json!("/services/")), "/base"),
            (with("base", json!("/a//b")), "/base"),
            (with("base", json!("/a/../b")), "/base"),
            (with("base", json!("/a\n")), "/base"),
            (with("timeout_ms", json!(1)), "/timeout_ms"),
            (with("other", json!(1)), ""),
        ];
        let value = |data: &str| json!({"data": data}).to_string();
        Ok(Subject {
            configuration: Configuration {
                backend: "conforms".into(),
                config: right.to_string(),
                secrets: BTreeMap::new(),
            },
            wrong: wrong.into_iter().map(|(config, field)| (config, field.to_owned())).collect(),
            noun: "registry".into(),
            values: DATA.map(value).to_vec(),
            spellings: vec![(format!(" {{ \"data\" : {} }} ", json!(DATA[1])), value(DATA[1]))],
            keep: Box::new(()),
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_every_promise() {
    let Some(zookeeper) = Zookeeper::start() else { return };
    let outcomes = run(&One { zookeeper, next: AtomicU32::new(0) }).await;
    let broken: Vec<_> = outcomes.iter().filter(|outcome| outcome.verdict.is_err()).collect();
    assert!(broken.is_empty(), "promises of the plugin contract are broken: {broken:#?}");
}
