//! What a person would look at first.

use crate::Backend;
use crate::http::Failure;
use futures::future::join_all;
use jiff::Timestamp;
use rein_plugin::{Finding, Grade};
use rein_plugin_http::is_loopback;
use serde::Deserialize;

/// Clocks farther apart than this, in milliseconds, are worth a word.
const SKEW_MS: i64 = 1000;

#[derive(Deserialize)]
struct Status {
    cluster: Cluster,
    #[serde(rename = "versionInfo")]
    version: Version,
}

#[derive(Deserialize)]
struct Cluster {
    status: String,
    #[serde(default)]
    peers: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

impl Backend {
    /// What is found on every peer, and at the history.
    pub(crate) async fn check(&self) -> Vec<Finding> {
        let peers = join_all(self.settings.peers.iter().map(|peer| self.check_peer(peer))).await;
        let mut findings: Vec<Finding> = peers.into_iter().flatten().collect();
        if let Some((base, answer)) = self.check_history().await {
            findings.push(match answer {
                Ok(()) => finding(Grade::Ok, format!("history {base}"), "answers"),
                Err(failure) => finding(
                    Grade::Warning,
                    format!("history {base}"),
                    format!("{failure}; previews know only what fires now"),
                ),
            });
        }
        findings
    }

    async fn check_peer(&self, peer: &str) -> Vec<Finding> {
        let subject = format!("peer {peer}");
        let sent = Timestamp::now();
        let answer = self.http.get::<Status>(&format!("{peer}/api/v2/status"), self.settings.timeout).await;
        let received = Timestamp::now();
        let (status, date) = match answer {
            Ok(answer) => answer,
            Err(failure) => return vec![finding(Grade::Error, subject, advice(&failure))],
        };
        let mut findings = vec![self.gossip(&subject, &status)];
        if let Some(ms) = date.and_then(|date| skew(&date, sent, received)).filter(|ms| ms.abs() > SKEW_MS) {
            let (by, way) = (ms.abs() as f64 / 1000.0, if ms > 0 { "ahead of" } else { "behind" });
            let text = format!(
                "its clock is {by:.1} s {way} this machine's: silences end that much off; look at its NTP"
            );
            findings.push(finding(Grade::Warning, subject.clone(), text));
        }
        if self.settings.auth.is_some() && peer.starts_with("http:") && !is_loopback(peer) {
            let text = "credentials go there unencrypted; use https";
            findings.push(finding(Grade::Warning, subject, text));
        }
        findings
    }

    fn gossip(&self, subject: &str, status: &Status) -> Finding {
        let configured = self.settings.peers.len();
        let version = match status.version.version.as_str() {
            "" => "of no stated version",
            stated => stated,
        };
        let seen = status.cluster.peers.as_ref().map_or(0, Vec::len);
        let (grade, text) = match status.cluster.status.as_str() {
            "disabled" if configured > 1 => (
                Grade::Error,
                format!("gossip is disabled, and {configured} peers are configured: what one is told, no other learns"),
            ),
            "disabled" => (Grade::Ok, "alone".to_owned()),
            _ if seen < configured => (
                Grade::Error,
                format!("gossips with {seen} peers, itself included, and {configured} are configured: they are not one cluster, or it is split"),
            ),
            _ if seen > configured => (
                Grade::Warning,
                format!("gossips with {seen} peers, itself included, and {configured} are configured: name the others too, or nothing is proved there"),
            ),
            "ready" => (Grade::Ok, format!("ready, {seen} in its cluster")),
            "settling" => (
                Grade::Warning,
                "its cluster is settling: it sends no notifications yet; that takes up to a minute after a start".to_owned(),
            ),
            other => (Grade::Warning, format!("its cluster's status is {other:?}")),
        };
        finding(grade, subject.to_owned(), format!("Alertmanager {version}: {text}"))
    }
}

fn finding(grade: Grade, subject: String, message: impl Into<String>) -> Finding {
    Finding { grade, subject, message: message.into() }
}

fn advice(failure: &Failure) -> String {
    match failure {
        Failure::Refused(404, _) => {
            format!("{failure}; is the URL's path prefix right (--web.route-prefix)?")
        }
        Failure::Garbage(_) => format!("{failure}; is an Alertmanager there, 0.25 or newer?"),
        _ => failure.to_string(),
    }
}

/// How far a server's clock is ahead, in milliseconds, at the least; its date has no fraction, and was taken
/// somewhere between sending and receiving.
fn skew(date: &str, sent: Timestamp, received: Timestamp) -> Option<i64> {
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?.as_millisecond();
    let ahead = date - received.as_millisecond();
    let behind = date + 999 - sent.as_millisecond();
    Some(if ahead > 0 { ahead } else { behind.min(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_is_never_overstated() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let date = "Tue, 24 Nov 2026 03:37:36 GMT";
        for (sent, received, ahead) in [
            ("2026-11-24T03:37:36.100Z", "2026-11-24T03:37:36.200Z", 0),
            ("2026-11-24T03:37:36.900Z", "2026-11-24T03:37:37.100Z", 0),
            ("2026-11-24T03:37:34.000Z", "2026-11-24T03:37:34.500Z", 1500),
            ("2026-11-24T03:37:40.000Z", "2026-11-24T03:37:40.500Z", -3001),
        ] {
            assert_eq!(skew(date, at(sent), at(received)), Some(ahead), "{sent}");
        }
        assert_eq!(skew("yesterday", at("2026-11-24T03:37:40Z"), at("2026-11-24T03:37:40Z")), None);
    }
}
