//! One figure of many over time: a question or two for each source, whatever the number of services.

use crate::Backend;
use crate::http::{Question, Row};
use crate::measure::{MAX_ENTRIES, share, terms};
use crate::promql::{Terms, is_one_of, number};
use crate::settings::Of;
use rein_plugin::telemetry::{Figure, Line, LinesAsk, LinesOf, Reading, Subject};
use rein_plugin::{Fault, MAX_NAME};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Most bytes of names in a query; beyond, all are asked for and the others dropped.
const MAX_MATCHER: usize = 4096;

/// Samples by subject.
type Found = BTreeMap<Subject, BTreeMap<i64, f64>>;

/// A way to get them.
struct Way {
    source: String,
    from: String,
    to: Option<String>,
    /// The figure itself, or all requests.
    first: String,
    /// Those that failed, if the figure is the share of those that did not.
    failed: Option<Vec<String>>,
}

impl Backend {
    /// For each subject the first source that has any sample; a query of the configuration before all.
    pub(crate) async fn lines(self: &Arc<Self>, ask: &LinesAsk) -> Result<Reading<Line>, Fault> {
        let probed = self.probe().await?;
        let ways =
            self.line_ways(ask, if ask.of == LinesOf::Edges { &probed.clients } else { &probed.servers });
        let step = u64::try_from(ask.step.as_millis()).unwrap_or(u64::MAX);
        let range = |query: &String| Question::Range(query.clone(), ask.from_ms, ask.to_ms, step);
        let questions: Vec<Question> = ways
            .iter()
            .flat_map(|way| [&way.first].into_iter().chain(way.failed.iter().flatten()))
            .map(range)
            .collect();
        let (mut lines, mut missing): (BTreeMap<Subject, Line>, _) =
            (BTreeMap::new(), probed.missing.clone());
        if !questions.is_empty() {
            let heard = self.http.ask(&questions).await?;
            missing.extend(heard.missing);
            let mut answers = heard.answers.into_iter();
            for way in &ways {
                let count = 1 + way.failed.as_ref().map_or(0, Vec::len);
                let answers: Result<Vec<Vec<Row>>, _> = answers.by_ref().take(count).collect();
                let found = match answers {
                    Ok(answers) => found(ask, way, &answers),
                    Err(failure) if way.source == "own" => {
                        tracing::warn!(%failure, "a query of the configuration is refused");
                        continue;
                    }
                    // A hole that looks like "no data" would clear whoever is to blame.
                    Err(failure) => {
                        let message = format!("it refuses a question about {}: it {failure}", way.source);
                        return Err(Fault::NotDone(message));
                    }
                };
                for (of, samples) in found {
                    let line = || Line {
                        of: of.clone(),
                        samples: samples.into_iter().collect(),
                        source: way.source.clone(),
                    };
                    lines.entry(of.clone()).or_insert_with(line);
                }
                if lines.len() > MAX_ENTRIES {
                    return Err(Fault::NotDone(format!(
                        "there are more than {MAX_ENTRIES} lines; is `{}` the right label?",
                        way.from
                    )));
                }
            }
        }
        missing.sort();
        missing.dedup();
        let window = Duration::ZERO;
        Ok(Reading {
            items: lines.into_values().collect(),
            next: None,
            at_ms: ask.to_ms,
            window,
            missing_peers: missing,
        })
    }

    fn line_ways(&self, ask: &LinesAsk, found: &[crate::probe::Found]) -> Vec<Way> {
        // A rate over less than a step would skip what lies between two.
        let window = self.settings.window.max(ask.step);
        let is_edge = ask.of == LinesOf::Edges;
        let own = self
            .settings
            .templates
            .iter()
            .filter(|t| t.figure == ask.figure && (t.of == Of::Edge) == is_edge);
        let own = own.map(|template| {
            let to = is_edge.then(|| template.to.clone());
            let terms = narrowed(&template.from, to.as_deref(), &ask.only, window);
            let first = terms.fill(&template.query);
            Some(Way { source: "own".into(), from: template.from.clone(), to, first, failed: None })
        });
        let tables = found.iter().map(|found| {
            let to = if is_edge { Some(found.to.clone()?) } else { None };
            let terms = narrowed(&found.from, to.as_deref(), &ask.only, window);
            let (side, form) = (found.side, found.form);
            let (first, failed) = match ask.figure {
                Figure::Rps => (terms.count(side, form), None),
                Figure::Success => (terms.count(side, form), Some(terms.failed(side, form))),
                Figure::Saturation => (terms.fill(side.saturation.as_ref()?), None),
                quantile => (terms.quantile(side, form, quantile)?, None),
            };
            Some(Way { source: found.profile.name.clone(), from: found.from.clone(), to, first, failed })
        });
        own.chain(tables).flatten().collect()
    }
}

