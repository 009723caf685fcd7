//! What backends measure, gathered from all that do. Only read, and nothing of it is kept.

use crate::app::backends::Asked;
use crate::error::AppError;
use crate::house::House;
use crate::views::tidy;
use futures::future::{BoxFuture, join_all};
use rein_api::ErrorCode;
use rein_api::telemetry::{
    EdgeList, EdgeView, EdgesQuery, FiguresView, MeasureQuery, MeasuredList, MeasuredView, ReadingView,
};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::backend::BackendError;
use rein_domain::name::BackendName;
use rein_domain::telemetry::{Figures, Thresholds, health};
use rein_domain::time::Timestamp;
use rein_plugin::telemetry::{
    EdgeMeasured, EdgesAsk, Level, MeasureAsk, Measured, Measures, NOUN, Reading, Telemetry,
};
use rein_plugin::{Adapter, Fault};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long one backend may take for all of its pages.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Pages read before a backend is said to measure too much.
const MOST_PAGES: usize = 64;
/// Longest window, in seconds.
const MAX_WINDOW: u32 = 86_400;

/// One page, on its way.
pub(crate) type Page<'a, T> = BoxFuture<'a, Result<Reading<T>, Fault>>;

/// What all backends answered: entries and their backend, what they are worth, who did not answer.
pub(crate) struct Gathered<T> {
    pub(crate) items: Vec<(BackendName, T)>,
    pub(crate) readings: Vec<ReadingView>,
    pub(crate) unreachable: BTreeMap<String, String>,
}

impl House {
    /// How services, or the instances of one, are.
    pub async fn measured(&self, actor: &Actor, query: &MeasureQuery) -> Result<MeasuredList, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let level = match (query.instances, &query.service) {
            (Some(true), Some(_)) => Level::Instance,
            (Some(true), None) => {
                let message = "instances are measured of one service at a time: name it";
                return Err(AppError::new(ErrorCode::Invalid, message));
            }
            _ => Level::Service,
        };
        let window = window(query.window_seconds)?;
        let backends = self.measuring(query.backend.as_deref()).await?;
        let ask = MeasureAsk { level, service: query.service.clone(), window, page: None };
        let gathered = self
            .read_all(&backends, PATIENCE, |telemetry, page| {
                let ask = MeasureAsk { page, ..ask.clone() };
                Box::pin(async move { telemetry.measure(&ask).await })
            })
            .await;
        let best = best(gathered.items, |one: &Measured| {
            ((one.service.clone(), one.instance.clone()), one.measures)
        });
        let measured = best.into_iter().map(|(backend, one)| measured_view(&backend, &one)).collect();
        Ok(MeasuredList { measured, readings: gathered.readings, unreachable: gathered.unreachable })
    }

    /// Who calls whom, and how that goes.
    pub async fn edges(&self, actor: &Actor, query: &EdgesQuery) -> Result<EdgeList, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let window = window(query.window_seconds)?;
        let backends = self.measuring(query.backend.as_deref()).await?;
        let ask = EdgesAsk { service: query.service.clone(), window, page: None };
        let gathered = self
            .read_all(&backends, PATIENCE, |telemetry, page| {
                let ask = EdgesAsk { page, ..ask.clone() };
                Box::pin(async move { telemetry.edges(&ask).await })
            })
            .await;
        let best = best(gathered.items, |edge: &EdgeMeasured| {
            ((edge.caller.clone(), Some(edge.callee.clone())), edge.measures)
        });
        let edges = best.into_iter().map(|(backend, edge)| edge_view(&backend, &edge)).collect();
        Ok(EdgeList { edges, readings: gathered.readings, unreachable: gathered.unreachable })
    }

    /// How services are, by whoever answers within `patience`, whatever happens to the others.
    pub(crate) async fn measured_within(
        &self,
        patience: Duration,
    ) -> (Vec<MeasuredView>, BTreeMap<String, String>) {
        let asked = self.declared_backends().into_iter().map(|name| async move {
            let answer = tokio::time::timeout(patience, self.measured_by(name.as_str())).await;
            let late = || Err(format!("it did not answer within {} s", patience.as_secs_f64()));
            (name, answer.unwrap_or_else(|_| late()))
        });
        let (mut items, mut unanswered) = (Vec::new(), BTreeMap::new());
        for (name, answer) in join_all(asked).await {
            match answer {
                Ok(measured) => items.extend(measured.into_iter().map(|one| (name.clone(), one))),
                Err(why) => drop(unanswered.insert(name.to_string(), why)),
            }
        }
        let best = best(items, |one: &Measured| ((one.service.clone(), None), one.measures));
        (best.into_iter().map(|(backend, one)| measured_view(&backend, &one)).collect(), unanswered)
    }

    /// How services are, by one backend; nothing by one that does not measure.
    async fn measured_by(&self, name: &str) -> Result<Vec<Measured>, String> {
        let asked = self.having(vec![name.parse().map_err(|e| format!("{e}"))?], Some(NOUN)).await;
        let ask = MeasureAsk { level: Level::Service, service: None, window: None, page: None };
        let gathered = self
            .read_all(&asked, PATIENCE, |telemetry, page| {
                let ask = MeasureAsk { page, ..ask.clone() };
                Box::pin(async move { telemetry.measure(&ask).await })
            })
            .await;
        match gathered.unreachable.into_values().next() {
            Some(why) => Err(why),
            None => Ok(gathered.items.into_iter().map(|(_, one)| one).collect()),
        }
    }

    /// Declared backends that measure, or the one named.
    pub(crate) async fn measuring(&self, only: Option<&str>) -> Result<Asked, AppError> {
        let names: Vec<BackendName> = match only {
            Some(name) => {
                let name: BackendName = name.parse()?;
                if self.image.read().world.backend(&name).is_none() {
                    return Err(BackendError::Unknown(name).into());
                }
                vec![name]
            }
            None => self.declared_backends(),
        };
        Ok(self.having(names, only.is_none().then_some(NOUN)).await)
    }

    /// Every page of every backend. One that fails costs only what it measures.
    pub(crate) async fn read_all<T: Send>(
        &self,
        backends: &Asked,
        patience: Duration,
        page: impl for<'a> Fn(&'a dyn Telemetry, Option<String>) -> Page<'a, T> + Sync,
    ) -> Gathered<T> {
        let page = &page;
        let asked = join_all(backends.iter().map(|(name, adapter)| async move {
            let all = tokio::time::timeout(patience, pages(adapter.as_ref(), page)).await;
            let late = || Err(Fault::Unreachable(format!("it did not give all pages within {patience:?}")));
            (name, all.unwrap_or_else(|_| late()))
        }));
        let mut gathered = Gathered { items: Vec::new(), readings: Vec::new(), unreachable: BTreeMap::new() };
        for (name, answer) in asked.await {
            match answer {
                Ok(reading) => {
                    gathered.readings.push(self.reading_view(name, &reading));
                    gathered.items.extend(reading.items.into_iter().map(|item| (name.clone(), item)));
                }
                Err(fault) => drop(gathered.unreachable.insert(name.to_string(), tidy(&fault.to_string()))),
            }
        }
        gathered
    }

    fn reading_view<T>(&self, backend: &BackendName, reading: &Reading<T>) -> ReadingView {
        let at = Timestamp(reading.at_ms);
        ReadingView {
            backend: backend.to_string(),
            at: at.into(),
            age_seconds: self.clock.now().since(at).as_secs(),
            window_seconds: reading.window.as_secs(),
            missing_peers: reading.missing_peers.iter().map(|peer| tidy(peer)).collect(),
        }
    }
}

