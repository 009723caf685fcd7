//! Alerts that fired lately, by the word of a Prometheus that evaluates the rules.
//!
//! Its series `ALERTS` lack what Prometheus adds when it sends alerts on: the external labels, which are
//! read from its configuration. Alert relabelling is not repeated here; where it is used, matchers on
//! relabelled names do not find the past.

use crate::Backend;
use crate::alerts::takes_in;
use crate::http::Failure;
use rein_domain::matchers::Matcher as Judge;
use rein_plugin::AlertSeen;
use reqwest::Url;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Farthest look back.
const MAX_BACK: Duration = Duration::from_secs(30 * 24 * 3600);
/// Looks by which the time of the last firing is found: it is that exact.
const LOOKS: u64 = 500;

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

#[derive(Deserialize)]
struct ConfigAnswer {
    data: ConfigData,
}

#[derive(Deserialize)]
struct ConfigData {
    yaml: String,
}

#[derive(Deserialize, Default)]
struct PrometheusConfig {
    #[serde(default)]
    global: Global,
}

#[derive(Deserialize, Default)]
struct Global {
    #[serde(default)]
    external_labels: BTreeMap<String, String>,
}

impl Backend {
    /// Alerts that matched within `back`, newest first. `None`: no history is configured, none was asked
    /// for, or it cannot be asked.
    pub(crate) async fn lately(&self, judges: &[Judge], back: Duration) -> Option<Vec<AlertSeen>> {
        let base = self.settings.history.as_deref().filter(|_| !back.is_zero())?;
        let seconds = back.min(MAX_BACK).as_secs().max(1);
        let step = (seconds / LOOKS).max(15);
        // Every alert that fired at all; then when, by looking at moments, which may miss a short one.
        let which = format!("count_over_time(ALERTS{{alertstate=\"firing\"}}[{seconds}s])");
        let when = format!("max_over_time(timestamp(ALERTS{{alertstate=\"firing\"}})[{seconds}s:{step}s])");
        let (which, when, external) =
            tokio::join!(self.query(base, &which), self.query(base, &when), self.external_labels(base));
        let external = external.unwrap_or_default();
        let when: BTreeMap<String, String> = when
            .unwrap_or_default()
            .into_iter()
            .filter_map(|series| Some((id(&series.metric), moment(&series.value.1)?)))
            .collect();
        let mut found: Vec<AlertSeen> = Vec::new();
        for Series { metric, .. } in which.ok()? {
            let since = when.get(&id(&metric)).cloned().unwrap_or_default();
            let mut labels = plain(&metric);
            for (name, value) in &external {
                labels.entry(name.clone()).or_insert_with(|| value.clone());
            }
            if takes_in(judges, &labels) {
                found.push(AlertSeen {
                    id: fingerprint(&labels),
                    labels,
                    summary: String::new(),
                    since,
                    state: "resolved".into(),
                    silenced_by: Vec::new(),
                    inhibited_by: Vec::new(),
                });
            }
        }
        found.sort_by(|a, b| (&b.since, &a.labels).cmp(&(&a.since, &b.labels)));
        Some(found)
    }

    async fn query(&self, base: &str, query: &str) -> Result<Vec<Series>, Failure> {
        let url = Url::parse_with_params(&format!("{base}/api/v1/query"), [("query", query)])
            .map_err(|error| Failure::NotSent(error.to_string()))?;
        let (answer, _) =
            self.http.anonymous().get::<Answer>(url.as_str(), self.settings.timeout * 2).await?;
        Ok(answer.data.result)
    }

    async fn external_labels(&self, base: &str) -> Result<BTreeMap<String, String>, Failure> {
        let url = format!("{base}/api/v1/status/config");
        let (answer, _) = self.http.anonymous().get::<ConfigAnswer>(&url, self.settings.timeout * 2).await?;
        let config: PrometheusConfig =
            serde_norway::from_str(&answer.data.yaml).map_err(|error| Failure::Garbage(error.to_string()))?;
        Ok(config.global.external_labels)
    }

    /// Can the history be asked? `None`: there is none.
    pub(crate) async fn check_history(&self) -> Option<(String, Result<(), Failure>)> {
        let base = self.settings.history.clone()?;
        let answer = self.query(&base, "vector(1)").await.map(|_| ());
        Some((base, answer))
    }
}

fn plain(metric: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = |name: &str| name == "__name__" || name == "alertstate";
    metric.iter().filter(|(name, _)| !own(name)).map(|(n, v)| (n.clone(), v.clone())).collect()
}

fn id(metric: &BTreeMap<String, String>) -> String {
    fingerprint(&plain(metric))
}

fn moment(seconds: &str) -> Option<String> {
    let seconds: f64 = seconds.parse().ok()?;
    Some(jiff::Timestamp::from_second(seconds as i64).ok()?.to_string())
}

/// Alertmanager's id of an alert: FNV-1a over its sorted labels.
pub(crate) fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    for (name, value) in labels {
        for text in [name, value] {
            for byte in text.bytes().chain([0xff]) {
                sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    format!("{sum:016x}")
}
