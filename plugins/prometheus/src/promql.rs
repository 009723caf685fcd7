//! How queries are written. Pure. Values from elsewhere are quoted, names are judged before.

use crate::profile::{Info, Side};
use rein_plugin::telemetry::Figure;
use std::time::Duration;

/// How a histogram lies in Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Buckets as series, with a counter beside them.
    Classic,
    /// One series that holds all.
    Native,
}

/// Could this be the name of a label?
pub(crate) fn is_label(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 128
}

/// Placeholders of a template, without their `$`.
pub(crate) fn placeholders(template: &str) -> Vec<&str> {
    let name =
        |rest: &'_ str| rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    template.split('$').skip(1).map(|rest| &rest[..name(rest)]).collect()
}

/// A matcher for one value.
pub(crate) fn equals(label: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{label}=\"{value}\"")
}

/// A matcher for any of some values.
pub(crate) fn is_one_of(label: &str, values: &[String]) -> String {
    // In RE2 a character that means something stands for itself behind a backslash; what is no letter or
    // digit may always be written so.
    let literal = |value: &String| {
        let mut text = String::with_capacity(value.len());
        for c in value.chars() {
            if c.is_ascii() && !c.is_ascii_alphanumeric() && !c.is_ascii_control() && c != '_' && c != ' ' {
                text.push('\\');
            }
            text.push(c);
        }
        text
    };
    let all: Vec<String> = values.iter().map(literal).collect();
    equals(label, &all.join("|")).replacen('=', "=~", 1)
}

/// What is asked: grouped how, narrowed to what, over how long.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Labels to group by.
    pub(crate) by: Vec<String>,
    /// Matchers.
    pub(crate) matching: Vec<String>,
    /// The window of rates.
    pub(crate) window: Duration,
}

impl Terms {
    fn by(&self) -> String {
        self.by.join(",")
    }

    fn window(&self) -> String {
        format!("{}s", self.window.as_secs().max(1))
    }

    fn select(&self, metric: &str, more: &[&str]) -> String {
        let own = self.matching.iter().map(String::as_str);
        let all: Vec<&str> = more.iter().copied().filter(|text| !text.is_empty()).chain(own).collect();
        format!("{metric}{{{}}}", all.join(","))
    }

    /// A template, filled.
    pub(crate) fn fill(&self, template: &str) -> String {
        template
            .replace("$by", &self.by())
            .replace("$match", &self.matching.join(","))
            .replace("$window", &self.window())
    }

    fn count_of(&self, side: &Side, form: Form, of: Option<&str>, matching: &str) -> String {
        let (by, window) = (self.by(), self.window());
        let counter = of.or(side.count.as_deref());
        // A counter of its own says for itself what counts.
        let only = if of.is_some() { "" } else { side.only.as_str() };
        match (counter, form) {
            (Some(counter), _) => {
                format!("sum by ({by}) (rate({}[{window}]))", self.select(counter, &[only, matching]))
            }
            (None, Form::Classic) => {
                let counter = format!("{}_count", side.histogram);
                format!("sum by ({by}) (rate({}[{window}]))", self.select(&counter, &[only, matching]))
            }
            (None, Form::Native) => {
                let selected = self.select(&side.histogram, &[only, matching]);
                format!("sum by ({by}) (histogram_count(rate({selected}[{window}])))")
            }
        }
    }

    /// Requests per second.
    pub(crate) fn count(&self, side: &Side, form: Form) -> String {
        self.count_of(side, form, None, "")
    }

    /// Failed requests per second: queries whose answers add up.
    pub(crate) fn failed(&self, side: &Side, form: Form) -> Vec<String> {
        side.failed.iter().map(|f| self.count_of(side, form, f.of.as_deref(), &f.matching)).collect()
    }

    /// A quantile, in seconds.
    pub(crate) fn quantile(&self, side: &Side, form: Form, figure: Figure) -> Option<String> {
        let q = match figure {
            Figure::P50 => "0.5",
            Figure::P90 => "0.9",
            Figure::P99 => "0.99",
            Figure::Rps | Figure::Success | Figure::Saturation => return None,
        };
        let (by, window) = (self.by(), self.window());
        let inner = match form {
            Form::Classic => {
                let buckets = self.select(&format!("{}_bucket", side.histogram), &[&side.only]);
                format!("sum by (le,{by}) (rate({buckets}[{window}]))")
            }
            Form::Native => {
                let native = self.select(&side.histogram, &[&side.only]);
                format!("sum by ({by}) (rate({native}[{window}]))")
            }
        };
        Some(match side.scale {
            1.0 => format!("histogram_quantile({q}, {inner})"),
            scale => format!("histogram_quantile({q}, {inner}) * {scale}"),
        })
    }
}

/// Is a side there at all, in this form, with these further matchers?
pub(crate) fn exists(side: &Side, form: Form, more: &str) -> String {
    format!("count({})", series(side, form, &[more]))
}

/// All series of a side.
fn series(side: &Side, form: Form, more: &[&str]) -> String {
    let metric = match (form, &side.count) {
        (Form::Classic, Some(counter)) => counter.clone(),
        (Form::Classic, None) => format!("{}_count", side.histogram),
        (Form::Native, _) => side.histogram.clone(),
    };
    selected(&metric, &side.only, more)
}

fn selected(metric: &str, only: &str, more: &[&str]) -> String {
    let all: Vec<&str> = [only].iter().chain(more).copied().filter(|text| !text.is_empty()).collect();
    format!("{metric}{{{}}}", all.join(","))
}

