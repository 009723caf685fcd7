//! Native histograms: a page in protobuf, as clients emit them, and a Prometheus that takes them.

mod kit;

use kit::{Page, configured, measured, until};
use prost::Message;
use rein_parts::{Job, Prometheus};
use rein_plugin::Adapter;
use rein_plugin::telemetry::Level;
use serde_json::json;

/// `io.prometheus.client.MetricFamily`, as far as it is used here.
#[derive(Clone, PartialEq, Message)]
struct Family {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    /// 4: a histogram.
    #[prost(int32, optional, tag = "3")]
    kind: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    label: Vec<Label>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    sum: Option<f64>,
    #[prost(sint32, optional, tag = "5")]
    schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    zero_threshold: Option<f64>,
    #[prost(uint64, optional, tag = "7")]
    zero_count: Option<u64>,
    #[prost(message, repeated, tag = "12")]
    span: Vec<Span>,
    #[prost(sint64, repeated, packed = "false", tag = "13")]
    delta: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(sint32, optional, tag = "1")]
    offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    length: Option<u32>,
}

/// All requests within one bucket: with schema 0 the bucket -2 holds what took 0.125 to 0.25 s.
fn requests(code: &str, count: u64) -> Metric {
    let label = |name: &str, value: &str| Label { name: Some(name.into()), value: Some(value.into()) };
    Metric {
        label: vec![label("service_name", "order"), label("http_response_status_code", code)],
        histogram: Some(Histogram {
            count: Some(count),
            sum: Some(count as f64 * 0.2),
            schema: Some(0),
            zero_threshold: Some(1e-9),
            zero_count: Some(0),
            span: vec![Span { offset: Some(-2), length: Some(1) }],
            delta: vec![i64::try_from(count).unwrap()],
        }),
    }
}

fn page(at: f64) -> Vec<u8> {
    let family = Family {
        name: Some("http_server_request_duration_seconds".into()),
        kind: Some(4),
        metric: vec![requests("200", (at * 40.0) as u64), requests("500", (at * 10.0) as u64)],
    };
    family.encode_length_delimited_to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn native_histograms_give_rates_failures_and_quantiles() {
    const KIND: &str =
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    let page = Page::typed(KIND, page);
    let Some(prometheus) = Prometheus::scraping(&[Job::new("native", [page.address()])]) else { return };
    let plugin = configured(json!({"peers": [prometheus.url()], "window_seconds": 10})).await;
    let near = |value: Option<f64>, is: f64| value.is_some_and(|value| (value - is).abs() < is * 0.15);
    let seen = until(
        "the native histogram is read",
        async || measured(&plugin, Level::Service).await,
        |all| all.iter().any(|one| near(one.measures.rps, 50.0) && near(one.measures.success, 0.8)),
    )
    .await;
    let p99 = seen[0].measures.p99.unwrap();
    assert!((0.125..=0.25).contains(&p99), "{seen:?}");
    let said = format!("{:?}", plugin.check().await.unwrap());
    assert!(said.contains("native histograms"), "{said}");
}
