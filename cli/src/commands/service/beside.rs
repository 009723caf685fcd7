//! What only backends know of services: figures, calls, alerts. Asked beside the registry and never waited for
//! long: a slow backend costs what it knows, and is named.

use crate::error::CliError;
use rein_api::alerts::{JudgedAlerts, JudgedQuery, LineView};
use rein_api::telemetry::{EdgeList, EdgeView, EdgesQuery, FiguresView, MeasureQuery, MeasuredList};
use rein_client::{Client, ClientError};
use rein_domain::name::ServiceName;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_millis(2500);

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Beside {
    /// By service.
    pub(crate) figures: BTreeMap<String, FiguresView>,
    /// Of one service, by instance.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) of_instances: BTreeMap<String, FiguresView>,
    /// Calls that begin or end at one service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) edges: Vec<EdgeView>,
    /// Alerts as they are judged; absent: they are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alerts: Option<JudgedAlerts>,
    /// Who did not answer, and why: what it knows is missing here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) unanswered: BTreeMap<String, String>,
}

impl Beside {
    /// Asks; of one service for more.
    pub(crate) async fn of(client: &Client, about: Option<&ServiceName>) -> Self {
        let all = MeasureQuery { service: about.map(ToString::to_string), ..MeasureQuery::default() };
        let query = JudgedQuery { service: all.service.clone(), ..JudgedQuery::default() };
        let one = MeasureQuery { instances: Some(true), ..all.clone() };
        let near = EdgesQuery { service: all.service.clone(), ..EdgesQuery::default() };
        let (measured, alerts, of_one, edges) = futures::join!(
            within(client.measured(&all)),
            within(client.judged_alerts(&query)),
            within(async {
                match about {
                    Some(_) => client.measured(&one).await.map(Some),
                    None => Ok(None),
                }
            }),
            within(async {
                match about {
                    Some(_) => client.edges(&near).await.map(Some),
                    None => Ok(None),
                }
            }),
        );
        let mut beside = Self::default();
        if let Some(list) = beside.take("telemetry", measured) {
            beside.figures = figures(&mut beside, list, |one| Some(one.service.clone()));
        }
        if let Some(list) = beside.take("telemetry", of_one).flatten() {
            beside.of_instances = figures(&mut beside, list, |one| one.instance.clone());
        }
        if let Some(EdgeList { edges, unreachable, .. }) = beside.take("telemetry", edges).flatten() {
            beside.edges = edges;
            beside.unanswered.extend(unreachable);
        }
        if let Some(judged) = beside.take("alerts", alerts) {
            beside.unanswered.extend(judged.unreachable.clone());
            beside.alerts = Some(judged);
        }
        beside
    }

    fn take<T>(&mut self, who: &str, answer: Result<T, String>) -> Option<T> {
        answer.map_err(|why| self.unanswered.insert(who.to_owned(), why)).ok()
    }

    /// Alerts that fire, by the service they name.
    pub(crate) fn firing(&self) -> BTreeMap<&str, Firing> {
        let mut firing: BTreeMap<&str, Firing> = BTreeMap::new();
        for line in self.lines() {
            let Some(service) = line.service.as_deref().filter(|_| line.kind == "alert") else { continue };
            let count = u32::try_from(line.alerts.len()).unwrap_or(u32::MAX);
            let of = firing.entry(service).or_default();
            match line.place.as_str() {
                "top" | "folded" => of.heard += count,
                _ => of.hushed += count,
            }
        }
        firing
    }

    /// Lines of alerts, by priority.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &LineView> {
        self.alerts.iter().flat_map(|judged| &judged.lines)
    }
}

/// How many alerts fire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Firing {
    /// That people hear of, folded ones included.
    pub(crate) heard: u32,
    /// That are silenced or inhibited.
    pub(crate) hushed: u32,
}

impl std::fmt::Display for Firing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.heard, self.hushed) {
            (heard, 0) => write!(f, "{heard}"),
            (0, hushed) => write!(f, "{hushed} hushed"),
            (heard, hushed) => write!(f, "{heard}, {hushed} hushed"),
        }
    }
}

async fn within<T>(answer: impl Future<Output = Result<T, ClientError>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(|error| CliError::from(error).message),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs_f64())),
    }
}

fn figures(
    beside: &mut Beside,
    list: MeasuredList,
    key: impl Fn(&rein_api::telemetry::MeasuredView) -> Option<String>,
) -> BTreeMap<String, FiguresView> {
    beside.unanswered.extend(list.unreachable);
    list.measured.iter().filter_map(|one| Some((key(one)?, one.figures))).collect()
}
