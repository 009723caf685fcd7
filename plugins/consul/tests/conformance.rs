//! What every plugin promises, on a real agent of Consul.

use async_trait::async_trait;
use rein_parts::Consul;
use rein_plugin::conformance::{Rig, Subject, over_socket, run};
use rein_plugin::{Adapter, Configuration};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const VALUES: [&str; 2] = [r#"{"passing":100,"warning":7}"#, r#"{"passing":100,"warning":0}"#];

/// One agent for all checks, which take it one after the other.
struct One(Consul);

impl One {
    fn empty(&self) {
        let services = self.0.call(0, "GET", "/v1/agent/services", &Value::Null);
        for id in services.as_object().into_iter().flatten().map(|(id, _)| id) {
            let id: String = id.bytes().map(|b| format!("%{b:02X}")).collect();
            self.0.call(0, "PUT", &format!("/v1/agent/service/deregister/{id}"), &Value::Null);
        }
        rein_parts::until("nobody is registered", std::time::Duration::from_secs(20), || {
            self.0.service("conform").is_empty().then_some(())
        });
    }
}

#[async_trait]
impl Rig for One {
    async fn plugin(&self) -> Result<Arc<dyn Adapter>, String> {
        over_socket(rein_plugin_consul::adapter()).await
    }

    async fn backend(&self) -> Result<Subject, String> {
        self.empty();
        let right = json!({ "addresses": [self.0.url(0)], "usual_weight": 100, "timeout_ms": 5000 });
        let with = |field: &str, value: Value| {
            let mut config = right.clone();
            config[field] = value;
            config.to_string()
        };
        let wrong = [
            ("{}".to_owned(), ""),
            (with("addresses", json!([])), "/addresses"),
            (with("addresses", json!("http://x:1")), "/addresses"),
            (with("addresses", json!(["http://x:1", 1])), "/addresses/1"),
            (with("addresses", json!(["http://x:1", "http://X:1/"])), "/addresses/1"),
            (with("addresses", json!(["x:8500"])), "/addresses/0"),
            (with("addresses", json!(["http://u:p@x:1"])), "/addresses/0"),
            (with("addresses", json!(["http://x:1/?dc=a"])), "/addresses/0"),
            (with("addresses", json!(["http://169.254.169.254"])), "/addresses/0"),
            (with("agents", json!(["http://x:1", "http://{other}:1"])), "/agents/1"),
            (with("agents", json!(["http://{node}:1/{address}"])), "/agents/0"),
            (with("agents", json!(["http://[fe80::1]:8500"])), "/agents/0"),
            (with("datacenter", json!("dc\n1")), "/datacenter"),
            (with("prefix", json!("a".repeat(129))), "/prefix"),
            (with("usual_weight", json!(0)), "/usual_weight"),
            (with("usual_weight", json!(70_000)), "/usual_weight"),
            (with("timeout_ms", json!(1)), "/timeout_ms"),
            (with("other", json!(1)), ""),
        ];
        Ok(Subject {
            configuration: Configuration {
                backend: "conforms".into(),
                config: right.to_string(),
                secrets: BTreeMap::new(),
            },
            wrong: wrong.into_iter().map(|(config, field)| (config, field.to_owned())).collect(),
            noun: "registry".into(),
            values: VALUES.map(str::to_owned).to_vec(),
            spellings: vec![(
                r#" { "warning" : 0, "passing" : 100, "maintenance" : null } "#.to_owned(),
                VALUES[1].to_owned(),
            )],
            keep: Box::new(()),
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_every_promise() {
    let Some(consul) = Consul::start(1) else { return };
    let outcomes = run(&One(consul)).await;
    let broken: Vec<_> = outcomes.iter().filter(|outcome| outcome.verdict.is_err()).collect();
    assert!(broken.is_empty(), "promises of the plugin contract are broken: {broken:#?}");
}
