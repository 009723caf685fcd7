//! Backends that hang, flood, lie or are somebody else.

mod kit;

use kit::{Page, configured, edges, measured};
use rein_parts::{Job, Mode, Prometheus, Proxy};
use rein_plugin::telemetry::Level;
use rein_plugin::{Adapter, Fault, Grade};
use serde_json::json;
use std::time::{Duration, Instant};

/// A server that answers everything with this.
fn answering(body: impl Into<Vec<u8>>) -> Page {
    let body = body.into();
    Page::typed("application/json", move |_| body.clone())
}

async fn fault(page: &Page) -> Fault {
    let plugin =
        configured(json!({"peers": [format!("http://{}", page.address())], "timeout_ms": 1900})).await;
    let began = Instant::now();
    let fault = measured(&plugin, Level::Service).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let findings = plugin.check().await.unwrap();
    assert!(findings.iter().any(|finding| finding.grade == Grade::Error), "{findings:?}");
    fault
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_none_are_faults_that_say_so() {
    for (body, says) in [
        (b"<html>a login page</html>".to_vec(), "cannot be used"),
        (b"{\"status\":\"success\"}".to_vec(), "no data"),
        (b"{\"data\":{\"resultType\":\"string\",\"result\":[1,\"x\"]}}".to_vec(), "not a vector"),
        (b"{\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":[]}]}}".to_vec(), "cannot be used"),
        (b"[".repeat(100_000), "cannot be used"),
        (vec![0xff; 1000], "cannot be used"),
        (vec![b' '; 100 * 1024 * 1024], "more than"),
    ] {
        let fault = fault(&answering(body)).await;
        assert!(matches!(&fault, Fault::Unreachable(why) if why.contains(says)), "{says}: {fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_told_in_time() {
    let config = json!({"peers": ["http://127.0.0.1:1", "http://127.0.0.1:2"]});
    let plugin = configured(config).await;
    let fault = measured(&plugin, Level::Service).await.unwrap_err();
    assert!(matches!(&fault, Fault::Unreachable(why) if why.contains("127.0.0.1:2")), "{fault:?}");
}

/// One of two replicas hangs: the other is asked in time, and the first is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_replica_that_hangs_is_passed_over_and_named() {
    let page = Page::of(|at| {
        format!("http_client_request_duration_seconds_count{{job=\"a\",server_address=\"b\"}} {at}\n")
    });
    let Some(prometheus) = Prometheus::scraping(&[Job::new("a", [page.address()])]) else { return };
    prometheus.shows("rate(http_client_request_duration_seconds_count[10s]) > 0", 1);
    let proxy = Proxy::before(&prometheus.address());
    proxy.set(Mode::Hang);
    let config = json!({"peers": [proxy.url(), prometheus.url()], "window_seconds": 10, "timeout_ms": 600});
    let plugin = configured(config).await;
    let began = Instant::now();
    let reading = kit::telemetry(&plugin)
        .edges(&rein_plugin::telemetry::EdgesAsk { service: None, window: None, page: None })
        .await
        .unwrap();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(reading.items.len(), 1);
    assert_eq!(reading.missing_peers, [proxy.url()]);
    // A query that Prometheus does not understand costs its own figure, and a check says which.
    let templates = json!([{"figure": "p99", "of": "edge", "query": "max by ($by) (((("}]);
    let config = json!({"peers": [prometheus.url()], "window_seconds": 10, "templates": templates});
    let plugin = configured(config).await;
    assert_eq!(edges(&plugin).await.unwrap().len(), 1);
    let findings = plugin.check().await.unwrap();
    let told = findings.iter().find(|finding| finding.grade == Grade::Error).unwrap();
    assert!(told.subject == "template 0 (p99)" && told.message.contains("parse error"), "{told:?}");
}
