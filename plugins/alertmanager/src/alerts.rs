//! Alerts: which of them matchers take in, and which silence hushes them, by the peers' own word.

use crate::Backend;
use crate::look::nobody;
use futures::future::join_all;
use rein_domain::matchers::Matcher as Judge;
use rein_plugin::{AlertSeen, Fault, MAX_NAME, MAX_VALUE, Matched, Matcher};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

/// Most alerts looked at on one peer.
const MAX_ALERTS: usize = 200_000;
/// Most matching alerts of one peer that are kept whole.
const MAX_KEPT: usize = 5000;
/// Bytes of listed alerts, by a rough count; a reply takes 4 MiB.
const MAX_BYTES: usize = 3 * 1024 * 1024;

#[derive(Deserialize)]
struct Raw {
    fingerprint: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(rename = "startsAt", default)]
    starts: String,
    status: RawStatus,
}

#[derive(Deserialize)]
struct RawStatus {
    #[serde(default)]
    state: String,
    #[serde(rename = "silencedBy", default)]
    silenced_by: Vec<String>,
    #[serde(rename = "inhibitedBy", default)]
    inhibited_by: Vec<String>,
}

/// What is needed of an alert to count whom it is hushed by.
#[derive(Deserialize)]
struct Hushed {
    fingerprint: String,
    status: RawStatus,
}

impl Backend {
    /// How many alerts each silence hushes, over all peers that answer; `None` when none does.
    pub(crate) async fn hushed(&self, limit: Duration) -> Option<HashMap<String, u32>> {
        let one = async |peer: &String| {
            let mut found: HashSet<(String, String)> = HashSet::new();
            let url = format!("{peer}/api/v2/alerts?active=false&unprocessed=false");
            let each = |json: &[u8]| {
                let alert: Hushed =
                    serde_json::from_slice(json).map_err(|error| format!("an alert: {error}"))?;
                for id in alert.status.silenced_by {
                    found.insert((id, alert.fingerprint.clone()));
                }
                if found.len() > MAX_ALERTS { Err("it has too many alerts".to_owned()) } else { Ok(()) }
            };
            self.http.each(&url, limit, each).await.map(|()| found)
        };
        let answers = join_all(self.settings.peers.iter().map(one)).await;
        if answers.iter().all(Result::is_err) {
            return None;
        }
        let all: HashSet<(String, String)> = answers.into_iter().filter_map(Result::ok).flatten().collect();
        let mut counts = HashMap::new();
        for (id, _) in all {
            *counts.entry(id).or_default() += 1;
        }
        Some(counts)
    }

    /// Which alerts these matchers take in.
    pub(crate) async fn matched(
        &self,
        matchers: &[Matcher],
        back: Duration,
        limit: u32,
    ) -> Result<Matched, Fault> {
        let judges = judges(matchers)?;
        let (firing, past) = tokio::join!(self.firing(&judges), self.lately(&judges, back));
        let Firing { alerts, firing, firing_in_all, missing_peers } = firing?;
        let fires: BTreeSet<&str> = alerts.iter().map(|alert| alert.id.as_str()).collect();
        let past: Option<Vec<AlertSeen>> =
            past.map(|past| past.into_iter().filter(|alert| !fires.contains(alert.id.as_str())).collect());
        let lately = past.as_ref().map(|past| u32::try_from(past.len()).unwrap_or(u32::MAX));
        let mut bytes = 0;
        let listed = alerts
            .into_iter()
            .chain(past.into_iter().flatten())
            .filter(is_bearable)
            .take(limit as usize)
            .take_while(|alert| {
                bytes += size(alert);
                bytes <= MAX_BYTES
            })
            .collect();
        Ok(Matched { alerts: listed, firing, firing_in_all, lately, missing_peers })
    }