pub(crate) async fn pages<T>(
    adapter: &dyn Adapter,
    page: &(impl for<'a> Fn(&'a dyn Telemetry, Option<String>) -> Page<'a, T> + Sync),
) -> Result<Reading<T>, Fault> {
    let none = || Fault::Unsupported("this backend measures nothing".into());
    let telemetry = adapter.telemetry().ok_or_else(none)?;
    let mut all = page(telemetry, None).await?;
    for _ in 1..MOST_PAGES {
        let Some(next) = all.next.take() else { return Ok(all) };
        let more = page(telemetry, Some(next)).await?;
        all.items.extend(more.items);
        all.next = more.next;
    }
    match all.next {
        None => Ok(all),
        Some(_) => Err(Fault::NotDone(format!("it measures more than {} entries", all.items.len()))),
    }
}

fn window(seconds: Option<u32>) -> Result<Option<Duration>, AppError> {
    match seconds {
        Some(seconds) if !(1..=MAX_WINDOW).contains(&seconds) => {
            let message = format!("window_seconds is {seconds}, not 1 to {MAX_WINDOW}");
            Err(AppError::new(ErrorCode::Invalid, message))
        }
        seconds => Ok(seconds.map(|seconds| Duration::from_secs(seconds.into()))),
    }
}

/// One entry for each subject: where two backends measure one, whoever knows more of it is believed.
fn best<T>(
    items: Vec<(BackendName, T)>,
    key: impl Fn(&T) -> ((String, Option<String>), Measures),
) -> Vec<(BackendName, T)> {
    let mut best: BTreeMap<(String, Option<String>), (BackendName, T, usize)> = BTreeMap::new();
    for (backend, item) in items {
        let (subject, measures) = key(&item);
        let known = measures.known();
        match best.get(&subject) {
            Some((_, _, most)) if *most >= known => {}
            _ => drop(best.insert(subject, (backend, item, known))),
        }
    }
    best.into_values().map(|(backend, item, _)| (backend, item)).collect()
}

fn judged(measures: &Measures) -> (FiguresView, String, Vec<String>) {
    let Measures { rps, success, p50, p90, p99, saturation } = *measures;
    let figures = Figures { rps, success, p50, p90, p99, saturation };
    let (health, causes) = health(&figures, &Thresholds::DEFAULT);
    let view = FiguresView { rps, success, p50, p90, p99, saturation };
    (view, health.word().to_owned(), causes.iter().map(ToString::to_string).collect())
}

fn measured_view(backend: &BackendName, one: &Measured) -> MeasuredView {
    let (figures, health, why) = judged(&one.measures);
    MeasuredView {
        service: tidy(&one.service),
        instance: one.instance.as_deref().map(tidy),
        zone: one.zone.as_deref().map(tidy),
        figures,
        health,
        why,
        backend: backend.to_string(),
        source: tidy(&one.source),
    }
}

fn edge_view(backend: &BackendName, edge: &EdgeMeasured) -> EdgeView {
    let (figures, health, why) = judged(&edge.measures);
    EdgeView {
        caller: tidy(&edge.caller),
        callee: tidy(&edge.callee),
        figures,
        health,
        why,
        backend: backend.to_string(),
        source: tidy(&edge.source),
    }
}
