//! What backends measured on the way of a symptom: who calls whom, then one question for each figure of all of
//! them. Bounded in time, in how many are asked at once, and in how many services are looked at.

use super::question::Question;
use crate::app::backends::Asked;
use crate::error::AppError;
use crate::house::House;
use crate::views::tidy;
use futures::StreamExt;
use rein_api::ErrorCode;
use rein_domain::diagnosis::{Case, Metric, Sample, Subject};
use rein_domain::name::BackendName;
use rein_domain::time::Timestamp;
use rein_plugin::telemetry::{
    EdgesAsk, Figure, Line, LinesAsk, LinesOf, SeriesAsk, Subject as Of, Telemetry,
};
use rein_plugin::{Adapter, Fault};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long it may take to learn who calls whom.
const CALLS_PATIENCE: Duration = Duration::from_secs(4);
/// How long all figures may take.
const LINES_PATIENCE: Duration = Duration::from_secs(6);
/// Questions asked at once.
const AT_ONCE: usize = 4;
/// Services looked at, the nearest to the symptom first.
const MOST: usize = 500;
/// Pages of one answer.
const MOST_PAGES: usize = 64;
/// Where a plugin gives series only one by one, so many services and calls are asked for.
const ONE_BY_ONE: usize = 60;

/// What was measured.
#[derive(Default)]
pub(super) struct Gathered {
    /// Who calls whom, on the way.
    pub(super) calls: BTreeSet<(String, String)>,
    pub(super) lines: Vec<Measured>,
    /// What could not be looked at, in words.
    pub(super) missing: Vec<String>,
    /// By whom, and what convention each of them goes by.
    by: BTreeMap<BackendName, BTreeSet<String>>,
}

/// A figure of one subject over time.
pub(super) struct Measured {
    figure: Figure,
    of: Of,
    samples: Vec<(i64, f64)>,
}

impl Measured {
    /// Services it is about.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        let (one, other) = match &self.of {
            Of::Service(one) | Of::Instance(one, _) => (one, None),
            Of::Edge(one, other) => (one, Some(other)),
        };
        [one].into_iter().chain(other)
    }

    /// Puts it into a case, in the units that one has.
    pub(super) fn add_to(&self, case: &mut Case, question: &Question) {
        let subject = match &self.of {
            Of::Service(name) | Of::Instance(name, _) => case.graph.find(name).map(Subject::Node),
            Of::Edge(caller, callee) => {
                let ends = case.graph.find(caller).zip(case.graph.find(callee));
                ends.map(|(caller, callee)| Subject::Edge(caller, callee))
            }
        };
        let Some(subject) = subject else { return };
        let (metric, scale) = match self.figure {
            Figure::Rps => (Metric::Requests, question.step.as_secs_f64()),
            Figure::Success => (Metric::Availability, 100.0),
            Figure::Saturation => (Metric::Saturation, 1.0),
            Figure::P50 | Figure::P90 | Figure::P99 => (Metric::Latency, 1.0),
        };
        let sample = |(at, value): &(i64, f64)| Sample { at: Timestamp(*at), value: value * scale };
        case.add(subject, metric, self.samples.iter().map(sample));
    }
}

impl Gathered {
    /// Where the samples came from, for people.
    pub(super) fn sources(&self, question: &Question) -> Vec<String> {
        let over = question.to.since(question.from).as_secs();
        let figure = question.quantile.name();
        let told = self.by.iter().map(|(backend, sources)| {
            let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
            format!(
                "{backend} ({}): {figure} over {over} s, every {} s",
                sources.join(", "),
                question.step.as_secs()
            )
        });
        told.collect()
    }
}

/// One question to one backend.
struct Ask {
    backend: BackendName,
    adapter: Arc<dyn Adapter>,
    ask: LinesAsk,
}

