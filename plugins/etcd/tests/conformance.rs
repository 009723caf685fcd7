//! What every plugin promises, on a real etcd.

use async_trait::async_trait;
use rein_parts::Etcd;
use rein_plugin::conformance::{Rig, Subject, over_socket, run};
use rein_plugin::{Adapter, Configuration};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const RAW: [&str; 2] = [
    r#"{"Op":0,"Addr":"10.0.0.7:8080","Metadata":{"zone":"sh","version":"v2.4","a \"b\" é":"🔕\u0000"},"More":[1.0,null]}"#,
    r#"{"Op":0,"Addr":"10.0.0.8:8080","Metadata":null}"#,
];

/// One cluster for all checks, a prefix for each.
struct One {
    etcd: Etcd,
    next: AtomicU32,
}

#[async_trait]
impl Rig for One {
    async fn plugin(&self) -> Result<Arc<dyn Adapter>, String> {
        over_socket(rein_plugin_etcd::adapter()).await
    }

    async fn backend(&self) -> Result<Subject, String> {
        let url = format!("http://{}", self.etcd.addresses()[0]);
        let prefix = format!("conform-{}/", self.next.fetch_add(1, Ordering::Relaxed));
        let right = json!({"endpoints": [url], "prefix": prefix, "timeout_ms": 5000});
        let with = |field: &str, value: serde_json::Value| {
            let mut config = right.clone();
            config[field] = value;
            config.to_string()
        };
        let wrong = [
            ("{}".to_owned(), ""),
            (with("endpoints", json!([])), "/endpoints"),
            (with("endpoints", json!("http://x:1")), "/endpoints"),
            (with("endpoints", json!(["http://x:1", 1])), "/endpoints/1"),
            (with("endpoints", json!(["http://x:1", "http://x:1/"])), "/endpoints/1"),
            (with("endpoints", json!(["x:1"])), "/endpoints/0"),
            (with("endpoints", json!(["http://x"])), "/endpoints/0"),
            (with("endpoints", json!(["http://x:1/v3"])), "/endpoints/0"),
            (with("endpoints", json!(["http://me:pw@x:1"])), "/endpoints/0"),
            (with("endpoints", json!(["http://169.254.169.254:80"])), "/endpoints/0"),
            (with("prefix", json!("")), "/prefix"),
            (with("prefix", json!("/")), "/prefix"),
            (with("prefix", json!("services")), "/prefix"),
            (with("prefix", json!("a\n/")), "/prefix"),
            (with("timeout_ms", json!(1)), "/timeout_ms"),
            (with("other", json!(1)), ""),
        ];
        let value = |raw: &str| json!({"lease": "0000000000000000", "value": raw}).to_string();
        Ok(Subject {
            configuration: Configuration {
                backend: "conforms".into(),
                config: right.to_string(),
                secrets: BTreeMap::new(),
            },
            wrong: wrong.into_iter().map(|(config, field)| (config, field.to_owned())).collect(),
            noun: "registry".into(),
            values: RAW.map(value).to_vec(),
            spellings: vec![(
                format!(" {{ \"value\" : {}, \"lease\":\"0000000000000000\"}} ", json!(RAW[1])),
                value(RAW[1]),
            )],
            keep: Box::new(()),
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_every_promise() {
    let Some(etcd) = Etcd::start(1) else { return };
    let outcomes = run(&One { etcd, next: AtomicU32::new(0) }).await;
    let broken: Vec<_> = outcomes.iter().filter(|outcome| outcome.verdict.is_err()).collect();
    assert!(broken.is_empty(), "promises of the plugin contract are broken: {broken:#?}");
}