    /// What fires now, merged by fingerprint. An alert counts as hushed where every peer that has it says so.
    async fn firing(&self, judges: &[Judge]) -> Result<Firing, Fault> {
        let one = async |peer: &String| {
            // `None`: it fires, and does not match.
            let mut found: HashMap<String, Option<AlertSeen>> = HashMap::new();
            let (mut matching, mut kept) = (0_usize, 0_usize);
            let url = format!("{peer}/api/v2/alerts");
            let each = |json: &[u8]| {
                let raw: Raw = serde_json::from_slice(json).map_err(|error| format!("an alert: {error}"))?;
                let matches = takes_in(judges, &raw.labels);
                matching += usize::from(matches);
                let id = raw.fingerprint.clone();
                let seen = matches.then(|| raw.seen()).filter(|_| kept < MAX_KEPT);
                kept += usize::from(seen.is_some());
                found.insert(id, seen);
                if found.len() > MAX_ALERTS { Err("it has too many alerts".to_owned()) } else { Ok(()) }
            };
            self.http.each(&url, self.settings.timeout * 2, each).await.map(|()| (found, matching))
        };
        let answers = join_all(self.settings.peers.iter().map(one)).await;
        if let Some(fault) = nobody(&answers, &self.settings.peers) {
            return Err(fault);
        }
        let missing = answers.iter().zip(&self.settings.peers).filter(|(answer, _)| answer.is_err());
        let missing_peers = missing.map(|(_, peer)| peer.clone()).collect();
        let mut merged: HashMap<String, Option<AlertSeen>> = HashMap::new();
        let mut most = 0;
        for (found, matching) in answers.into_iter().filter_map(Result::ok) {
            most = most.max(matching);
            for (id, seen) in found {
                match (merged.remove(&id).flatten(), seen) {
                    (Some(known), Some(seen)) => merged.insert(id, Some(agreed(known, &seen))),
                    (known, seen) => merged.insert(id, known.or(seen)),
                };
            }
        }
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let firing_in_all = count(merged.len());
        let mut alerts: Vec<AlertSeen> = merged.into_values().flatten().collect();
        alerts.sort_by(|a, b| (&a.since, &a.labels, &a.id).cmp(&(&b.since, &b.labels, &b.id)));
        // Where not all that match were kept, one peer's own count is closer to the truth.
        let firing = count(alerts.len().max(most));
        Ok(Firing { alerts, firing, firing_in_all, missing_peers })
    }
}

struct Firing {
    alerts: Vec<AlertSeen>,
    firing: u32,
    firing_in_all: u32,
    missing_peers: Vec<String>,
}

impl Raw {
    fn seen(self) -> AlertSeen {
        let summary =
            ["summary", "description", "message"].iter().find_map(|name| self.annotations.get(*name));
        AlertSeen {
            id: self.fingerprint,
            summary: rein_plugin::cut(summary.cloned().unwrap_or_default()),
            labels: self.labels,
            since: self.starts,
            state: if self.status.state == "suppressed" { "suppressed" } else { "active" }.to_owned(),
            silenced_by: self.status.silenced_by,
            inhibited_by: self.status.inhibited_by,
        }
    }
}

fn agreed(mut one: AlertSeen, other: &AlertSeen) -> AlertSeen {
    if other.state == "active" {
        one.state = "active".to_owned();
    }
    one.silenced_by.retain(|id| other.silenced_by.contains(id));
    one.inhibited_by.retain(|id| other.inhibited_by.contains(id));
    one
}

fn judges(matchers: &[Matcher]) -> Result<Vec<Judge>, Fault> {
    let judge = |m: &Matcher| {
        let wrong =
            |why: String| Fault::Invalid(format!("the matcher {}{}{:?}: {why}", m.name, m.op, m.value));
        let op =
            m.op.parse().map_err(|fault: rein_domain::matchers::MatcherFault| wrong(fault.to_string()))?;
        Judge::new(&m.name, op, &m.value).map_err(|error| wrong(error.to_string()))
    };
    matchers.iter().map(judge).collect()
}

/// Are all matchers satisfied? An absent label is an empty one.
pub(crate) fn takes_in(judges: &[Judge], labels: &BTreeMap<String, String>) -> bool {
    judges.iter().all(|judge| judge.matches(labels.get(judge.name()).map_or("", String::as_str)))
}

/// Whatever hushes an alert, by id.
fn hushing(alert: &AlertSeen) -> impl Iterator<Item = &String> {
    alert.silenced_by.iter().chain(&alert.inhibited_by)
}

/// Can a reply of the contract carry it?
fn is_bearable(alert: &AlertSeen) -> bool {
    let ids = hushing(alert).chain([&alert.id, &alert.since]);
    !alert.id.is_empty()
        && ids.into_iter().all(|text| text.len() <= MAX_NAME)
        && alert
            .labels
            .iter()
            .all(|(name, value)| !name.is_empty() && name.len() <= MAX_NAME && value.len() <= MAX_VALUE)
}

fn size(alert: &AlertSeen) -> usize {
    let labels: usize = alert.labels.iter().map(|(name, value)| name.len() + value.len() + 12).sum();
    let ids: usize = hushing(alert).map(|id| id.len() + 4).sum();
    100 + labels + ids + alert.summary.len()
}