/// Matchers of a label that says which version runs. Some words say that nobody knows: Istio's for a workload
/// without a label, and Go's for what was built in a working copy.
pub(crate) fn is_version(label: &str) -> String {
    format!(r#"{label}!="",{label}!~"unknown|latest|\\(devel\\)""#)
}

/// How many instances run which version, by a label of the series of requests themselves.
pub(crate) fn running((side, form): (&Side, Form), by: (&str, Option<&str>, &str), more: &str) -> String {
    let (from, to, version) = by;
    let series = series(side, form, &[&is_version(version), more]);
    match to {
        Some(to) => format!("count by ({from},{version}) (count by ({from},{to},{version}) ({series}))"),
        None => format!("count by ({from},{version}) ({series})"),
    }
}

/// Whose requests which targets serve.
pub(crate) fn targets((side, form): (&Side, Form), from: &str, more: &str) -> String {
    format!("count by ({from},job,instance) ({})", series(side, form, &[more]))
}

/// What a metric says of targets, by these labels beside the version.
pub(crate) fn told(info: &Info, by: &str, more: &str) -> String {
    let Info { metric, only, version, .. } = info;
    format!("count by ({by},{version}) ({})", selected(metric, only, &[&is_version(version), more]))
}

/// A number, if the figure can be it. Rounding may carry a share a hair beyond 1; what is no number is no
/// data.
pub(crate) fn number(figure: Figure, value: f64) -> Option<f64> {
    // First of all, since `min` makes a number of what is none.
    if !value.is_finite() {
        return None;
    }
    let value = match figure {
        Figure::Success | Figure::Saturation => value.min(1.0),
        Figure::Rps | Figure::P50 | Figure::P90 | Figure::P99 => value,
    };
    figure.takes(value).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{all, infos};

    fn terms() -> Terms {
        Terms {
            by: vec!["service_name".into()],
            matching: vec![equals("service_name", "a\"} or vector(1) #\\\n")],
            window: Duration::from_secs(60),
        }
    }

    #[test]
    fn values_cannot_leave_their_quotes() {
        let side = &all().iter().find(|p| p.name == "otel-http").unwrap().server;
        assert_eq!(
            terms().count(side, Form::Classic),
            r#"sum by (service_name) (rate(http_server_request_duration_seconds_count{service_name="a\"} or vector(1) #\\\n"}[60s]))"#
        );
    }

    #[test]
    fn counters_of_their_own_are_taken_and_units_become_seconds() {
        let terms =
            Terms { by: vec!["a".into(), "b".into()], matching: vec![], window: Duration::from_secs(5) };
        let side = &all().iter().find(|p| p.name == "istio").unwrap().client;
        assert_eq!(
            terms.count(side, Form::Classic),
            r#"sum by (a,b) (rate(istio_requests_total{reporter="source"}[5s]))"#
        );
        assert_eq!(
            terms.quantile(side, Form::Classic, Figure::P99).unwrap(),
            r#"histogram_quantile(0.99, sum by (le,a,b) (rate(istio_request_duration_milliseconds_bucket{reporter="source"}[5s]))) * 0.001"#
        );
        let side = &all().iter().find(|p| p.name == "envoy").unwrap().client;
        assert_eq!(
            terms.failed(side, Form::Classic),
            [r#"sum by (a,b) (rate(envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"}[5s]))"#]
        );
        let side = &all().iter().find(|p| p.name == "otel-http").unwrap().server;
        assert_eq!(
            terms.count(side, Form::Native),
            "sum by (a,b) (histogram_count(rate(http_server_request_duration_seconds{}[5s])))"
        );
    }

    #[test]
    fn versions_are_counted_by_instance_and_words_for_none_are_none() {
        let istio = &all().iter().find(|p| p.name == "istio").unwrap().server;
        assert_eq!(
            running((istio, Form::Classic), ("svc", Some("pod"), "v"), &equals("svc", "a")),
            r#"count by (svc,v) (count by (svc,pod,v) (istio_requests_total{reporter="destination",v!="",v!~"unknown|latest|\\(devel\\)",svc="a"}))"#
        );
        assert_eq!(
            told(&infos()[0], "job,instance", ""),
            r#"count by (job,instance,service_version) (target_info{service_version!="",service_version!~"unknown|latest|\\(devel\\)"})"#
        );
        assert!(told(&infos()[1], "job", "").starts_with(r#"count by (job,version) ({__name__=~"#));
    }

    #[test]
    fn names_are_matched_as_they_are() {
        let names = ["order".to_owned(), "a.b|c".to_owned(), "x\"y\\z".to_owned()];
        assert_eq!(is_one_of("service", &names), r#"service=~"order|a\\.b\\|c|x\\\"y\\\\z""#);
    }

    #[test]
    fn what_is_no_number_is_no_data() {
        for (figure, value, is) in [
            (Figure::Rps, f64::NAN, None),
            (Figure::Rps, f64::INFINITY, None),
            (Figure::Rps, -0.1, None),
            (Figure::Rps, 0.0, Some(0.0)),
            (Figure::Success, 1.000_000_2, Some(1.0)),
            (Figure::Saturation, f64::NEG_INFINITY, None),
            (Figure::P99, 3.0, Some(3.0)),
        ] {
            assert_eq!(number(figure, value), is, "{figure:?} {value}");
        }
        assert_eq!(number(Figure::Success, f64::NAN), None);
    }

    #[test]
    fn placeholders_and_labels_are_found() {
        assert_eq!(placeholders("max by ($by) (x{$match}[$window]) $"), ["by", "match", "window", ""]);
        for (name, is) in
            [("a_1", true), ("_a", true), ("1a", false), ("a-b", false), ("", false), ("ä", false)]
        {
            assert_eq!(is_label(name), is, "{name}");
        }
    }
}
