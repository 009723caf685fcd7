//! What an instance shows at `/metrics`: its requests and its calls, as OpenTelemetry's conventions for HTTP
//! name them, and how many of its workers are busy. Labels are bounded: routes and callees are the plan's.

use crate::flags::Who;
use crate::plan::Service;
use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;
use tokio::time::Instant;

/// What the text is, for the Content-Type header.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The buckets OpenTelemetry advises for durations of HTTP requests, in seconds.
const BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Errands of the plan; others share one route.
const ROUTES: [&str; 10] =
    ["page", "search", "checkout", "track", "menu", "suggest", "pay", "book", "like", "notify"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Served {
    http_request_method: &'static str,
    http_route: &'static str,
    http_response_status_code: String,
    error_type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    http_request_method: &'static str,
    server_address: &'static str,
    http_response_status_code: String,
    error_type: String,
}

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// One instance's metrics.
#[derive(Debug)]
pub(crate) struct Exposition {
    registry: Registry,
    served: Durations<Served>,
    called: Durations<Called>,
    busy: Gauge,
}

fn durations<L: Clone + std::hash::Hash + Eq>() -> Durations<L> {
    Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram)
}

impl Exposition {
    pub(crate) fn new(who: &Who, workers: usize) -> Self {
        let labels = [
            ("service_name", who.service.name().to_owned()),
            ("service_instance_id", who.instance.clone()),
            ("cloud_availability_zone", who.zone.name().to_owned()),
        ];
        let labels = labels.into_iter().map(|(name, value)| (name.into(), value.into()));
        let mut registry = Registry::with_labels(labels);
        let (served, called) = (durations::<Served>(), durations::<Called>());
        let (busy, all) = (Gauge::default(), Gauge::<i64>::default());
        all.set(i64::try_from(workers).unwrap_or(i64::MAX));
        let help = "Duration of requests served";
        registry.register_with_unit("http_server_request_duration", help, Unit::Seconds, served.clone());
        let help = "Duration of requests made";
        registry.register_with_unit("http_client_request_duration", help, Unit::Seconds, called.clone());
        registry.register("demo_workers", "Requests it can work on at a time", all);
        registry.register("demo_workers_busy", "Requests it works on", busy.clone());
        Self { registry, served, called, busy }
    }

    /// A request arrived; it counts when the answer is dropped, as a failure unless a status was set.
    pub(crate) fn arrived(&self, errand: &str) -> Timing<'_> {
        let route = ROUTES.into_iter().find(|route| *route == errand).unwrap_or("other");
        Timing { of: self, what: What::Served(route), since: Instant::now(), status: None, lost: "cancelled" }
    }

    /// A call is made; it counts when the answer is dropped.
    pub(crate) fn calls(&self, to: Service) -> Timing<'_> {
        Timing { of: self, what: What::Called(to), since: Instant::now(), status: None, lost: "timeout" }
    }

    /// As Prometheus reads it.
    pub(crate) fn text(&self, busy: usize) -> String {
        self.busy.set(i64::try_from(busy).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    fn count(&self, what: What, took: Duration, code: String, error: String) {
        let (http_request_method, http_response_status_code, error_type) = ("GET", code, error);
        let took = took.as_secs_f64();
        match what {
            What::Served(http_route) => {
                let labels =
                    Served { http_request_method, http_route, http_response_status_code, error_type };
                self.served.get_or_create(&labels).observe(took);
            }
            What::Called(to) => {
                let server_address = to.name();
                let labels =
                    Called { http_request_method, server_address, http_response_status_code, error_type };
                self.called.get_or_create(&labels).observe(took);
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum What {
    Served(&'static str),
    Called(Service),
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct Timing<'a> {
    of: &'a Exposition,
    what: What,
    since: Instant,
    status: Option<StatusCode>,
    lost: &'static str,
}

impl Timing<'_> {
    /// It was answered so.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// No answer came, for this reason.
    pub(crate) fn lost(&mut self, why: &'static str) {
        self.lost = why;
    }
}

impl Drop for Timing<'_> {
    fn drop(&mut self) {
        let (code, error) = match self.status {
            Some(status) if status.is_server_error() => {
                (status.as_u16().to_string(), status.as_u16().to_string())
            }
            Some(status) => (status.as_u16().to_string(), String::new()),
            None => (String::new(), self.lost.to_owned()),
        };
        self.of.count(self.what, self.since.elapsed(), code, error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Zone;

    #[test]
    fn requests_and_calls_are_counted_by_how_they_ended() {
        let who = Who { service: Service::Order, zone: Zone::Sh, instance: "order-sh-1".into() };
        let shown = Exposition::new(&who, 32);
        shown.arrived("page").answered(StatusCode::OK);
        shown.arrived("../etc\n").answered(StatusCode::NOT_FOUND);
        drop(shown.arrived("checkout"));
        shown.calls(Service::Payment).answered(StatusCode::BAD_GATEWAY);
        drop(shown.calls(Service::Payment));
        let text = shown.text(3);
        let own = r#"service_name="order",service_instance_id="order-sh-1",cloud_availability_zone="sh""#;
        for line in [
            format!(
                r#"http_server_request_duration_seconds_count{{{own},http_request_method="GET",http_route="page",http_response_status_code="200",error_type=""}} 1"#
            ),
            format!(
                r#"http_server_request_duration_seconds_count{{{own},http_request_method="GET",http_route="other",http_response_status_code="404",error_type=""}} 1"#
            ),
            format!(
                r#"http_server_request_duration_seconds_count{{{own},http_request_method="GET",http_route="checkout",http_response_status_code="",error_type="cancelled"}} 1"#
            ),
            format!(
                r#"http_client_request_duration_seconds_count{{{own},http_request_method="GET",server_address="payment",http_response_status_code="502",error_type="502"}} 1"#
            ),
            format!(
                r#"http_client_request_duration_seconds_count{{{own},http_request_method="GET",server_address="payment",http_response_status_code="",error_type="timeout"}} 1"#
            ),
            format!("demo_workers{{{own}}} 32"),
            format!("demo_workers_busy{{{own}}} 3"),
        ] {
            assert!(text.contains(&line), "{line}\n{text}");
        }
    }
}
