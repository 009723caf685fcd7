//! Which versions services run. Of each service the first way that says anything is believed for all of it: two that
//! say it differently would make one version two.

use crate::Backend;
use crate::http::{Failure, Question, Row};
use crate::measure::MAX_ENTRIES;
use crate::ways::{Runs, Way};
use rein_plugin::Fault;
use rein_plugin::telemetry::{Reading, Running, VersionsAsk};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How far back it is looked since when a version runs.
const BACK_MS: i64 = 6 * 3600 * 1000;
/// How exactly.
const STEP_MS: u64 = 30_000;
/// A version that was not there for longer than this came anew.
const BREAK_MS: i64 = 90_000;
/// What one call may take in all: the caller waits 2 seconds.
const BUDGET: Duration = Duration::from_millis(1850);

/// What every service runs, and when that was.
pub(crate) struct Told {
    pub(crate) services: BTreeMap<String, Runs>,
    pub(crate) missing: Vec<String>,
    at_ms: i64,
}

impl Backend {
    pub(crate) async fn versions(self: &Arc<Self>, ask: &VersionsAsk) -> Result<Reading<Running>, Fault> {
        let began = Instant::now();
        let probed = self.probe().await?;
        let ways = self.version_ways(&probed, ask.service.as_deref());
        let told = self.ask_versions(&ways, ask.service.as_deref()).await?;
        let mut items = Vec::new();
        for (service, runs) in told.services {
            let Some(way) = ways.get(runs.way) else { continue };
            // Far back is only looked for one.
            let since = match ask.service.as_ref() {
                Some(_) => {
                    let left = BUDGET.saturating_sub(began.elapsed());
                    let since = self.since((way, &service, &runs), told.at_ms);
                    tokio::time::timeout(left, since).await.unwrap_or_default()
                }
                None => HashMap::new(),
            };
            items.extend(runs.versions.into_iter().map(|(version, instances)| Running {
                service: service.clone(),
                since_ms: since.get(&version).copied(),
                version,
                instances,
                source: way.source.clone(),
            }));
        }
        if items.len() > MAX_ENTRIES {
            return Err(Fault::NotDone(format!("there are more than {MAX_ENTRIES} versions")));
        }
        let mut missing_peers = told.missing;
        missing_peers.extend(probed.missing.iter().cloned());
        missing_peers.sort();
        missing_peers.dedup();
        Ok(Reading { items, next: None, at_ms: told.at_ms, window: Duration::ZERO, missing_peers })
    }

    /// Asks all ways; of each service the first that says anything is believed.
    pub(crate) async fn ask_versions(&self, ways: &[Way], only: Option<&str>) -> Result<Told, Fault> {
        // Several ways share a question.
        let mut questions: Vec<&String> = Vec::new();
        let asked = ways.iter().flat_map(Way::queries);
        for query in asked {
            if !questions.contains(&query) {
                questions.push(query);
            }
        }
        let now = jiff::Timestamp::now().as_millisecond();
        let mut told = Told { services: BTreeMap::new(), missing: Vec::new(), at_ms: now };
        if questions.is_empty() {
            return Ok(told);
        }
        let all: Vec<Question> = questions.iter().map(|query| Question::Now((*query).clone())).collect();
        let heard = self.http.ask(&all).await?;
        told.missing = heard.missing;
        let answers: HashMap<&String, Result<Vec<Row>, Failure>> =
            questions.into_iter().zip(heard.answers).collect();
        for (at, way) in ways.iter().enumerate() {
            let Some(found) = way.found(&answers)? else { continue };
            for (service, mut runs) in found {
                runs.way = at;
                if only.is_none_or(|only| only == service) {
                    told.services.entry(service).or_insert(runs);
                }
            }
        }
        Ok(told)
    }

    /// Since when each version of a service runs without a break. What cannot be told is left out.
    async fn since(&self, (way, service, runs): (&Way, &str, &Runs), to: i64) -> HashMap<String, i64> {
        let (version, query) = (way.version.as_str(), way.present(service, runs));
        let question = Question::Range(query, to - BACK_MS, to, STEP_MS);
        let answer = self.http.ask(&[question]).await.ok().and_then(|mut heard| heard.answers.pop());
        let mut since: HashMap<String, i64> = HashMap::new();
        for row in answer.and_then(Result::ok).unwrap_or_default() {
            let (Some(version), Some(began)) = (row.labels.get(version), unbroken(&row.samples, to)) else {
                continue;
            };
            since.entry(version.clone()).and_modify(|known| *known = began.min(*known)).or_insert(began);
        }
        since
    }
}

/// Since when there are samples without a break up to the end.
fn unbroken(samples: &[(i64, f64)], end: i64) -> Option<i64> {
    let mut began = end;
    for (at, _) in samples.iter().rev() {
        if began - at > BREAK_MS {
            break;
        }
        began = *at;
    }
    (!samples.is_empty() && began < end).then_some(began)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_runs_since_the_last_break() {
        let every = |from: i64, to: i64| (from..=to).step_by(30_000).map(|at| (at, 1.0)).collect::<Vec<_>>();
        assert_eq!(unbroken(&every(0, 600_000), 600_000), Some(0));
        let twice = [every(0, 120_000), every(300_000, 600_000)].concat();
        assert_eq!(unbroken(&twice, 600_000), Some(300_000));
        // It just came, or is gone.
        assert_eq!(unbroken(&every(600_000, 600_000), 600_000), None);
        assert_eq!(unbroken(&every(0, 60_000), 600_000), None);
        assert_eq!(unbroken(&[], 600_000), None);
    }
}
