//! The demo company as it emits, a real Prometheus that scrapes it, and what the plugin makes of it.

mod kit;

use kit::{configured, edges, measured, telemetry, until, versions};
use rein_demo::{Company, DemoOptions};
use rein_parts::{Job, Prometheus, Room};
use rein_plugin::telemetry::{Figure, Level, Measured, SeriesAsk, Subject};
use rein_plugin::{Adapter, Grade};
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const WORKERS: &str = "max by ($by) (demo_workers_busy{$match} / demo_workers{$match})";

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn services_instances_calls_and_series_of_the_demo_are_measured() {
    let room = Room::new("demo-flags");
    let flags = room.path().join("flags.json");
    std::fs::write(&flags, r#"{"flags":{}}"#).unwrap();
    let company = Company::open(DemoOptions { rps: 40.0, ..DemoOptions::file(flags) }).await.unwrap();
    let addresses: Vec<String> = company.addresses().iter().map(|at| at.address.to_string()).collect();
    let count = addresses.len();
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { company.run(stop, |_| {}).await }
    });
    // As the targets that Rein's registry lists, which say what they run.
    let job = Job::new("demo", addresses).labelled("version", "v1");
    let Some(prometheus) = Prometheus::scraping(&[job]) else { return };
    let config = json!({
        "peers": [prometheus.url()],
        "window_seconds": 10,
        "timeout_ms": 1900,
        "labels": {"service": "service_name", "instance": "service_instance_id"},
        "templates": [{"figure": "saturation", "of": "service", "query": WORKERS}],
    });
    let plugin = configured(config).await;
    let services = until(
        "every service is measured, and over the whole window",
        async || measured(&plugin, Level::Service).await,
        |all| {
            let busy = |one: &Measured| one.service == "gateway" && one.measures.rps > Some(20.0);
            all.len() == 8
                && all.iter().all(|one| one.measures.p99.is_some_and(|p99| p99 > 0.0))
                && all.iter().any(busy)
        },
    )
    .await;
    let gateway = services.iter().find(|one| one.service == "gateway").unwrap();
    assert!(gateway.measures.rps < Some(200.0), "{gateway:?}");
    assert!(gateway.measures.success.is_some_and(|ok| ok > 0.3), "{gateway:?}");
    assert!(gateway.measures.saturation.is_some_and(|used| used <= 1.0), "{gateway:?}");
    assert_eq!(gateway.source, "own+otel-http");
    let instances = until(
        "every instance is measured, with its zone",
        async || measured(&plugin, Level::Instance).await,
        |all| all.len() == count && all.iter().all(|one| one.zone.is_some()),
    )
    .await;
    assert!(instances.iter().any(|one| one.instance.as_deref() == Some("order-bj-1")), "{instances:?}");
    let calls = until(
        "every call is seen",
        async || edges(&plugin).await,
        |all| {
            let has = |caller: &str, callee: &str| {
                all.iter().any(|edge| {
                    edge.caller == caller && edge.callee == callee && edge.measures.rps > Some(0.0)
                })
            };
            has("gateway", "order") && has("order", "recommendations") && has("delivery", "sms")
        },
    )
    .await;
    assert!(calls.iter().all(|edge| edge.source == "otel-http"), "{calls:?}");
    let told = versions(&plugin, None).await.unwrap();
    assert!(told.len() == 8 && told.contains(&"order v1 4 otel-http".to_owned()), "{told:?}");
    let now = jiff::Timestamp::now().as_millisecond();
    for figure in [Figure::Rps, Figure::Success, Figure::P99, Figure::Saturation] {
        let of = Subject::Service("order".into());
        let step = Duration::from_secs(1);
        let ask = SeriesAsk { figure, of, from_ms: now - 60_000, to_ms: now, step };
        let series = telemetry(&plugin).series(&ask).await.unwrap();
        // Before it was scraped there is a gap, not a zero.
        assert!(!series.samples.is_empty() && series.samples.len() < 60, "{figure:?} {series:?}");
    }
    let findings = plugin.check().await.unwrap();
    assert!(findings.iter().all(|finding| finding.grade == Grade::Ok), "{findings:?}");
    let said = format!("{findings:?}");
    for word in
        ["8 services, by service_name, service_instance_id, cloud_availability_zone", "calls, by", "versions"]
    {
        assert!(said.contains(word), "{word}: {said}");
    }
    stop.cancel();
    running.await.unwrap();
}
