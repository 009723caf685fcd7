//! Every convention in the form in which it is emitted, scraped by a real Prometheus.

mod kit;

use kit::{Page, configured, edges, measured, until};
use rein_parts::{Job, Prometheus};
use rein_plugin::Adapter;
use rein_plugin::telemetry::{EdgeMeasured, Level, Measured, Measures};
use serde_json::json;
use std::fmt::Write;

/// Requests per second of everything below; one of ten fails.
const RPS: f64 = 50.0;

/// Labels of the requests that went well and of those that failed.
struct Kind {
    profile: &'static str,
    /// The counter, unless it is the histogram's own.
    count: Option<&'static str>,
    /// A counter of the failed ones alone, unless labels tell them.
    failed: Option<&'static str>,
    histogram: &'static str,
    /// Units in a second.
    scale: f64,
    good: &'static str,
    bad: &'static str,
}

/// A counter and a histogram: half within 0.1 s, 95 of 100 within 0.2 s, all within 0.5 s.
fn exposed(kind: &Kind, at: f64) -> String {
    let mut text = String::new();
    for (labels, share) in [(kind.good, 0.9), (kind.bad, 0.1)] {
        let all = (RPS * at * share).floor();
        if let Some(counter) = kind.count {
            let _ = writeln!(text, "{counter}{{{labels}}} {all}");
        }
        for (le, part) in [(0.1, 0.5), (0.2, 0.95), (0.5, 1.0)] {
            let le = le * kind.scale;
            let _ = writeln!(text, "{}_bucket{{{labels},le=\"{le}\"}} {}", kind.histogram, all * part);
        }
        let _ = writeln!(text, "{}_bucket{{{labels},le=\"+Inf\"}} {all}", kind.histogram);
        let _ = writeln!(text, "{}_count{{{labels}}} {all}", kind.histogram);
        let _ = writeln!(text, "{}_sum{{{labels}}} {}", kind.histogram, all * 0.1 * kind.scale);
    }
    if let Some(failed) = kind.failed {
        let _ = writeln!(text, "{failed}{{{}}} {}", kind.bad, (RPS * at * 0.1).floor());
    }
    text
}

fn near(value: Option<f64>, is: f64) -> bool {
    value.is_some_and(|value| (value - is).abs() <= is * 0.15)
}

fn as_it_should_be(measures: &Measures) -> bool {
    near(measures.rps, RPS)
        && measures.success.is_some_and(|ok| (ok - 0.9).abs() < 0.03)
        && near(measures.p50, 0.1)
        && near(measures.p90, 0.19)
        && near(measures.p99, 0.44)
}

const KINDS: [Kind; 11] = [
    Kind {
        profile: "otel-http",
        count: None,
        failed: None,
        histogram: "http_server_request_duration_seconds",
        scale: 1.0,
        good: r#"job="order",http_response_status_code="200""#,
        bad: r#"job="order",http_response_status_code="503",error_type="503""#,
    },
    Kind {
        profile: "otel-http",
        count: None,
        failed: None,
        histogram: "http_client_request_duration_seconds",
        scale: 1.0,
        good: r#"job="gateway",server_address="order",http_response_status_code="200""#,
        bad: r#"job="gateway",server_address="order",error_type="timeout""#,
    },
    Kind {
        profile: "otel-rpc",
        count: None,
        failed: None,
        histogram: "rpc_server_call_duration_seconds",
        scale: 1.0,
        good: r#"job="order",rpc_response_status_code="OK""#,
        bad: r#"job="order",rpc_response_status_code="UNAVAILABLE",error_type="UNAVAILABLE""#,
    },
    Kind {
        profile: "otel-rpc-ms",
        count: None,
        failed: None,
        histogram: "rpc_client_duration_milliseconds",
        scale: 1000.0,
        good: r#"job="gateway",server_address="order",rpc_grpc_status_code="5""#,
        bad: r#"job="gateway",server_address="order",rpc_grpc_status_code="14""#,
    },
    Kind {
        profile: "istio",
        count: Some("istio_requests_total"),
        failed: None,
        histogram: "istio_request_duration_milliseconds",
        scale: 1000.0,
        good: r#"reporter="destination",source_canonical_service="gateway",destination_canonical_service="order",response_code="200""#,
        bad: r#"reporter="destination",source_canonical_service="gateway",destination_canonical_service="order",response_code="503""#,
    },
    Kind {
        profile: "istio",
        count: Some("istio_requests_total"),
        failed: None,
        histogram: "istio_request_duration_milliseconds",
        scale: 1000.0,
        good: r#"reporter="source",source_canonical_service="gateway",destination_canonical_service="order",response_code="200",grpc_response_status="0""#,
        bad: r#"reporter="source",source_canonical_service="gateway",destination_canonical_service="order",response_code="200",grpc_response_status="14""#,
    },
    Kind {
        profile: "linkerd",
        count: Some("response_total"),
        failed: None,
        histogram: "response_latency_ms",
        scale: 1000.0,
        good: r#"direction="inbound",deployment="order",pod="order-1",classification="success""#,
        bad: r#"direction="inbound",deployment="order",pod="order-1",classification="failure""#,
    },
    Kind {
        profile: "linkerd",
        count: Some("response_total"),
        failed: None,
        histogram: "response_latency_ms",
        scale: 1000.0,
        good: r#"direction="outbound",deployment="gateway",dst_service="order-svc",dst_deployment="order",classification="success""#,
        bad: r#"direction="outbound",deployment="gateway",dst_service="order-svc",dst_deployment="order",classification="failure""#,
    },
    Kind {
        profile: "micrometer",
        count: None,
        failed: None,
        histogram: "http_server_requests_seconds",
        scale: 1.0,
        good: r#"application="order",outcome="SUCCESS",status="200""#,
        bad: r#"application="order",outcome="SERVER_ERROR",status="500""#,
    },
    Kind {
        profile: "service-graph",
        count: Some("traces_service_graph_request_total"),
        failed: Some("traces_service_graph_request_failed_total"),
        histogram: "traces_service_graph_request_server_seconds",
        scale: 1.0,
        good: r#"client="gateway",server="order",connection_type="""#,
        bad: r#"client="gateway",server="order",connection_type="messaging_system""#,
    },
    Kind {
        profile: "envoy",
        count: Some("envoy_cluster_upstream_rq_total"),
        failed: Some("envoy_cluster_upstream_rq_xx"),
        histogram: "envoy_cluster_upstream_rq_time",
        scale: 1000.0,
        good: r#"service="gateway",envoy_cluster_name="order",envoy_response_code_class="2""#,
        bad: r#"service="gateway",envoy_cluster_name="order",envoy_response_code_class="5""#,
    },
];

