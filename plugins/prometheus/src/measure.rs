//! How services are and how calls go, now.

use crate::Backend;
use crate::http::{Failure, Question, Row};
use crate::merge::{Said, Standing, Words, believed};
use crate::probe::Found;
use crate::promql::{Terms, equals, number};
use crate::settings::{Of, Template};
use rein_plugin::telemetry::{
    EdgeMeasured, EdgesAsk, Figure, Level, MeasureAsk, Measured, Measures, Reading,
};
use rein_plugin::{Fault, MAX_NAME};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Most entries of one answer.
pub(crate) const MAX_ENTRIES: usize = 200_000;
/// What queries of the configuration are called as a source.
const OWN: &str = "own";

/// What a number is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Count,
    Failed,
    Figure(Figure),
}

/// Service and instance, or caller and callee.
type Key = (String, Option<String>);

/// Everything one source is asked.
struct Source {
    name: String,
    standing: Standing,
    from: String,
    to: Option<String>,
    zone: Option<String>,
    queries: Vec<(Part, String)>,
}

impl Backend {
    pub(crate) async fn measure(self: &Arc<Self>, ask: &MeasureAsk) -> Result<Reading<Measured>, Fault> {
        let probed = self.probe().await?;
        let window = ask.window.unwrap_or(self.settings.window);
        let by_instance = ask.level == Level::Instance;
        let only = ask.service.as_deref();
        let own = self.settings.templates.iter().filter(|t| t.of == Of::Service);
        let own = own.map(|template| {
            let (to, zone) = (Some(template.to.clone()), Some(template.zone.clone()));
            own_source(template, (to, zone), by_instance, only, window)
        });
        // A table that knows no instances says nothing of them.
        let servers = probed.servers.iter().filter(|found| !by_instance || found.to.is_some());
        let sources: Vec<Source> =
            own.chain(servers.map(|found| table_source(found, by_instance, only, window))).collect();
        let (said, zones, at_ms, mut missing) = self.gather(&sources).await?;
        missing.extend(probed.missing.iter().cloned());
        let items = said.into_iter().filter(|((_, instance), _)| by_instance == instance.is_some());
        let items = items.map(|(key, said)| {
            let (measures, source) = believed(said);
            let zone = zones.get(&key).cloned();
            Measured { service: key.0, instance: key.1, zone, measures, source }
        });
        Ok(Reading { items: items.collect(), next: None, at_ms, window, missing_peers: once(missing) })
    }

    pub(crate) async fn edges(self: &Arc<Self>, ask: &EdgesAsk) -> Result<Reading<EdgeMeasured>, Fault> {
        let probed = self.probe().await?;
        let window = ask.window.unwrap_or(self.settings.window);
        let own = self.settings.templates.iter().filter(|t| t.of == Of::Edge);
        let own =
            own.map(|template| own_source(template, (Some(template.to.clone()), None), true, None, window));
        let clients = probed.clients.iter().map(|found| table_source(found, true, None, window));
        let sources: Vec<Source> = own.chain(clients).collect();
        let (said, _, at_ms, mut missing) = self.gather(&sources).await?;
        missing.extend(probed.missing.iter().cloned());
        let items = said.into_iter().filter_map(|((caller, callee), said)| {
            let callee = callee?;
            let touches = ask.service.as_ref().is_none_or(|s| *s == caller || *s == callee);
            touches.then(|| {
                let (measures, source) = believed(said);
                EdgeMeasured { caller, callee, measures, source }
            })
        });
        Ok(Reading { items: items.collect(), next: None, at_ms, window, missing_peers: once(missing) })
    }

    /// Asks every source everything, and sorts what they say by subject.
    async fn gather(
        &self,
        sources: &[Source],
    ) -> Result<(Words<Key>, HashMap<Key, String>, i64, Vec<String>), Fault> {
        let questions: Vec<Question> =
            sources.iter().flat_map(|s| &s.queries).map(|(_, query)| Question::Now(query.clone())).collect();
        let now = jiff::Timestamp::now().as_millisecond();
        if questions.is_empty() {
            return Ok((BTreeMap::new(), HashMap::new(), now, Vec::new()));
        }
        let heard = self.http.ask(&questions).await?;
        let mut answers = heard.answers.into_iter();
        let (mut words, mut zones, mut at) = (BTreeMap::new(), HashMap::new(), None);
        for source in sources {
            let mut parts = Parts::default();
            for (part, query) in &source.queries {
                match answers.next() {
                    Some(Ok(rows)) => {
                        let taken = rows.iter().flat_map(|row| row.samples.last()).map(|(at, _)| *at).max();
                        at = at.max(taken);
                        parts.take(source, *part, rows, &mut zones);
                    }
                    Some(Err(failure)) => refused(source, query, &failure)?,
                    None => {}
                }
            }
            for (key, measures) in parts.measures() {
                let said = Said { source: source.name.clone(), standing: source.standing, measures };
                words.entry(key).or_insert_with(Vec::new).push(said);
            }
            if words.len() > MAX_ENTRIES {
                return Err(Fault::NotDone(format!(
                    "there are more than {MAX_ENTRIES} entries; is `{}` the right label?",
                    source.to.as_ref().unwrap_or(&source.from)
                )));
            }
        }
        Ok((words, zones, at.unwrap_or(now), heard.missing))
    }
}

