//! The demo company, a real Prometheus that scrapes it, and what `rein` shows of both.

use crate::kit::desk::Desk;
use crate::kit::server::{Server, declared};
use crate::kit::wait::{secs, throughout, until, until_true};
use rein_demo::{Company, DemoOptions};
use rein_parts::{Job, Page, Prometheus};
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use tokio_util::sync::CancellationToken;

/// A company that runs until it is dropped.
pub(crate) struct Running {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    addresses: Vec<String>,
}

impl Running {
    fn open(server: &Server) -> Self {
        let options = DemoOptions { rps: 30.0, ..DemoOptions::door(server.grpc) };
        let (stop, (tell, told)) = (CancellationToken::new(), mpsc::channel());
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let company = Company::open(options).await.unwrap();
                tell.send(company.addresses().iter().map(|at| at.address.to_string()).collect()).unwrap();
                company.run(stopped, |_| {}).await;
            });
            runtime.shutdown_background();
        });
        let addresses = told.recv_timeout(secs(30)).expect("the company opens");
        Self { stop, thread: Some(thread), addresses }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn start(test: &str) -> Option<(Server, Desk, Running, Prometheus)> {
    start_over(test, 10)
}

/// The same with figures over so many seconds.
pub(crate) fn start_over(test: &str, window: u32) -> Option<(Server, Desk, Running, Prometheus)> {
    let (server, desk) = declared(test);
    let company = Running::open(&server);
    let prometheus = Prometheus::scraping(&[Job::new("demo", company.addresses.iter().cloned())])?;
    let backend = format!(
        "kind: backend\nname: metrics\nplugin: prometheus\nowner: sre\nconfig:\n  peers: [{:?}]\n  window_seconds: {window}\n  templates:\n    - {{figure: saturation, of: service, query: 'max by ($by) (demo_workers_busy{{$match}} / demo_workers{{$match}})', labels: {{service: service_name, instance: service_instance_id}}}}\n",
        prometheus.url()
    );
    fs::write(desk.home().join("backend.yaml"), backend).unwrap();
    let _ = desk.types("rein apply -f backend.yaml").exit(0).prints("metrics");
    Some((server, desk, company, prometheus))
}

#[test]
fn the_call_graph_of_the_demo_is_shown_with_its_health() {
    let Some((_server, desk, _company, prometheus)) = start("telemetry-graph") else { return };
    until_true("the graph is whole", secs(60), || {
        let said = desk.types("rein service graph");
        let calls = ["├─ order", "recommendations", "delivery", "└─ sms", "payment"];
        said.exit == 0 && calls.iter().all(|call| said.out.contains(call)) && !said.out.contains("no data")
    });
    let graph = || desk.types("rein service graph -o json").json();
    let called = |graph: &serde_json::Value| {
        let edges = graph["edges"].as_array().unwrap();
        edges.iter().find(|edge| edge["caller"] == "order" && edge["callee"] == "restaurant").cloned()
    };
    // Its first calls may just have been made when the graph was whole, or not yet.
    let (graph, edge) = until("order calls restaurant", secs(60), || {
        let graph = graph();
        let edge = called(&graph)?;
        let saturated = |one: &serde_json::Value| one["figures"]["saturation"].is_number();
        let all = graph["services"].as_array().unwrap().iter().filter(|one| saturated(one)).count() == 8;
        (all && edge["figures"]["rps"].as_f64().is_some_and(|rps| rps > 1.0)).then_some((graph, edge))
    });
    assert_eq!((&edge["backend"], &edge["source"]), (&"metrics".into(), &"otel-http".into()));
    let services = graph["services"].as_array().unwrap();
    assert_eq!(services.len(), 8, "{graph}");
    let _ = desk.types("rein service graph order").exit(0).prints("gateway → order");
    let nobody = desk.types("rein service graph nobody");
    assert!(nobody.exit == 1 && nobody.err.contains("nobody"), "{}", nobody.err);
    let svg = desk.types("rein service graph -o svg").done();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
    assert!(svg.contains(">recommendations<") && !svg.contains("<script"), "{svg}");
    let refused = desk.types("rein switch list -o svg");
    assert!(refused.exit == 2 && refused.out.is_empty(), "{}", refused.out);
    let checked = desk.types("rein backend check metrics").done();
    assert!(checked.contains("otel-http") && checked.contains("saturation"), "{checked}");
    nothing_is_written_there(&desk);
    a_prometheus_that_is_gone_is_named(&desk, prometheus);
}