impl House {
    /// Everything that the case of a service is made from.
    pub(super) async fn gather_case(&self, service: &str, question: &Question) -> Result<Gathered, AppError> {
        let backends = self.measuring(question.backend.as_deref()).await?;
        if backends.is_empty() {
            let message = "no backend that measures is declared: there is nothing to judge by";
            return Err(AppError::new(ErrorCode::NotFound, message)
                .hint("declare one: docs/telemetry.md; or give files: rein diagnose --from DIR"));
        }
        let mut gathered = Gathered::default();
        let window = Some(question.calls_window());
        let all = self
            .read_all(&backends, CALLS_PATIENCE, |telemetry, page| {
                let ask = EdgesAsk { service: None, window, page };
                Box::pin(async move { telemetry.edges(&ask).await })
            })
            .await;
        let silent: BTreeSet<String> = all.unreachable.keys().cloned().collect();
        gathered
            .missing
            .extend(all.unreachable.iter().map(|(name, why)| format!("{name} does not answer: {why}")));
        if silent.len() == backends.len() {
            let first = gathered.missing.first().cloned().unwrap_or_default();
            return Err(AppError::new(ErrorCode::BackendUnreachable, first).hint("rein backend list"));
        }
        let calls = all.items.into_iter().map(|(_, edge)| (edge.caller, edge.callee)).collect();
        let (names, left) = on_the_way(service, &calls);
        if left > 0 {
            gathered.missing.push(format!("{left} services farther away than the nearest {MOST}"));
        }
        let known: BTreeSet<&String> = names.iter().collect();
        gathered.calls =
            calls.iter().filter(|(a, b)| known.contains(a) && known.contains(b)).cloned().collect();
        let asked: Asked = backends.into_iter().filter(|(name, _)| !silent.contains(name.as_str())).collect();
        self.gather_lines(&mut gathered, asked, (&names, question)).await;
        Ok(gathered)
    }

    async fn gather_lines(
        &self,
        gathered: &mut Gathered,
        backends: Asked,
        (names, question): (&[String], &Question),
    ) {
        let asks = asks(backends, names, question);
        let calls: Vec<(String, String)> = gathered.calls.iter().cloned().collect();
        let deadline = tokio::time::Instant::now() + LINES_PATIENCE;
        let late = || Err(Fault::Unreachable(format!("it took more than {LINES_PATIENCE:?}")));
        let (names, calls) = (&names, &calls);
        let mut answers = futures::stream::iter(asks.into_iter().map(|ask| async move {
            let lines = tokio::time::timeout_at(deadline, lines(&ask, names, calls)).await;
            (ask.backend, ask.ask.figure, lines.unwrap_or_else(|_| late()))
        }))
        .buffer_unordered(AT_ONCE);
        let mut best: BTreeMap<(Figure, Of), Line> = BTreeMap::new();
        let mut faults: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
        while let Some((backend, figure, answer)) = answers.next().await {
            match answer {
                Ok(lines) => {
                    let by = gathered.by.entry(backend).or_default();
                    for line in lines {
                        by.insert(tidy(&line.source));
                        // Where two backends measure one, whoever has more of it is believed.
                        match best.get(&(figure, line.of.clone())) {
                            Some(known) if known.samples.len() >= line.samples.len() => {}
                            _ => drop(best.insert((figure, line.of.clone()), line)),
                        }
                    }
                }
                Err(fault) => {
                    let why = format!("{backend}: {}", tidy(&fault.to_string()));
                    faults.entry(why).or_default().insert(figure.name());
                }
            }
        }
        let told = |(why, figures): (String, BTreeSet<&str>)| {
            format!("{} by {why}", figures.into_iter().collect::<Vec<_>>().join(", "))
        };
        gathered.missing.extend(faults.into_iter().map(told));
        gathered.lines = best
            .into_iter()
            .map(|((figure, of), line)| Measured { figure, of, samples: line.samples })
            .collect();
    }
}

/// The service and whom it calls, over any number of calls, the nearest first; and how many are left out.
fn on_the_way(service: &str, calls: &BTreeSet<(String, String)>) -> (Vec<String>, usize) {
    let mut callees: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (caller, callee) in calls {
        callees.entry(caller).or_default().push(callee);
    }
    let mut met = BTreeSet::from([service]);
    let (mut names, mut waiting) = (Vec::new(), VecDeque::from([service]));
    while let Some(name) = waiting.pop_front() {
        names.push(name.to_owned());
        let fresh = callees.get(name).into_iter().flatten().copied().filter(|callee| met.insert(callee));
        waiting.extend(fresh);
    }
    let left = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    (names, left)
}

