//! What every plugin promises, on a real Prometheus.

mod kit;

use async_trait::async_trait;
use kit::{Page, judged};
use rein_parts::{Job, Prometheus};
use rein_plugin::conformance::{Rig, Subject, over_socket};
use rein_plugin::{Adapter, Configuration};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

fn wrong() -> Vec<(Value, &'static str)> {
    let template = |template: Value| json!({"peers": ["http://x"], "templates": [template]});
    vec![
        (json!({}), ""),
        (json!({"peers": []}), "/peers"),
        (json!({"peers": ["http://x"], "other": 1}), ""),
        (json!({"peers": ["http://x", 1]}), "/peers/1"),
        (json!({"peers": ["http://x", "http://x/"]}), "/peers/1"),
        (json!({"peers": ["ftp://x"]}), "/peers/0"),
        (json!({"peers": ["http://me:pw@x"]}), "/peers/0"),
        (json!({"peers": ["http://x/?a=b"]}), "/peers/0"),
        (json!({"peers": ["http://169.254.169.254/"]}), "/peers/0"),
        (json!({"peers": ["http://x"], "timeout_ms": 5000}), "/timeout_ms"),
        (json!({"peers": ["http://x"], "window_seconds": 1}), "/window_seconds"),
        (json!({"peers": ["http://x"], "profiles": ["istio", "nosuch"]}), "/profiles/1"),
        (json!({"peers": ["http://x"], "labels": {"service": "a b"}}), "/labels/service"),
        (json!({"peers": ["http://x"], "labels": {"service": "a\"} or {b=\""}}), "/labels/service"),
        (json!({"peers": ["http://x"], "labels": {"pod": "pod"}}), "/labels"),
        (template(json!({"figure": "p75", "of": "service", "query": "$by"})), "/templates/0/figure"),
        (template(json!({"figure": "p50", "of": "host", "query": "$by"})), "/templates/0/of"),
        (template(json!({"figure": "p50", "of": "edge", "query": "max(x)"})), "/templates/0/query"),
        (
            template(json!({"figure": "version", "of": "edge", "query": "max by ($by) (x)"})),
            "/templates/0/of",
        ),
        (json!({"peers": ["http://x"], "labels": {"version": "a b"}}), "/labels/version"),
        (
            template(json!({"figure": "p50", "of": "edge", "query": "max by ($by) (x{a=\"$job\"})"})),
            "/templates/0/query",
        ),
        (
            template(
                json!({"figure": "p50", "of": "edge", "query": "max by ($by) (x)", "labels": {"zone": "1"}}),
            ),
            "/templates/0/labels/zone",
        ),
    ]
}

/// What the plugin itself says, without the schema before it.
#[tokio::test]
async fn wrong_configuration_is_refused_by_its_field() {
    for (config, field) in wrong() {
        let errors = judged(&config).await;
        assert!(errors.iter().any(|error| error.field.starts_with(field)), "{config}: {errors:?}");
    }
    assert_eq!(judged(&json!({"peers": ["http://x"]})).await, []);
}

struct Measured(Arc<(Prometheus, Vec<Page>)>);

#[async_trait]
impl Rig for Measured {
    async fn plugin(&self) -> Result<Arc<dyn Adapter>, String> {
        over_socket(rein_plugin_prometheus::adapter()).await
    }

    async fn backend(&self) -> Result<Subject, String> {
        Ok(Subject {
            configuration: Configuration {
                backend: "conforms".into(),
                config: json!({"peers": [self.0.0.url()], "window_seconds": 10, "timeout_ms": 1900})
                    .to_string(),
                secrets: BTreeMap::new(),
            },
            wrong: wrong()
                .into_iter()
                .map(|(config, field)| (config.to_string(), field.to_owned()))
                .collect(),
            noun: "telemetry".into(),
            values: Vec::new(),
            spellings: Vec::new(),
            keep: Box::new(Arc::clone(&self.0)),
        })
    }
}

/// Some services that serve and call, with names that nobody should have.
fn page(at: f64) -> String {
    let mut text = String::new();
    for name in ["order", "a b/c", "\u{202e}evil\u{1b}[31m", r#"quo\"te\\n"#] {
        for (metric, labels) in [("server", ""), ("client", r#",server_address="order""#)] {
            let metric = format!("http_{metric}_request_duration_seconds");
            let all = (at * 10.0).floor();
            let own = format!(
                r#"service_name="{name}",service_instance_id="{name}-1",service_version="{name}"{labels}"#
            );
            text.push_str(&format!("{metric}_count{{{own}}} {all}\n"));
            text.push_str(&format!("{metric}_bucket{{{own},le=\"0.1\"}} {all}\n"));
            text.push_str(&format!("{metric}_bucket{{{own},le=\"+Inf\"}} {all}\n"));
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn every_promise_is_kept() {
    let page = Page::of(page);
    let Some(prometheus) = Prometheus::scraping(&[Job::new("odd", [page.address()])]) else { return };
    prometheus.shows("rate(http_client_request_duration_seconds_count[10s]) > 0", 4);
    let rig = Measured(Arc::new((prometheus, vec![page])));
    let outcomes = rein_plugin::conformance::run(&rig).await;
    let broken: Vec<_> = outcomes.iter().filter(|outcome| outcome.verdict.is_err()).collect();
    assert!(broken.is_empty(), "promises of the plugin contract are broken: {broken:#?}");
}