fn once(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// A question that is refused: one of the configuration costs its figure, and a check tells; one of ours
/// would leave a hole that looks like "no data".
fn refused(source: &Source, query: &str, failure: &Failure) -> Result<(), Fault> {
    if source.standing == Standing::Own {
        tracing::warn!(query, %failure, "a query of the configuration is refused");
        return Ok(());
    }
    Err(Fault::NotDone(format!("it refuses a question about {}: it {failure}", source.name)))
}

fn own_source(
    template: &Template,
    (to, zone): (Option<String>, Option<String>),
    with_to: bool,
    only: Option<&str>,
    window: Duration,
) -> Source {
    let (to, zone) = (to.filter(|_| with_to), zone.filter(|_| with_to));
    let terms = terms(&template.from, to.as_deref(), zone.as_deref(), only, window);
    let queries = vec![(Part::Figure(template.figure), terms.fill(&template.query))];
    Source { name: OWN.into(), standing: Standing::Own, from: template.from.clone(), to, zone, queries }
}

fn table_source(found: &Found, with_to: bool, only: Option<&str>, window: Duration) -> Source {
    let (to, zone) = (found.to.clone().filter(|_| with_to), found.zone.clone().filter(|_| with_to));
    let terms = terms(&found.from, to.as_deref(), zone.as_deref(), only, window);
    let (side, form) = (found.side, found.form);
    let mut queries = vec![(Part::Count, terms.count(side, form))];
    queries.extend(terms.failed(side, form).into_iter().map(|query| (Part::Failed, query)));
    queries.extend(
        Figure::ALL.into_iter().filter_map(|f| Some((Part::Figure(f), terms.quantile(side, form, f)?))),
    );
    if let Some(template) = &side.saturation {
        queries.push((Part::Figure(Figure::Saturation), terms.fill(template)));
    }
    let (name, from) = (found.profile.name.clone(), found.from.clone());
    Source { name, standing: Standing::Table, from, to, zone, queries }
}

pub(crate) fn terms(
    from: &str,
    to: Option<&str>,
    zone: Option<&str>,
    only: Option<&str>,
    window: Duration,
) -> Terms {
    Terms {
        by: [Some(from), to, zone].into_iter().flatten().map(str::to_owned).collect(),
        matching: only.map(|service| equals(from, service)).into_iter().collect(),
        window,
    }
}

/// What one source says, part by part.
#[derive(Default)]
struct Parts {
    count: HashMap<Key, f64>,
    failed: HashMap<Key, f64>,
    figures: HashMap<Key, Measures>,
}

impl Parts {
    fn take(&mut self, source: &Source, part: Part, rows: Vec<Row>, zones: &mut HashMap<Key, String>) {
        for row in rows {
            let Some(value) = row.value() else { continue };
            let Some(key) = key(source, &row) else { continue };
            let zone = source.zone.as_ref().and_then(|label| row.labels.get(label));
            if let Some(zone) = zone.filter(|zone| !zone.is_empty() && zone.len() <= MAX_NAME) {
                zones.entry(key.clone()).or_insert_with(|| zone.clone());
            }
            match part {
                // One instance in two zones, for a moment: what it does adds up.
                Part::Count => add(&mut self.count, key, value),
                Part::Failed => add(&mut self.failed, key, value),
                Part::Figure(figure) => {
                    let Some(value) = number(figure, value) else { continue };
                    let place = self.figures.entry(key).or_default();
                    let place = place.place(figure);
                    *place = Some(place.map_or(value, |known| known.max(value)));
                }
            }
        }
    }

    fn measures(self) -> impl Iterator<Item = (Key, Measures)> {
        let Self { count, failed, mut figures } = self;
        for (key, count) in count {
            let failed = failed.get(&key).copied().unwrap_or(0.0);
            let of = figures.entry(key).or_default();
            of.rps = of.rps.or(number(Figure::Rps, count));
            of.success = of.success.or(share(count, failed));
        }
        figures.into_iter().filter(|(_, measures)| measures.known() > 0)
    }
}

/// The share that did not fail; none where there was nothing.
pub(crate) fn share(count: f64, failed: f64) -> Option<f64> {
    if count > 0.0 { number(Figure::Success, (1.0 - failed / count).max(0.0)) } else { None }
}

fn add(sums: &mut HashMap<Key, f64>, key: Key, value: f64) {
    if value.is_finite() {
        *sums.entry(key).or_default() += value;
    }
}

/// Whose row it is. A name that is empty, or longer than any is, is nobody's.
fn key(source: &Source, row: &Row) -> Option<Key> {
    let name = |label: &str| {
        let name = row.labels.get(label).filter(|name| !name.is_empty());
        if name.is_some_and(|name| name.len() > MAX_NAME) {
            tracing::warn!(label, source = source.name, "a name has more than {MAX_NAME} bytes: left out");
            return None;
        }
        name.cloned()
    };
    let from = name(&source.from)?;
    match &source.to {
        None => Some((from, None)),
        Some(label) => name(label).map(|to| (from, Some(to))),
    }
}