/// One question for each figure of services, and of calls, to each backend.
fn asks(backends: Asked, names: &[String], question: &Question) -> Vec<Ask> {
    // First what the symptom shows in: time may run out.
    let of_services = [question.quantile, Figure::Success, Figure::Rps, Figure::Saturation];
    let of_calls = [question.quantile, Figure::Success, Figure::Rps];
    let figures = of_services.map(|figure| (LinesOf::Services, figure)).into_iter();
    let figures: Vec<(LinesOf, Figure)> =
        figures.chain(of_calls.map(|figure| (LinesOf::Edges, figure))).collect();
    let ask = |(of, figure): &(LinesOf, Figure)| LinesAsk {
        figure: *figure,
        of: *of,
        only: names.to_vec(),
        from_ms: question.from.0,
        to_ms: question.to.0,
        step: question.step,
        page: None,
    };
    let each = |(backend, adapter): &(BackendName, Arc<dyn Adapter>)| {
        let one = |figure| Ask { backend: backend.clone(), adapter: Arc::clone(adapter), ask: ask(figure) };
        figures.iter().map(one).collect::<Vec<_>>()
    };
    backends.iter().flat_map(each).collect()
}

/// All pages of one answer.
async fn lines(ask: &Ask, names: &[String], calls: &[(String, String)]) -> Result<Vec<Line>, Fault> {
    let none = || Fault::Unsupported("this backend measures nothing".into());
    let telemetry = ask.adapter.telemetry().ok_or_else(none)?;
    let (mut question, mut all) = (ask.ask.clone(), Vec::new());
    for _ in 0..MOST_PAGES {
        match telemetry.lines(&question).await {
            Ok(page) => {
                all.extend(page.lines);
                question.page = page.next;
            }
            Err(Fault::Unsupported(_)) => return one_by_one(telemetry, &ask.ask, names, calls).await,
            Err(fault) => return Err(fault),
        }
        if question.page.is_none() {
            return Ok(all);
        }
    }
    Err(Fault::NotDone(format!("it gives more than {} lines", all.len())))
}

/// The same of a plugin that only knows series: the nearest only.
async fn one_by_one(
    telemetry: &dyn Telemetry,
    ask: &LinesAsk,
    names: &[String],
    calls: &[(String, String)],
) -> Result<Vec<Line>, Fault> {
    let subjects: Vec<Of> = match ask.of {
        LinesOf::Services => names.iter().cloned().map(Of::Service).collect(),
        LinesOf::Edges => calls.iter().cloned().map(|(one, other)| Of::Edge(one, other)).collect(),
    };
    let mut all = Vec::new();
    for of in subjects.into_iter().take(ONE_BY_ONE) {
        let (figure, from_ms, to_ms, step) = (ask.figure, ask.from_ms, ask.to_ms, ask.step);
        let series = telemetry.series(&SeriesAsk { figure, of: of.clone(), from_ms, to_ms, step }).await?;
        if !series.samples.is_empty() {
            all.push(Line { of, samples: series.samples, source: series.source });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_called_is_on_the_way_and_circles_end() {
        let calls = [("gateway", "order"), ("order", "payment"), ("payment", "order"), ("other", "payment")];
        let calls: BTreeSet<(String, String)> =
            calls.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        assert_eq!(on_the_way("order", &calls), (vec!["order".to_owned(), "payment".to_owned()], 0));
        assert_eq!(on_the_way("nobody", &calls).0, ["nobody"]);
        let wide = (0..600).map(|n| ("hub".to_owned(), format!("s{n}"))).collect();
        let (names, left) = on_the_way("hub", &wide);
        assert_eq!((names.len(), left, names[0].as_str()), (MOST, 101, "hub"));
    }
}