fn is_client(kind: &Kind) -> bool {
    kind.good.contains("gateway") && !kind.good.contains("destination\"") && kind.profile != "service-graph"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn every_convention_is_found_and_read_right() {
    let pages: Vec<Page> = KINDS.iter().map(|kind| Page::of(|at| exposed(kind, at))).collect();
    let jobs: Vec<Job> =
        pages.iter().enumerate().map(|(n, page)| Job::new(&format!("page-{n}"), [page.address()])).collect();
    let Some(prometheus) = Prometheus::scraping(&jobs) else { return };
    for kind in &KINDS {
        let config = json!({
            "peers": [prometheus.url()],
            "profiles": [kind.profile],
            "window_seconds": 15,
            "timeout_ms": 1900,
        });
        let plugin = configured(config).await;
        if is_client(kind) {
            let seen: Vec<EdgeMeasured> = until(
                &format!("calls by {}", kind.histogram),
                async || edges(&plugin).await,
                |all| matches!(&all[..], [edge] if as_it_should_be(&edge.measures)),
            )
            .await;
            let edge = &seen[0];
            assert_eq!(
                (edge.caller.as_str(), edge.callee.as_str()),
                ("gateway", "order"),
                "{}",
                kind.profile
            );
            assert_eq!(edge.source, kind.profile);
        } else {
            let seen: Vec<Measured> = until(
                &format!("services by {}", kind.histogram),
                async || measured(&plugin, Level::Service).await,
                |all| all.iter().any(|one| one.service == "order" && as_it_should_be(&one.measures)),
            )
            .await;
            assert!(seen.iter().all(|one| one.source == kind.profile), "{seen:?}");
        }
        let findings = plugin.check().await.unwrap();
        let found = findings.iter().any(|finding| finding.subject == format!("profile {}", kind.profile));
        assert!(found, "{findings:?}");
    }
    all_at_once(&prometheus).await;
}

/// A mesh and applications speak of one service: it is one service, and the mesh, which knows as much as
/// they do, is believed.
async fn all_at_once(prometheus: &Prometheus) {
    let config = json!({"peers": [prometheus.url()], "window_seconds": 15, "timeout_ms": 1900});
    let plugin = configured(config).await;
    let services = until(
        "one service",
        async || measured(&plugin, Level::Service).await,
        |all| all.iter().any(|one| one.service == "order" && as_it_should_be(&one.measures)),
    )
    .await;
    let order: Vec<_> = services.iter().filter(|one| one.service == "order").collect();
    assert!(order.len() == 1 && order[0].source == "istio", "{services:?}");
    let all = edges(&plugin).await.unwrap();
    assert!(all.len() == 1 && all[0].source == "istio", "{all:?}");
}

/// Counters that stand still give a rate of nothing and no quantile; what was never there gives nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nothing_is_not_zero() {
    let kind = &KINDS[0];
    let still = Page::of(|_| exposed(kind, 100.0));
    let Some(prometheus) = Prometheus::scraping(&[Job::new("still", [still.address()])]) else { return };
    let config = json!({"peers": [prometheus.url()], "window_seconds": 10, "timeout_ms": 1900});
    let plugin = configured(config).await;
    let seen = until(
        "the service that does nothing",
        async || measured(&plugin, Level::Service).await,
        |all| !all.is_empty(),
    )
    .await;
    assert_eq!(seen[0].measures, Measures { rps: Some(0.0), ..Measures::default() });
    assert_eq!(edges(&plugin).await.unwrap(), []);
}
