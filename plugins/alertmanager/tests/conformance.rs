//! What every plugin promises, on a real Alertmanager, and on three that gossip.

use async_trait::async_trait;
use rein_parts::{Alertmanager, Cluster};
use rein_plugin::conformance::{Rig, Subject, over_socket};
use rein_plugin::{Adapter, Configuration};
use serde_json::json;
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const VALUES: [&str; 3] = [
    r#"{"matchers":[["alertname","=","Conforms"]],"ends":"2099-11-24T03:40:00Z","author":"alice","comment":"a \"test\" é 🔕"}"#,
    r#"{"matchers":[["alertname","=","Conforms"]],"ends":"2099-12-24T03:40:00Z","author":"bob","comment":""}"#,
    r#"{"matchers":[["alertname","=~","Con.*"],["zone","!=","a\nb\u001b"]],"ends":"2098-01-01T00:00:00Z","author":"","comment":"x [rein] y"}"#,
];

fn subject(peers: &[String], keep: Box<dyn Any + Send + Sync>) -> Subject {
    let wrong = [
        (json!({}), ""),
        (json!({"peers": []}), "/peers"),
        (json!({"peers": ["http://x"], "other": 1}), ""),
        (json!({"peers": "http://x"}), "/peers"),
        (json!({"peers": ["http://x", 1]}), "/peers/1"),
        (json!({"peers": ["http://x", "x"]}), "/peers/1"),
        (json!({"peers": ["http://x", "http://x/"]}), "/peers/1"),
        (json!({"peers": ["ftp://x"]}), "/peers/0"),
        (json!({"peers": ["http://me:pw@x"]}), "/peers/0"),
        (json!({"peers": ["http://x/?a=b"]}), "/peers/0"),
        (json!({"peers": ["http://169.254.169.254/"]}), "/peers/0"),
        (json!({"peers": ["http://x"], "history": "http://[fe80::1]/"}), "/history"),
        (json!({"peers": ["http://x"], "timeout_ms": 1}), "/timeout_ms"),
        (json!({"peers": ["http://x"], "timeout_ms": "2s"}), "/timeout_ms"),
    ];
    let spelling = VALUES[0]
        .replace("03:40:00Z", "03:40:00.75+00:00")
        .replace("Conforms\"]]", "Conforms\"],[\"alertname\",\"=\",\"Conforms\"]]");
    Subject {
        configuration: Configuration {
            backend: "conforms".into(),
            config: json!({"peers": peers, "timeout_ms": 5000}).to_string(),
            secrets: BTreeMap::new(),
        },
        wrong: wrong.into_iter().map(|(config, field)| (config.to_string(), field.to_owned())).collect(),
        noun: "silence".into(),
        values: VALUES.map(str::to_owned).to_vec(),
        spellings: vec![(spelling, VALUES[0].to_owned())],
        keep,
    }
}

async fn plugin() -> Result<Arc<dyn Adapter>, String> {
    over_socket(rein_plugin_alertmanager::adapter()).await
}

struct One;

#[async_trait]
impl Rig for One {
    async fn plugin(&self) -> Result<Arc<dyn Adapter>, String> {
        plugin().await
    }

    async fn backend(&self) -> Result<Subject, String> {
        let one = Alertmanager::one().ok_or("Alertmanager is not installed")?;
        Ok(subject(&[one.url()], Box::new(one)))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_alone_keeps_every_promise() {
    if Alertmanager::is_installed() {
        all_kept(&One).await;
    }
}

/// The same peers for all checks, with nothing left alive by the one before.
struct Three(Arc<Mutex<Cluster>>);

#[async_trait]
impl Rig for Three {
    async fn plugin(&self) -> Result<Arc<dyn Adapter>, String> {
        plugin().await
    }

    async fn backend(&self) -> Result<Subject, String> {
        let cluster = self.0.lock().map_err(|e| e.to_string())?;
        cluster.empty();
        let peers: Vec<String> = cluster.0.iter().map(Alertmanager::url).collect();
        Ok(subject(&peers, Box::new(Arc::clone(&self.0))))
    }
}

async fn all_kept(rig: &impl Rig) {
    let outcomes = rein_plugin::conformance::run(rig).await;
    let broken: Vec<_> = outcomes.iter().filter(|outcome| outcome.verdict.is_err()).collect();
    assert!(broken.is_empty(), "promises of the plugin contract are broken: {broken:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_that_gossip_keep_every_promise() {
    let Some(cluster) = Alertmanager::cluster(3) else { return };
    all_kept(&Three(Arc::new(Mutex::new(cluster)))).await;
}
