//! One figure of one subject over time.

use crate::Backend;
use crate::http::{Failure, Question, Row};
use crate::measure::{share, terms};
use crate::probe::Found;
use crate::promql::{Terms, equals, number};
use crate::settings::Of;
use rein_plugin::Fault;
use rein_plugin::telemetry::{Figure, Series, SeriesAsk, Subject};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A way to get a series.
struct Way {
    source: String,
    queries: Queries,
}

enum Queries {
    /// The figure itself.
    One(String),
    /// All requests, and those that failed.
    Share(String, Vec<String>),
}

impl Backend {
    /// The first source that has any sample; a query of the configuration before all.
    pub(crate) async fn series(self: &Arc<Self>, ask: &SeriesAsk) -> Result<Series, Fault> {
        let probed = self.probe().await?;
        let step = u64::try_from(ask.step.as_millis()).unwrap_or(u64::MAX);
        let range = |query: &String| Question::Range(query.clone(), ask.from_ms, ask.to_ms, step);
        let mut empty = Series::default();
        let found = if matches!(ask.of, Subject::Edge(..)) { &probed.clients } else { &probed.servers };
        for way in self.ways(ask, found) {
            let queries: Vec<Question> = match &way.queries {
                Queries::One(query) => vec![range(query)],
                Queries::Share(all, failed) => [all].into_iter().chain(failed).map(range).collect(),
            };
            let heard = self.http.ask(&queries).await?;
            let answers: Result<Vec<Vec<Row>>, Failure> = heard.answers.into_iter().collect();
            empty.missing_peers = heard.missing;
            let answers = match answers {
                Ok(answers) => answers,
                Err(failure) => {
                    tracing::warn!(source = way.source, %failure, "a question about a series is refused");
                    continue;
                }
            };
            let samples = match &way.queries {
                Queries::One(_) => samples(ask, answers.first()),
                Queries::Share(..) => shares(ask, &answers),
            };
            if !samples.is_empty() {
                return Ok(Series { samples, source: way.source, missing_peers: empty.missing_peers });
            }
        }
        Ok(empty)
    }

    fn ways(&self, ask: &SeriesAsk, found: &[Found]) -> Vec<Way> {
        // A rate over less than a step would skip what lies between two.
        let window = self.settings.window.max(ask.step);
        let is_edge = matches!(ask.of, Subject::Edge(..));
        let own = self
            .settings
            .templates
            .iter()
            .filter(|template| template.figure == ask.figure && (template.of == Of::Edge) == is_edge);
        let own = own.map(|template| {
            let terms = narrowed(&ask.of, &template.from, Some(&template.to), window);
            Some(Way { source: "own".into(), queries: Queries::One(terms?.fill(&template.query)) })
        });
        let tables = found.iter().map(|found| {
            let terms = narrowed(&ask.of, &found.from, found.to.as_deref(), window)?;
            let (side, form) = (found.side, found.form);
            let queries = match ask.figure {
                Figure::Rps => Queries::One(terms.count(side, form)),
                Figure::Success => Queries::Share(terms.count(side, form), terms.failed(side, form)),
                Figure::Saturation => Queries::One(terms.fill(side.saturation.as_ref()?)),
                quantile => Queries::One(terms.quantile(side, form, quantile)?),
            };
            Some(Way { source: found.profile.name.clone(), queries })
        });
        own.chain(tables).flatten().collect()
    }
}

/// Terms for one subject; `None`: this source cannot tell it apart.
fn narrowed(of: &Subject, from: &str, to: Option<&str>, window: Duration) -> Option<Terms> {
    let (first, second) = match of {
        Subject::Service(service) => (service, None),
        Subject::Instance(first, second) | Subject::Edge(first, second) => (first, Some(second)),
    };
    let to = match second {
        None => None,
        Some(_) => Some(to?),
    };
    let mut terms = terms(from, to, None, Some(first), window);
    if let (Some(label), Some(value)) = (to, second) {
        terms.matching.push(equals(label, value));
    }
    Some(terms)
}

/// Samples that are numbers, in order, inside of what was asked for. Gaps stay gaps.
fn samples(ask: &SeriesAsk, rows: Option<&Vec<Row>>) -> Vec<(i64, f64)> {
    let all = rows.into_iter().flatten().flat_map(|row| &row.samples);
    let inside = all.filter(|(at, _)| (ask.from_ms..=ask.to_ms).contains(at));
    let fit = inside.filter_map(|(at, value)| Some((*at, number(ask.figure, *value)?)));
    fit.collect::<BTreeMap<i64, f64>>().into_iter().collect()
}

fn shares(ask: &SeriesAsk, answers: &[Vec<Row>]) -> Vec<(i64, f64)> {
    let Some((all, failed)) = answers.split_first() else { return Vec::new() };
    let mut lost: BTreeMap<i64, f64> = BTreeMap::new();
    for (at, value) in failed.iter().flatten().flat_map(|row| &row.samples) {
        if value.is_finite() {
            *lost.entry(*at).or_default() += value;
        }
    }
    let all = all.iter().flat_map(|row| &row.samples);
    let inside = all.filter(|(at, _)| (ask.from_ms..=ask.to_ms).contains(at));
    let fit =
        inside.filter_map(|(at, count)| Some((*at, share(*count, lost.get(at).copied().unwrap_or(0.0))?)));
    fit.collect::<BTreeMap<i64, f64>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_stay_gaps_and_nothing_lies_outside() {
        let ask = SeriesAsk {
            figure: Figure::P99,
            of: Subject::Service("x".into()),
            from_ms: 1000,
            to_ms: 5000,
            step: Duration::from_secs(1),
        };
        let row = |samples: &[(i64, f64)]| Row { labels: BTreeMap::new(), samples: samples.to_vec() };
        let rows =
            vec![row(&[(0, 1.0), (1000, 1.0), (2000, f64::NAN), (4000, 2.0), (3000, 3.0), (6000, 1.0)])];
        assert_eq!(samples(&ask, Some(&rows)), [(1000, 1.0), (3000, 3.0), (4000, 2.0)]);
        assert_eq!(samples(&ask, None), []);
        let ask = SeriesAsk { figure: Figure::Success, ..ask };
        let answers = vec![
            vec![row(&[(1000, 4.0), (2000, 0.0), (3000, 2.0)])],
            vec![row(&[(1000, 1.0)])],
            vec![row(&[(1000, 1.0), (3000, f64::NAN)])],
        ];
        assert_eq!(shares(&ask, &answers), [(1000, 0.5), (3000, 1.0)]);
    }
}