fn narrowed(from: &str, to: Option<&str>, only: &[String], window: Duration) -> Terms {
    let mut terms = terms(from, to, None, None, window);
    let bytes: usize = only.iter().map(|name| name.len() + 1).sum();
    if (1..=MAX_MATCHER).contains(&bytes) {
        terms.matching.extend([Some(from), to].into_iter().flatten().map(|label| is_one_of(label, only)));
    }
    terms
}

/// What one source says: samples that are numbers, inside of what was asked for. Gaps stay gaps.
fn found(ask: &LinesAsk, way: &Way, answers: &[Vec<Row>]) -> Found {
    let Some((first, failed)) = answers.split_first() else { return Found::new() };
    let mut lost: HashMap<(Subject, i64), f64> = HashMap::new();
    for row in failed.iter().flatten() {
        let Some(of) = subject(way, row) else { continue };
        for (at, value) in row.samples.iter().filter(|(_, value)| value.is_finite()) {
            *lost.entry((of.clone(), *at)).or_default() += value;
        }
    }
    let only: BTreeSet<&String> = ask.only.iter().collect();
    let wanted = |name: &String| only.is_empty() || only.contains(name);
    let mut all = Found::new();
    for row in first {
        let Some(of) = subject(way, row) else { continue };
        let fits = match &of {
            Subject::Service(one) | Subject::Instance(one, _) => wanted(one),
            Subject::Edge(one, other) => wanted(one) && wanted(other),
        };
        if !fits {
            continue;
        }
        let inside = row.samples.iter().filter(|(at, _)| (ask.from_ms..=ask.to_ms).contains(at));
        let fit: BTreeMap<i64, f64> = inside
            .filter_map(|(at, value)| {
                let value = match &way.failed {
                    None => number(ask.figure, *value),
                    Some(_) => share(*value, lost.get(&(of.clone(), *at)).copied().unwrap_or(0.0)),
                };
                Some((*at, value?))
            })
            .collect();
        if !fit.is_empty() {
            all.entry(of).or_default().extend(fit);
        }
    }
    all
}

/// Of what a row is; `None`: of nothing that has a name.
fn subject(way: &Way, row: &Row) -> Option<Subject> {
    let name = |label: &String| {
        let name = row.labels.get(label)?;
        (!name.is_empty() && name.len() <= MAX_NAME).then(|| name.clone())
    };
    let from = name(&way.from)?;
    match &way.to {
        None => Some(Subject::Service(from)),
        Some(label) => name(label).map(|to| Subject::Edge(from, to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> Row {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Row { labels, samples: samples.to_vec() }
    }

    #[test]
    fn each_is_told_apart_and_gaps_stay_gaps() {
        let ask = LinesAsk {
            figure: Figure::Success,
            of: LinesOf::Edges,
            only: vec!["a".into(), "b".into()],
            from_ms: 1000,
            to_ms: 3000,
            step: Duration::from_secs(1),
            page: None,
        };
        let way = Way {
            source: "x".into(),
            from: "from".into(),
            to: Some("to".into()),
            first: String::new(),
            failed: Some(vec![String::new()]),
        };
        let (ab, ac) = ([("from", "a"), ("to", "b")], [("from", "a"), ("to", "c")]);
        let answers = [
            vec![
                row(&ab, &[(0, 9.0), (1000, 4.0), (2000, 0.0), (3000, 2.0)]),
                row(&ac, &[(1000, 1.0)]),
                row(&[("from", "a")], &[(1000, 1.0)]),
            ],
            vec![row(&ab, &[(1000, 1.0), (3000, f64::NAN)]), row(&ac, &[(1000, 1.0)])],
        ];
        let told = found(&ask, &way, &answers);
        let of = Subject::Edge("a".into(), "b".into());
        assert_eq!(told, Found::from([(of, BTreeMap::from([(1000, 0.75), (3000, 1.0)]))]));
    }
}
