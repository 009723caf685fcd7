//! What says which version runs, in the forms in which it is emitted, scraped by a real Prometheus.

mod kit;

use kit::{Page, configured, telemetry, until, versions};
use rein_parts::{Job, Prometheus};
use rein_plugin::telemetry::VersionsAsk;
use rein_plugin::{Adapter, Grade};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A convention as it is emitted: lines, what is configured for it, what is told, and how a check says it was found.
struct Kind {
    emitted: &'static str,
    config: Value,
    told: &'static [&'static str],
    by: &'static str,
}

fn kinds() -> Vec<Kind> {
    let profile = |name: &str| json!({"profiles": [name]});
    vec![
        Kind {
            emitted: r#"
istio_requests_total{reporter="destination",destination_canonical_service="order",destination_version="v1",pod="a"} 1
istio_requests_total{reporter="destination",destination_canonical_service="order",destination_version="v1",pod="b"} 1
istio_requests_total{reporter="destination",destination_canonical_service="order",destination_version="v2",pod="c",response_code="200"} 1
istio_requests_total{reporter="destination",destination_canonical_service="order",destination_version="v2",pod="c",response_code="500"} 1
istio_requests_total{reporter="source",destination_canonical_service="order",destination_version="v9",pod="d"} 1
istio_requests_total{reporter="destination",destination_canonical_service="payment",destination_version="unknown",destination_canonical_revision="r7",pod="e"} 1
istio_requests_total{reporter="destination",destination_canonical_service="legacy",destination_version="unknown",destination_canonical_revision="latest",pod="f"} 1
"#,
            config: profile("istio"),
            told: &["order v1 2 istio", "order v2 1 istio", "payment r7 1 istio"],
            by: "of 1 services, by destination_version of istio",
        },
        Kind {
            emitted: r#"
response_total{direction="inbound",deployment="order",pod="a",version="v1"} 1
response_total{direction="inbound",deployment="order",pod="b",app_kubernetes_io_version="v2"} 1
response_total{direction="inbound",deployment="push",pod="c",app_kubernetes_io_version="v3"} 1
"#,
            config: profile("linkerd"),
            // Of one service one label is believed.
            told: &["order v1 1 linkerd", "push v3 1 linkerd"],
            by: "of 1 services, by version of linkerd",
        },
        Kind {
            emitted: r#"
http_server_request_duration_seconds_count{job="shop/order",instance="1",service_name="order"} 1
http_server_request_duration_seconds_count{job="shop/order",instance="2",service_name="order"} 1
http_server_request_duration_seconds_count{job="shop/push",instance="3",service_name="push"} 1
target_info{job="shop/order",instance="1",service_version="2.4.0",telemetry_sdk_version="9"} 1
target_info{job="shop/order",instance="2",service_version="2.5.0"} 1
target_info{job="shop/push",instance="3",telemetry_sdk_version="9"} 1
target_info{job="shop/database",instance="4",service_version="16"} 1
"#,
            config: profile("otel-http"),
            told: &["order 2.4.0 1 target-info", "order 2.5.0 1 target-info"],
            by: "of 1 services, by service_version of OpenTelemetry's target_info, joined with otel-http",
        },
        Kind {
            emitted: r#"
rpc_server_call_duration_seconds_count{service_name="order",service_instance_id="1",service_version="2.4.0"} 1
rpc_server_call_duration_seconds_count{service_name="order",service_instance_id="2",service_version="2.4.0"} 1
"#,
            config: profile("otel-rpc"),
            told: &["order 2.4.0 2 otel-rpc"],
            by: "of 1 services, by service_version of otel-rpc",
        },
        Kind {
            emitted: r#"
http_server_requests_seconds_count{application="order",instance="1",version="7"} 1
jvm_info{instance="1",version="21.0.1"} 1
"#,
            config: profile("micrometer"),
            told: &["order 7 1 micrometer"],
            by: "of 1 services, by version of micrometer",
        },
        Kind {
            emitted: r#"
rpc_server_duration_milliseconds_count{job="order",instance="1"} 1
rpc_server_duration_milliseconds_count{job="push",instance="2"} 1
order_build_info{job="order",instance="1",version="3.1",revision="abc",goversion="go1.24"} 1
go_build_info{job="order",instance="1",version="v0.0.0-2026"} 1
go_build_info{job="push",instance="2",version="v1.2.3"} 1
go_build_info{job="push",instance="2",path="x",version="(devel)"} 1
jmx_exporter_build_info{job="push",instance="2",version="0.20"} 1
prometheus_build_info{job="prometheus",instance="3",version="2.42"} 1
"#,
            config: profile("otel-rpc-ms"),
            told: &["order 3.1 1 build-info", "push v1.2.3 1 go-build-info"],
            by: "of 1 services, by version of build information that services show, joined with otel-rpc-ms",
        },
        Kind {
            emitted: r#"
traces_service_graph_request_total{client="gateway",server="order",server_service_version="v5"} 1
"#,
            config: profile("service-graph"),
            told: &["order v5 ? service-graph"],
            by: "of 1 services, by server_service_version of service-graph",
        },
        Kind {
            emitted: r#"
envoy_http_downstream_rq_total{service="edge",instance="1",version="v6"} 1
shop_release{app="order",pod="a",tag="r1"} 1
shop_release{app="order",pod="b",tag="r2"} 1
shop_release{app="order",pod="c",tag="r3"} 0
"#,
            config: json!({
                "profiles": ["envoy"],
                "templates": [{
                    "figure": "version",
                    "of": "service",
                    "query": "max by ($by) (shop_release{$match})",
                    "labels": {"service": "app", "instance": "pod", "version": "tag"},
                }],
            }),
            told: &["edge v6 1 envoy", "order r1 1 own", "order r2 1 own"],
            by: "of 1 services, by template 0",
        },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn every_form_is_found_and_what_says_no_version_is_no_data() {
    let kinds = kinds();
    let pages: Vec<Page> = kinds.iter().map(|kind| Page::of(|_| kind.emitted.to_owned())).collect();
    let jobs: Vec<Job> =
        pages.iter().enumerate().map(|(n, page)| Job::new(&format!("page-{n}"), [page.address()])).collect();
    let Some(prometheus) = Prometheus::scraping(&jobs) else { return };
    for kind in &kinds {
        let mut config = kind.config.clone();
        config["peers"] = json!([prometheus.url()]);
        config["timeout_ms"] = json!(1900);
        let plugin = configured(config).await;
        let told = until(
            &format!("versions: {}", kind.by),
            async || versions(&plugin, None).await,
            |told| told.len() >= kind.told.len(),
        )
        .await;
        assert_eq!(told, kind.told);
        let alone: Vec<&&str> = kind.told.iter().filter(|one| one.starts_with("order ")).collect();
        assert_eq!(versions(&plugin, Some("order")).await.unwrap().iter().collect::<Vec<_>>(), alone);
        assert_eq!(versions(&plugin, Some("nobody")).await.unwrap(), Vec::<String>::new());
        let findings = plugin.check().await.unwrap();
        let found = findings.iter().any(|one| one.subject == "versions" && one.message == kind.by);
        assert!(found, "{}: {findings:?}", kind.by);
    }
}

/// Where no label says anything, that is said, and is no fault. A version that came is told since when.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn without_a_label_nothing_is_told_and_what_came_is_told_at_once() {
    let labelled = Arc::new(AtomicBool::new(false));
    let page = Page::of({
        let labelled = Arc::clone(&labelled);
        move |at| {
            let version = if labelled.load(Ordering::Relaxed) { r#",release="v2""# } else { "" };
            format!(
                "http_server_request_duration_seconds_count{{job=\"order\",instance=\"1\"{version}}} {at}\n"
            )
        }
    });
    let Some(prometheus) = Prometheus::scraping(&[Job::new("order", [page.address()])]) else { return };
    prometheus.shows("http_server_request_duration_seconds_count", 1);
    let config = json!({"peers": [prometheus.url()], "timeout_ms": 1900, "labels": {"version": "release"}});
    let plugin = configured(config.clone()).await;
    assert_eq!(versions(&plugin, None).await.unwrap(), Vec::<String>::new());
    let findings = plugin.check().await.unwrap();
    let said = findings.iter().find(|one| one.subject == "versions").unwrap();
    assert!(said.grade == Grade::Ok && said.message.contains("are not seen here"), "{said:?}");
    labelled.store(true, Ordering::Relaxed);
    // What there are labels of is looked for anew every minute, and by whoever was just started.
    prometheus.shows(r#"{release="v2"}"#, 1);
    let plugin = configured(config).await;
    assert_eq!(versions(&plugin, None).await.unwrap(), ["order v2 1 otel-http"]);
    let ask = VersionsAsk { service: Some("order".into()), page: None };
    let since = async || Ok(telemetry(&plugin).versions(&ask).await?.items[0].since_ms);
    let began = until("it is told since when", since, Option::is_some).await.unwrap();
    let ago = jiff::Timestamp::now().as_millisecond() - began;
    assert!((0..90_000).contains(&ago), "{ago} ms ago");
}