fn nothing_is_written_there(desk: &Desk) {
    let refused = desk.types("rein silence add alertname=X --backend metrics --yes");
    assert!(refused.exit == 2 && refused.err.contains("hushes no alerts"), "{}", refused.err);
    let list = desk.types("rein silence list");
    assert!(list.exit == 0, "{}", list.err);
    let shown = desk.types("rein backend show metrics").done();
    assert!(shown.contains("telemetry"), "{shown}");
}

fn a_prometheus_that_is_gone_is_named(desk: &Desk, mut prometheus: Prometheus) {
    prometheus.stop();
    until_true("it is said to be gone", secs(20), || {
        let said = desk.types("rein service graph");
        said.exit == 4 && said.err.contains("metrics:") && said.out.contains("no data")
    });
    let one = desk.types("rein service graph order");
    assert!(one.exit == 4 && one.err.contains("metrics:"), "{}", one.err);
    prometheus.start();
    until_true("it is back", secs(60), || desk.types("rein service graph").exit == 0);
}

#[test]
fn without_a_backend_that_measures_it_says_so() {
    let (_server, desk) = declared("telemetry-none");
    let said = desk.types("rein service graph");
    assert!(said.exit == 1 && said.err.contains("no backend that measures is declared"), "{}", said.err);
}

/// A service that does not register begins to show another version.
#[test]
fn a_version_that_metrics_show_is_one_change_whoever_is_restarted() {
    let (mut server, desk) = declared("telemetry-versions");
    let version = Arc::new(AtomicU32::new(1));
    let page = Page::of({
        let version = Arc::clone(&version);
        move |at| {
            let version = version.load(Ordering::Relaxed);
            let one = |instance: &str, version: u32| {
                let labels = format!(
                    "service_name=\"order\",service_instance_id=\"{instance}\",service_version=\"v{version}\""
                );
                format!("http_server_request_duration_seconds_count{{{labels}}} {at}\n")
            };
            one("a", version) + &one("b", version)
        }
    });
    let Some(mut prometheus) = Prometheus::scraping(&[Job::new("order", [page.address()])]) else { return };
    prometheus.shows("http_server_request_duration_seconds_count", 2);
    let url = prometheus.url();
    let backend = format!(
        "kind: backend\nname: metrics\nplugin: prometheus\nowner: sre\nconfig: {{peers: [{url:?}], window_seconds: 10}}\n"
    );
    fs::write(desk.home().join("backend.yaml"), backend).unwrap();
    let _ = desk.types("rein apply -f backend.yaml").exit(0);
    let status = || desk.types("rein status").done();
    until_true("it is a source", secs(40), || status().contains("changes seen from: rein, metrics ("));
    assert!(!status().contains("metrics v"), "a first sight is no change: {}", status());
    let checked = desk.types("rein backend check metrics").done();
    assert!(checked.contains("of 1 services, by service_version of otel-http"), "{checked}");
    version.store(2, Ordering::Relaxed);
    let once = |change: &str| status().matches(change).count() == 1;
    until_true("the change is told", secs(40), || once("metrics v1 → v2 of order"));
    let list = desk.types("rein marker list order").done();
    assert!(list.contains("metrics") && list.contains("v1 → v2"), "{list}");
    server.stop();
    server.start_again();
    assert!(once("metrics v1 → v2 of order"), "{}", status());
    prometheus.stop();
    prometheus.start();
    let quiet = || once("metrics v1 → v2 of order") && status().matches("metrics v").count() == 1;
    throughout("nothing more is told", secs(20), quiet);
    version.store(3, Ordering::Relaxed);
    until_true("the next is told", secs(60), || once("metrics v2 → v3 of order"));
    assert!(once("metrics v1 → v2 of order"), "{}", status());
}
